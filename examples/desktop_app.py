"""
A desktop app that has signed its user in once, and keeps one boto3 session for as long as it runs.

From the sign-in the app has a refresh token. The pool takes an ID token, which lasts an hour. So the app
gives the session a function that gets one; it is called only when new credentials are due.

    pip install /path/to/cognito-credentials  # a checkout: it is on no package index yet

    AWS_COGNITO_IDENTITY_POOL_ID=…  the pool
    APP_TOKEN_URL=…  APP_CLIENT_ID=…  APP_REFRESH_TOKEN=…  from the sign-in

Press Enter to sync. End the input to quit.
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
"""The app's OpenID Connect provider as the pool names it: the issuer without https://."""
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
        error.close()
        # An error here does not take away credentials that are still valid.
        if error.code in (400, 401):
            raise LoginRequiredError("the sign-in has ended", hint="Sign in again") from None
        raise
    # Other errors pass: without a network the user is still signed in, and only offline.


def identity_changed(old: str | None, new: str, reason: str) -> None:
    """Move the data that the app keeps under the identity; ``switched`` means another user's identity."""
    print(f"identity {reason}: {old} -> {new}", flush=True)


def sync(pool: IdentityPool, sts: Any) -> None:
    """Do the app's work. No error closes the window."""
    used = None
    try:
        used = pool.credentials().access_key_id  # from memory, except once an hour
        arn = sts.get_caller_identity()["Arn"]
        print(f"synced as {pool.identity_id()} ({arn.split('/')[1]})", flush=True)
    except LoginRequiredError as error:
        # Only this error needs the user. The others, such as no network, pass by themselves.
        print(f"please sign in: {error}", flush=True)
    except ClientError as error:
        if used and error.response["Error"]["Code"] in REJECTED:
            # AWS does not accept these credentials any more: report that, and the next call gets new ones.
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
        # Names the user, so that the identity on disk is found before the function is called. This app has
        # one user on this computer.
        user="the user of this app",
    )
    pool = session.identity_pool
    assert pool is not None
    pool.on_identity_changed(identity_changed)
    sts = session.client("sts")  # made once; it signs each request with credentials that are valid then
    for _ in sys.stdin:
        sync(pool, sts)


if __name__ == "__main__":
    main()
