"""
``credential-process``: print one JSON object for a profile's ``credential_process``, or nothing.

It asks nothing, reads no stdin and never waits for a person: programs run it. `cli.fast` answers first when
fresh credentials are in the cache.
"""

from __future__ import annotations

from ..command import Command, Invocation
from ..pool_options import get_ready


def run(invocation: Invocation) -> int:
    """Print the credentials."""
    credentials, _ = get_ready(invocation)
    invocation.terminal.write(credentials.to_process() + "\n")
    return 0


COMMAND = Command(
    details="""
Prints one JSON object on stdout, or nothing but one line on stderr and an exit code. The credentials come
from the cache while they last, so the AWS CLI and SDKs may run this as often as they like.""",
    example="""
$ cat ~/.aws/config
[profile guest]
cognito_identity_pool_id = us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70
credential_process = "/usr/local/bin/cognito-credentials" credential-process --profile guest
$ aws s3 ls s3://example-bucket --profile guest""",
    run=run,
    takes_pool=True,
)
