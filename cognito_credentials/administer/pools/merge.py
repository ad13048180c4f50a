"""
A pool as it is, and as the file has it; out comes the pool as it is to be, and each change on the way.

What the file does not name stays: members, providers, roles, role mappings, rules and tags. ``delete`` drops
it. Rules have an order, and the first one that matches decides: the file's come first, in its order. A rule
is the same one if claim, comparison and value are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .members import Members, normalised, rules_of

ADDED: Final = "added"
CHANGED: Final = "changed"
REMOVED: Final = "removed"
_SIGNS: Final = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
_SCALARS: Final = (
    *("IdentityPoolName", "AllowUnauthenticatedIdentities", "AllowClassicFlow", "DeveloperProviderName"),
)
_LISTS: Final = ("OpenIdConnectProviderARNs", "SamlProviderARNs")
_MAPS: Final = ("SupportedLoginProviders", "Roles", "IdentityPoolTags")


@dataclass(frozen=True)
class Change:
    """
    One member that differs.

    Attributes:
        member: Its path, such as ``Roles.authenticated``.
        kind: ``added``, ``changed`` or ``removed``.
        before: A text, a truth value or a rule; None where it is added.
        after: Likewise; None where it is removed.
    """

    member: str
    kind: str
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        shown = {
            ADDED: _shown(self.after),
            CHANGED: f"{_shown(self.before)} -> {_shown(self.after)}",
            REMOVED: _shown(self.before),
        }
        return f"{_SIGNS[self.kind]} {self.member}: {shown[self.kind]}"


def merged(now: Mapping[str, Any], wanted: Mapping[str, Any], *, delete: bool) -> Members:
    """Return the pool as it is to be; all three are as `members.normalised` has them."""
    found: Members = dict(wanted) if delete else {**now, **wanted}
    if "DeveloperProviderName" in now:
        found.setdefault("DeveloperProviderName", now["DeveloperProviderName"])  # it can never be removed
    if delete:
        return normalised(found)
    for name in _LISTS:
        found[name] = [*now.get(name, ()), *wanted.get(name, ())]
    found["CognitoIdentityProviders"] = [
        *now.get("CognitoIdentityProviders", ()),
        *wanted.get("CognitoIdentityProviders", ()),
    ]
    for name in _MAPS:
        found[name] = {**now.get(name, {}), **wanted.get(name, {})}
    for name, join in (("RoleMappings", _mapping), ("PrincipalTags", _tag_map)):
        before, after = now.get(name, {}), wanted.get(name, {})
        found[name] = {
            **before,
            **{key: join(before[key], value) if key in before else value for key, value in after.items()},
        }
    return normalised(found)


def changes(now: Mapping[str, Any], then: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs between two pools, member by member."""
    before, after = dict(_leaves(now)), dict(_leaves(then))
    found = []
    for member in dict.fromkeys((*before, *after)):
        if member not in after:
            found.append(Change(member, REMOVED, before=before[member]))
        elif member not in before:
            found.append(Change(member, ADDED, after=after[member]))
        elif before[member] != after[member]:
            found.append(Change(member, CHANGED, before[member], after[member]))
    for provider, mapping in then.get("RoleMappings", {}).items():
        old = [rule_text(rule) for rule in rules_of(now.get("RoleMappings", {}).get(provider, {}))]
        new = [rule_text(rule) for rule in rules_of(mapping)]
        if [key for key in old if key in new] != [key for key in new if key in old]:
            found.append(
                Change(
                    f"RoleMappings.{provider}: order of the rules", CHANGED, ", ".join(old), ", ".join(new)
                )
            )
    return tuple(found)


def _mapping(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> Members:
    if now["Type"] != wanted["Type"]:
        return dict(wanted)
    named = {rule_text(rule) for rule in rules_of(wanted)}
    rules = [*rules_of(wanted), *(rule for rule in rules_of(now) if rule_text(rule) not in named)]
    return {**now, **wanted, "RulesConfiguration": {"Rules": rules} if rules else {}}


def _tag_map(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> Members:
    if now["UseDefaults"] or wanted["UseDefaults"]:
        return dict(wanted)
    return {**wanted, "PrincipalTags": {**now["PrincipalTags"], **wanted["PrincipalTags"]}}


def _leaves(pool: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield path and value of each member, so that no two have one path."""
    for name in _SCALARS:
        if name in pool:
            yield name, pool[name]
    for name in _LISTS:
        for arn in pool.get(name, ()):
            yield f"{name} {arn}", True
    for entry in pool.get("CognitoIdentityProviders", ()):
        client = f"{entry.get('ProviderName', '')}:{entry.get('ClientId', '')}"
        yield (
            f"CognitoIdentityProviders {client}",
            f"ServerSideTokenCheck = {_shown(entry['ServerSideTokenCheck'])}",
        )
    for name in _MAPS:
        for key, value in pool.get(name, {}).items():
            yield f"{name}.{key}", value
    for provider, mapping in pool.get("RoleMappings", {}).items():
        yield from _leaves_of_mapping(f"RoleMappings.{provider}", mapping)
    for provider, tags in pool.get("PrincipalTags", {}).items():
        if tags["UseDefaults"]:
            yield f"PrincipalTags.{provider}: UseDefaults", True
        for tag, claim in tags["PrincipalTags"].items():
            yield f"PrincipalTags.{provider}.{tag}", f"claim {claim}"


def _leaves_of_mapping(place: str, mapping: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield f"{place}.Type", mapping["Type"]
    if "AmbiguousRoleResolution" in mapping:
        yield f"{place}.AmbiguousRoleResolution", mapping["AmbiguousRoleResolution"]
    times: dict[str, int] = {}
    for rule in rules_of(mapping):
        key = rule_text(rule)
        times[key] = times.get(key, 0) + 1
        again = "" if times[key] == 1 else f" (number {times[key]})"
        yield f"{place}.Rules: {key}{again}", rule["RoleARN"]


def rule_text(rule: Mapping[str, str]) -> str:
    """Write what a rule compares: ``claim comparison "value"``."""
    return f"{rule['Claim']} {rule['MatchType']} {_shown(rule['Value'])}"


def left_alone(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name what a pool has and the file does not name, which ``--delete`` would drop."""
    dropped: Iterable[Change] = changes(now, merged(now, wanted, delete=True))
    return [change.member for change in dropped if change.kind == REMOVED]


def _shown(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
