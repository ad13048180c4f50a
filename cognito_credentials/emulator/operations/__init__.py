"""
The operations of Cognito Identity and STS, one file for each group.

Every operation is a function of the service, the checked request and the caller. It returns the members of
the answer, or None where the service answers with an empty body. It runs in a transaction, which is undone if
the operation raises an error.

- ``pools``, ``pool_roles``, ``tags``: identity pools; their roles and role mappings; their tags
- ``identities``: DescribeIdentity, ListIdentities, DeleteIdentities, UnlinkIdentity
- ``credentials``: GetId, GetOpenIdToken, GetCredentialsForIdentity
- ``developers``: developer authenticated identities
- ``query``: the operations that are called by forms, from ``sts``, ``assume_role`` and ``iam``

Several operations share these:

- ``linking``: verified logins in, the identity that has them out, after merges
- ``role_mapping``: a pool and verified logins in, the role of the session out
- ``principal_tags``: a pool and verified logins in, the tags of the session out
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.members import shortened
from cognito_credentials.emulator.model.shapes import OperationModel, load_service_model
from cognito_credentials.emulator.operations import (
    credentials,
    developers,
    identities,
    pool_roles,
    pools,
    tags,
)
from cognito_credentials.emulator.service import Caller, Service

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


def find(name: str) -> OperationModel:
    """
    The model of a Cognito Identity operation.

    Raises:
        ServiceError: No operation has that name, or it is not emulated.
    """
    model = load_service_model("cognito-identity").operations.get(name)
    if model is None or name not in OPERATIONS:
        raise assumed.unknown_operation(shortened(name))
    return model


def call(
    service: Service, operation: OperationModel, request: Any, caller: Caller
) -> Mapping[str, Any] | None:
    """
    Do one operation of Cognito Identity in a transaction.

    Args:
        request: The JSON value of the body. It is checked here.

    Raises:
        ServiceError: The service refuses.
        KeysNeededError: A login provider's keys must be fetched first.
    """
    checked = operation.check(request)
    with service.state.transaction():
        return OPERATIONS[operation.name](service, checked, caller)
