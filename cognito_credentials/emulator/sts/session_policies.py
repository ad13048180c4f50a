"""
What a session can do at most: its session policies, which narrow the permissions of its role.

A guest of the enhanced flow has two session policies of the service. The caller of
AssumeRoleWithWebIdentity may give others. The permissions of the role are not known to the emulator.
Source: reference/service.md#10.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.sts.conditions import as_list, like
from cognito_credentials.emulator.sts.sessions import AssumedRole, UserSession

_GUEST_POLICY = ":iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"
"""The end of the policy's ARN, after the partition."""

_NEEDS_NO_PERMISSION = "sts:getcalleridentity"  # reference/service.md#9.6.1

_GUEST_INLINE = """
    cloudwatch:* logs:* dynamodb:* kinesis:* mobileanalytics:* s3:* ses:* sns:* sqs:* lambda:*
    machinelearning:* execute-api:* iot:* gamelift:* cognito-identity:* cognito-idp:* lex:* polly:*
    comprehend:* translate:* transcribe:* rekognition:* mobiletargeting:* firehose:* appsync:*
    personalize:* sagemaker:InvokeEndpoint cognito-sync:* codewhisperer:*
    textract:DetectDocumentText textract:AnalyzeDocument sdb:*
""".split()  # noqa: SIM905 - in the order of AWS's documentation
_GUEST_MANAGED = """
    rum:PutRumEvents sagemaker:InvokeEndpoint polly:* comprehend:* translate:* transcribe:*
    rekognition:* mobiletargeting:* firehose:* personalize:* geo:GetMap* geo:ListMaps
    geo:SearchPlaceIndex* geo:GetPlace geo:CalculateRoute* geo:*Geofence geo:*Geofences
    geo:*DevicePosition* kms:Encrypt kms:Decrypt kms:ReEncryptTo kms:ReEncryptFrom
    kms:GenerateDataKey kms:GenerateDataKeyPair kms:GenerateDataKeyWithoutPlaintext
    kms:GenerateDataKeyPairWithoutPlaintext
""".split()  # noqa: SIM905 - in the order of AWS's documentation


@dataclass(frozen=True)
class Decision:
    """
    Whether the session policies allow an action.

    Attributes:
        reason: One line. A denial has the words of AWS's denials.
    """

    allowed: bool
    reason: str


def decide(session: AssumedRole | UserSession, action: str, resource: str, now: float) -> Decision:
    """
    Whether the session policies of *session* allow *action* on *resource*.

    Args:
        action: E.g. ``s3:GetObject``.
        resource: An ARN, or ``*``.
        now: Seconds since the epoch.
    """
    if now >= session.expires_at:
        return Decision(False, "The security token included in the request is expired")
    if action.lower() == _NEEDS_NO_PERMISSION:
        return Decision(True, "GetCallerIdentity needs no permission")
    if isinstance(session, UserSession):
        return Decision(True, "no session policy limits this session")
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
    # The values that a condition asks for are not known, so the cautious answer is taken: a statement
    # that denies applies, one that allows does not. reference/service.md#10.3
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
    """The share, in percent, of the room for session policies and tags that these take; 0 without any."""
    if not policy and not policy_arns and not tags:
        return 0
    packed = zlib.compress(json.dumps([policy, list(policy_arns), dict(tags)]).encode())
    return -(-len(packed) * 100 // assumed.PACKED_POLICY_BYTES)


def is_policy(text: str) -> bool:
    """Whether *text* is a session policy that `decide` can read."""
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
        and "Principal" not in statement  # The session is the principal.
        and all(
            all(isinstance(item, str) for item in as_list(statement.get(name, ())))
            for name in ("Action", "NotAction", "Resource", "NotResource")
        )
    )
