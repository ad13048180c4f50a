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

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.seed.entry import Entry, SeedError, SeedFileError, one_line
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
        ids: From a name in a template or a state to the id that the emulator has it by: pools, app clients,
            and the ARNs of roles and providers. It is the same each time.
        outputs: The outputs of a template or a state that are known, without the sensitive ones.
        left_out: What of a template or a state the emulator does not have, and why: a line for each.
    """

    path: str = ""
    content: Mapping[str, Any] | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    _places: Mapping[tuple[str, int], str] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        region: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Seed:
        """
        Read a seed file.

        Args:
            region: The region of the pools of a CloudFormation template, us-east-1 by default, and of the new
                pools of a plan of Terraform, by default that of its code.
            parameters: Parameters of a CloudFormation template, in place of their defaults.

        Raises:
            SeedFileError: The file cannot be read.
            SeedError: It is none of the kinds that are accepted, or a template is wrong.
        """
        # An emulator without a seed starts without these.
        from cognito_credentials.emulator.seed.kinds import read_kind
        from cognito_credentials.emulator.seed.parts import Parts

        name = os.fspath(path)
        try:
            with open(name, "rb") as file:
                content = file.read()
        except (OSError, ValueError) as error:  # ValueError: the name holds a null character
            reason = error.strerror if isinstance(error, OSError) else error
            raise SeedFileError(f"seed file {name}: {reason}") from None
        found = read_kind(name, content, region, parameters)
        if isinstance(found, Parts):
            tables, places = found.content()
            return cls(name, tables, found.ids, found.outputs, found.left_out, places)
        return cls(name, found)

    def about(self) -> Mapping[str, Any]:
        """``ids``, ``outputs`` and ``left_out`` as JSON."""
        return {"ids": dict(self.ids), "outputs": dict(self.outputs), "left_out": list(self.left_out)}

    def ids_said(self) -> Iterator[str]:
        """The outputs and ids of a template or a state, a line each."""
        shown = {**{f"output {name}": value for name, value in self.outputs.items()}, **self.ids}
        for name, value in shown.items():
            text = value if isinstance(value, str) else json.dumps(value)
            yield one_line(f"seed {self.path}: {name} is {text}")

    def left_out_said(self) -> Iterator[str]:
        """What of a template or a state is left out, a line each."""
        for what in self.left_out:
            yield one_line(f"seed {self.path}: {what}")

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
            place = self._places.get((name, number), f"{name}[{number}]")
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
