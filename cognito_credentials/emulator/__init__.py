"""
Amazon Cognito Identity, and the STS operations it needs, on one machine.

    with Emulator() as emulator:
        emulator.url

A folder imports only from those below it:

- ``command``, ``pytest_plugin``: who runs an ``emulator``, the class, which has the methods of ``for_tests``
- ``wire/``: HTTP in, calls of operations; their results in, HTTP out; the calls under ``/_emulator/``
- ``seed/``: a TOML file in, what a new emulator holds out
- ``operations/``: a checked request in, the members of the answer out; one file for each group
- ``service``: what all operations share
- ``sts/``: roles and their trust, sessions and their policies
- ``logins/``: login tokens in, verified logins out; keys and tokens of the service's own
- ``stored/``: the SQLite state, and pools and identities in it
- ``model/``: botocore's service model: requests are checked against it; names that AWS gives
- ``settings``, ``clock``, ``errors``, ``extra``: what all of these use
- ``assumed``: every choice that nothing public confirms

The emulator imports nothing from the rest of the package and shares no code with the client, so that a
wrong belief about the wire cannot hide in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognito_credentials.emulator.command import serve
    from cognito_credentials.emulator.emulator import Emulator
    from cognito_credentials.emulator.extra import MissingExtraError
    from cognito_credentials.emulator.logins.keys import SigningKeys
    from cognito_credentials.emulator.seed.file import Seed

__all__ = ["Emulator", "MissingExtraError", "Seed", "SigningKeys", "serve"]


def __getattr__(name: str) -> Any:
    """Import on first use: the parts need the ``emulator`` extra, and importing us is free."""
    import importlib

    modules = {
        "Emulator": "emulator",
        "MissingExtraError": "extra",
        "Seed": "seed.file",
        "SigningKeys": "logins.keys",
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
