"""
Requests to an issuer: https or this machine, no redirects, little to read, little time.

Through the transport of the exchange, for the same reasons. Authlib sends its requests through `Session`, so
that it never opens a connection of its own.

Imports the wire of `exchange`; botocore and urllib3 when this module is loaded.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import botocore.awsrequest
import botocore.exceptions
import botocore.utils

from ..clock import Clock, ServerTime
from ..errors import CognitoCredentialsError, ServiceError, clean
from ..secret import REDACTED, Secret
from .actions import Failure
from .botocore_client import CONNECT_TIMEOUT, READ_TIMEOUT, ca_bundle
from .deadline import with_deadline
from .silence import silence
from .transport import CALL, Call, Transport

T = TypeVar("T")
BUDGET: Final = 10.0
"""Seconds for one request, from the look-up of its host to the last byte."""
TOKEN_BUDGET: Final = 12.0
"""The same to the token endpoint: what that takes it may take only once, so its answer is waited for."""
_SHORTEST_PART: Final = 8
_PARTS: Final = re.compile(rf"[^\s\"'`<>(){{}}\[\],…]{{{_SHORTEST_PART},}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where and how requests leave this machine."""

    clock: Clock = field(default_factory=Clock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    region: str = ""
    endpoint_url: str | None = None
    """Of user pools; None for AWS's own."""
    sts_endpoint_url: str | None = None
    profile: str | None = None
    profile_settings: Mapping[str, Any] = field(default_factory=dict)
    """For the CA bundle."""
    budget: float = BUDGET
    token_budget: float = TOKEN_BUDGET


class Answer(NamedTuple):
    """What an issuer answered."""

    url: str
    status: int
    body: Secret
    """It may hold tokens."""
    seen: ServerTime | None

    @property
    def host(self) -> str:
        """Who answered."""
        return clean(urlsplit(self.url).hostname or "", 100)

    def json(self) -> dict[str, Any]:
        """
        Read a JSON object.

        Raises:
            ServiceError: It is none.
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
        )


class Http:
    """
    Sends requests to issuers.

    Args:
        network: This machine's way out.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.token_budget = network.token_budget

    def get(self, url: str) -> dict[str, Any]:
        """
        Fetch a JSON object.

        Raises:
            ServiceError: It cannot be had.
            ConfigurationError: The address is neither https nor this machine.
        """
        answer = self.send("GET", url, None, {})
        if answer.status != 200:
            raise ServiceError(
                f"{answer.host} answered HTTP {answer.status} to {clean(urlsplit(url).path, 120)}",
                hint="Correct the issuer's address, or try again later",
                code=str(answer.status),
            )
        return answer.json()

    def now(self, answer: Answer) -> float:
        """Tell the time, by the issuer's clock where *answer* said what that is."""
        clock = self._network.clock
        return clock.wall() if answer.seen is None else answer.seen.now(clock)

    def send(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str], budget: float | None = None
    ) -> Answer:
        """
        Send any request.

        Args:
            method: ``GET`` or ``POST``.
            url: Where: https, or this machine.
            body: A form, unless *headers* say what else; None for none.
            headers: Beside those that every request has.
            budget: Seconds for all of it; beyond the usual, also between two bytes. None for the usual.

        Raises:
            ServiceError: There is no answer.
            ConfigurationError: The address is neither https nor this machine.
        """
        usual = self._network.budget
        seconds = usual if budget is None else budget
        read_timeout = seconds if seconds > usual else READ_TIMEOUT
        return bounded(lambda: self._exchange(method, url, body, headers, read_timeout), url, seconds)

    def _exchange(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str], read_timeout: float
    ) -> Answer:
        transport = Transport(
            self._network.clock,
            verify=ca_bundle(self._network, self._network.environ),
            proxies=botocore.utils.get_environ_proxies(url),
            timeout=(CONNECT_TIMEOUT, read_timeout),
        )
        sent = {"Accept": "application/json", "User-Agent": "cognito-credentials", **headers}
        if body is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        call = Call()
        token = CALL.set(call)
        try:
            with silence():
                request = botocore.awsrequest.AWSRequest(method, url, data=body or "", headers=sent)
                response = transport.send(request.prepare())
            # What is not UTF-8 is no JSON either, with the replacement or without.
            return Answer(
                url, response.status_code, Secret(response.content.decode("utf-8", "replace")), call.seen
            )
        finally:
            CALL.reset(token)
            transport.close()


class Session:
    """
    What Authlib posts its requests through.

    Args:
        http: Sends them.
    """

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
    """An answer as Authlib reads one."""

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
            )


def without(secrets: Iterable[Secret], text: str) -> str:
    """
    Take *secrets* that were sent out of what came back, whole or in part.

    Args:
        secrets: What was sent. What is shorter than a word is left alone.
        text: An issuer's words.
    """
    for value in (secret.reveal() for secret in secrets):
        for spelled in {value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}:
            text = text.replace(spelled, REDACTED) if len(value) >= _SHORTEST_PART else text
        # An issuer may name a token by how it begins, or cut it.
        parts = {part for part in _PARTS.findall(text) if part.strip(".:;") in value}
        for part in parts:
            text = text.replace(part, REDACTED)
    return text


def bounded(function: Callable[[], T], url: str, budget: float = BUDGET) -> T:
    """
    Run a request to its end or the end of *budget*, whatever the server does; its errors become ours.

    Raises:
        ServiceError: It did not work.
        CognitoCredentialsError: What *function* raised.
    """
    try:
        return with_deadline(function, budget)
    except Failure as failure:
        problem: CognitoCredentialsError = failure.error
    except CognitoCredentialsError as error:
        problem = error.with_traceback(None)  # its frames have the request in them
    except botocore.exceptions.BotoCoreError as error:
        host = clean(urlsplit(url).netloc.rpartition("@")[2], 100)  # and the port: on one machine it says who
        problem = ServiceError(
            f"{host} cannot be reached ({type(error).__name__})",
            hint="Check this machine's network and proxy, and the address",
            code=type(error).__name__,
        )
    # Out here, so that the inner error, which has the request in it, is not even the context of ours.
    raise problem
