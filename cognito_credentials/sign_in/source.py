"""
The login source of a user who signs in on this machine; `sources.py` has its two kinds.

A new source reads nothing and asks nobody. Who is signed in comes from the account file, offline. A token
comes from memory or by the refresh token. Only signing in and out talk to a person. The issuers, and the
libraries of the extra ``login``, are imported when an issuer is asked.
"""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..awaiting import one_operation
from ..clock import Clock
from ..digest import digest
from ..errors import (
    CacheError,
    CognitoCredentialsError,
    ConfigurationError,
    ServiceError,
    clean,
    shell_word,
)
from ..exchange.interruption import drops_frames_on_interrupt
from ..home import SIGN_INS_NAME
from ..importing import IMPORTING
from ..logins.claims import provider_of, unverified_claims, unverified_subject
from ..logins.signed_out import SignedOut
from ..logins.source import Source
from ..secret import Secret
from . import checks
from .extra import check_extra, needs_extra
from .kept.account import Account, config_of, principal_of
from .kept.keyring_store import PATIENT_SECONDS
from .kept.place import Place, key_of, sign_in_directory
from .kept.sign_in import SignIn

if TYPE_CHECKING:
    from ..exchange.http import Network
    from .issuers.issuer import Issuer
    from .issuers.tokens import LoginTokens, Tokens, Verified
    from .kept.own_place import OwnPlace
    from .kept.own_store import MemoryStore
    from .signed_in import SignedIn
    from .store import SignInStore
    from .ways.password import PasswordSignIn, Question
    from .ways.prompt import Prompt

REDEEM_BUDGET: Final = 20.0
"""Seconds for the requests of taking a sign-in over: discovery, token request, and the issuer's keys."""
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A question that a sign-in of `SignInSource.begin_with_password` waits for."""

    question: Question
    answer: Callable[[Secret, Mapping[str, Secret]], SignedIn | Asked]


class SignInSource(Source):
    """
    The common part of `UserPool` and `OidcLogin`, which have its arguments in their documentation.

    Args:
        scope: Scopes, separated by spaces.
    """

    is_sign_in = True
    can_change_owner = True
    provider: str
    ways: tuple[str, ...] = checks.WAYS
    first_factor: str | None = None

    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        scope: str,
        sign_in: str = "browser",
        redirect_ports: Sequence[int] = (),
        store: SignInStore | str | None = None,
        directory: str | None = None,
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
        is_of_app = store is not None and not isinstance(store, str)
        self.store = store if isinstance(store, str) else None
        self._own_store: SignInStore | None = store if is_of_app else None  # type: ignore[assignment]
        self._directory = None if directory is None else os.path.join(directory, SIGN_INS_NAME)
        self.provider = login_provider or provider_of(issuer)
        self.has_derived_provider = login_provider is None
        self.profile_name = profile_name
        self.description = f"sign-in:{self.provider}"
        self._given_environ = environ
        self._clock = clock or Clock()
        self._profile_settings = dict(profile_settings or {})
        self._user: str | None = None
        self.is_of_profile = False
        """Whether a profile made this source: then it replaces what the profile signed in to before."""
        self._is_of_pool = False
        self._person: str | None = None
        self._engine: SignIn | None = None
        self._memories: dict[str | None, MemoryStore] = {}
        """The sign-in of each user, where the store is ``memory``."""
        self._own_place: OwnPlace | None = None
        self._made_issuer: Issuer | None = None
        self._redeemed: tuple[Secret, Tokens] | None = None
        """A refresh token that was taken over, and what came for it, until that is stored."""
        self.ends_at: float | None = None
        """When the sign-in of `sign_in` ends, seconds since the epoch; None where it can be refreshed."""

    @drops_frames_on_interrupt
    def token(self) -> Secret:
        """
        Return a valid ID token.

        Raises:
            LoginRequiredError: Nobody is signed in, or the sign-in has ended; the hint names the command to
                run.
            ServiceError: The issuer does not answer.
            CacheError: The keyring or the directory cannot be used.
        """
        with needs_extra(), one_operation():
            return self._sign_in().id_token()

    @drops_frames_on_interrupt
    def tokens(self) -> LoginTokens:
        """
        Return valid ID and access tokens of one generation: for an API that takes them, or the issuer's own.

        They are renewed when one of the two is due. A process that has just started asks the issuer once.

        Raises:
            LoginRequiredError: Nobody is signed in, the sign-in has ended, or it gives no access token.
            ServiceError: The issuer does not answer.
            CacheError: The store cannot be used.
        """
        with needs_extra(), one_operation():
            return self._sign_in().tokens()

    def addresses(self) -> tuple[str, ...]:
        """Return where a sign-in is renewed: the issuer."""
        return (self.issuer,)

    def reject(self, token: Secret) -> None:
        """Do not return *token* again: the service refused it."""
        self._sign_in().reject(token)

    def of_user(self, user: str | None) -> SignInSource:
        """
        Return the source of one pool: two of them may share this one, and their users must not.

        Args:
            user: The user, who has a sign-in of their own, where an app has several on one machine.
        """
        copied = self._copied()
        copied._is_of_pool = True  # noqa: SLF001  (of this very class)
        if user != self._user or not self._is_of_pool:
            copied._user = user  # noqa: SLF001
            copied._person = None  # noqa: SLF001
        return copied

    def in_directory(self, path: str) -> SignInSource:
        """Return the source that keeps sign-ins in the directory at *path*, unless it has one of its own."""
        copied = self._copied()
        copied._directory = self._directory or path  # noqa: SLF001  (of this very class)
        return copied

    def _copied(self) -> SignInSource:
        copied = copy.copy(self)
        copied._memories = self._memories  # noqa: SLF001  (a pickle leaves them behind, and so does the copy)
        return copied

    def principal(self) -> str | None:
        """Return who is signed in, as cached credentials are keyed, offline; None as in `account`."""
        account = self.account()
        return None if account is None else account.principal

    def principal_of(self, token: Secret) -> str | None:
        """Return the principal of a *token* of this source; the user may have changed since it was given."""
        claims = unverified_claims(token.reveal()) or {}
        subject = unverified_subject(claims)
        return None if subject is None else principal_of(*subject)

    def owner(self) -> str | None:
        """Return the principal, offline; empty for none, None where it is not known without asking an app."""
        try:
            engine = self._sign_in()
            if not engine.is_at_hand:
                return None
            account = engine.own_account()
        except CognitoCredentialsError:  # the sign-in is just replaced, and so not at hand after all
            return None
        return "" if account is None else account.principal

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """Name the file that says who is signed in; None where there is none."""
        if self._store_of_app() is not None:
            return None
        try:
            return (("file", self._place().path("sign-in")),)
        except CacheError:
            return None

    def input(self) -> str | None:
        """Name the sign-in: another user's, and each new one, is another; None where it cannot be read."""
        try:
            account = self._sign_in().account()
        except CognitoCredentialsError:
            return None
        return digest("sign-in", "" if account is None else account.encode().decode("ascii"))

    def account(self) -> Account | None:
        """
        Return who is signed in, offline; None for nobody, or where that cannot be read.

        Of a pool on which somebody has signed in, None for who has signed in on another one, too.
        """
        try:
            return self._sign_in().own_account()
        except CognitoCredentialsError:  # the caller's event loop may be what is missing
            return None

    def problem(self) -> str | None:
        """Say, offline, why it cannot be told who is signed in; None where that is known, nobody included."""
        try:
            self._sign_in().own_account()
        except CognitoCredentialsError as error:
            return error.message
        return None

    def has_ended(self) -> bool:
        """Tell, offline, whether the issuer has ended the sign-in of the user."""
        try:
            return self._sign_in().has_ended()
        except CognitoCredentialsError:
            return False

    @drops_frames_on_interrupt
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
            prompt: Talks to the person; the terminal by default.
            way: One of `ways` or ``no-browser``; by default the configured one, and ``no-browser`` where that
                is a browser and none can be opened here.
            store: ``keyring`` or ``file``; by default the configured one, or that of the previous sign-in. A
                login with a store of the app's, or in memory, has no other.
            open_browser: Opens an address; returns False when it cannot.
            username: The user name for ``password``; asked for by default.

        Raises:
            LoginRequiredError: Nobody signed in.
            LoginRejectedError: The issuer refused.
            ServiceError: The issuer does not answer.
            ConfigurationError: The issuer does not have this way, or a library is missing.
            CacheError: The refresh token cannot be stored; the hint names another store.
        """
        with IMPORTING:
            from .ways.prompt import TerminalPrompt, checked

        chosen = checks.way(way or self.way, "the way to sign in", (*self.ways, checks.NO_BROWSER))
        checks.check_username(username, chosen)
        where = self._store_for(store)
        check_extra(chosen)
        prompt = checked(prompt or TerminalPrompt())
        is_default = chosen == "browser" and way is None and open_browser is None
        with needs_extra():
            if is_default and not self._has_browser(prompt):
                chosen = checks.NO_BROWSER
            with self._sign_in().begin(where, PATIENT_SECONDS, self._config()) as keep:

                def finish(verified: Verified) -> Account:
                    account = keep(verified)
                    self._after_sign_in(verified, prompt.say)
                    return account

                if chosen == "browser":
                    return self._with_browser_here(prompt, finish, open_browser)
                if chosen == "device":
                    return finish(self._with_device(prompt))
                if chosen == "password":
                    return finish(self._with_password(prompt, username))
                return finish(self._with_browser_elsewhere(prompt))

    @drops_frames_on_interrupt
    def begin_with_password(
        self,
        username: str,
        password: Secret | None,
        *,
        first_factor: str | None = None,
        store: str | None = None,
    ) -> SignedIn | Asked:
        """
        Begin a sign-in that a form of an app drives. Nobody is asked, and nothing is tried twice.

        Args:
            password: None for a first factor that the pool or `first_factor` chooses.
            first_factor: As `UserPool` has it, which says the default.
            store: ``keyring`` or ``file``; by default as `sign_in` has it.

        Raises:
            LoginRejectedError: The issuer refused.
            ServiceError: The issuer does not answer.
            ConfigurationError: The issuer is no user pool, or a library is missing.
            CacheError: The refresh token cannot be stored.
        """
        where = self._store_for(store)
        factor = self.first_factor
        if first_factor is not None:
            factor = checks.first_factor(first_factor, "first_factor")
        check_extra("password")
        with needs_extra():
            steps = self._steps()
        return self._step(steps, where, lambda: steps.begin(username, password, factor))

    def _step(
        self, steps: PasswordSignIn, where: str, act: Callable[[], Verified | Question]
    ) -> SignedIn | Asked:
        """Do one step of a sign-in; the store is tried before each, and left as it was until the last."""
        with IMPORTING:
            from .ways.password import Question

        with needs_extra(), self._sign_in().begin(where, PATIENT_SECONDS, self._config()) as keep:
            outcome = act()
            if isinstance(outcome, Question):
                question = outcome
                return Asked(
                    question,
                    lambda text, attributes: self._step(
                        steps, where, lambda: steps.answer(question, text, attributes)
                    ),
                )
            keep(outcome)
            for warning in steps.warnings:
                _log.warning("%s", warning)
            self._after_sign_in(outcome, lambda text: _log.warning("%s", text))
            return self._signed_in(outcome)

    @drops_frames_on_interrupt
    def sign_in_with_refresh_token(self, refresh_token: Secret, *, store: str | None = None) -> SignedIn:
        """
        Take over a sign-in that was made elsewhere, by its refresh token.

        The issuer may accept it only once. So what came for it is held until it is stored: after one of the
        last two errors, another call with the same token goes on from there.

        Raises:
            LoginRejectedError: The issuer does not take the token, or its answer is not valid.
            ConfigurationError: A library is missing.
            ServiceError: The issuer does not answer.
            CacheError: The sign-in cannot be stored.
        """
        where = self._store_for(store)
        check_extra("refresh token")
        with needs_extra(), self._sign_in().begin(where, PATIENT_SECONDS, self._config()) as keep:
            with IMPORTING:
                from ..exchange.deadline import to_its_end
                from .ways.refresh_token import redeem, verified_by

            def take_over() -> Verified:
                held = self._redeemed
                is_held = held is not None and held[0] == refresh_token
                tokens = held[1] if held and is_held else redeem(self._issuer(), refresh_token)
                self._redeemed = (refresh_token, tokens)
                try:
                    verified = verified_by(self._issuer(), tokens, self._clock)
                    keep(verified)
                except (ServiceError, CacheError):
                    raise  # the next call goes on from here
                except CognitoCredentialsError:
                    self._redeemed = None
                    raise
                self._redeemed = None
                return verified

            # One unit: a token that the issuer accepts only once must not be lost between the two.
            verified = to_its_end(take_over, REDEEM_BUDGET)
        self._after_sign_in(verified, lambda text: _log.warning("%s", text))
        return self._signed_in(verified)

    @drops_frames_on_interrupt
    def sign_out(self, *, revoke: bool = True) -> SignedOut:
        """
        Remove the sign-in, and have the issuer revoke the refresh token where it can.

        What the profile signed in to earlier, at another issuer or client, is ended, too.

        Raises:
            CacheError: A file could not be removed.
            ServiceError: Another process is using the sign-in.
        """
        done = self.end(revoke=revoke)
        return sum(self._end_earlier(revoke=revoke), done)

    @drops_frames_on_interrupt
    def end(self, *, revoke: bool = True) -> SignedOut:
        """Sign out as `sign_out` does, and leave earlier sign-ins of the profile alone."""
        with needs_extra():
            return self._sign_in().end(revoke=revoke)

    def _end_earlier(self, *, revoke: bool) -> list[SignedOut]:
        if not (config := self._config()):
            return []
        with IMPORTING:
            from .leftovers import Profile, end_earlier

        endpoint = self._network_options().get("endpoint_url")
        profile = Profile(self.profile_name, self._profile_settings, endpoint)
        current = (self.issuer, self.client_id)
        return end_earlier(profile, current, config, self._environ(), self._clock, revoke=revoke)

    def _signed_in(self, verified: Verified) -> SignedIn:
        """Return the account, for the program that had the person sign in."""
        with IMPORTING:
            from .signed_in import signed_in

        return signed_in(verified, None if self.has_derived_provider else self.provider)

    def _after_sign_in(self, verified: Verified, say: Callable[[str], object]) -> None:
        """End earlier sign-ins of the profile, and tell the person about them and about a short sign-in."""
        for done in self._end_earlier(revoke=True):
            for user in done.users:
                say(f"Ended the sign-in of {user}, which this profile had before.")
            for problem in done.problems:
                say(f"Its refresh token could not be revoked: {problem}.")
            for kept in done.kept:
                say(f"{kept}.")
        self.ends_at = None if verified.refresh_token else float(verified.claims["exp"])
        if self.ends_at is not None:
            until = time.strftime("%H:%M", time.localtime(self.ends_at))
            say(f"The issuer gave no refresh token: this sign-in lasts until {until}, and no longer.")

    def __getstate__(self) -> dict[str, Any]:
        engine = self._engine
        person = self._person if engine is None else engine.person
        left = dict.fromkeys(("_engine", "_made_issuer", "_redeemed", "_own_place"))
        return {**self.__dict__, "_person": person, **left, "_memories": {}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.description})"

    def _config(self) -> str:
        """Return `config_of` the profile; empty for a source of a program, or of one user of an app."""
        return config_of(self._environ()) if self.is_of_profile and self._user is None else ""

    def _store_for(self, asked: str | None) -> str:
        """Return the name of the store of a new sign-in."""
        if self._store_of_app() is None:
            return checks.store(asked or self.store or self._store_so_far(), "store")
        if asked is not None:
            raise ConfigurationError(
                f"store from argument is '{clean(str(asked), 40)}', but this login has a store of its own",
                hint="Leave store out, or make the login without it",
                topic="E-SIGN-IN-SETTING",
            )
        return self._place_of_app().name

    def _store_so_far(self) -> str:
        """Return the previous sign-in's store: a user who chose a plain file need not choose it again."""
        try:
            account = self._sign_in().account()
        except CacheError:
            account = None
        return "keyring" if account is None else account.store

    def _has_browser(self, prompt: Prompt) -> bool:
        with IMPORTING:
            from .ways.browser import has_browser

        return has_browser(self._environ(), prompt, self.ways)

    def _with_browser_here(
        self, prompt: Prompt, keep: Callable[[Verified], Account], open_browser: Callable[[str], bool] | None
    ) -> Account:
        with IMPORTING:
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
        with IMPORTING:
            from .ways.browser import sign_in_elsewhere

        return sign_in_elsewhere(self._issuer(), prompt, scope=self.scope, ports=self._ports())

    def _with_device(self, prompt: Prompt) -> Verified:
        with IMPORTING:
            from .ways.device import sign_in_with_device

        return sign_in_with_device(self._issuer(), prompt, self._clock, scope=self.scope)

    def _with_password(self, prompt: Prompt, username: str | None) -> Verified:
        raise NotImplementedError  # only `UserPool` has this way

    def _steps(self) -> PasswordSignIn:
        raise ConfigurationError(
            "a form of an app signs in to user pools only",
            hint=f"Use sign_in(), with one of: {', '.join(self.ways)}",
            topic="E-SIGN-IN-SETTING",
        )

    def _ports(self) -> tuple[int, ...]:
        """Return the ports for the browser's answer; none for any free port."""
        return self.redirect_ports

    def _make_issuer(self, network: Network) -> Issuer:
        raise NotImplementedError

    def _network_options(self) -> dict[str, Any]:
        return {}

    def _issuer(self) -> Issuer:
        if self._made_issuer is None:
            with needs_extra():
                with IMPORTING:
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
            place = self._place()
            option = f" --profile {shell_word(self.profile_name)}" if self.profile_name else ""
            remedy = f"'cognito-credentials login{option}'"
            # Only a profile can certainly be signed in to on the command line.
            is_profile = self._profile_settings and self.profile_name
            remedy = f"Run {remedy}" if is_profile else f"Sign in again: sign_in() in Python, or {remedy}"
            if self._store_of_app() is not None:
                remedy = "Sign in again: sign_in() in Python"
            self._engine = SignIn(
                place,
                self._issuer,
                self._clock,
                remedy,
                is_of_pool=self._is_of_pool,
                person=self._person,
            )
        return self._engine

    def _place(self) -> Place | OwnPlace:
        return self.files() if self._store_of_app() is None else self._place_of_app()

    def files(self) -> Place:
        """
        Return the files of the sign-in, where no app keeps it.

        Raises:
            CacheError: There is no home directory.
        """
        directory = self._directory or sign_in_directory(self._environ())
        return Place(directory, self._key(self.profile_name))

    def _key(self, profile_name: str | None) -> str:
        # Another endpoint is another sign-in: a refresh token of AWS must not be sent to an endpoint that an
        # environment variable names today.
        endpoint = self._network_options().get("endpoint_url")
        user = f"user:{self._user}" if self._user else None
        return key_of(profile_name, self.issuer, self.client_id, endpoint, user)

    def _store_of_app(self) -> SignInStore | None:
        """Return the store that the app has given, or the memory of the user; None for files."""
        if self._own_store is not None or self.store != "memory":
            return self._own_store
        with IMPORTING:
            from .kept.own_store import MemoryStore

        return self._memories.setdefault(self._user, MemoryStore())

    def _place_of_app(self) -> OwnPlace:
        key = self._key(None)  # the app's store keeps sign-ins apart by itself
        if self._own_place is None or self._own_place.key != key:
            with IMPORTING:
                from .kept.own_place import place_of_store
                from .kept.own_text import Belonging

            belonging = Belonging(key, self.issuer, self.client_id)
            self._own_place = place_of_store(self._store_of_app(), belonging)
        return self._own_place

    def _environ(self) -> Mapping[str, str]:
        return os.environ if self._given_environ is None else self._given_environ
