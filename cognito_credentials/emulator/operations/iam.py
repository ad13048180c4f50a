"""
IAM's operations on roles, as far as Terraform, CDK and scripts call them for the roles of identity pools.

What a role permits has no effect here: its policies are stored and answered, and not evaluated. The trust
policy is. Roles of other accounts are not seen. Source: `reference/service.md#13`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.members import JsonError, read_json
from cognito_credentials.emulator.model.names import ACCOUNT_ID, partition_of
from cognito_credentials.emulator.model.pagination import last_shown, page
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.roles import (
    DEFAULT_MAX_SESSION_SECONDS,
    Role,
    count_deleted_roles,
    find_role_by_name,
    roles_of_account,
    save_role,
)
from cognito_credentials.emulator.sts.sessions import AssumedRole, UserSession, role_id
from cognito_credentials.emulator.sts.trust_policy import policy_refusal

Request = Mapping[str, Any]

_PAGE = 100
_MAX_ROLES = 5000  # the most that AWS gives an account; reference/service.md#13.1.4
_MAX_DELETED = 100_000
"""Deleted roles keep a row each until a reset: so many, and no more, may be made and deleted again."""
_MAX_TRUST_POLICY = 2048
_MAX_ATTACHED = 10
_MAX_INLINE = 10_240
_Entry = TypeVar("_Entry")


def check_caller(caller: Caller, operation: str, request: Request) -> None:
    """
    Refuse temporary credentials: roles have no permission here, and sessions of users have none in IAM.

    Raises:
        ServiceError: AccessDenied, or InvalidClientTokenId.
    """
    if isinstance(caller.session, UserSession):
        raise ServiceError(
            "InvalidClientTokenId", "The security token included in the request is invalid", 403
        )
    if isinstance(caller.session, AssumedRole):
        name = request.get("RoleName", "*")
        arn = f"arn:{partition_of(caller.region)}:iam::{ACCOUNT_ID}:role/{name}"
        resource = f"role {name}" if operation not in ("CreateRole", "ListRoles") else arn
        raise assumed.no_identity_policy(caller.arn, f"iam:{operation}", resource)


def create_role(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    """A role that pools or tests use, and that nobody described, becomes a described one."""
    partition, name = partition_of(caller.region), request["RoleName"]
    if find_role_by_name(service.state, partition, ACCOUNT_ID, name):
        raise ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
    arn = f"arn:{partition}:iam::{ACCOUNT_ID}:role{request.get('Path', '/')}{name}"
    is_full = len(roles_of_account(service.state, partition, ACCOUNT_ID)) >= _MAX_ROLES
    if is_full or count_deleted_roles(service.state) > _MAX_DELETED:
        raise _over_quota("RolesPerAccount", _MAX_ROLES)
    details: dict[str, Any] = {"CreateDate": int(service.clock.now()), "Tags": _tags({}, request)}
    for member in ("Description", "PermissionsBoundary"):
        if member in request:
            details[member] = request[member]
    role = Role(
        arn,
        _trust_policy(request["AssumeRolePolicyDocument"]),
        request.get("MaxSessionDuration", DEFAULT_MAX_SESSION_SECONDS),
        details,
    )
    save_role(service.state, role)
    return {"Role": _described(role)}


def get_role(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    return {"Role": _described(_role(service, request, caller))}


def list_roles(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    """Lists the roles that somebody described: by CreateRole, the seed, or ``PUT /_emulator/roles``."""
    prefix = request.get("PathPrefix", "/")
    roles = [
        {
            name: value
            for name, value in _described(role).items()
            if name not in ("Tags", "PermissionsBoundary")
        }
        for role in roles_of_account(service.state, partition_of(caller.region), ACCOUNT_ID)
        if role.path.startswith(prefix)
    ]
    return _paged("Roles", roles, request)


def update_role(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    role = _role(service, request, caller)
    role = replace(role, max_session_seconds=request.get("MaxSessionDuration", role.max_session_seconds))
    _save_details(service, role, Description=request.get("Description", role.details.get("Description", "")))
    return {}


def update_role_description(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    role = _save_details(service, _role(service, request, caller), Description=request["Description"])
    return {"Role": _described(role)}


def update_assume_role_policy(service: Service, request: Request, caller: Caller) -> None:
    role = _role(service, request, caller)
    save_role(service.state, replace(role, trust_policy=_trust_policy(request["PolicyDocument"])))


def delete_role(service: Service, request: Request, caller: Caller) -> None:
    """Nobody can assume the role from then on. Sessions that exist stay valid."""
    role = _role(service, request, caller)
    if role.details.get("Attached"):
        raise ServiceError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
    if role.details.get("Inline"):
        raise ServiceError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
    save_role(service.state, Role(role.arn, '{"Statement": []}', is_deleted=True))


def tag_role(service: Service, request: Request, caller: Caller) -> None:
    role = _role(service, request, caller)
    _save_details(service, role, Tags=_tags(role.details.get("Tags", {}), request))


def untag_role(service: Service, request: Request, caller: Caller) -> None:
    role = _role(service, request, caller)
    removed = {key.lower() for key in request["TagKeys"]}
    tags = role.details.get("Tags", {})
    _save_details(service, role, Tags={key: tags[key] for key in tags if key.lower() not in removed})


def list_role_tags(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    return _paged("Tags", _tag_list(_role(service, request, caller)), request)


def put_role_policy(service: Service, request: Request, caller: Caller) -> None:
    role = _role(service, request, caller)
    try:
        policy = json.loads(request["PolicyDocument"])
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise ServiceError("MalformedPolicyDocument", "Syntax errors in policy.")
    policies = {**role.details.get("Inline", {}), request["PolicyName"]: request["PolicyDocument"]}
    if sum(len("".join(text.split())) for text in policies.values()) > _MAX_INLINE:
        raise assumed.too_large_inline_policies(role.name, _MAX_INLINE)
    _save_details(service, role, Inline=policies)


def get_role_policy(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    role = _role(service, request, caller)
    text = _inline_policy(role, request["PolicyName"])
    return {
        "RoleName": role.name,
        "PolicyName": request["PolicyName"],
        "PolicyDocument": quote(text, safe=""),
    }


def delete_role_policy(service: Service, request: Request, caller: Caller) -> None:
    role, name = _role(service, request, caller), request["PolicyName"]
    _inline_policy(role, name)
    _save_details(
        service, role, Inline={other: text for other, text in role.details["Inline"].items() if other != name}
    )


def list_role_policies(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    return _paged("PolicyNames", sorted(_role(service, request, caller).details.get("Inline", {})), request)


def attach_role_policy(service: Service, request: Request, caller: Caller) -> None:
    """Every ARN of a policy is taken for one that exists."""
    role, arn = _role(service, request, caller), request["PolicyArn"]
    if assumed.POLICY_ARN.fullmatch(arn) is None:
        raise ServiceError("InvalidInput", assumed.invalid_policy_arn(arn))
    attached = sorted({*role.details.get("Attached", ()), arn})
    if len(attached) > _MAX_ATTACHED:
        raise _over_quota("PoliciesPerRole", _MAX_ATTACHED)
    _save_details(service, role, Attached=attached)


def detach_role_policy(service: Service, request: Request, caller: Caller) -> None:
    role, arn = _role(service, request, caller), request["PolicyArn"]
    attached = role.details.get("Attached", [])
    if arn not in attached:
        raise ServiceError("NoSuchEntity", assumed.policy_not_attached(arn), 404)
    _save_details(service, role, Attached=[other for other in attached if other != arn])


def list_attached_role_policies(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    prefix = request.get("PathPrefix", "/")
    attached = _role(service, request, caller).details.get("Attached", ())
    policies = [
        {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}
        for arn in attached
        if arn.partition(":policy")[2].startswith(prefix)
    ]
    return _paged("AttachedPolicies", policies, request)


def list_instance_profiles_for_role(service: Service, request: Request, caller: Caller) -> Mapping[str, Any]:
    """There are no instance profiles. Terraform asks for them before it deletes a role."""
    _role(service, request, caller)
    return _paged("InstanceProfiles", [], request)


def _role(service: Service, request: Request, caller: Caller) -> Role:
    partition, name = partition_of(caller.region), request["RoleName"]
    role = find_role_by_name(service.state, partition, ACCOUNT_ID, name)
    if role is None:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return role


def _inline_policy(role: Role, name: str) -> str:
    text: str | None = role.details.get("Inline", {}).get(name)
    if text is None:
        raise ServiceError("NoSuchEntity", f"The role policy with name {name} cannot be found.", 404)
    return text


def _save_details(service: Service, role: Role, **changes: Any) -> Role:
    changed = replace(role, details={**role.details, **changes})
    save_role(service.state, changed)
    return changed


def _trust_policy(text: str) -> str:
    """*text*, which IAM stores as it is."""
    try:
        policy = read_json(text.encode())  # which has no NaN: browsers could not read the list of roles
    except JsonError:
        raise ServiceError("MalformedPolicyDocument", "This policy contains invalid Json") from None
    refusal = policy_refusal(policy)
    if refusal is not None:
        raise ServiceError("MalformedPolicyDocument", refusal)
    if len("".join(text.split())) > _MAX_TRUST_POLICY:
        raise _over_quota("ACLSizePerRole", _MAX_TRUST_POLICY)
    return text


def _tags(tags: Mapping[str, str], request: Request) -> dict[str, str]:
    """*tags* with those of the request. Their keys are the same in any case."""
    added = request.get("Tags", ())
    keys = [tag["Key"].lower() for tag in added]
    if len(set(keys)) < len(keys):
        raise ServiceError("InvalidInput", assumed.DUPLICATE_TAG_KEYS)
    kept = {key: value for key, value in tags.items() if key.lower() not in keys}
    merged = {**kept, **{tag["Key"]: tag["Value"] for tag in added}}
    if len(merged) > assumed.MAX_TAGS:
        raise _over_quota("TagsPerRole", assumed.MAX_TAGS)
    return merged


def _tag_list(role: Role) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in role.details.get("Tags", {}).items()]


def _described(role: Role) -> dict[str, Any]:
    """The Role structure of answers."""
    created = time.gmtime(role.details.get("CreateDate", 0))
    described = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role_id(role.arn),
        "Arn": role.arn,
        "CreateDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", created),
        "AssumeRolePolicyDocument": quote(role.trust_policy, safe=""),
        "MaxSessionDuration": role.max_session_seconds,
    }
    if role.details.get("Description"):
        described["Description"] = role.details["Description"]
    if "PermissionsBoundary" in role.details:
        described["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": role.details["PermissionsBoundary"],
        }
    tags = _tag_list(role)
    return {**described, "Tags": tags} if tags else described


def _paged(member: str, entries: Sequence[_Entry], request: Request) -> dict[str, Any]:
    try:
        last = last_shown(member, request.get("Marker"))
    except ServiceError:
        raise ServiceError("ValidationError", assumed.INVALID_MARKER) from None
    limit = request.get("MaxItems", _PAGE)
    numbered = list(enumerate(entries, start=1))[last : last + limit + 1]
    shown, following = page(member, numbered, limit)
    more = {"Marker": following["NextToken"]} if following else {}
    return {member: shown, "IsTruncated": bool(following), **more}


def _over_quota(name: str, quota: int) -> ServiceError:
    return ServiceError("LimitExceeded", f"Cannot exceed quota for {name}: {quota}", 409)


OPERATIONS = {
    "CreateRole": create_role,
    "GetRole": get_role,
    "ListRoles": list_roles,
    "UpdateRole": update_role,
    "UpdateRoleDescription": update_role_description,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "DeleteRole": delete_role,
    "TagRole": tag_role,
    "UntagRole": untag_role,
    "ListRoleTags": list_role_tags,
    "PutRolePolicy": put_role_policy,
    "GetRolePolicy": get_role_policy,
    "DeleteRolePolicy": delete_role_policy,
    "ListRolePolicies": list_role_policies,
    "AttachRolePolicy": attach_role_policy,
    "DetachRolePolicy": detach_role_policy,
    "ListAttachedRolePolicies": list_attached_role_policies,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
}
