"""
What the login sources of people who signed in here have in common; `sources.py` has the two kinds.

Making one costs nothing and reads nothing. Who it is comes from the account file, offline; a token comes from
memory or by the refresh token; only signing in and out talk to a person or a keyring's owner.

Imports `account`, `place`, `sign_in`; the issuers, and with them the libraries, when they are asked.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..clock import Clock
from ..errors import CacheError
from ..exchange.interruption import interrupted_bare
from ..logins.claims import unverified_claims, unverified_subject
from ..logins.source import Source
from ..secret import Secret
from . import shapes
from .consequences import with_what_follows
from .extra import needs_extra
from .kept.account import Account, config_of, principal_of
from .kept.keyring_store import PATIENT_SECONDS
from .kept.place import Place, key_of, sign_in_directory
from .kept.sign_in import EndedSignIn, SignIn
from .ways.surroundings import has_browser

if TYPE_CHECKING:
    from ..exchange.http import Network
    from .issuers.issuer import Issuer, Verified
    from .ways.interaction import Prompt

WAYS: Final = ("browser", "device", "password")
NO_BROWSER: Final = "no-browser"
"""A fourth way, never configured: the browser on another machine, by copying addresses."""


class SignInSource(Source):
    """
    What user pools and other issuers have in common; make a `UserPool` or an `OidcLogin`.

    Args:
        issuer: Its address, to the letter.
        client_id: The client.
        scope: What to ask for, separated by spaces.
        sign_in: How people sign in: one of `WAYS`.
        redirect_ports: Loopback ports registered for the client, tried in order.
        store: ``keyring``, or ``file`` for a plain file that only this user can read.
        login_provider: The key under ``logins``, where it is not the issuer without its scheme.
        profile_name: Sign-ins of different profiles do not know of each other.
        environ: Environment variables; the process's own.
        clock: Time; the machine's own.
        profile_settings: The profile's, for the CA bundle.
    """

    is_sign_in = True
    can_change_owner = True
    provider: str
    ways: tuple[str, ...] = WAYS

    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        scope: str,
        sign_in: str = "browser",
        redirect_ports: Sequence[int] = (),
        store: str | None = None,
        login_provider: str | None = None,
        profile_name: str | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        profile_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.scope = scope
        self.way = sign_in
        self.redirect_ports = tuple(redirect_ports)
        self.store = store
        self.provider = login_provider or issuer.partition("://")[2].rstrip("/")
        self.profile_name = profile_name
        self.description = f"sign-in:{self.provider}"
        self._given_environ = environ
        self._clock = clock or Clock()
        self._profile_settings = dict(profile_settings or {})
        self._user: str | None = None
        self.is_of_profile = False
        """Whether the profile itself names it: then it takes the place of what the profile named before."""
        self._engine: SignIn | None = None
        self._made_issuer: Issuer | None = None
        self.ends_at: float | None = None
        """Of a sign-in made here without a refresh token, seconds since the epoch."""

    @interrupted_bare
    def token(self) -> Secret:
        """
        Return a valid ID token.

        Raises:
            LoginRequiredError: Nobody is signed in, or the sign-in has ended; the hint is the command to run.
            ServiceError: The issuer does not answer.
            CacheError: The keyring or the directory cannot be used.
        """
        with needs_extra():
            return self._sign_in().id_token()

    def reject(self, token: Secret) -> None:
        """Take note that *token* is not taken any more: `token` will not return it again."""
        self._sign_in().reject(token)

    def of_user(self, user: str) -> SignInSource:
        """Return the same for *user*, where an app tells those who share this machine apart."""
        own = copy.copy(self)
        own._user = user  # noqa: SLF001  (of this very class)
        return own

    def principal(self) -> str | None:
        """Say who is signed in, offline; None for nobody."""
        account = self.account()
        return None if account is None else account.principal

    def principal_of(self, token: Secret) -> str | None:
        """Say whose *token* of this source it is, so that token and answer are of one moment."""
        claims = unverified_claims(token.reveal()) or {}
        whose = unverified_subject(claims)
        return None if whose is None else principal_of(*whose)

    def owner(self) -> str | None:
        """Say who is signed in, offline; empty for nobody, None where that cannot be told at the moment."""
        try:
            account = self._sign_in().account()
        except CacheError:
            return None
        return "" if account is None else account.principal

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """Say which file decides who this is; None where there is no place for one."""
        try:
            return (("file", self._place().path("sign-in")),)
        except CacheError:
            return None

    def account(self) -> Account | None:
        """Say who is signed in, offline; None for nobody, or where there is no place to look."""
        try:
            return self._sign_in().account()
        except CacheError:
            return None

    def has_ended(self) -> bool:
        """Tell whether somebody is signed in, but the issuer said, when asked last, that this has ended."""
        try:
            return self._sign_in().has_ended()
        except CacheError:
            return False

    @interrupted_bare
    def sign_in(
        self,
        prompt: Prompt | None = None,
        *,
        way: str | None = None,
        store: str | None = None,
        open_browser: Callable[[str], bool] | None = None,
        username: str | None = None,
    ) -> Account:
        """
        Have a person sign in.

        Args:
            prompt: The person; the terminal by default.
            way: One of `WAYS` or `NO_BROWSER`; by default what is configured, and where that is a browser
                and none can be opened here, `NO_BROWSER`.
            store: Where the refresh token shall be; by default what is configured.
            open_browser: Opens an address; False when it cannot.
            username: Who, for a password; refused with any other way.

        Returns:
            Who has signed in.

        Raises:
            LoginRequiredError: Nobody signed in.
            LoginRejectedError: The issuer refused.
            ServiceError: It does not answer.
            ConfigurationError: This way is not one for this issuer, or a library is missing.
            CacheError: There is no place for the refresh token; the hint says how to choose one.
        """
        from .ways.interaction import TerminalPrompt

        chosen = shapes.way(way or self.way, "the way to sign in", (*self.ways, NO_BROWSER))
        shapes.check_username(username, chosen)
        where = shapes.store(store or self.store or self._store_so_far(), "store")
        prompt = prompt or TerminalPrompt()
        is_free = chosen == "browser" and way is None and open_browser is None
        if is_free and not has_browser(self._environ(), prompt, self.ways):
            chosen = NO_BROWSER
        with needs_extra(), self._sign_in().beginning(where, PATIENT_SECONDS, self._config()) as kept:
            keep = with_what_follows(self, kept, prompt)
            if chosen == "device":
                return keep(self._with_device(prompt))
            if chosen == "password":
                return keep(self._with_password(prompt, username))
            if chosen == NO_BROWSER:
                return keep(self._with_browser_elsewhere(prompt))
            return self._with_browser_here(prompt, keep, open_browser)

    @interrupted_bare
    def sign_out(self, *, revoke: bool = True) -> EndedSignIn:
        """
        Forget the sign-in, and have the issuer revoke the refresh token where it can.

        Raises:
            CacheError: Something of it could not be removed.
        """
        with needs_extra():
            done = self._sign_in().end(revoke=revoke)
            return done._replace(earlier=tuple(self.end_earlier(revoke=revoke)))

    def end_earlier(self, *, revoke: bool = True) -> list[EndedSignIn]:
        """End what the profile had at other issuers or clients: nothing would ever lead there again."""
        if not (config := self._config()):
            return []
        from .kept.elsewhere import Own, SignInsHere

        here = SignInsHere(self._environ(), self._clock, self._profile_settings)
        endpoint = self._network_options().get("endpoint_url")
        own = Own(self.profile_name, config, self.issuer, self.client_id, endpoint)
        return here.end_others(own, revoke=revoke)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None, "_made_issuer": None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.description})"

    def _config(self) -> str:
        """Name the config that names it; empty where a program does, or it is one user's of an app."""
        return config_of(self._environ()) if self.is_of_profile and self._user is None else ""

    def _store_so_far(self) -> str:
        """Where the sign-in is that this one replaces: who chose a plain file need not choose it again."""
        account = self.account()
        return "keyring" if account is None else account.store

    def _with_browser_here(
        self, prompt: Prompt, keep: Callable[[Verified], Account], open_browser: Callable[[str], bool] | None
    ) -> Account:
        from .ways.browser import sign_in_here

        return sign_in_here(
            self._issuer(),
            prompt,
            scope=self.scope,
            ports=self._ports(),
            keep=keep,
            open_browser=open_browser,
        )

    def _with_browser_elsewhere(self, prompt: Prompt) -> Verified:
        from .ways.browser import sign_in_elsewhere

        return sign_in_elsewhere(self._issuer(), prompt, scope=self.scope, ports=self._ports())

    def _with_device(self, prompt: Prompt) -> Verified:
        from .ways.device import sign_in_with_device

        return sign_in_with_device(self._issuer(), prompt, self._clock, scope=self.scope)

    def _with_password(self, prompt: Prompt, username: str | None) -> Verified:
        raise NotImplementedError  # not among the ways of this issuer

    def _ports(self) -> tuple[int, ...]:
        """Return the ports for the answer; none for any."""
        return self.redirect_ports

    def _make_issuer(self, network: Network) -> Issuer:
        raise NotImplementedError

    def _network_options(self) -> dict[str, Any]:
        return {}

    def _issuer(self) -> Issuer:
        if self._made_issuer is None:
            with needs_extra():
                from ..exchange.http import Network

                self._made_issuer = self._make_issuer(
                    Network(
                        clock=self._clock,
                        environ=self._environ(),
                        profile=self.profile_name,
                        profile_settings=self._profile_settings,
                        **self._network_options(),
                    )
                )
        return self._made_issuer

    def _sign_in(self) -> SignIn:
        if self._engine is None:
            named = f" --profile {self.profile_name}" if self.profile_name else ""
            remedy = f"'cognito-credentials login{named}'"
            # What a program made itself is a program's to sign in to; a profile, whoever has a terminal.
            is_profile = self._profile_settings and self.profile_name
            remedy = f"run {remedy}" if is_profile else f"sign in again: sign_in() in Python, or {remedy}"
            self._engine = SignIn(self._place(), self._issuer, self._clock, remedy)
        return self._engine

    def _place(self) -> Place:
        # With an endpoint that is not the issuer's own, it is another sign-in: what AWS gave for weeks must
        # not be sent to wherever a variable points today.
        where = self._network_options().get("endpoint_url")
        user = f"user:{self._user}" if self._user else None
        key = key_of(self.profile_name, self.issuer, self.client_id, where, user)
        return Place(sign_in_directory(self._environ()), key)

    def _environ(self) -> Mapping[str, str]:
        return os.environ if self._given_environ is None else self._given_environ
