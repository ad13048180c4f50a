"""A pool in, a ``[[pools]]`` table in TOML out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_BEYOND: Final = re.compile(r"[^ -~]")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml(pool: Mapping[str, Any]) -> str:
    """Write *pool*, with its ``IdentityPoolId``, as `file.load` and the emulator's seed read it."""
    return "\n".join(_lines(pool)) + "\n"


def _lines(pool: Mapping[str, Any]) -> Iterator[str]:
    yield "[[pools]]"
    for name, value in pool.items():
        if isinstance(value, str | bool):
            yield f"{name} = {_value(value)}"
    for name, value in pool.items():
        if isinstance(value, list) and name != "CognitoIdentityProviders":
            yield f"{name} = ["
            yield from (f"    {_value(item)}," for item in value)
            yield "]"
    for name in ("SupportedLoginProviders", "IdentityPoolTags", "Roles"):
        if name in pool:
            yield from _table(f"pools.{name}", pool[name])
    for entry in pool.get("CognitoIdentityProviders", ()):
        yield from ("", "[[pools.CognitoIdentityProviders]]")
        yield from (f"{key} = {_value(value)}" for key, value in entry.items())
    for provider, mapping in pool.get("RoleMappings", {}).items():
        yield from _mapping(f"pools.RoleMappings.{_key(provider)}", mapping)
    for provider, tags in pool.get("PrincipalTags", {}).items():
        content = {"UseDefaults": True} if tags["UseDefaults"] else tags["PrincipalTags"]
        yield from _table(f"pools.PrincipalTags.{_key(provider)}", content)


def _table(name: str, content: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"[{name}]")
    yield from (f"{_key(key)} = {_value(value)}" for key, value in content.items())


def _mapping(name: str, mapping: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(name, {key: value for key, value in mapping.items() if key != "RulesConfiguration"})
    if "RulesConfiguration" in mapping:
        yield "RulesConfiguration.Rules = ["
        for rule in mapping["RulesConfiguration"]["Rules"]:
            members = ", ".join(f"{key} = {_value(value)}" for key, value in rule.items())
            yield f"    {{ {members} }},"
        yield "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # JSON's escapes are TOML's, but for characters beyond U+FFFF. All is ASCII: a shell on Windows writes
    # the file in an encoding of its own. DEL may not stand in TOML as it is.
    return _BEYOND.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
