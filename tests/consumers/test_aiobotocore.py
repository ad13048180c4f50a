"""aiobotocore, and s3fs over its session: served by `install`, over renewals, outages and several loops."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import pytest

from cognito_credentials import (
    AsyncIdentityPool,
    ConfigurationError,
    IdentityPool,
    IdentityPoolProvider,
    LoginRequiredError,
    ServiceError,
    Session,
    install,
)
from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from tests.real_parts import package
from tests.session.test_credentials import INHERITED, REPLACED, parts_of_botocores

from .conftest import Cognito
from .storage import Storage

package("aiobotocore.session")

from aiobotocore.credentials import AioDeferredRefreshableCredentials, AioRefreshableCredentials  # noqa: E402
from aiobotocore.session import AioSession  # noqa: E402

from cognito_credentials.adapters.aiobotocore import (  # noqa: E402
    AioIdentityPoolCredentials,
    AioIdentityPoolProvider,
)

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
GUEST = "/CognitoIdentityCredentials"
KEY = "AKIAEXAMPLEEXAMPLE12"
ONCE = {"GetId": 1, "GetCredentialsForIdentity": 1}


def installed(*arguments: Any, session: Any = None, **settings: Any) -> Any:
    """A new aiobotocore session, or *session*, with the provider."""
    session = AioSession() if session is None else session
    install(session, *arguments, **settings)
    return session


async def caller(session: Any, **arguments: Any) -> str:
    """Return the ARN of whoever signs in *session*."""
    async with session.create_client("sts", **arguments) as client:
        return str((await client.get_caller_identity())["Arn"])


@pytest.fixture
def profile(cognito: Cognito, isolation: Path) -> Callable[[str], None]:
    """Write the AWS config file, with the pool's id for POOL."""

    def write(text: str) -> None:
        (isolation / ".aws").mkdir(exist_ok=True)
        (isolation / ".aws" / "config").write_text(text.replace("POOL", cognito.pool_id))

    return write


class TestClients:
    def test_a_client_over_a_renewal(self, cognito: Cognito, storage: Storage, proves: Any) -> None:
        """One client, made once, goes on with new keys when the old ones are due."""
        storage.put("a", b"1")

        async def main() -> None:
            async with installed(identity_pool_id=cognito.pool_id).create_client("s3") as client:
                for _ in range(2):
                    answer = await client.get_object(Bucket=storage.bucket, Key="a")
                    assert await answer["Body"].read() == b"1"
                    cognito.make_due()

        asyncio.run(main())

        assert storage.refused == []
        proves("aiobotocore", "`install(session, …)`", renewals=storage.renewals)

    def test_s3fs_over_a_renewal(self, cognito: Cognito, storage: Storage, proves: Any) -> None:
        """The same for a file system that is given the session; its loop runs in a thread of its own."""
        s3fs = package("s3fs")
        files = s3fs.S3FileSystem(
            session=installed(identity_pool_id=cognito.pool_id), use_listings_cache=False
        )

        files.pipe(f"{storage.bucket}/a", b"1")
        cognito.make_due()
        files.invalidate_cache()

        assert files.cat(f"{storage.bucket}/a") == b"1"
        assert storage.refused == []
        proves("s3fs", "`S3FileSystem(session=session)`", renewals=storage.renewals)

    def test_a_hundred_calls_at_once(self, cognito: Cognito) -> None:
        """Of 100 tasks with a client each, cold and at a renewal, one asks the service."""

        async def main() -> None:
            session = installed(identity_pool_id=cognito.pool_id)
            async with session.create_client("sts") as client:
                arns = await asyncio.gather(*(client.get_caller_identity() for _ in range(100)))
                assert {answer["Arn"].endswith(GUEST) for answer in arns} == {True}
                assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"
                cognito.make_due()
                await asyncio.gather(*(client.get_caller_identity() for _ in range(100)))

        asyncio.run(main())

        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 2"

    def test_a_presigned_url(self, cognito: Cognito) -> None:
        """It is awaited; the service finds key, secret and token of one generation in it."""

        async def main() -> tuple[str, str]:
            session = installed(identity_pool_id=cognito.pool_id)
            async with session.create_client("sts") as client:
                url = await client.generate_presigned_url("get_caller_identity", HttpMethod="GET")
                return url, (await client.get_caller_identity())["Arn"]

        url, arn = asyncio.run(main())

        with urllib.request.urlopen(url, timeout=10) as answer:
            assert f"<Arn>{arn}</Arn>" in answer.read().decode()

    def test_signing_by_awscrt(self, cognito: Cognito) -> None:
        """With awscrt installed, botocore signs there; it takes nothing but text."""
        package("awscrt")
        from botocore.auth import AUTH_TYPE_MAPS

        assert AUTH_TYPE_MAPS["v4"].__module__ == "botocore.crt.auth"
        assert asyncio.run(caller(installed(identity_pool_id=cognito.pool_id))).endswith(GUEST)

    def test_the_account_is_passed_on(self, cognito: Cognito) -> None:
        """Clients that put the account into the address, such as DynamoDB's, find it."""

        class NotSentError(Exception):
            pass

        def note(request: Any, **_: Any) -> None:
            hosts.append(request.url)
            raise NotSentError

        async def main() -> None:
            session = installed(identity_pool_id=cognito.pool_id, account_id="123456789012")
            async with session.create_client("dynamodb") as client:
                client.meta.events.register("before-send", note)
                with pytest.raises(NotSentError):
                    await client.list_tables()

        hosts: list[str] = []
        asyncio.run(main())

        assert hosts == ["https://123456789012.ddb.us-east-1.amazonaws.com/"]


class TestWaiting:
    """What tasks and event loops notice of a refresh."""

    def test_the_loop_is_never_blocked(self, cognito: Cognito) -> None:
        """While the service takes its time, cold and at a renewal, other tasks of the loop go on."""

        async def main() -> float:
            session = installed(identity_pool_id=cognito.pool_id)
            credentials = await session.get_credentials()
            await credentials.get_frozen_credentials()  # what is imported at the first use has been
            await credentials.async_pool.clear()
            cognito.emulator.plan_faults(
                {"operation": "GetCredentialsForIdentity", "times": -1, "delay": 0.5}
            )
            longest, last = 0.0, time.perf_counter()
            waiting = asyncio.ensure_future(credentials.get_frozen_credentials())
            while not waiting.done():
                await asyncio.sleep(0.005)
                longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
            assert (await waiting).token
            return longest

        assert asyncio.run(main()) < 0.25

    def test_a_fresh_read_asks_no_thread(self, cognito: Cognito) -> None:
        """What is held and fresh is returned without a step of the loop, and no thread is started."""

        async def main() -> None:
            credentials = await installed(identity_pool_id=cognito.pool_id).get_credentials()
            await credentials.get_frozen_credentials()
            before = threading.active_count()
            for _ in range(100):
                read = credentials.get_frozen_credentials()
                with pytest.raises(StopIteration):
                    read.send(None)  # it ends without having waited for anything
            assert threading.active_count() <= before

        asyncio.run(main())

    def test_a_cancelled_task_disturbs_no_other(self, cognito: Cognito) -> None:
        """Of tasks that wait together, those that are not cancelled get the credentials of one request."""

        async def main() -> None:
            session = installed(identity_pool_id=cognito.pool_id)
            cognito.emulator.plan_faults({"operation": "GetCredentialsForIdentity", "times": 1, "delay": 0.3})
            async with session.create_client("sts") as client:
                calls = [asyncio.ensure_future(client.get_caller_identity()) for _ in range(20)]
                await asyncio.sleep(0.1)
                for call in calls[::2]:
                    call.cancel()
                results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in results[::2])
            assert all(one["Arn"].endswith(GUEST) for one in results[1::2])

        asyncio.run(main())

        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"

    def test_all_tasks_cancelled(self, cognito: Cognito) -> None:
        """The session works on after every task that waited has been cancelled."""

        async def main() -> str:
            session = installed(identity_pool_id=cognito.pool_id)
            cognito.emulator.plan_faults({"operation": "GetCredentialsForIdentity", "times": 1, "delay": 0.3})
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(caller(session), 0.15)
            return await caller(session)

        assert asyncio.run(main()).endswith(GUEST)
        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"

    def test_one_session_in_several_loops(self, cognito: Cognito) -> None:
        """Two loops at once in threads, and one after another, use one session and one identity."""
        session = installed(identity_pool_id=cognito.pool_id)
        arns: list[str] = []
        begin = threading.Barrier(2)

        def run() -> None:
            begin.wait()
            arns.append(asyncio.run(caller(session)))

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cognito.make_due()
        arns.append(asyncio.run(caller(session)))

        assert [arn.endswith(GUEST) for arn in arns] == [True] * 3
        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 2"

    def test_beside_threads_of_the_same_pool(self, cognito: Cognito) -> None:
        """An IdentityPool that is given shares what it holds: threads and tasks make one request."""
        pool = IdentityPool(cognito.pool_id)
        key = pool.credentials().access_key_id

        async def main() -> str:
            return str(await (await installed(pool).get_credentials()).get_access_key())

        assert asyncio.run(main()) == key
        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"

    def test_an_outage(self, cognito: Cognito) -> None:
        """While credentials are valid, 1,000 signatures raise nothing; afterwards there is a clear error."""

        async def main() -> None:
            session = installed(identity_pool_id=cognito.pool_id)
            credentials = await session.get_credentials()
            before = await credentials.get_frozen_credentials()
            cognito.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
            cognito.make_due()
            assert {await credentials.get_frozen_credentials() for _ in range(1000)} == {before}
            cognito.make_due()
            with pytest.raises(ServiceError, match="expired at") as caught:
                await caller(session)
            assert isinstance(caught.value, botocore.exceptions.CredentialRetrievalError)

        asyncio.run(main())


class TestPools:
    """Which pool it is, and who comes first."""

    def test_a_profile_with_pool_keys_alone(self, cognito: Cognito, profile: Any) -> None:
        """Installed without settings, the profile's pool is found; its credential_process is not started."""
        profile(
            "[profile app]\ncognito_identity_pool_id = POOL\n"
            "[profile both]\ncognito_identity_pool_id = POOL\ncredential_process = /bin/false\n"
            f"[profile keys]\naws_access_key_id = {KEY}\naws_secret_access_key = s\n"
        )
        for name in ("app", "both"):
            assert asyncio.run(caller(installed(session=AioSession(profile=name)))).endswith(GUEST)
        later = installed()  # as aioboto3 sets it, after install()
        later.set_config_variable("profile", "app")
        assert asyncio.run(caller(later)).endswith(GUEST)

        found = asyncio.run(installed(session=AioSession(profile="keys")).get_credentials())
        assert found.access_key == KEY

    def test_a_program_that_cannot_install(self, cognito: Cognito, profile: Any, isolation: Path) -> None:
        """It is served by the profile's credential_process, as `configure` writes it."""
        import subprocess
        import sys

        command = [sys.executable, "-m", "cognito_credentials", "configure", "--profile", "app", "--yes"]
        subprocess.run([*command, "--identity-pool-id", cognito.pool_id], check=True, capture_output=True)

        assert asyncio.run(caller(AioSession(profile="app"))).endswith(GUEST)

    def test_the_place_in_the_chain(self, cognito: Cognito) -> None:
        """Without settings the provider is just before credential_process; with a pool it is alone."""
        session = installed()
        names = [one.METHOD for one in session.get_component("credential_provider").providers]
        assert names.index("cognito-identity-pool") == names.index("custom-process") - 1
        session = installed(identity_pool_id=cognito.pool_id)
        (provider,) = session.get_component("credential_provider").providers
        assert isinstance(provider, AioIdentityPoolProvider)

    def test_nothing_configured(self) -> None:
        """None means "not mine": the chain goes on, and ends without credentials."""
        assert asyncio.run(AioIdentityPoolProvider(AioSession()).load()) is None
        assert asyncio.run(installed().get_credentials()) is None

    def test_configured_but_wrong(self, profile: Any) -> None:
        """A pool that is configured wrongly stops the chain, and is named."""
        profile("[default]\ncognito_identity_pool_id = nonsense\n")

        with pytest.raises(botocore.exceptions.BotoCoreError, match="identity_pool_id from profile"):
            asyncio.run(installed().get_credentials())

    def test_a_named_pool_wins_over_the_environment(
        self, cognito: Cognito, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even environment keys come before a pool that the program names; its region is the default."""
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

        assert asyncio.run(caller(installed(identity_pool_id=cognito.pool_id))).endswith(GUEST)
        assert asyncio.run(installed().get_credentials()).method == "env"

    @pytest.mark.parametrize("kind", [IdentityPool, AsyncIdentityPool])
    def test_a_pool_of_either_kind(self, cognito: Cognito, kind: Any) -> None:
        """A pool is taken by position or by name; in memory it is one guest, however often installed."""
        pool = kind(cognito.pool_id, cache="memory")

        arns = [asyncio.run(caller(installed(pool))), asyncio.run(caller(installed(pool=pool)))]

        assert len(set(arns)) == 1
        assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"

    def test_the_pool_that_was_given(self) -> None:
        """The credentials ask the very AsyncIdentityPool that was given; threads have its pool."""
        given = AsyncIdentityPool(POOL_ID)

        credentials = asyncio.run(installed(given).get_credentials())

        assert credentials.async_pool is given
        assert credentials.pool is given.pool

    def test_an_async_login_function(self, cognito: Cognito) -> None:
        """Login functions may be coroutines; a login without a token is LoginRequiredError and botocore's."""

        async def no_token() -> None:
            await asyncio.sleep(0)

        with pytest.raises(LoginRequiredError) as caught:
            asyncio.run(
                caller(installed(identity_pool_id=cognito.pool_id, logins={"login.example.com": no_token}))
            )

        assert isinstance(caught.value, botocore.exceptions.BotoCoreError)
        assert cognito.requests() == ""


WRONG = [
    (
        lambda: IdentityPoolProvider(AioSession()),
        r"takes a blocking.*asynchronous one, aiobotocore's AioSession",
    ),
    (
        lambda: Session(botocore_session=AioSession()),
        r"takes a blocking.*aioboto3\.Session\(botocore_session",
    ),
    (
        lambda: AioIdentityPoolProvider(botocore.session.Session()),
        r"AioIdentityPoolProvider takes an asynchronous.*a blocking one",
    ),
    (lambda: install(botocore.session.Session(), AsyncIdentityPool(POOL_ID)), "not an IdentityPool"),
    (lambda: Session(pool=AsyncIdentityPool(POOL_ID)), "AsyncIdentityPool, not an IdentityPool"),  # type: ignore[arg-type]
    (lambda: IdentityPoolProvider(pool=AsyncIdentityPool(POOL_ID)), "not an IdentityPool"),  # type: ignore[arg-type]
    (lambda: install(AioSession(), POOL_ID), r"is str, not an AsyncIdentityPool"),  # type: ignore[arg-type]
    (lambda: install(AioSession(), IdentityPool(POOL_ID), user="ann"), "both a pool and user"),
    (lambda: install(AioSession(), identity_pool_id="nonsense"), "identity_pool_id"),
    (
        lambda: AioIdentityPoolProvider(AsyncIdentityPool(POOL_ID)),
        r"Write AioIdentityPoolProvider\(pool=pool\)",
    ),
]


class TestWrong:
    @pytest.mark.parametrize(("call", "says"), WRONG)
    def test_each_is_said_at_once(self, call: Callable[[], object], says: str) -> None:
        """What is for the other kind of session, or no pool, is refused when it is given."""
        with pytest.raises(ConfigurationError, match=says):
            call()

    def test_a_session_in_use(self, cognito: Cognito) -> None:
        """A session that has credentials already would go on with those."""
        session = AioSession()
        session.set_credentials(KEY, "s")

        with pytest.raises(ConfigurationError, match="has credentials already, from 'explicit'"):
            install(session, identity_pool_id=cognito.pool_id)


class TestContract:
    """The credentials, beside aiobotocore's own class."""

    def test_every_part_of_aiobotocores_class_is_accounted_for(self, cognito: Cognito) -> None:
        """A part that a new aiobotocore adds fails here, until it is ours or its reason is in a table."""
        credentials = AioIdentityPoolCredentials(IdentityPool(cognito.pool_id))
        ours = {*vars(AioIdentityPoolCredentials), *vars(IdentityPoolCredentials), *vars(credentials)}
        theirs = parts_of_botocores()
        for kind in (AioDeferredRefreshableCredentials, AioRefreshableCredentials):
            theirs |= {name for name in vars(kind) if not name.startswith("__")}

        assert not theirs - ours - REPLACED.keys() - INHERITED.keys() - {"_create_lock"}
        assert isinstance(credentials, AioRefreshableCredentials)

    def test_what_ours_replaces_is_called_as_theirs_is(self) -> None:
        """A method of ours takes what theirs takes, and is a coroutine where theirs is one."""
        for name, ours in vars(AioIdentityPoolCredentials).items():
            theirs = inspect.getattr_static(AioDeferredRefreshableCredentials, name, None)
            if inspect.isfunction(theirs) and not name.startswith("__"):
                assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
                assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs), name

    def test_its_parts_are_of_one_generation(self, cognito: Cognito) -> None:
        """Each part is awaited; as a property it says so, as aiobotocore's own does."""

        async def main() -> None:
            ours = AioIdentityPoolCredentials(IdentityPool(cognito.pool_id, account_id="123456789012"))
            frozen = await ours.get_frozen_credentials()
            parts = [await getattr(ours, f"get_{name}")() for name in frozen._fields]
            assert parts == list(frozen)
            for name in frozen._fields:
                with pytest.raises(NotImplementedError, match=r"await get_frozen_credentials\(\)"):
                    getattr(ours, name)
                with pytest.raises(AttributeError):
                    setattr(ours, name, "x")

        asyncio.run(main())

    def test_what_others_read(self, cognito: Cognito) -> None:
        """The end and the need of a refresh are told without asking anybody."""

        async def main() -> None:
            ours = AioIdentityPoolCredentials(AsyncIdentityPool(cognito.pool_id))
            assert ours.refresh_needed()
            assert ours._expiry_time is None
            before = await ours.get_frozen_credentials()
            assert not ours.refresh_needed()
            assert 3500 < ours._seconds_remaining() <= 3600
            cognito.make_due()
            assert ours.refresh_needed()
            await ours._refresh()
            renewed = await ours.get_frozen_credentials()
            assert renewed != before
            await ours._protected_refresh(is_mandatory=True)
            assert await ours.get_frozen_credentials() != renewed

        asyncio.run(main())

    def test_a_copy_of_theirs_renews_from_the_pool(self, cognito: Cognito) -> None:
        """aiobotocore's own class, given `_refresh_using`, gets the same credentials."""

        async def main() -> None:
            ours = AioIdentityPoolCredentials(IdentityPool(cognito.pool_id))
            theirs = AioDeferredRefreshableCredentials(ours._refresh_using, ours.method)
            assert await theirs.get_frozen_credentials() == await ours.get_frozen_credentials()
            assert theirs._expiry_time == ours._expiry_time

        asyncio.run(main())

    def test_rejected_keys(self, cognito: Cognito) -> None:
        """A program that a service has refused says so to the pool of the credentials, as with boto3."""

        async def main() -> None:
            credentials = await installed(identity_pool_id=cognito.pool_id).get_credentials()
            key = await credentials.get_access_key()
            await credentials.async_pool.invalidate(key)
            assert await credentials.get_access_key() != key

        asyncio.run(main())
