"""
What PyInstaller has to know of this package, which it finds by the entry point ``pyinstaller40``.

    hook-cognito_credentials.cli.py    the commands, which the command line imports by their names

Source: https://pyinstaller.org/en/stable/hooks.html#provide-hooks-with-package.
"""

from __future__ import annotations

import os


def hook_directories() -> list[str]:
    """Return the folder of the hooks."""
    return [os.path.dirname(os.path.abspath(__file__))]
