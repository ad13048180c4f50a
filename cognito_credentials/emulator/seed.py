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

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.seed_entry import Entry, SeedError
from cognito_credentials.emulator.seed_tables import (
    plant_developer,
    plant_issuer,
    plant_pool,
    plant_role,
    plant_saml_provider,
    plant_user,
)

if TYPE_CHECKING:
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
        planters: Mapping[str, Callable[[Service, Entry], None]] = {
            "roles": plant_role,
            "issuers": plant_issuer,
            "saml_providers": plant_saml_provider,
            "users": plant_user,
            "developers": plant_developer,
            "pools": plant_pool,
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
                    plant(service, Entry(self.path, f"{name}[{number}]", values))
