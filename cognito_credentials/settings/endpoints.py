"""
The endpoint of a service where it is not AWS's own: looked up as botocore does, and checked by one more rule.

The rule: https, or a service on this machine. Login tokens go to this address, and botocore itself would post
them over plain http to any host that a variable names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError, clean
from ..regions import is_loopback

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def configured_endpoint(
    service: str,
    *,
    environ: Mapping[str, str],
    config: Mapping[str, Any],
    profile: str | None,
    profile_settings: Mapping[str, Any],
) -> tuple[str, str] | None:
    """
    Look up the endpoint of *service* in the environment and the profile, in botocore's order.

    Args:
        service: Its id in the names of these settings: ``cognito_identity``, ``sts``.
        environ: ``AWS_ENDPOINT_URL_<SERVICE>``, ``AWS_ENDPOINT_URL``, and
            ``AWS_IGNORE_CONFIGURED_ENDPOINT_URLS``.
        config: For its ``services`` sections.
        profile: Name of the profile in effect.
        profile_settings: Its ``services``, ``endpoint_url`` and ``ignore_configured_endpoint_urls``.

    Returns:
        The address and its origin; None when none is configured, or all are to be ignored.

    Raises:
        ConfigurationError: The profile names a ``services`` section that does not exist.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    ignore = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    if ignore is None:
        ignore = profile_settings.get("ignore_configured_endpoint_urls")
    if str(ignore).lower() == "true":
        return None
    for variable in (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return environ[variable], variable
    origin = f"profile '{clean(profile or '', 80)}'"
    section = profile_settings.get("services")
    if section:
        services = (config.get("services") or {}).get(str(section))
        if not services:
            raise ConfigurationError(
                f"services from {origin} names a section that does not exist: '{clean(str(section), 80)}'",
                hint=f"Add [services {clean(str(section), 80)}] to the AWS config file, or remove the key",
                topic="E-ENDPOINT",
            )
        of_service = services.get(service)
        address = of_service.get("endpoint_url") if isinstance(of_service, dict) else None
        if address:
            return address, f"section 'services {clean(str(section), 80)}'"
    address = profile_settings.get("endpoint_url")
    return (address, origin) if address else None


def checked_endpoint(value: object, where: str) -> str:
    """
    Take the address of a service: https, or plain http to this machine.

    Args:
        where: The setting and its origin, for messages.

    Returns:
        The address without a trailing slash.

    Raises:
        ConfigurationError: It is malformed, or tokens sent there could be read on the way.
    """
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{where} is {type(value).__name__}, not text", hint="Give a URL", topic="E-ENDPOINT"
        )
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.username is not None or parts.password is not None:
        # First, and without the address: it has a password in it.
        raise ConfigurationError(
            f"{where} holds a user name or password", hint="Give the address without it", topic="E-ENDPOINT"
        )
    # urlsplit drops line breaks and keeps backslashes; other parsers see another host there.
    is_plain = value.isascii() and value.isprintable() and not any(c in value for c in ' \\"<>')
    is_ip = _is_address(host)
    is_complete = parts.scheme in ("http", "https") and (is_ip or _HOST_NAME.fullmatch(host)) and port != 0
    if not (is_plain and is_complete) or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{where} is not the URL of a service",
            hint="It is https://HOST, or http://127.0.0.1:PORT",
            topic="E-ENDPOINT",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"{where} is plain http to another machine, '{clean(host, 80)}'",
            hint="Login tokens are sent there: use https, or a service on 127.0.0.1",
            topic="E-ENDPOINT",
        )
    return value.rstrip("/")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
