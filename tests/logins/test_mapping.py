"""Logins: what may be given, which principal they name, and the tokens they resolve to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.errors import ConfigurationError, LoginRequiredError
from cognito_credentials.logins import CommandSource, EnvironmentSource, FileSource, Logins, Source
from cognito_credentials.secret import Secret

from .tokens import GOOGLE, NOW, jwt

CANARY = "CANARY-opaque"
USER_POOL = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC"
OWN = "cognito-identity.amazonaws.com"
IDENTITY = "eu-west-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"


class _Told:
    """A source that counts how often it is asked, and names its user."""

    def __init__(self, *tokens: Any, who: Any = None) -> None:
        self._tokens: Iterator[Any] = itertools.cycle(tokens)
        self._who = who
        self.asked = 0

    def token(self) -> Any:
        self.asked += 1
        return next(self._tokens)

    def principal(self) -> Any:
        return self._who


def _error(value: object, now: float | None = None) -> ConfigurationError | LoginRequiredError:
    def resolve() -> None:
        logins = Logins.of(value)
        if now is not None:
            logins.resolve(now)

    with pytest.raises((ConfigurationError, LoginRequiredError)) as caught:
        resolve()
    error: Any = caught.value
    assert "CANARY" not in str(error)
    assert "eyJ" not in str(error)
    assert error.hint
    return error


# What may be given


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_is_a_guest(value: object) -> None:
    """No logins, or explicitly none, is guest access: no tokens, principal "guest"."""
    logins = Logins.of(value)
    resolved = logins.resolve(NOW)
    assert (logins.is_guest, logins.principal(), logins.describe()) == (True, "guest", [])
    assert (resolved.tokens, resolved.principal, resolved.identity_id) == ({}, "guest", None)
    assert not logins.can_change


def test_every_form_is_taken() -> None:
    """Text, Secret, function and source, alone or under a provider's name."""
    token = jwt()
    for value in (token, Secret(token), lambda: token, _Told(token)):
        assert Logins.of(value).resolve(NOW).tokens == {GOOGLE: Secret(token)}
        assert Logins.of({GOOGLE: value}).resolve(NOW).tokens == {GOOGLE: Secret(token)}
        assert Logins.of(value).providers == (None,)


def test_several_logins_keep_their_order() -> None:
    """Up to ten providers, in the order given."""
    names = [f"login{index}.example" for index in range(10)]
    logins = Logins.of(dict.fromkeys(names, CANARY))
    assert logins.providers == tuple(names)
    assert list(logins.resolve(NOW).tokens) == names


BAD = [
    ({f"a{index}.b": "t" for index in range(11)}, ["11 logins; Cognito takes at most 10"]),
    ({GOOGLE: CANARY.encode()}, [f"the value for {GOOGLE} is bytes"]),
    ({GOOGLE: {"id_token": CANARY}}, [f"the value for {GOOGLE} is dict"]),
    ({GOOGLE: None}, [f"the value for {GOOGLE} is NoneType"]),
    ({GOOGLE: 7}, [f"the value for {GOOGLE} is int"]),
    ([CANARY], ["the value is list"]),
    (CANARY.encode(), ["the value is bytes"]),
    (_Told, ["the value is the class _Told"]),
    ({GOOGLE: _Told}, [f"the value for {GOOGLE} is the class _Told"]),
    ({GOOGLE: "command:rm -rf CANARY"}, ["names a source, but a token is expected", "CommandSource"]),
    ({GOOGLE: Secret("file:/CANARY")}, ["names a source, but a token is expected"]),
    ({GOOGLE: "keyring:CANARY/user"}, ["names a source, but a token is expected"]),
    ({1: CANARY}, ["a login provider name is text, not int"]),
    ({"": CANARY}, ["'' is not a login provider name"]),
    ({"a b.c": CANARY}, ["'a b.c' is not a login provider name", "no spaces"]),
    ({"x." * 65: CANARY}, ["is not a login provider name"]),
    ({"a.b\x1b[2J": CANARY}, ["is not a login provider name"]),
    ({f"https://{GOOGLE}/": CANARY}, ["has a scheme", f"drop it: '{GOOGLE}'"]),
    ({"https://t.auth0.com/x/": CANARY}, ["drop it: 't.auth0.com/x'"]),
    ({"gogle": CANARY}, ["'gogle' is not a login provider", f"Did you mean '{GOOGLE}'"]),
    ({"Facebook": CANARY}, ["Did you mean 'graph.facebook.com'"]),
    pytest.param({"eu-west-1_AbC": CANARY}, [f"For a user pool write '{USER_POOL}'"]),
    pytest.param(
        {"cn-north-1_AbC": CANARY}, ["write 'cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC'"]
    ),
    (
        {"mycompany": CANARY},
        ["'mycompany' is not a login provider", "the issuer of the token without https://"],
    ),
    # Key and value swapped: the key is a token.
    ({jwt(): GOOGLE}, ["not shown, it may be a token"]),
    ({"Atza|CANARY" + "x" * 90: "www.amazon.com"}, ["not shown, it may be a token"]),
    ({"123-CANARY;abcdef": "api.twitter.com"}, ["not shown, it may be a token"]),
    ({"ya29CANARY" + "x" * 30: "www.amazon.com"}, ["not shown, it may be a token"]),
]


@pytest.mark.parametrize(("value", "parts"), BAD)
def test_bad_logins_are_one_clear_line(value: object, parts: list[str]) -> None:
    """A login that is none is refused by its origin and type, before a source is asked, and not shown."""
    error = _error(value)
    assert isinstance(error, ConfigurationError)
    assert error.exit_code == 4
    assert str(error).startswith("logins from argument")
    assert str(error).isprintable()
    for part in parts:
        assert part.lower() in str(error).lower()


@pytest.mark.parametrize("name", [USER_POOL, OWN, "localhost:8080/x", "login.mycompany"])
def test_provider_names_of_every_kind_are_taken(name: str) -> None:
    """User pools, developer providers and local issuers are login providers."""
    assert Logins.of({name: CANARY}).resolve(NOW).tokens == {name: Secret(CANARY)}


def test_a_profile_names_sources() -> None:
    """In a profile a login is the text of a source, under a provider's name or alone."""
    logins = Logins.parse({GOOGLE: "env:T", "a.b": "file:/x"}, origin="profile 'app'", environ={"T": jwt()})
    assert logins.describe() == [f"{GOOGLE} = env:T", "a.b = file:/x"]
    alone = Logins.parse({None: "env:T"}, origin="profile 'app'", environ={"T": jwt()})
    assert alone.describe() == ["(as the token says) = env:T"]
    assert list(alone.resolve(NOW).tokens) == [GOOGLE]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({GOOGLE: jwt()}, "cognito_logins from profile 'app': the value is no login source"),
        ({"gogle": "env:T"}, "logins from profile 'app': 'gogle' is not a login provider"),
        ({f"a{i}.b": "env:T" for i in range(11)}, "logins from profile 'app': 11 logins"),
    ],
)
def test_bad_profile_logins_name_the_profile(value: dict[str | None, str], what: str) -> None:
    """The same checks, with the profile as origin."""
    with pytest.raises(ConfigurationError) as caught:
        Logins.parse(value, origin="profile 'app'")
    assert str(caught.value).startswith(what)


# Resolving


def test_each_source_is_asked_once() -> None:
    """Resolving asks each source once."""
    sources = {f"a{index}.b": _Told(CANARY) for index in range(3)}
    logins = Logins.of(sources)
    logins.resolve(NOW)
    assert [source.asked for source in sources.values()] == [1, 1, 1]


def test_an_expired_token_is_asked_for_once_more() -> None:
    """A source that gives an expired token is asked once more."""
    fresh = jwt(exp=NOW + 1)
    healing = _Told(jwt(exp=NOW), fresh)
    assert Logins.of({GOOGLE: healing}).resolve(NOW).tokens[GOOGLE].reveal() == fresh
    assert healing.asked == 2

    stale = _Told(jwt(exp=NOW - 61))
    error = _error({GOOGLE: stale}, now=NOW)
    assert isinstance(error, LoginRequiredError)
    assert str(error).startswith(f"the login token for {GOOGLE} from _Told expired 1 minute ago")
    assert stale.asked == 2


@pytest.mark.parametrize(
    ("ago", "words"),
    [(0, "seconds ago"), (59, "seconds"), (3599, "59 minutes"), (7200, "2 hours"), (86_400 * 9, "9 days")],
)
def test_the_age_of_a_token_is_told(ago: int, words: str) -> None:
    """The error says how long ago the token expired: a forgotten sign-in, or a wrong clock."""
    assert f"expired {words}" in str(_error(jwt(exp=NOW - ago), now=NOW))


def test_expiry_is_judged_by_the_time_given() -> None:
    """The service's time decides, not this machine's."""
    assert Logins.of(jwt(exp=10)).resolve(9).tokens
    assert Logins.of(jwt(exp="soon")).resolve(NOW).tokens


def test_a_login_that_fails_is_never_a_guest() -> None:
    """Where one of several tokens is missing, none is sent."""
    for nothing in (None, "", Secret("")):
        error = _error({"a.b": CANARY, GOOGLE: lambda nothing=nothing: nothing}, now=NOW)
        assert isinstance(error, LoginRequiredError)
    assert isinstance(_error({GOOGLE: ""}, now=NOW), LoginRequiredError)
    assert isinstance(_error(EnvironmentSource("NOT_SET", {}), now=NOW), LoginRequiredError)


def test_an_access_token_is_told_from_an_id_token() -> None:
    """An access token is refused here; the service would say "Missing a required claim: aud"."""
    token = jwt(iss=f"https://{USER_POOL}", token_use="access", aud=None)
    for value in (token, {USER_POOL: token}):
        error = _error(value, now=NOW)
        assert isinstance(error, ConfigurationError)
        assert f"the token for {USER_POOL} is an access token" in str(error)
        assert "ID token" in str(error)
    assert Logins.of(jwt(token_use="id")).resolve(NOW).tokens


def test_a_wrong_provider_names_both() -> None:
    """A token of another issuer is an error that names both."""
    error = _error({USER_POOL.replace("eu-west-1", "us-east-1"): jwt(iss=f"https://{USER_POOL}")}, now=NOW)
    assert isinstance(error, ConfigurationError)
    assert "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC" in str(error)
    assert f"but the token is from '{USER_POOL}'" in str(error)


@pytest.mark.parametrize(
    ("provider", "issuer"),
    [
        (GOOGLE, f"https://{GOOGLE}"),
        (GOOGLE, GOOGLE),
        ("t.auth0.com", "https://t.auth0.com/"),
        ("t.auth0.com/", "https://t.auth0.com/"),
        (GOOGLE, None),
        (GOOGLE, ["https://a.b"]),
    ],
)
def test_right_and_unknown_issuers_pass(provider: str, issuer: object) -> None:
    """Scheme and trailing slash do not matter, and a token without an issuer is let through."""
    assert list(Logins.of({provider: jwt(iss=issuer)}).resolve(NOW).tokens) == [provider]


@pytest.mark.parametrize("token", [CANARY, jwt(iss=None), jwt(iss=["https://a.b"])])
def test_a_token_without_issuer_needs_a_provider(token: str) -> None:
    """An opaque token without a provider is an error."""
    error = _error(token, now=NOW)
    assert isinstance(error, ConfigurationError)
    assert "does not say which login provider it is from. Name the provider" in str(error)


def test_an_issuer_that_is_no_provider_is_said() -> None:
    """A provider derived from a token is checked like one that was given."""
    assert "the token's issuer: 'made up' is not a login provider name" in str(
        _error(jwt(iss="made up"), now=NOW)
    )


def test_one_provider_twice_is_refused() -> None:
    """A derived provider must not silently replace a named one."""
    error = _error({GOOGLE: jwt(sub="a"), None: jwt(sub="b")}, now=NOW)
    assert f"two tokens are from {GOOGLE}" in str(error)


@pytest.mark.parametrize(
    ("provider", "identity_id", "expected"),
    [
        (OWN, IDENTITY, IDENTITY),
        ("cognito-identity-us-gov.amazonaws.com", "us-gov-west-1:0-1", "us-gov-west-1:0-1"),
        ("cognito-identity.us-gov-east-1.amazonaws.com", "us-gov-east-1:0-1", "us-gov-east-1:0-1"),
        ("cognito-identity.cn-north-1.amazonaws.com.cn", "cn-north-1:0-1", "cn-north-1:0-1"),
        (OWN, "cn-north-1:0-1", None),
        (OWN, "ann", None),
        (OWN, IDENTITY + "0" * 20, None),
        (GOOGLE, IDENTITY, None),
    ],
)
def test_cognitos_own_tokens_bring_their_identity(
    provider: str, identity_id: str, expected: str | None
) -> None:
    """GetId refuses them; the identity is their subject, by the partition's own provider name."""
    token = jwt(iss=f"https://{provider}", sub=identity_id)
    assert Logins.of(token).resolve(NOW).identity_id == expected


# Whose they are


def test_a_forged_subject_is_another_principal() -> None:
    """Two tokens with one subject and different signatures, given per call, are two principals (T7)."""
    real, forged = jwt(sub="ann", signature="cmVhbA"), jwt(sub="ann", signature="Zm9yZ2Vk")
    principals = {
        logins.resolve(NOW).principal
        for token in (real, forged, jwt(sub="ann", header={"alg": "none"}, signature=""))
        for logins in (Logins.of(token),)
    }
    assert len(principals) == 3
    assert all(principal.startswith("token:") for principal in principals)


def test_a_function_cannot_tell_who_it_is_before_it_is_asked() -> None:
    """The user of a function, a command or another source is unknown without its token."""
    for value in (jwt, CommandSource(["x"]), _Told(jwt())):
        logins = Logins.of(value)
        assert logins.principal() is None
        assert logins.can_change
    assert Logins.of(jwt).resolve(NOW).principal == Logins.of(jwt()).principal()


def test_an_explicit_user_decides_alone() -> None:
    """With a user set, tokens do not decide the principal, and each user has another one."""
    source = _Told(jwt(sub="a"), jwt(sub="b"))
    logins = Logins.of({GOOGLE: source})
    ann = logins.of_user("ann")
    assert ann.principal() == ann.resolve(NOW).principal == ann.resolve(NOW).principal
    assert str(ann.principal()).startswith("user:")
    assert "ann" not in str(ann.principal())
    assert len({logins.of_user(user).principal() for user in ("ann", "bob", "ann\0", "", "\ud800")}) == 5


def test_a_named_guest_is_not_the_same_user_signed_in() -> None:
    """A named guest and the same user signed in are two principals, so that nothing links them."""
    guest, user = Logins.of(None), Logins.of({GOOGLE: CANARY})
    ann = guest.of_user("ann")
    all_of_them = (ann, user.of_user("ann"), guest.of_user("bob"), guest)
    assert len({logins.principal() for logins in all_of_them}) == 4
    assert ann.resolve(NOW).principal == ann.principal()


def test_a_file_keeps_its_user_over_new_tokens(place: Path) -> None:
    """A refreshed token of the same user is the same principal; another user is another."""
    path = place / "token"
    logins = Logins.of(FileSource(path))
    path.write_text(jwt(sub="ann", exp=NOW + 1))
    first = logins.principal()
    path.write_text(jwt(sub="ann", exp=NOW + 2, signature="bmV3"))
    assert logins.principal() == logins.resolve(NOW).principal == first
    path.write_text(jwt(sub="bob"))
    assert logins.principal() != first
    path.write_text(jwt(sub="ann", iss="https://other.example"))
    assert logins.principal() != first


def test_an_expired_file_token_still_tells_who(place: Path) -> None:
    """An expired token of a file still names the principal."""
    path = place / "token"
    path.write_text(jwt(exp=1))
    logins = Logins.of({GOOGLE: FileSource(path)})
    assert str(logins.principal()).startswith("subject:")
    with pytest.raises(LoginRequiredError, match="expired"):
        logins.resolve(NOW)


def test_the_principal_is_of_the_token_that_is_sent(place: Path) -> None:
    """A file that changes users between two readings never brings a token under another user's name."""
    path = place / "token"
    path.write_text(jwt(sub="ann"))

    class _Rotating(FileSource):
        def token(self) -> Secret:
            token = super().token()
            path.write_text(jwt(sub="bob"))
            return token

    ann = Logins.of({GOOGLE: FileSource(path)}).principal()
    resolved = Logins.of({GOOGLE: _Rotating(path)}).resolve(NOW)
    assert resolved.tokens[GOOGLE].reveal() == jwt(sub="ann")
    assert resolved.principal == ann


def test_opaque_file_tokens_are_bound_whole(place: Path) -> None:
    """A file's token without a subject makes a principal of its hash."""
    path = place / "token"
    path.write_text(CANARY)
    logins = Logins.of({"graph.facebook.com": FileSource(path)})
    assert logins.principal() is None
    assert logins.resolve(NOW).principal.startswith("token:")


def test_a_variable_tells_offline_and_is_bound_whole() -> None:
    """A variable's token makes a principal of its hash, without being asked for."""
    environ = {"T": jwt()}
    logins = Logins.of(EnvironmentSource("T", environ))
    assert logins.principal() == logins.resolve(NOW).principal
    assert str(logins.principal()).startswith("token:")
    environ["T"] = jwt(sub="bob")
    assert logins.principal() == logins.resolve(NOW).principal


def test_a_source_may_name_its_user() -> None:
    """The name that a program's source gives its user is taken before and after its token."""
    logins = Logins.of({GOOGLE: _Told(jwt(sub="a"), jwt(sub="b"), who="ann")})
    assert logins.principal() == logins.resolve(NOW).principal
    assert str(logins.principal()).startswith("subject:")
    other = Logins.of({GOOGLE: _Told(jwt(), who="bob")})
    assert other.principal() != logins.principal()
    for wrong in ("", 7, b"x"):
        with pytest.raises(ConfigurationError, match=r"principal\(\) of the login source _Told gave"):
            Logins.of({GOOGLE: _Told(jwt(), who=wrong)}).principal()


def test_an_error_of_principal_is_replaced_too() -> None:
    """An error of principal() is replaced by one that holds nothing of it."""

    class _Raising(_Told):
        def principal(self) -> str:
            raise OSError(CANARY)

    with pytest.raises(LoginRequiredError, match="_Raising failed with OSError") as caught:
        Logins.of({GOOGLE: _Raising(jwt())}).principal()
    assert caught.value.__context__ is None


def test_one_untrusted_token_binds_them_all(place: Path) -> None:
    """Several logins name a subject only if each does. Their providers count, not their order."""
    (place / "token").write_text(jwt(sub="ann"))
    file = FileSource(place / "token")
    both = Logins.of({GOOGLE: file, "a.b": _Told(CANARY, who="x")})
    mixed = Logins.of({GOOGLE: file, "a.b": CANARY})
    assert str(both.principal()).startswith("subject:")
    assert str(mixed.principal()).startswith("token:")
    assert mixed.resolve(NOW).principal == mixed.principal()
    turned = Logins.of({"a.b": CANARY, GOOGLE: file})
    assert turned.principal() == mixed.principal()
    assert Logins.of({"a.c": CANARY}).principal() != Logins.of({"a.b": CANARY}).principal()


NAMES = st.text('ab.,\0"', min_size=1, max_size=4).map(lambda text: "x." + text.replace("\0", "_"))
TOKENS = st.text(min_size=1, max_size=5).filter(lambda text: text.strip() == text)


@given(
    st.dictionaries(NAMES, TOKENS, min_size=1, max_size=3),
    st.dictionaries(NAMES, TOKENS, min_size=1, max_size=3),
)
def test_different_logins_are_different_principals(one: dict[str, str], other: dict[str, str]) -> None:
    """Two sets of providers and tokens share a principal exactly when they are the same set."""
    same = Logins.of(one).principal() == Logins.of(other).principal()
    assert same is (one == other)


def test_nothing_here_shows_a_token(place: Path) -> None:
    """No repr, description or principal of logins, resolved or not, holds a token or a user's name."""
    (place / "token").write_text(jwt(sub="CANARY-user"))
    logins = Logins.of({GOOGLE: FileSource(place / "token"), "a.b": CANARY, "c.d": lambda: CANARY})
    resolved = logins.of_user("CANARY-user").resolve(NOW)
    shown = json.dumps([repr(logins), repr(resolved), logins.describe(), resolved.principal, str(resolved)])
    assert "CANARY" not in shown
    assert "a.b = (a token given)" in shown


class _SignedIn(Source):
    """A source with an account of ours, as signing in makes it."""

    is_sign_in = True

    def __init__(self, who: str) -> None:
        self.who = who

    def token(self) -> str:
        return "CANARY-opaque"

    def principal(self) -> str:
        return self.who

    def depends(self) -> tuple[tuple[str, str], ...]:
        return (("file", "/account"),)


def test_two_who_sign_in_under_one_name_are_two() -> None:
    """Two people who signed in under one user name are two principals, with a file each."""
    ada, bob = (Logins.of({"login.example.com": _SignedIn(who)}).of_user("x") for who in ("ada", "bob"))
    neither = Logins.of({"login.example.com": lambda: "CANARY-opaque"}).of_user("x")

    assert ada.principal() == ada.principal() != bob.principal()
    assert ada.principal() != Logins.of({"login.example.com": "CANARY-opaque"}).of_user("x").principal()
    assert ada.depends() == (("file", "/account"),)
    assert neither.depends() == ()
