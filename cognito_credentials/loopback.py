"""
Which addresses are this very machine: the only ones that a token may go to in plain http.

Base layer: imports nothing of ours.
"""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """
    Tell whether *host* is this machine, without asking DNS.

    Args:
        host: A name or address as `urlsplit` gives it, in lower case and without brackets.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Not `is_loopback` for version 6: ::ffff:127.0.0.1 is one to some Python versions and not to others.
    return address.is_loopback if address.version == 4 else str(address) == "::1"
