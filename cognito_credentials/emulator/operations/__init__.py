"""
The operations of Cognito Identity, one file for each group.

Every operation is a function of the service, the checked request and the caller, and returns the
members of the answer, or None where the service answers with an empty body. It runs inside one
transaction: what it raises undoes what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator.operations import credentials, identities, pool_roles, pools
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.signatures import Caller

Request = Mapping[str, Any]
Operation = Callable[[Service, Request, Caller], "Mapping[str, Any] | None"]

OPERATIONS: Mapping[str, Operation] = {
    "CreateIdentityPool": pools.create_identity_pool,
    "DescribeIdentityPool": pools.describe_identity_pool,
    "SetIdentityPoolRoles": pool_roles.set_identity_pool_roles,
    "GetId": credentials.get_id,
    "GetOpenIdToken": credentials.get_open_id_token,
    "GetCredentialsForIdentity": credentials.get_credentials_for_identity,
    "DeleteIdentities": identities.delete_identities,
    "UnlinkIdentity": identities.unlink_identity,
}
