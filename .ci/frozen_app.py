"""
An app that signs its user in to a user pool; `check_frozen.py` makes it one program by PyInstaller.

It reads a word a line, and answers with a line: ``in PASSWORD`` or ``who``. With arguments it is our command
line.
"""

# ruff: noqa: INP001, T201  (a script, and no package)
from __future__ import annotations

import os
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import cognito_credentials
from cognito_credentials import CognitoCredentialsError, Session
from cognito_credentials.sign_in import UserPool


def _answer(session: Session, sts: Any, word: str, argument: str) -> str:
    pool = session.identity_pool
    if pool is None:
        sys.exit("the session has no pool")
    if word == "in":
        return f"hello, {pool.sign_in_with_password('ann', argument)}"
    arn = sts.get_caller_identity()["Arn"]
    return f"{pool.identity_id()} {arn} {pool.credentials().access_key_id}"


def main() -> None:
    """Run until the input ends."""
    if sys.argv[1:]:
        from cognito_credentials.cli import main as command_line

        sys.exit(command_line(sys.argv[1:]))
    login = UserPool(os.environ["APP_USER_POOL"], os.environ["APP_CLIENT_ID"], store=os.environ["APP_STORE"])
    session = Session(identity_pool_id=os.environ["APP_POOL"], logins=login)
    sts = session.client("sts", region_name="us-east-1")
    print(cognito_credentials.__version__, flush=True)
    for line in sys.stdin:
        word, _, argument = line.strip().partition(" ")
        try:
            print(_answer(session, sts, word, argument), flush=True)
        except (BotoCoreError, ClientError, CognitoCredentialsError) as error:
            print(f"error: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
