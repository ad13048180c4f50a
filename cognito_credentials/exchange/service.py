"""
Calls operations of AWS services, unsigned: operation and parameters -> the answer's members.

It brings together the endpoint, the request, its attempts and the reading of the answer.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..version import __version__
from .endpoints import endpoint
from .requests import build, read, service_of
from .retries import Call, attempt
from .transport import Transport, quota

if TYPE_CHECKING:
    from ..clock import Clock

ATTEMPTS: Final = 3
_IN_USER_AGENTS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!$%&'*+-.^_`|~,#"
)
"""Characters that a name in a user agent may have; others become hyphens, as in botocore."""
_NAME_LIMIT: Final = 50
"""
Characters of a name in a user agent, as AWS limits an app id: the service refuses requests with long headers.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
"""


class ServiceSettings(Protocol):
    """What a service needs to know; `settings.Settings` has it."""

    @property
    def region(self) -> str: ...
    @property
    def endpoint_url(self) -> str | None: ...
    @property
    def sts_endpoint_url(self) -> str | None: ...
    @property
    def profile(self) -> str | None: ...
    @property
    def profile_settings(self) -> Mapping[str, Any]: ...


class Service:
    """
    Cognito Identity, user pools and STS in one region.

    Args:
        settings: Only STS uses ``sts_endpoint_url``.
        environ: Says where CA bundles are, whether FIPS and dual stack endpoints are wanted, and for the user
            agent, which app and which kind of place this is.
        rng: Spreads retries.
        attempts: How often a request is sent at most.
        read_timeout: Seconds between two reads; None for the usual.
    """

    __slots__ = ("_attempts", "_environ", "_read_timeout", "_rng", "_settings", "_transport")

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Clock,
        environ: Mapping[str, str],
        rng: random.Random,
        attempts: int = ATTEMPTS,
        read_timeout: float | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._rng = rng
        self._attempts = attempts
        self._read_timeout = read_timeout
        self._transport = Transport(clock, settings, environ)

    def call(self, operation: str, parameters: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """
        Call *operation*, as often as it may be sent.

        Args:
            call: Rules for this call; afterwards, what was learned on the wire.

        Returns:
            The members of the answer that the API reference names, if they are there.

        Raises:
            Refusal: The service refused.
            faults.HTTPClientError: There is no answer.
            CognitoCredentialsError: The answer is not one of the service's, or the settings are wrong.
            Exception: There is no such endpoint; see `endpoints.endpoint`.
        """
        service = service_of(operation)
        url = self.url(service)
        invocation = _random_id()
        headers, body = build(operation, parameters)

        def send(number: int) -> dict[str, Any]:
            sent = {
                **headers,
                "User-Agent": self.user_agent(),
                "amz-sdk-invocation-id": invocation,
                "amz-sdk-request": f"attempt={number}; max={self._attempts}",
            }
            answer = self._transport.send("POST", url, sent, body, call, read_timeout=self._read_timeout)
            return read(operation, answer.status, answer.headers, answer.body)

        return attempt(send, call, quota(url), self._rng, self._attempts)

    def url(self, service: str) -> str:
        """Return the address of *service*; errors as in `endpoints.endpoint`."""
        settings = self._settings
        return endpoint(
            service,
            settings.region,
            fips=self._switch("use_fips_endpoint"),
            dual_stack=self._switch("use_dualstack_endpoint"),
            configured=settings.sts_endpoint_url if service == "sts" else settings.endpoint_url,
        )

    def user_agent(self) -> str:
        """Name this package, where it runs, and the app, as a user of botocore can name his app."""
        environ, profile = self._environ, self._settings.profile_settings
        place = environ.get("AWS_EXECUTION_ENV")
        app = environ.get("AWS_SDK_UA_APP_ID") or profile.get("sdk_ua_app_id")
        parts = [
            f"cognito-credentials/{__version__} ua/2.1",
            f"os/{sys.platform} lang/python#{sys.version.split()[0]}",
            f"md/pyimpl#{sys.implementation.name}",
            f"exec-env/{_plain(place)}" if place else "",
            "cfg/retry-mode#standard",
            f"app/{_plain(str(app))}" if app else "",
            f"md/cognito-credentials#{__version__}",
        ]
        return " ".join(part for part in parts if part)

    def _switch(self, name: str) -> bool:
        value = self._environ.get(f"AWS_{name.upper()}") or self._settings.profile_settings.get(name)
        return str(value).lower() == "true"


def _plain(name: str) -> str:
    return "".join(character if character in _IN_USER_AGENTS else "-" for character in name[:_NAME_LIMIT])


def _random_id() -> str:
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
