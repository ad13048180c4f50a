"""The AWS SDK for Python v4, served by a profile with pool keys alone, or by a resolver in its config."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import AsyncIdentityPool, IdentityPool, LoginRequiredError, ServiceError
from tests.real_parts import package

from .conftest import Cognito

if sys.version_info < (3, 12):
    pytest.skip("the AWS SDK for Python v4 needs Python 3.12", allow_module_level=True)
sts = package("aws_sdk_sts.client")

from aws_sdk_sts.models import GetCallerIdentityInput  # noqa: E402

SmithyIdentityError: Any = import_module("smithy_core.exceptions").SmithyIdentityError

from cognito_credentials.adapters.aws_sdk_v4 import IdentityPoolResolver  # noqa: E402
from cognito_credentials.adapters.aws_sdk_v4_chain import IdentityPoolChainProvider  # noqa: E402

GUEST = "/CognitoIdentityCredentials"
KEY = "AKIAEXAMPLEEXAMPLE12"
GROUP = "smithy_aws_core.identity.chain_providers"


async def caller(client: Any) -> str:
    """Return the ARN of whoever signs for *client*; the emulator verifies the signature."""
    return str((await client.get_caller_identity(GetCallerIdentityInput())).arn)


async def arn_of(**settings: Any) -> str:
    """Make a client of these settings of its config, and return who it is."""
    async with sts.AsyncSTSClient(await sts.AsyncSTSConfig.resolve(**settings)) as client:
        return await caller(client)


@pytest.fixture
def profile(cognito: Cognito, isolation: Path) -> Callable[..., Path]:
    """Write an AWS config file, with the pool's id for POOL."""

    def write(text: str, path: Path = isolation / ".aws" / "config") -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("POOL", cognito.pool_id))
        return path

    return write


class TestProfile:
    def test_pool_keys_alone_over_a_renewal(
        self, cognito: Cognito, profile: Any, proves: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A client that knows nothing of this package is served by AWS_PROFILE, and goes on with new keys."""
        profile("[profile app]\ncognito_identity_pool_id = POOL\n")
        monkeypatch.setenv("AWS_PROFILE", "app")
        keys = []

        async def main() -> None:
            async with sts.AsyncSTSClient() as client:
                for _ in range(2):
                    assert (await caller(client)).endswith(GUEST)
                    resolver = client._config.aws_credentials_identity_resolver
                    keys.append((await resolver.get_identity(properties={})).access_key_id)
                    cognito.make_due()

        asyncio.run(main())

        assert len(set(keys)) == 2
        proves(
            "aws-sdk-sts",
            "a profile with pool keys",
            renewals=len(set(keys)) - 1,
            version=version("aws-sdk-sts"),
        )

    def test_the_file_of_the_environment(
        self, cognito: Cognito, profile: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS_CONFIG_FILE names the file, and the client's own profile wins over AWS_PROFILE."""
        text = "[default]\ncognito_identity_pool_id = POOL\n[profile b]\ncredential_process = /bin/false\n"
        monkeypatch.setenv("AWS_CONFIG_FILE", str(profile(text, tmp_path / "other")))
        monkeypatch.setenv("AWS_PROFILE", "b")

        assert asyncio.run(arn_of(profile="default")).endswith(GUEST)

    def test_it_stands_before_credential_process(self, cognito: Cognito, profile: Any) -> None:
        """With both in a profile no process is started."""
        profile("[default]\ncognito_identity_pool_id = POOL\ncredential_process = /bin/false\n")

        assert asyncio.run(arn_of()).endswith(GUEST)

    def test_keys_come_first(self, cognito: Cognito, profile: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keys of the profile, and then those of the environment, win over the profile's pool."""
        pool = "cognito_identity_pool_id = POOL\n"
        profile(
            f"[default]\n{pool}[profile keys]\n{pool}aws_access_key_id = {KEY}\naws_secret_access_key = s\n"
        )
        assert not asyncio.run(arn_of(profile="keys")).endswith(GUEST)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        assert not asyncio.run(arn_of()).endswith(GUEST)
        assert cognito.requests() == ""

    def test_a_pool_of_the_environment(
        self, cognito: Cognito, profile: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS_COGNITO_IDENTITY_POOL_ID is enough; it does not replace a source that the profile names."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", cognito.pool_id)
        assert asyncio.run(arn_of()).endswith(GUEST)
        profile("[default]\ncredential_process = /bin/false\n")
        with pytest.raises(SmithyIdentityError, match="ProfileCredentialProcess"):
            asyncio.run(arn_of())

    def test_what_is_not_its_business(self, cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> None:
        """It gives no other kind of identity; a profile that is absent hides no pool of the environment."""
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", cognito.pool_id)
        chain = import_module(CHAIN).IdentityChain
        keys = import_module("smithy_aws_core.identity").AWSCredentialsIdentity

        async def main() -> None:
            other = await chain.create(type("Other", (), {}))
            assert other._resolvers == ()
            found = await chain.create(keys, profile_name="absent")
            assert (await found.get_identity(properties={})).session_token

        asyncio.run(main())

    def test_nested_logins(self, cognito: Cognito, profile: Any, tmp_path: Path) -> None:
        """The profile's logins are read as everywhere else; a missing login is named, and is the cause."""
        profile(
            "[default]\ncognito_identity_pool_id = POOL\n"
            f"cognito_logins =\n  l.example.com = file:{tmp_path}/no\n"
        )

        with pytest.raises(SmithyIdentityError, match=r"CognitoIdentityPool: .*no") as caught:
            asyncio.run(arn_of())

        assert isinstance(caught.value.failures[0].error.__cause__, LoginRequiredError)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (
                "cognito_identity_pool_id = nonsense\n",
                "identity_pool_id from profile 'default' is not REGION:GUID",
            ),
            ("cognito_identity_pool_id = POOL\ncognito_flow = x\n", "flow"),
        ],
    )
    def test_configured_but_wrong(self, profile: Any, text: str, says: str) -> None:
        """What is wrong in the profile is said in one line, as the SDK's error."""
        profile(f"[default]\n{text}")

        with pytest.raises(SmithyIdentityError, match=says):
            asyncio.run(arn_of())

    def test_a_file_of_one_client(self, profile: Any, tmp_path: Path) -> None:
        """A file that only this client was told of is not read here: that is said, and what to do."""
        path = profile("[default]\ncognito_identity_pool_id = POOL\n", tmp_path / "other")

        with pytest.raises(SmithyIdentityError, match=r"given to this client alone.*AWS_CONFIG_FILE"):
            asyncio.run(arn_of(config_file_path=str(path)))

    def test_without_a_pool_nothing_is_loaded(self, profile: Any, isolation: Path) -> None:
        """Programs that use no pool are left alone: nothing of this package but the link is loaded."""
        import subprocess

        profile(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = s\n")
        program = (
            "import asyncio, sys\n"
            "from smithy_aws_core.identity import AWSCredentialsIdentity, IdentityChain\n"
            "async def main():\n"
            "    for profile in (None, 'absent'):\n"
            "        chain = await IdentityChain.create(AWSCredentialsIdentity, profile_name=profile)\n"
            "        print(len(chain._resolvers))\n"
            "asyncio.run(main())\n"
            "print(*sorted(name for name in sys.modules if name.startswith('cognito_credentials')))\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        *resolvers, loaded = done.stdout.splitlines()
        assert resolvers == ["1", "0"]
        assert "cognito_credentials.adapters.aws_sdk_v4_chain" in loaded.split()
        assert "cognito_credentials.pool" not in loaded


class TestResolver:
    def test_in_a_clients_config_over_a_renewal(self, cognito: Cognito, proves: Any) -> None:
        """A pool that the program makes itself; in memory, copies of the config are one guest."""
        keys = []

        async def main() -> None:
            pool = AsyncIdentityPool(cognito.pool_id, cache="memory")
            resolver = IdentityPoolResolver(pool)
            config = await sts.AsyncSTSConfig.resolve(aws_credentials_identity_resolver=resolver)
            async with sts.AsyncSTSClient(config) as client:
                for _ in range(2):
                    copied = {"plugins": [lambda _: None]}  # the SDK copies the config for these
                    answer = await client.get_caller_identity(GetCallerIdentityInput(), **copied)
                    assert answer.arn == await caller(client)
                    keys.append((await resolver.get_identity(properties={})).access_key_id)
                    cognito.make_due()

        asyncio.run(main())

        proves(
            "aws-sdk-sts",
            "`IdentityPoolResolver`",
            renewals=len(set(keys)) - 1,
            version=version("aws-sdk-sts"),
        )

    def test_a_hundred_calls_at_once(self, cognito: Cognito) -> None:
        """Of 100 tasks, cold, one asks the service; beside threads with the same pool, too."""
        pool = IdentityPool(cognito.pool_id)

        async def main() -> None:
            resolver = IdentityPoolResolver(pool)
            found = await asyncio.gather(*(resolver.get_identity(properties={}) for _ in range(100)))
            held = pool.credentials()
            assert {one.access_key_id for one in found} == {held.access_key_id}
            assert found[0].expiration == held.expiration
            assert held.secret_access_key.reveal() not in repr(found[0])
            assert held.session_token.reveal() not in str(found[0])

        asyncio.run(main())

        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"

    def test_an_outage(self, cognito: Cognito) -> None:
        """While credentials are valid nothing is raised; afterwards the SDK's error has ours in it."""

        async def main() -> None:
            resolver = IdentityPoolResolver(AsyncIdentityPool(cognito.pool_id))
            config = await sts.AsyncSTSConfig.resolve(aws_credentials_identity_resolver=resolver)
            async with sts.AsyncSTSClient(config) as client:
                await caller(client)
                cognito.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
                cognito.make_due()
                before = await resolver.get_identity(properties={})
                assert await resolver.get_identity(properties={}) is before
                cognito.make_due()
                with pytest.raises(SmithyIdentityError, match="expired at") as caught:
                    await caller(client)
            assert isinstance(caught.value.__cause__, ServiceError)

        asyncio.run(main())

    def test_rejected_keys(self, cognito: Cognito) -> None:
        """`invalidate` reports what was returned last, so that the next request has new keys."""

        async def main() -> None:
            resolver = IdentityPoolResolver(AsyncIdentityPool(cognito.pool_id))
            await resolver.invalidate()
            before = await resolver.get_identity(properties={})
            await resolver.invalidate()
            assert (await resolver.get_identity(properties={})).access_key_id != before.access_key_id

        asyncio.run(main())


CHAIN = "smithy_aws_core.identity.chain"
USED: tuple[tuple[str, str, list[str] | None], ...] = (
    ("smithy_aws_core.identity", "AWSCredentialsIdentity", None),
    ("smithy_core.exceptions", "SmithyIdentityError", None),
    (CHAIN, "StandardProvider.PROFILE_CREDENTIAL_PROCESS", None),
    (CHAIN, "Before", ["slot"]),
    (CHAIN, "ChainSetup.profile_name", None),
    (CHAIN, "ChainSetup.config_file", None),
    (CHAIN, "ChainSetup.add_terminal_resolver", ["self", "resolver"]),
    (CHAIN, "ChainIdentityProvider.name", None),
    (CHAIN, "ChainIdentityProvider.ordering", None),
    (CHAIN, "ChainIdentityProvider.setup", ["self", "identity_type", "setup"]),
    ("smithy_aws_core.config", "MergedConfig.get", ["self", "profile_name", "key"]),
    ("smithy_aws_core.config", "MergedConfig.get_profile", ["self", "profile_name"]),
    ("smithy_core.aio.interfaces.identity", "IdentityResolver.get_identity", ["self", "properties"]),
    ("smithy_core.aio.interfaces.identity", "IdentityResolver.invalidate", ["self"]),
)
"""Module, name and, of what is called or implemented, the parameters."""
FIELDS = {"access_key_id", "secret_access_key", "session_token", "expiration", "account_id"}


def moved() -> list[str]:
    """Say of each part of the SDK that is used here how it has moved."""
    found = []
    for module, name, parameters in USED:
        try:
            part: Any = import_module(module)
            for attribute in name.split("."):
                part = getattr(part, attribute)
        except (ImportError, AttributeError):
            found.append(f"{module} has no {name}")
            continue
        given = None if parameters is None else list(inspect.signature(part).parameters)
        if given != parameters:
            found.append(f"{name} takes {given}, not {parameters}")
    fields = set(
        inspect.signature(import_module("smithy_aws_core.identity").AWSCredentialsIdentity).parameters
    )
    if fields != FIELDS:
        found.append(f"AWSCredentialsIdentity has {sorted(fields ^ FIELDS)} more or less")
    if getattr(import_module(CHAIN), "_CHAIN_PROVIDER_ENTRY_POINT_GROUP", None) != GROUP:
        found.append(f"the entry-point group is not {GROUP}")
    return found


class TestCanary:
    def test_nothing_has_moved(self) -> None:
        """The SDK's interface is as it was in 0.12; the failure says in one line what moved."""
        assert not moved(), f"smithy-aws-core {version('smithy-aws-core')}: {'; '.join(moved())}"

    def test_the_entry_point_leads_to_the_link(self) -> None:
        """The SDK finds exactly one link of ours, and its own are in the same group."""
        found = {one.name: one for one in entry_points(group=GROUP)}

        assert found["CognitoIdentityPool"].load() is IdentityPoolChainProvider
        assert "ProfileCredentialProcess" in found
