"""Logins of a pool: what a program hands over, and what its settings name."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.errors import ConfigurationError, LoginRequiredError, ServiceError
from cognito_credentials.logins import FileSource
from cognito_credentials.logins.source import Source
from cognito_credentials.pool.logins import logins_of
from cognito_credentials.pool.pool import parts_of
from cognito_credentials.secret import Secret
from cognito_credentials.settings.load import load
from cognito_credentials.settings.settings import ConfiguredLogins

POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
HOME = {"HOME": "/home/ann", "USERPROFILE": "/home/ann"}
CANARY = "CANARY-pass-1234567890"


def _load(profile: dict[str, Any], **arguments: Any) -> Any:
    config = {"profiles": {"app": {"cognito_identity_pool_id": POOL, **profile}}}
    return load(arguments, environ=HOME, config=config, profile="app")


@pytest.mark.parametrize("key", ["cognito_user_pool_id", "cognito_oidc_issuer", "cognito_sign_in"])
def test_a_profile_that_signs_in_is_no_guest(key: str) -> None:
    """A profile that says half of how to sign in is an error."""
    with pytest.raises(ConfigurationError, match=f"{key} from profile 'app' needs cognito_"):
        logins_of(_load({key: "x"}), HOME)


@pytest.mark.parametrize(
    "profile", [{"cognito_oidc_issuer": "x"}, {"cognito_logins": ""}, {"cognito_logins": {"a.b": "env:X"}}]
)
def test_explicit_logins_replace_those_of_the_profile(profile: dict[str, Any]) -> None:
    """Even none: logins={} of a program means a guest, whatever the profile says."""
    settings = _load(profile, logins={})

    with pytest.raises(TypeError, match="a program's own logins"):
        logins_of(settings, HOME)  # nobody becomes a guest by forgetting them


def test_a_pool_with_explicit_logins_passes_over_the_profile(tmp_path: Any) -> None:
    """The profile says half of how to sign in, which is no matter to whoever gives logins."""
    text = f"[profile app]\ncognito_identity_pool_id = {POOL}\ncognito_oidc_issuer = x\n"
    (tmp_path / "config").write_text(text)
    environ = {**HOME, "AWS_CONFIG_FILE": str(tmp_path / "config")}

    def pool(**arguments: Any) -> IdentityPool:
        return IdentityPool(profile_name="app", environ=environ, **arguments)

    assert parts_of(pool(logins={})).logins.is_guest
    assert parts_of(pool(logins={"google": FileSource("/x")})).logins.describe() == [
        "accounts.google.com = file:/x"
    ]
    assert parts_of(pool(logins=FileSource("/x"), user="ann")).logins.user == "ann"
    with pytest.raises(ConfigurationError, match="cognito_oidc_issuer from profile 'app' needs"):
        pool().settings  # noqa: B018


def test_profile_logins_are_sources_and_arguments_are_tokens() -> None:
    """The text of a source runs or reads something only where the user wrote it down."""
    texts = {"accounts.google.com": "command:get-token --secret x"}

    named = logins_of(_load({"cognito_logins": texts}), HOME)
    assert named.describe() == ["accounts.google.com = command:get-token …"]
    with pytest.raises(ConfigurationError, match="names a source, but a token is expected"):
        IdentityPool(POOL, logins=texts)


def test_the_command_line_names_sources_too() -> None:
    """They take the place of the profile's; its sign-in is none of theirs."""
    configured = ConfiguredLogins(origin="the command line", sources={"google": "env:TOKEN"})
    settings = _load({"cognito_oidc_issuer": "x"}, logins=configured, user="ann")

    logins = logins_of(settings, HOME)

    assert logins.describe() == ["accounts.google.com = env:TOKEN"]
    assert (logins.user, settings.origins["logins"]) == ("ann", "argument")


def test_a_malformed_login_is_found_at_construction() -> None:
    """Before any file is read, like every other argument; the token is not shown."""
    with pytest.raises(ConfigurationError, match="logins from argument: 'gogle' is not a login provider"):
        IdentityPool(POOL, logins={"gogle": CANARY}, environ={"AWS_PROFILE": "missing"})
    with pytest.raises(ConfigurationError, match="identity_pool_id from argument"):
        IdentityPool("nonsense", logins={"gogle": CANARY})


def test_logins_hold_no_bare_token() -> None:
    """Tokens are secrets from the first moment: neither pool nor arguments show one, or can be pickled."""
    pool = IdentityPool(POOL, logins={"accounts.google.com": CANARY}, environ=HOME)

    assert CANARY not in repr(pool) + repr(vars(pool))
    with pytest.raises(TypeError, match="refuses to be pickled"):
        pickle.dumps(pool)


def test_a_pool_can_be_pickled_if_its_logins_can() -> None:
    """With a file source it goes to another process, which takes the same logins."""
    pool = IdentityPool(POOL, logins={"a.b": FileSource("/x")})

    there = pickle.loads(pickle.dumps(pool))

    assert parts_of(there).logins.describe() == ["a.b = file:/x"]


class TunnelError(Exception):
    """What a program's own library raises offline."""


def test_a_program_names_what_is_an_outage() -> None:
    """`outage` counts for the pool, its other users and its pickles; any other error asks for a sign-in."""

    def fetch() -> str:
        raise TunnelError

    pool = IdentityPool(POOL, logins={"accounts.google.com": fetch}, outage=TunnelError)

    for one in (pool, pool.for_user("ann", logins={"accounts.google.com": fetch})):
        with pytest.raises(ServiceError, match="could not reach what it asks: TunnelError"):
            one.credentials()
    assert IdentityPool(outage=(TunnelError,)).__reduce__()[1][1]["outage"] == (TunnelError,)
    with pytest.raises(LoginRequiredError):
        IdentityPool(POOL, logins={"accounts.google.com": fetch}).credentials()


@pytest.mark.parametrize("failing", ["token", "principal", "principal_of"])
def test_an_outage_counts_in_each_method_of_a_source(failing: str) -> None:
    """A source that cannot reach what it asks is an outage, whichever of its methods asks."""

    class Tunnelled(Source):
        def token(self) -> str:
            return self._of("token", "token")

        def principal(self) -> str | None:
            return self._of("principal", None)

        def principal_of(self, token: Secret) -> str | None:
            return self._of("principal_of", None)

        def _of(self, method: str, answer: Any) -> Any:
            if method == failing:
                raise TunnelError
            return answer

    pool = IdentityPool(POOL, logins={"login.example.com": Tunnelled()}, outage=TunnelError)

    with pytest.raises(ServiceError, match="could not reach what it asks: TunnelError"):
        pool.credentials()


@pytest.mark.parametrize("wrong", ["TunnelError", (TunnelError, 5), TunnelError(), int])
def test_an_outage_is_a_class_of_errors(wrong: Any) -> None:
    """Anything else in `outage` is an error at once, which shows no value."""
    with pytest.raises(ConfigurationError, match=r"outage from argument has .*no class of errors"):
        IdentityPool(outage=wrong)
