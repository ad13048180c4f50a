"""
Requests to an issuer or a back end: https or to this machine, without redirects, with limits of size and
time.

They go through the transport of the exchange. Authlib sends its requests through `Session`, and never opens a
connection itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from ..clock import Clock, ServerTime
from ..errors import CognitoCredentialsError, ServiceError, clean, replaced
from ..secret import Secret
from .actions import Failure
from .deadline import with_deadline
from .faults import HTTPClientError
from .requests import seconds_to_wait
from .retries import Call
from .transport import READ_TIMEOUT, Transport

T = TypeVar("T")
BUDGET: Final = 10.0
"""Seconds for one request, from the lookup of its host to the last byte of the answer."""
TOKEN_BUDGET: Final = 12.0
"""The same for the token endpoint: longer, since it may accept a refresh token only once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The clock, proxies, CA bundle and endpoints that requests are sent with."""

    clock: Clock = field(default_factory=Clock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    region: str = ""
    endpoint_url: str | None = None
    """The endpoint of the user pools API; None for AWS's."""
    sts_endpoint_url: str | None = None
    profile: str | None = None
    profile_settings: Mapping[str, Any] = field(default_factory=dict)
    """The profile's keys, for the CA bundle."""
    budget: float = BUDGET
    token_budget: float = TOKEN_BUDGET


class Answer(NamedTuple):
    """An answer with any status."""

    url: str
    status: int
    body: Secret
    """It may have tokens in it."""
    seen: ServerTime | None
    retry_after: float | None = None
    """Seconds that it asks to wait."""

    @property
    def host(self) -> str:
        """The host that answered."""
        return clean(urlsplit(self.url).hostname or "", 100)

    def json(self) -> dict[str, Any]:
        """
        Return the body as a JSON object.

        Raises:
            ServiceError: The body is no JSON object.
        """
        try:
            value = json.loads(self.body.reveal())
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value
        raise ServiceError(
            f"{self.host} answered with HTTP {self.status} and something that is no JSON object",
            hint="Correct the issuer; or a proxy or captive portal is in between",
            code=str(self.status),
            topic="E-ISSUER",
        )


class Http:
    """Sends requests to issuers."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.token_budget = network.token_budget

    def get(self, url: str) -> dict[str, Any]:
        """
        Fetch a JSON object.

        Raises:
            ServiceError: The server does not answer, or its answer is not a JSON object with status 200.
            ConfigurationError: The address is neither https nor on this machine.
        """
        answer = self.send("GET", url, None, {})
        if answer.status != 200:
            raise ServiceError(
                f"{answer.host} answered HTTP {answer.status} to {clean(urlsplit(url).path, 120)}",
                hint="Correct the issuer's address, or try again later",
                code=str(answer.status),
                retry_after=answer.retry_after,
                topic="E-ISSUER",
            )
        return answer.json()

    def now(self, answer: Answer) -> float:
        """Return the time: the issuer's where *answer* has a Date header, otherwise this machine's."""
        clock = self._network.clock
        return clock.wall() if answer.seen is None else answer.seen.now(clock)

    def send(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str], budget: float | None = None
    ) -> Answer:
        """
        Send a request.

        Args:
            method: ``GET`` or ``POST``.
            url: https, or http to this machine.
            body: A form, unless *headers* have another Content-Type.
            headers: Headers beside those of every request.
            budget: Seconds for the request; None for the network's budget. A longer one is also the time
                limit between two bytes.

        Raises:
            ServiceError: The server does not answer.
            ConfigurationError: The address is neither https nor on this machine.
        """
        usual = self._network.budget
        seconds = usual if budget is None else budget
        read_timeout = seconds if seconds > usual else READ_TIMEOUT
        return bounded(lambda: self._exchange(method, url, body, headers, read_timeout), url, seconds)

    def _exchange(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str], read_timeout: float
    ) -> Answer:
        sent = {"Accept": "application/json", "User-Agent": "cognito-credentials", **headers}
        if body is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        network, call = self._network, Call(is_taken_once=body is not None)
        transport = Transport(network.clock, network, network.environ)
        answer = transport.send(method, url, sent, (body or "").encode(), call, read_timeout=read_timeout)
        # A body that is not UTF-8 is no JSON, whatever it is replaced by.
        return Answer(
            url,
            answer.status,
            Secret(answer.body.decode("utf-8", "replace")),
            answer.seen,
            seconds_to_wait(answer.headers),
        )


class Session:
    """The session that Authlib posts its requests through; it keeps the last answer."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.last: Answer | None = None

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str] | None, auth: Any, **_: object
    ) -> _Response:
        """Post a form, with the client's authentication added by Authlib."""
        url, sent, body = auth.prepare("POST", url, dict(headers or {}), urlencode(dict(data)))
        self.last = self._http.send("POST", url, body, sent, self._http.token_budget)
        return _Response(self.last)


class _Response:
    """The part of `requests.Response` that Authlib reads."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> dict[str, Any]:
        return self._answer.json()

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ServiceError(
                f"{self._answer.host} answered HTTP {self.status_code}",
                hint="Try again later",
                code=str(self.status_code),
                retry_after=self._answer.retry_after,
                topic="E-ISSUER",
            )


def bounded(function: Callable[[], T], url: str, budget: float = BUDGET) -> T:
    """
    Run a request with a time limit, whatever the server does. Errors of the wire become this package's.

    Args:
        url: For messages.
        budget: Seconds.

    Raises:
        ServiceError: The server does not answer.
        CognitoCredentialsError: An error of *function*.
    """

    def explain(error: Exception) -> CognitoCredentialsError:
        # The frames of any of these have the request in them.
        if isinstance(error, Failure):
            return error.error
        if isinstance(error, CognitoCredentialsError):
            return error.with_traceback(None)
        host = clean(urlsplit(url).netloc.rpartition("@")[2], 100)  # with the port: it names a local server
        return ServiceError(
            f"{host} cannot be reached ({type(error).__name__})",
            hint="Check this machine's network and proxy, and the address",
            code=type(error).__name__,
            topic="E-NETWORK",
        )

    with replaced(Failure, CognitoCredentialsError, HTTPClientError, by=explain):
        return with_deadline(function, budget)
