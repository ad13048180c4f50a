"""
A TOML file in, its identity pools out. What is wrong in the file itself is found before any request.

The format is that of the emulator's seed: `reference/emulator.md`, "The seed file". Here only ``[[pools]]``
counts, and the trust policies of ``[[roles]]``, for a warning. Other tables are left alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...errors import ConfigurationError, clean, near
from ...extras import install_command
from ...importing import IMPORTING
from ..client import region_of_pool
from .members import Members, normalised, principal_tags
from .shapes import Mistake, check_pool, check_table, service_model

_MOST_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True)
class Table:
    """
    A ``[[pools]]`` table.

    Attributes:
        place: Where it stands, for errors: ``pools.toml: pools[1]``.
        pool_id: None where the table is found by its name.
        members: As `members.normalised` has them.
    """

    place: str
    pool_id: str | None
    members: Members

    @property
    def name(self) -> str:
        """The pool's name."""
        return str(self.members["IdentityPoolName"])


@dataclass(frozen=True)
class PoolFile:
    """
    A file's pools, and the trust policies of the roles that it describes.

    Attributes:
        trust: ARN of a role to its trust policy; only what is whole.
    """

    tables: tuple[Table, ...]
    trust: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def load(source: str | os.PathLike[str] | Mapping[str, Any]) -> PoolFile:
    """
    Read the pools of a TOML file.

    Args:
        source: Its path, or its content as `tomllib.load` returns it.

    Raises:
        ConfigurationError: It cannot be read, or a table is wrong. The message names file and place.
    """
    if isinstance(source, Mapping):
        return _pools(source, "")
    path = os.fspath(source)
    return _pools(_parsed(_read(path), path), path)


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the name has a null character
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"{path}: {reason}", hint="Name a TOML file of identity pools", topic="E-POOL-FILE"
        ) from None
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(
            f"{path}: it is larger than {_MOST_BYTES // 1024**2} MiB", topic="E-POOL-FILE"
        )
    try:
        return content.decode("utf-8-sig")  # editors and PowerShell may begin it with a byte order mark
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{path}: it is not UTF-8", hint="Save it as UTF-8", topic="E-POOL-FILE"
        ) from None


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        with IMPORTING:
            if sys.version_info >= (3, 11):
                import tomllib
            else:
                import tomli as tomllib
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{path}: Python {sys.version_info[0]}.{sys.version_info[1]} cannot read TOML by itself",
            hint=f"Run: {install_command('pools')}",
            topic="E-NOT-INSTALLED",
        ) from None
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{path}: it is not TOML: {error}", hint="Correct the file", topic="E-POOL-FILE"
        ) from None
    except RecursionError:
        raise ConfigurationError(
            f"{path}: nested too deeply", hint="Correct the file", topic="E-POOL-FILE"
        ) from None


def _pools(content: Mapping[str, Any], path: str) -> PoolFile:
    tables = content.get("pools", [])
    if not isinstance(tables, list):
        raise ConfigurationError(f"{_in(path, 'pools')}: write it as [[pools]]", topic="E-POOL-FILE")
    if "pools" not in content:
        meant = near("pools", content)
        hint = f"Did you mean [[pools]] by '{clean(meant[0], 40)}'?" if meant else "Add a [[pools]] table"
        raise ConfigurationError(
            f"{path or 'the file'}: there is no [[pools]] table", hint=hint, topic="E-POOL-FILE"
        )
    model = service_model()
    found = tuple(
        _table(values, _in(path, f"pools[{number}]"), model) for number, values in enumerate(tables, 1)
    )
    for key in ("pool_id", "name"):
        _refuse_same(found, key)
    return PoolFile(found, _trust_policies(content.get("roles")))


def _table(values: Any, place: str, model: Any) -> Table:
    try:
        if not isinstance(values, Mapping):
            raise Mistake("", "expected a table")
        check_table(values, model)
        members = dict(values)
        pool_id = members.pop("IdentityPoolId", None)
        region = None if pool_id is None else region_of_pool(pool_id, f"{place}.IdentityPoolId")
        if "PrincipalTags" in members:
            members["PrincipalTags"] = {
                provider: principal_tags(value) for provider, value in members["PrincipalTags"].items()
            }
        check_pool(members, region)
    except Mistake as error:
        where = f"{place}.{error.member}" if error.member else place
        raise ConfigurationError(
            f"{where}: {error.what}", hint=error.hint or "Correct the file", topic="E-POOL-FILE"
        ) from None
    except RecursionError:
        raise ConfigurationError(
            f"{place}: nested too deeply", hint="Correct the file", topic="E-POOL-FILE"
        ) from None
    return Table(place, pool_id, normalised(members, is_whole=False))


def _refuse_same(tables: tuple[Table, ...], key: str) -> None:
    """Refuse two tables of one pool: of one id, or of one name without an id."""
    seen: dict[str, Table] = {}
    for table in tables:
        value = table.pool_id if key == "pool_id" else (table.name if table.pool_id is None else None)
        if value is None:
            continue
        if value in seen:
            raise ConfigurationError(
                f"{table.place}: '{value}' is described by {seen[value].place.rpartition(' ')[2]} already",
                hint="One table describes one pool; pools of one name are told apart by IdentityPoolId",
                topic="E-POOL-FILE",
            )
        seen[value] = table


def _trust_policies(roles: Any) -> dict[str, Mapping[str, Any]]:
    """Read what ``[[roles]]`` says for the emulator; what is not whole there is the emulator's matter."""
    found: dict[str, Mapping[str, Any]] = {}
    for role in roles if isinstance(roles, list) else ():
        arn, policy = (role.get(key) for key in ("arn", "trust_policy")) if isinstance(role, dict) else (0, 0)
        if isinstance(policy, str):
            try:
                policy = json.loads(policy)
            except (ValueError, RecursionError):
                continue
        if isinstance(arn, str) and isinstance(policy, dict):
            found[arn] = policy
    return found


def _in(path: str, place: str) -> str:
    return f"{path}: {place}" if path else place
