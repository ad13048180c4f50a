"""
What a ``[[pools]]`` table may hold: kinds, names, lengths and patterns by botocore's model of the service,
and what the model does not say.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ServiceModel

from ...errors import near
from ...regions import partition_of
from .members import mapping_keys, rules_of

MOST_RULES: Final = 25
"""For one provider; the model has 400. Source: `reference/service.md#11`."""
_MOST_TAGS = 50
_TAG: Final = re.compile(r"[\w .:/=+@-]*")
_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
_PROVIDER_ARNS: Final = {
    "OpenIdConnectProviderARNs": (
        "an OIDC",
        re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:oidc-provider/\S+"),
    ),
    "SamlProviderARNs": (
        "a SAML",
        re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:saml-provider/[\w.-]+", re.ASCII),
    ),
}
_PUBLIC_PROVIDERS: Final = (
    *("accounts.google.com", "api.twitter.com", "appleid.apple.com"),
    *("graph.facebook.com", "www.amazon.com", "www.digits.com"),
)
_USER_POOL: Final = re.compile(
    r"(issuer-)?cognito-idp\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/(?P=region)_[0-9A-Za-z]+"
)
"""Source: `reference/service.md#6.1`."""
_KINDS: Final = {
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "list": (list, "a list"),
    "map": (dict, "a table"),
    "structure": (dict, "a table"),
}
_OWN: Final = ("IdentityPoolId", "PrincipalTags")
_TAG_MAP: Final = ("UseDefaults", "PrincipalTags")


class Mistake(Exception):  # noqa: N818  (it is a person's)
    """
    A mistake in a table.

    Args:
        member: Its path in the table; empty for the table itself.
        what: What is wrong.
        hint: What was probably meant.
    """

    def __init__(self, member: str, what: str, hint: str = "") -> None:
        super().__init__(member, what, hint)
        self.member = member
        self.what = what
        self.hint = hint


def check_table(values: Mapping[str, Any], model: Any) -> None:
    """
    Check the kinds of everything in a table, and the names of its members.

    Args:
        model: As `service_model` returns it.

    Raises:
        Mistake: A member is unknown, missing or of a wrong kind.
    """
    create, roles, tag_map = (model.operation_model(name).input_shape for name in _OPERATIONS)
    known = {**create.members, "Roles": roles.members["Roles"], "RoleMappings": roles.members["RoleMappings"]}
    _refuse_unknown(values, (*known, *_OWN), "")
    if isinstance(values.get("Roles"), dict):
        _refuse_unknown(values["Roles"], ("authenticated", "unauthenticated"), "Roles", "state")
    for member in create.required_members:
        if member not in values:
            raise Mistake("", f"{member} is missing; it is {_KINDS[known[member].type_name][1]}")
    for member, value in values.items():
        if member == "IdentityPoolId":
            _check_kind(value, str, "a text, REGION:GUID", member)
        elif member == "PrincipalTags":
            _check_tag_maps(value, tag_map)
        else:
            _check(value, known[member], member)


def check_pool(members: Mapping[str, Any], region: str | None) -> None:
    """
    Check what the model does not say.

    Args:
        members: They have passed `check_table`.
        region: The pool's, where the table has an id.

    Raises:
        Mistake: The service would refuse it, or no login could ever match it.
    """
    _check_providers(members, region)
    accounts: dict[str, str] = {}
    for place, arn in _roles(members):
        account = _check_role(place, arn, region)
        accounts.setdefault(account, place)
        if len(accounts) > 1:
            (first, one), (second, other) = accounts.items()
            raise Mistake(other, f"a role of account {second}, while {one} is of account {first}")
    for provider, mapping in members.get("RoleMappings", {}).items():
        _check_mapping(provider, mapping)
    tags = members.get("IdentityPoolTags", {})
    if len(tags) > _MOST_TAGS:
        raise Mistake("IdentityPoolTags", f"{len(tags)} tags; a pool has at most {_MOST_TAGS}")
    for key, value in tags.items():
        if key.lower().startswith("aws:") or _TAG.fullmatch(key + value) is None:
            raise Mistake(f"IdentityPoolTags.{key}", "a tag that AWS does not take")


def check_whole(members: Mapping[str, Any], named: Iterable[str]) -> None:
    """
    Check a pool as it is to be, with what the file does not name.

    Args:
        named: The role mappings that the file names. Others may be left over from a provider that was
            removed: the service keeps those.

    Raises:
        Mistake: A role mapping of the file is of a provider that the pool does not have.
    """
    keys = mapping_keys(members)
    for provider, mapping in members.get("RoleMappings", {}).items():
        if provider not in keys:
            if provider not in named:
                continue
            raise _no_provider(f"RoleMappings.{provider}", provider, keys)
        _check_mapping(provider, mapping)


def no_tag_provider(provider: str, known: set[str]) -> Mistake:
    """Return the mistake of principal tags for a provider that the pool does not have."""
    return _no_provider(f"PrincipalTags.{provider}", provider, known)


def _no_provider(place: str, provider: str, known: set[str]) -> Mistake:
    meant = near(provider, known) or sorted(key for key in known if key.startswith(provider))
    return Mistake(place, "the pool has no such provider", f"Did you mean '{meant[0]}'?" if meant else "")


def _roles(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each role with its place."""
    return [
        *((f"Roles.{state}", arn) for state, arn in members.get("Roles", {}).items()),
        *(
            (f"RoleMappings.{provider}.Rules[{number}].RoleARN", rule["RoleARN"])
            for provider, mapping in members.get("RoleMappings", {}).items()
            for number, rule in enumerate(rules_of(mapping), 1)
        ),
    ]


def roles_of_account(members: Mapping[str, Any], account: str, whose: str) -> None:
    """
    Check that each role is of *account*.

    Raises:
        Mistake: One is not. A pool gives only roles of its own account.
    """
    for place, arn in _roles(members):
        if arn.split(":")[4] != account:
            raise Mistake(place, f"'{arn}' is a role of another account: {whose} are of {account}")


def _check_role(place: str, arn: str, region: str | None) -> str:
    match = _ROLE.fullmatch(arn)
    if match is None:
        raise Mistake(place, f"'{arn}' is not the ARN of a role")
    if region is not None and match[1] != partition_of(region):
        raise Mistake(place, f"'{arn}' is a role in {match[1]}; the pool is in {partition_of(region)}")
    return str(match[2])


def _check_mapping(provider: str, mapping: Mapping[str, Any]) -> None:
    place = f"RoleMappings.{provider}"
    if mapping["Type"] == "Token" and not provider.startswith(("cognito-idp.", "issuer-cognito-idp.")):
        raise Mistake(place, "Type is Token, which only user pools have; use Rules")
    if "AmbiguousRoleResolution" not in mapping:
        raise Mistake(place, "AmbiguousRoleResolution is missing; it is AuthenticatedRole or Deny")
    if mapping["Type"] == "Rules" and "RulesConfiguration" not in mapping:
        raise Mistake(place, "RulesConfiguration is missing, which Type = Rules needs")
    rules = len(rules_of(mapping))
    if rules > MOST_RULES:
        raise Mistake(f"{place}.Rules", f"{rules} rules; a provider has at most {MOST_RULES}")


def _check_providers(members: Mapping[str, Any], region: str | None) -> None:
    """Refuse providers that the service would store, but that no login could match."""
    for member, (kind, pattern) in _PROVIDER_ARNS.items():
        for number, arn in enumerate(members.get(member, ()), 1):
            match = pattern.fullmatch(arn)
            if match is None:
                raise Mistake(f"{member}[{number}]", f"'{arn}' is not the ARN of {kind} provider")
            if region is not None and match[1] != partition_of(region):
                raise Mistake(f"{member}[{number}]", f"'{arn}' is in another partition than the pool")
    for name in members.get("SupportedLoginProviders", ()):
        _refuse_unknown([name], _PUBLIC_PROVIDERS, "SupportedLoginProviders", "provider")
    for number, provider in enumerate(members.get("CognitoIdentityProviders", ()), 1):
        place = f"CognitoIdentityProviders[{number}]"
        for member in ("ProviderName", "ClientId"):
            if member not in provider:
                raise Mistake(place, f"{member} is missing")
        if _USER_POOL.fullmatch(provider["ProviderName"]) is None:
            raise Mistake(f"{place}.ProviderName", "expected cognito-idp.REGION.amazonaws.com/USER_POOL_ID")


def _check_tag_maps(value: Any, shape: Any) -> None:
    _check_kind(value, dict, "a table", "PrincipalTags")
    for provider, tags in value.items():
        place = f"PrincipalTags.{provider}"
        _check(provider, shape.members["IdentityProviderName"], place)
        _check_kind(tags, dict, "a table", place)
        direct = {name: claim for name, claim in tags.items() if isinstance(claim, str)}
        _check(direct, shape.members["PrincipalTags"], place)
        for name in tags.keys() - direct.keys():
            if name not in _TAG_MAP:
                raise Mistake(f"{place}.{name}", "expected a text, the claim")
            _check(tags[name], shape.members[name], f"{place}.{name}")


def _refuse_unknown(names: Any, known: Any, place: str, kind: str = "member") -> None:
    for name in names:
        if name not in known:
            meant = near(name, known)
            at = f"{place}.{name}" if place else name
            hint = f"Did you mean '{meant[0]}'?" if meant else f"There are: {', '.join(known)}"
            raise Mistake(at, f"unknown {kind}", hint)


def _check(value: Any, shape: Any, place: str) -> None:
    """Check *value* against a shape of botocore's model; botocore checks neither maxima nor patterns."""
    kind, words = _KINDS[shape.type_name]
    _check_kind(value, kind, words, place)
    if isinstance(value, str | list | dict):
        _check_text_or_size(value, shape, place)
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            _check(item, shape.member, f"{place}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            _check(key, shape.key, f"{place}.{key}")
            _check(item, shape.value, f"{place}.{key}")
    elif shape.type_name == "structure":
        _refuse_unknown(value, shape.members, place)
        for member in shape.required_members:
            if member not in value:
                raise Mistake(place, f"{member} is missing")
        for member, item in value.items():
            _check(item, shape.members[member], f"{place}.{member}")


def _check_kind(value: Any, kind: type, words: str, place: str) -> None:
    if type(value) is not kind:
        given = "a date; write it as a text" if isinstance(value, dt.date | dt.time) else ""
        raise Mistake(place, f"expected {words}" + (f", not {given}" if given else ""))


def _check_text_or_size(value: Any, shape: Any, place: str) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    what = "characters" if isinstance(value, str) else "entries"
    # An ARN that is too short is none: `check_pool` says of what.
    if len(value) < least and shape.name != "ARNString":
        raise Mistake(place, "it is empty" if not value else f"expected at least {least} {what}")
    if most is not None and len(value) > most:
        raise Mistake(place, f"{len(value)} {what}; at most {most} are allowed")
    if not isinstance(value, str):
        return
    if shape.enum and value not in shape.enum:
        meant = near(value, shape.enum)
        raise Mistake(
            place, f"it is none of {', '.join(shape.enum)}", f"Did you mean '{meant[0]}'?" if meant else ""
        )
    pattern = shape.metadata.get("pattern")
    # \p{…} is no pattern of Python's; such a shape takes any visible character.
    fits = value.isprintable() and " " not in value if pattern and r"\p" in pattern else _fits(pattern, value)
    if not fits:
        raise Mistake(place, f"it has a character that is not allowed; the service takes {pattern}")


def _fits(pattern: str | None, value: str) -> bool:
    return pattern is None or re.fullmatch(pattern, value, re.ASCII) is not None


_OPERATIONS: Final = ("CreateIdentityPool", "SetIdentityPoolRoles", "SetPrincipalTagAttributeMap")


def service_model() -> Any:
    """Load botocore's model of the service."""
    return ServiceModel(Loader().load_service_model("cognito-identity", "service-2"))
