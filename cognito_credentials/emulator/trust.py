"""
Whether a role may be assumed: its trust policy, evaluated as IAM would.

A role that the seed does not describe is trusted as the console's wizard would make it: by the
pools that use it, for the state they use it for. Source: service.md 9.3, design.md 4.4.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognito_credentials.emulator.service import Service

_ASSUME = "sts:AssumeRoleWithWebIdentity"
_TAG = "sts:TagSession"
DEFAULT_MAX_SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Assumption:
    """
    One attempt to assume a role.

    Attributes:
        principal: The federated principal: the service's host, or the ARN of an OIDC provider.
        provider: What the condition keys begin with.
        claims: Claim to its values: ``aud``, ``sub``, ``amr``.
        tags: Session tags.
    """

    principal: str
    provider: str
    claims: Mapping[str, Sequence[str]]
    session_name: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> dict[str, Sequence[str]]:
        """Condition key, in lower case, to its values."""
        values = {f"{self.provider}:{claim}".lower(): given for claim, given in self.claims.items()}
        values["sts:rolesessionname"] = [self.session_name]
        for name, value in self.tags.items():
            values[f"aws:requesttag/{name}".lower()] = [value]
        if self.tags:
            values["aws:tagkeys"] = list(self.tags)
        return values


def may_assume(service: Service, role_arn: str, attempt: Assumption) -> bool:
    """True when the role exists and its trust policy allows *attempt*."""
    found = service.state.row("SELECT trust_policy FROM roles WHERE arn = ?", role_arn)
    if found is not None:
        return allows(json.loads(found["trust_policy"]), attempt)
    if service.strict_roles:
        return False
    uses = service.state.rows("SELECT pool_id, state FROM role_uses WHERE role_arn = ?", role_arn)
    if not uses:
        return True
    audience, amr = attempt.claims.get("aud", ()), attempt.claims.get("amr", ())
    return any(use["pool_id"] in audience and use["state"] in amr for use in uses)


def max_session_seconds(service: Service, role_arn: str) -> int:
    """The longest session that the role allows."""
    found = service.state.row("SELECT max_session_seconds FROM roles WHERE arn = ?", role_arn)
    return int(found["max_session_seconds"]) if found else DEFAULT_MAX_SESSION_SECONDS


def policy_mistake(policy: Any) -> str | None:
    """What is wrong with a trust policy that `allows` is to evaluate; None for a good one."""
    if not isinstance(policy, dict) or "Statement" not in policy:
        return "expected a policy with a Statement, as JSON or TOML"
    for number, statement in enumerate(_as_list(policy["Statement"]), start=1):
        wrong = _statement_mistake(statement)
        if wrong is not None:
            return f"Statement {number}: {wrong}"
    return None


def _statement_mistake(statement: Any) -> str | None:
    if not isinstance(statement, dict):
        return "expected a table"
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Condition"}
    if unknown:
        return f"{min(unknown)} is not evaluated in a trust policy"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Effect: expected Allow or Deny"
    principal = statement.get("Principal")
    if principal != "*" and not (isinstance(principal, dict) and all(map(_is_texts, principal.values()))):
        return 'Principal: expected "*", or {"Federated": ...}'
    if not _is_texts(statement.get("Action")):
        return "Action: expected a text, or a list of texts"
    return _condition_mistake(statement.get("Condition", {}))


def _condition_mistake(condition: Any) -> str | None:
    if not isinstance(condition, dict):
        return "Condition: expected a table"
    for operator, keys in condition.items():
        plain = operator.rpartition(":")[2].removesuffix("IfExists")
        if plain != "Null" and plain not in _OPERATORS:
            return f"Condition: {operator} is not an operator that is evaluated"
        if not isinstance(keys, dict):
            return f"Condition: {operator}: expected a table of keys and values"
        for key, wanted in keys.items():
            if not all(isinstance(item, str | int | float) for item in _as_list(wanted)):
                return f"Condition: {operator}: {key}: expected a text, or a list of texts"
    return None


def _is_texts(value: Any) -> bool:
    return bool(value) and all(isinstance(item, str) for item in _as_list(value))


def allows(policy: Mapping[str, Any], attempt: Assumption) -> bool:
    """Evaluate a trust policy: some statement allows, and none denies."""
    actions = [_ASSUME, _TAG] if attempt.tags else [_ASSUME]
    statements = _as_list(policy.get("Statement", ()))
    for action in actions:
        effects = {
            statement.get("Effect") for statement in statements if _applies(statement, action, attempt)
        }
        if "Deny" in effects or "Allow" not in effects:
            return False
    return True


def _applies(statement: Mapping[str, Any], action: str, attempt: Assumption) -> bool:
    if not any(
        fnmatch.fnmatchcase(action.lower(), pattern.lower())
        for pattern in _as_list(statement.get("Action", ()))
    ):
        return False
    principal = statement.get("Principal", {})
    trusted = ["*"] if principal == "*" else _as_list(principal.get("Federated", ()))
    if attempt.principal not in trusted and "*" not in trusted:
        return False
    context = attempt.context()
    return all(
        _condition_holds(operator, key, _as_list(wanted), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _condition_holds(
    operator: str, key: str, wanted: Sequence[Any], context: Mapping[str, Sequence[str]]
) -> bool:
    """One line of a Condition; an operator that is not known holds never."""
    qualifier, _, plain = operator.rpartition(":")
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    given = context.get(key.lower())
    texts = [_text(item) for item in wanted]
    if plain == "Null":
        return (given is None) == (texts == ["true"])
    compare = _OPERATORS.get(plain)
    if compare is None:
        return False
    negated = plain in _NEGATED
    if given is None:
        return optional or negated or qualifier == "ForAllValues"
    # A negated operator holds for a value when it differs from every wanted one.
    combine = all if negated else any
    matches = [combine(_safely(compare, value, text) for text in texts) for value in given]
    if qualifier == "ForAllValues":
        return all(matches)
    if qualifier == "ForAnyValue" or not negated:
        return any(matches)
    return all(matches)


def _safely(compare: Callable[[str, str], bool], given: str, wanted: str) -> bool:
    try:
        return compare(given, wanted)
    except ValueError:
        return False  # a value that is no number or date compares with nothing


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _like(given: str, pattern: str) -> bool:
    # fnmatch knows [sets], which IAM does not; a bracket means itself.
    return fnmatch.fnmatchcase(given, pattern.replace("[", "[[]"))


def _date(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return moment.replace(tzinfo=moment.tzinfo or dt.timezone.utc).timestamp()


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda given, wanted: given == wanted,
    "StringNotEquals": lambda given, wanted: given != wanted,
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == wanted.lower(),
    "StringNotEqualsIgnoreCase": lambda given, wanted: given.lower() != wanted.lower(),
    "StringLike": _like,
    "StringNotLike": lambda given, wanted: not _like(given, wanted),
    "ArnEquals": _like,
    "ArnLike": _like,
    "ArnNotEquals": lambda given, wanted: not _like(given, wanted),
    "ArnNotLike": lambda given, wanted: not _like(given, wanted),
    "Bool": lambda given, wanted: given.lower() == wanted.lower(),
    "NumericEquals": lambda given, wanted: float(given) == float(wanted),
    "NumericNotEquals": lambda given, wanted: float(given) != float(wanted),
    "NumericLessThan": lambda given, wanted: float(given) < float(wanted),
    "NumericLessThanEquals": lambda given, wanted: float(given) <= float(wanted),
    "NumericGreaterThan": lambda given, wanted: float(given) > float(wanted),
    "NumericGreaterThanEquals": lambda given, wanted: float(given) >= float(wanted),
    "DateEquals": lambda given, wanted: _date(given) == _date(wanted),
    "DateNotEquals": lambda given, wanted: _date(given) != _date(wanted),
    "DateLessThan": lambda given, wanted: _date(given) < _date(wanted),
    "DateLessThanEquals": lambda given, wanted: _date(given) <= _date(wanted),
    "DateGreaterThan": lambda given, wanted: _date(given) > _date(wanted),
    "DateGreaterThanEquals": lambda given, wanted: _date(given) >= _date(wanted),
}
_NEGATED = frozenset(name for name in _OPERATORS if "Not" in name)
