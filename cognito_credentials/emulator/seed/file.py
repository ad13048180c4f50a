"""
The seed: pools, roles, issuers, users and developers of a new emulator, in one TOML file.

    [[pools]]                        # members of CreateIdentityPool and SetIdentityPoolRoles
    IdentityPoolId = "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"    # optional
    IdentityPoolName = "app"
    AllowUnauthenticatedIdentities = true
    OpenIdConnectProviderARNs = ["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
    Roles = { unauthenticated = "arn:aws:iam::123456789012:role/guest" }

    [pools.PrincipalTags."arn:aws:iam::123456789012:oidc-provider/login.example.com"]
    team = "department"              # tag = claim; or UseDefaults = true

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
    metadata_file = "metadata.xml"   # with the provider's signing certificates

    [[users]]
    provider = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
    subject = "4f1c"
    signed_out = true                # read by ServerSideTokenCheck

    [[developers]]                   # --strict-auth accepts these and issued keys
    access_key_id = "AKIAEXAMPLE"
    secret_access_key = "..."

    [[user_pools]]                   # `seed.user_pools` has all members
    id = "us-east-1_Ab1Cd2Ef3"
    clients = [{ id = "4ab1cd2ef3" }]
    users = [{ name = "ann", password = "..." }]

A mistake is reported in one line that names the file and the place. Tables are counted from 1. A table that
could have no effect is a mistake, too: a key that is not a key, a role that trusts every pool, a user of a
provider whose users are never looked up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.seed.entry import Entry, SeedError, SeedFileError, text_of
from cognito_credentials.emulator.seed.pool import add_pool
from cognito_credentials.emulator.seed.tables import (
    add_developer,
    add_issuer,
    add_role,
    add_saml_provider,
    add_user,
)
from cognito_credentials.emulator.seed.user_pools import add_user_pool
from cognito_credentials.emulator.service import Service

__all__ = ["Seed", "SeedError", "SeedFileError"]


@dataclass(frozen=True)
class Seed:
    """
    The content of a seed file.

    Attributes:
        path: The path of the file, which begins error messages. Files that the seed names are relative to it.
        content: The tables; None is an empty seed.
    """

    path: str = ""
    content: Mapping[str, Any] | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Seed:
        """
        Read a seed file.

        Raises:
            SeedFileError: The file cannot be read.
            SeedError: It is not TOML.
        """
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        name = os.fspath(path)
        try:
            with open(name, "rb") as file:
                content = file.read()
        except (OSError, ValueError) as error:  # ValueError: the name holds a null character
            reason = error.strerror if isinstance(error, OSError) else error
            raise SeedFileError(f"seed file {name}: {reason}") from None
        try:
            return cls(name, tomllib.loads(text_of(content)))
        except ValueError as error:
            raise SeedError(f"seed file {name}: {error}") from None
        except RecursionError:
            raise SeedError(f"seed file {name}: nested too deeply") from None

    def add_to(self, service: Service) -> None:
        """
        Add the content to the state of *service*.

        Raises:
            SeedError: A table is wrong. The state is then as before.
        """
        content = self.content or {}
        for name in content:
            if name not in _TABLES:
                known = ", ".join(_TABLES)
                raise SeedError(f"seed file {self.path}: {name}: unknown table; there are: {known}")
        with service.state.transaction():
            for name, add in _TABLES.items():
                self._add_tables(service, name, content.get(name, []), add)

    def _add_tables(self, service: Service, name: str, tables: Any, add: _Add) -> None:
        if not isinstance(tables, list):
            raise SeedError(f"seed file {self.path}: {name}: write it as [[{name}]]")
        keys: set[str] = set()
        for number, values in enumerate(tables, start=1):
            place = f"{name}[{number}]"
            try:
                entry = Entry(self.path, place, values)
                key = add(service, entry)
            except RecursionError:
                raise SeedError(f"seed file {self.path}: {place}: nested too deeply") from None
            if key in keys:
                raise entry.mistake("", f"'{key}' exists already")
            keys.add(key)


_Add = Callable[[Service, Entry], str]
_TABLES: Mapping[str, _Add] = {
    "roles": add_role,
    "issuers": add_issuer,
    "saml_providers": add_saml_provider,
    "users": add_user,
    "developers": add_developer,
    "pools": add_pool,
    "user_pools": add_user_pool,
}
