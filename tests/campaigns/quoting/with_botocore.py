"""Gets the credentials of each profile on standard input, as boto3 and the AWS CLI do."""

import sys

import botocore.session

for line in sys.stdin:
    try:
        credentials = botocore.session.Session(profile=line.rstrip("\n")).get_credentials()
        credentials.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001, PERF203  (each profile by itself)
        print(line, repr(error), file=sys.stderr)
