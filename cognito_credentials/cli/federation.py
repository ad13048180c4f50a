"""
Credentials in, an address out that signs in to the AWS console: the two steps of the federation endpoint.

SessionDuration is not sent: it fails for credentials that were got with another role's, and without it the
console session lasts as long as the credentials do, which nobody expects to be longer.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from ..errors import ConfigurationError, RefusedError, ServiceError, clean, replaced
from ..exchange.http import Http, Network
from ..exchange.interruption import drops_frames_on_error
from ..regions import is_loopback, partition_of
from ..secret import Secret
from ..settings.aws_config import read_config
from ..settings.endpoints import checked_endpoint, configured_endpoint
from .pool_options import configured_region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import TemporaryCredentials
    from ..exchange.http import Answer
    from ..settings.settings import Settings


class Place(NamedTuple):
    """The hosts of one partition."""

    sign_in: str
    console: str


PLACES: Final[Mapping[str, Place]] = {
    "aws": Place("signin.aws.amazon.com", "console.aws.amazon.com"),
    "aws-cn": Place("signin.amazonaws.cn", "console.amazonaws.cn"),
    "aws-us-gov": Place("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
}
"""
By partition.

Source: the page above; for China and GovCloud https://github.com/99designs/aws-vault/blob/master/cli/login.go.
"""
_SIGN_IN: Final = "signin"
"""Id of the service in the names of endpoint settings."""


class Federation(NamedTuple):
    """Where a console session begins."""

    endpoint: str
    destination: str


def federation(
    settings: Settings, region: str | None, destination: str | None, environ: Mapping[str, str]
) -> Federation:
    """
    Find the federation endpoint for the credentials of a pool, and the page of the console to open.

    An endpoint that is configured for the service ``signin`` counts only if it is this machine's, as in a
    test. Credentials go nowhere else but to AWS.

    Args:
        region: What the console is to show; None for what is configured, or the pool's.
        destination: The page; None for the console's home.

    Raises:
        ConfigurationError: There is no console for these credentials, in that region, or at that address.
    """
    partition = partition_of(settings.region)
    place = PLACES.get(partition)
    if place is None:
        raise ConfigurationError(
            f"the sign-in address of the console in the partition '{partition}' is not known",
            hint="Use a pool of another partition",
            topic="E-CONSOLE",
        )
    if region is not None and partition_of(region) != partition:
        raise ConfigurationError(
            f"the region {region} is of another partition than the pool's, {settings.region}",
            hint="Give a --region of the pool's partition",
            topic="E-CONSOLE",
        )
    region = region or configured_region(settings, environ)
    if partition_of(region) != partition:
        region = settings.region
    home = f"https://{region}.{place.console}/console/home?region={region}"
    page = home if destination is None else _checked_page(destination, place)
    return Federation(_endpoint(settings, place, environ), page)


def _endpoint(settings: Settings, place: Place, environ: Mapping[str, str]) -> str:
    found = configured_endpoint(
        _SIGN_IN,
        environ=environ,
        config=read_config(environ),
        profile=settings.profile,
        profile_settings=settings.profile_settings,
    )
    address = None if found is None else checked_endpoint(found[0], f"the endpoint of signin from {found[1]}")
    if address is not None and is_loopback(urlsplit(address).hostname or ""):
        return f"{address}/federation"
    if settings.endpoint_url and is_loopback(urlsplit(settings.endpoint_url).hostname or ""):
        raise ConfigurationError(
            f"these credentials are of a service on this machine, {settings.endpoint_url}, and AWS has no "
            "console for them",
            hint="Use a pool in AWS",
            topic="E-CONSOLE",
        )
    return f"https://{place.sign_in}/federation"


def _checked_page(text: str, place: Place) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = text.isascii() and text.isprintable() and not any(c in text for c in ' \\"<>')
    if not is_plain or parts.scheme != "https" or not host or "@" in parts.netloc:
        raise ConfigurationError(
            f"--destination is no https address: '{clean(text, 80)}'",
            hint=f"Give a page of the console, such as https://{place.console}/s3/home",
            topic="E-CONSOLE",
        )
    domains = {other: other.console.removeprefix("console.") for other in PLACES.values()}
    if any(host.endswith(domain) for other, domain in domains.items() if other != place):
        raise ConfigurationError(
            f"--destination is a page of another partition: '{clean(host, 80)}'",
            hint=f"Give a page of {domains[place]}",
            topic="E-CONSOLE",
        )
    return text


@drops_frames_on_error
def console_address(
    credentials: TemporaryCredentials, where: Federation, settings: Settings, environ: Mapping[str, str]
) -> Secret:
    """
    Get the address that signs in to the console. Whoever opens it within 15 minutes has the role.

    Raises:
        RefusedError: AWS gives these credentials no console session.
        ServiceError: The federation endpoint does not answer.
    """
    session = {
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key.reveal(),
        "sessionToken": credentials.session_token.reveal(),
    }
    network = Network(
        environ=environ,
        region=settings.region,
        profile=settings.profile,
        profile_settings=settings.profile_settings,
    )
    query = urlencode({"Action": "getSigninToken", "Session": json.dumps(session)})
    answer = Http(network).send("GET", f"{where.endpoint}?{query}", None, {})
    if answer.status == 429 or answer.status >= 500:
        raise ServiceError(
            f"{answer.host} answered HTTP {answer.status}",
            hint="Try again in a moment",
            code=str(answer.status),
            retry_after=answer.retry_after,
            topic="E-CONSOLE",
        )
    if 400 <= answer.status < 500:
        raise RefusedError(
            f"AWS gives these credentials no console session: {answer.host} answered HTTP {answer.status}",
            hint="The role, or a session policy, forbids it, or the credentials are no longer valid: "
            "'cognito-credentials whoami' shows whose they are",
            code=str(answer.status),
            topic="E-CONSOLE",
        )
    with replaced(ServiceError, by=lambda _: _no_token(answer)):
        token = answer.json().get("SigninToken") if answer.status == 200 else None
    if not isinstance(token, str) or not token:
        raise _no_token(answer)
    login = {"Action": "login", "Destination": where.destination, "SigninToken": token}
    return Secret(f"{where.endpoint}?{urlencode(login)}")


def _no_token(answer: Answer) -> ServiceError:
    return ServiceError(
        f"{answer.host} answered HTTP {answer.status} without a sign-in token",
        hint="A proxy or captive portal may be in between; try again later",
        code=str(answer.status),
        topic="E-CONSOLE",
    )
