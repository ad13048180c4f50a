"""
Say once a minute how many objects a bucket has. This program knows nothing of identity pools.

    pip install boto3
    BUCKET=my-bucket cognito-credentials exec --server --identity-pool-id us-east-1:… -- python read_bucket.py

The `Dockerfile` beside it runs it in a container. SIGTERM ends it.
"""

from __future__ import annotations

import os
import signal
import threading

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main(bucket: str, seconds: float) -> None:
    """Read the bucket until SIGTERM."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    s3 = boto3.client("s3")  # made once; it asks the endpoint for credentials when it needs new ones
    while not stopped.is_set():
        try:
            listed = s3.list_objects_v2(Bucket=bucket)
            print(f"{listed['KeyCount']} objects", flush=True)
        except (BotoCoreError, ClientError) as error:
            print(f"not read, will try again: {error}", flush=True)
        stopped.wait(seconds)


if __name__ == "__main__":
    main(os.environ["BUCKET"], float(os.environ.get("SECONDS", "60")))
