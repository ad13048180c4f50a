"""boto3."""

import sys

import boto3

s3 = None
for line in sys.stdin:
    try:
        s3 = s3 or boto3.client("s3")
        s3.list_objects_v2(Bucket=line.strip())
        print("> ok", flush=True)
    except Exception as error:  # noqa: BLE001, PERF203  (whatever the SDK raises)
        print(">", *str(error).split(), flush=True)
