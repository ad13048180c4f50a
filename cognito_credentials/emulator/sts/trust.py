"""
Whether a role may be assumed: its trust policy, evaluated as IAM would.

A role that the seed does not describe is trusted as the console's wizard would make it: by the
pools that use it, for the state they use it for. Source: service.md 9.3, design.md 4.4.
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
        principal: The federated principal: the service's host, or the ARN of an OIDC provider.
        provider: What the condition keys begin with.
        claims: Claim to its values: ``aud``, ``sub``, ``amr``.
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
        """Condition key, in lower case, to its values."""
        values = {f"{self.provider}:{claim}".lower(): given for claim, given in self.claims.items()}
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
    True when the role's trust policy allows *attempt*.

    Args:
        strict: No role exists but those that the seed describes.
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
    """The longest session that the role allows."""
    found = state.row("SELECT max_session_seconds FROM roles WHERE arn = ?", role_arn)
    return int(found["max_session_seconds"]) if found else DEFAULT_MAX_SESSION_SECONDS


def allows(policy: Mapping[str, Any], attempt: Assumption) -> bool:
    """Evaluate a trust policy: some statement allows, and none denies."""
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
