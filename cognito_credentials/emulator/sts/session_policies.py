"""
What a session may do at most: the policies that narrow it, not those of its role.

A guest of the enhanced flow is limited to what the service's own two session policies name;
AssumeRoleWithWebIdentity takes a policy of the caller's. Of what the role itself permits nothing
is known here. Source: service.md 10.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.sts.conditions import as_list, like
from cognito_credentials.emulator.sts.sessions import AssumedRole

_GUEST_POLICY = ":iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"
"""The end of its ARN, which begins with the partition."""

_ALWAYS = "sts:getcalleridentity"

_GUEST_INLINE = """
    cloudwatch:* logs:* dynamodb:* kinesis:* mobileanalytics:* s3:* ses:* sns:* sqs:* lambda:*
    machinelearning:* execute-api:* iot:* gamelift:* cognito-identity:* cognito-idp:* lex:* polly:*
    comprehend:* translate:* transcribe:* rekognition:* mobiletargeting:* firehose:* appsync:*
    personalize:* sagemaker:InvokeEndpoint cognito-sync:* codewhisperer:*
    textract:DetectDocumentText textract:AnalyzeDocument sdb:*
""".split()  # noqa: SIM905 - as the guide lists them
_GUEST_MANAGED = """
    rum:PutRumEvents sagemaker:InvokeEndpoint polly:* comprehend:* translate:* transcribe:*
    rekognition:* mobiletargeting:* firehose:* personalize:* geo:GetMap* geo:ListMaps
    geo:SearchPlaceIndex* geo:GetPlace geo:CalculateRoute* geo:*Geofence geo:*Geofences
    geo:*DevicePosition* kms:Encrypt kms:Decrypt kms:ReEncryptTo kms:ReEncryptFrom
    kms:GenerateDataKey kms:GenerateDataKeyPair kms:GenerateDataKeyWithoutPlaintext
    kms:GenerateDataKeyPairWithoutPlaintext
""".split()  # noqa: SIM905 - as the guide lists them


@dataclass(frozen=True)
class Decision:
    """
    Whether the session policies leave room for an action.

    Attributes:
        reason: One line, in the words of AWS's own denials where it denies.
    """

    allowed: bool
    reason: str


def decide(session: AssumedRole, action: str, resource: str, now: float) -> Decision:
    """
    Whether *session* may do *action* on *resource*, as far as its session policies go.

    Args:
        action: E.g. ``s3:GetObject``.
        resource: An ARN, or ``*``.
        now: Seconds since the epoch.
    """
    if now >= session.expires_at:
        return Decision(False, "The security token included in the request is expired")
    if action.lower() == _ALWAYS:
        return Decision(True, "GetCallerIdentity needs no permission")
    if session.limited:
        if _matches(action, _GUEST_INLINE) or _matches(action, _GUEST_MANAGED):
            return Decision(True, "the session policies of guests name the action")
        return _denied(session, action, resource)
    if not session.policy and not session.policy_arns:
        return Decision(True, "no session policy limits this session")
    document = json.loads(session.policy) if session.policy else {"Statement": []}
    effects = _effects(document, action, resource)
    if "Deny" in effects:
        return _denied(session, action, resource, "with an explicit deny in a session policy")
    unknown = [arn for arn in session.policy_arns if not arn.endswith(_GUEST_POLICY)]
    has_guest_policy = len(unknown) < len(session.policy_arns)
    if "Allow" in effects or (has_guest_policy and _matches(action, _GUEST_MANAGED)):
        return Decision(True, "a session policy allows the action")
    if unknown:
        return Decision(True, f"not known here is what {unknown[0]} says")
    return _denied(session, action, resource)


def _denied(session: AssumedRole, action: str, resource: str, why: str = "") -> Decision:
    why = why or f"because no session policy allows the {action} action"
    return Decision(
        False,
        f"User: {session.arn} is not authorized to perform: {action} on resource: {resource} {why}",
    )


def _effects(document: Mapping[str, Any], action: str, resource: str) -> set[str]:
    return {
        statement["Effect"]
        for statement in as_list(document["Statement"])
        if _applies(statement, action, resource)
    }


def _applies(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    # What a condition asks for is not known here: it stops no Deny, and holds for no Allow.
    if statement.get("Condition") and statement["Effect"] == "Allow":
        return False
    if "NotAction" in statement:
        named = not _matches(action, as_list(statement["NotAction"]))
    else:
        named = _matches(action, as_list(statement.get("Action", ())))
    if "NotResource" in statement:
        return named and not _covers(statement["NotResource"], resource)
    return named and _covers(statement.get("Resource", ()), resource)


def _matches(action: str, patterns: Sequence[str]) -> bool:
    return any(like(action.lower(), pattern.lower()) for pattern in patterns)


def _covers(patterns: Any, resource: str) -> bool:
    return any(like(resource, pattern) for pattern in as_list(patterns))


def packed_percent(policy: str, policy_arns: Sequence[str], tags: Mapping[str, str]) -> int:
    """How much of the room for session policies and tags they take, percent; 0 without any."""
    if not policy and not policy_arns and not tags:
        return 0
    packed = zlib.compress(json.dumps([policy, list(policy_arns), dict(tags)]).encode())
    return -(-len(packed) * 100 // assumed.PACKED_POLICY_BYTES)


def is_policy(text: str) -> bool:
    """Whether *text* is a policy document, as far as `decide` reads one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or "Statement" not in document:
        return False
    return all(_is_statement(statement) for statement in as_list(document["Statement"]))


def _is_statement(statement: Any) -> bool:
    return (
        isinstance(statement, dict)
        and statement.get("Effect") in ("Allow", "Deny")
        and ("Action" in statement) != ("NotAction" in statement)
        and ("Resource" in statement) != ("NotResource" in statement)
        and "Principal" not in statement  # the session itself is who it speaks of
        and all(
            all(isinstance(item, str) for item in as_list(statement.get(name, ())))
            for name in ("Action", "NotAction", "Resource", "NotResource")
        )
    )
