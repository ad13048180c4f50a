"""
Whose connection it is that came over the loopback: this user's, or another user's of this machine.

Linux lists every connection of the machine with the user who holds it. Elsewhere nobody can tell, and
nothing is refused. Imports nothing of ours.
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
"""Only then is the user that is listed the real one: of a socket that was closed it is 0, which is root."""
_ROOT: Final = 0
"""It may do all that this user may; and it is who forwards ports into containers."""

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
    Tell whether the other end of a connection is this user's; True as well where nobody can tell.

    Args:
        peer: The other end, on this machine.
        server: This end.
        read: Reads a file.
        release: Tells the kernel's. Under WSL the browser is on Windows, and no user of this machine.
        user: Tells this user's number; None where users have none.
    """
    own = user()
    if own is None or "microsoft" in release().lower():
        return True
    table = ""
    for path in _TABLES:
        with contextlib.suppress(OSError, ValueError):
            table += read(path)
    # Not to be found is another's, too: who has hung up already must not be taken for one who cannot be told.
    return not table or any(owner in (own, _ROOT) for owner in _owners(table, peer, server))


def _owners(table: str, peer: Address, server: Address) -> Iterator[int]:
    ends = [(_plain(peer), _plain(server)), (_mapped(peer), _mapped(server))]
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 9 and (fields[1], fields[2]) in ends and fields[3] == _ESTABLISHED:
            yield int(fields[7])


def _plain(address: Address) -> str:
    """Write an address as the kernel does: a number in the machine's own order of bytes."""
    return f"{_number(socket.inet_aton(address[0]))}:{address[1]:04X}"


def _mapped(address: Address) -> str:
    """Write it as that of a socket for both versions of IP, which is listed with those of the newer."""
    words = [b"\0\0\0\0", b"\0\0\0\0", b"\0\0\xff\xff", socket.inet_aton(address[0])]
    return "".join(map(_number, words)) + f":{address[1]:04X}"


def _number(word: bytes) -> str:
    return f"{int.from_bytes(word, sys.byteorder):08X}"
