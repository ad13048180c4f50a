"""
The back end of `service.py` with FastAPI: it vouches for the app's own users to Cognito.

    pip install "/path/to/cognito-credentials[redis]" fastapi uvicorn  # a checkout: it is on no package index
    uvicorn --workers 4 fastapi_service:app

It runs behind TLS, and a proxy that limits the size of bodies. The variables are those of `service.py`, and
AWS credentials whose policy has ``cognito-identity:GetOpenIdTokenForDeveloperIdentity``.

There are two ways for an app. ``POST /cognito-token`` gives it a token, with which it asks AWS itself: its
login is ``DeveloperLogin("https://…/cognito-token", headers=…)``. ``GET /aws-credentials`` gives it the
credentials. That is a container-credentials endpoint, so every AWS SDK takes them, and asks again in time:

    AWS_CONTAINER_CREDENTIALS_FULL_URI=https://…/aws-credentials
    AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer …"  # the session

All workers on all hosts share one Redis or Valkey, which has identities and credentials
(.github/docs/guides/fleet.md):

    AWS_COGNITO_CACHE=rediss://…
    AWS_COGNITO_CACHE_KEY=…

A worker holds the credentials of as many users in its memory as ``AWS_COGNITO_USERS_IN_MEMORY`` says.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import boto3
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cognito_credentials import AsyncIdentityPool, CognitoCredentialsError, Secret
from cognito_credentials.back_end import developer_token

POOL_ID = os.environ["AWS_COGNITO_IDENTITY_POOL_ID"]
PROVIDER = os.environ["APP_DEVELOPER_PROVIDER"]  # the developer provider name of the pool
SESSIONS = json.loads(Path(os.environ["APP_SESSIONS"]).read_text())  # replace: a real service has a database
DEVELOPER_TOKEN = "GetOpenIdTokenForDeveloperIdentity"  # AWS takes 50 a second from all hosts together

# Made once: boto3 clients may be shared between threads, and making one is slow.
client = boto3.client("cognito-identity", region_name=POOL_ID.partition(":")[0])
pool = AsyncIdentityPool(POOL_ID)
log = logging.getLogger("uvicorn.error")


@asynccontextmanager
async def while_it_runs(_: FastAPI) -> AsyncIterator[None]:
    """Let the calls that are under way at the end come to their end."""
    async with pool:
        yield


app = FastAPI(lifespan=while_it_runs)


@dataclass
class User:
    """Whom a session belongs to."""

    name: str
    team: str


@dataclass
class Asked:
    """What the app sends: the identity that it has as a guest, if the user is to keep it."""

    IdentityId: str | None = None


async def signed_in(
    session: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> User:
    """Return the user whose session the request names; a user name in the request counts for nothing."""
    found = SESSIONS.get(session.credentials) if session else None
    if found is None:
        raise HTTPException(401, "sign in first")
    return User(**found)


def _when(error: CognitoCredentialsError) -> dict[str, str] | None:
    """Return the header that says when to ask again."""
    return {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else None


# Not `async def`: FastAPI calls it in a thread, since it waits for AWS.
@app.post("/cognito-token")
def cognito_token(
    asked: Asked, user: Annotated[User, Depends(signed_in)], answer: Response
) -> dict[str, str]:
    """Answer with the user's identity and a token for it."""
    try:
        pool.pool.wait_for_turn(DEVELOPER_TOKEN, user.name)
        token = developer_token(
            client,
            POOL_ID,
            user.name,
            provider=PROVIDER,
            guest_identity_id=asked.IdentityId,
            principal_tags={"team": user.team},  # for policies such as "only the objects of the user's team"
            duration_seconds=300,  # the app asks again for each hour of credentials
        )
    except CognitoCredentialsError as error:
        # The details are for this service's log; the app learns only whether to try again.
        log.error("no token for %s: %s", user.name, error)
        raise HTTPException(503 if error.retryable else 500, "no token", _when(error)) from None
    answer.headers["Cache-Control"] = "no-store"
    return token.to_json()


@app.get("/aws-credentials")
async def aws_credentials(user: Annotated[User, Depends(signed_in)]) -> Response:
    """Answer with the user's AWS credentials: from memory, from Redis, or new."""

    def token() -> Secret:
        # Called in a thread, and only when new credentials are due: once in 45 minutes for a user who asks.
        pool.pool.wait_for_turn(DEVELOPER_TOKEN, user.name)
        return developer_token(
            client,
            POOL_ID,
            user.name,
            provider=PROVIDER,
            principal_tags={"team": user.team},
            duration_seconds=300,
        ).token

    try:
        # Whoever names a user is that user. The name is that of the session, never one from the request.
        keys = await pool.for_user(user.name, logins=token).credentials()
    except CognitoCredentialsError as error:
        log.error("no credentials for %s: %s", user.name, error)
        raise HTTPException(503 if error.retryable else 500, "no credentials", _when(error)) from None
    return Response(keys.to_container(), media_type="application/json", headers={"Cache-Control": "no-store"})
