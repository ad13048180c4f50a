"""
SHA-256 without loading OpenSSL, and a hash of a list of texts.

`hashlib` loads libcrypto, which takes longer than the whole answer to a cache hit. The interpreter's own
implementation is the same function.
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

__all__ = ["digest", "sha256"]


def digest(*parts: str | None) -> str:
    """Hash *parts* so that two different lists have different hashes; 64 hexadecimal characters."""
    from json import dumps  # the fast path does not come here

    # Not ASCII-escaped: a character beyond 16 bits and its two lone surrogates would be written alike.
    text = dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
