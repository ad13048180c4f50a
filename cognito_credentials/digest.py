"""
SHA-256 without loading OpenSSL.

`hashlib` loads libcrypto, which takes longer than answering a cache hit does. The interpreter's own
implementation is the same function.

Base layer: imports nothing of ours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # Python 3.12 and newer
    except ImportError:
        try:
            from _sha256 import sha256  # Python 3.10 and 3.11
        except ImportError:
            from hashlib import sha256  # other interpreters

__all__ = ["sha256"]
