"""
Whether a connection to the callback server comes from this user, or from another user of this machine.

Linux lists every connection of the machine with the user who holds it. On other systems every connection is
accepted.
"""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
_ESTABLISHED: Final = "01"
"""A closed socket is listed with user 0, whoever held it; so only the user of an established one counts."""
_ROOT: Final = 0
"""Root can do what this user can. Docker forwards ports as root."""

Address = tuple[str, int]


def is_own(
    peer: Address,
    server: Address,
    *,
    read: Callable[[str], str] = lambda path: Path(path).read_text("ascii"),
    release: Callable[[], str] = platform.release,
    user: Callable[[], int | None] = lambda: os.getuid() if hasattr(os, "getuid") else None,
) -> bool:
    """
    Tell whether a connection comes from this user, or from root.

    Args:
        peer: Address and port of the other end.
        server: Address and port of this end.
        read: Reads a file.
        release: Returns the kernel's release. Under WSL the browser is on Windows, outside the kernel's list.
        user: Returns this user's number; None on systems without numbers.

    Returns:
        True also if the system does not show the user.
    """
    own = user()
    if own is None or "microsoft" in release().lower():
        return True
    table = ""
    for path in _TABLES:
        with contextlib.suppress(OSError, ValueError):
            table += read(path)
    # A connection that is not in the table is refused: its other end may have hung up to hide its user.
    return not table or any(owner in (own, _ROOT) for owner in _owners(table, peer, server))


def _owners(table: str, peer: Address, server: Address) -> Iterator[int]:
    ends = [(_plain(peer), _plain(server)), (_mapped(peer), _mapped(server))]
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 9 and (fields[1], fields[2]) in ends and fields[3] == _ESTABLISHED:
            yield int(fields[7])


def _plain(address: Address) -> str:
    """Write an address as ``/proc/net/tcp`` does: a number in the machine's byte order."""
    return f"{_number(socket.inet_aton(address[0]))}:{address[1]:04X}"


def _mapped(address: Address) -> str:
    """Write an address as ``/proc/net/tcp6`` does for a socket of both IP versions."""
    words = [b"\0\0\0\0", b"\0\0\0\0", b"\0\0\xff\xff", socket.inet_aton(address[0])]
    return "".join(map(_number, words)) + f":{address[1]:04X}"


def _number(word: bytes) -> str:
    return f"{int.from_bytes(word, sys.byteorder):08X}"
