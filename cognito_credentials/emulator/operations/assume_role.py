"""
The signed operations of STS that apps chain: AssumeRole, GetSessionToken, GetAccessKeyInfo.

Source: `reference/service.md#14`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.names import ACCOUNT_ID, is_role
from cognito_credentials.emulator.operations.sts import check_session, described_credentials, policy_arns_of
from cognito_credentials.emulator.service import DEFAULT_CREDENTIAL_SECONDS, Caller, Service
from cognito_credentials.emulator.sts.session_policies import decide
from cognito_credentials.emulator.sts.sessions import AssumedRole, UserSession
from cognito_credentials.emulator.sts.trust import Assumption, denied_action, max_session_seconds
from cognito_credentials.emulator.sts.trust_policy import ASSUME_ROLE

_MAX_CHAINED_SECONDS = 3600
_SESSION_TOKEN_SECONDS = 43_200


def assume_role(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Issues credentials of another role for a caller that its trust policy names."""
    role_arn = request["RoleArn"]
    if not is_role(role_arn):
        raise ServiceError("ValidationError", "Request ARN is invalid")
    policy, policy_arns = request.get("Policy", ""), policy_arns_of(request)
    before = caller.session if isinstance(caller.session, AssumedRole) else None
    tags, transitive = _tags(request, before)
    attempt = Assumption(
        caller.arn,
        "",
        {},
        request["RoleSessionName"],
        service.clock.now(),
        tags,
        action=ASSUME_ROLE,
        names=_names_of(caller),
        keys=_keys_of(request, caller, transitive),
        source_identity=_source_identity(request, before),
    )
    _check_allowed(service, role_arn, attempt, caller)
    duration = request.get("DurationSeconds", DEFAULT_CREDENTIAL_SECONDS)
    if duration > max_session_seconds(service.state, role_arn):
        raise ServiceError("ValidationError", assumed.DURATION_TOO_LONG)
    if caller.session is not None and duration > _MAX_CHAINED_SECONDS:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining.",
        )
    percent = check_session(policy, policy_arns, tags)
    session = AssumedRole(
        role_arn=role_arn,
        session_name=request["RoleSessionName"],
        expires_at=int(service.clock.now()) + service.settings.credential_seconds(duration),
        tags=tags,
        policy=policy,
        policy_arns=policy_arns,
        transitive_tag_keys=transitive,
        source_identity=attempt.source_identity,
        assumed_by=_described(caller, before),
    )
    optional = {"PackedPolicySize": percent, "SourceIdentity": attempt.source_identity}
    return {
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "Credentials": described_credentials(service.issue_credentials(session)),
        **{name: value for name, value in optional.items() if value},
    }


def get_session_token(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Issues temporary credentials of the developer, who signs with long-term keys."""
    if caller.session is not None:
        raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    duration = service.settings.credential_seconds(request.get("DurationSeconds", _SESSION_TOKEN_SECONDS))
    expires_at = int(service.clock.now()) + duration
    session = UserSession(caller.arn, caller.user_id, expires_at, has_mfa=_has_mfa(request))
    return {"Credentials": described_credentials(service.issue_credentials(session))}


def get_access_key_info(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """
    The account of an access key.

    An issued key does not tell its account. Those of the last 10,000 sessions are known; the others count as
    the emulator's account, as keys do that it did not issue.
    """
    if isinstance(caller.session, UserSession):
        raise assumed.no_identity_policy(caller.arn, "sts:GetAccessKeyInfo", "*")
    session = service.mint.recent(request["AccessKeyId"])
    return {"Account": session.account if session else ACCOUNT_ID}


def _check_allowed(service: Service, role_arn: str, attempt: Assumption, caller: Caller) -> None:
    """Refuse what the session policies of the caller, or the trust policy of the role, do not allow."""
    if isinstance(caller.session, AssumedRole):
        for action in attempt.actions():
            decision = decide(caller.session, action, role_arn, attempt.now)
            if not decision.allowed:
                raise ServiceError("AccessDenied", decision.reason, 403)
    denied = denied_action(service.state, role_arn, attempt, service.strict_roles)
    if denied is not None:
        text = f"User: {caller.arn} is not authorized to perform: {denied} on resource: {role_arn}"
        raise ServiceError("AccessDenied", text, 403)


def _names_of(caller: Caller) -> list[str]:
    """All by which a trust policy may name *caller*: account, ARN, unique id, and the role of a session."""
    partition = caller.arn.split(":")[1]
    names = [caller.account, f"arn:{partition}:iam::{caller.account}:root", caller.arn]
    if isinstance(caller.session, AssumedRole):
        names.append(caller.session.role_arn)
    return [*names, caller.user_id.partition(":")[0]]


def _keys_of(request: Mapping[str, Any], caller: Caller, transitive: Sequence[str]) -> dict[str, list[str]]:
    """The condition keys of the call, beside those that every assumption has."""
    session = caller.session
    role = session if isinstance(session, AssumedRole) else None
    keys = {
        "aws:PrincipalArn": [role.role_arn if role else caller.arn],
        "aws:PrincipalAccount": [caller.account],
        "aws:PrincipalType": ["AssumedRole" if role else "User"],
        "aws:userid": [caller.user_id],
        "aws:RequestedRegion": [caller.region],
        "sts:ExternalId": [request["ExternalId"]] if "ExternalId" in request else [],
        "sts:TransitiveTagKeys": list(transitive),
        "aws:username": [] if role else [caller.arn.rpartition("/")[2]],
        **({f"aws:PrincipalTag/{key}": [value] for key, value in role.tags.items()} if role else {}),
    }
    has_mfa = _has_mfa(request) or (isinstance(session, UserSession) and session.has_mfa)
    if has_mfa or session is not None:  # long-term keys do not have it
        keys["aws:MultiFactorAuthPresent"] = ["true" if has_mfa else "false"]
    return {key: values for key, values in keys.items() if values}


def _has_mfa(request: Mapping[str, Any]) -> bool:
    """Whether the call has the code of an MFA device. There are no devices: each number and code is right."""
    has_serial, has_code = "SerialNumber" in request, "TokenCode" in request
    if has_serial != has_code:
        raise ServiceError("ValidationError", assumed.INCOMPLETE_MFA)
    return has_serial


def _tags(request: Mapping[str, Any], before: AssumedRole | None) -> tuple[dict[str, str], list[str]]:
    """The tags of the session, and the keys of those that it hands on."""
    inherited = {key: before.tags[key] for key in before.transitive_tag_keys} if before else {}
    added = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
    folded = [tag["Key"].lower() for tag in request.get("Tags", ())]
    if len(set(folded)) < len(folded):
        raise ServiceError("InvalidParameterValue", assumed.DUPLICATE_TAG_KEYS)
    handed_on = {key.lower() for key in inherited}
    if handed_on.intersection(folded):
        raise ServiceError("InvalidParameterValue", assumed.TRANSITIVE_TAG_SET_AGAIN)
    transitive = [key for key in request.get("TransitiveTagKeys", ()) if key.lower() not in handed_on]
    by_key = {key.lower(): key for key in added}
    if any(key.lower() not in by_key for key in transitive):
        raise ServiceError("InvalidParameterValue", assumed.TRANSITIVE_TAG_MISSING)
    kept = dict.fromkeys(by_key[key.lower()] for key in transitive)
    return {**inherited, **added}, [*inherited, *kept]


def _source_identity(request: Mapping[str, Any], before: AssumedRole | None) -> str:
    """The source identity of the session. Once it is set, it stays."""
    earlier = before.source_identity if before else ""
    given: str = request.get("SourceIdentity", earlier)
    if earlier and given != earlier:
        raise ServiceError("AccessDenied", assumed.SOURCE_IDENTITY_CHANGED, 403)
    return given


def _described(caller: Caller, before: AssumedRole | None) -> dict[str, str]:
    """Who assumed the role, for ``whose-key``. Of a chain it names the identity at its beginning."""
    identity = {}
    if before is not None:
        first = before.assumed_by or {"identity_id": before.identity_id, "pool_id": before.pool_id}
        identity = {name: first[name] for name in ("identity_id", "pool_id") if first.get(name)}
    return {"arn": caller.arn, **identity}


OPERATIONS = {
    "AssumeRole": assume_role,
    "GetSessionToken": get_session_token,
    "GetAccessKeyInfo": get_access_key_info,
}
