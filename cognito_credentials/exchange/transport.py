"""
Sends one request and reads its answer, within limits of size, time and host.

A login token goes over https or to this machine only; a redirect is never followed; at most 64 KiB of body
are read, uncompressed, and not past the deadline; the service's `Date` is noted.

Connections are the process's, not a pool's: whoever goes the same way (host, CA bundle, proxy) shares them. A
few idle ones are kept for some seconds. A forked child starts with none of them, and with TLS contexts and
locks of its own: a thread of its parent may have been using those of the parent at the moment of the fork.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import select
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ..clock import Clock, ServerTime, observe
from ..errors import ConfigurationError, ServiceError
from ..regions import is_loopback
from . import faults, tls
from .connections import HeadTooLargeError, Target, close_inherited, connect, head_too_large
from .deadline import remaining, too_late
from .mocked import is_mocked
from .proxies import proxy_for
from .retries import Call, Quota
from .secured import Secured

CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 5.0
"""Seconds, for one connect and between two reads. `deadline` limits the whole exchange."""
BODY_LIMIT: Final = 64 * 1024
"""Bytes. Real answers are 2 to 4 KiB; whoever answers in Cognito's place must not fill our memory."""
_FRAMING_LIMIT: Final = 1024 * 1024
"""Bytes of body and of what frames its chunks."""
CONNECTIONS_LIMIT: Final = 64
"""Connections of one way at a time; further requests wait for one of them."""
IDLE_LIMIT: Final = 4
"""Idle connections of the whole process."""
IDLE_SECONDS: Final = 15.0
"""How long one is idle at most; the service closes them after a minute."""
PRECISE_ROUND_TRIP: Final = 5.0
"""Seconds up to which the middle of the round trip is taken for the moment when the `Date` was written."""
SLOWEST_TRUSTED_ROUND_TRIP: Final = 60.0
"""Seconds beyond which a `Date` is not used. No deadline of ours allows as much: the machine slept."""
_LONGEST_WAIT: Final = 30.0


class Answer:
    """
    A complete answer. It may hold secrets, and shows none of them.

    Args:
        headers: With names in lower case; of a header that comes twice, both values with a comma.
    """

    __slots__ = ("body", "headers", "seen", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes, seen: ServerTime | None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.seen = seen


class Transport:
    """
    Sends requests of one pool or issuer. It owns no connection.

    Args:
        network: Says where the CA bundle is.
        environ: The same.
    """

    __slots__ = ("_clock", "_environ", "_network")

    def __init__(self, clock: Clock, network: tls.BundleSettings, environ: Mapping[str, str]) -> None:
        self._clock = clock
        self._network = network
        self._environ = environ

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        call: Call,
        *,
        read_timeout: float | None = None,
    ) -> Answer:
        """
        Send one request, once.

        Args:
            headers: Beside Host, Content-Length and Accept-Encoding.
            read_timeout: Seconds between two reads; None for the usual.

        Raises:
            faults.HTTPClientError: Another attempt may succeed.
            ServiceError: The answer is not one of such a service.
            ConfigurationError: The request must not, or cannot, go where it would.
        """
        check_target(url)
        if remaining() <= 0:
            raise too_late()
        target, key = self._target(url)
        call.host = urlsplit(target.url).netloc
        request = _Request(method, url, headers, body, self._clock)
        began = self._clock.elapsed()
        timeout = READ_TIMEOUT if read_timeout is None else read_timeout
        call.is_sent = True
        try:
            response, body = _shared.exchange(key, target, request, timeout, is_fresh=_needs_fresh(call))
        except (faults.ReadTimeoutError, faults.ConnectionClosedError):
            # In both cases the request may have been carried out, and only its answer is lost.
            call.unanswered += 1
            if not (call.makes_identity and call.unanswered > 1):
                raise
        else:
            call.seen = self._server_time(response, request.answered_at - began)
            return Answer(response.status, _lowered(response), body, call.seen)
        raise ServiceError(  # outside the except block: what is raised must not carry the request along
            "Cognito took the request for a new guest identity and did not answer, twice",
            hint="Not asked a third time, since each request may make one more identity; try later",
            code="NoAnswer",
            topic="E-NETWORK",
        )

    def reach(self, url: str) -> None:
        """
        Open a connection as for a request to *url*, send nothing, and close it.

        Raises:
            faults.HTTPClientError: There is none.
            ConfigurationError: A request must not, or cannot, go there.
        """
        check_target(url)
        target, _ = self._target(url)
        connect(target, CONNECT_TIMEOUT).close()

    def _target(self, url: str) -> tuple[Target, tuple[object, ...]]:
        parts = urlsplit(url)
        proxy = proxy_for(url)
        bundle = context = None
        if parts.scheme == "https":
            bundle = tls.ca_bundle(self._network, self._environ)
            context = tls.context(bundle)
        host = (parts.hostname or "").replace("%25", "%")  # a URL escapes the sign before an address's zone
        port = parts.port or (443 if parts.scheme == "https" else 80)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
        return (
            Target(parts.scheme, host, port, shown, proxy, context),
            (parts.scheme, host, port, bundle, proxy),
        )

    def _server_time(self, response: http.client.HTTPResponse, round_trip: float) -> ServerTime | None:
        """Read the `Date` of an answer; None where it is missing or cannot be trusted."""
        if not 0 <= round_trip <= SLOWEST_TRUSTED_ROUND_TRIP:
            return None
        try:
            date = parsedate_to_datetime(response.headers["Date"])
            if date.tzinfo is None:
                date = date.replace(tzinfo=timezone.utc)  # HTTP dates are GMT, however they are spelled
            server = date.timestamp()
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if round_trip <= PRECISE_ROUND_TRIP:
            return observe(self._clock, server + round_trip / 2)
        # Name resolution, connecting and a slow link are all in it, before or after the server wrote. If this
        # machine's clock is in between, it counts as right. If not, the latest possible moment
        # counts: credentials that are used for some seconds less do no harm.
        wall = self._clock.wall()
        return observe(self._clock, wall if server <= wall <= server + round_trip else server + round_trip)


def _needs_fresh(call: Call) -> bool:
    """
    Tell whether a connection that has ended unnoticed would cost more than a new one.

    Where one gave no answer, the other idle ones go the same way, and may be as dead.
    """
    return call.is_single or call.is_taken_once or call.unanswered > 0


def _lowered(response: http.client.HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers


class _Request:
    """A request; it holds tokens and shows nothing."""

    __slots__ = ("answered_at", "body", "clock", "headers", "method", "path")

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes, clock: Clock) -> None:
        parts = urlsplit(url)
        self.method = method
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.headers = {
            **headers,
            "Host": _without_zone(parts.netloc.rpartition("@")[2]),
            "Accept-Encoding": "identity",
        }
        self.body = body
        self.clock = clock
        self.answered_at = 0.0
        """By the clock's `elapsed`, when the headers had come."""


def _without_zone(netloc: str) -> str:
    """Leave the zone out of a version 6 address: it means something on this machine only."""
    start, sign, rest = netloc.partition("%")
    return start + "]" + rest.partition("]")[2] if sign else netloc


_now: Final = Clock().elapsed
"""Connections age while the machine sleeps, too."""


class Connections:
    """The connections of this process, in use and idle, and how many retries each endpoint has left."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._in_use: dict[tuple[object, ...], int] = {}
        self._idle: list[tuple[tuple[object, ...], http.client.HTTPConnection, float]] = []
        self._quotas: dict[str, Quota] = {}

    def quota(self, url: str) -> Quota:
        """Return what all users of *url* share: with one for each of thousands, it would limit nothing."""
        return self._quotas.get(url) or self._quotas.setdefault(url, Quota())

    def exchange(
        self, key: tuple[object, ...], target: Target, request: _Request, timeout: float, *, is_fresh: bool
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send *request* and read its answer; errors as in `Transport.send`."""
        connection = self._take(key, target, is_fresh=is_fresh)
        is_reusable = False
        try:
            if connection is None:
                connection = connect(target, CONNECT_TIMEOUT)
            response, body = _exchanged(connection, request, timeout, target)
            is_reusable = not response.will_close
            return response, body
        finally:
            self._give(key, connection, is_reusable=is_reusable)

    def close(self) -> None:
        """Close the idle ones."""
        with self._changed:
            idle, self._idle = self._idle, []
        for _, connection, _ in idle:
            _close(connection)

    def _take(
        self, key: tuple[object, ...], target: Target, *, is_fresh: bool
    ) -> http.client.HTTPConnection | None:
        """
        Reserve a place; return an idle connection that is alive, or None for a new one.

        One that *is_fresh* takes the place of an idle one. Otherwise each would leave one more idle.
        """
        give_up_at = time.monotonic() + min(remaining(), _LONGEST_WAIT)
        with self._changed:
            while self._in_use.get(key, 0) >= CONNECTIONS_LIMIT:
                if not self._changed.wait(max(give_up_at - time.monotonic(), 0)):
                    raise _too_many(target.host)
            self._in_use[key] = self._in_use.get(key, 0) + 1
            oldest = _now() - IDLE_SECONDS
            old = [entry for entry in self._idle if entry[2] < oldest]
            fitting = [entry for entry in self._idle if entry[2] >= oldest and entry[0] == key]
            taken = fitting[-1:]
            self._idle = [entry for entry in self._idle if entry not in old and entry not in taken]
        for _, connection, _ in old:
            _close(connection)
        for _, connection, _ in taken:
            if not is_fresh and _is_alive(connection):
                return connection
            _close(connection)
        return None

    def _give(
        self, key: tuple[object, ...], connection: http.client.HTTPConnection | None, *, is_reusable: bool
    ) -> None:
        dropped = connection
        with self._changed:
            self._in_use[key] -= 1
            if not self._in_use[key]:
                del self._in_use[key]
            if is_reusable and connection is not None and connection.sock is not None:
                self._idle.append((key, connection, _now()))
                dropped = self._idle.pop(0)[1] if len(self._idle) > IDLE_LIMIT else None
            self._changed.notify_all()
        if dropped is not None:
            _close(dropped)


def _close(connection: http.client.HTTPConnection) -> None:
    """Close *connection*. What the system says against it is no fault of the request that is under way."""
    with contextlib.suppress(OSError):
        connection.close()


def _is_alive(connection: http.client.HTTPConnection) -> bool:
    """
    Tell whether nothing has come: an idle connection on which there is something to read has ended.

    Or it has more than one answer to the last request, and the next caller would read the second one as its
    own. TLS may have read ahead.
    """
    try:
        if isinstance(connection.sock, Secured) and connection.sock.pending():
            return False
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(connection.sock, select.POLLIN)
            return not poll.poll(0)
        return not select.select([connection.sock], [], [], 0)[0]
    except (OSError, ValueError):
        return False


_shared = Connections()


def _begin_anew() -> None:
    """Run in a forked child, which has one thread so far."""
    global _shared  # noqa: PLW0603  (the child's own)
    close_inherited()
    tls.forget_contexts()
    _shared = Connections()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def quota(url: str) -> Quota:
    """Return the quota of retries at *url*, of this process."""
    return _shared.quota(url)


def close_idle() -> None:
    """Close the idle connections of this process; the next request opens what it needs."""
    _shared.close()


atexit.register(close_idle)


def check_target(url: str) -> None:
    """
    Refuse to send a login token where others could read it, or to AWS where a test expects a mock.

    Raises:
        ConfigurationError: *url* is neither https nor this machine, or it is not this machine and a mock of
            AWS is active.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_mocked() and not is_loopback(host):
        raise ConfigurationError(
            f"a mock of moto is active, which does not answer for this package: nothing was sent to {host}",
            hint="Test with this package's emulator: its pytest fixtures are emulator_environment, "
            "emulator_pool and emulator",
            topic="E-MOTO",
        )
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return
    raise ConfigurationError(
        f"refusing to send login tokens over {parts.scheme or 'no scheme'} to {parts.hostname or 'no host'}",
        hint="Use an address with https; plain http is for this machine (127.0.0.1) only",
        topic="E-ENDPOINT",
    )


def _exchanged(
    connection: http.client.HTTPConnection, request: _Request, timeout: float, target: Target
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send and read on one connection; what the standard library raises becomes one of `faults`."""
    problem: Exception
    response = None
    try:
        connection.sock.settimeout(max(min(timeout, remaining()), 0.001))
        connection.request(request.method, request.path, request.body or None, request.headers)
        connection.sock.settimeout(timeout)
        response = connection.getresponse()
        request.answered_at = request.clock.elapsed()
        _check_head(response, target)
        body = b"".join(_pieces(response, target))
        claimed = _claimed_length(response)
        if claimed is None or claimed == len(body):
            return response, body
        problem = faults.ConnectionClosedError(target.url)
    except TimeoutError:
        problem = too_late() if remaining() <= 0 else faults.ReadTimeoutError(target.url)
    except (HeadTooLargeError, http.client.LineTooLong):
        problem = head_too_large(target.host)
    except ssl.SSLZeroReturnError:
        problem = faults.ConnectionClosedError(target.url)
    except ssl.SSLError as error:
        problem = faults.SSLError(target.url, str(error))
    except (OSError, http.client.HTTPException) as error:
        is_long = str(error).startswith("got more than")  # a hundred headers
        problem = head_too_large(target.host) if is_long else faults.ConnectionClosedError(target.url)
    except ValueError as error:  # a URL or a header that cannot be sent
        problem = faults.HTTPClientError(type(error).__name__)
    finally:
        if response is not None:
            response.close()  # a connection is closed only when its answer is, too
    raise problem


def _check_head(response: http.client.HTTPResponse, target: Target) -> None:
    if response.status < 200:
        # The answer proper would follow, and be read as that of the next request.
        raise faults.HTTPClientError("an interim answer")
    if len({*(response.headers.get_all("Content-Length") or [])}) > 1:
        raise faults.HTTPClientError("contradictory Content-Length")
    if 300 <= response.status < 400:
        raise ServiceError(
            f"{target.host} answered with a redirect (HTTP {response.status}), which is not followed",
            hint="A captive portal or proxy is in between: sign in to the network, or correct the proxy",
            code=str(response.status),
            topic="E-ANSWER",
        )
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ServiceError(
            f"{target.host} sent a compressed answer although none was asked for",
            hint="A proxy is in between and changes answers: exclude this host from it",
            topic="E-ANSWER",
        )
    if (_claimed_length(response) or 0) > BODY_LIMIT:
        raise _too_large(target.host)


def _claimed_length(response: http.client.HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "").strip()
    is_framed = response.chunked or response.status == 204
    return int(length[:20]) if length.isascii() and length.isdigit() and not is_framed else None


def _pieces(response: Any, target: Target) -> Iterator[bytes]:
    """Yield the bytes as they arrive; the deadline is checked at each read."""
    response.meter.left = _FRAMING_LIMIT
    size = 0
    while piece := response.read1(4096):
        size += len(piece)
        if size > BODY_LIMIT:
            raise _too_large(target.host)
        yield piece


def _too_many(host: str) -> ServiceError:
    return ServiceError(
        f"{CONNECTIONS_LIMIT} other requests to {host} did not end in time, and no more are sent meanwhile",
        hint="Check this machine's network and proxy; a later try may succeed",
        code="DeadlineExceeded",
        topic="E-NETWORK",
    )


def _too_large(host: str) -> ServiceError:
    return ServiceError(
        f"{host} sent more than {BODY_LIMIT} bytes, which no answer of a service like this is",
        hint="Something else answers in its place: check the address, the proxy and the network",
        topic="E-ANSWER",
    )
