"""aioboto3: boto3's interface over an aiobotocore session. It pins aiobotocore 2: it is tested apart."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import ConfigurationError, install
from tests.real_parts import package

from .conftest import Cognito
from .storage import Storage
from .table import ROOT

package("aiobotocore.session")
if version("aiobotocore").startswith("3."):
    pytest.skip("aioboto3 does not go with aiobotocore 3", allow_module_level=True)
aioboto3 = package("aioboto3")

from aiobotocore.session import AioSession  # noqa: E402

OLDEST = "2.21.1"
"""The aiobotocore of `.ci/run`'s environment with an aioboto3 that is not the newest."""


def test_a_resource_over_a_renewal(cognito: Cognito, storage: Storage, proves: Any) -> None:
    """One resource, made once, goes on with new keys when the old ones are due."""

    async def main() -> list[str]:
        session = AioSession()
        install(session, identity_pool_id=cognito.pool_id)
        async with aioboto3.Session(botocore_session=session).resource("s3") as s3:
            bucket = await s3.Bucket(storage.bucket)
            await bucket.put_object(Key="a", Body=b"1")
            cognito.make_due()
            return [one.key async for one in bucket.objects.all()]

    assert asyncio.run(main()) == ["a"]
    assert storage.refused == []
    proves(
        "aioboto3",
        "`Session(botocore_session=session)`",
        renewals=storage.renewals,
        version=None if version("aiobotocore") == OLDEST else version("aioboto3"),
    )


def test_fifty_clients_at_once(cognito: Cognito) -> None:
    """Fifty tasks with a client each, cold: one of them asks the service."""

    async def main() -> list[str]:
        botocore_session = AioSession()
        install(botocore_session, identity_pool_id=cognito.pool_id)
        session = aioboto3.Session(botocore_session=botocore_session)

        async def caller() -> str:
            async with session.client("sts") as client:
                return str((await client.get_caller_identity())["Arn"])

        return await asyncio.gather(*(caller() for _ in range(50)))

    assert len(set(asyncio.run(main()))) == 1
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"


def test_a_profile_with_pool_keys_alone(cognito: Cognito, isolation: Path) -> None:
    """aioboto3 sets the profile after `install`; its pool is found all the same."""
    (isolation / ".aws").mkdir()
    (isolation / ".aws" / "config").write_text(
        f"[profile app]\ncognito_identity_pool_id = {cognito.pool_id}\n"
    )
    botocore_session = AioSession()
    install(botocore_session)

    async def main() -> str:
        session = aioboto3.Session(botocore_session=botocore_session, profile_name="app")
        async with session.client("sts") as client:
            return str((await client.get_caller_identity())["Arn"])

    assert asyncio.run(main()).endswith("/CognitoIdentityCredentials")


def test_the_program_of_the_page(cognito: Cognito, storage: Storage) -> None:
    """The program of the guide to async programs runs with all three libraries, and all are one guest."""
    page = ROOT / ".github" / "docs" / "guides" / "async.md"
    section = page.read_text("utf-8").split("## aiobotocore, aioboto3, s3fs\n", 1)[1]
    program = section.split("```python\n", 1)[1].split("```", 1)[0]
    package("s3fs")
    found: dict[str, Any] = {}

    exec(program.replace("us-east-1:00000000-0000-4000-8000-000000000001", cognito.pool_id), found)
    asyncio.run(found["main"]())
    found["files"].pipe(f"{storage.bucket}/a", b"1")

    assert storage.get("a") == b"1"
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"


def test_its_own_session_is_refused() -> None:
    """install() takes the session that aioboto3's is made with, and says so."""
    with pytest.raises(
        ConfigurationError, match=r"got aioboto3's.*Give the aiobotocore\.session\.AioSession\(\)"
    ):
        install(aioboto3.Session())
