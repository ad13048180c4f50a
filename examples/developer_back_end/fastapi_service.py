"""
The back end of `service.py` with FastAPI: it vouches for the app's own users to Cognito.

    pip install /path/to/cognito-credentials fastapi uvicorn  # a checkout: it is on no package index yet
    uvicorn fastapi_service:app

It runs behind TLS, and a proxy that limits the size of bodies. The app's login is
``DeveloperLogin("https://…/cognito-token", headers=…)``. The variables are those of `service.py`, and AWS
credentials whose policy has ``cognito-identity:GetOpenIdTokenForDeveloperIdentity``.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import boto3
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cognito_credentials import CognitoCredentialsError
from cognito_credentials.back_end import developer_token

POOL_ID = os.environ["AWS_COGNITO_IDENTITY_POOL_ID"]
PROVIDER = os.environ["APP_DEVELOPER_PROVIDER"]  # the developer provider name of the pool
SESSIONS = Path(os.environ["APP_SESSIONS"])  # replace: a real service has a database

# Made once: boto3 clients may be shared between threads, and making one is slow.
client = boto3.client("cognito-identity", region_name=POOL_ID.partition(":")[0])
log = logging.getLogger("uvicorn.error")
app = FastAPI()


@dataclass
class User:
    """Whom a session belongs to."""

    name: str
    team: str


@dataclass
class Asked:
    """What the app sends: the identity that it has as a guest, if the user is to keep it."""

    IdentityId: str | None = None


def signed_in(
    session: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> User:
    """Return the user whose session the request names; a user name in the request counts for nothing."""
    found = json.loads(SESSIONS.read_text()).get(session.credentials) if session else None
    if found is None:
        raise HTTPException(401, "sign in first")
    return User(**found)


# Not `async def`: FastAPI calls it in a thread, since it waits for AWS.
@app.post("/cognito-token")
def cognito_token(
    asked: Asked, user: Annotated[User, Depends(signed_in)], answer: Response
) -> dict[str, str]:
    """Answer with the user's identity and a token for it."""
    try:
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
        raise HTTPException(503 if error.retryable else 500, "no token") from None
    answer.headers["Cache-Control"] = "no-store"
    return token.to_json()
