"""
Signing in: people and devices get an identity of their own, and keep it for weeks.

    from cognito_credentials import IdentityPool
    from cognito_credentials.sign_in import DeveloperLogin, OidcLogin, UserPool

    login = UserPool("us-east-1_Ab1Cd2Ef3", "client-id", redirect_ports=[8400])
    pool = IdentityPool("us-east-1:…", logins=login)
    pool.sign_in()           # once; from then on pool.credentials() works, in this process and in others

These three names are here and not at the top of the package, since most programs have no use for them. What
follows is for who reads on.

    sources.py         UserPool and OidcLogin: login sources; a token when one is needed, who it is offline
    source.py          what these two have in common; profile.py makes them of a profile's keys
    sign_in.py         one sign-in at rest and in use: refreshed under a lock, rotated, ended
    replacing.py       a new one in place of the one before
    interaction.py     what a person is shown and asked; unseen.py reads what is not shown
    browser.py         authorization code + PKCE; callback.py is the loopback end
    device.py          the device authorization grant (RFC 8628)
    password.py        a user pool's challenges, in the terminal; srp.py proves passwords and devices
    oidc.py, user_pool.py    the two kinds of issuer: endpoints, refresh, revocation; user_pool_api.py
    discovery.py, id_token.py, http.py    what an issuer says, and how it is believed
    account.py         who is signed in: a file without a secret; all that a cache hit looks at
    stores.py          where the refresh token is: keyring_store.py (keyring_child.py) or file_store.py;
                       kept.py is what is in there
    place.py           the directory of both, verified like the cache's

Only `account`, `place` and `sources` are imported for a profile that signs in; the rest, and the libraries
of the extra ``login``, when a person signs in or a refresh token is used. Nothing of it is imported for
guests.

    developer.py       DeveloperLogin: an app's own back end says who the user is; nobody signs in here
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..developer.login import DeveloperLogin
    from .sources import OidcLogin, UserPool

__all__ = ["DeveloperLogin", "OidcLogin", "UserPool"]

_HOME = {"DeveloperLogin": "developer.login", "OidcLogin": "sign_in.sources", "UserPool": "sign_in.sources"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"..{_HOME[name]}", __name__), name)
