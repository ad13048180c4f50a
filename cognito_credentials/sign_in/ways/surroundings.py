"""
Whether a browser that is opened here is one that the person sees.

Imports `errors`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ...errors import LoginRequiredError

if TYPE_CHECKING:
    from .interaction import Prompt

_CONTAINER_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


def has_browser(environ: Mapping[str, str], prompt: Prompt, ways: Sequence[str]) -> bool:
    """
    Tell whether a browser can be opened here; the person is told why not.

    Args:
        environ: Environment variables.
        prompt: The person.
        ways: To sign in at the issuer.

    Raises:
        LoginRequiredError: There is no person to do it elsewhere, either.
    """
    why = why_no_browser(environ)
    if why is None:
        return True
    if not prompt.can_ask:
        code = "; or with a code that is typed in elsewhere, where the issuer has that (--device)"
        raise LoginRequiredError(
            f"no browser can be opened, because {why}, and there is no terminal to ask on",
            hint="Sign in on a terminal" + (code if "device" in ways else ""),
        )
    prompt.say(f"No browser is opened, because {why}.")
    return False


def why_no_browser(
    environ: Mapping[str, str],
    *,
    platform: str = sys.platform,
    exists: Callable[[str], bool] = os.path.exists,
    find: Callable[[str], str | None] = shutil.which,
) -> str | None:
    """
    Say why no browser can be opened here, in words that follow "because"; None when one can.

    Args:
        environ: Environment variables.
        platform: As ``sys.platform``.
        exists: Tells whether a path is there.
        find: Finds a program.
    """
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY") or environ.get("SSH_CLIENT"):
        return "this is an SSH session: a browser here is not on the machine in front of you"
    if environ.get("BROWSER"):
        return None  # whoever sets it knows
    if _is_wsl(environ):
        if opener_on_windows(environ, find) is not None:
            return None
        return "this is WSL, and wslview (of wslu) is not there to open one on Windows"
    if platform in ("win32", "darwin", "cygwin"):
        return None
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return None
    if any(exists(mark) for mark in _CONTAINER_MARKS):
        return "this is a container without a display"
    return "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def opener_on_windows(
    environ: Mapping[str, str], find: Callable[[str], str | None] = shutil.which
) -> str | None:
    """Name the program that opens an address on Windows from WSL; None elsewhere, or where there is none."""
    return find("wslview") if _is_wsl(environ) else None


def _is_wsl(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))
