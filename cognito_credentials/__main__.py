"""
``python -m cognito_credentials``, or this file run by its path: the ``cognito-credentials`` command.

By its path it runs nothing of the working directory. Python itself puts that directory first in the path of
``python -m``, so what Python imports to find this package may come from there. Nothing that is imported later
does.
"""

from __future__ import annotations

import os
import sys


def _run() -> int:
    package = os.path.dirname(os.path.abspath(__file__))
    if sys.path and any(_is_same(sys.path[0], place) for place in (os.curdir, package)):
        del sys.path[0]
    if not __package__:
        sys.path.append(os.path.dirname(package))  # last: it may be a folder of other packages, too
    from cognito_credentials.cli import main

    return main()


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one or os.curdir, other)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(_run())
