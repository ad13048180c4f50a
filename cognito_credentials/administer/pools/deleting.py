"""One pool in, nothing left of it: the pool, its roles' places and all of its identities."""

from __future__ import annotations

from typing import Any

from ...errors import replaced
from ..client import Clients, region_of_pool
from ..failures import worded


def delete_pool(pool_id: str, session: Any = None) -> None:
    """
    Delete an identity pool and all of its identities, for ever.

    Args:
        pool_id: ``REGION:GUID``.
        session: Whose credentials sign: a `boto3.Session`, a botocore session, or None for boto3's settings.

    Raises:
        ConfigurationError: The id is none.
        IdentityNotFoundError: There is no such pool.
        CognitoCredentialsError: The service refuses or cannot be reached.
    """
    region = region_of_pool(pool_id, "the pool id")
    with replaced(Exception, by=worded):
        Clients(session).of(region).delete_identity_pool(IdentityPoolId=pool_id)


def name_of(pool_id: str, session: Any = None) -> str:
    """Return the name of a pool, for the question before it is deleted."""
    region = region_of_pool(pool_id, "the pool id")
    with replaced(Exception, by=worded):
        answer = Clients(session).of(region).describe_identity_pool(IdentityPoolId=pool_id)
    return str(answer["IdentityPoolName"])
