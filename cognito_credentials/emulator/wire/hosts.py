"""
The names that the emulator is called by. They decide what a web page may do with it.

A browser sends simple requests of any page without asking first. A page whose own name leads to this machine
(DNS rebinding) can read the answers, too. The browser names the page in ``Origin``, and the name that it
called in ``Host``. So a page with another origin can call only what everybody may call, and nobody reaches
``/_emulator/`` by another name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_NAME = re.compile(
    r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII
)
_MAX_NAME = 253
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+(%[\w.-]+)?\]|[\w.-]+)(:[0-9]+)?", re.ASCII | re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII | re.IGNORECASE)


class Hosts:
    """
    The names of this machine and those that the emulator was given.

    Args:
        names: Host names and addresses besides those of this machine. ``*.example.com`` is each name directly
            below ``example.com``.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset(name.lower().strip("[]").removesuffix(".") for name in names)

    def is_own(self, authority: str) -> bool:
        """True if *authority*, as in a Host header, is a name of the emulator, with any port."""
        # A parser of URLs would find a host of ours in "localhost/.evil.test" or "localhost#.evil.test".
        found = _AUTHORITY.fullmatch(authority)
        if found is None:
            return False
        name = found[1].strip("[]").lower().removesuffix(".")
        below = f"*.{name.partition('.')[2]}"
        return name in self._names or below in self._names or _is_loopback(name)

    def is_own_origin(self, origin: str) -> bool:
        """True if *origin*, as in an Origin header, is a page of one of these names. ``null`` is none."""
        scheme, _, authority = origin.partition("://")
        return _SCHEME.fullmatch(scheme) is not None and self.is_own(authority)

    def wrong_page(self, headers: Mapping[str, str]) -> str | None:
        """Why a web page may not do what only the developer may; None for a page of one of these names."""
        origin = headers.get("origin")
        if origin is None or self.is_own_origin(origin):
            return None
        return f"a page of another machine may only call public operations; {_how_to_allow(origin)}"

    def wrong_host(self, headers: Mapping[str, str]) -> str | None:
        """Why nobody may control the emulator by this name. A program that sends no Host may."""
        host = headers.get("host")
        if host is None or self.is_own(host):
            return None
        return f"the emulator has no such name, see the header Host; {_how_to_allow(host)}"


def is_host_name(text: object) -> bool:
    """True for a name or an address that `Hosts` and a certificate can have."""
    if not isinstance(text, str):
        return False
    if _is_address(text):
        return True
    return len(text) <= _MAX_NAME and _NAME.fullmatch(text.lower()) is not None


def _how_to_allow(authority: str) -> str:
    """What lets the emulator take the name in a Host or Origin header for its own."""
    name = urlsplit(f"//{authority.rpartition('://')[2]}").hostname if "[" not in authority else None
    return (
        f"if it is yours, start the emulator with --allow-host {name if is_host_name(name or '') else 'NAME'}"
    )


def _is_loopback(name: str) -> bool:
    """True for a name that leads every program to its own machine."""
    if _is_address(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
