"""
Whether somebody listens on a port of this machine, without asking it.
"""

from __future__ import annotations

import errno
import os
import socket
from urllib.parse import urlsplit

from ...regions import is_loopback


def has_ended(address: str) -> bool:
    """Tell whether *address* is of a port of this machine where nothing listens."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if port is None:
        port = {"http": 80, "https": 443}.get(parts.scheme, 0)
    if not port or not is_loopback(host):
        return False
    # Some servers listen on one of the two addresses of that name alone: those of Node.js on ::1.
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    return all(nobody_listens(each, port) for each in hosts)


def nobody_listens(host: str, port: int) -> bool:
    """
    Tell whether a port can be taken; then it is nobody's. It is given back at once.

    Args:
        host: An address of this machine.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as taken:
            # Connections of a server that has just ended do not count. On Windows this option is another
            # thing.
            if os.name != "nt":
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((host, port))
    except OSError as failure:
        # Otherwise it is in use, or that cannot be told.
        return failure.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # there is no such address here
    return True
