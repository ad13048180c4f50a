"""The fixtures of the pytest plugin."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import freezegun
import jwt
import pytest
from botocore.exceptions import ClientError

from cognito_credentials import IdentityPool, ServiceError, Session
from cognito_credentials.sign_in import UserPool

POOL = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000009"

PROJECT = """
import json
import threading
import urllib.error
import urllib.request

import pytest

from cognito_credentials.emulator import Emulator


def get_id(url, **content):
    headers = {"X-Amz-Target": "AWSCognitoIdentityService.GetId"}
    request = urllib.request.Request(url, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["IdentityId"]


@pytest.fixture(scope="session")
def shared(emulator_keys):
    with Emulator(keys=emulator_keys) as running:
        yield running, running.create_pool()


@pytest.fixture
def another(emulator_keys):
    with Emulator(keys=emulator_keys) as running:
        yield running


@pytest.mark.parametrize("number", range(4))
def test_each_has_its_own(emulator, emulator_url, emulator_pool, number):
    get_id(emulator_url, IdentityPoolId=emulator_pool)
    assert emulator.requests() == {"GetId": 1}


@pytest.mark.parametrize("number", range(4))
def test_a_fixture_of_ones_own_for_the_session(shared, number):
    running, pool_id = shared
    assert get_id(running.url, IdentityPoolId=pool_id)


def test_two_at_once(emulator, emulator_pool, another, emulator_faults):
    emulator_faults({"operation": "GetId", "status": 503})
    assert get_id(another.url, IdentityPoolId=another.create_pool())
    with pytest.raises(urllib.error.HTTPError, match="503"):
        get_id(emulator.url, IdentityPoolId=emulator_pool)


def test_signing_in_from_threads(emulator_url, emulator_pool, emulator_login):
    ids = []
    def sign_in(subject):
        ids.append(get_id(emulator_url, IdentityPoolId=emulator_pool, Logins=dict(emulator_login(subject))))
    threads = [threading.Thread(target=sign_in, args=(name,)) for name in ("ann", "bob") * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ids), len(set(ids))) == (16, 2)


def test_users(emulator, emulator_pool, emulator_user_pool):
    emulator_user_pool.add_user("ann", email="ann@example.com")
    logins = dict(emulator_user_pool.logins("ann"))
    assert get_id(emulator.url, IdentityPoolId=emulator_pool, Logins=logins)


def test_time_passes(emulator, emulator_pool, emulator_login, emulator_clock):
    logins = dict(emulator_login("ann", expires_in=60))
    emulator_clock(50)
    assert get_id(emulator.url, IdentityPoolId=emulator_pool, Logins=logins)
    emulator_clock(400)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get_id(emulator.url, IdentityPoolId=emulator_pool, Logins=logins)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_project_of_ones_own(tmp_path, workers):
    """The plugin's fixtures work in any scope, in threads, beside each other, and in the workers of xdist."""
    (tmp_path / "test_project.py").write_text(PROJECT)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-n", workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert re.search(r"\b12 passed\b", done.stdout), done.stdout + done.stderr


@pytest.mark.thorough
def test_plugin_without_the_extra(tmp_path):
    """Without the extra, a test that uses the emulator fails with the command that installs it."""
    (tmp_path / "test_project.py").write_text("def test_it(emulator): pass")
    (tmp_path / "conftest.py").write_text("import sys; sys.modules['uvicorn'] = None")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert re.search(r"the emulator needs uvicorn; run: .*pip install .*\[emulator\]", done.stdout)
    assert "Traceback" not in done.stdout


@pytest.fixture
def developers_machine(monkeypatch):
    """Variables in a developer's shell."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_COGNITO_IDENTITY_POOL_ID", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")


def test_a_pool_leads_to_the_emulator(developers_machine, emulator_pool, emulator, tmp_path):
    """A test with the pool alone reaches neither AWS nor the developer's files."""
    arn = Session(identity_pool_id=emulator_pool).client("sts").get_caller_identity()["Arn"]

    assert ":assumed-role/unauthenticated/" in arn
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 1}
    assert len(list((tmp_path / "aws" / "cache").glob("credentials-*.txt"))) == 1
    assert not list((tmp_path / "home").iterdir())


def test_a_login_leads_to_the_emulator(developers_machine, emulator_login, emulator):
    """A test with a login and a pool of its own reaches the emulator, too."""
    pool_id = emulator.create_pool(SupportedLoginProviders={"accounts.google.com": "app"})
    session = Session(identity_pool_id=pool_id, logins=emulator_login("ann"), user="ann")

    assert ":assumed-role/authenticated/" in session.client("sts").get_caller_identity()["Arn"]


def test_the_emulator_alone_changes_no_variable(developers_machine, emulator, emulator_url):
    """The emulator itself leaves the environment alone, for a test that has one of its own."""
    assert os.environ["AWS_ENDPOINT_URL"] == "http://192.0.2.1:9"
    assert "AWS_ENDPOINT_URL_STS" not in os.environ


def test_environment(developers_machine, emulator_environment, emulator, emulator_pool, tmp_path):
    """With emulator_environment nothing of the developer's machine is read or written."""
    arn = Session(identity_pool_id=emulator_pool).client("sts").get_caller_identity()["Arn"]

    assert ":assumed-role/unauthenticated/" in arn
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 1}
    assert len(list((tmp_path / "aws" / "cache").glob("credentials-*.txt"))) == 1
    assert not list((tmp_path / "home").iterdir())
    assert emulator_environment.items() <= os.environ.items()


@pytest.fixture
def developers_home(tmp_path, monkeypatch):
    """Another home than the one that the fixtures give."""
    home = tmp_path / "developer"
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    return home


@pytest.mark.writes_secrets
def test_a_sign_in_is_not_stored_in_the_developers_home(
    developers_home, emulator_pool, emulator_user_pool, tmp_path
):
    """An app that keeps a sign-in in a file, or writes below `~`, does so in tmp_path."""
    emulator_user_pool.add_user("ann", password="Correct-horse-1!")
    login = UserPool(emulator_user_pool.id, emulator_user_pool.client_id, store="file")

    IdentityPool(emulator_pool, logins=login).sign_in_with_password("ann", "Correct-horse-1!")

    assert list((tmp_path / "home").rglob("sign-in/*"))
    assert not list(developers_home.iterdir())
    assert Path.home() == tmp_path / "home"


DEFAULT_SESSION_PROJECT = """
import boto3
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_default_session(emulator_environment, monkeypatch, number):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKID{number}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    boto3.client("cognito-identity").list_identity_pools(MaxResults=1)
    assert boto3.DEFAULT_SESSION.get_credentials().access_key == f"AKID{number}"
"""


@pytest.mark.thorough
def test_default_session_of_boto3(tmp_path):
    """Each test gets a new default session with the keys of its environment."""
    (tmp_path / "test_project.py").write_text(DEFAULT_SESSION_PROJECT)
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert re.search(r"\b2 passed\b", done.stdout), done.stdout + done.stderr


class TestOptions:
    """A test file that overrides emulator_options."""

    @pytest.fixture
    def emulator_options(self, tmp_path):
        seed = tmp_path / "pools.toml"
        seed.write_text(
            f'[[pools]]\nIdentityPoolId = "{POOL}"\nIdentityPoolName = "p"\n'
            "AllowUnauthenticatedIdentities = true\n"
        )
        return {"seed": seed, "tls": True}

    def test_options(self, emulator_environment, emulator):
        """emulator_options may name a seed file. With tls the environment trusts the certificate."""
        client = boto3.client("cognito-identity", region_name="eu-west-1")

        assert client.get_id(IdentityPoolId=POOL)["IdentityId"].startswith("eu-west-1:")
        assert emulator.url.startswith("https://")


def travel(emulator, pool_id, seconds, **options):
    """Make a call, and another one *seconds* later by freezegun."""
    client = Session(identity_pool_id=pool_id).client("sts")
    client.get_caller_identity()
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
    with freezegun.freeze_time(later, **options):
        client.get_caller_identity()
    return emulator.requests()["GetCredentialsForIdentity"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param(
            {"tick": True},
            marks=pytest.mark.skipif(sys.implementation.name != "cpython", reason="CPython only"),
        ),
    ],
)
@pytest.mark.parametrize(("seconds", "times"), [(600, 1), (2700, 2), (3700, 2)])
def test_freezegun_moves_both(emulator, emulator_environment, emulator_pool, options, seconds, times):
    """freezegun moves the clocks of service and client: credentials are renewed, and signatures are valid."""
    assert travel(emulator, emulator_pool, seconds, **options) == times


def test_time_machine_moves_both(emulator, emulator_environment, emulator_pool):
    """time-machine moves both clocks as well, where it is installed."""
    time_machine = pytest.importorskip("time_machine")
    client = Session(identity_pool_id=emulator_pool).client("sts")
    client.get_caller_identity()

    with time_machine.travel(dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=3700)):
        client.get_caller_identity()

    assert emulator.requests()["GetCredentialsForIdentity"] == 2


def test_too_short_a_lifetime(emulator_settings, emulator_environment, emulator_pool):
    """Credentials that last less than a minute are refused, and the message says which are accepted."""
    emulator_settings(credential_lifetime=59)

    with pytest.raises(ServiceError) as caught:
        Session(identity_pool_id=emulator_pool).client("sts").get_caller_identity()

    assert caught.value.hint.startswith("Credentials must last 60 seconds to 12 hours")


def test_login_of_another_provider(emulator, emulator_login):
    """emulator_login has the arguments of Emulator.login_token."""
    provider = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"
    pool_id = emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": "client"}]
    )
    client = boto3.client("cognito-identity", endpoint_url=emulator.url, region_name="us-east-1")

    logins = emulator_login("ann", provider=provider, audience="client", claims={"email": "a@example.com"})
    with pytest.raises(ClientError, match="Token expired"):
        client.get_id(
            IdentityPoolId=pool_id,
            Logins=emulator_login("ann", provider=provider, audience="client", expires_in=-1000),
        )

    assert logins.keys() == {provider}
    assert client.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]


def test_faults_one_by_one_or_as_a_list(emulator, emulator_faults):
    """
    Faults are planned as arguments or as a list, listed until they are used up, and removed by no argument.
    """
    one, other = {"operation": "GetId", "status": 503}, {"operation": "*", "drop": True, "times": 2}

    emulator_faults(one, other)
    as_arguments = emulator.planned_faults()
    emulator_faults([one, other])

    assert emulator.planned_faults() == as_arguments == [{**one, "times": 1}, other]
    with pytest.raises(ValueError, match=r"faults\[1\]: expected a JSON object"):
        emulator_faults(one, "GetId")
    emulator_faults()
    assert emulator.planned_faults() == []


def test_settings_and_reset(emulator, emulator_settings, emulator_pool):
    """Settings are changed and read from Python, and restored by a reset."""
    usual = emulator.settings()

    changed = emulator_settings(credential_lifetime=120, clock_offset=-5)
    emulator.reset()

    assert (changed["credential_lifetime"], changed["clock_offset"]) == (120, -5)
    assert emulator.settings() == usual
    assert emulator.service.state.row("SELECT count(*) AS n FROM pools")["n"] == 0
    with pytest.raises(ValueError, match="unknown member credential_livetime; there are: "):
        emulator.settings(credential_livetime=1)


def test_users_of_a_user_pool(emulator, emulator_user_pool, emulator_pool):
    """A user signs in without a browser, has the claims that were given, and keeps sub and identity."""
    pool = emulator_user_pool
    sub = pool.add_user("ann", email="ann@example.com", groups=["staff"], **{"custom:team": "red"})
    client = boto3.client("cognito-identity")

    tokens = pool.sign_in("ann")
    first = client.get_id(IdentityPoolId=emulator_pool, Logins=dict(pool.logins("ann")))["IdentityId"]
    assert pool.add_user("ann", email="ann@example.org") == sub
    again = client.get_id(IdentityPoolId=emulator_pool, Logins=dict(pool.logins("ANN")))["IdentityId"]

    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert (claims["sub"], claims["email"], claims["cognito:groups"]) == (sub, "ann@example.com", ["staff"])
    assert (claims["custom:team"], claims["aud"], claims["iss"]) == (
        "red",
        pool.client_id,
        f"https://{pool.provider}",
    )
    assert (tokens["TokenType"], tokens["ExpiresIn"]) == ("Bearer", 3600)
    assert first == again
    claims = jwt.decode(pool.sign_in("ann")["IdToken"], options={"verify_signature": False})
    assert claims["email"] == "ann@example.org"
    assert emulator.user_pool(pool.id).client_id == pool.client_id


def test_a_second_factor_is_asked_of_who_has_one(emulator_user_pool):
    """In the fixture's pool a user with mfa gets a challenge, and a user without gets tokens."""
    pool = emulator_user_pool
    pool.add_user("cat", mfa=("totp",))
    pool.add_user("dan")

    answers = {name: _with_password(pool, name, "Correct-horse-1!") for name in ("cat", "dan")}

    assert answers["cat"]["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "IdToken" in answers["dan"]["AuthenticationResult"]


def test_a_described_user_may_have_any_password(emulator_user_pool):
    """The policy of the pool holds for passwords that users choose, and not for those of `add_user`."""
    emulator_user_pool.add_user("zoe", password="x")

    tokens = _with_password(emulator_user_pool, "zoe", "x")["AuthenticationResult"]
    with pytest.raises(ClientError, match="InvalidPasswordException"):
        boto3.client("cognito-idp").change_password(
            PreviousPassword="x", ProposedPassword="y", AccessToken=tokens["AccessToken"]
        )


def _with_password(pool, name, password):
    return boto3.client("cognito-idp").initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )


def test_what_a_user_pool_refuses(emulator, emulator_user_pool):
    """A wrong user, attribute or client is one line that says what is accepted."""
    with pytest.raises(ValueError, match="has no user 'bob'; add_user makes one"):
        emulator_user_pool.sign_in("bob")
    with pytest.raises(ValueError, match=r"^add_user.name: expected up to 128 letters"):
        emulator_user_pool.add_user("with space")
    with pytest.raises(ValueError, match=r"^add_user.attributes"):
        emulator_user_pool.add_user("ann", birthdate=5)
    with pytest.raises(ValueError, match=r"^there is no user pool 'us-east-1_x'; create_user_pool makes one"):
        emulator.user_pool("us-east-1_x")
    with pytest.raises(ValueError, match=r"^client_id: 'x' is no client of us-east-1_Emulator1"):
        emulator.user_pool(emulator_user_pool.id, "x")
    emulator.create_user_pool(id="us-east-1_two", clients=[{"id": "a"}, {"id": "b"}])
    with pytest.raises(ValueError, match=r"^client_id: expected one of a, b"):
        emulator.user_pool("us-east-1_two")


@pytest.mark.parametrize("library", ["freezegun", "time_machine"])
def test_tokens_while_time_is_moved(emulator_pool, emulator_user_pool, library):
    """A sign-in under freezegun or time-machine has tokens of that time, and earlier ones expire."""
    emulator_user_pool.add_user("ann")
    client = boto3.client("cognito-identity")
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=2)
    travel_to = pytest.importorskip(library)
    ticks = sys.implementation.name == "cpython"  # on PyPy, freezegun can only stand still
    moved = travel_to.freeze_time(later, tick=ticks) if library == "freezegun" else travel_to.travel(later)

    old = dict(emulator_user_pool.logins("ann"))
    with moved:
        assert client.get_id(IdentityPoolId=emulator_pool, Logins=dict(emulator_user_pool.logins("ann")))
        with pytest.raises(ClientError, match="Token expired"):
            client.get_id(IdentityPoolId=emulator_pool, Logins=old)
