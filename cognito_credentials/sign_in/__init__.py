"""
Signing in: the user of an app or of a profile signs in once, and stays signed in for weeks.

    from cognito_credentials import IdentityPool
    from cognito_credentials.sign_in import DeveloperLogin, OidcLogin, UserPool

    login = UserPool("us-east-1_Ab1Cd2Ef3", "client-id", redirect_ports=[8400])
    pool = IdentityPool("us-east-1:…", logins=login)
    pool.sign_in()           # once; from then on pool.credentials() works, in this process and in others

The names are here and not at the top of the package, since most programs do not need them.
`DeveloperLogin` is in the folder `developer/`. The files, from the top:

    sign_out_all.py   `logout --all`: every sign-in on this machine -> what was ended
    profile.py        the keys of a profile -> its UserPool or OidcLogin
    sources.py        UserPool, OidcLogin: the login sources; their arguments
    challenge.py      a question of a user pool to the person, for a form of an app
    signed_in.py      a person's verified tokens -> whose account they are for
    source.py         what both have in common: token(), who is signed in, sign_in(), sign_out()
    leftovers.py      sign-ins that no profile leads to any more -> ended at the issuer that they were made at
    ways/             browser, device, password: a person -> verified tokens
    kept/             the sign-in as it is kept: verified tokens -> account, stored refresh token -> tokens
    issuers/          OpenID Connect issuers and user pools: endpoints, tokens, verification, revocation
    store.py          what an app's own place for a sign-in must have
    checks.py         what each setting must look like, and the error when it does not
    extra.py          the error that names the extra ``login`` when its libraries are missing

A cache hit of a profile that signs in reads the account file and loads no library. The libraries of the extra
``login`` are loaded when a person signs in or a refresh token is used. For guests, nothing of this folder is
imported.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..developer.login import DeveloperLogin
    from .challenge import AsyncChallengeRequired, ChallengeRequired
    from .issuers.tokens import LoginTokens
    from .signed_in import SignedIn
    from .sources import OidcLogin, UserPool
    from .store import SignInStore

__all__ = [
    "AsyncChallengeRequired",
    "ChallengeRequired",
    "DeveloperLogin",
    "LoginTokens",
    "OidcLogin",
    "SignInStore",
    "SignedIn",
    "UserPool",
]

_HOME = {
    "AsyncChallengeRequired": "sign_in.challenge",
    "ChallengeRequired": "sign_in.challenge",
    "DeveloperLogin": "developer.login",
    "LoginTokens": "sign_in.issuers.tokens",
    "OidcLogin": "sign_in.sources",
    "SignInStore": "sign_in.store",
    "SignedIn": "sign_in.signed_in",
    "UserPool": "sign_in.sources",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"..{_HOME[name]}", __name__), name)
