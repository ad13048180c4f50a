"""A ``[[pools]]`` table of a seed: an identity pool with its roles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cognito_credentials.emulator import operations
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.names import (
    DEFAULT_REGION,
    is_role_of_account,
    new_id,
)
from cognito_credentials.emulator.model.shapes import load_service_model
from cognito_credentials.emulator.operations.pool_roles import check_mapping
from cognito_credentials.emulator.operations.pools import check_tags, pool_settings
from cognito_credentials.emulator.operations.tags import stored_tag_map, tag_providers
from cognito_credentials.emulator.seed.entry import KINDS, Entry
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.pools import (
    IdentityPool,
    insert_pool,
    save_principal_tags,
    save_roles,
)

_POOL_ID = re.compile(r"[a-z0-9-]{1,18}:[0-9a-f-]+")
_MAX_ID = 55
_PROVIDER_ARNS = {
    "OpenIdConnectProviderARNs": (
        "an OIDC",
        re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/\S+"),
    ),
    "SamlProviderARNs": (
        "a SAML",
        re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/[\w.-]+", re.ASCII),
    ),
}
_PUBLIC_PROVIDERS = (
    *("accounts.google.com", "api.twitter.com", "appleid.apple.com"),
    *("graph.facebook.com", "www.amazon.com", "www.digits.com"),
)
_KIND_OF_SHAPE = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "list": list,
    "map": dict,
    "structure": dict,
}
_ROLE_MEMBERS = ("Roles", "RoleMappings")
_TAG_MAPS = "PrincipalTags"


def add_pool(service: Service, entry: Entry) -> str:
    """Add an identity pool with its roles. Returns its id."""
    pool_id: str = entry.take("IdentityPoolId", str, None) or new_id(DEFAULT_REGION)
    if _POOL_ID.fullmatch(pool_id) is None or len(pool_id) > _MAX_ID:
        raise entry.mistake("IdentityPoolId", f"'{pool_id}' is not region:guid")
    if service.state.row("SELECT 1 FROM pools WHERE id = ?", pool_id):
        raise entry.mistake("", f"'{pool_id}' exists already")
    tag_maps: Mapping[str, Any] = entry.take(_TAG_MAPS, dict, {})
    _check_kinds(entry)
    role_members = {name: entry.values.pop(name) for name in _ROLE_MEMBERS if name in entry.values}
    _check_providers(entry)
    settings = _checked(entry, "CreateIdentityPool", entry.values)
    roles = _checked(entry, "SetIdentityPoolRoles", {"IdentityPoolId": pool_id, "Roles": {}, **role_members})
    tags = settings.get("IdentityPoolTags", {})
    with _mistake_in(entry, "IdentityPoolTags"):
        check_tags(tags)
    with _mistake_in(entry, "CognitoIdentityProviders"):
        pool = IdentityPool(pool_id, pool_settings(settings), tags, roles["Roles"])
    for state, arn in roles["Roles"].items():
        if not is_role_of_account(arn, pool.region, pool.account):
            where = f"account {pool.account}, in the partition of the pool"
            raise entry.mistake(f"Roles.{state}", f"'{arn}' is not the ARN of a role of {where}")
    mappings = roles.get("RoleMappings", {})
    for provider, mapping in mappings.items():
        with _mistake_in(entry, f"RoleMappings.{provider}"):
            check_mapping(pool, provider, mapping)
    stored = {provider: _tag_map(entry, pool, provider, values) for provider, values in tag_maps.items()}
    insert_pool(service.state, pool)
    save_roles(service.state, pool_id, roles["Roles"], mappings)
    save_principal_tags(service.state, pool_id, stored)
    return pool_id


def _tag_map(entry: Entry, pool: IdentityPool, provider: str, values: Any) -> dict[str, Any]:
    """
    Read the principal tags of a provider as they are stored.

    Their table has tags and claims, or the members of SetPrincipalTagAttributeMap: ``UseDefaults`` is true or
    false, and ``PrincipalTags`` is a table.
    """
    place = f"{_TAG_MAPS}.{provider}"
    if not isinstance(values, dict):
        raise entry.mistake(place, f"expected {KINDS[dict]}")
    tags = {name: claim for name, claim in values.items() if isinstance(claim, str)}
    request: dict[str, Any] = {name: value for name, value in values.items() if name not in tags}
    for name, value in request.items():
        kind = {"UseDefaults": bool, _TAG_MAPS: dict}.get(name, str)
        if type(value) is not kind:
            raise entry.mistake(f"{place}.{name}", f"expected {KINDS[kind]}")
    inner = request.get(_TAG_MAPS, {})
    for tag, claim in inner.items():
        if not isinstance(claim, str):
            raise entry.mistake(f"{place}.{_TAG_MAPS}.{tag}", f"expected {KINDS[str]}")
    if provider not in tag_providers(pool):
        raise entry.mistake(place, "the pool has no such provider")
    request[_TAG_MAPS] = {**tags, **inner}
    checked = _checked(
        entry,
        "SetPrincipalTagAttributeMap",
        {"IdentityPoolId": pool.id, "IdentityProviderName": provider, **request},
    )
    return stored_tag_map(checked)


def _checked(entry: Entry, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return operations.find(operation).check(request)
    except ServiceError as error:
        match = re.search(r" at '([a-z])(\w*)", str(error.message))  # the service's text names the member
        member = f"{match[1].upper()}{match[2]}" if match else ""
        raise entry.mistake(member, str(error.message)) from None


@contextmanager
def _mistake_in(entry: Entry, member: str) -> Iterator[None]:
    """Turn an error of the service into a mistake in *member*."""
    try:
        yield
    except ServiceError as error:
        raise entry.mistake(member, str(error.message)) from None


def _check_kinds(entry: Entry) -> None:
    """Refuse unknown members and wrong kinds here: the errors of the service do not name the member."""
    shapes = load_service_model("cognito-identity").shapes
    create, roles = shapes["CreateIdentityPoolInput"], shapes["SetIdentityPoolRolesInput"]
    members = {**create["members"], **{name: roles["members"][name] for name in _ROLE_MEMBERS}}
    for member in entry.values:
        if member not in members:
            names = ", ".join(("IdentityPoolId", *members, _TAG_MAPS))
            raise entry.mistake(member, f"unknown member; there are: {names}")
    for member in create["required"]:
        if member not in entry.values:
            raise entry.mistake(
                "", f"{member} is missing; it is {_kind_in_words(shapes, members[member]['shape'])}"
            )
    for member, value in entry.values.items():
        _check_kind(entry, shapes, members[member]["shape"], value, member)


def _check_kind(entry: Entry, shapes: Mapping[str, Any], name: str, value: Any, path: str) -> None:
    shape = shapes[name]
    fits = type(value) is _KIND_OF_SHAPE[shape["type"]]
    if not fits:
        raise entry.mistake(path, f"expected {_kind_in_words(shapes, name)}")
    if shape["type"] == "list":
        for number, item in enumerate(value, start=1):
            _check_kind(entry, shapes, shape["member"]["shape"], item, f"{path}[{number}]")
    elif shape["type"] == "map":
        for key, item in value.items():
            _check_kind(entry, shapes, shape["value"]["shape"], item, f"{path}.{key}")
    elif shape["type"] == "structure":
        for member in shape.get("required", ()):
            if member not in value:
                raise entry.mistake(path, f"{member} is missing")
        for member, item in value.items():
            if member not in shape["members"]:
                names = ", ".join(shape["members"])
                raise entry.mistake(f"{path}.{member}", f"unknown member; there are: {names}")
            _check_kind(entry, shapes, shape["members"][member]["shape"], item, f"{path}.{member}")


def _kind_in_words(shapes: Mapping[str, Any], name: str) -> str:
    return KINDS[_KIND_OF_SHAPE[shapes[name]["type"]]]


def _check_providers(entry: Entry) -> None:
    """Refuse providers that the service would store, but that no login could match."""
    for member, (kind, pattern) in _PROVIDER_ARNS.items():
        for number, arn in enumerate(entry.values.get(member, ()), start=1):
            if pattern.fullmatch(arn) is None:
                raise entry.mistake(f"{member}[{number}]", f"'{arn}' is not the ARN of {kind} provider")
    for name in entry.values.get("SupportedLoginProviders", ()):
        if name not in _PUBLIC_PROVIDERS:
            providers = ", ".join(_PUBLIC_PROVIDERS)
            raise entry.mistake(
                f"SupportedLoginProviders.{name}", f"unknown provider; there are: {providers}"
            )
    for number, provider in enumerate(entry.values.get("CognitoIdentityProviders", ()), start=1):
        if "ClientId" not in provider:
            raise entry.mistake(f"CognitoIdentityProviders[{number}]", "ClientId is missing")
