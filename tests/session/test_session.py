"""The ways into botocore and boto3, against the emulator."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest

from cognito_credentials import (
    ConfigurationError,
    IdentityPool,
    IdentityPoolProvider,
    Session,
    install,
)
from cognito_credentials.pool.pool import parts_of
from tests.world import World

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
GUEST = "/CognitoIdentityCredentials"


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


class TestMalformedConfigFile:
    """botocore says only that it cannot parse the file; a session says what is wrong, and where."""

    @pytest.mark.parametrize("arguments", [{}, {"profile_name": "app"}, {"identity_pool_id": POOL_ID}])
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("\ufeff[profile app]\nregion = a\n", "begins with a byte order mark"),
            (
                "[profile app]\nregion = a\nregion = b\n",
                r"line 3 has region a second time in \[profile",
            ),
            ("[profile app\nregion = a\n", "line 1 is malformed"),
        ],
    )
    def test_it_is_named(self, profile: Any, arguments: dict[str, Any], text: str, says: str) -> None:
        """The error is ours and botocore's, and names the line."""
        profile(text)

        with pytest.raises(ConfigurationError, match=says) as caught:
            Session(**arguments).client("sts")

        assert isinstance(caught.value, botocore.exceptions.BotoCoreError)

    @pytest.mark.parametrize("settings", [{}, {"identity_pool_id": POOL_ID}])
    @pytest.mark.parametrize("name", ["config", "credentials"])
    def test_install_names_it_too(self, profile: Any, settings: dict[str, Any], name: str) -> None:
        """A session that cannot be used says so where the pool is put into it, for either file."""
        profile("[app\n", name)

        with pytest.raises(ConfigurationError, match=f"{name}, line 1 is malformed") as caught:
            install(botocore.session.Session(), **settings)

        assert isinstance(caught.value, botocore.exceptions.BotoCoreError)


class TestOutage:
    """`outage` says how a pool's errors are read, and names no pool."""

    @staticmethod
    def sessions(**arguments: Any) -> list[boto3.Session]:
        """Our Session and boto3's with the provider, given nothing of a pool but ``outage``."""
        inner = botocore.session.Session()
        install(inner, outage=(KeyError,))
        return [
            Session(outage=(KeyError,), **arguments),
            boto3.Session(botocore_session=inner, **arguments),
        ]

    def test_without_a_pool_the_session_is_boto3s_own(
        self, profile: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys of the profile or the environment are used, and without any there are no credentials."""
        profile("[profile b]\naws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = s\n")
        for session in self.sessions(profile_name="b"):
            assert session.get_credentials().access_key == "AKIAEXAMPLEEXAMPLE12"
        for session in self.sessions():
            assert session.get_credentials() is None
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE34")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        for session in self.sessions():
            assert session.get_credentials().access_key == "AKIAEXAMPLEEXAMPLE34"

    def test_it_goes_with_the_configured_pool(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The pool that the environment names has it, and so has one that is named beside it."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
        pools = [session.get_credentials().pool for session in self.sessions()]
        pools.append(Session(identity_pool_id=world.pool_id, outage=KeyError).identity_pool)

        assert [parts_of(pool).logins.outage for pool in pools] == [(KeyError,)] * 3

    def test_what_is_no_class_of_errors_is_said_at_once(self) -> None:
        """It is refused before anything is looked up."""
        with pytest.raises(ConfigurationError, match="outage from argument"):
            Session(outage="KeyError")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="outage from argument"):
            IdentityPoolProvider(botocore.session.Session(), outage="KeyError")  # type: ignore[arg-type]


class TestPoolOfAUser:
    """A back end makes sessions of `IdentityPool.for_user`, which keep the user that a pool's id loses."""

    @pytest.mark.parametrize("way", ["Session", "install", "install by position"])
    def test_a_session_of_one_user(self, world: World, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its credentials are that user's, its region is the pool's, and nothing in the environment wins."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE12")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.setenv("AWS_COGNITO_USER", "eve")
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        roles = {
            name: f"arn:aws:iam::123456789012:role/{name}" for name in ("authenticated", "unauthenticated")
        }
        providers = ["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
        pool_id = world.emulator.create_pool(OpenIdConnectProviderARNs=providers, roles=roles)
        pool = IdentityPool(pool_id, cache="memory")
        ann = pool.for_user("ann", logins={"login.example.com": world.token("ann")})
        inner = botocore.session.Session()
        if way == "Session":
            session: Any = Session(pool=ann)
            assert session.identity_pool is ann
        elif way == "install":
            assert install(inner, pool=ann).pool is ann
            session = boto3.Session(botocore_session=inner)
        else:
            install(inner, ann)
            session = boto3.Session(botocore_session=inner)

        assert session.client("sts").meta.region_name == "us-east-1"
        assert ":assumed-role/authenticated/" in caller(session)
        assert session.get_credentials().access_key == ann.credentials().access_key_id
        assert ann.identity_id() != pool.for_user("bob", logins={}).identity_id()


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
