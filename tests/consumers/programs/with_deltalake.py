"""deltalake: the AWS SDK for Rust."""

import os
import sys

from deltalake import DeltaTable

options = {"allow_http": "true", "aws_endpoint_url": os.environ["AWS_ENDPOINT_URL_S3"]}
table = None
for line in sys.stdin:
    try:
        if table is None:
            table = DeltaTable(f"s3://{line.strip()}/table", storage_options=options)
        table.update_incremental()
        print("> ok", flush=True)
    except Exception as error:  # noqa: BLE001, PERF203  (whatever the SDK raises)
        print(">", *str(error).split(), flush=True)
