"""What the tests of settings share: ids, and loading with one profile."""

from __future__ import annotations

from typing import Any

from cognito_credentials.settings.load import load
from cognito_credentials.settings.settings import Settings

GUID = "0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
POOL = f"us-east-1:{GUID}"
ROLE = "arn:aws:iam::123456789012:role/app/Reader"
CANARY = "CANARY-pass-1234567890"
HOME = {"HOME": "/home/ann", "USERPROFILE": "/home/ann"}


def load_app(
    arguments: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    profile_settings: dict[str, Any] | None = None,
    **more: Any,
) -> Settings:
    """Load with a config file that has one profile, app; *more* are its other sections."""
    config = {"profiles": {"app": profile_settings or {}}, **more}
    return load(arguments or {}, environ={**HOME, **(environ or {})}, config=config, profile="app")


def load_guest(arguments: dict[str, Any] | None = None, **places: Any) -> Settings:
    """Load with the pool id as an argument."""
    return load_app({"identity_pool_id": POOL, **(arguments or {})}, **places)
