"""The fixtures of the pytest plugin, and the class Emulator in Python code."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from importlib.metadata import distribution

import boto3
import freezegun
import pytest
from botocore.exceptions import ClientError

from cognito_credentials import ServiceError, Session
from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.extra import install_command

POOL = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000009"


@pytest.fixture
def developers_machine(monkeypatch):
    """Variables in a developer's shell."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_COGNITO_IDENTITY_POOL_ID", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")


def test_environment(developers_machine, emulator_environment, emulator, emulator_pool, tmp_path):
    """With emulator_environment nothing of the developer's machine is read or written."""
    arn = Session(identity_pool_id=emulator_pool).client("sts").get_caller_identity()["Arn"]

    assert ":assumed-role/unauthenticated/" in arn
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 1}
    assert len(list((tmp_path / "aws" / "cache").glob("credentials-*.json"))) == 1
    assert not list((tmp_path / "home").iterdir())
    assert emulator_environment.items() <= os.environ.items()


PROJECT = """
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
    (tmp_path / "test_project.py").write_text(PROJECT)
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


@pytest.mark.parametrize("options", [{}, {"tick": True}])
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


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"allow_guests": False}, "allow_guests: unknown member; there are: IdentityPoolId, "),
        ({"region": "eu-west-1"}, "region: unknown member; there are: IdentityPoolId, "),
        ({"IdentityPoolId": "nowhere"}, "IdentityPoolId: 'nowhere' is not region:guid"),
        ({"AllowClassicFlow": "no"}, "AllowClassicFlow: expected true or false"),
        ({"roles": {"guest": "arn:aws:iam::123456789012:role/x"}}, r"create_pool\.Roles: .*guest"),
        ({"SupportedLoginProviders": {"google": "app"}}, r"google: unknown provider; there are: accounts\.g"),
    ],
)
def test_create_pool_refuses(emulator, arguments, why):
    """An unknown setting of a pool, or a wrong value, is refused with its name."""
    with pytest.raises(ValueError, match=why):
        emulator.create_pool(**arguments)

    assert emulator.service.state.row("SELECT count(*) AS n FROM pools")["n"] == 0


def test_create_pool_takes_an_id(emulator):
    """A test may choose the pool's id, and so its region."""
    assert emulator.create_pool(IdentityPoolId=POOL) == POOL
    with pytest.raises(ValueError, match="exists already"):
        emulator.create_pool(IdentityPoolId=POOL)


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        ("https://login.example.com", "provider: write it without https://"),
        ("graph.facebook.com", r"opaque: .* PUT /_emulator/users, Emulator\.set_user or \[\[users\]\]"),
    ],
)
def test_login_token_of_no_use(emulator, provider, why):
    """A token that no pool can accept is refused, with advice."""
    with pytest.raises(ValueError, match=why):
        emulator.login_token(provider)


def test_port_in_use(emulator, emulator_keys):
    """The error for a port in use names it."""
    port = int(emulator.url.rpartition(":")[2])

    with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*in use"):
        Emulator(port=port, keys=emulator_keys).start()


def test_certificate_file(tmp_path, emulator_keys):
    """The certificate is written to the given file, which is replaced only if an emulator wrote it."""
    file = tmp_path / "emulator.pem"
    other = tmp_path / "other.pem"
    other.write_text("-----BEGIN CERTIFICATE-----\n")

    with Emulator(keys=emulator_keys, certificate_file=file):
        left_by_a_kill = file.read_bytes()
    assert not file.exists()
    file.write_bytes(left_by_a_kill)
    with Emulator(keys=emulator_keys, certificate_file=file) as emulator:
        context = ssl.create_default_context(cafile=str(file))
        with urllib.request.urlopen(f"{emulator.url}/_emulator/requests", context=context) as answer:
            assert answer.read() == b"{}"
    with pytest.raises(OSError, match=r"cannot write the certificate to .*other\.pem: File exists"):
        Emulator(keys=emulator_keys, certificate_file=other).start()
    assert other.read_text() == "-----BEGIN CERTIFICATE-----\n"


def test_certificate_file_of_two(tmp_path, emulator_keys):
    """
    The end of an emulator does not remove the certificate that a later one has written to the same file.
    """
    file = tmp_path / "emulator.pem"
    with Emulator(keys=emulator_keys, certificate_file=file) as first:
        with Emulator(keys=emulator_keys, certificate_file=file):
            theirs = file.read_bytes()
            first.stop()
            assert file.read_bytes() == theirs
        assert not file.exists()


def test_a_browser_is_told_what_it_is(api):
    """A browser that opens the address gets an explanation. Programs get the service's answer."""
    shown = api.raw("GET", headers={"Accept": "text/html,*/*"})

    assert b"the emulator of Amazon Cognito Identity" in shown.body
    assert b"UnknownOperationException" in api.raw("GET", headers={"Accept": "*/*"}).body


WITHOUT = "import sys\nsys.modules['uvicorn'] = None\n"


def test_python_without_the_extra():
    """Importing the emulator without its libraries raises one line with the command that installs them."""
    program = WITHOUT + "from cognito_credentials.emulator import Emulator"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]

    assert done.stderr.count("Traceback") == 1
    assert re.search(r"MissingExtraError: the emulator needs uvicorn; run: pip install .*\[emulator\]", last)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'cognito-credentials[emulator]'"),
        (
            {"url": "file:///home/ann/a%20b", "dir_info": {"editable": True}},
            "pip install -e '/home/ann/a b[emulator]'",
        ),
        (
            {"url": "file:///home/ann/checkout", "dir_info": {}},
            "pip install 'cognito-credentials[emulator] @ file:///home/ann/checkout'",
        ),
        (
            {"url": "https://git.example.com/c.git", "vcs_info": {"vcs": "git", "commit_id": "ab12"}},
            "pip install 'cognito-credentials[emulator] @ git+https://git.example.com/c.git@ab12'",
        ),
    ],
)
def test_what_to_install(monkeypatch, origin, command):
    """The install command fits the package's origin: an index, a checkout or git."""
    kind = type(distribution("cognito-credentials"))
    monkeypatch.setattr(kind, "read_text", lambda *_: json.dumps(origin) if origin else None)

    assert install_command("emulator") == command
