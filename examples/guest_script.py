"""
Use AWS as a guest of an identity pool: no account, no keys, nothing to configure.

    pip install /path/to/cognito-credentials  # a checkout: it is on no package index yet
    python guest_script.py us-east-1:00000000-0000-4000-8000-000000000001
"""

from __future__ import annotations

import sys

from botocore.exceptions import BotoCoreError, ClientError

from cognito_credentials import CognitoCredentialsError, Session


def main(identity_pool_id: str) -> None:
    """Print which role the pool gives a guest."""
    # A boto3.Session like any other, in the pool's region. It makes no request yet.
    session = Session(identity_pool_id=identity_pool_id)

    # The first request that needs credentials makes an identity for this guest. It is kept on disk, and the
    # credentials are for their hour, so the second run is the same guest.
    print(session.client("sts").get_caller_identity()["Arn"])

    # The pool's owner decides what else a guest may do: read a bucket, invoke a function, send metrics.


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python guest_script.py IDENTITY_POOL_ID")
    try:
        main(sys.argv[1])
    except (CognitoCredentialsError, BotoCoreError, ClientError) as error:
        sys.exit(str(error))  # one line, which says what to do
