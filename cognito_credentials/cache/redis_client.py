"""
redis-py, as this package uses it: a client that waits patiently for 250 ms.

redis-py takes a wait that lasted too long for a server that is down, also where this process was stopped
meanwhile. So its connections wait in short slices here, and each slice counts as long as it was meant to be.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import CacheError, replaced
from ..extras import install_command
from ..importing import IMPORTING
from ..regions import is_loopback
from .redis_errors import DOWN_AFTER, RedisRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..secret import Secret
    from ..settings.shared_cache import RedisUrl

MOST_CONNECTIONS: Final = 10_000
"""No limit: a thread has one connection for the time of a command."""
_SLICE: Final = 0.025
"""Seconds; the wait for an answer is made of these."""
_SLICES: Final = round(DOWN_AFTER / _SLICE)
_STOPPED: Final = 1.0
"""A wait that took this many seconds longer than it was meant to: the process or the machine was stopped."""


def load() -> Any:
    """
    Import redis-py.

    Raises:
        CacheError: It is not installed.
    """
    with replaced(ImportError, by=_not_installed), IMPORTING:
        import redis
        import redis.cluster

        return redis


def _not_installed(_: ImportError) -> CacheError:
    return CacheError(
        "a cache in Redis needs redis-py, which is not installed",
        hint=f"Run: {install_command('redis')}",
        topic="E-NOT-INSTALLED",
    )


def client_maker(redis: Any, url: RedisUrl, password: Secret | None, *, is_sealed: bool) -> Callable[[], Any]:
    """
    Return what makes a client. Only that of a cluster connects at once.

    Args:
        redis: Of `load`.
        is_sealed: Whether what is sent is sealed; if not, it must not leave this machine.
    """
    options: dict[str, Any] = {
        "socket_timeout": DOWN_AFTER,
        "socket_connect_timeout": DOWN_AFTER,
        "protocol": 2,
        "max_connections": MOST_CONNECTIONS,
    }
    if url.username or password:
        options["credential_provider"] = _provider(redis, url.username, password)
    if url.has_tls:
        names = {"ca_certs": "ssl_ca_certs", "certfile": "ssl_certfile", "keyfile": "ssl_keyfile"}
        options |= {names[name]: path for name, path in url.tls.items()}
        options["ssl_check_hostname"] = True  # redis-py before 6.0 does not by itself
    place: dict[str, Any] = {"host": url.host, "port": url.port} if url.host else {"path": url.path}
    options["connection_class"] = _patient(redis, url, is_sealed=is_sealed)
    never = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    if url.is_cluster:
        host = f"[{url.host}]" if ":" in url.host else url.host
        # By a URL, since only then the cluster's client takes a class of connections.
        return lambda: redis.RedisCluster(url=f"redis://{host}:{url.port}", retry=never, **options)
    return lambda: redis.Redis(
        connection_pool=redis.ConnectionPool(db=url.database, retry=never, **place, **options)
    )


def _provider(redis: Any, username: str | None, password: Secret | None) -> Any:
    """Keep the password out of redis-py's objects until it is sent."""

    class Provider(redis.CredentialProvider):  # type: ignore[misc]
        def get_credentials(self) -> tuple[str, ...]:
            text = password.reveal() if password else ""
            return (username, text) if username else (text,)

    return Provider()


def _patient(redis: Any, url: RedisUrl, *, is_sealed: bool) -> Any:
    """Return the class of connections to *url*, which counts only the time in which this process runs."""
    plain: Any = redis.connection.Connection
    secure: Any = redis.connection.SSLConnection
    lookup = _Lookup()

    class Dialled(plain):  # type: ignore[misc]
        def _connect(self) -> socket.socket:
            problem: OSError = TimeoutError("no address")
            for family, kind, protocol, _, address in lookup.addresses(self.host, self.port):
                connected = socket.socket(family, kind, protocol)
                try:
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    _dial(connected, address)
                except OSError as error:
                    problem = error
                    connected.close()
                else:
                    if is_sealed or is_loopback(str(address[0])):
                        return connected
                    connected.close()
                    raise RedisRefused(
                        "it is on another machine, and nothing that is kept there would be sealed",
                        "Set cache_key: 32 bytes in base64, the same on all hosts",
                    )
            raise problem

    class Secured(secure, Dialled):  # type: ignore[misc]
        """Its TLS is upon `Dialled`, which comes next in its order of classes."""

    place: Any = Secured if url.has_tls else Dialled
    if not url.host:
        place = redis.connection.UnixDomainSocketConnection
    return _waiting_in_slices(place, redis.exceptions)


def _waiting_in_slices(place: Any, errors: Any) -> Any:
    class Patient(_owing(place)):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            # Or each new connection first tells the server twice which library it is. Earlier versions of
            # redis-py have the second name.
            self.driver_info = self.lib_name = None

        def read_response(self, disable_decoding: bool = False, **options: Any) -> Any:
            options["disconnect_on_error"] = False  # so that what has come of an answer stays
            for left in reversed(range(_SLICES)):
                self._sock.settimeout(_SLICE)
                try:
                    answer = super().read_response(disable_decoding, **options)
                except errors.ResponseError:
                    self._owes = False
                    raise
                except errors.TimeoutError:
                    if not left:
                        self.disconnect()
                        raise
                except BaseException:
                    self.disconnect()
                    raise
                else:
                    self._owes = False
                    return answer
            raise AssertionError("the last slice returns or raises")

    return Patient


def _owing(place: Any) -> Any:
    """Return a class of connections that knows whether the answer to a command is still to come."""

    class Owing(place):  # type: ignore[misc]
        _owes = False

        def connect(self, *given: Any, **options: Any) -> None:
            # A signal handler, as that of Ctrl-C, may raise between a command and its answer. The connection
            # goes back to the pool then, and whoever takes it from there would read that answer for its own.
            if self._owes:
                self.disconnect()
            super().connect(*given, **options)

        def send_packed_command(self, *given: Any, **options: Any) -> None:
            self._owes = True
            super().send_packed_command(*given, **options)

        def disconnect(self, *given: Any, **options: Any) -> None:
            self._owes = False
            super().disconnect(*given, **options)

    return Owing


def _dial(connected: socket.socket, address: Any) -> None:
    """Connect within `DOWN_AFTER`."""
    began = time.monotonic()
    connected.settimeout(DOWN_AFTER)
    try:
        connected.connect(address)
    except TimeoutError:
        if time.monotonic() - began < DOWN_AFTER + _STOPPED:
            raise
        with contextlib.suppress(OSError):  # it is connected by now, or connecting still
            connected.connect(address)
        connected.getpeername()


class _Lookup:
    """Looks host names up, in the time that a Redis has to answer: a name server may hang for a minute."""

    def __init__(self) -> None:
        self._under_way: threading.Thread | None = None

    def addresses(self, host: str, port: int) -> list[Any]:
        """
        Return what `socket.getaddrinfo` returns.

        Raises:
            OSError: There is no such name, or the name server does not answer.
        """
        if is_loopback(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._under_way is not None and self._under_way.is_alive():
            raise OSError("the name server does not answer")
        found: list[Any] = []
        thread = threading.Thread(target=_look_up, args=(host, port, found), daemon=True)
        thread.start()
        for _ in range(_SLICES):
            thread.join(_SLICE)
            if not thread.is_alive():
                break
        else:
            self._under_way = thread
            raise OSError("the name server does not answer")
        if isinstance(found[0], OSError):
            raise found[0]
        return found


def _look_up(host: str, port: int, found: list[Any]) -> None:
    try:
        with IMPORTING.at_first():
            found += socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        found.append(error)
    except UnicodeError:  # a label that is too long
        found.append(OSError("no such host name"))
