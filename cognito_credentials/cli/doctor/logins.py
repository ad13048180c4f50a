"""
The login sources, as far as they can be looked at without asking anybody: files, variables, sign-ins.

`judged` is what a token says of itself; a check that asks a source for its token uses it too.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from ...clock import span
from ...errors import CognitoCredentialsError, clean, shell_word
from ...home import home_directory
from ...logins.claims import unverified_claims, unverified_expiry
from ...logins.command import CommandSource
from ...logins.file import FileSource
from ...logins.providers import check_claims, checked_saml_response, is_saml
from ...logins.source import ask, describe
from ..tables import moment
from ..terminal import printable
from ..words import command_line, sign_in_place
from .check import Result, error, ok, skipped, warning
from .exposure import mode_of, others_can_write
from .ports import nobody_listens

if TYPE_CHECKING:
    from ...logins.source import Source
    from ...secret import Secret
    from ...sign_in.source import SignInSource
    from .setup import Setup

_OPAQUE: Final = ("graph.facebook.com", "www.amazon.com", "api.twitter.com", "www.digits.com")
"""Providers whose tokens only they can read. Source: reference/service.md#5.1."""
_FILES: Final = ("sign-in", "sealed", "secret")
_SAME_MOMENT: Final = 60
"""Seconds between the two files of a sign-in, at most; a token that is written later is another one."""


def logins(setup: Setup) -> Iterator[Result]:
    """Each source that answers at once has a token, of the right provider and kind, that has not expired."""
    sources = [(name, source) for name, source in setup.parts.logins.sources if not source.is_sign_in]
    if not sources:
        yield ok("no login source is configured")
    for provider, source in sources:
        if isinstance(source, FileSource) and others_can_write(source.path):
            yield error(
                f"everybody can write the login token file {printable(source.path)} (mode "
                f"{mode_of(source.path)}), and make you somebody else",
                f"Run: chmod 600 {shell_word(source.path)}",
            )
        if isinstance(source, CommandSource) and shutil.which(source.program) is None:
            yield error(
                f"the login command {source.name} of {setup.parts.logins.origin} is not there",
                "Give the path of a program that can be run; there is no shell, so no ~, no $VARIABLE and no "
                "NAME=value",
            )
        elif source.is_quick:
            yield from judged(setup, provider, source, ask(source, provider))
        else:
            yield ok(f"{describe(source)} does not answer at once, so 'tokens' asks it")


def judged(setup: Setup, provider: str | None, source: Source, token: Secret) -> Iterator[Result]:
    """
    Judge a token by what it says of itself, unverified: provider, kind, end.

    Args:
        provider: The login provider name that it is for; None for that of the token.
        source: Where it comes from.
    """
    origin, where = setup.parts.logins.origin, describe(source)
    claims = unverified_claims(token.reveal())
    try:
        name = check_claims(provider, claims, origin, is_derived=source.has_derived_provider)
        if is_saml(name):
            checked_saml_response(token, name, origin)
    except CognitoCredentialsError as wrong:
        yield error(f"{wrong.message} (it comes from {where})", wrong.hint)
        return
    if claims is None and not is_saml(name) and name not in _OPAQUE:
        yield error(
            f"the token for {clean(name, 120)} from {where} is no ID token",
            "Give the ID token of the same sign-in, a JWT in three parts",
        )
        return
    if claims is None:
        yield ok(f"{where} has a token for {clean(name, 120)}, which says nothing of itself")
        return
    said = f"issuer {clean(str(claims.get('iss')), 120)}, audience {_audience(claims.get('aud'))}"
    if "aud" not in claims and "azp" not in claims:
        yield error(
            f"the token for {clean(name, 120)} from {where} has no audience: it may be an access token",
            "Give the ID token of the same sign-in",
        )
        return
    end = unverified_expiry(claims)
    if end is not None and end <= setup.now():
        yield error(
            f"the token for {clean(name, 120)} from {where} expired {span(setup.now() - end)} ago ({said})",
            "Sign in again, or have its source give a new token",
        )
        return
    until = "without an end" if end is None else f"until {_moment(end)}"
    yield ok(f"{where} has a token for {clean(name, 120)}: {said}, {until}")


def sign_in(setup: Setup) -> Iterator[Result]:
    """Somebody is signed in, and the tokens of that are where they were put."""
    from ...pool.signing_in import sign_ins

    sources = sign_ins(setup.parts.logins)
    if not sources:
        yield ok("the profile signs in to nothing")
    elif home_directory(setup.environ) is None:
        yield skipped("there is no home directory to keep a sign-in in")
        return
    for source in sources:
        yield from _signed_in(setup, source)


def _signed_in(setup: Setup, source: SignInSource) -> Iterator[Result]:
    from ...sign_in.extra import check_extra
    from ...sign_in.kept.account import account_at
    from ...sign_in.kept.stored_tokens import StoredTokens, has_ended
    from ...sign_in.kept.stores import PlainStore

    check_extra(source.way)
    login = f"Run {command_line('login', setup.profile)}"
    issuer = clean(source.issuer, 120)
    place = source.files()
    exposed = [path for kind in _FILES if _is_open_to_others(path := place.path(kind))]
    if exposed:
        yield error(
            f"{printable(exposed[0])} of the sign-in at {issuer} is open to other users, so it is not used",
            login,
        )
        return
    account = account_at(place)
    if account is None:
        yield error(f"nobody is signed in at {issuer}", login)
        return
    where = sign_in_place(account.store)
    if has_ended(place, account):
        yield error(f"the sign-in at {issuer} has ended there, as it said when it was last asked", login)
        return
    path = place.path("sealed" if account.store == "keyring" else "secret")
    if not os.path.isfile(path):
        yield error(f"the tokens of the sign-in at {issuer} are gone from {printable(path)}", login)
        return
    # What the keyring sealed is not opened: that asks another program.
    secret = PlainStore(place).load() if account.store == "file" else None
    stored = None if secret is None else StoredTokens.decode(secret)
    if account.store == "file" and (stored is None or stored.principal not in (None, account.principal)):
        yield error(f"{printable(path)} has no tokens of the sign-in at {issuer}: it is damaged", login)
        return
    ends_at = stored.expires_at if stored is not None and stored.refresh_token is None else None
    now = setup.now()
    if ends_at is not None and ends_at <= now:
        yield error(
            f"the sign-in at {issuer} ended {span(now - ends_at)} ago: it has no refresh token", login
        )
        return
    if source.way == "browser" and source.redirect_ports and not any(map(_is_free, source.redirect_ports)):
        ports = " and ".join(map(str, source.redirect_ports))
        yield warning(
            f"other programs listen on the cognito_redirect_ports {ports}: the next sign-in has none for the "
            "browser's answer",
            "Name one more port there, and its callback URL in the app client",
        )
    end = "until the issuer ends it" if ends_at is None else f"until {_moment(ends_at)}"
    is_rotated = os.stat(path).st_mtime > account.signed_in_at + _SAME_MOMENT
    rotates = "its refresh tokens rotate" if is_rotated else "its refresh token has not rotated so far"
    since = span(max(now - account.signed_in_at, 0))
    yield ok(f"signed in at {issuer} {since} ago, {end}; kept in {where}; {rotates}")


def _is_free(port: int) -> bool:
    return nobody_listens("127.0.0.1", port)


def _is_open_to_others(path: str) -> bool:
    if os.name == "nt" or not os.path.lexists(path):
        return False
    return bool(os.lstat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _moment(seconds: float) -> str:
    return moment(datetime.fromtimestamp(seconds, timezone.utc))


def _audience(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(clean(str(each), 80) for each in value[:3])
    return clean(str(value), 80)
