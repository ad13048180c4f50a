"""
TLS on a connection: over a plain socket, or inside the TLS of a proxy.

OpenSSL has locks that are the whole process's (of its random numbers and its table of algorithms), and its
calls run beside other threads. A child that is forked during such a call has these locks locked for ever. So
each call is one step inside ``with IMPORTING:`` that waits for nothing. The network is used outside.
"""

from __future__ import annotations

import contextlib
import io
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..importing import IMPORTING

T = TypeVar("T")

_RECORD: Final = 16 * 1024
"""Bytes: the longest piece that TLS sends at once."""


class Secured:
    """
    A connection as `http.client` and `Metered` use one, with TLS.

    Args:
        below: The connection that carries it: a socket, or another of these. Its timeout is the limit of the
            handshake.
        name: Whose certificate it must be.

    Raises:
        OSError: The handshake failed; `ssl.SSLError` and `TimeoutError` are such errors.
        ValueError: No certificate can have this *name*.
    """

    def __init__(self, below: Any, context: ssl.SSLContext, name: str) -> None:
        self._below = below
        self._timeout: float | None = below.gettimeout()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with IMPORTING:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._run(self._tls.do_handshake)

    def settimeout(self, seconds: float | None) -> None:
        """Set the limit of each call below."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """Return the limit of each call."""
        return self._timeout

    def recv(self, size: int) -> bytes:
        """Return up to *size* bytes, as soon as there are some; none at the end."""
        data: bytes = self._read(lambda: self._tls.read(size), b"")
        return data

    def recv_into(self, buffer: Any) -> int:
        """Fill the beginning of *buffer*, as `recv`; return how many bytes."""
        count: int = self._read(lambda: self._tls.read(len(buffer), buffer), 0)
        return count

    def sendall(self, data: Any) -> None:
        """Send all of *data*."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self._run(lambda: self._tls.write(left)) :]  # noqa: B023  (called at once)

    def pending(self) -> int:
        """Return how many bytes have been taken from the network and not been read yet."""
        below = self._below.pending() if isinstance(self._below, Secured) else 0
        return below + self._incoming.pending + self._tls.pending()

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        number: int = self._below.fileno()
        return number

    def makefile(self, _mode: str = "rb", _buffering: int = -1) -> io.BufferedReader:
        """Return a file to read from; the socket stays open until it is closed, too."""
        return io.BufferedReader(_Reader(self, self._below.makefile("rb", 0)))

    def close(self) -> None:
        """Close the socket."""
        self._below.close()

    def _read(self, read: Callable[[], Any], end: Any) -> Any:
        try:
            return self._run(read)
        except ssl.SSLEOFError:  # closed without the alert that says so: `http.client` sees what is missing
            return end

    def _run(self, step: Callable[[], T]) -> T:
        """Call *step* until it has what it needs from the network."""
        ends_at = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            try:
                with IMPORTING:
                    result = step()
            except ssl.SSLWantReadError:
                self._flush(ends_at)
            except OSError:
                with contextlib.suppress(OSError):
                    self._flush(ends_at)  # the alert that says why
                raise
            else:
                self._flush(ends_at)
                return result
            self._limit(ends_at)
            piece = self._below.recv(_RECORD)
            if piece:
                self._incoming.write(piece)
            else:
                self._incoming.write_eof()

    def _flush(self, ends_at: float | None) -> None:
        if written := self._outgoing.read():
            self._limit(ends_at)
            self._below.sendall(written)

    def _limit(self, ends_at: float | None) -> None:
        left = None if ends_at is None else ends_at - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("timed out")
        self._below.settimeout(left)


class _Reader(io.RawIOBase):
    """
    The file of a connection.

    Args:
        kept: A file of the socket, which keeps it open.
    """

    def __init__(self, secured: Secured, kept: Any) -> None:
        super().__init__()
        self._secured = secured
        self._kept = kept

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._secured.recv_into(buffer)

    def close(self) -> None:
        self._kept.close()
        super().close()
