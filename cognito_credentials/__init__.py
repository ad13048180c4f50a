"""
AWS credentials from an Amazon Cognito identity pool, for boto3, the AWS CLI and every AWS SDK.

    from cognito_credentials import Session          a boto3.Session, drop-in
    from cognito_credentials import install          the provider in any botocore session's chain
    from cognito_credentials import IdentityPool     one identity pool, for everything else
    from cognito_credentials import AsyncIdentityPool    the same for programs with an event loop
    cognito-credentials credential-process           a profile's credential_process

A request goes down this list, and its answer comes up. A folder imports only from those below it, and its
docstring is the map of its files:

    session.py     boto3 and botocore: Session, install
    adapters/      other hosts of credentials: aiobotocore, awscrt, the AWS SDK for Python v4, AWS IoT's MQTT
    pyinstaller/   what PyInstaller has to know, which makes an app one program
    botocore_chain.py          the provider, and its place in a botocore session
    botocore_credentials.py    what botocore signs with: one of its RefreshableCredentials, by our policy
    cli/           the command line; fast.py answers a cache hit
    pool/          IdentityPool: credentials, identity, linking, signing in and out, status
    refresh/       the policy: fresh, stale, expired -> return, refresh, wait, back off
    sign_in/       a person's own sign-ins as login sources
    developer/     developer-authenticated identities: the app's half and the back end's half
    exchange/      the wire: Cognito Identity and STS; what each failure means
    logins/        login provider name -> token, asked for only when needed
    cache/         identity, credentials and back-off; in files or in memory; one lock per key
    settings/      which pool, which flow, which user, where to remember
    errors, secret, clock, credentials, regions, digest, home, version
    awaiting.py    an app's coroutines, run on its event loop for a thread of ours

    emulator/      the service itself, on this machine; shares no code about it with the above

Importing this package imports nothing else: each name loads what it needs when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .botocore_chain import IdentityPoolProvider
    from .credentials import TemporaryCredentials
    from .errors import (
        CacheError,
        ClockSkewError,
        CognitoCredentialsError,
        ConfigurationError,
        CredentialsExpiredError,
        LoginRejectedError,
        LoginRequiredError,
        RefusedError,
        ServiceError,
    )
    from .pool.async_pool import AsyncIdentityPool
    from .pool.pool import IdentityPool
    from .secret import Secret
    from .session import Session, install
    from .sign_in.challenge import ChallengeRequired
    from .version import __version__ as __version__

__all__ = [
    "AsyncIdentityPool",
    "CacheError",
    "ChallengeRequired",
    "ClockSkewError",
    "CognitoCredentialsError",
    "ConfigurationError",
    "CredentialsExpiredError",
    "IdentityPool",
    "IdentityPoolProvider",
    "LoginRejectedError",
    "LoginRequiredError",
    "RefusedError",
    "Secret",
    "ServiceError",
    "Session",
    "TemporaryCredentials",
    "install",
]

_HOME = {
    "AsyncIdentityPool": "pool.async_pool",
    "ChallengeRequired": "sign_in.challenge",
    "IdentityPool": "pool.pool",
    "IdentityPoolProvider": "botocore_chain",
    "Secret": "secret",
    "Session": "session",
    "TemporaryCredentials": "credentials",
    "install": "session",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    if name not in (*__all__, "__version__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = f".{_HOME.get(name, 'errors')}"
    if home in (".botocore_chain", ".pool.async_pool", ".pool.pool", ".session"):
        from .importing import IMPORTING

        with IMPORTING:
            import_module(home, __name__)
    # The others need little, and whoever only catches errors need not load what `IMPORTING` does.
    value = getattr(import_module(home, __name__), name)
    globals()[name] = value  # found directly from now on
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
