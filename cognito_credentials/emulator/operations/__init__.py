"""
The operations of Cognito Identity, one file for each group.

Every operation is a function of the service, the checked request and the caller, and returns the
members of the answer, or None where the service answers with an empty body. It runs inside one
transaction: what it raises undoes what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator.operations import (
    credentials,
    developers,
    identities,
    pool_roles,
    pools,
    tags,
)
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.signatures import Caller

Request = Mapping[str, Any]
Operation = Callable[[Service, Request, Caller], "Mapping[str, Any] | None"]

OPERATIONS: Mapping[str, Operation] = {
    "CreateIdentityPool": pools.create_identity_pool,
    "UpdateIdentityPool": pools.update_identity_pool,
    "DescribeIdentityPool": pools.describe_identity_pool,
    "DeleteIdentityPool": pools.delete_identity_pool,
    "ListIdentityPools": pools.list_identity_pools,
    "SetIdentityPoolRoles": pool_roles.set_identity_pool_roles,
    "GetIdentityPoolRoles": pool_roles.get_identity_pool_roles,
    "SetPrincipalTagAttributeMap": tags.set_principal_tag_attribute_map,
    "GetPrincipalTagAttributeMap": tags.get_principal_tag_attribute_map,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "GetId": credentials.get_id,
    "GetOpenIdToken": credentials.get_open_id_token,
    "GetCredentialsForIdentity": credentials.get_credentials_for_identity,
    "GetOpenIdTokenForDeveloperIdentity": developers.get_open_id_token_for_developer_identity,
    "LookupDeveloperIdentity": developers.lookup_developer_identity,
    "MergeDeveloperIdentities": developers.merge_developer_identities,
    "UnlinkDeveloperIdentity": developers.unlink_developer_identity,
    "DescribeIdentity": identities.describe_identity,
    "ListIdentities": identities.list_identities,
    "DeleteIdentities": identities.delete_identities,
    "UnlinkIdentity": identities.unlink_identity,
}
