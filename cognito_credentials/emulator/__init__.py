"""
Amazon Cognito Identity, and the STS operations that it needs, on one machine.

    with Emulator() as emulator:
        emulator.url

A folder imports only from those below it:

- ``command``: runs the emulator until a signal ends it; ``pytest_plugin``: fixtures that run it
- ``emulator``: the class that Python code uses
- ``user_pool``: a user pool as tests use it, whose users sign in without a browser
- ``wire/``: HTTP requests in, HTTP answers out; also the calls under ``/_emulator/``
- ``seed/``: a TOML file, a CloudFormation template or a Terraform state in, the content of a new state out
- ``operations/``: a checked request in, the members of the answer out; one file for each group of operations
- ``issuer/``: the issuer that is no user pool, where made-up users sign in
- ``console/``: the page at ``/``: HTML, stylesheet, script and icon, as files
- ``pages/``: what people see in a browser, as HTML
- ``user_pools/``: Amazon Cognito user pools: the sign-in as a machine, tokens, and the operations of the API
- ``oauth``: parameters, errors, redirects and PKCE of OAuth 2.0
- ``service``: state, clock, keys and settings, which all operations share
- ``sts/``: roles and their trust policies, sessions and their session policies
- ``logins/``: login tokens in, verified logins out; the emulator's keys, and the tokens that it signs
- ``stored/``: the SQLite state: pools and identities, user pools and what signing in leaves
- ``settings``: the settings that tests change
- ``model/``: botocore's service models, against which requests are checked; ids, ARNs and host names
- ``assumed``: texts and numbers of the service that no public source confirms
- ``trail``: what was checked and decided for the request that is being answered
- ``errors``, ``clock``, ``extra``: used by all of the above

The emulator imports nothing from the rest of the package but `extras.py`, and shares no code with the client.
Otherwise one wrong belief about the wire could be in both, and no test would find it.
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
    """Import on first use: importing this package takes no time, and works without the ``emulator`` extra."""
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
        from cognito_credentials.emulator.extra import MissingExtraError

        raise MissingExtraError(error.name) from None
