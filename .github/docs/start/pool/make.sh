#!/bin/sh
# Makes an identity pool whose guests may read one bucket, with the AWS CLI.
#
#     sh make.sh amzn-s3-demo-bucket
#
# It needs credentials of the account that may make pools and roles.
# It prints the id of the pool.
set -eu
bucket=$1
name=first-pool
role=first-pool-guest

# 1. The pool. Guests are allowed, and the basic flow is not.
pool_id=$(aws cognito-identity create-identity-pool \
    --identity-pool-name "$name" \
    --allow-unauthenticated-identities \
    --no-allow-classic-flow \
    --query IdentityPoolId --output text)

# 2. The role. Its trust policy says who may take it: guests (amr) of this pool (aud).
role_arn=$(aws iam create-role --role-name "$role" --query Role.Arn --output text \
    --assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {"cognito-identity.amazonaws.com:aud": "'"$pool_id"'"},
      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}
    }
  }]
}')

# 3. What the role may do: read the objects of one bucket, and nothing else.
aws iam put-role-policy --role-name "$role" --policy-name read-bucket --policy-document '{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::'"$bucket"'/*"
  }]
}'

# 4. Guests of the pool get the role.
aws cognito-identity set-identity-pool-roles --identity-pool-id "$pool_id" \
    --roles "unauthenticated=$role_arn"

echo "$pool_id"
