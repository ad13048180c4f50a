"""
What a new emulator holds: pools, roles, issuers, users and developers from one TOML file.

    [[pools]]                        # members of CreateIdentityPool and SetIdentityPoolRoles
    IdentityPoolId = "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"    # optional
    IdentityPoolName = "app"
    AllowUnauthenticatedIdentities = true
    OpenIdConnectProviderARNs = ["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
    Roles = { unauthenticated = "arn:aws:iam::123456789012:role/guest" }

    [[roles]]
    arn = "arn:aws:iam::123456789012:role/guest"
    max_session_seconds = 7200       # optional
    trust_policy = '''{"Version": "2012-10-17", "Statement": [...]}'''

    [[issuers]]
    provider = "login.example.com"   # the logins key
    client_ids = ["app"]
    jwks_file = "keys.json"          # or jwks_uri, or neither: discovery

    [[saml_providers]]               # needs the saml extra
    arn = "arn:aws:iam::123456789012:saml-provider/corp"
    metadata_file = "metadata.xml"   # whose signing certificates are believed

    [[users]]
    provider = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
    subject = "4f1c"
    signed_out = true                # what ServerSideTokenCheck asks

    [[developers]]                   # the only unknown keys that --strict-auth accepts
    access_key_id = "AKIAEXAMPLE"
    secret_access_key = "..."

A mistake is one line that names the file and the place.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.pools import (
    DEFAULT_REGION,
    IdentityPool,
    insert_pool,
    new_id,
    region_of,
)
from cognito_credentials.emulator.signatures import DEVELOPER
from cognito_credentials.emulator.trust import DEFAULT_MAX_SESSION_SECONDS

if TYPE_CHECKING:
    from cognito_credentials.emulator.service import Service

_POOL_ID = re.compile(r"[\w-]+:[0-9a-f-]+", re.ASCII)
_ROLE_MEMBERS = ("Roles", "RoleMappings")


class SeedError(Exception):
    """The seed file is wrong; the text is one line that names it and the place."""


@dataclass(frozen=True)
class Seed:
    """
    The content of a seed file; empty without one.

    Attributes:
        path: The file, for messages and for the files that it names.
    """

    path: str = ""
    content: Mapping[str, Any] | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Seed:
        """
        Read a seed file.

        Raises:
            SeedError: It cannot be read, or is not TOML.
        """
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        name = os.fspath(path)
        try:
            with open(name, "rb") as file:
                return cls(name, tomllib.load(file))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SeedError(f"seed file {name}: {reason}") from None

    def plant(self, service: Service) -> None:
        """
        Put the content into the state of *service*.

        Raises:
            SeedError: Something in it is wrong; the state is then as before.
        """
        planters: Mapping[str, Callable[[Service, _Entry], None]] = {
            "roles": _plant_role,
            "issuers": _plant_issuer,
            "saml_providers": _plant_saml_provider,
            "users": _plant_user,
            "developers": _plant_developer,
            "pools": _plant_pool,
        }
        content = self.content or {}
        for name in content.keys() - planters.keys():
            raise SeedError(f"seed file {self.path}: {name}: unknown table; there are: {', '.join(planters)}")
        with service.state.transaction():
            for name, plant in planters.items():
                entries = content.get(name, [])
                if not isinstance(entries, list):
                    raise SeedError(f"seed file {self.path}: {name}: write it as [[{name}]]")
                for number, values in enumerate(entries, start=1):
                    plant(service, _Entry(self.path, f"{name}[{number}]", values))


@dataclass
class _Entry:
    """One table of the file; members are taken out of it until none is left."""

    path: str
    place: str
    values: Any

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise self.mistake("", "expected a table")
        self.values = dict(self.values)

    def mistake(self, member: str, what: str) -> SeedError:
        place = f"{self.place}.{member}" if member else self.place
        return SeedError(f"seed file {self.path}: {place}: {what}")

    def take(self, member: str, kind: type, default: Any = ...) -> Any:
        """The value of *member*, which must be there unless it has a default."""
        value = self.values.pop(member, default)
        if value is ...:
            raise self.mistake(member, "is missing")
        if value is not default and type(value) is not kind:
            raise self.mistake(member, f"expected {_KINDS[kind]}")
        return value

    def finish(self) -> None:
        for member in self.values:
            raise self.mistake(member, "unknown member")


_KINDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}


def _plant_pool(service: Service, entry: _Entry) -> None:
    from cognito_credentials.emulator.operations.pools import settings_of

    pool_id = entry.take("IdentityPoolId", str, None) or new_id(DEFAULT_REGION)
    if _POOL_ID.fullmatch(pool_id) is None:
        raise entry.mistake("IdentityPoolId", f"'{pool_id}' is not region:guid")
    roles = {name: entry.values.pop(name) for name in _ROLE_MEMBERS if name in entry.values}
    known = service.operation("CreateIdentityPool").members
    for member in entry.values:
        if member not in known:
            raise entry.mistake(member, f"unknown member; there are: {', '.join(known)}")
    caller = DEVELOPER.in_region(region_of(pool_id))
    try:
        checked = service.operation("CreateIdentityPool").check(entry.values)
        tags = checked.get("IdentityPoolTags", {})
        pool = IdentityPool(pool_id, settings_of(checked), tags, {}, {}, {})
        insert_pool(service.state, pool)
        if roles:
            request = {"IdentityPoolId": pool_id, "Roles": {}, **roles}
            service.call(service.operation("SetIdentityPoolRoles"), request, caller)
    except ServiceError as error:
        raise entry.mistake("", error.message or "a member has the wrong type") from None


def _plant_role(service: Service, entry: _Entry) -> None:
    arn = entry.take("arn", str)
    seconds = entry.take("max_session_seconds", int, DEFAULT_MAX_SESSION_SECONDS)
    policy = entry.values.pop("trust_policy", None)
    if isinstance(policy, str):
        policy = _json(entry, "trust_policy", policy)
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise entry.mistake("trust_policy", "expected a policy with a Statement, as JSON or TOML")
    entry.finish()
    service.state.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", arn, json.dumps(policy), seconds)


def _plant_issuer(service: Service, entry: _Entry) -> None:
    provider = entry.take("provider", str)
    client_ids = entry.take("client_ids", list, [])
    uri = entry.take("jwks_uri", str, None)
    jwks = entry.take("jwks", dict, None)
    file = entry.take("jwks_file", str, None)
    entry.finish()
    if file is not None:
        jwks = _json(entry, "jwks_file", _read(entry, "jwks_file", file))
    if jwks is not None and not isinstance(jwks.get("keys"), list):
        raise entry.mistake("jwks", 'expected {"keys": [...]}')
    service.state.execute(
        "INSERT OR REPLACE INTO issuers VALUES (?, ?, ?, ?)",
        provider,
        json.dumps(client_ids),
        json.dumps(jwks) if jwks is not None else None,
        uri,
    )


def _plant_saml_provider(service: Service, entry: _Entry) -> None:
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


def _plant_user(service: Service, entry: _Entry) -> None:
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


def _plant_developer(service: Service, entry: _Entry) -> None:
    row = (entry.take("access_key_id", str), entry.take("secret_access_key", str))
    entry.finish()
    service.state.execute("INSERT OR REPLACE INTO developers VALUES (?, ?)", *row)


def _read(entry: _Entry, member: str, name: str) -> str:
    """A file that the seed names, relative to it."""
    try:
        with open(os.path.join(os.path.dirname(entry.path), name), encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise entry.mistake(member, f"{name}: {reason}") from None


def _json(entry: _Entry, member: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise entry.mistake(member, f"not JSON: {error}") from None
