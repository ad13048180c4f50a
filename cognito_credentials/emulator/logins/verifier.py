"""
Login tokens, checked in the documented order with the documented texts.

Source: service.md 5.1 and 5.2; the numbers of the steps are those of its table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.errors import (
    invalid_parameter,
    logins_do_not_match,
    not_authorized,
)
from cognito_credentials.emulator.logins.issuers import Issuers, provider_of
from cognito_credentials.emulator.logins.keys import SigningKeys
from cognito_credentials.emulator.logins.tokens import Jwt, is_service_token, read_jwt
from cognito_credentials.emulator.model.names import is_service_host, service_host
from cognito_credentials.emulator.settings import Settings
from cognito_credentials.emulator.stored.identities import LinkedLogin
from cognito_credentials.emulator.stored.pools import IdentityPool
from cognito_credentials.emulator.stored.state import State

if TYPE_CHECKING:
    from cognito_credentials.emulator.logins.saml import SamlProvider

_USER_POOL = re.compile(r"cognito-idp\.[a-z0-9-]+\.[a-z0-9.]+/[\w-]+")
OPAQUE = ("graph.facebook.com", "www.amazon.com", "api.twitter.com", "www.digits.com")
SAML_NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
_NOT_SUPPORTED = "Token is not from a supported provider of this identity pool."
_REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp")


@dataclass(frozen=True)
class VerifiedLogin:
    """
    One login of a call that passed every check.

    Attributes:
        amr: The two entries of the amr claim.
        mapping_keys: Where a role mapping of this login may stand, most specific first.
        roles: Roles that the login itself brings: those of a SAML response.
    """

    linked: LinkedLogin
    claims: Mapping[str, Any]
    amr: tuple[str, str]
    mapping_keys: Sequence[str]
    roles: Sequence[str] = ()


@dataclass(frozen=True)
class ServiceToken:
    """A token of this service, given back to it as a login."""

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

        Raises:
            ServiceError: The first check that fails.
            KeysNeededError: The keys of a provider must be fetched first.
        """
        return [self._verify(pool, provider, token) for provider, token in logins.items()]

    def _verify(self, pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
        _check_provider(pool, provider)  # 0, 1, 2
        if is_service_host(provider):
            raise not_authorized("Invalid login token. Can't pass in a Cognito token.")  # 3
        if provider in OPAQUE:
            return self._verify_opaque(pool, provider, token)
        if is_saml(provider):
            return self._verify_saml(provider, token)
        jwt = _read_id_token(provider, token, self._clock.now(), self._settings.login_grace)  # 5 to 8
        verified = self._issuers.verifies(provider, jwt)  # 9
        if verified is None:
            raise assumed.external_service(provider)
        if not verified:
            raise not_authorized("Invalid login token. Couldn't verify signed token.")
        audience = self._check_audience(pool, provider, jwt)  # 10
        subject: str = jwt.claims["sub"]
        if _server_side_check(pool, provider, audience) and self.is_signed_out(provider, subject):
            raise not_authorized("Token is inactive")  # 11
        return VerifiedLogin(
            linked=LinkedLogin(provider, subject),
            claims=jwt.claims,
            amr=(provider, _amr_detail(pool, provider, audience, subject)),
            mapping_keys=_mapping_keys(pool, provider, audience),
        )

    def _verify_opaque(self, pool: IdentityPool, provider: str, token: str) -> VerifiedLogin:
        """A token that only its provider can read: the seed's users stand for the provider."""
        configured = pool.settings.get("SupportedLoginProviders", {}).get(provider)
        if configured is None:  # listed as OIDC provider, which it is not
            raise not_authorized(_NOT_SUPPORTED)
        app_id = configured.partition(";")[0]  # Twitter's is "key;secret", and tokens name it
        found = self._state.row(
            "SELECT * FROM users WHERE provider = ? AND opaque_token = ?", provider, token
        )
        if found is None:
            raise assumed.external_service(provider)
        if found["app_id"] is not None and found["app_id"].partition(";")[0] != app_id:
            raise assumed.wrong_audience()
        subject = found["subject"]
        known = {"user_id": subject, **json.loads(found["claims"])}  # user_id: as Amazon names it
        claims = {**known, "iss": provider, "aud": app_id, "sub": subject}
        return VerifiedLogin(
            linked=LinkedLogin(provider, subject),
            claims=claims,
            amr=(provider, f"{provider}:{app_id}:{subject}"),
            mapping_keys=[provider],
        )

    def _verify_saml(self, arn: str, token: str) -> VerifiedLogin:
        """A response of the provider, or of the emulator's test issuer in its place."""
        try:
            from cognito_credentials.emulator.logins import saml, saml_issuer

            provider = self._saml_provider(arn, saml.issuer_of(token) == saml_issuer.TEST_ENTITY_ID)
            assertion = saml.read_response(token, provider, self._clock.now())
        except ModuleNotFoundError:
            raise assumed.saml_extra_missing() from None
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

    def _check_audience(self, pool: IdentityPool, provider: str, jwt: Jwt) -> str:
        """Step 10: azp where there is one, else aud, is a client id that the pool accepts."""
        azp = jwt.claims.get("azp")
        given = azp if azp is not None else jwt.claims["aud"]
        audiences = [str(item) for item in given] if isinstance(given, list) else [str(given)]
        accepted = {
            entry["ClientId"]
            for entry in _user_pools(pool)
            if entry.get("ProviderName") == provider and "ClientId" in entry
        }
        if is_user_pool(provider):
            for audience in audiences:
                if audience in accepted:
                    return audience
            raise not_authorized(_NOT_SUPPORTED)
        app_id = pool.settings.get("SupportedLoginProviders", {}).get(provider)
        if app_id is not None:
            accepted.add(app_id)
        if any(arn.endswith(f":oidc-provider/{provider}") for arn in _oidc_arns(pool)):
            client_ids = self._issuers.client_ids(provider)
            if not client_ids:
                return audiences[0] if audiences else ""  # assumed: an unknown provider takes any
            accepted.update(client_ids)
        for audience in audiences:
            if audience in accepted:
                return audience
        raise assumed.wrong_audience()

    def verify_service_token(self, text: str) -> ServiceToken:
        """
        Check a token of this service: step 4, its expiry, and that it is of a signed-in user.

        Of which pool it is follows from the identity that it names.

        Raises:
            ServiceError: NotAuthorizedException.
        """
        token = read_jwt(text)
        if token is None or not is_service_token(self._keys, token) or token.expires_at is None:
            raise not_authorized("Invalid login token. Not a Cognito token.")
        now = self._clock.now()
        if now >= token.expires_at:
            raise not_authorized(f"Invalid login token. Token expired: {int(now)} >= {token.expires_at}")
        own = read_service_token(token)
        # Anyone who knows an identity id gets a guest's token: it proves nothing about who came later.
        if list(own.amr) == ["unauthenticated"]:
            raise logins_do_not_match()
        return own

    def is_signed_out(self, provider: str, subject: str) -> bool:
        """True when the user was signed out everywhere, or deleted, at the provider."""
        found = self._state.row(
            "SELECT signed_out FROM users WHERE provider = ? AND subject = ?", provider, subject
        )
        return bool(found and found["signed_out"])


def is_user_pool(provider: str) -> bool:
    """True for the logins key of an Amazon Cognito user pool."""
    return _USER_POOL.fullmatch(provider) is not None


def is_saml(provider: str) -> bool:
    """True for the ARN of a SAML provider."""
    return provider.startswith("arn:") and ":saml-provider/" in provider


def service_token_key(pool: IdentityPool, logins: Mapping[str, str]) -> str | None:
    """The key among *logins* that is the name of this service in the partition of *pool*."""
    name = service_host(pool.region)
    return name if name in logins else None


def _check_provider(pool: IdentityPool, provider: str) -> None:
    """Steps 0 to 2: can it be a provider, has the pool any, has it this one."""
    settings = pool.settings
    providers = {*settings.get("SupportedLoginProviders", ())}
    providers.update(arn.partition(":oidc-provider/")[2] for arn in _oidc_arns(pool))
    providers.update(entry.get("ProviderName") for entry in _user_pools(pool))
    providers.update(settings.get("SamlProviderARNs", ()))
    # An issuer on this machine may have a name without a dot, as localhost:8080.
    made_up = provider not in providers and "." not in provider and not provider.startswith("arn:")
    if made_up or provider == pool.developer_provider:
        raise invalid_parameter("Please provide a valid public provider")
    if not providers and pool.developer_provider is None:
        raise logins_do_not_match()
    if provider not in providers and not is_service_host(provider):
        raise not_authorized(_NOT_SUPPORTED)


def _read_id_token(provider: str, token: str, now: float, grace: float) -> Jwt:
    """Steps 5 to 8: a token with the required claims, of this issuer, not expired."""
    jwt = read_jwt(token)
    if jwt is None:
        raise not_authorized("Invalid login token. Not a valid OpenId Connect identity token.")
    for claim in _REQUIRED_CLAIMS:
        if jwt.claims.get(claim) is None:
            raise not_authorized(f"Invalid login token. Missing a required claim: {claim}")
    if provider_of(jwt.claims["iss"]) != provider:
        raise not_authorized("Invalid login token. Issuer doesn't match providerName")
    subject = jwt.claims["sub"]
    if jwt.expires_at is None or not isinstance(subject, str) or not subject:
        raise not_authorized("Invalid login token. Not a valid OpenId Connect identity token.")
    if now >= jwt.expires_at + grace:
        raise not_authorized(f"Invalid login token. Token expired: {int(now)} >= {jwt.expires_at}")
    return jwt


def _server_side_check(pool: IdentityPool, provider: str, client_id: str) -> bool:
    return any(
        entry.get("ServerSideTokenCheck")
        for entry in _user_pools(pool)
        if entry.get("ProviderName") == provider and entry.get("ClientId") == client_id
    )


def _amr_detail(pool: IdentityPool, provider: str, audience: str, subject: str) -> str:
    if is_user_pool(provider):
        return f"{provider}:CognitoSignIn:{subject}"
    for arn in _oidc_arns(pool):
        if arn.endswith(f":oidc-provider/{provider}"):
            return f"{arn}:OIDC:{subject}"
    return f"{provider}:{audience}:{subject}"


def _mapping_keys(pool: IdentityPool, provider: str, audience: str) -> list[str]:
    if is_user_pool(provider):
        return [f"{provider}:{audience}"]
    arns = [arn for arn in _oidc_arns(pool) if arn.endswith(f":oidc-provider/{provider}")]
    return [*arns, provider]


def _oidc_arns(pool: IdentityPool) -> Sequence[str]:
    arns: Sequence[str] = pool.settings.get("OpenIdConnectProviderARNs", ())
    return arns


def _user_pools(pool: IdentityPool) -> Sequence[Mapping[str, Any]]:
    entries: Sequence[Mapping[str, Any]] = pool.settings.get("CognitoIdentityProviders", ())
    return entries


def read_service_token(token: Jwt) -> ServiceToken:
    """What a token of this service, already verified, says."""
    claims = token.claims
    tags = claims.get("https://aws.amazon.com/tags", {}).get("principal_tags", {})
    return ServiceToken(
        identity_id=claims["sub"],
        pool_id=claims["aud"],
        amr=claims["amr"],
        tags={name: values[0] for name, values in tags.items()},
    )
