"""The ways into botocore and boto3, against the emulator."""

from __future__ import annotations

import os
import pickle
import threading
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest

from cognito_credentials import (
    ConfigurationError,
    IdentityPool,
    IdentityPoolProvider,
    LoginRequiredError,
    ServiceError,
    Session,
    install,
)
from cognito_credentials.session import IdentityPoolCredentials
from tests.world import World

GUEST = "/CognitoIdentityCredentials"


@pytest.fixture
def world(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(emulator, dict(os.environ))
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.url)
    return world


@pytest.fixture
def profile(world: World, isolation: Path) -> Any:
    """Write profiles into the AWS config file."""

    def write(text: str, name: str = "config") -> None:
        directory = isolation / ".aws"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text.replace("POOL", world.pool_id))

    return write


def caller(session: Any) -> str:
    return str(session.client("sts", region_name="us-east-1").get_caller_identity()["Arn"])


class TestSession:
    def test_one_line_makes_a_guest(self, world: World) -> None:
        """A script that names only the pool has an AWS identity, with no region, profile or key anywhere."""
        arn = Session(identity_pool_id=world.pool_id).client("sts").get_caller_identity()["Arn"]

        assert arn.endswith(GUEST)
        assert ":assumed-role/" in arn

    def test_it_is_a_boto3_session_with_all_its_arguments(self, world: World) -> None:
        """Everything that takes a boto3 Session takes ours, and its own arguments keep their meaning."""
        session = Session(region_name="eu-west-1", identity_pool_id=world.pool_id)

        assert isinstance(session, boto3.Session)
        assert session.region_name == "eu-west-1"
        assert session.client("s3").meta.region_name == "eu-west-1"

    def test_building_costs_no_request_and_no_file(self, world: World, profile: Any) -> None:
        """Neither pool nor provider reads a file before it is used, and none of the ways makes a request."""
        profile("this is [not a config")
        IdentityPoolProvider(pool=IdentityPool(world.pool_id)).load()
        profile("")
        Session(identity_pool_id=world.pool_id).client("sts")

        assert world.counts() == {}

    def test_in_memory_each_session_is_a_guest_of_its_own(self, world: World) -> None:
        """Two sessions share nothing in memory; with the cache on disk they are one guest."""
        for cache, guests in (("memory", 2), ("file", 3)):
            for _ in range(2):
                Session(identity_pool_id=world.pool_id, cache=cache).client("sts").get_caller_identity()

            assert world.counts()["GetId"] == guests

    def test_keys_and_a_pool_contradict_each_other(self, world: World) -> None:
        """Explicit keys together with a pool are an error."""
        with pytest.raises(ConfigurationError, match="both access keys and identity pool"):
            Session("AKIAEXAMPLEEXAMPLE12", "secret", identity_pool_id=world.pool_id)

    def test_explicit_keys_win_over_the_environments_pool(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys that the user gave to the session are used."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)

        assert Session("AKIAEXAMPLEEXAMPLE12", "s").get_credentials().access_key == "AKIAEXAMPLEEXAMPLE12"

    def test_without_a_pool_it_is_boto3s_own(self) -> None:
        """Where nothing is configured there are no credentials, and no error of ours."""
        assert Session().get_credentials() is None

    def test_the_environment_names_a_pool(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """AWS_COGNITO_IDENTITY_POOL_ID is enough."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)

        assert caller(Session()).endswith(GUEST)

    def test_keys_in_the_environment_win(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The chain's order stands: environment keys come before ours."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE12")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

        assert Session().get_credentials().method == "env"

    def test_keys_in_the_credentials_file_win(self, world: World, profile: Any) -> None:
        """A profile's static keys come before its pool."""
        profile("[default]\ncognito_identity_pool_id = POOL\n")
        profile(
            "[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = s\n", "credentials"
        )

        assert Session().get_credentials().method == "shared-credentials-file"

    def test_keys_in_the_config_file_win(self, world: World, profile: Any) -> None:
        """So do keys that a profile of the config file has, which botocore looks for last."""
        profile(
            "[default]\ncognito_identity_pool_id = POOL\n"
            "aws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = s\n"
        )

        assert Session().get_credentials().access_key == "AKIAEXAMPLEEXAMPLE12"

    def test_a_profiles_own_source_wins_over_the_environments_pool(
        self, world: World, profile: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A profile with a source of its own does not become a guest by an environment variable."""
        profile(
            "[profile work]\ncredential_process = "
            """echo '{"Version": 1, "AccessKeyId": "AKIAEXAMPLEEXAMPLE12", "SecretAccessKey": "s"}'\n"""
        )
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)

        assert Session(profile_name="work").get_credentials().access_key == "AKIAEXAMPLEEXAMPLE12"

    def test_a_profile_names_a_pool(self, world: World, profile: Any) -> None:
        """profile_name finds cognito_identity_pool_id, without any process being started."""
        profile("[profile app]\ncognito_identity_pool_id = POOL\ncredential_process = /bin/false\n")

        assert caller(Session(profile_name="app")).endswith(GUEST)

    def test_a_profile_gives_what_arguments_do_not(self, world: World, profile: Any) -> None:
        """An argument is merged with the profile's settings."""
        profile("[profile app]\ncognito_identity_pool_id = POOL\n")

        session = Session(profile_name="app", user="ada")

        assert session.identity_pool is not None
        assert session.identity_pool.settings.user == "ada"
        assert session.identity_pool.settings.identity_pool_id == world.pool_id

    def test_a_missing_aws_profile_does_not_stop_a_script_that_names_its_pool(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A script that names its pool works although AWS_PROFILE names no profile."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")

        assert IdentityPool(world.pool_id).credentials()

    def test_a_bad_pool_id_is_said_at_once(self) -> None:
        """A malformed argument is an error where it is given."""
        with pytest.raises(ConfigurationError, match="identity_pool_id"):
            Session(identity_pool_id="nonsense")


class TestInstall:
    def test_explicit_settings_replace_the_chain(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a pool named in code, not even environment keys come before it."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE12")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        session = botocore.session.Session()

        provider = install(session, identity_pool_id=world.pool_id)

        assert isinstance(provider, IdentityPoolProvider)
        assert session.get_credentials().method == "cognito-identity-pool"

    def test_a_profile_chosen_later_is_the_one_that_counts(self, world: World, profile: Any) -> None:
        """boto3 sets the profile after install(); other profiles keep their own chain."""
        profile(
            "[profile app]\ncognito_identity_pool_id = POOL\n"
            "[profile keys]\naws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = s\n"
        )
        for name, method in (("app", "cognito-identity-pool"), ("keys", "shared-credentials-file")):
            session = botocore.session.Session()
            install(session)
            found = boto3.Session(botocore_session=session, profile_name=name).get_credentials()
            assert found.method in (method, "config-file")

    def test_it_stands_before_custom_process(self, world: World) -> None:
        """In the chain the provider is just before credential_process."""
        session = botocore.session.Session()
        install(session)

        names = [provider.METHOD for provider in session.get_component("credential_provider").providers]

        assert names.index("cognito-identity-pool") == names.index("custom-process") - 1

    def test_nothing_configured_is_none(self) -> None:
        """None means "not mine": the chain goes on."""
        assert IdentityPoolProvider(botocore.session.Session()).load() is None

    def test_configured_but_wrong_raises(self, profile: Any) -> None:
        """A pool that is configured wrongly stops the chain and names setting and profile."""
        profile("[profile app]\ncognito_identity_pool_id = nonsense\n")

        with pytest.raises(
            botocore.exceptions.BotoCoreError, match=r"cognito_identity_pool_id|profile 'app'"
        ):
            IdentityPoolProvider(botocore.session.Session(profile="app")).load()


class TestCredentials:
    def test_errors_are_ours_and_botocores(self, world: World) -> None:
        """Callers catch BotoCoreError or our own class, and both carry the hint; the error pickles."""
        session = Session(identity_pool_id=world.pool_id, logins={"login.example.com": lambda: None})
        with pytest.raises(LoginRequiredError) as caught:
            session.client("sts").get_caller_identity()

        error = caught.value
        assert isinstance(error, botocore.exceptions.CredentialRetrievalError)
        assert isinstance(error, botocore.exceptions.BotoCoreError)
        assert error.hint
        assert error.hint[1:] in str(error)
        assert error.__context__ is None
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(again, LoginRequiredError)
        assert str(again) == str(error)

    def test_nothing_is_raised_through_botocore_while_valid(self, world: World) -> None:
        """In an outage with 14 minutes left, a thousand signings raise nothing and do not storm."""
        pool = world.pool()
        credentials = IdentityPoolCredentials(pool)
        credentials.get_frozen_credentials()
        world.move(46 * 60)
        world.outage()
        before = sum(world.counts().values())
        for _ in range(1000):
            credentials.get_frozen_credentials()

        assert sum(world.counts().values()) - before <= 1

    @pytest.mark.thorough
    def test_a_triple_is_always_of_one_generation(self, world: World) -> None:
        """Threads that read while refreshes run never see half of two generations."""
        pool = world.pool()
        credentials = IdentityPoolCredentials(pool)
        known: dict[str, tuple[str, str]] = {}
        torn: list[Any] = []
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                frozen = credentials.get_frozen_credentials()
                pair = (frozen.secret_key, frozen.token)
                if known.setdefault(frozen.access_key, pair) != pair:
                    torn.append(frozen.access_key)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            pool.refresh()
        stop.set()
        for thread in threads:
            thread.join()

        assert len(known) >= 2
        assert not torn

    def test_a_rejected_key_is_replaced_for_clients_that_exist(self, world: World) -> None:
        """Clients hold the credentials object, and use the key that replaces a rejected one."""
        session = Session(identity_pool_id=world.pool_id)
        client = session.client("sts")
        client.get_caller_identity()
        old = session.get_credentials().access_key
        assert session.identity_pool is not None

        session.identity_pool.invalidate(old)
        client.get_caller_identity()

        assert session.get_credentials().access_key != old

    @pytest.mark.parametrize("where", ["argument", "environment"])
    def test_the_pool_is_reached_through_the_credentials(
        self, world: World, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        """`identity_pool` is None where the session finds the pool itself; the credentials have it always."""
        if where == "environment":
            monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        session = Session(identity_pool_id=world.pool_id if where == "argument" else None)
        signed_with = session.get_credentials().get_frozen_credentials()

        session.get_credentials().pool.invalidate(signed_with.access_key)

        assert (session.identity_pool is None) == (where == "environment")
        assert session.get_credentials().access_key != signed_with.access_key

    def test_a_pool_without_secrets_pickles(self, world: World) -> None:
        """Credentials of a guest pickle as their settings; with a login token they refuse to be pickled."""
        guest = pickle.loads(pickle.dumps(IdentityPoolCredentials(IdentityPool(world.pool_id))))

        assert guest.get_frozen_credentials().token
        user = IdentityPool(world.pool_id, logins={"login.example.com": world.token()})
        with pytest.raises(TypeError, match="refuses"):
            pickle.dumps(user)

    def test_the_account_reaches_botocore(self, world: World) -> None:
        """botocore's account-based endpoints get the account."""
        credentials = IdentityPoolCredentials(world.pool(account_id="123456789012"))

        assert credentials.get_deferred_property("account_id")() == "123456789012"
        assert credentials.get_frozen_credentials().account_id == "123456789012"

    def test_an_outage_at_the_start_is_a_typed_error(self, world: World) -> None:
        """With nothing in the cache and no service there is one clear, retryable error."""
        world.outage()

        with pytest.raises(ServiceError) as caught:
            IdentityPoolCredentials(world.pool()).get_frozen_credentials()

        assert caught.value.retryable
        assert isinstance(caught.value, botocore.exceptions.BotoCoreError)
