"""The default region is the pool's, wherever the pool is named; and who wins where several are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials

from cognito_credentials import IdentityPoolProvider, Session, install
from tests.world import World

PROFILE = "[profile app]\ncognito_identity_pool_id = POOL\n"
KEYS = "aws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = s\n"


def boto3_session(install_with: dict[str, Any], **arguments: Any) -> boto3.Session:
    """boto3's own Session around a botocore session that has the provider."""
    session = botocore.session.Session()
    install(session, **install_with)
    return boto3.Session(botocore_session=session, **arguments)


@pytest.fixture(params=["argument", "environment", "AWS_PROFILE", "profile"])
def sessions(
    request: pytest.FixtureRequest, world: World, profile: Any, monkeypatch: pytest.MonkeyPatch
) -> list[boto3.Session]:
    """Our Session, and boto3's with the provider, with the pool named in one of four places."""
    profile(PROFILE)
    if request.param == "argument":
        named = {"identity_pool_id": world.pool_id}
        return [Session(**named), boto3_session(named)]
    if request.param == "profile":
        return [Session(profile_name="app"), boto3_session({}, profile_name="app")]
    name, value = {
        "environment": ("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id),
        "AWS_PROFILE": ("AWS_PROFILE", "app"),
    }[request.param]
    monkeypatch.setenv(name, value)
    return [Session(), boto3_session({})]


def test_the_pools_region_is_the_default(world: World, sessions: list[boto3.Session]) -> None:
    """Without any region, clients are made in the pool's, and finding it asks nobody."""
    for session in sessions:
        assert session.region_name == "us-east-1"
        assert session.client("dynamodb").meta.region_name == "us-east-1"
    assert world.counts() == {}

    for session in sessions:
        assert "Arn" in session.client("sts").get_caller_identity()


def test_a_configured_region_wins(sessions: list[boto3.Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """A region of the environment or of the call is used as in boto3."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    for session in sessions:
        assert session.client("s3").meta.region_name == "eu-west-1"
        assert session.client("s3", region_name="ap-south-1").meta.region_name == "ap-south-1"


def test_a_profiles_region_wins(world: World, profile: Any) -> None:
    """So is the region of the profile."""
    profile(PROFILE + "region = eu-central-1\n")

    assert Session(profile_name="app").region_name == "eu-central-1"
    assert Session(profile_name="app", user="ann").region_name == "eu-central-1"


@pytest.mark.parametrize(
    "other",
    [
        {"environ": {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE12", "AWS_SECRET_ACCESS_KEY": "s"}},
        {"environ": {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}},
        {"config": KEYS},
        {"config": "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = other\n"},
        {"config": "sso_start_url = https://example.com/start\n"},
    ],
    ids=["keys", "web identity", "keys of the profile", "role", "sso"],
)
def test_where_another_source_wins_its_region_is_asked_for(
    world: World, profile: Any, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    """Where the credentials are not the pool's, neither is the region: boto3 asks for one, as ever."""
    profile(f"[default]\ncognito_identity_pool_id = POOL\n{other.get('config', '')}")
    for name, value in other.get("environ", {}).items():
        monkeypatch.setenv(name, value)

    assert Session().region_name is None


def test_without_a_pool_there_is_no_region() -> None:
    """Where nothing is configured, boto3's own error is raised."""
    assert Session().region_name is None
    with pytest.raises(botocore.exceptions.NoRegionError):
        Session().client("dynamodb")


def test_the_command_line_has_the_same_region(world: World, profile: Any) -> None:
    """What `exec` runs has the pool's region as AWS_REGION and AWS_DEFAULT_REGION."""
    profile(PROFILE)
    show = (
        "import json, os; print(json.dumps({n: os.environ[n] for n in ('AWS_REGION', 'AWS_DEFAULT_REGION')}))"
    )
    command = [sys.executable, "-m", "cognito_credentials", "exec", "--profile", "app", "--"]

    done = subprocess.run(
        [*command, sys.executable, "-c", show],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout).values()) == {"us-east-1"}


class TestWhoWins:
    def test_keys_beside_a_pool_are_said(
        self, world: World, profile: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A profile with both signs with the keys, as in every AWS tool, and one warning names it."""
        profile(PROFILE)
        profile(f"[app]\n{KEYS}", "credentials")
        session = Session(profile_name="app")

        assert session.get_credentials().method == "shared-credentials-file"

        session.get_credentials()
        said = [record.message for record in caplog.records if record.levelname == "WARNING"]
        assert len(said) == 1
        assert "profile 'app' has an access key beside its identity pool: the key is used" in said[0]

    def test_a_pool_without_keys_says_nothing(
        self, world: World, profile: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Without keys there is no such warning, nor where code names the pool."""
        profile(PROFILE)
        Session(profile_name="app").get_credentials()
        profile(f"[app]\n{KEYS}", "credentials")
        Session(profile_name="app", identity_pool_id=world.pool_id).get_credentials()

        assert not [record for record in caplog.records if record.levelname == "WARNING"]

    def test_an_installed_pool_stays(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Session around a botocore session keeps the pool that install() gave it."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE12")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        session = botocore.session.Session()
        install(session, identity_pool_id=world.pool_id)

        assert Session(botocore_session=session).get_credentials().method == "cognito-identity-pool"

    @pytest.mark.parametrize("way", ["install", "Session"])
    def test_a_chain_that_the_program_changed_stays(
        self, world: World, profile: Any, isolation: Path, way: str
    ) -> None:
        """A cache or provider that the program put into the chain is still there, and ours beside it."""
        profile(PROFILE.replace("profile app", "default"))
        session = botocore.session.Session()
        chain = session.get_component("credential_provider")
        chain.get_provider("assume-role").cache = cache = {}

        if way == "install":
            install(session)
        else:
            Session(botocore_session=session)

        found = session.get_component("credential_provider")
        assert found.get_provider("assume-role").cache is cache
        names = [provider.METHOD for provider in found.providers]
        assert names.index("cognito-identity-pool") == names.index("custom-process") - 1
        assert session.get_credentials().method == "cognito-identity-pool"

    def test_a_chain_of_the_programs_own_stays(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A chain without the place before which ours belongs is left alone."""

        class Own(CredentialProvider):  # type: ignore[misc]  # botocore has no types
            METHOD = "own"

            def load(self) -> Credentials:
                return Credentials("AKIAEXAMPLEEXAMPLE12", "s")

        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        session = botocore.session.Session()
        session.register_component("credential_provider", CredentialResolver([Own()]))

        assert Session(botocore_session=session).get_credentials().access_key == "AKIAEXAMPLEEXAMPLE12"

    def test_none_is_not_given(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A setting of None leaves the pool to environment and profile, in install() as in Session."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE12")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        session = botocore.session.Session()
        install(session, identity_pool_id=None)

        assert session.get_credentials().method == "env"
        assert Session(identity_pool_id=None).get_credentials().method == "env"


class TestThreads:
    def test_threads_that_begin_together_are_one_guest(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Threads that use a new session at the same moment have one pool, and so one identity."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        monkeypatch.setenv("AWS_COGNITO_CACHE", "memory")
        session = Session()
        together, found = threading.Barrier(8), []

        def use() -> None:
            together.wait()
            found.append(session.get_credentials().get_frozen_credentials())

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 8
        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}

    def test_getting_the_credentials_asks_nobody(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a network, get_credentials() answers; only the use of the keys raises."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        world.outage()
        credentials = Session().get_credentials()

        assert credentials.method == "cognito-identity-pool"
        assert credentials.refresh_needed()
        assert world.counts() == {}
        with pytest.raises(botocore.exceptions.CredentialRetrievalError):
            credentials.get_frozen_credentials()

    def test_the_chain_and_the_region_find_one_pool(self, world: World, profile: Any) -> None:
        """A provider reads the config once, and again where another profile is chosen."""
        profile(PROFILE + PROFILE.replace("app", "two").replace("POOL", world.pool_id[:-1] + "0"))
        session = botocore.session.Session(profile="app")
        provider = IdentityPoolProvider(session)

        first = provider.find_pool()
        assert first is provider.find_pool()
        assert first is provider.load().pool  # type: ignore[union-attr]
        session.set_config_variable("profile", "two")

        assert provider.find_pool() is not first

    def test_a_profile_with_keys_has_no_pool(self, world: World, profile: Any) -> None:
        """After a change to a profile with keys, neither pool nor region of the earlier one is left."""
        profile(f"{PROFILE}[profile b]\n{KEYS}")
        session = botocore.session.Session(profile="app")
        provider = install(session)
        assert session.get_config_variable("region") == "us-east-1"
        session.set_config_variable("profile", "b")

        assert session.get_config_variable("region") is None
        assert provider.find_pool() is None
        assert provider.load() is None
        session.set_config_variable("profile", "app")

        assert session.get_config_variable("region") == "us-east-1"
