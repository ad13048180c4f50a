"""
``--pool-details``: how the pool is set up, read with the developer's own credentials, and what that means for
this profile: whether its guests or logins and its flow are allowed, and which role they get, and why.

The credentials are boto3's own, as for every signed command; boto3 is imported only here. They are never
asked of the pool itself: for a new guest, that would make an identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, RefusedError, clean, replaced
from ...exchange.actions import Failure
from ...logins.claims import unverified_claims
from ...logins.providers import is_saml
from ...regions import own_token_provider
from ...settings.load import NAMES
from .check import Result, error, ok, warning
from .chosen_role import chosen_role

if TYPE_CHECKING:
    from ...secret import Secret
    from .setup import Setup

_POOL_KEY: Final = NAMES["identity_pool_id"].profile_key
_DEVELOPERS: Final = "Set AWS_PROFILE, or keys in the environment, to credentials of the pool's account"
_SOURCES_LIMIT: Final = 10


def pool_details(setup: Setup) -> Iterator[Result]:
    """The pool allows what the profile does, and gives its user a role."""
    from ...administer.client import Clients
    from ...administer.failures import worded

    try:
        with replaced(Exception, by=worded):
            session = _session(setup)
        if session is None:
            yield warning(
                "boto3's own credentials are those of an identity pool, not a developer's", _DEVELOPERS
            )
            return
        client = Clients(session).of(setup.settings.region)
        read = _Reader(setup, client)
        described = read(client.describe_identity_pool)
        given = read(client.get_identity_pool_roles)
        yield from _allowed(setup, described)
        tokens = {} if setup.parts.logins.is_guest else setup.resolved.tokens
        if not tokens:
            yield _role_of_guest(setup, given)
        for provider, token in tokens.items():
            yield from _of_login(setup, read, described, given, provider, token)
    except CognitoCredentialsError as problem:
        hint = problem.hint.replace("(--profile)", "(AWS_PROFILE)")
        fix = hint if hint and isinstance(problem, RefusedError) else _DEVELOPERS
        yield warning(f"the pool's details cannot be read: {problem.message}", fix)


def _session(setup: Setup) -> Any | None:
    """Return a boto3 session; None where its credentials would be those of an identity pool."""
    import boto3

    session = boto3.Session()
    profiles = setup.config["profiles"]
    name: Any = session.profile_name
    if "AWS_PROFILE" not in setup.environ and setup.environ.get("AWS_ACCESS_KEY_ID"):
        return session  # keys in the environment win over the default profile
    for _ in range(_SOURCES_LIMIT):
        values = profiles.get(name, {})
        if _POOL_KEY in values or "cognito-credentials" in str(values.get("credential_process")):
            return None
        name = values.get("source_profile")
    return session


class _Reader:
    """Asks one signed operation about the pool, within the time of a check."""

    def __init__(self, setup: Setup, client: Any) -> None:
        self._setup = setup
        self.client = client

    def __call__(self, call: Callable[..., Any], **parameters: str) -> Mapping[str, Any]:
        """
        Call an operation; *call* is the method of the client.

        Raises:
            CognitoCredentialsError: It failed.
        """
        from ...administer.failures import worded

        def ask() -> Mapping[str, Any]:
            with replaced(Exception, by=worded):
                answer: Mapping[str, Any] = call(
                    IdentityPoolId=self._setup.settings.identity_pool_id, **parameters
                )
                return answer

        with replaced(Failure, by=lambda failure: failure.error):
            return self._setup.bounded(ask)


def _allowed(setup: Setup, described: Mapping[str, Any]) -> Iterator[Result]:
    """Whether the pool allows guests and the basic flow, where the profile needs them."""
    settings = setup.settings
    if setup.parts.logins.is_guest and not described.get("AllowUnauthenticatedIdentities"):
        yield error(
            f"identity pool {settings.identity_pool_id} does not allow guests, and the profile has no login",
            "Configure a login (cognito_logins), or let the pool's owner allow guest access",
        )
    # Where it was never set, the basic flow is allowed. Source: reference/service.md#5.5.
    if settings.flow == "basic" and described.get("AllowClassicFlow") is False:
        yield error(
            f"identity pool {settings.identity_pool_id} does not allow the basic flow",
            f"Set flow = enhanced (it is from {settings.origins.get('flow', 'its setting')}), or let the "
            "pool's owner enable the basic flow",
        )


def _role_of_guest(setup: Setup, given: Mapping[str, Any]) -> Result:
    if setup.settings.flow == "basic":
        return ok(f"a guest gets {setup.settings.role_arn}, as role_arn says")
    role = given.get("Roles", {}).get("unauthenticated")
    if role is None:
        return error(
            f"identity pool {setup.settings.identity_pool_id} has no role for guests",
            "Its owner must attach one (unauthenticated)",
        )
    return ok(f"a guest gets {role}, the pool's role for guests")


def _of_login(
    setup: Setup,
    read: _Reader,
    described: Mapping[str, Any],
    given: Mapping[str, Any],
    provider: str,
    token: Secret,
) -> Iterator[Result]:
    """Whether the pool lists the provider, which role its user gets, and which tags."""
    settings, shown = setup.settings, clean(provider, 120)
    claims = unverified_claims(token.reveal()) or {}
    keys, problem = _listed(described, provider, claims)
    if problem is not None:
        yield error(
            problem, "Its owner must add it, with this app client id or audience; or correct the login"
        )
        return
    if settings.flow == "basic":
        yield ok(f"the user of {shown} gets {settings.role_arn}, as role_arn says")
        return
    if is_saml(provider):
        yield ok(f"the response of {shown} names the role itself")
        return
    mappings = given.get("RoleMappings", {})
    is_own = provider == own_token_provider(settings.region)
    mapping = None if is_own else next((mappings[key] for key in keys if key in mappings), None)
    role, why = chosen_role(
        provider, claims, mapping, given.get("Roles", {}).get("authenticated"), settings.custom_role_arn
    )
    if role is None:
        yield error(
            f"the user of {shown} gets no role: {clean(why, 300)}",
            "The pool's owner must correct its roles or role mapping; or set custom_role_arn",
        )
        return
    tags = "" if is_own else _tags(read, keys[-1])
    yield ok(f"the user of {shown} gets {clean(role, 200)}, since {clean(why, 300)}{tags}")


def _listed(
    described: Mapping[str, Any], provider: str, claims: Mapping[str, Any]
) -> tuple[list[str], str | None]:
    """
    Find how the pool names *provider*.

    Returns:
        The keys that its role mapping may have, and then the one of its principal tags; and what is wrong.
    """
    shown = clean(provider, 120)
    audience = claims.get("aud")
    clients = [
        entry.get("ClientId")
        for entry in described.get("CognitoIdentityProviders", [])
        if entry.get("ProviderName") == provider
    ]
    if clients:
        if audience in clients:
            return [f"{provider}:{audience}", provider], None
        listed = clean(", ".join(map(str, clients)), 200)
        return [], (
            f"the pool lists {shown} for the app client {listed}, and the token is of "
            f"{clean(str(audience), 80)}"
        )
    arns = [
        arn
        for arn in described.get("OpenIdConnectProviderARNs", [])
        if arn.partition(":oidc-provider/")[2] == provider
    ]
    social = described.get("SupportedLoginProviders", {})
    is_developers = bool(described.get("DeveloperProviderName")) and claims.get("aud") == described.get(
        "IdentityPoolId"
    )
    if arns or provider in social or provider in described.get("SamlProviderARNs", []) or is_developers:
        return [provider, *arns], None
    return [], f"the pool does not list {shown}"


def _tags(read: _Reader, provider: str) -> str:
    """Say which claims become session tags; where that may not be read, nothing."""
    try:
        found = read(
            read.client.get_principal_tag_attribute_map,
            IdentityProviderName=provider,
        )
    except CognitoCredentialsError:
        return ""
    if found.get("UseDefaults"):
        return "; its session tags are the default ones"
    tags = found.get("PrincipalTags") or {}
    said = ", ".join(f"{tag} from {claim}" for tag, claim in sorted(tags.items()))
    return f"; session tags: {clean(said, 200)}" if said else ""
