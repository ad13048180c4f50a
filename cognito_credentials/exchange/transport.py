"""
Sends one request that botocore has prepared, under rules that botocore does not have.

It hooks botocore's public event ``before-send``, so that endpoints, headers, retries and parsing stay
botocore's. The rules: a login token goes over https or to this machine only; a redirect is never followed;
at most 64 KiB of body are read, uncompressed, and not past the deadline; the service's `Date` is noted.

An error that is worth another attempt is raised as botocore's own, which its retry policy knows. Any other
is raised as ours, which that policy lets pass.
"""

from __future__ import annotations

import contextvars
import io
from collections.abc import Iterator
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession
import urllib3.exceptions

from ..clock import Clock, ServerTime, observe
from ..errors import ConfigurationError, ServiceError
from ..regions import is_loopback
from .deadline import remaining, too_late

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_LIMIT: Final = 64 * 1024
"""Bytes. Real answers are 2 to 4 KiB; whoever answers in Cognito's place must not fill our memory."""
PRECISE_ROUND_TRIP: Final = 5.0
"""Seconds up to which the middle of the round trip is taken for the moment when the `Date` was written."""
SLOWEST_TRUSTED_ROUND_TRIP: Final = 60.0
"""Seconds beyond which a `Date` is not used. No deadline of ours allows as much: the machine slept."""

CALL: contextvars.ContextVar[Call | None] = contextvars.ContextVar("cognito_credentials_call", default=None)
"""The call that runs in this context; botocore's event has only the request."""


class Call:
    """
    What is learned on the wire during one API call, retries included.

    Args:
        makes_identity: Each request of it that arrives makes a new identity (a guest's GetId).
        is_single: Whether its request is sent only once, whatever happens to it.
        is_taken_once: Whether the service takes what is sent only once (a refresh token that is rotated).
            Such a request is not sent again where only its answer may have been lost.
    """

    def __init__(
        self, *, makes_identity: bool = False, is_single: bool = False, is_taken_once: bool = False
    ) -> None:
        self.makes_identity = makes_identity
        self.is_single = is_single
        self.is_taken_once = is_taken_once
        self.unanswered = 0
        self.seen: ServerTime | None = None


class Transport:
    """
    Sends what botocore prepared.

    Args:
        verify: Path of a CA bundle, or True for botocore's own.
        proxies: Scheme to proxy URL, as botocore found them for this endpoint.
        timeout: Seconds to connect, and between two reads.
    """

    def __init__(
        self, clock: Clock, *, verify: str | bool, proxies: Mapping[str, str], timeout: tuple[float, float]
    ) -> None:
        self._clock = clock
        # Plain http goes to this machine only, and a proxy would read the token in it: https has CONNECT.
        tunnels = {scheme: url for scheme, url in proxies.items() if scheme == "https"}
        self._session = botocore.httpsession.URLLib3Session(verify=verify, proxies=tunnels, timeout=timeout)

    def send(self, request: Any, **_: object) -> botocore.awsrequest.AWSResponse:
        """
        Answer botocore's ``before-send`` event.

        Raises:
            botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError: Worth a retry.
            ServiceError: The answer is not one of Cognito's.
            ConfigurationError: The address is neither https nor on this machine.
        """
        check_target(request.url)
        if remaining() <= 0:
            raise too_late(0)
        call = CALL.get() or Call()
        request.headers["Accept-Encoding"] = "identity"
        request.stream_output = True  # the session must not read the body: it knows no limit
        sent = self._clock.elapsed()
        try:
            response = self._session.send(request)
            call.seen = self._server_time(request.url, response.headers, sent)
            body = _read(response, request.url)
        except (botocore.exceptions.ReadTimeoutError, botocore.exceptions.ConnectionClosedError):
            # In both cases the request may have been carried out, and only its answer is lost.
            call.unanswered += 1
            if not (call.makes_identity and call.unanswered > 1):
                raise
            body = None
        if body is None:  # outside the except block: what is raised must not carry the request along
            raise ServiceError(
                "Cognito took the request for a new guest identity and did not answer, twice",
                hint="Not asked a third time, since each request may make one more identity; try later",
                code="NoAnswer",
            )
        return botocore.awsrequest.AWSResponse(
            request.url, response.status_code, response.headers, _Body(body)
        )

    def end_retries(
        self, *, operation: Any, response: Any = None, caught_exception: Exception | None = None, **_: object
    ) -> None:
        """
        Answer botocore's ``needs-retry`` event: end a call that is sent once, as botocore would end it.

        The number of attempts is a setting of botocore's client, and a second client would be costly.
        """
        call = CALL.get()
        if call is None or not (call.is_single or (call.is_taken_once and call.unanswered)):
            return
        if caught_exception is not None:
            raise caught_exception
        http, parsed = response
        if http.status_code >= 300:
            raise botocore.exceptions.ClientError(parsed, operation.name)

    def close(self) -> None:
        """Close idle connections: none would last the 40 minutes to the next call, or survive a fork."""
        self._session.close()

    def _server_time(self, url: str, headers: Mapping[str, str], sent: float) -> ServerTime | None:
        """Read the `Date` of an answer; None where it is missing or cannot be trusted."""
        round_trip = self._clock.elapsed() - sent
        parts = urlsplit(url)
        if not (parts.scheme == "https" or is_loopback(parts.hostname or "")):
            return None
        if not 0 <= round_trip <= SLOWEST_TRUSTED_ROUND_TRIP:
            return None
        try:
            date = parsedate_to_datetime(headers["Date"])
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


def check_target(url: str) -> None:
    """
    Refuse to send a login token where others could read it.

    Raises:
        ConfigurationError: *url* is neither https nor this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise ConfigurationError(
        f"refusing to send login tokens over {parts.scheme or 'no scheme'} to {parts.hostname or 'no host'}",
        hint="Use an address with https; plain http is for this machine (127.0.0.1) only",
    )


def _read(response: botocore.awsrequest.AWSResponse, url: str) -> bytes:
    """Read the body, or refuse it; the connection is kept only when the body was read to its end."""
    raw = response.raw
    try:
        _check_head(response, url)
        body = b"".join(_pieces(raw, url))
        claimed = _claimed_length(response.headers)
        if claimed is not None and claimed != len(body):
            # Newer botocore switches urllib3's own check off.
            raise botocore.exceptions.ConnectionClosedError(endpoint_url=url)
    except BaseException:
        raw.close()
        raise
    raw.release_conn()
    return body


def _check_head(response: botocore.awsrequest.AWSResponse, url: str) -> None:
    host, headers = urlsplit(url).hostname, response.headers
    if 300 <= response.status_code < 400:
        raise ServiceError(
            f"{host} answered with a redirect (HTTP {response.status_code}), which is not followed",
            hint="A captive portal or proxy is in between: sign in to the network, or correct the proxy",
            code=str(response.status_code),
        )
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ServiceError(
            f"{host} sent a compressed answer although none was asked for",
            hint="A proxy is in between and changes answers: exclude this host from it",
        )
    if (_claimed_length(headers) or 0) > BODY_LIMIT:
        raise _too_large(host)


def _claimed_length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length[:20]) if length.isascii() and length.isdigit() else None


def _pieces(raw: Any, url: str) -> Iterator[bytes]:
    """Yield the bytes as they arrive, so that the deadline is checked between any two."""
    # `read(n)` waits for n bytes, however slowly they come. urllib3 1.26 has no `read1`.
    read1 = getattr(raw, "read1", None)
    size = 0
    while True:
        if remaining() <= 0:
            raise too_late(0)
        piece = _piece(raw, read1, url)
        if not piece:
            return
        size += len(piece)
        if size > BODY_LIMIT:
            raise _too_large(urlsplit(url).hostname)
        yield piece


def _piece(raw: Any, read1: Any, url: str) -> bytes:
    # `from None`, since what urllib3 raises holds the connection and with it the request.
    try:
        piece = raw.read(1, decode_content=False) if read1 is None else read1(4096, decode_content=False)
    except (urllib3.exceptions.ReadTimeoutError, TimeoutError):
        raise botocore.exceptions.ReadTimeoutError(endpoint_url=url) from None
    except urllib3.exceptions.ProtocolError:
        raise botocore.exceptions.ConnectionClosedError(endpoint_url=url) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise botocore.exceptions.HTTPClientError(error=type(error).__name__) from None
    return bytes(piece)


def _too_large(host: str | None) -> ServiceError:
    return ServiceError(
        f"{host} sent more than {BODY_LIMIT} bytes, which no answer of a service like this is",
        hint="Something else answers in its place: check the address, the proxy and the network",
    )


class _Body(io.BytesIO):
    """A body that has been read, in the form in which botocore reads bodies."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.getvalue()
