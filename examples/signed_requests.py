"""
Call API Gateway or AppSync with httpx; each request is signed with the credentials of an identity pool.

    pip install /path/to/cognito-credentials httpx  # a checkout: it is on no package index yet
    python signed_requests.py us-east-1:00000000-0000-4000-8000-000000000001 \\
        https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod/readings

The route has IAM authorization, and the pool's role a policy with ``execute-api:Invoke``. AppSync is the
service ``appsync``; its queries are ``client.post("https://….com/graphql", json={"query": "{ … }"})``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_credentials import AsyncIdentityPool, IdentityPool, TemporaryCredentials

SERVICE = "execute-api"


def sign(request: httpx.Request, body: bytes, keys: TemporaryCredentials, region: str) -> httpx.Request:
    """Add AWS's signature to the request's headers."""
    # AWS signs a space as %20, and httpx writes it as +.
    query = urlencode(request.url.params.multi_items(), quote_via=quote)
    request.url = request.url.copy_with(query=query.encode() or None)
    plain = AWSRequest(request.method, str(request.url), data=body)
    secrets = (keys.secret_access_key.reveal(), keys.session_token.reveal())
    SigV4Auth(Credentials(keys.access_key_id, *secrets), SERVICE, region).add_auth(plain)
    request.headers.update(plain.headers.items())
    return request


class AWSAuth(httpx.Auth):
    """For httpx.Client."""

    def __init__(self, pool: IdentityPool, region: str) -> None:
        self.pool, self.region = pool, region

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign with credentials that are valid now."""
        yield sign(request, request.read(), self.pool.credentials(), self.region)


class AsyncAWSAuth(httpx.Auth):
    """For httpx.AsyncClient: the event loop never waits for Cognito."""

    def __init__(self, pool: AsyncIdentityPool, region: str) -> None:
        self.pool, self.region = pool, region

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign with credentials that are valid now."""
        keys = await self.pool.credentials()
        yield sign(request, await request.aread(), keys, self.region)


def get(identity_pool_id: str, region: str, url: str) -> None:
    """Make one request."""
    pool = IdentityPool(identity_pool_id)
    with httpx.Client(auth=AWSAuth(pool, region)) as client:
        print(client.get(url).raise_for_status().text)


async def get_all(identity_pool_id: str, region: str, urls: list[str]) -> None:
    """Make requests at the same time."""
    async with (
        AsyncIdentityPool(identity_pool_id) as pool,
        httpx.AsyncClient(auth=AsyncAWSAuth(pool, region)) as client,
    ):
        for answer in await asyncio.gather(*(client.get(url) for url in urls)):
            print(answer.raise_for_status().text)


def main(identity_pool_id: str, *urls: str) -> None:
    """Get one URL, or several at the same time."""
    region = identity_pool_id.partition(":")[0]  # replace where the API is in another one
    if len(urls) == 1:
        get(identity_pool_id, region, urls[0])
    else:
        asyncio.run(get_all(identity_pool_id, region, list(urls)))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python signed_requests.py IDENTITY_POOL_ID URL...")
    main(*sys.argv[1:])
