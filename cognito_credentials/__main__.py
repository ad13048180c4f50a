"""``python -m cognito_credentials``: the same as the ``cognito-credentials`` command."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
