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

from .endpoints import endpoint
from .requests import build, read, service_of
from .retries import Quota, attempt
from .transport import Call, Transport

if TYPE_CHECKING:
    from ..clock import Clock

ATTEMPTS: Final = 3
VERSION: Final = "0.1.0"
"""Of this package. A test compares it with the installed one, since asking for that takes 35 ms."""
USER_AGENT: Final = (
    f"cognito-credentials/{VERSION} ua/2.1 os/{sys.platform} lang/python#{sys.version.split()[0]} "
    f"md/pyimpl#{sys.implementation.name} cfg/retry-mode#standard md/cognito-credentials#{VERSION}"
)


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
        environ: Says where CA bundles are, and whether FIPS and dual stack endpoints are wanted.
        rng: Spreads retries.
        attempts: How often a request is sent at most.
        read_timeout: Seconds between two reads; None for the usual.
    """

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
        self._quotas: dict[str, Quota] = {}

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
                "User-Agent": USER_AGENT,
                "amz-sdk-invocation-id": invocation,
                "amz-sdk-request": f"attempt={number}; max={self._attempts}",
            }
            answer = self._transport.send("POST", url, sent, body, call, read_timeout=self._read_timeout)
            return read(operation, answer.status, answer.headers, answer.body)

        quota = self._quotas.setdefault(service, Quota())
        return attempt(send, call, quota, self._rng, self._attempts)

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

    def _switch(self, name: str) -> bool:
        value = self._environ.get(f"AWS_{name.upper()}") or self._settings.profile_settings.get(name)
        return str(value).lower() == "true"


def _random_id() -> str:
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
