"""Ids, ARNs, partitions and host names, as AWS forms them."""

from __future__ import annotations

import re
import uuid

ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"

_ROLE = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}):role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII
)
_USER_POOL = re.compile(r"(?:issuer-)?(cognito-idp\.[a-z0-9-]+\.[a-z0-9.]+/[\w-]+)", re.ASCII)
_MAX_NAME_IN_US_GOV_EAST = 24  # reference/service.md#1.7


def new_id(region: str) -> str:
    """A new id of a pool or an identity in *region*."""
    return f"{region}:{uuid.uuid4()}"


def region_of(resource_id: str) -> str:
    """The region of a pool or an identity, which its id begins with."""
    return resource_id.partition(":")[0]


def partition_of(region: str) -> str:
    """The partition in ARNs of *region*."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    if region.startswith("eusc-"):
        return "aws-eusc"
    return "aws"


def service_host(region: str) -> str:
    """
    The name of the service in *region*: as login provider, token issuer and federated principal.

    Source: `reference/service.md#1.7`.
    """
    if region == "us-gov-west-1":
        return "cognito-identity-us-gov.amazonaws.com"
    if region.startswith("us-gov-"):
        return f"cognito-identity.{region}.amazonaws.com"
    if region.startswith("cn-"):
        return f"cognito-identity.{region}.amazonaws.com.cn"
    return "cognito-identity.amazonaws.com"


def is_service_host(name: str) -> bool:
    """True for the service's name in any partition."""
    return name == "cognito-identity-us-gov.amazonaws.com" or (
        name.startswith("cognito-identity.") and name.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    )


def user_pool_of(provider: str) -> str | None:
    """
    The first of the two names that a user pool has as a provider; None if *provider* is no user pool.

    A user pool's tokens have one of two issuers, and so does its name. Source: reference/service.md#5.1.11.
    """
    match = _USER_POOL.fullmatch(provider)
    return match[1] if match else None


def user_pool_issuer(user_pool_id: str, *, updated: bool = False) -> str:
    """The issuer of a user pool's tokens: the first one, or that of 2026; reference/service.md#5.1.11."""
    region = user_pool_id.partition("_")[0]
    suffixes = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
    suffix = suffixes.get(partition_of(region), "amazonaws.com")
    return f"https://{'issuer-' if updated else ''}cognito-idp.{region}.{suffix}/{user_pool_id}"


def is_user_pool(provider: str) -> bool:
    """True if a key of Logins is the name of an Amazon Cognito user pool."""
    return user_pool_of(provider) is not None


def are_same_provider(one: str, other: str) -> bool:
    """True for one name, and for the two names of one user pool."""
    return one == other or (is_user_pool(one) and user_pool_of(one) == user_pool_of(other))


def pool_arn(pool_id: str) -> str:
    """The ARN of the pool with *pool_id*."""
    region = region_of(pool_id)
    return f"arn:{partition_of(region)}:cognito-identity:{region}:{ACCOUNT_ID}:identitypool/{pool_id}"


def is_role(arn: str) -> bool:
    """True for the ARN of a role in any account."""
    return _ROLE.fullmatch(arn) is not None


def is_role_of_account(arn: str, region: str, account: str = ACCOUNT_ID) -> bool:
    """True for the ARN of a role in *account*: that account's pools in *region* can use only these."""
    match = _ROLE.fullmatch(arn)
    return match is not None and match.groups() == (partition_of(region), account)


def account_of_role(arn: str) -> str | None:
    """The account of a role; None if *arn* is not the ARN of a role."""
    match = _ROLE.fullmatch(arn)
    return match[2] if match else None


def is_short_enough(arn: str, region: str) -> bool:
    """True when the role's name leaves room in *region* for the session name of the enhanced flow."""
    return region != "us-gov-east-1" or len(arn.rpartition("/")[2]) <= _MAX_NAME_IN_US_GOV_EAST


def oidc_provider_arn(provider: str, role_arn: str) -> str:
    """The ARN of the IAM OIDC provider, in the partition and account of the role."""
    return f"{role_arn.partition(':role/')[0]}:oidc-provider/{provider}"
