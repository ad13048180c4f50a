"""httpx, by examples/signed_requests.py: each request is signed for API Gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_credentials import AsyncIdentityPool, IdentityPool
from tests.real_parts import package

from .api import Api, running_api
from .conftest import Cognito, example

httpx = package("httpx")
signed_requests = example("signed_requests.py")


@pytest.fixture
def api(cognito: Cognito) -> Iterator[Api]:
    with running_api(cognito.emulator) as running:
        yield running


def test_it_signs_over_a_renewal(cognito: Cognito, api: Api, proves: Callable[..., None]) -> None:
    """One client signs with one key for an hour, and then with the next; queries and bodies are covered."""
    pool = IdentityPool(cognito.pool_id)
    with httpx.Client(auth=signed_requests.AWSAuth(pool, "us-east-1"), base_url=api.url) as client:
        first = client.get("/readings/a b+c", params={"z": "1 2", "a": "ü/&=+"}).json()
        cognito.make_due()
        second = client.post("/graphql", json={"query": "{ readings }"}).json()

    assert first["identity"] == second["identity"] == pool.identity_id()
    assert json.loads(second["body"]) == {"query": "{ readings }"}
    proves("httpx", "`auth=` object", renewals=api.renewals)


def test_it_signs_on_an_event_loop(cognito: Cognito, api: Api, proves: Callable[..., None]) -> None:
    """A hundred requests at the same time cost one identity and one set of credentials, also at a renewal."""

    async def program() -> list[Any]:
        pool = AsyncIdentityPool(cognito.pool_id)
        limits = httpx.Limits(max_connections=10)
        auth = signed_requests.AsyncAWSAuth(pool, "us-east-1")
        async with pool, httpx.AsyncClient(auth=auth, base_url=api.url, limits=limits) as client:
            await asyncio.gather(*(client.get(f"/{number}") for number in range(100)))
            cognito.make_due()
            return await asyncio.gather(*(client.post(f"/{number}") for number in range(100)))

    assert {answer.status_code for answer in asyncio.run(program())} == {200}
    assert len(api.signers) == 200
    proves("httpx", "`auth=` object, async", renewals=api.renewals)


def test_the_program_prints_what_it_got(
    cognito: Cognito, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """One URL is read by itself, several at the same time."""
    signed_requests.main(cognito.pool_id, f"{api.url}/a")
    signed_requests.main(cognito.pool_id, f"{api.url}/b", f"{api.url}/c")

    printed = [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["/a", "/b", "/c"]
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"
