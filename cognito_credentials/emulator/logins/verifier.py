"""
The logins of a call, each checked against the pool and its provider.

Source: reference/service.md#5.1 and #5.2. Comments name facts of 5.2. The order is that of 5.2.14: a token
is read before the pool is asked whether it lists the provider.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.errors import logins_do_not_match
from cognito_credentials.emulator.logins import refusals
from cognito_credentials.emulator.logins.issuers import Issuers, names_of
from cognito_credentials.emulator.logins.keys import SigningKeys
from cognito_credentials.emulator.logins.tokens import (
    PRINCIPAL_TAGS_CLAIM,
    Jwt,
    is_service_token,
    read_jwt,
)
from cognito_credentials.emulator.model.names import (
    are_same_provider,
    is_service_host,
    is_user_pool,
    service_host,
    user_pool_of,
)
from cognito_credentials.emulator.settings import Settings
from cognito_credentials.emulator.stored.identities import LinkedLogin
from cognito_credentials.emulator.stored.pools import IdentityPool
from cognito_credentials.emulator.stored.sign_ins import is_revoked
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.stored.user_pools import find_user_by_sub
from cognito_credentials.emulator.trail import checked

if TYPE_CHECKING:
    from cognito_credentials.emulator.logins.saml import SamlProvider

OPAQUE = ("graph.facebook.com", "www.amazon.com", "api.twitter.com", "www.digits.com")
SAML_NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
_REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp")


@dataclass(frozen=True)
class VerifiedLogin:
    """
    One login of a call that passed every check.

    Attributes:
        linked: The provider, and the user there.
        amr: The provider's two entries in the amr claim of a service token.
        mapping_keys: Keys of RoleMappings that this login has, the most specific first.
        roles: ARNs of the roles in a SAML response; empty for other logins.
    """

    linked: LinkedLogin
    claims: Mapping[str, Any]
    amr: tuple[str, str]
    mapping_keys: Sequence[str]
    roles: Sequence[str] = ()


@dataclass(frozen=True)
class ServiceToken:
    """A token that this service issued, and that comes back to it as a login."""

    identity_id: str
    pool_id: str
    amr: Sequence[str]
    tags: Mapping[str, str]


class LoginVerifier:
    """Checks the tokens of a call's logins against the pool and its providers."""

    def __init__(
        self, state: State, keys: SigningKeys, issuers: Issuers, clock: Clock, settings: Settings
    ) -> None:
        self._state = state
        self._keys = keys
        self._issuers = issuers
        self._clock = clock
        self._settings = settings

    def verify(self, pool: IdentityPool, logins: Mapping[str, str]) -> list[VerifiedLogin]:
        """
        Check every login of a call.

        Args:
            logins: Provider to token, as in the request.

        Raises:
            ServiceError: The first check that fails.
            KeysNeededError: The keys of a provider must be fetched first.
        """
        return [self._verify_login(pool, provider, token) for provider, token in logins.items()]

    def _verify_login(self, pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
        if is_service_host(provider):
            raise refusals.service_token()  # 5.2.3
        if provider in OPAQUE:
            _listed_name(pool, provider)
            return self._verify_opaque(pool, provider, token)
        if is_saml(provider):
            _listed_name(pool, provider)
            return self._verify_saml(provider, token)
        jwt = _read_id_token(pool, provider, token)
        provider = _listed_name(pool, provider)
        checked(f"the pool lists the provider {provider}")
        _check_expiry(jwt, self._clock.now(), self._settings.login_grace)
        verified = self._issuers.verifies(provider, jwt)
        if verified is None:
            raise assumed.external_service(provider, self._issuers.offline)  # 5.2.12
        if not verified:
            raise refusals.signature_not_verified()  # 5.2.9
        checked(f"a key of {provider} signed the token")
        audience = self._accepted_audience(pool, provider, jwt)
        checked(f"the pool accepts tokens for the audience {audience}")
        subject: str = jwt.claims["sub"]
        if _has_server_side_check(pool, provider, audience):
            if not self._is_active(provider, jwt):
                raise refusals.token_inactive()  # 5.2.11
            checked("the user pool has not signed the user out (ServerSideTokenCheck)")
        return VerifiedLogin(
            linked=LinkedLogin(provider, subject),
            claims=jwt.claims,
            amr=(provider, _amr_detail(pool, provider, audience, subject)),
            mapping_keys=_mapping_keys(pool, provider, audience),
        )

    def _verify_opaque(self, pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
        """Only the provider can read such a token. The seed's users take the provider's place."""
        configured = pool.settings.get("SupportedLoginProviders", {}).get(provider)
        if configured is None:  # The pool lists it as an OIDC provider, which it is not.
            raise refusals.provider_not_supported()
        app_id = configured.partition(";")[0]  # Twitter's is "key;secret"; reference/service.md#5.1.4
        found = self._state.row(
            "SELECT * FROM users WHERE provider = ? AND opaque_token = ?", provider, token
        )
        if found is None:
            raise assumed.external_service(provider)
        if found["app_id"] is not None and found["app_id"].partition(";")[0] != app_id:
            raise assumed.wrong_audience()
        subject = found["subject"]
        checked(f"{provider} knows the opaque token: it is that of user {subject} for the app {app_id}")
        known = {"user_id": subject, **json.loads(found["claims"])}  # user_id is Amazon's own name
        claims = {**known, "iss": provider, "aud": app_id, "sub": subject}
        return VerifiedLogin(
            linked=LinkedLogin(provider, subject),
            claims=claims,
            amr=(provider, f"{provider}:{app_id}:{subject}"),
            mapping_keys=[provider],
        )

    def _verify_saml(self, arn: str, token: str) -> VerifiedLogin:
        """Check a response of the provider, or of the emulator's test issuer, which may stand in for it."""
        try:
            from cognito_credentials.emulator.logins import saml, saml_issuer

            provider = self._saml_provider(arn, saml.issuer_of(token) == saml_issuer.TEST_ENTITY_ID)
            assertion = saml.read_response(token, provider, self._clock.now())
        except ModuleNotFoundError:
            raise assumed.saml_extra_missing() from None
        checked(f"{assertion.issuer} signed the SAML response, for {assertion.subject}; it has not expired")
        claims: dict[str, Any] = {
            name: values[0] if len(values) == 1 else list(values)
            for name, values in assertion.attributes.items()
            if values
        }
        claims.setdefault(SAML_NAME_ID, assertion.subject)
        return VerifiedLogin(
            linked=LinkedLogin(arn, assertion.subject),
            claims={**claims, "iss": assertion.issuer, "sub": assertion.subject},
            amr=(arn, f"{arn}:SAML:{assertion.subject}"),
            mapping_keys=[arn],
            roles=assertion.roles(arn),
        )

    def _saml_provider(self, arn: str, from_test_issuer: bool) -> SamlProvider:
        from cognito_credentials.emulator.logins import saml, saml_issuer

        if from_test_issuer:
            return saml_issuer.provider(self._keys)
        found = self._state.row("SELECT * FROM saml_providers WHERE arn = ?", arn)
        if found is None:
            raise assumed.external_service(arn)
        certificates = [saml.load_certificate(text) for text in json.loads(found["certificates"])]
        return saml.SamlProvider(found["entity_id"], certificates)

    def _accepted_audience(self, pool: IdentityPool, provider: str, jwt: Jwt) -> str:
        """The audience of the token that the pool accepts; 5.2.10."""
        accepted = self._client_ids(pool, provider)
        if accepted is None:
            return next(iter(jwt.audiences), "")
        for audience in jwt.audiences:
            if audience in accepted:
                return audience
        raise refusals.provider_not_supported() if is_user_pool(provider) else assumed.wrong_audience()

    def _client_ids(self, pool: IdentityPool, provider: str) -> set[str] | None:
        """The client ids that the pool accepts of *provider*; None for any, 5.2.10d."""
        if is_user_pool(provider):
            return {entry["ClientId"] for entry in _user_pools(pool, provider) if "ClientId" in entry}
        app_id = pool.settings.get("SupportedLoginProviders", {}).get(provider)
        accepted = set() if app_id is None else {app_id}
        if _oidc_arns(pool, provider):
            registered = self._issuers.client_ids(provider)
            return accepted.union(registered) if registered else None
        return accepted

    def verify_service_token(self, text: str) -> ServiceToken:
        """
        Check that this service issued the token, to a user and not to a guest, and that it has not expired.

        The caller compares its identity with that of the call.

        Raises:
            ServiceError: NotAuthorizedException; reference/service.md#5.2.4, #5.2.8 and #6.11.4.
        """
        token = read_jwt(text)
        if token is None or not is_service_token(self._keys, token) or token.expires_at is None:
            raise refusals.not_a_service_token()
        now = self._clock.now()
        if now >= token.expires_at:
            raise refusals.token_expired(now, token.expires_at)
        service_token = read_service_token(token)
        # Anyone who knows the id of a guest identity gets such a token. It must not open the identity of
        # a user who has signed in since.
        if list(service_token.amr) == ["unauthenticated"]:
            raise logins_do_not_match()
        checked(f"the service's own token has not expired; it names {service_token.identity_id}")
        return service_token

    def _is_active(self, provider: str, jwt: Jwt) -> bool:
        """Whether the user pool has neither revoked the sign-in of the token nor disabled the user."""
        if self.is_signed_out(provider, jwt.claims["sub"]):
            return False
        user = find_user_by_sub(self._state, provider.partition("/")[2], jwt.claims["sub"])
        # A token of `login-token` is of no sign-in, and need not be of a user that the pool has.
        return (user is None or user.enabled) and not is_revoked(
            self._state, str(jwt.claims.get("origin_jti"))
        )

    def is_signed_out(self, provider: str, subject: str) -> bool:
        """Whether the user has signed out everywhere, or was deleted, at the provider."""
        found = self._state.row(
            "SELECT signed_out FROM users WHERE provider = ? AND subject = ?",
            user_pool_of(provider) or provider,
            subject,
        )
        return bool(found and found["signed_out"])


def is_saml(provider: str) -> bool:
    """Whether a key of Logins is the ARN of a SAML provider."""
    return provider.startswith("arn:") and ":saml-provider/" in provider


def service_token_key(pool: IdentityPool, logins: Mapping[str, str]) -> str | None:
    """The key of a service token among *logins*: the service's name in the partition of *pool*."""
    name = service_host(pool.region)
    return name if name in logins else None


def _listed_name(pool: IdentityPool, provider: str) -> str:
    """
    The name that the pool lists *provider* by. It may be the other name of a user pool; 5.1.11.

    Raises:
        ServiceError: The pool does not list the provider; 5.2.1a and 5.2.2.
    """
    settings = pool.settings
    providers: set[str] = {*settings.get("SupportedLoginProviders", ())}
    providers.update(map(_provider_of_arn, settings.get("OpenIdConnectProviderARNs", ())))
    providers.update(entry["ProviderName"] for entry in settings.get("CognitoIdentityProviders", ()))
    providers.update(settings.get("SamlProviderARNs", ()))
    if not providers and pool.developer_provider is None:
        raise refusals.no_providers(pool.id)  # 5.2.1a
    if provider in providers:
        return provider
    for name in providers:
        if are_same_provider(name, provider):
            return name
    raise refusals.provider_not_supported()  # 5.2.2


def _read_id_token(pool: IdentityPool, provider: str, token: str) -> Jwt:
    jwt = read_jwt(token)
    if jwt is None:
        is_developers = provider == pool.developer_provider
        raise refusals.no_public_provider() if is_developers else refusals.not_an_id_token()  # 5.2.0, 5.2.5
    for claim in _REQUIRED_CLAIMS:
        if jwt.claims.get(claim) is None:
            raise refusals.missing_claim(claim)  # 5.2.6
    if not any(are_same_provider(name, provider) for name in names_of(jwt.claims["iss"])):
        raise refusals.another_issuer()  # 5.2.7
    subject = jwt.claims["sub"]
    if jwt.expires_at is None or not isinstance(subject, str) or not subject:
        raise refusals.not_an_id_token()  # 5.2.5
    audiences = ", ".join(jwt.audiences)
    checked(f"the token is an ID token: iss {jwt.claims['iss']}, aud {audiences}, sub {subject}")
    return jwt


def _check_expiry(jwt: Jwt, now: float, grace: float) -> None:
    if jwt.expires_at is not None and now >= jwt.expires_at + grace:
        raise refusals.token_expired(now, jwt.expires_at)  # 5.2.8
    checked(f"the token has not expired: {_span(now, jwt.expires_at)}")


def _span(now: float, expires_at: float | None) -> str:
    left = int((expires_at or now) - now)
    return f"{left} seconds are left" if left > 0 else f"it ended {-left} seconds ago, within the grace"


def _has_server_side_check(pool: IdentityPool, provider: str, client_id: str) -> bool:
    return any(
        entry.get("ServerSideTokenCheck")
        for entry in _user_pools(pool, provider)
        if entry.get("ClientId") == client_id
    )


def _amr_detail(pool: IdentityPool, provider: str, audience: str, subject: str) -> str:
    """The provider's second entry in the amr claim; reference/service.md#7.1.4, #7.1.5 and #7.1.8."""
    if is_user_pool(provider):
        return f"{provider}:CognitoSignIn:{subject}"
    for arn in _oidc_arns(pool, provider):
        return f"{arn}:OIDC:{subject}"
    return f"{provider}:{audience}:{subject}"


def _mapping_keys(pool: IdentityPool, provider: str, audience: str) -> list[str]:
    """reference/service.md#6.6.4."""
    if is_user_pool(provider):
        return [f"{provider}:{audience}"]
    return [*_oidc_arns(pool, provider), provider]


def _oidc_arns(pool: IdentityPool, provider: str) -> Sequence[str]:
    arns: Sequence[str] = pool.settings.get("OpenIdConnectProviderARNs", ())
    return [arn for arn in arns if _provider_of_arn(arn) == provider]


def _provider_of_arn(arn: str) -> str:
    return arn.partition(":oidc-provider/")[2]


def _user_pools(pool: IdentityPool, provider: str) -> Sequence[Mapping[str, Any]]:
    entries: Sequence[Mapping[str, Any]] = pool.settings.get("CognitoIdentityProviders", ())
    return [entry for entry in entries if entry.get("ProviderName") == provider]


def read_service_token(token: Jwt) -> ServiceToken:
    """The claims of a service token, whose signature was verified before."""
    claims = token.claims
    tags = claims.get(PRINCIPAL_TAGS_CLAIM, {}).get("principal_tags", {})
    return ServiceToken(
        identity_id=claims["sub"],
        pool_id=claims["aud"],
        amr=claims["amr"],
        tags={name: values[0] for name, values in tags.items()},
    )
