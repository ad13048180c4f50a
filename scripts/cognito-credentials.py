#!python
"""
The command line without the wrapper of an installer, some of which take longer than a cache hit.

``configure`` writes a command that starts this file with ``python -E``, so PYTHONPATH counts for nothing.
"""

import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        del sys.path[0]  # the directory of this file: other packages put theirs there, too
    from cognito_credentials.cli import main

    sys.exit(main())
