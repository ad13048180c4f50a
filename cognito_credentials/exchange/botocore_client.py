"""
botocore's client: unsigned, isolated, and sending through `Transport`.

Importing this module imports botocore. Others import it inside functions, so that importing them stays quick.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import botocore
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session
import botocore.utils

from ..errors import ConfigurationError
from .transport import Transport, check_target

if TYPE_CHECKING:
    from ..clock import Clock

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
"""Seconds, for one connect and between two reads. `deadline` limits the whole exchange."""
_NOWHERE = (None, None, os.devnull, None)


class ClientSettings(Protocol):
    """What a client needs to know; `settings.Settings` has it."""

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


def make_client(
    service: str,
    settings: ClientSettings,
    clock: Clock,
    environ: Mapping[str, str],
    attempts: int,
    read_timeout: float | None = None,
) -> tuple[Any, Transport]:
    """
    Make a client that is unsigned, isolated and sends through a `Transport`.

    Args:
        service: ``cognito-identity``, ``cognito-idp`` or ``sts``; only ``sts`` uses ``sts_endpoint_url``.
        environ: Says where CA bundles are, and whether FIPS and dual stack endpoints are wanted.
        attempts: How often a request is sent at most.
        read_timeout: Seconds between two reads; None for the usual.

    Raises:
        ConfigurationError: The endpoint is not safe, or the CA bundle is not there.
        botocore.exceptions.EndpointProviderError: botocore makes no client of these settings.
    """
    endpoint_url = settings.sts_endpoint_url if service == "sts" else settings.endpoint_url
    verify = ca_bundle(settings, environ)
    try:
        client = _create(
            _isolated_session(),
            service,
            region_name=settings.region,
            endpoint_url=endpoint_url,
            verify=verify,
            config=_config(settings, environ, attempts),
        )
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise botocore.exceptions.EndpointProviderError(msg=str(error)) from None
    check_target(client.meta.endpoint_url)
    transport = Transport(
        clock,
        verify=verify,
        proxies=botocore.utils.get_environ_proxies(client.meta.endpoint_url),
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT if read_timeout is None else read_timeout),
    )
    client.meta.events.register(f"before-send.{service}", transport.send)
    client.meta.events.register_first(f"needs-retry.{service}", transport.end_retries)
    return client, transport


def _isolated_session() -> botocore.session.Session:
    """Return a session that reads no file, has no profile and looks for no credentials."""
    session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),  # AWS_PROFILE may name one that does not exist
            "config_file": _NOWHERE,
            "credentials_file": _NOWHERE,
            # us-east-1 would otherwise mean the global endpoint, in older botocore and where so set.
            "sts_regional_endpoints": (None, None, "regional", None),
        }
    )
    session.register_component("credential_provider", botocore.credentials.CredentialResolver([]))
    return session


def _config(settings: ClientSettings, environ: Mapping[str, str], attempts: int) -> botocore.config.Config:
    return botocore.config.Config(
        signature_version=botocore.UNSIGNED,
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        parameter_validation=True,
        user_agent_extra=f"md/cognito-credentials#{_version()}",
        # An endpoint that is set in the environment or a config file is in the settings, which demand https:
        # botocore would send login tokens over plain http to whatever host a variable names.
        ignore_configured_endpoint_urls=True,
        use_fips_endpoint=_switch("use_fips_endpoint", settings, environ),
        use_dualstack_endpoint=_switch("use_dualstack_endpoint", settings, environ),
    )


def _create(session: botocore.session.Session, service: str, **arguments: Any) -> Any:
    # Inside a botocore plugin a plain `create_client` would load that plugin again, without end.
    nested = getattr(botocore.utils, "create_nested_client", None)
    if nested is None:  # botocore before 1.40 has no such plugins
        return session.create_client(service, **arguments)
    return nested(session, service, **arguments)


def _switch(name: str, settings: ClientSettings, environ: Mapping[str, str]) -> bool:
    value = environ.get(f"AWS_{name.upper()}") or settings.profile_settings.get(name)
    return botocore.utils.ensure_boolean(value) if value is not None else False


def ca_bundle(settings: ClientSettings, environ: Mapping[str, str]) -> str | bool:
    """
    Find the CA bundle where botocore looks for it; True for botocore's own.

    Raises:
        ConfigurationError: It is not there.
    """
    for origin, path in (
        ("AWS_CA_BUNDLE", environ.get("AWS_CA_BUNDLE")),
        (f"profile '{settings.profile}'", settings.profile_settings.get("ca_bundle")),
        ("REQUESTS_CA_BUNDLE", environ.get("REQUESTS_CA_BUNDLE")),
    ):
        if path:
            if not os.path.exists(os.path.expanduser(path)):
                raise ConfigurationError(
                    f"the CA bundle '{path}' from {origin} does not exist",
                    hint="Correct the path, or remove the setting to use the usual authorities",
                )
            return os.path.expanduser(path)
    return True


def _version() -> str:
    try:
        return importlib.metadata.version("cognito-credentials")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"
