"""What the tables of a seed file put into the state, one function a table."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.issuers import may_be_fetched
from cognito_credentials.emulator.pools import (
    DEFAULT_REGION,
    IdentityPool,
    insert_pool,
    new_id,
    region_of,
)
from cognito_credentials.emulator.seed_entry import Entry
from cognito_credentials.emulator.signatures import DEVELOPER
from cognito_credentials.emulator.trust import DEFAULT_MAX_SESSION_SECONDS, policy_mistake

if TYPE_CHECKING:
    from cognito_credentials.emulator.service import Service

_POOL_ID = re.compile(r"[\w-]+:[0-9a-f-]+", re.ASCII)
_MAX_ID = 55
_MAX_SESSION_SECONDS = 43_200
_REQUIRED_OF_POOLS = (("IdentityPoolName", "a text"), ("AllowUnauthenticatedIdentities", "true or false"))
_ROLE_MEMBERS = ("Roles", "RoleMappings")


def plant_pool(service: Service, entry: Entry) -> None:
    """Make an identity pool, with its roles."""
    from cognito_credentials.emulator.operations.pools import check_tags, settings_of

    pool_id = entry.take("IdentityPoolId", str, None) or new_id(DEFAULT_REGION)
    if _POOL_ID.fullmatch(pool_id) is None or len(pool_id) > _MAX_ID:
        raise entry.mistake("IdentityPoolId", f"'{pool_id}' is not region:guid")
    roles = {name: entry.values.pop(name) for name in _ROLE_MEMBERS if name in entry.values}
    known = service.operation("CreateIdentityPool").members
    for member in entry.values:
        if member not in known:
            names = ", ".join(("IdentityPoolId", *known, *_ROLE_MEMBERS))
            raise entry.mistake(member, f"unknown member; there are: {names}")
    for member, kind in _REQUIRED_OF_POOLS:
        if member not in entry.values:
            raise entry.mistake("", f"{member} is missing; it is {kind}")
    if service.state.row("SELECT 1 FROM pools WHERE id = ?", pool_id):
        raise entry.mistake("IdentityPoolId", f"'{pool_id}' is there twice")
    caller = DEVELOPER.in_region(region_of(pool_id))
    try:
        checked = service.operation("CreateIdentityPool").check(entry.values)
        tags = checked.get("IdentityPoolTags", {})
        check_tags(tags)
        pool = IdentityPool(pool_id, settings_of(checked), tags, {}, {}, {})
        insert_pool(service.state, pool)
        if roles:
            request = {"IdentityPoolId": pool_id, "Roles": {}, **roles}
            service.call(service.operation("SetIdentityPoolRoles"), request, caller)
    except ServiceError as error:
        raise entry.mistake("", error.message or "a member has the wrong type") from None


def plant_role(service: Service, entry: Entry) -> None:
    """Describe a role: its trust policy, how long its sessions may be."""
    arn = entry.take("arn", str)
    seconds = entry.take("max_session_seconds", int, DEFAULT_MAX_SESSION_SECONDS)
    policy = entry.take_any("trust_policy")
    if isinstance(policy, str):
        policy = _json(entry, "trust_policy", policy)
    wrong = policy_mistake(policy)
    if wrong is not None:
        raise entry.mistake("trust_policy", wrong)
    if not DEFAULT_MAX_SESSION_SECONDS <= seconds <= _MAX_SESSION_SECONDS:
        raise entry.mistake("max_session_seconds", "expected 3600 to 43200, as IAM takes them")
    entry.finish()
    service.state.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", arn, json.dumps(policy), seconds)


def plant_issuer(service: Service, entry: Entry) -> None:
    """Describe an OIDC provider: its client ids and where its keys are."""
    provider = entry.take("provider", str)
    if "://" in provider:
        raise entry.mistake("provider", "write it without https://, as in Logins")
    client_ids = entry.take_texts("client_ids")
    uri = entry.take("jwks_uri", str, None)
    jwks = entry.take("jwks", dict, None)
    file = entry.take("jwks_file", str, None)
    entry.finish()
    if file is not None:
        jwks = _json(entry, "jwks_file", _read(entry, "jwks_file", file))
    if jwks is not None and not _is_key_set(jwks):
        raise entry.mistake("jwks", 'expected {"keys": [{...}]}')
    if uri is not None and not may_be_fetched(uri):
        raise entry.mistake("jwks_uri", "expected an https:// address, or http:// on this machine")
    service.state.execute(
        "INSERT OR REPLACE INTO issuers VALUES (?, ?, ?, ?)",
        provider,
        json.dumps(client_ids),
        json.dumps(jwks) if jwks is not None else None,
        uri,
    )


def plant_saml_provider(service: Service, entry: Entry) -> None:
    """Describe a SAML provider: who signs its responses."""
    arn = entry.take("arn", str)
    file = entry.take("metadata_file", str)
    entry.finish()
    try:
        from cognito_credentials.emulator.saml import read_metadata

        entity_id, certificates = read_metadata(_read(entry, "metadata_file", file).encode())
    except ModuleNotFoundError as error:
        missing = f"needs {error.name}; run: pip install 'cognito-credentials[emulator,saml]'"
        raise entry.mistake("", missing) from None
    except ValueError as error:
        raise entry.mistake("metadata_file", f"{file}: {error}") from None
    service.state.execute(
        "INSERT OR REPLACE INTO saml_providers VALUES (?, ?, ?)", arn, entity_id, json.dumps(certificates)
    )


def plant_user(service: Service, entry: Entry) -> None:
    """Describe a user of a provider: its opaque token, and whether it was signed out."""
    row: Sequence[Any] = (
        entry.take("provider", str),
        entry.take("subject", str),
        entry.take("token", str, None),
        entry.take("app_id", str, None),
        json.dumps(entry.take("claims", dict, {})),
        entry.take("signed_out", bool, False),
    )
    entry.finish()
    service.state.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)", *row)


def plant_developer(service: Service, entry: Entry) -> None:
    """Name an access key of the account."""
    row = (entry.take("access_key_id", str), entry.take("secret_access_key", str))
    entry.finish()
    service.state.execute("INSERT OR REPLACE INTO developers VALUES (?, ?)", *row)


def _read(entry: Entry, member: str, name: str) -> str:
    """A file that the seed names, relative to it."""
    try:
        with open(os.path.join(os.path.dirname(entry.path), name), encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise entry.mistake(member, f"{name}: {reason}") from None


def _is_key_set(jwks: Any) -> bool:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return isinstance(keys, list) and all(isinstance(key, dict) for key in keys)


def _json(entry: Entry, member: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise entry.mistake(member, f"not JSON: {error}") from None
