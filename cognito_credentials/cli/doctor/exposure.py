"""
Whether others on this machine can change a file of this user, and so act as the user.

Reading is another matter: systems that hand out login tokens, as Kubernetes does, let every user of a
container read them, and a token is of use to nobody outside.
"""

from __future__ import annotations

import os
import stat


def others_can_write(path: str) -> bool:
    """
    Tell whether everybody can write the file at *path*, as far as modes tell.

    A group is left to whoever has chosen its members; many systems give each user a group alone. False also
    where a folder above keeps others out, and on Windows.
    """
    if os.name == "nt":
        return False
    try:
        return bool(os.stat(path).st_mode & stat.S_IWOTH) and _is_reached(os.path.realpath(path))
    except OSError:
        return False


def mode_of(path: str) -> str:
    """Write the mode of the file at *path* as ``chmod`` takes it."""
    return f"{stat.S_IMODE(os.stat(path).st_mode):o}"


def _is_reached(path: str) -> bool:
    folder = os.path.dirname(path)
    while os.stat(folder).st_mode & stat.S_IXOTH:
        if folder == os.path.dirname(folder):
            return True
        folder = os.path.dirname(folder)
    return False
