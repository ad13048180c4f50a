"""
The proxy of an address, found as botocore finds it.

On Linux that is ``https_proxy`` and ``no_proxy`` in the environment, in either case, the lower one first. On
macOS and Windows the system's own settings count too; the standard library reads them.

Plain http goes to this machine only, and never through a proxy, which would read the token in it.
"""

from __future__ import annotations

import base64
import os
import sys
from urllib.parse import unquote, urlsplit

from ..errors import ConfigurationError
from ..importing import IMPORTING
from ..secret import Secret


class Proxy:
    """
    A proxy that opens tunnels.

    Args:
        authorization: Value of its ``Proxy-Authorization`` header; None where none is to be sent.
    """

    __slots__ = ("authorization", "host", "port", "scheme")

    def __init__(self, scheme: str, host: str, port: int, authorization: Secret | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.authorization = authorization

    @property
    def shown(self) -> str:
        """Its URL without user name and password."""
        masked = "***:***@" if self.authorization else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{masked}{host}:{self.port}"

    def _key(self) -> tuple[object, ...]:
        return self.scheme, self.host, self.port, self.authorization

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Proxy({self.shown})"


def proxy_for(url: str) -> Proxy | None:
    """
    Return the proxy for *url*; None where it is to be reached directly.

    Raises:
        ConfigurationError: The proxy is none that can be used.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    if sys.platform in ("darwin", "win32"):
        with IMPORTING:
            from urllib.request import getproxies, proxy_bypass

        address = "" if proxy_bypass(parts.netloc) else getproxies().get("https", "")
    else:
        address = "" if _is_excepted(parts.netloc, _variable("no")) else _variable("https")
    return _parsed(address) if address else None


def _variable(kind: str) -> str:
    """Read ``KIND_proxy``: an empty one in lower case switches off the one in capitals."""
    lower = {name: value for name, value in os.environ.items() if name.lower() == f"{kind}_proxy"}
    for name, value in lower.items():
        if name.endswith("_proxy"):
            return value
    return next((value for value in lower.values() if value), "")


def _is_excepted(netloc: str, no_proxy: str) -> bool:
    if no_proxy == "*":
        return True
    host = netloc.lower()
    name, _, port = host.rpartition(":")
    only = name if name and (port.isdigit() or not port) else host
    for suffix in (part.strip().lstrip(".").lower() for part in no_proxy.split(",") if part.strip()):
        if suffix in (only, host) or only.endswith(f".{suffix}") or host.endswith(f".{suffix}"):
            return True
    return False


def _parsed(address: str) -> Proxy:
    if not address.startswith(("http:", "https:")) and "://" not in address:
        address = f"http:{address}" if address.startswith("//") else f"http://{address}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    # A password with "/", "?" or "#" ends the host early: what stands before is the user name, not a host.
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not host or has_more:
        # It is not shown: any part of it may be the password.
        raise ConfigurationError(
            "HTTPS_PROXY is not the URL of a proxy that this can use",
            hint="It is http://HOST:PORT, https://HOST:PORT, or either with USER:PASSWORD@ before the host; "
            "write / ? # in a password as %2F %3F %23; other kinds (socks) are not supported",
            topic="E-PROXY",
        )
    authorization = None
    if parts.username and parts.password:
        pair = f"{unquote(parts.username)}:{unquote(parts.password)}"
        authorization = Secret("Basic " + base64.b64encode(pair.encode()).decode("ascii"))
    return Proxy(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), authorization)
