"""
A desktop app: its user signed in once, and it keeps one boto3 session alive for as long as it runs.

What the app has from signing in is a refresh token; the pool wants an ID token, which lasts an hour. So the
app hands over a function, which is called whenever new credentials are due, and at no other time.

    AWS_COGNITO_IDENTITY_POOL_ID=…  the pool
    APP_TOKEN_URL=…  APP_CLIENT_ID=…  APP_REFRESH_TOKEN=…  what the app has from signing in

Press Enter to sync, end the input to quit.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from botocore.exceptions import BotoCoreError, ClientError

from cognito_credentials import CognitoCredentialsError, IdentityPool, LoginRequiredError, Session

NEEDED = ("AWS_COGNITO_IDENTITY_POOL_ID", "APP_TOKEN_URL", "APP_CLIENT_ID", "APP_REFRESH_TOKEN")
PROVIDER = "login.example.com"
"""What the pool calls the app's OpenID Connect provider: its issuer without https://."""
REJECTED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}


def get_id_token() -> str:
    """Trade the refresh token for an ID token."""
    form = {
        "grant_type": "refresh_token",
        "client_id": os.environ["APP_CLIENT_ID"],
        # A real app keeps this in the keyring of the operating system.
        "refresh_token": os.environ["APP_REFRESH_TOKEN"],
    }
    try:
        with urlopen(os.environ["APP_TOKEN_URL"], urlencode(form).encode(), timeout=10) as answer:
            return str(json.load(answer)["id_token"])
    except HTTPError as error:
        # Whatever goes wrong here does not take away credentials that are still good.
        if error.code in (400, 401):
            raise LoginRequiredError("the sign-in has ended", hint="sign in again") from None
        raise
    # No network, or a server that fails, is left as it is: the user is signed in, and offline for now.


def identity_changed(old: str | None, new: str, reason: str) -> None:
    """Move what is kept under the identity: it is another one now. With ``switched``, another user's."""
    print(f"identity {reason}: {old} -> {new}", flush=True)


def sync(pool: IdentityPool, sts: Any) -> None:
    """Do the app's work; whatever happens, the window stays open."""
    used = None
    try:
        used = pool.credentials().access_key_id  # from memory, but for once an hour
        arn = sts.get_caller_identity()["Arn"]
        print(f"synced as {pool.identity_id()} ({arn.split('/')[1]})", flush=True)
    except LoginRequiredError as error:
        # For the user; the others, such as having no network, are for patience.
        print(f"please sign in: {error}", flush=True)
    except ClientError as error:
        if used and error.response["Error"]["Code"] in REJECTED:
            # Somebody revoked these credentials. Say so, and the next call gets new ones.
            pool.invalidate(used)
        print(f"not synced: {error}", flush=True)
    except (BotoCoreError, CognitoCredentialsError) as error:
        print(f"not synced, will try again: {error}", flush=True)


def main() -> None:
    """Run until the input ends."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"set {', '.join(missing)}")
    session = Session(
        identity_pool_id=os.environ["AWS_COGNITO_IDENTITY_POOL_ID"],
        logins={PROVIDER: get_id_token},
        # Who this is, so that an identity on disk is found again. A function cannot tell before it is
        # asked, and this app is for one user of this computer.
        user="the user of this app",
    )
    pool = session.identity_pool
    assert pool is not None
    pool.on_identity_changed(identity_changed)
    sts = session.client("sts")  # made once; it signs every request with credentials that are good now
    for _ in sys.stdin:
        sync(pool, sts)


if __name__ == "__main__":
    main()
