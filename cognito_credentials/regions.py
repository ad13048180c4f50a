"""
Names of places: regions and what follows from them, ids of pools, and the hosts that are this machine.

A region is recognised by its shape, not by a list, so that a region that opens tomorrow works today. The
list of known regions serves only to suggest the region that was probably meant.
"""

from __future__ import annotations

import ipaddress
import re

from .errors import near

_DIRECTION = r"(north|south|east|west|central|northeast|northwest|southeast|southwest)"
_REGION = re.compile(rf"[a-z]{{2,4}}(-[a-z]+)*-{_DIRECTION}-[0-9]{{1,2}}")
_USER_POOL_ID = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}_[A-Za-z0-9]{1,55}")

_POOL_ID = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_UPDATED = "issuer-"
"""What the host of a user pool's updated issuer begins with."""
_PARTITIONS = (
    # The first prefix that fits decides; "us-iso-" before "us-" would be wrong without its hyphen.
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
)
"""
Region prefix, partition, DNS suffix.

Source: https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
"""

KNOWN_REGIONS = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"),
)
"""
Regions that have identity pools.

Source: ``cognito-identity`` in https://github.com/boto/botocore/blob/develop/botocore/data/endpoints.json
"""


def is_region(text: str) -> bool:
    """
    Tell whether *text* has the shape of a region, such as ``us-east-1`` or ``us-gov-west-1``.

    All regions so far have a direction before the number, so ``us-est-1`` is none.
    """
    return _REGION.fullmatch(text) is not None


def is_user_pool_id(text: str) -> bool:
    """Tell whether *text* has the shape of a user pool's id, ``REGION_name`` with 55 characters at most."""
    return _USER_POOL_ID.fullmatch(text) is not None


def is_pool_id(text: str) -> bool:
    """Tell whether *text* has the shape of an identity pool's id, ``REGION:GUID``; an identity's is alike."""
    return _POOL_ID.fullmatch(text) is not None


def near_regions(text: str) -> list[str]:
    """Name up to three known regions that *text* may stand for."""
    return near(text.lower(), KNOWN_REGIONS, most=3, cutoff=0.7)


def partition_of(region: str) -> str:
    """Name the partition of *region*: ``aws``, ``aws-cn``, ``aws-us-gov``…"""
    return _partition(region)[0]


def own_token_provider(region: str) -> str:
    """
    Name the login provider of the tokens that Cognito Identity itself issues in *region*.

    It is the key under ``logins`` for a token of a developer identity, and, behind ``https://``, the issuer
    of every OpenID token.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html
    for ``aws``, reference/service.md#1.7.4 for China and reference/service.md#1.7.5 for GovCloud. The other
    partitions are assumed to follow the same pattern.
    """
    partition, suffix = _partition(region)
    if partition == "aws":
        return "cognito-identity.amazonaws.com"
    if region == "us-gov-west-1":
        return "cognito-identity-us-gov.amazonaws.com"
    return f"cognito-identity.{region}.{suffix}"


def user_pool_issuer(user_pool_id: str) -> str:
    """
    Name the original issuer of a user pool's tokens: ``https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID``.

    It stands for the pool wherever a name of the pool is needed, whichever issuer the pool has.

    Source: the Cognito developer guide, "Verifying JSON web tokens". In China the suffix is assumed to be
    that of the endpoints.
    """
    return user_pool_issuers(user_pool_id)[0]


def user_pool_issuers(user_pool_id: str) -> tuple[str, str]:
    """
    Name the two issuers that a user pool can have: the original one, and the updated one.

    Source: Amazon Cognito user pools API Reference, IssuerConfigurationType (since 2026).
    """
    region = user_pool_id.partition("_")[0]
    rest = f"cognito-idp.{region}.{_partition(region)[1]}/{user_pool_id}"
    return f"https://{rest}", f"https://{_UPDATED}{rest}"


def original_issuer(issuer: str) -> str:
    """
    Return the original issuer where *issuer* is the updated one of a user pool; any other one as it is.

    Args:
        issuer: An issuer, or a login provider name, which has no scheme. The same is returned.
    """
    scheme, separator, name = issuer.rpartition("://")
    if not name.startswith(_UPDATED):
        return issuer
    user_pool_id = name.rpartition("/")[2]
    is_one = is_user_pool_id(user_pool_id) and user_pool_issuers(user_pool_id)[1] == f"https://{name}"
    return f"{scheme}{separator}{name.removeprefix(_UPDATED)}" if is_one else issuer


def is_loopback(host: str) -> bool:
    """
    Tell whether *host* is this machine, without asking DNS.

    A token may go to such a host by plain http, and to no other. DNS may lead ``localhost`` elsewhere, so
    whoever connects asks again for the address.

    Args:
        host: A name or address as `urlsplit` gives it, in lower case and without brackets.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Not `is_loopback` for version 6: Python versions disagree about ::ffff:127.0.0.1.
    return address.is_loopback if address.version == 4 else str(address) == "::1"


def _partition(region: str) -> tuple[str, str]:
    return next((name, suffix) for prefix, name, suffix in _PARTITIONS if region.startswith(prefix))
