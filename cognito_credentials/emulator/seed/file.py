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

A mistake is one line that names the file and the place; tables are counted from 1. What is refused is
also what would load and then could never do what it says: a key that is none, a role that trusts every
pool, a user of a provider that is never asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.seed.entry import Entry, SeedError
from cognito_credentials.emulator.seed.pool import plant_pool
from cognito_credentials.emulator.seed.tables import (
    plant_developer,
    plant_issuer,
    plant_role,
    plant_saml_provider,
    plant_user,
)
from cognito_credentials.emulator.service import Service

__all__ = ["Seed", "SeedError"]


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
        except RecursionError:
            raise SeedError(f"seed file {name}: nested too deeply") from None

    def plant(self, service: Service) -> None:
        """
        Put the content into the state of *service*.

        Raises:
            SeedError: Something in it is wrong; the state is then as before.
        """
        content = self.content or {}
        for name in content:
            if name not in _PLANTERS:
                known = ", ".join(_PLANTERS)
                raise SeedError(f"seed file {self.path}: {name}: unknown table; there are: {known}")
        with service.state.transaction():
            for name, plant in _PLANTERS.items():
                self._plant_table(service, name, content.get(name, []), plant)

    def _plant_table(self, service: Service, name: str, tables: Any, plant: _Planter) -> None:
        if not isinstance(tables, list):
            raise SeedError(f"seed file {self.path}: {name}: write it as [[{name}]]")
        planted: set[str] = set()
        for number, values in enumerate(tables, start=1):
            place = f"{name}[{number}]"
            try:
                entry = Entry(self.path, place, values)
                key = plant(service, entry)
            except RecursionError:
                raise SeedError(f"seed file {self.path}: {place}: nested too deeply") from None
            if key in planted:
                raise entry.mistake("", f"'{key}' is there twice")
            planted.add(key)


_Planter = Callable[["Service", Entry], str]
_PLANTERS: Mapping[str, _Planter] = {
    "roles": plant_role,
    "issuers": plant_issuer,
    "saml_providers": plant_saml_provider,
    "users": plant_user,
    "developers": plant_developer,
    "pools": plant_pool,
}
