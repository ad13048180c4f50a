"""The names of issuers: the two of a user pool, and the login provider name that follows from an issuer."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.clock import Clock
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import ConfigurationError, ServiceError
from cognito_credentials.exchange.http import Network
from cognito_credentials.logins import Logins
from cognito_credentials.logins.claims import provider_of
from cognito_credentials.regions import original_issuer, user_pool_issuer, user_pool_issuers
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.tokens import Tokens
from cognito_credentials.sign_in.issuers.user_pool import UserPoolIssuer
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from ..logins.tokens import jwt
from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT, POOL, EmulatedPool

__all__ = ["emulator", "emulator_keys"]
ORIGINAL = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
UPDATED = f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL}"
NAMES = [issuer.partition("://")[2] for issuer in (ORIGINAL, UPDATED)]
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def pool(user_pool: EmulatedPool) -> EmulatedPool:
    return user_pool


def _source(**options: Any) -> UserPool:
    return UserPool(POOL, CLIENT, store="file", sign_in="password", **options)


def _providers(logins: object) -> list[str]:
    """The keys under which the tokens of *logins* are sent."""
    return list(Logins.of(logins).resolve(Clock().wall()).tokens)


@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
def test_a_user_pool_with_either_issuer(pool: EmulatedPool, issuer: str) -> None:
    """Signing in, refreshing and signing out work with both; the derived name is the token's own issuer."""
    pool.token_changes = {"iss": issuer}

    assert _source().sign_in(Person("ann", PASSWORD)).issuer == issuer
    assert _providers(_source()) == [issuer.partition("://")[2]]
    assert _source().sign_out().revoked


def test_a_user_pool_that_changes_its_issuer_has_the_same_users(pool: EmulatedPool) -> None:
    """The sign-in goes on, as the same user: what is cached for the user is found."""
    _source().sign_in(Person("ann", PASSWORD))
    before = _source().principal(), Logins.of(_source()).principal()
    pool.token_changes = {"iss": UPDATED}

    token = _source().token()

    assert _source().principal_of(token) == before[0] == _source().principal()
    assert Logins.of(_source()).principal() == before[1]
    assert _providers(_source()) == [NAMES[1]]


@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
@pytest.mark.parametrize("written", NAMES)
def test_a_name_that_was_written_is_sent(pool: EmulatedPool, issuer: str, written: str) -> None:
    """Which of the two names the identity pool has is its owner's business; a written one stays."""
    pool.token_changes = {"iss": issuer}
    _source().sign_in(Person("ann", PASSWORD))

    assert _providers(_source(login_provider=written)) == [written]
    assert _providers({written: _source()}) == [written]
    token = jwt(iss=issuer, sub="ann", exp=Clock().wall() + 600)
    assert _providers({written: token}) == [written]
    assert _providers(token) == [issuer.partition("://")[2]]


@pytest.mark.parametrize(
    "issuer",
    [
        "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Other",
        "https://issuer-cognito-idp.eu-west-1.amazonaws.com/us-east-1_Ab1Cd2Ef3",
        "https://issuer-cognito-idp.us-east-1.amazonaws.com.evil.example/us-east-1_Ab1Cd2Ef3",
        "https://issuer-issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3",
    ],
)
def test_no_other_issuer_is_taken_for_the_pools(pool: EmulatedPool, issuer: str) -> None:
    """Attack: a name that only looks like the updated issuer."""
    pool.token_changes = {"iss": issuer}

    with pytest.raises(Exception, match="from another issuer"):
        _source().sign_in(Person("ann", PASSWORD))
    with pytest.raises(ConfigurationError, match="but the token is from"):
        _providers({NAMES[0]: jwt(iss=issuer, exp=Clock().wall() + 600)})


@pytest.mark.parametrize(
    ("user_pool_id", "suffix"),
    [
        ("us-east-1_a", "amazonaws.com"),
        ("cn-north-1_a", "amazonaws.com.cn"),
        ("eusc-de-east-1_a", "amazonaws.eu"),
    ],
)
def test_the_names_of_both_issuers(user_pool_id: str, suffix: str) -> None:
    """The updated issuer differs from the original one by its first word; both stand for one pool."""
    region = user_pool_id.partition("_")[0]
    original, updated = user_pool_issuers(user_pool_id)

    assert (
        original == user_pool_issuer(user_pool_id) == f"https://cognito-idp.{region}.{suffix}/{user_pool_id}"
    )
    assert updated == f"https://issuer-cognito-idp.{region}.{suffix}/{user_pool_id}"
    assert original_issuer(updated) == original_issuer(original) == original
    assert original_issuer(updated.partition("://")[2]) == original.partition("://")[2]


@pytest.mark.parametrize(
    "other", ["https://issuer-x.example", "issuer-cognito-idp", "https://accounts.google.com", ""]
)
def test_other_issuers_have_one_name(other: str) -> None:
    """Only a user pool has two."""
    assert original_issuer(other) == other


class Web:
    """Some addresses with JSON at them; others answer as AWS does."""

    def __init__(self, **found: dict[str, Any]) -> None:
        self.found, self.asked = found, list[str]()

    def get(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        host = url.partition("://")[2].partition(".")[0]
        if host.replace("-", "_") in self.found:
            return self.found[host.replace("-", "_")]
        raise ServiceError("no such pool", code="400")


def _issuer(web: Web) -> UserPoolIssuer:
    made = UserPoolIssuer(Network(region="us-east-1"), POOL, CLIENT)
    made._http = web  # type: ignore[assignment]  # AWS is not asked in tests
    return made


@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
def test_keys_come_from_the_issuer_that_the_token_names(issuer: str) -> None:
    """At AWS, each issuer publishes the keys at its own address, and no token leads anywhere else."""
    for named in (issuer, f"{issuer}x", "https://evil.example", None):
        web = Web()
        tokens = Tokens(Secret(jwt(iss=named)), None, None, 0.0)
        with pytest.raises(ServiceError):
            _issuer(web).verified(tokens)
        assert web.asked == [f"{issuer if named == issuer else ORIGINAL}/.well-known/jwks.json"]


@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
def test_the_sign_in_pages_are_found_at_either_issuer(issuer: str) -> None:
    """The document of the pool is looked for at both addresses, and may name either issuer."""
    places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    document = {"issuer": issuer, **{place: f"https://auth.example.com/{place}" for place in places}}
    host = issuer.partition("://")[2].partition(".")[0].replace("-", "_")

    metadata = _issuer(Web(**{host: document})).metadata()
    assert (metadata.issuer, metadata.token_endpoint) == (issuer, "https://auth.example.com/token_endpoint")
    assert _issuer(Web(cognito_idp=document)).metadata().issuer == issuer

    with pytest.raises(ServiceError):
        _issuer(Web()).metadata()


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("https://tenant.auth0.com/", "tenant.auth0.com"),
        ("https://tenant.auth0.com", "tenant.auth0.com"),
        ("https://keycloak.example/realms/one/", "keycloak.example/realms/one"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
    ],
)
def test_one_issuer_has_one_derived_name(issuer: str, name: str) -> None:
    """Signed in to, or handed in as a token: the name is the same, without scheme and slash at the end."""
    token = jwt(iss=issuer, sub="ann", exp=Clock().wall() + 600)

    assert provider_of(issuer) == OidcLogin(issuer, "client").provider == name
    assert _providers(token) == [name]
    assert _providers({f"{name}/": token}) == [f"{name}/"]  # a written name stays as it is
    with pytest.raises(ConfigurationError, match=f"Drop it: '{name}'"):
        Logins.of({issuer: token})


@pytest.fixture
def identity_pool(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """An identity pool of the emulator with a user pool, by the name that consoles write, and Auth0."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    provider = {"ProviderName": NAMES[0], "ClientId": CLIENT, "ServerSideTokenCheck": False}
    arn = "arn:aws:iam::123456789012:oidc-provider/tenant.auth0.com"
    return str(emulator.create_pool(CognitoIdentityProviders=[provider], OpenIdConnectProviderARNs=[arn]))


@pytest.mark.parametrize("name", [*NAMES, "tenant.auth0.com"])
def test_credentials_for_a_token_that_names_its_provider(
    emulator: Any, identity_pool: str, name: str
) -> None:
    """Tokens of either issuer of a user pool, and of one with a slash at its end, lead to credentials."""
    issuer = f"https://{name}/" if "auth0" in name else f"https://{name}"
    audience = CLIENT if name in NAMES else "app"
    token = emulator.login_token(name, audience=audience, subject="ann", claims={"iss": issuer})

    assert IdentityPool(identity_pool, logins=token).credentials().access_key_id.startswith("ASIA")
