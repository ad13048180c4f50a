"""
redis-py, as this package uses it: a client that waits patiently for 250 ms, and what its errors mean.

redis-py takes a wait that lasted too long for a server that is down, also where this process was stopped
meanwhile. So its connections wait in short slices here, and each slice counts as long as it was meant to be.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import CacheError, clean, replaced
from ..extras import install_command
from ..importing import IMPORTING
from ..regions import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..secret import Secret
    from ..settings.shared_cache import RedisUrl

DOWN_AFTER: Final = 0.25
"""Seconds of the process's own running time without an answer, after which a Redis is down."""
MOST_CONNECTIONS: Final = 10_000
"""No limit: a thread has one connection for the time of a command."""
_SLICE: Final = 0.025
"""Seconds; the wait for an answer is made of these."""
_STOPPED: Final = 1.0
"""A wait that took this many seconds longer than it was meant to: the process or the machine was stopped."""
NONSENSE: Final = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What redis-py raises, beside its own errors, where an answer is none of Redis's."""
_FULL = "it is full"
_REFUSALS: Final = {
    "OOM": _FULL,
    "READONLY": "it is a replica, which cannot be written",
    "LOADING": "it is still loading its data",
    "MISCONF": "it cannot write to its disk, and so takes nothing new",
    "NOREPLICAS": "it has too few replicas, and so takes nothing new",
    "MASTERDOWN": "it is a replica without its primary",
    "CLUSTERDOWN": "the cluster is down",
    "TRYAGAIN": "the cluster is moving the records",
    "BUSY": "it is busy with a script",
    "UNBLOCKED": "it became a replica",
}
"""First words of errors that pass by themselves, in words."""


class RedisUnavailable(Exception):  # noqa: N818  (it is no error of a caller: it says what is known)
    """
    It did not do what it was asked, and whoever asked goes on without.

    Args:
        cause: What is wrong, in some words, for people.
    """

    def __init__(self, cause: str) -> None:
        self.cause = clean(cause, 200)
        super().__init__(self.cause)

    def again(self) -> RedisUnavailable:
        """Return the same, without the frames that this one has passed through."""
        return RedisUnavailable(self.cause)


class RedisRefused(RedisUnavailable):
    """
    The same, and a person has to mend something.

    Args:
        hint: What to do.
    """

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.hint = hint

    def again(self) -> RedisRefused:
        """Return the same, without the frames that this one has passed through."""
        return RedisRefused(self.cause, self.hint)


class Judgement(NamedTuple):
    """What an error of redis-py means."""

    problem: RedisUnavailable
    is_down: bool
    """Whether nobody should ask for a while; otherwise it did not do this one thing."""
    may_pass: bool = False
    """Whether the same on a new connection may work."""


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
        "a cache in Redis needs redis-py, which is not installed", hint=f"Run: {install_command('redis')}"
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
    kind = redis.connection.SSLConnection if url.has_tls else redis.connection.Connection
    if not url.host:
        kind = redis.connection.UnixDomainSocketConnection
    place: dict[str, Any] = {"host": url.host, "port": url.port} if url.host else {"path": url.path}
    options["connection_class"] = _patient(redis, kind, is_sealed=is_sealed)
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


def _patient(redis: Any, kind: Any, *, is_sealed: bool) -> Any:
    """Return the class of connections *kind*, which counts only the time in which this process runs."""
    errors = redis.exceptions

    class Patient(kind):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            # Or each new connection first tells the server twice which library it is. Earlier versions of
            # redis-py have the second name.
            self.driver_info = self.lib_name = None

        def _connect(self) -> socket.socket:
            began = time.monotonic()
            connected: socket.socket
            try:
                connected = super()._connect()
            except TimeoutError:
                if time.monotonic() - began < DOWN_AFTER + _STOPPED:
                    raise
                connected = super()._connect()
            if not is_sealed and not _stays_here(connected):
                connected.close()
                raise RedisRefused(
                    "it is on another machine, and nothing that is kept there would be sealed",
                    "Set cache_key: 32 bytes in base64, the same on all hosts",
                )
            return connected

        def read_response(self, disable_decoding: bool = False, **options: Any) -> Any:
            options["disconnect_on_error"] = False  # so that what has come of an answer stays
            for left in reversed(range(round(DOWN_AFTER / _SLICE))):
                self._sock.settimeout(_SLICE)
                try:
                    return super().read_response(disable_decoding, **options)
                except errors.ResponseError:
                    raise
                except errors.TimeoutError:
                    if not left:
                        self.disconnect()
                        raise
                except BaseException:
                    self.disconnect()
                    raise
            raise AssertionError("the last slice returns or raises")

    return Patient


def _stays_here(connected: socket.socket) -> bool:
    """Tell whether *connected* leads to this machine, wherever its name was meant to lead."""
    return connected.family not in (socket.AF_INET, socket.AF_INET6) or is_loopback(
        connected.getpeername()[0]
    )


def judge(redis: Any, error: Exception) -> Judgement:
    """
    Say what *error* means.

    Words of the server are not repeated: some of its errors hold what was sent.

    Args:
        redis: Of `load`.
        error: Of redis-py, or one of `NONSENSE`.
    """
    errors = redis.exceptions
    if isinstance(error, errors.RedisClusterException):
        found = _in_cluster(redis, error)
        if found is not None:
            return found
    text = str(error)
    code = getattr(error, "status_code", None) or text.partition(" ")[0]
    refused = _refused(errors, error, code, text)
    if refused is not None:
        return Judgement(refused, is_down=isinstance(error, errors.ConnectionError))
    if code in _REFUSALS:
        is_answer = not isinstance(error, (errors.ConnectionError, errors.ClusterDownError))
        return Judgement(
            RedisUnavailable(_REFUSALS[code]), is_down=not is_answer, may_pass=code == "READONLY"
        )
    if isinstance(error, errors.TimeoutError):
        return Judgement(
            RedisUnavailable(f"it did not answer within {round(DOWN_AFTER * 1000)} ms"), is_down=True
        )
    if isinstance(error, (errors.ConnectionError, OSError)):
        return Judgement(RedisUnavailable(_words(text)), is_down=True, may_pass=True)
    if isinstance(error, errors.ResponseError):
        return Judgement(RedisUnavailable(f"it refuses a command ({clean(code, 20)})"), is_down=False)
    return Judgement(RedisUnavailable("its answer is none of a Redis"), is_down=True)


def _refused(errors: Any, error: Exception, code: str, text: str) -> RedisRefused | None:
    """Return what a person has to mend."""
    if isinstance(error, errors.NoPermissionError) or code == "NOPERM":
        return RedisRefused(
            "its user may not run a command that is needed", "Allow the user +@all on the keys of this cache"
        )
    if isinstance(error, (errors.AuthenticationError, errors.AuthenticationWrongNumberOfArgsError)):
        what = "needs a password" if code == "NOAUTH" else "refuses the user name or password"
        return RedisRefused(
            f"it {what}", "Correct the URL's user name and password, or AWS_COGNITO_CACHE_PASSWORD"
        )
    if isinstance(error, errors.MovedError):
        return RedisRefused("it is one server of a cluster", "Write redis-cluster:// in place of redis://")
    if "DB index" in text:
        return RedisRefused("it has no such database", "Correct the number after the last '/' of the URL")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return RedisRefused(
            "its certificate is not valid for it", "Name the certificates to trust: …?ca_certs=/path.pem"
        )
    return None


def _in_cluster(redis: Any, error: Exception) -> Judgement | None:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, redis.exceptions.RedisClusterException) or "mode is not enabled" in str(error):
        return Judgement(
            RedisRefused("it is no cluster", "Write redis:// in place of redis-cluster://"), True
        )
    if isinstance(cause, RedisUnavailable):
        return Judgement(cause.again(), is_down=True)
    if isinstance(cause, (redis.exceptions.RedisError, *NONSENSE)):
        return judge(redis, cause)
    return Judgement(RedisUnavailable("the cluster is not whole"), is_down=True)


def _words(text: str) -> str:
    """Shorten redis-py's words to what the system said, "Error 111 connecting to host:1. Refused."."""
    return clean(text.rstrip(".").rpartition(". ")[2], 160) or "it cannot be reached"
