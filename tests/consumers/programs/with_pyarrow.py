"""pyarrow: the AWS SDK for C++."""

import os
import sys

from pyarrow import fs

# What its SDK says is in its log; the error has only what the service answers.
fs.initialize_s3(fs.S3LogLevel.Error)
s3 = fs.S3FileSystem(
    endpoint_override=os.environ["AWS_ENDPOINT_URL_S3"].removeprefix("http://"), scheme="http"
)
for line in sys.stdin:
    try:
        s3.get_file_info(fs.FileSelector(line.strip()))
        print("> ok", flush=True)
    except OSError as error:  # noqa: PERF203
        print(">", *str(error).split(), flush=True)
