"""
A desktop app that signs its user in itself: in the browser, once in several weeks.

    pip install "/path/to/cognito-credentials[login]"  # a checkout: it is on no package index yet

    AWS_COGNITO_IDENTITY_POOL_ID=…  the pool
    APP_ISSUER=…  APP_CLIENT_ID=…  an OpenID Connect provider that the pool lists, and a client for apps
    APP_LOGIN_STORE=file  a plain file, where the operating system has no keyring

Type "in", "sync" or "out". End the input to quit. For an Amazon Cognito user pool, write
UserPool("us-east-1_…", "client-id", redirect_ports=[8400, 8401]) for OidcLogin(…).
"""

from __future__ import annotations

import os
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cognito_credentials import CognitoCredentialsError, LoginRequiredError, Session
from cognito_credentials.sign_in import OidcLogin

NEEDED = ("AWS_COGNITO_IDENTITY_POOL_ID", "APP_ISSUER", "APP_CLIENT_ID")


class App:
    """One window of the app."""

    def __init__(self) -> None:
        login = OidcLogin(
            os.environ["APP_ISSUER"],
            os.environ["APP_CLIENT_ID"],
            store=os.environ.get("APP_LOGIN_STORE", "keyring"),
        )
        # An app with several users on one computer adds user="…", so that each has a separate sign-in.
        session = Session(identity_pool_id=os.environ["AWS_COGNITO_IDENTITY_POOL_ID"], logins=login)
        assert session.identity_pool is not None
        self.pool = session.identity_pool
        self.pool.on_identity_changed(self.identity_changed)
        self.sts: Any = session.client("sts")  # made once; it signs as the user who is signed in then

    def identity_changed(self, old: str | None, new: str, reason: str) -> None:
        """Move the data that the app keeps under the identity."""
        print(f"identity {reason}: {old} -> {new}", flush=True)

    def sign_in(self) -> None:
        """Open the browser and wait."""
        # An app with windows passes an object as `prompt=`, which shows texts and asks questions there. With
        # link_guest=True, the identity that this machine has as a guest becomes the user's.
        name = self.pool.sign_in()
        print(f"hello, {name}", flush=True)

    def sync(self) -> None:
        """Do the app's work."""
        used = self.pool.credentials().access_key_id  # from memory
        try:
            arn = self.sts.get_caller_identity()["Arn"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ExpiredToken", "InvalidClientTokenId"):
                self.pool.invalidate(used)  # the next try gets other keys, or asks the user to sign in
            raise
        print(f"synced as {self.pool.identity_id()} ({arn.split('/')[1]})", flush=True)

    def sign_out(self) -> None:
        """End the sign-in, here and at the issuer."""
        done = self.pool.sign_out()
        print(f"goodbye, {', '.join(done.users) or 'nobody'}", flush=True)

    def obey(self, word: str) -> None:
        """Do what the user asks for. No error closes the window."""
        actions = {"in": self.sign_in, "sync": self.sync, "out": self.sign_out}
        try:
            actions.get(word, self.sync)()
        except LoginRequiredError as error:
            print(f"please sign in: {error.message}", flush=True)
        except (BotoCoreError, ClientError, CognitoCredentialsError) as error:
            print(f"not done, try again: {error}", flush=True)


def main() -> None:
    """Run until the input ends."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"set {', '.join(missing)}")
    app = App()
    for line in sys.stdin:
        app.obey(line.strip())


if __name__ == "__main__":
    main()
