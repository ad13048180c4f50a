"""
An app's own back end that signs its users in to AWS: developer authenticated identities.

The app's users have no account at Google or in a user pool; this service knows them by its own sessions. With
its own AWS credentials it gets a token for a user from Cognito, and the app exchanges that for credentials:

    Session(identity_pool_id=…, logins=DeveloperLogin("https://…/cognito-token", headers=…), user=…)

    pip install "/path/to/cognito-credentials[server]"  # a checkout: it is on no package index yet

    AWS_COGNITO_IDENTITY_POOL_ID=…   the pool
    APP_DEVELOPER_PROVIDER=…         its developer provider name
    APP_SESSIONS=…                   a JSON file: session to user and team; a real service has a database

Run it with ``uvicorn service:app``, behind TLS.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cognito_credentials import CognitoCredentialsError
from cognito_credentials.back_end import DeveloperToken, developer_token

BODY_LIMIT = 4096


def setting(name: str, what: str) -> str:
    """Read an environment variable that this service needs."""
    value = os.environ.get(name)
    if not value:
        # One line on stderr, before the service takes any request.
        raise SystemExit(f"{name} is not set: it is {what}")
    return value


POOL_ID = setting("AWS_COGNITO_IDENTITY_POOL_ID", "the identity pool, region:guid")
PROVIDER = setting("APP_DEVELOPER_PROVIDER", "the developer provider name of the pool")
SESSIONS = Path(setting("APP_SESSIONS", "a JSON file: session to user and team"))

# Made once: boto3 clients may be shared between threads, and making one is slow.
client = boto3.client("cognito-identity", region_name=POOL_ID.partition(":")[0])


def user_of(request: Request) -> dict[str, str] | None:
    """Return the user whose session the request names; a user name in the request counts for nothing."""
    scheme, _, session = request.headers.get("Authorization", "").partition(" ")
    sessions = json.loads(SESSIONS.read_text())
    return sessions.get(session) if scheme == "Bearer" else None


def token_for(user: dict[str, str], guest_identity_id: str | None) -> DeveloperToken:
    """Get a token for the user from Cognito."""
    return developer_token(
        client,
        POOL_ID,
        user["name"],
        provider=PROVIDER,
        guest_identity_id=guest_identity_id,
        # For policies such as "only the objects of the user's own team".
        principal_tags={"team": user["team"]},
        # Short: the app asks again for each hour of credentials, and by then the session may have ended.
        duration_seconds=300,
    )


async def body_of(request: Request) -> bytes | None:
    """Read the request's body; None if it is larger than any of the app's, with the rest unread."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return body


async def cognito_token(request: Request) -> Response:
    """Answer with the user's identity and a token for it."""
    user = user_of(request)
    if user is None:
        return JSONResponse({"error": "sign in first"}, status_code=401)
    body = await body_of(request)
    if body is None:
        return JSONResponse({"error": "too large"}, status_code=413)
    try:
        guest = json.loads(body).get("IdentityId")
    except (ValueError, AttributeError):
        return JSONResponse({"error": "not a JSON object"}, status_code=400)
    try:
        answer = await run_in_threadpool(token_for, user, guest if isinstance(guest, str) else None)
    except CognitoCredentialsError as error:
        # The details are for this service's log; the app learns only whether to try again.
        print(f"no token for {user['name']}: {error}", flush=True)
        return JSONResponse({"error": "no token"}, status_code=503 if error.retryable else 500)
    return JSONResponse(answer.to_json(), headers={"Cache-Control": "no-store"})


app = Starlette(routes=[Route("/cognito-token", cognito_token, methods=["POST"])])
