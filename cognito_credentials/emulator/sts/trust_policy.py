"""
What is wrong with a trust policy, in one line: IAM would not save it, or the emulator does not evaluate it.

Source: reference/service.md#9.3.11 to #9.3.14.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.model.names import ACCOUNT_ID, is_service_host
from cognito_credentials.emulator.sts.conditions import (
    as_list,
    condition_mistake,
    condition_refusal,
    like,
    restricts,
)

ASSUME = "sts:AssumeRoleWithWebIdentity"
TAG = "sts:TagSession"
ASSUME_ROLE = "sts:AssumeRole"
SET_SOURCE_IDENTITY = "sts:SetSourceIdentity"
_ACTIONS = (
    ASSUME,
    TAG,
    ASSUME_ROLE,
    "sts:AssumeRoleWithSAML",
    "sts:SetContext",
    SET_SOURCE_IDENTITY,
)
_VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = {"AWS", "CanonicalUser", "Federated", "Service"}
_PROVIDER_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(oidc|saml)-provider/\S+")
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|A(IDA|ROA)[A-Z0-9]{12,}|arn:aws[a-z-]*:iam::[0-9]{12}:(root|(user|role)/[!-~]+)|"
    r"arn:aws[a-z-]*:sts::[0-9]{12}:(assumed-role|federated-user)/[!-~]+"
)
_FEDERATIONS = ("accounts.google.com", "graph.facebook.com", "www.amazon.com", "*")
_ID = re.compile(r"[\w*?-]*[:*][0-9a-f*?-]*", re.ASCII)
_KEYS = re.compile(
    r"(?!aws:|sts:)\S+:(aud|sub|amr)|sts:rolesessionname|aws:(requesttag/.+|tagkeys|currenttime|epochtime)"
)


def policy_mistake(policy: Any, account: str = ACCOUNT_ID) -> str | None:
    """
    What is wrong with a trust policy, or is not evaluated; None if nothing is.

    Args:
        account: The role's account.
    """
    return _mistake(policy, account, evaluated_only=True)


def policy_refusal(policy: Any, account: str = ACCOUNT_ID) -> str | None:
    """
    Why IAM does not save a trust policy; None if it does.

    A condition key that is not known here counts as missing from the call. A condition with variables or an
    operator that is not known does not hold where it allows, and holds where it denies.

    Args:
        account: The role's account.
    """
    return _mistake(policy, account, evaluated_only=False)


def _mistake(policy: Any, account: str, evaluated_only: bool) -> str | None:
    if not isinstance(policy, dict) or "Statement" not in policy:
        return "expected a policy with a Statement, as JSON or TOML"
    unknown = policy.keys() - {"Version", "Id", "Statement"}
    if unknown:
        return f"{min(unknown)} is no member of a policy"
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        return f"Version: expected {' or '.join(_VERSIONS)}"
    if not isinstance(policy.get("Id", ""), str):
        return "Id: expected a text"
    statements = as_list(policy["Statement"])
    if not statements:
        return "Statement: expected at least one"
    for number, statement in enumerate(statements, start=1):
        wrong = _statement_mistake(statement, evaluated_only) or _missing_restriction(statement, account)
        if wrong is not None:
            return f"Statement {number}: {wrong}"
    return None


def _statement_mistake(statement: Any, evaluated_only: bool) -> str | None:
    if not isinstance(statement, dict):
        return "expected a table"
    for name in ("Resource", "NotResource"):
        if name in statement:
            return f"Has prohibited field {name}"
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Condition"}
    if unknown:
        return f"{min(unknown)} is not evaluated in a trust policy"
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or not re.fullmatch("[0-9A-Za-z]*", sid):
        return "Sid: expected letters and digits"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Effect: expected Allow or Deny"
    wrong = _principal_mistake(statement.get("Principal")) or _action_mistake(statement.get("Action"))
    if wrong is not None:
        return wrong
    check = _condition_mistake if evaluated_only and _is_for_users(statement) else condition_refusal
    wrong = check(statement.get("Condition", {}))
    return wrong and f"Condition: {wrong}"


def _is_for_users(statement: Mapping[str, Any]) -> bool:
    if not any(trusts_action(statement, action) for action in (ASSUME, TAG)):
        return False
    return any(":saml-provider/" not in name for name in federations(statement["Principal"]))


def _condition_mistake(condition: Any) -> str | None:
    wrong = condition_mistake(condition)
    if wrong is not None:
        return wrong
    for name, keys in condition.items():
        for key, wanted in keys.items():
            if _KEYS.fullmatch(key.lower()) is None:
                return f"{name}: {key} is not a key that is evaluated"
            host, _, claim = key.lower().rpartition(":")
            if is_service_host(host) and claim in ("aud", "sub") and name != "Null":
                for value in as_list(wanted):
                    if _ID.fullmatch(str(value)) is None:
                        return f"{name}: {key}: '{value}' is not region:guid, nor a pattern of it"
    return None


def _principal_mistake(principal: Any) -> str | None:
    if principal == "*":
        return None
    if not isinstance(principal, dict) or not principal or not all(map(_is_texts, principal.values())):
        return 'Principal: expected "*", or {"Federated": ...}'
    unknown = principal.keys() - _PRINCIPALS
    if unknown:
        return f"Principal: {min(unknown)} is no kind of principal"
    for name in as_list(principal.get("AWS", [])):
        if _AWS_PRINCIPAL.fullmatch(name) is None:
            return f'Invalid principal in policy: "AWS":"{name}"'
    for name in as_list(principal.get("Federated", [])):
        if not (is_service_host(name) or name in _FEDERATIONS or _PROVIDER_ARN.fullmatch(name)):
            return f"Principal: Federated: '{name}' is neither Cognito's name nor the ARN of a provider"
    return None


def _action_mistake(action: Any) -> str | None:
    if not _is_texts(action):
        return "Action: expected a text, or a list of texts"
    for name in as_list(action):
        if not any(like(known.lower(), name.lower()) for known in _ACTIONS):
            return f"Action: '{name}' is none by which a role is assumed"
    return None


def _missing_restriction(statement: Mapping[str, Any], account: str) -> str | None:
    """IAM saves no policy by which users of all pools assume a role; reference/service.md#9.3.14."""
    if statement["Effect"] != "Allow" or not trusts_action(statement, ASSUME):
        return None
    for name in federations(statement["Principal"]):
        if name == "*" or is_service_host(name):
            host = "cognito-identity.amazonaws.com" if name == "*" else name
            # An identity id restricts the pool, too. For a role of another account IAM wants the pool id.
            claims = ("aud", "sub") if account == ACCOUNT_ID else ("aud",)
            if not restricts(statement.get("Condition", {}), [f"{host}:{claim}" for claim in claims]):
                return f"it trusts every identity pool; add a Condition on {host}:aud, as IAM demands"
    return None


def trusts_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether *action* is among the actions of *statement*."""
    return any(like(action.lower(), name.lower()) for name in as_list(statement["Action"]))


def federations(principal: Any) -> list[str]:
    """The federated principals of a statement; ``*`` is every principal."""
    if "*" in accounts(principal):
        return ["*"]
    return as_list(principal.get("Federated", []))


def accounts(principal: Any) -> list[str]:
    """The accounts, users, roles and sessions of a statement; ``*`` is every principal."""
    if principal == "*":  # IAM treats it as {"AWS": "*"}.
        return ["*"]
    return as_list(principal.get("AWS", []))


def _is_texts(value: Any) -> bool:
    return bool(value) and all(isinstance(item, str) for item in as_list(value))
