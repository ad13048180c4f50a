"""
What a template or a state describes, part by part, in any order; out come the tables of a seed.

A part whose pool the file does not describe is left out, and this is said.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator.model.names import user_pool_issuer
from cognito_credentials.emulator.seed.members import Members
from cognito_credentials.emulator.sts.trust_policy import policy_mistake

_IDS = uuid.UUID("7d0f8b8e-6a39-4c53-9d5e-0c5f7f0b8a11")
"""Any UUID: with the name in the file it makes the id that a pool has in every run."""
_LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTERS = _LOWER + _LOWER[10:].upper()
_MINUTES = {"seconds": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}
_POOL_LETTERS, _CLIENT_LETTERS, _SECRET_LETTERS = 9, 26, 51


def identity_pool_id(region: str, name: str) -> str:
    """The id of the identity pool that the file calls *name*."""
    return f"{region}:{uuid.uuid5(_IDS, name)}"


def user_pool_id(region: str, name: str) -> str:
    """The id of the user pool that the file calls *name*."""
    return f"{region}_{_made('user pool', name, _LETTERS, _POOL_LETTERS)}"


def client_id(name: str) -> str:
    """The id of the app client that the file calls *name*."""
    return _made("client", name, _LOWER, _CLIENT_LETTERS)


def client_secret(name: str) -> str:
    """The secret of the app client that the file calls *name*; it protects nothing but tests."""
    return _made("secret", name, _LOWER, _SECRET_LETTERS)


def provider_name(pool_id: str) -> str:
    """The name of a user pool as a login provider."""
    return user_pool_issuer(pool_id).removeprefix("https://")


def _made(kind: str, name: str, letters: str, count: int) -> str:
    number = int.from_bytes(hashlib.sha512(f"{kind} {name}".encode(errors="surrogatepass")).digest(), "big")
    made = []
    for _ in range(count):
        number, index = divmod(number, len(letters))
        made.append(letters[index])
    return "".join(made)


_FLOWS = {
    "ALLOW_USER_SRP_AUTH": "USER_SRP_AUTH",
    "ALLOW_USER_PASSWORD_AUTH": "USER_PASSWORD_AUTH",
    "USER_PASSWORD_AUTH": "USER_PASSWORD_AUTH",
    "ALLOW_USER_AUTH": "USER_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH": "REFRESH_TOKEN_AUTH",
}
"""ExplicitAuthFlows by the flows that a seed allows. Flows of triggers and of back ends are no part of it."""
_FIRST_FACTORS = ("PASSWORD", "EMAIL_OTP", "SMS_OTP")
TEMPORARY_PASSWORD = "Temporary-1!"  # noqa: S105 - of users that a template invites; it is no secret


def flows(explicit: Sequence[str]) -> list[str]:
    """The flows of an app client; empty for the usual ones."""
    return list(dict.fromkeys(_FLOWS[name] for name in explicit if name in _FLOWS))


def first_factors(allowed: Sequence[str]) -> list[str]:
    """The first factors of USER_AUTH that a seed can have."""
    return [name for name in _FIRST_FACTORS if name in allowed]


def password_needs(policy: Members, flags: Mapping[str, str]) -> list[str] | None:
    """
    What a password must have; None if there is no policy.

    Args:
        flags: From a seed's word to the member of the policy.
    """
    return [word for word, flag in flags.items() if policy.flag(flag)] if policy.values else None


class Parts:
    """
    The parts of one file.

    Attributes:
        ids: From the name in the file to the id: pools, app clients, and ARNs of roles and providers.
        outputs: The outputs of the file that are known and not sensitive.
        left_out: One line for each part that is left out, its name and why, and for what was added.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.left_out: list[str] = []
        self._tables: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {}

    def leave_out(self, place: str, why: str) -> None:
        """Say that *place* is left out."""
        line = f"{place} is left out: {why}"
        if line not in self.left_out:
            self.left_out.append(line)

    def add(self, kind: str, key: str, place: str, table: Mapping[str, Any]) -> None:
        """Add a ``[[kind]]`` table, by the *key* that other parts have. A member of None is not given."""
        given = {name: value for name, value in table.items() if value is not None}
        self._tables.setdefault(kind, {})[key] = place, given

    def find(self, kind: str, key: str | None, place: str, what: str) -> dict[str, Any] | None:
        """The table that a part at *place* belongs to; None leaves the part out."""
        found = self._tables.get(kind, {}).get(key or "")
        if found is None:
            why = f"the file does not say which {what}" if key is None else f"the file has no {what} {key}"
            self.leave_out(place, why)
            return None
        return found[1]

    def add_role(self, place: str, arn: str, policy: Any, seconds: int | None) -> None:
        """Add a role. One whose policy the emulator does not evaluate trusts the pools that use it."""
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        wrong = policy_mistake(policy, account)
        if wrong is not None:
            self.leave_out(place, f"its trust policy: {wrong}")
            return
        self.add("roles", arn, place, {"arn": arn, "trust_policy": policy, "max_session_seconds": seconds})

    def add_client(self, place: str, pool_id: str | None, client: Mapping[str, Any]) -> dict[str, Any]:
        """Add an app client to its user pool, and return the pool; an empty one if the file has none."""
        pool = self.find("user_pools", pool_id, place, "user pool")
        if pool is None:
            return {}
        self.ids[place] = client["id"]
        given = {key: value for key, value in client.items() if value not in (None, [])}
        pool.setdefault("clients", []).append(given)
        return pool

    def set_for_pool(self, place: str, pool: dict[str, Any], member: str, value: Any) -> None:
        """Set a member that Cognito has for each client, and a seed for the pool, to that of the first."""
        if value is not None and pool.setdefault(member, value) != value:
            self.leave_out(f"{place}, {member} = {value}", f"another client of the pool has {pool[member]}")

    def limit_tokens(
        self, place: str, pool: dict[str, Any], member: str, number: int | None, unit: str | None
    ) -> None:
        """
        Set the lifetime of a client's tokens.

        Args:
            member: ``id_token_minutes``, ``access_token_minutes`` or ``refresh_token_days``.
            unit: Without it, these are hours, and days for refresh tokens.
        """
        per = _MINUTES["days"] if member.endswith("days") else 1
        minutes = _MINUTES.get(unit or ("days" if member.endswith("days") else "hours"))
        if minutes is None:
            self.leave_out(f"{place}, {member}", f"the unit '{unit}' is none of {', '.join(_MINUTES)}")
        elif number:  # 0 is Cognito's default. What is shorter than the seed's unit becomes one.
            self.set_for_pool(place, pool, member, max(1, round(number * minutes / per)))

    def add_group(self, place: str, pool_id: str | None, group: Mapping[str, Any]) -> None:
        """Add a group to its user pool."""
        pool = self.find("user_pools", pool_id, place, "user pool")
        if pool is not None:
            given = {key: value for key, value in group.items() if value is not None}
            pool.setdefault("groups", []).append(given)

    def add_user(
        self, place: str, pool_id: str | None, user: Mapping[str, Any], *, is_temporary: bool = False
    ) -> None:
        """Add a user to its user pool. One without a password gets a temporary one, and this is said."""
        pool = self.find("user_pools", pool_id, place, "user pool")
        if pool is None:
            return
        added: dict[str, Any] = {"groups": [], **{key: one for key, one in user.items() if one is not None}}
        if "password" not in added:
            added["password"] = TEMPORARY_PASSWORD
            line = f"{place} has the temporary password {TEMPORARY_PASSWORD}: the file has none"
            self.left_out.append(line)
        if is_temporary or added["password"] == TEMPORARY_PASSWORD:
            added["status"] = "FORCE_CHANGE_PASSWORD"
        pool.setdefault("users", []).append(added)

    def add_membership(self, place: str, pool_id: str | None, user: str | None, group: str | None) -> None:
        """Add a user to a group."""
        pool = self.find("user_pools", pool_id, place, "user pool")
        if pool is None:
            return
        found = next((one for one in pool.get("users", ()) if one["name"] == user), None)
        if found is None or group is None:
            why = "the file has no such user of the pool" if found is None else "its group is not known"
            self.leave_out(place, why)
        elif group not in found["groups"]:
            found["groups"].append(group)

    def set_roles(
        self, place: str, pool_id: str | None, roles: Mapping[str, str], mappings: Mapping[str, Any]
    ) -> None:
        """Set the roles and the role mappings of an identity pool."""
        pool = self.find("pools", pool_id, place, "identity pool")
        if pool is not None:
            pool["Roles"] = dict(roles)
            if mappings:
                pool["RoleMappings"] = dict(mappings)

    def set_principal_tags(
        self, place: str, pool_id: str | None, provider: str, tags: Mapping[str, str], defaults: bool | None
    ) -> None:
        """Set the principal tags of a provider of an identity pool."""
        pool = self.find("pools", pool_id, place, "identity pool")
        if pool is not None:
            use = {} if defaults is None else {"UseDefaults": defaults}
            pool.setdefault("PrincipalTags", {})[provider] = {"PrincipalTags": dict(tags), **use}

    def content(self) -> tuple[dict[str, list[dict[str, Any]]], dict[tuple[str, int], str]]:
        """The tables of the seed, and the place in the file of each table by its kind and number."""
        tables: dict[str, list[dict[str, Any]]] = {}
        places: dict[tuple[str, int], str] = {}
        for kind, found in self._tables.items():
            tables[kind] = [table for _, table in found.values()]
            places.update({(kind, number): place for number, (place, _) in enumerate(found.values(), 1)})
        return tables, places
