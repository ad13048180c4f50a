"""
Opens a connection: address by address, through a proxy where there is one, with TLS where it is https.

A host may have many addresses of which most are dead. The next address is tried a quarter of a second after
the last one, while those before it go on; the first that answers wins. Source: RFC 8305, section 5.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  (`socket` and `ssl` load it at the first name)
import errno
import http.client
import io
import os
import selectors
import socket
import ssl
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import ConfigurationError, ServiceError
from ..importing import IMPORTING
from ..regions import is_loopback
from . import faults
from .deadline import remaining, too_late
from .secured import Secured

if TYPE_CHECKING:
    from .proxies import Proxy

STAGGER: Final = 0.25
"""Seconds to the next address."""
_ADDRESSES_LIMIT: Final = 20
HEAD_LIMIT: Final = 64 * 1024
"""Bytes of status line and headers."""
READ_SIZE: Final = 8192
"""Less than `HEAD_LIMIT`, which counts what is read with a head: Python 3.14 would read 128 kB."""
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", -1))
_open: Final[weakref.WeakSet[socket.socket]] = weakref.WeakSet()
"""The sockets of this process, in use, idle, or about to connect."""


class Target(NamedTuple):
    """Where a request goes, and by which way."""

    scheme: str
    host: str
    port: int
    url: str
    """Without query, user name and password: for messages."""
    proxy: Proxy | None
    context: ssl.SSLContext | None
    """For https, to the host and to the proxy."""


def connect(target: Target, timeout: float) -> http.client.HTTPConnection:
    """
    Open a connection that is ready for a request.

    Args:
        timeout: Seconds for each address, and then for each of the handshakes.

    Raises:
        faults.HTTPClientError: There is none.
        ConfigurationError: It would be plain http to another machine.
    """
    proxy = target.proxy
    host, port = (target.host, target.port) if proxy is None else (proxy.host, proxy.port)
    connected, problem = _dialled(host, port, timeout, is_plain=target.scheme == "http")
    if connected is None:
        if proxy is not None:
            raise faults.ProxyConnectionError(proxy.shown, _reason(problem))
        if isinstance(problem, TimeoutError):
            raise faults.ConnectTimeoutError(target.url)
        raise faults.EndpointConnectionError(target.url, _reason(problem))
    channel: Any = connected
    is_whole = False
    try:
        channel.settimeout(_limited(timeout))
        if proxy is not None:
            channel = _through(proxy, channel, target)
        if target.context is not None:
            channel = _secured(channel, target.context, target.host, target.url)
        is_whole = True
    finally:
        if not is_whole:
            channel.close()
            connected.close()
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.response_class = Response
    connection.auto_open = 0  # what is lost is not opened anew behind our back
    connection.debuglevel = 0  # a program may have set it for all; it would print the token
    connection.sock = channel
    return connection


def _reason(problem: OSError | None) -> str:
    """Say why there is no connection; None is a name without an address."""
    if problem is None:
        return faults.NO_SUCH_NAME
    if isinstance(problem, TimeoutError):
        return "no answer"
    return os.strerror(problem.errno) if problem.errno else ""


def close_inherited() -> None:
    """
    Close a forked child's copies of its parent's sockets; the parent goes on with its own.

    An open copy would keep a connection alive after the parent has closed it. What the parent's threads were
    doing at that moment is never ended here, so its sockets cannot be closed by their own methods, which wait
    for their readers.
    """
    for one in list(_open):
        with contextlib.suppress(OSError):  # closed already
            os.close(one.detach())
    _open.clear()


def _limited(timeout: float) -> float:
    left = remaining()
    if left <= 0:
        raise too_late()
    return min(timeout, left)


def _dialled(
    host: str, port: int, timeout: float, *, is_plain: bool
) -> tuple[socket.socket | None, OSError | None]:
    try:
        with IMPORTING.at_first():
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the codec of host names raises the second for a label that is too long
        return None, None
    if is_plain:  # it is for this machine only, and DNS may lead even localhost to another one
        found = [one for one in found if is_loopback(str(one[4][0]))]
        if not found:
            raise ConfigurationError(
                f"{host} leads to another machine here: refusing to send login tokens to it by plain http",
                hint="Correct localhost in the hosts file, or write 127.0.0.1 in its place",
                topic="E-ENDPOINT",
            )
    try:
        return dial(_alternating(found)[:_ADDRESSES_LIMIT], timeout), None
    except OSError as error:
        return None, error.with_traceback(None)


def _alternating(found: list[Any]) -> list[Any]:
    """Order addresses so that one family that does not work holds the other up once only."""
    first = [one for one in found if one[0] == found[0][0]]
    other = [one for one in found if one[0] != found[0][0]]
    ordered = []
    for index in range(max(len(first), len(other))):
        ordered += first[index : index + 1] + other[index : index + 1]
    return ordered


def dial(addresses: list[Any], timeout: float) -> socket.socket:
    """
    Connect to the first of *addresses* that answers.

    Args:
        addresses: As `socket.getaddrinfo` gives them.
        timeout: Seconds for each.

    Raises:
        OSError: None does; a `TimeoutError` where the last one did not answer at all.
    """
    left = list(addresses)
    started: dict[socket.socket, float] = {}
    problem: OSError = OSError("no address")
    next_at = time.monotonic()
    with selectors.DefaultSelector() as selector:
        try:
            while left or started:
                if left and (not started or time.monotonic() >= next_at):
                    next_at = time.monotonic() + STAGGER
                    ends_at = time.monotonic() + _limited(timeout)
                    opened, failed = _begun(left.pop(0))
                    if opened is None:
                        problem = failed or problem
                        next_at = time.monotonic()
                        continue
                    started[opened] = ends_at
                    selector.register(opened, selectors.EVENT_WRITE)
                wake_at = min([*started.values(), *([next_at] if left else [])])
                for key, _ in selector.select(max(wake_at - time.monotonic(), 0)):
                    ready: Any = key.fileobj
                    code = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        del started[ready]
                        return _ready(ready)
                    problem, next_at = OSError(code, "cannot connect"), time.monotonic()
                    _dropped(ready, started, selector)
                for late in [one for one, end in started.items() if end <= time.monotonic()]:
                    problem = TimeoutError("no answer")
                    _dropped(late, started, selector)
        finally:
            for one in started:
                one.close()
    raise problem


def _begun(address: Any) -> tuple[socket.socket | None, OSError | None]:
    family, kind, protocol, _, place = address
    opened = None
    try:
        opened = socket.socket(family, kind, protocol)
        _open.add(opened)
        opened.setblocking(False)
        code = opened.connect_ex(place)
        if code in (0, *_UNDER_WAY):
            return opened, None
        problem = OSError(code, "cannot connect")
    except OSError as error:  # no such family on this machine
        problem = error.with_traceback(None)
    if opened is not None:
        opened.close()
    return None, problem


def _dropped(one: socket.socket, started: dict[socket.socket, float], selector: Any) -> None:
    selector.unregister(one)
    del started[one]
    one.close()


def _ready(one: socket.socket) -> socket.socket:
    one.setblocking(True)
    with contextlib.suppress(OSError):  # it only saves time
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def _through(proxy: Proxy, channel: Any, target: Target) -> Any:
    """Have *proxy* open the way to *target*."""
    if proxy.scheme == "https":
        if target.context is None:
            raise faults.ProxyConnectionError(proxy.shown)
        channel = _secured(channel, target.context, proxy.host, proxy.shown)
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    reason = "no HTTP answer"
    try:
        channel.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        del lines
        with contextlib.closing(Response(channel, method="CONNECT")) as answer:
            answer.begin()
            if answer.status == 200:
                return channel
            reason = f"HTTP {answer.status}"
    except (OSError, http.client.HTTPException, HeadTooLargeError, UnicodeError):
        pass
    channel.close()
    raise faults.ProxyConnectionError(proxy.shown, reason)


def _secured(channel: Any, context: ssl.SSLContext, host: str, url: str) -> Any:
    # Certificates have neither the zone of an address nor the dot that may end a name.
    name = host.partition("%")[0].rstrip(".")
    try:
        return Secured(channel, context, name)
    except TimeoutError:
        problem: faults.HTTPClientError = faults.ConnectTimeoutError(url)
    except ssl.SSLError as error:
        problem = faults.SSLError(url, str(error))
    except OSError:
        problem = faults.EndpointConnectionError(url)
    except ValueError:  # a host that no certificate can name
        problem = faults.SSLError(url, "the host has no valid name")
    raise problem


class Metered(io.RawIOBase):
    """
    What comes from a connection: until the deadline, and while its head is read, up to a limit of bytes.

    Args:
        raw: The connection as a file.
        channel: The connection; its timeout is the longest between two reads.
    """

    def __init__(self, raw: Any, channel: Any) -> None:
        super().__init__()
        self._raw = raw
        self._channel = channel
        self._timeout: float = channel.gettimeout()
        self.left: float = HEAD_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._channel.settimeout(_limited(self._timeout))
        count: int = self._raw.readinto(buffer) or 0
        self.left -= count
        if self.left < 0:
            raise HeadTooLargeError
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class HeadTooLargeError(Exception):
    """The headers of an answer are longer than any real ones."""


class Response(http.client.HTTPResponse):
    """An answer that is read through `Metered`."""

    def __init__(self, sock: Any, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        buffered: Any = self.fp
        self.meter = Metered(buffered.detach(), sock)
        self.fp = io.BufferedReader(self.meter, READ_SIZE)


def head_too_large(host: str) -> ServiceError:
    """Make the error for an answer with too many or too long headers."""
    return ServiceError(
        f"{host} sent more than {HEAD_LIMIT} bytes of headers, which no answer of a service like this has",
        hint="Something else answers in its place: check the address, the proxy and the network",
        topic="E-ANSWER",
    )
