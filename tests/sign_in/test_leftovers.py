"""Sign-ins that no profile leads to any more: they are found, and ended at their own issuer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.cache.file import FileStore
from cognito_credentials.home import cache_directory
from cognito_credentials.regions import user_pool_issuer
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import leftovers
from cognito_credentials.sign_in.kept.account import Account
from cognito_credentials.sign_in.kept.place import Place, key_of, sign_in_directory
from cognito_credentials.sign_in.kept.stored_tokens import StoredTokens
from cognito_credentials.sign_in.kept.stores import open_store
from cognito_credentials.sign_in.profile import source_of_profile
from cognito_credentials.sign_in.sign_out_all import sign_out_all
from cognito_credentials.sign_in.source import SignInSource
from cognito_credentials.sign_in.sources import OidcLogin
from tests.cli.conftest import Cli, cli, config

from .conftest import Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .test_attacks import Visit

__all__ = ["cli", "config"]
pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own


def _issuer() -> HostileIssuer:
    issuer = HostileIssuer()
    issuer.answers["/revoke"] = lambda: answer({})
    return issuer


@pytest.fixture
def old() -> Iterator[HostileIssuer]:
    """The issuer that the profile named before."""
    issuer = _issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def new() -> Iterator[HostileIssuer]:
    """The one that it names now."""
    issuer = _issuer()
    yield issuer
    issuer.close()


def _source(settings: dict[str, str], profile: str = "app") -> SignInSource:
    return source_of_profile(
        {"cognito_login_store": "file", **settings},
        origin=f"profile '{profile}'",
        profile_name=profile,
        profile_settings={},
    )


def _by_a_program(issuer: HostileIssuer) -> SignInSource:
    """Return a source that does not note its config, as in early versions."""
    return OidcLogin(issuer.url, CLIENT, store="file", profile_name="app")


def _at(issuer: HostileIssuer, client: str = CLIENT) -> dict[str, str]:
    return {"cognito_oidc_issuer": issuer.url, "cognito_oidc_client_id": client}


def _sign_in(source: Any, issuer: HostileIssuer) -> None:
    assert Visit(source, issuer).finish().subject == "ann"
    issuer.nonce = None


def _revoked(issuer: HostileIssuer) -> list[tuple[str, str]]:
    return [(form["client_id"], form["token"]) for _, path, form in issuer.requests if path == "/revoke"]


def _the_one(home: Path) -> Place:
    """Return the place of the only sign-in."""
    (found,) = leftovers.find({"HOME": str(home)}, [])
    return found.place


def _left(home: Path) -> list[str]:
    return sorted(path.name.partition("-v1-")[0] for path in home.rglob("*-v1-*.json"))


def test_signing_out_of_a_profile_whose_client_was_changed(old: HostileIssuer, isolation: Path) -> None:
    """The sign-in of the old client is ended, with the old client's id."""
    _sign_in(_source(_at(old)), old)

    done = _source(_at(old, "desktop-2")).sign_out()

    assert (done.users, done.revoked) == ((f"ann at {old.url}",), True)
    assert _revoked(old) == [(CLIENT, old.refresh_tokens[-1])]
    assert _left(isolation) == []


def test_signing_in_at_another_issuer(old: HostileIssuer, new: HostileIssuer, isolation: Path) -> None:
    """The previous sign-in is ended at its own issuer, its token goes nowhere else, and a message says so."""
    _sign_in(_source(_at(old)), old)
    person = Person()
    source = _source(_at(new))

    _sign_in(SimpleNamespace(sign_in=lambda _, **options: source.sign_in(person, **options)), new)

    assert _revoked(old) == [(CLIENT, old.refresh_tokens[-1])]
    assert _revoked(new) == []
    assert _left(isolation) == ["process", "secret", "sign-in"]
    assert source.account() is not None
    assert person.shown[-1] == f"Ended the sign-in of ann at {old.url}, which this profile had before."


def test_what_other_profiles_and_programs_have_stays(
    old: HostileIssuer, new: HostileIssuer, isolation: Path
) -> None:
    """Only a profile's earlier sign-ins are ended: sources made in Python stand beside each other."""
    _sign_in(_source(_at(old), "other"), old)
    _sign_in(OidcLogin(old.url, CLIENT, store="file"), old)
    _sign_in(OidcLogin(new.url, CLIENT, store="file"), new)
    _sign_in(_source(_at(new)), new)

    _source(_at(new)).sign_out()
    OidcLogin(new.url, CLIENT, store="file").sign_out()

    assert _revoked(old) == []
    assert _left(isolation) == [*["process"] * 2, *["secret"] * 2, *["sign-in"] * 2]


def test_another_user_of_an_app_stays(old: HostileIssuer, new: HostileIssuer, isolation: Path) -> None:
    """The sign-ins of an app's users are not earlier sign-ins of each other."""
    _sign_in(_source(_at(old)).of_user("ann"), old)

    _source(_at(new)).sign_out()

    assert _left(isolation) == ["process", "secret", "sign-in"]


def test_an_issuer_that_is_gone(old: HostileIssuer, new: HostileIssuer, isolation: Path) -> None:
    """The files are removed anyway, and the result says that the token was not revoked."""
    _sign_in(_source(_at(old)), old)
    old.close()

    done = _source(_at(new)).sign_out()

    assert (done.users, done.kept) == ((f"ann at {old.url}",), ())
    assert (done.revoked, done.is_unreached) == (False, True)
    assert _left(isolation) == []


def test_an_earlier_one_that_is_in_use(
    old: HostileIssuer, new: HostileIssuer, isolation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new sign-in is stored, and a message names the one that is still here."""
    _sign_in(_source(_at(old)), old)
    monkeypatch.setattr(Place.lock.__wrapped__, "__defaults__", (0.2,))  # type: ignore[attr-defined]  # its budget
    person = Person()
    source = _source(_at(new))

    with _the_one(isolation).lock():
        _sign_in(SimpleNamespace(sign_in=lambda _, **options: source.sign_in(person, **options)), new)

    assert source.account() is not None
    assert person.shown[-1].startswith(f"The sign-in of ann at {old.url} is still here: another process")
    assert _left(isolation) == [*["process"] * 2, *["secret"] * 2, *["sign-in"] * 2]


def test_logout_where_an_earlier_one_is_in_use(
    old: HostileIssuer,
    new: HostileIssuer,
    config: Callable[[str], Path],
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The result names what was ended, and what is still here."""
    _sign_in(_source(_at(old)), old)
    earlier = _the_one(isolation)
    config(PROFILE.format(issuer=new.url, client=CLIENT))
    _sign_in(OidcLogin(new.url, CLIENT, store="file", profile_name="app"), new)
    monkeypatch.setattr(Place.lock.__wrapped__, "__defaults__", (0.2,))  # type: ignore[attr-defined]  # its budget

    with earlier.lock():
        done = IdentityPool(profile_name="app").sign_out("login")

    assert (done.users, done.revoked, done.is_unreached) == (("ann",), True, True)
    (kept,) = done.kept
    assert kept.startswith(f"The sign-in of ann at {old.url} is still here: another process")
    assert _left(isolation) == ["process", "secret", "sign-in"]


@pytest.mark.parametrize("before", ["another file", "not noted"])
def test_a_profile_of_the_same_name_in_another_config(
    old: HostileIssuer,
    new: HostileIssuer,
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
) -> None:
    """A profile of another config file ends nothing of this one, and says what is there."""
    _sign_in(_source(_at(old)) if before == "another file" else _by_a_program(old), old)
    if before == "another file":
        monkeypatch.setenv("AWS_CONFIG_FILE", str(isolation / "project-b" / "config"))
    person, source = Person(), _source(_at(new))

    _sign_in(SimpleNamespace(sign_in=lambda _, **options: source.sign_in(person, **options)), new)
    done = source.sign_out()

    said = (
        f"The sign-in of ann at {old.url} is still here: it may be of a profile of this name in another "
        "config file; 'cognito-credentials logout --all' ends it"
    )
    assert person.shown[-1] == f"{said}."
    assert (done.kept, done.is_unreached) == ((said,), False)
    assert _revoked(old) == []
    assert _left(isolation) == ["process", "secret", "sign-in"]


def test_logout_says_what_it_leaves_alone(
    old: HostileIssuer, new: HostileIssuer, cli: Cli, config: Callable[[str], Path]
) -> None:
    """A sign-in that is not ended is named; the exit code is 0."""
    _sign_in(_by_a_program(old), old)
    config(PROFILE.format(issuer=new.url, client=CLIENT))

    done = cli("logout", "--profile", "app")

    assert done.code == 0
    assert done.out == "Nobody was signed in, and there was nothing to remove.\n"
    assert f"The sign-in of ann at {old.url} is still here: it may be" in done.err


def test_a_user_pool_that_was_another(isolation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is revoked by RevokeToken, at the endpoint that it was made at."""
    server = EmulatedPool()
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    server.add("ann", "CANARY correct horse")
    settings = {"cognito_user_pool_id": POOL, "cognito_client_id": APP_CLIENT, "cognito_sign_in": "password"}
    _source(settings).sign_in(Person("ann", "CANARY correct horse"))

    done = _source({**settings, "cognito_client_id": "another1234567890"}).sign_out()
    server.close()

    assert (len(done.users), done.revoked) == (1, True)
    assert _left(isolation) == []


def test_what_aws_gave_is_not_sent_where_a_variable_points(isolation: Path) -> None:
    """A sign-in that was made at AWS is ended at AWS, whatever endpoint is configured today."""
    account = Account(
        issuer=f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
        client_id=APP_CLIENT,
        subject="ann",
        name="",
        store="file",
        signed_in_at=1,
    )
    directory = sign_in_directory({"HOME": str(isolation)})
    for endpoint in (None, "http://127.0.0.1:9"):
        Place(directory, key_of("app", account.issuer, APP_CLIENT, endpoint)).write(
            "sign-in", account.encode()
        )

    profile = leftovers.Profile("app", {}, "http://127.0.0.1:9")
    found = [each for each in leftovers.find({"HOME": str(isolation)}, [profile]) if each.profile]

    assert {each.endpoint_url: each.place.key for each in found} == {
        endpoint: key_of("app", account.issuer, APP_CLIENT, endpoint)
        for endpoint in (None, "http://127.0.0.1:9")
    }


@pytest.mark.parametrize("how", ["login", "logout"])
def test_a_stand_in_beside_aws(isolation: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Signing in and out at an endpoint that a variable names leaves sign-ins at another endpoint alone."""
    settings = {"cognito_user_pool_id": POOL, "cognito_client_id": APP_CLIENT, "cognito_sign_in": "password"}
    account = Account(
        issuer=f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
        client_id=APP_CLIENT,
        subject="ada",
        name="",
        store="file",
        signed_in_at=1,
    )
    at_aws = _source(settings)
    at_aws._place().write("sign-in", account.encode())
    server = EmulatedPool()
    server.add("ann", "CANARY correct horse")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    local, person = _source(settings), Person("ann", "CANARY correct horse")

    local.sign_in(person)
    if how == "logout":
        assert local.sign_out().users == ("ann",)
    server.close()

    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert at_aws.account() == account
    assert not any("before" in said for said in person.shown)


PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70
cognito_oidc_issuer = {issuer}
cognito_oidc_client_id = {client}
cognito_login_store = file
"""


def test_logout_of_a_changed_profile_says_so(
    old: HostileIssuer, cli: Cli, config: Callable[[str], Path], isolation: Path
) -> None:
    """The command line names who was signed in, and where."""
    _sign_in(_source(_at(old)), old)
    config(PROFILE.format(issuer=old.url, client="desktop-2"))

    done = cli("logout", "--profile", "app")

    assert (done.code, done.err) == (0, "")
    assert done.out == f"Signed out ann at {old.url}: the refresh token is revoked and removed.\n"
    assert _left(isolation) == []


@pytest.mark.quick
def test_logout_of_everything(old: HostileIssuer, new: HostileIssuer, cli: Cli, isolation: Path) -> None:
    """`logout --all` needs no profile: every sign-in is ended at its issuer, and all credentials go."""
    _sign_in(_source(_at(old)), old)
    _sign_in(_source(_at(new), "other"), new)
    _sign_in(OidcLogin(new.url, CLIENT, store="file"), new)
    directory = sign_in_directory({"HOME": str(isolation)})
    Place(directory, "0" * 40).write("secret", b"CANARY")  # its account is gone
    (Path(directory) / f".secret-v1-{'1' * 40}.json.4711.0123456789abcdef.tmp").write_bytes(b"CANARY")
    cache = cache_directory({"HOME": str(isolation)})
    assert cache is not None
    FileStore(cache, explicit=True, warn=pytest.fail).store("credentials", "2" * 40, b"CANARY")

    done = cli("logout", "--all")

    assert done.code == 0, done.err
    ended = "the refresh token is revoked and removed."
    assert sorted(done.out.splitlines()) == sorted(
        [
            "Removed the credentials.",
            "Removed what was left of 2 earlier sign-ins.",
            f"Signed out ann at {new.url}: {ended}",
            f"Signed out ann at {new.url}: {ended}",
            f"Signed out ann at {old.url}: {ended}",
        ]
    )
    assert (len(_revoked(old)), len(_revoked(new))) == (1, 2)
    assert [
        path.name for path in isolation.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()
    ] == []
    assert cli("logout", "--all").out == "Nobody was signed in, and there was nothing to remove.\n"


def test_logout_of_everything_where_one_cannot_be_ended(
    old: HostileIssuer, new: HostileIssuer, cli: Cli, isolation: Path
) -> None:
    """An issuer that is gone does not stop the others; the exit code says that a token is still valid."""
    _sign_in(_source(_at(old)), old)
    _sign_in(_source(_at(new), "other"), new)
    old.close()

    done = cli("logout", "--all")

    assert done.code == 6
    assert f"Signed out ann at {old.url}: the refresh token is removed.\n" in done.out
    assert f"Signed out ann at {new.url}: the refresh token is revoked and removed.\n" in done.out
    assert "not revoked" in done.err
    assert _left(isolation) == []


def _plant(place: Place, account: Account, principal: str | None) -> None:
    kept = StoredTokens(Secret("CANARY refresh"), None, 0, principal)
    open_store("file", place).store(kept.encode())
    place.write("sign-in", account.encode())


def _account(issuer: str, client: str) -> Account:
    return Account(issuer=issuer, client_id=client, subject="ada", name="", store="file", signed_in_at=1)


@pytest.mark.parametrize("is_known", [False, True])
def test_a_stand_in_elsewhere_that_signs_as_aws(
    cli: Cli, config: Callable[[str], Path], isolation: Path, is_known: bool
) -> None:
    """Its token goes to it if a profile names its endpoint, and never to AWS, which would call it revoked."""
    account, endpoint = _account(user_pool_issuer(POOL), APP_CLIENT), "https://idp.invalid:8443"
    key = key_of("app", account.issuer, APP_CLIENT, endpoint)
    _plant(Place(sign_in_directory({"HOME": str(isolation)}), key), account, account.principal)
    config(f"[profile app]\nendpoint_url = {endpoint}\n" if is_known else "[profile app]\n")

    done = cli("logout", "--all")

    assert ("the endpoint that it was made at is not known" in done.err) is not is_known
    assert ("idp.invalid" in done.err) is is_known
    assert done.out == f"Signed out ada at {account.issuer}: the refresh token is removed.\n"
    assert _left(isolation) == []


@pytest.mark.parametrize("is_set", [True, False])
def test_a_program_without_a_profile_signs_in_where_the_environment_leads(
    cli: Cli, isolation: Path, is_set: bool
) -> None:
    """`logout --all` revokes there, where the variable is set for it, too; else it says what to do."""
    account, endpoint = _account(user_pool_issuer(POOL), APP_CLIENT), "https://idp.invalid:8443"
    key = key_of(None, account.issuer, APP_CLIENT, endpoint)
    _plant(Place(sign_in_directory({"HOME": str(isolation)}), key), account, account.principal)

    variable = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
    done = cli("logout", "--all", env={variable: endpoint} if is_set else {})

    assert ("idp.invalid" in done.err) is is_set  # it was asked, which is no address of this network
    assert (f"next time set {variable}" in done.err) is not is_set
    assert _left(isolation) == []


def test_a_secret_that_does_not_say_whose_it_is(old: HostileIssuer, isolation: Path) -> None:
    """Attack: an account file that somebody else put there does not decide where a refresh token is sent."""
    account = _account(old.url, CLIENT)
    for issuer in ("https://good.example.com", old.url):  # the name of its files says whose the second is
        place = Place(sign_in_directory({"HOME": str(isolation)}), key_of(None, issuer, CLIENT))
        _plant(place, account, None)

    done, problem = sign_out_all({"HOME": str(isolation)}, pytest.fail)

    assert problem is None
    assert sorted((each.revoked, each.problems) for each in done) == [
        (False, ("it does not say which issuer it is from",)),
        (True, ()),
    ]
    assert len(_revoked(old)) == 1


@pytest.mark.parametrize("is_configured", [True, False])
def test_logout_of_everything_at_an_issuer_that_asks_for_the_client_secret(
    old: HostileIssuer,
    cli: Cli,
    config: Callable[[str], Path],
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_configured: bool,
) -> None:
    """The profile's client secret is used; without it, the exit code says that the token is not revoked."""
    secret = {"cognito_oidc_client_secret": "env:CLIENT_SECRET"}
    monkeypatch.setenv("CLIENT_SECRET", "CANARY-client")
    old.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    _sign_in(_source({**_at(old), **secret}), old)
    refused = answer({"error": "invalid_client"}, 401)
    old.answers["/revoke"] = lambda: answer({}) if "client_secret" in old.requests[-1][2] else refused
    if is_configured:
        text = PROFILE.format(issuer=old.url, client=CLIENT)
        config(text + "cognito_oidc_client_secret = env:CLIENT_SECRET\n")

    done = cli("logout", "--all", env={"CLIENT_SECRET": "CANARY-client"})

    how = "revoked and removed" if is_configured else "removed"
    assert done.out == f"Signed out ann at {old.url}: the refresh token is {how}.\n"
    assert (done.code, "not revoked" in done.err) == ((0, False) if is_configured else (6, True))
    assert _left(isolation) == []


def test_logout_of_everything_with_a_broken_config(
    old: HostileIssuer, cli: Cli, config: Callable[[str], Path], isolation: Path
) -> None:
    """A broken profile or file is reported, and every sign-in is ended anyway."""
    for text in ("[profile app]\ncognito_oidc_issuer = x\n[profile b]\n", "no section\n"):
        _sign_in(_source(_at(old)), old)
        config(text)

        done = cli("logout", "--all")

        assert done.code == 0
        assert "is ended without its settings" in done.err
        assert _left(isolation) == []
    assert len(_revoked(old)) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--profile", "app"], "--all is of every sign-in, and --profile selects one"),
        (["--scope", "identity"], "--all ends sign-ins, whatever --scope says"),
        (["--scope", "credentials"], "--all ends sign-ins, whatever --scope says"),
    ],
)
def test_what_does_not_go_with_all(cli: Cli, options: list[str], says: str) -> None:
    """Options that contradict each other are refused before anything is removed."""
    done = cli("logout", "--all", *options)

    assert done.code == 2
    assert says in done.line
