"""Tokens as login providers issue them, except for the signature, which the package never checks."""

from __future__ import annotations

import base64
import json
from typing import Any

NOW = 1_800_000_000.0
GOOGLE = "accounts.google.com"


def encoded(value: object) -> str:
    """Write *value* as JSON in unpadded base64url."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(*, header: object = None, signature: str = "c2ln-CANARY", **claims: Any) -> str:
    """Make Google's token for user ``sub``, valid for an hour; *claims* change it, and None removes one."""
    everything = {"iss": f"https://{GOOGLE}", "sub": "ann", "aud": "app", "exp": NOW + 3600, **claims}
    kept = {name: value for name, value in everything.items() if value is not None}
    return f"{encoded(header or {'alg': 'RS256'})}.{encoded(kept)}.{signature}"
