"""
Use AWS as a guest of an identity pool: no account, no keys, nothing to configure.

    python guest_script.py us-east-1:00000000-0000-4000-8000-000000000001
"""

from __future__ import annotations

import sys

from cognito_credentials import Session


def main(identity_pool_id: str) -> None:
    """Say who the pool makes of us."""
    # A boto3.Session like any other. The region is that of the pool; nothing is asked of anybody yet.
    session = Session(identity_pool_id=identity_pool_id)

    # Here the pool makes us a guest. The second run is the same guest: its identity is kept on disk, and
    # so are the credentials for the hour that they are good for.
    print(session.client("sts").get_caller_identity()["Arn"])

    # What more a guest may do is for the pool's owner to say: read a bucket, invoke a function, send metrics.


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python guest_script.py IDENTITY_POOL_ID")
    main(sys.argv[1])
