"""
Whether a role may be assumed: its trust policy, evaluated as IAM does.

A role that nobody described trusts the pools that use it, for the state they use it for. The
console of AWS makes such a trust policy. Source: reference/service.md#9.3.10 to #9.3.16.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.stored.roles import DEFAULT_MAX_SESSION_SECONDS, find_role
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.sts.conditions import as_list, condition_holds, is_evaluated
from cognito_credentials.emulator.sts.trust_policy import (
    ASSUME,
    ASSUME_ROLE,
    SET_SOURCE_IDENTITY,
    TAG,
    accounts,
    federations,
    trusts_action,
)
from cognito_credentials.emulator.trail import checked


@dataclass(frozen=True)
class Assumption:
    """
    One attempt to assume a role.

    Attributes:
        principal: The federated principal: the service's name, or the ARN of an OIDC provider. For AssumeRole
            the ARN of the caller.
        provider: The prefix of the condition keys of the claims.
        claims: ``aud``, ``sub`` and ``amr``, each to its values.
        now: Seconds since the epoch, by the emulator's clock.
        tags: Session tags, with those that the caller's session hands on.
        action: The action that the trust policy must allow.
        names: For AssumeRole, all by which a trust policy may name the caller.
        keys: Further condition keys, to their values.
        source_identity: The source identity of the session; empty without one.
    """

    principal: str
    provider: str
    claims: Mapping[str, Sequence[str]]
    session_name: str
    now: float
    tags: Mapping[str, str] = field(default_factory=dict)
    action: str = ASSUME
    names: Sequence[str] = ()
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    source_identity: str = ""

    def context(self) -> dict[str, Sequence[str]]:
        """The values for conditions: condition key, in lower case, to values."""
        values = {f"{self.provider}:{claim}".lower(): texts for claim, texts in self.claims.items()}
        values.update((key.lower(), texts) for key, texts in self.keys.items())
        values["sts:rolesessionname"] = [self.session_name]
        moment = dt.datetime.fromtimestamp(int(self.now), dt.timezone.utc)
        values["aws:currenttime"] = [f"{moment:%Y-%m-%dT%H:%M:%SZ}"]
        values["aws:epochtime"] = [str(int(self.now))]
        for name, value in self.tags.items():
            values[f"aws:requesttag/{name}".lower()] = [value]
        if self.tags:
            values["aws:tagkeys"] = list(self.tags)
        if self.source_identity:
            values["sts:sourceidentity"] = [self.source_identity]
        return values

    def actions(self) -> list[str]:
        """The actions that the trust policy must allow."""
        tagging = [TAG] if self.tags else []
        return [self.action, *tagging, *([SET_SOURCE_IDENTITY] if self.source_identity else [])]


def may_assume(state: State, role_arn: str, attempt: Assumption, strict: bool) -> bool:
    """Whether the role's trust policy allows *attempt*; see `denied_action`."""
    return denied_action(state, role_arn, attempt, strict) is None


def denied_action(state: State, role_arn: str, attempt: Assumption, strict: bool) -> str | None:
    """
    The action that *attempt* needs, and that the role's trust policy does not allow; None if it allows all.

    Args:
        strict: Whether only the roles exist that somebody described.
    """
    denied, why = _denial(state, role_arn, attempt, strict)
    checked(
        f"{role_arn} {'does not allow ' + denied if denied else 'allows it'}: {why}", holds=denied is None
    )
    return denied


def _denial(state: State, role_arn: str, attempt: Assumption, strict: bool) -> tuple[str | None, str]:
    role = find_role(state, role_arn)
    if role is not None:
        why = "the role was deleted" if role.is_deleted else "its trust policy says so"
        return _denied_by(json.loads(role.trust_policy), attempt), why
    if strict:
        return attempt.action, "nobody described the role, and --strict-roles is on"
    uses = state.rows("SELECT pool_id, state FROM role_uses WHERE role_arn = ?", role_arn)
    if not uses:
        return None, "nobody described the role, and no pool uses it"
    audience, amr = attempt.claims.get("aud", ()), attempt.claims.get("amr", ())
    trusted = any(use["pool_id"] in audience and use["state"] in amr for use in uses)
    why = "nobody described the role, so it trusts the users of the pools that use it"
    return None if trusted else attempt.action, why


def max_session_seconds(state: State, role_arn: str) -> int:
    """The longest duration of a session that the role allows, in seconds."""
    role = find_role(state, role_arn)
    return role.max_session_seconds if role else DEFAULT_MAX_SESSION_SECONDS


def allows(policy: Mapping[str, Any], attempt: Assumption) -> bool:
    """Whether a statement of a trust policy allows *attempt*, and none denies it."""
    return _denied_by(policy, attempt) is None


def _denied_by(policy: Mapping[str, Any], attempt: Assumption) -> str | None:
    statements = as_list(policy["Statement"])
    for action in attempt.actions():
        effects = set()
        for number, statement in enumerate(statements, start=1):
            misfit = _misfit(statement, action, attempt)
            if misfit is None:
                effects.add(statement["Effect"])
            what = f"statement {number} of {len(statements)} of the trust policy ({statement['Effect']})"
            checked(f"{what} {'fits' if misfit is None else f'does not fit: {misfit}'}", misfit is None)
        if "Deny" in effects or "Allow" not in effects:
            return action
    return None


def _misfit(statement: Mapping[str, Any], action: str, attempt: Assumption) -> str | None:
    """Why *statement* is not about *attempt*; None if it is."""
    if not trusts_action(statement, action):
        return f"its Action has no {action}"
    if attempt.action == ASSUME_ROLE:
        trusted, names = accounts(statement["Principal"]), attempt.names
    else:
        trusted, names = federations(statement["Principal"]), [attempt.principal]
    if "*" not in trusted and not any(name in trusted for name in names):
        return f"its Principal is not {attempt.principal}"
    context = attempt.context()
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            if not is_evaluated(operator, as_list(wanted)):
                if statement["Effect"] == "Deny":
                    continue  # it might hold
                return f"{operator} {key} is not evaluated by the emulator"
            if not condition_holds(operator, key, as_list(wanted), context):
                found = ", ".join(context.get(key.lower(), ())) or "nothing"
                values = ", ".join(map(str, as_list(wanted)))
                return f"{operator} {key} wants {values}, and the request has {found}"
    return None
