"""``whoami``: call GetCallerIdentity of STS with the credentials, over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, RefusedError, ServiceError, replaced
from ...settings.aws_config import read_config
from ...settings.endpoints import checked_endpoint, configured_endpoint
from ..command import PROGRAM, Command, Invocation, Options
from ..pool_options import configured_region, given_region, open_pool
from ..precedence import what_wins
from ..tables import as_json, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...pool.pool import IdentityPool
    from ...settings.settings import Settings

_FIELDS: Final = ("Account", "Arn", "UserId")
_REFUSED: Final = "If this machine's clock is right, run 'cognito-credentials refresh' and try again"
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 5, 10, 2


def add_options(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, for programs")


def run(invocation: Invocation) -> int:
    """Ask, and print the answer."""
    pool = open_pool(invocation)
    region = given_region(invocation) or configured_region(pool.settings, invocation.environ)
    answer = caller_identity(pool, region, invocation.environ)
    for note in what_wins(pool.settings, invocation.environ):
        invocation.terminal.say(f"{PROGRAM}: warning: {note}.")
    if invocation.options.json:
        invocation.terminal.write(as_json(answer))
    else:
        invocation.terminal.write(listing(answer.items(), invocation.terminal.look.width))
    return 0


def caller_identity(pool: IdentityPool, region: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """
    Call GetCallerIdentity with the credentials of *pool*.

    Args:
        region: The region of STS, which may differ from the pool's.
        environ: May name another endpoint.

    Returns:
        ``Account``, ``Arn`` and ``UserId`` as STS names them, and ``IdentityId``.

    Raises:
        CognitoCredentialsError: There are no credentials, or STS refused or did not answer.
    """
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    with replaced(ClientError, BotoCoreError, by=_failure):
        client = _session(pool).create_client(
            "sts",
            region_name=region,
            endpoint_url=_endpoint(pool.settings, environ),
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            ),
        )
        answer = client.get_caller_identity()
    return {**{name: answer.get(name) for name in _FIELDS}, "IdentityId": pool.identity_id()}


def _session(pool: IdentityPool) -> Any:
    """Return a botocore session with the profile and the credentials of *pool*, and no others."""
    import botocore.session
    from botocore.credentials import CredentialResolver

    from ...botocore_chain import IdentityPoolProvider

    # Without a profile AWS_PROFILE must not be read: it may name one that does not exist.
    no_profile = {"profile": (None, None, None, None)}
    profile = pool.settings.profile
    session = botocore.session.Session(None if profile else no_profile, profile=profile)
    resolver = CredentialResolver([IdentityPoolProvider(pool=pool)])
    session.register_component("credential_provider", resolver)
    return session


def _endpoint(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Return the configured endpoint of STS, and refuse one that a session token must not be sent to."""
    found = configured_endpoint(
        "sts",
        environ=environ,
        config=read_config(environ),
        profile=settings.profile,
        profile_settings=settings.profile_settings,
    )
    return None if found is None else checked_endpoint(found[0], f"the endpoint of STS from {found[1]}")


def _failure(error: Exception) -> Exception:
    """Word an error of botocore's."""
    if isinstance(error, CognitoCredentialsError):
        return error  # our own, which is one of botocore's as well
    from ...exchange.failures import nothing_listens

    response = getattr(error, "response", None)
    if response is None:
        local = nothing_listens(error)
        return ServiceError(
            f"STS cannot be reached: {error}",
            hint=local.hint if local else "Check the network and the endpoint, then try again",
            topic=local.topic if local else "E-NETWORK",
        )
    code = str(response.get("Error", {}).get("Code", ""))
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode") or 0)
    is_temporary = status >= 500 or code.startswith("Throttl")
    kind: type[CognitoCredentialsError]
    kind, hint, topic = RefusedError, _REFUSED, "E-REFUSED"
    if is_temporary:
        kind, hint, topic = ServiceError, "Try again in a moment", "E-SERVICE"
    return kind(
        f"STS answered {code or status}: {response.get('Error', {}).get('Message', '')}",
        hint=hint,
        topic=topic,
        code=code or None,
        request_id=metadata.get("RequestId"),
    )


COMMAND = Command(
    details="""
One call over the network with the credentials, by boto3's own machinery: what works here works in boto3.""",
    example="""
$ cognito-credentials whoami --profile guest
Account     123456789012
Arn         arn:aws:sts::123456789012:assumed-role/guest/CognitoIdentityCredentials
UserId      AROAEXAMPLE:CognitoIdentityCredentials
IdentityId  us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3""",
    run=run,
    doing="asking STS",
    add_options=add_options,
    takes_pool=True,
)
