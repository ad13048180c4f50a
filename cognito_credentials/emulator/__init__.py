"""
Amazon Cognito Identity, and the STS operations it needs, on one machine.

    with Emulator() as emulator:
        emulator.url

``server`` runs ``http``, which turns requests into calls of ``service`` and its ``operations``;
those stand on ``linking``, ``logins``, ``roles``, ``trust``, ``tokens`` and ``sessions``, and all
of it on ``state``. ``assumed`` holds every choice that nothing public confirms. The emulator
imports nothing from the rest of the package and shares no code with the client, so that a wrong
belief about the wire cannot hide in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognito_credentials.emulator.command import serve
    from cognito_credentials.emulator.emulator import Emulator
    from cognito_credentials.emulator.extra import MissingExtraError
    from cognito_credentials.emulator.keys import SigningKeys
    from cognito_credentials.emulator.seed import Seed

__all__ = ["Emulator", "MissingExtraError", "Seed", "SigningKeys", "serve"]


def __getattr__(name: str) -> Any:
    """Import on first use: the parts need the ``emulator`` extra, and importing us is free."""
    import importlib

    modules = {
        "Emulator": "emulator",
        "MissingExtraError": "extra",
        "Seed": "seed",
        "SigningKeys": "keys",
        "serve": "command",
    }
    if name not in modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{modules[name]}"), name)
    except ModuleNotFoundError as error:
        missing = error.name
    from cognito_credentials.emulator.extra import MissingExtraError

    raise MissingExtraError(missing)
