"""
The trust policies of roles that pools give: how they should be, and what is wrong with one.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import unquote

from ...regions import own_token_provider
from .members import roles_of

_ASSUME: Final = "sts:AssumeRoleWithWebIdentity"
_TAG: Final = "sts:TagSession"  # without it, a login whose claims become tags gets no credentials
_LIMITING: Final = ("stringequals", "stringlike", "stringequalsignorecase")


def trust_policies(pools: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """
    Return the trust policies that the roles of pools need.

    Args:
        pools: Id and members of each.

    Returns:
        ARN of a role to its policy. A role of several pools trusts each of them.
    """
    wanted: dict[str, dict[tuple[str, tuple[str, ...], bool], list[str]]] = {}
    for pool_id, members in pools:
        host = own_token_provider(pool_id.partition(":")[0])
        for arn, states in roles_of(members).items():
            is_tagged = "authenticated" in states and bool(members.get("PrincipalTags"))
            key = (host, tuple(sorted(states)), is_tagged)
            wanted.setdefault(arn, {}).setdefault(key, []).append(pool_id)
    return {
        arn: {
            "Version": "2012-10-17",
            "Statement": [_statement(*key, sorted(ids)) for key, ids in sorted(by_key.items())],
        }
        for arn, by_key in sorted(wanted.items())
    }


def _statement(host: str, states: tuple[str, ...], is_tagged: bool, ids: list[str]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": host},
        "Action": [_ASSUME, _TAG] if is_tagged else _ASSUME,
        "Condition": {
            "StringEquals": {f"{host}:aud": _one(ids)},
            "ForAnyValue:StringLike": {f"{host}:amr": _one(list(states))},
        },
    }


def _one(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def trust_mistake(policy: Mapping[str, Any], region: str, pool_id: str | None) -> str | None:
    """
    Say what is wrong with the trust policy of a role for a pool.

    Args:
        policy: As IAM has it.
        region: The pool's.
        pool_id: None for a pool that is not made yet.

    Returns:
        What follows the role's name in a sentence; None where nothing is wrong.
    """
    host = own_token_provider(region)
    statements = [each for each in _listed(policy.get("Statement")) if _is_about(each, host)]
    if not statements:
        return f"does not trust {host}: nobody gets credentials of it"
    limits = [
        [*_limits(each, f"{host}:aud"), *(f"sub {sub}" for sub in _limits(each, f"{host}:sub"))]
        for each in statements
    ]
    if not all(limits):
        return f"is trusted without a condition on {host}:aud: users of every identity pool in AWS get it"
    given = [limit for of_one in limits for limit in of_one]
    if pool_id is not None and not any(fnmatchcase(pool_id, one) or one.startswith("sub ") for one in given):
        return f"does not trust this pool: its condition on {host}:aud names others"
    return None


def readable(document: Any) -> Mapping[str, Any] | None:
    """Return a trust policy as IAM's GetRole gives it: parsed by botocore, or JSON with percent codes."""
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document))
        except ValueError:
            return None
    return document if isinstance(document, Mapping) else None


def _is_about(statement: Any, host: str) -> bool:
    """Tell whether a statement lets tokens of *host* in."""
    if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    federated = principal.get("Federated") if isinstance(principal, Mapping) else principal
    actions = [str(action).lower() for action in _listed(statement.get("Action"))]
    return any(each in (host, "*") for each in _listed(federated)) and any(
        fnmatchcase(_ASSUME.lower(), action) for action in actions
    )


def _limits(statement: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the values that a statement limits *key* to; none where a value fits everything."""
    conditions = statement.get("Condition")
    for operator, tests in (conditions if isinstance(conditions, Mapping) else {}).items():
        # ForAnyValue: in front; ForAllValues: lets pass what has no value, and …IfExists too.
        name = str(operator).lower().removeprefix("foranyvalue:")
        if name not in _LIMITING or not isinstance(tests, Mapping):
            continue
        for tested, values in tests.items():
            texts = [str(value) for value in _listed(values)]
            if str(tested).lower() == key.lower() and not any(set(text) <= {"*"} for text in texts):
                yield from texts


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
