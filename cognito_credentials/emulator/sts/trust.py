"""
Whether a role may be assumed: its trust policy, evaluated as IAM does.

A role that the seed does not describe trusts the pools that use it, for the state they use it for. The
console of AWS makes such a trust policy. Source: .github/SERVICE.md#9.3.10 to #9.3.16.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.sts.conditions import as_list, condition_holds
from cognito_credentials.emulator.sts.trust_policy import ASSUME, TAG, federations, trusts_action

DEFAULT_MAX_SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Assumption:
    """
    One attempt to assume a role.

    Attributes:
        principal: The federated principal: the service's name, or the ARN of an OIDC provider.
        provider: The prefix of the condition keys.
        claims: ``aud``, ``sub`` and ``amr``, each to its values.
        now: Seconds since the epoch, by the emulator's clock.
        tags: Session tags.
    """

    principal: str
    provider: str
    claims: Mapping[str, Sequence[str]]
    session_name: str
    now: float
    tags: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> dict[str, Sequence[str]]:
        """The values for conditions: condition key, in lower case, to values."""
        values = {f"{self.provider}:{claim}".lower(): texts for claim, texts in self.claims.items()}
        values["sts:rolesessionname"] = [self.session_name]
        moment = dt.datetime.fromtimestamp(int(self.now), dt.timezone.utc)
        values["aws:currenttime"] = [f"{moment:%Y-%m-%dT%H:%M:%SZ}"]
        values["aws:epochtime"] = [str(int(self.now))]
        for name, value in self.tags.items():
            values[f"aws:requesttag/{name}".lower()] = [value]
        if self.tags:
            values["aws:tagkeys"] = list(self.tags)
        return values


def may_assume(state: State, role_arn: str, attempt: Assumption, strict: bool) -> bool:
    """
    Whether the role's trust policy allows *attempt*.

    Args:
        strict: Whether only the roles exist that the seed describes.
    """
    found = state.row("SELECT trust_policy FROM roles WHERE arn = ?", role_arn)
    if found is not None:
        return allows(json.loads(found["trust_policy"]), attempt)
    if strict:
        return False
    uses = state.rows("SELECT pool_id, state FROM role_uses WHERE role_arn = ?", role_arn)
    if not uses:
        return True
    audience, amr = attempt.claims.get("aud", ()), attempt.claims.get("amr", ())
    return any(use["pool_id"] in audience and use["state"] in amr for use in uses)


def max_session_seconds(state: State, role_arn: str) -> int:
    """The longest duration of a session that the role allows, in seconds."""
    found = state.row("SELECT max_session_seconds FROM roles WHERE arn = ?", role_arn)
    return int(found["max_session_seconds"]) if found else DEFAULT_MAX_SESSION_SECONDS


def allows(policy: Mapping[str, Any], attempt: Assumption) -> bool:
    """Whether a statement of a trust policy allows *attempt*, and none denies it."""
    actions = [ASSUME, TAG] if attempt.tags else [ASSUME]
    statements = as_list(policy["Statement"])
    for action in actions:
        effects = {statement["Effect"] for statement in statements if _applies(statement, action, attempt)}
        if "Deny" in effects or "Allow" not in effects:
            return False
    return True


def _applies(statement: Mapping[str, Any], action: str, attempt: Assumption) -> bool:
    if not trusts_action(statement, action):
        return False
    trusted = federations(statement["Principal"])
    if attempt.principal not in trusted and "*" not in trusted:
        return False
    context = attempt.context()
    return all(
        condition_holds(operator, key, as_list(wanted), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )
