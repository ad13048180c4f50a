#!/bin/sh
# One profile, three programs, one set of credentials: the first asks the service, the others find them
# on disk. Needs cognito-credentials, aws and python (with boto3) on the PATH:
#     pip install /path/to/cognito-credentials awscli  # a checkout: it is on no package index yet
set -eu
AWS_CONFIG_FILE=$(cd "$(dirname "$0")" && pwd)/config
export AWS_CONFIG_FILE

aws sts get-caller-identity --profile guest --query Arn --output text

# boto3 on its own: it runs the profile's credential_process, and knows nothing of this package.
python -c '
import boto3
print(boto3.Session(profile_name="guest").client("sts").get_caller_identity()["Arn"])
'

# Offline: where the credentials are kept, and until when.
cognito-credentials status --profile guest
