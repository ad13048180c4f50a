"""
The port: one thread that waits for all connections, reads requests and sends the answers.

An answer takes 20 microseconds, and no answer waits for anything. So threads would make nothing quicker, and
64 of them would wait for each other at each answer. `asyncio` would do as well, but importing it takes as
long as starting Python.

There are no time limits. A client that sends half a request and waits costs a connection, and where there are
too many connections, the one that has been silent for longest is closed.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError
from .protocol import HEAD_LIMIT, HOST, Refused, read, written

if TYPE_CHECKING:
    from .protocol import Rules

_MOST_CONNECTIONS: Final = 200
"""Below the 256 descriptors that macOS gives a process."""
_BACKLOG: Final = 128
_PAUSE: Final = 0.05
"""Seconds without new connections where this process may open none."""
_WAKE: Final = 0.5
"""Seconds: a signal that comes just before a wait does not end it, and on Windows none does."""


class Endpoint:
    """
    Listens on 127.0.0.1. Use it as a context manager.

    Args:
        port: 0 for any that is free.

    Raises:
        ConfigurationError: The port is in use, or is not for this user.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = _listen(port)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._unread: dict[socket.socket, bytes] = {}
        """All connections, the longest silent first, each with what it has sent of a request."""
        self._ending: set[socket.socket] = set()
        """Connections that have their last answer; what still comes is dropped."""
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Endpoint:  # noqa: PYI034  (typing.Self came with Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self._unread, self._listener, self._wake, self._woken):
            each.close()
        self._selector.close()

    def run(self, rules: Rules) -> None:
        """Answer requests by *rules* until `stop`."""
        while True:
            for key, _ in self._selector.select(_WAKE):
                connection = key.fileobj
                if connection is self._woken:
                    return
                if connection is self._listener:
                    self._accept()
                elif isinstance(connection, socket.socket) and connection in self._unread:
                    self._receive(connection, rules)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._wake.send(b"x")

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptors are left
            if self._unread:
                self._close(next(iter(self._unread)))
            time.sleep(_PAUSE)
            return
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ)
        self._unread[connection] = b""
        if len(self._unread) > _MOST_CONNECTIONS:
            self._close(next(iter(self._unread)))

    def _receive(self, connection: socket.socket, rules: Rules) -> None:
        try:
            data = connection.recv(HEAD_LIMIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        if connection in self._ending:
            return
        unread = self._unread.pop(connection) + data
        self._unread[connection] = unread  # now the last one
        while connection in self._unread and connection not in self._ending:
            head, end, rest = self._unread[connection].partition(b"\r\n\r\n")
            if not end and len(head) < HEAD_LIMIT:
                return
            self._unread[connection] = rest
            self._answer(connection, head if end else b"", rules)  # too long is no request

    def _answer(self, connection: socket.socket, head: bytes, rules: Rules) -> None:
        may_stay = False
        try:
            request = read(head)
            may_stay = request.may_stay
            answer = rules.answer(request)
        except Refused as refused:
            answer = refused.answer
        data = written(answer, may_stay=may_stay)
        try:
            is_sent = connection.send(data) == len(data)
            if is_sent and not may_stay:
                # Closed with bytes unread, it would be reset, and the client might not read the answer.
                connection.shutdown(socket.SHUT_WR)
                self._ending.add(connection)
        except OSError:
            is_sent = False
        if not is_sent:  # the client does not read its answers
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._unread[connection]
        self._ending.discard(connection)
        connection.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif os.name != "nt":
            # A server that has just ended leaves connections behind, which must not keep the port from the
            # next.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        why = error.strerror or type(error).__name__
    else:
        return listener
    raise ConfigurationError(
        f"the server cannot listen on port {port}: {why}",
        hint="Choose another --port, or none for one that is free",
        topic="E-SERVE",
    )
