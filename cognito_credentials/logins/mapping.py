"""
The logins of one user: an ordered mapping of login provider names to sources, and what it resolves to.

The promises of this module: a source is asked once for each resolving, and once more if what it gave
has expired; logins that were configured never turn into guest access; and who the user is comes from
what the user cannot have made up (reliability.md T7).

Imports `errors`, `secret` and the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..digest import digest
from ..errors import ConfigurationError, clean
from ..secret import Secret
from .binding import TOKEN_BOUND, bound, reject
from .claims import unverified_subject
from .environment import EnvironmentSource
from .expiry import unexpired
from .file import FileSource
from .providers import check_claims, check_developer_provider, check_provider, own_identity_id
from .registry import Maker, names_source, parse_source
from .saml import checked_response, is_saml
from .source import LoginSource, describe, is_source
from .static import CallableSource, TokenSource

MOST_LOGINS = 10
"""Source: Cognito Identity API, LoginsMap."""

GUEST: Final = "guest"


@dataclass(frozen=True, slots=True)
class ResolvedLogins:
    """Login tokens that are ready to be sent."""

    tokens: dict[str, Secret]
    """Login provider name to token; empty for a guest."""
    identity_id: str | None
    """The identity the tokens themselves are for, where Cognito issued them (developer identities)."""
    principal: str
    """Whose credentials these will be: ``guest``, ``user:``, ``subject:`` or ``token:`` and a hash."""
    subject: str | None = None
    """
    Hash of whom the tokens claim to be about, unverified; None when they do not say.

    Good for one thing: to tell whether somebody else has signed in since, in the same process.
    """


@dataclass(frozen=True, slots=True)
class Logins:
    """
    Login providers and their sources, checked for shape; nothing has been asked yet.

    Make one with `Logins.of` from what a program was given, or `Logins.parse` from what a user wrote.
    """

    sources: tuple[tuple[str | None, LoginSource], ...] = ()
    """Login provider name and source; None for a name is "as the token says"."""
    origin: str = field(default="nowhere", compare=False)
    user: str | None = None
    """Who the configuration says this is, if it does."""

    @classmethod
    def of(cls, value: object, *, origin: str = "argument") -> Logins:
        """
        Make logins of what a program hands over.

        Args:
            value: Login provider name to token, function or `LoginSource`; or one of these alone, then
                the token names its provider. Empty or None for a guest. `Logins` are returned as they are.
            origin: Where it comes from, for messages.

        Raises:
            ConfigurationError: Something in it is no login; the message holds no value.
        """
        if isinstance(value, Logins):
            return value
        if value is None:
            return cls((), origin)
        if isinstance(value, Mapping):
            return cls(
                _checked([(name, _source(name, given, origin)) for name, given in value.items()], origin),
                origin,
            )
        # A sign-in knows its provider; of anything else the token tells.
        name = getattr(value, "provider", None) if is_source(value) else None
        return cls(_checked([(name, _source(name, value, origin))], origin), origin)

    @classmethod
    def parse(
        cls,
        texts: Mapping[str | None, str],
        *,
        origin: str,
        environ: Mapping[str, str] | None = None,
        others: Mapping[str, Maker] | None = None,
    ) -> Logins:
        """
        Make logins of what a user wrote in a profile or on a command line.

        Args:
            texts: Login provider name to the text of a source; None for a name is "as the token says".
            origin: Where it was written, for messages.
            environ: Where ``env:`` sources and ``~`` look; None for this process's environment.
            others: Scheme to what makes its sources, for those that lie above this package.

        Raises:
            ConfigurationError: Something in it is no login; the message holds no value.
        """
        for name, text in texts.items():
            if text.strip().startswith("developer:"):
                check_developer_provider(name, origin)
        pairs = [
            (name, parse_source(text, origin=origin, environ=environ, others=others))
            for name, text in texts.items()
        ]
        return cls(_checked(pairs, origin), origin)

    def joined(self, other: Logins) -> Logins:
        """
        Return these logins and the *other* ones.

        Raises:
            ConfigurationError: Both name the same provider, or they are too many.
        """
        twice = {name for name in self.providers if name} & {name for name in other.providers if name}
        if twice:
            raise ConfigurationError(
                f"logins from {self.origin}: {clean(min(twice), 80)} is in cognito_logins and signed in to",
                hint="Keep one of the two",
            )
        return replace(self, sources=_checked([*self.sources, *other.sources], self.origin))

    def of_user(self, user: str | None) -> Logins:
        """Return the logins of *user*: each has a sign-in of their own on this machine."""
        if user is None:
            return self
        own = [getattr(source, "of_user", lambda _, same=source: same)(user) for _, source in self.sources]
        return replace(self, sources=tuple(zip(self.providers, own, strict=True)), user=user)

    @property
    def is_guest(self) -> bool:
        """Whether there are no logins at all."""
        return not self.sources

    @property
    def providers(self) -> tuple[str | None, ...]:
        """The login provider names, as configured."""
        return tuple(provider for provider, _ in self.sources)

    @property
    def can_change(self) -> bool:
        """Whether asking again may give other tokens."""
        return not all(isinstance(source, TokenSource) for _, source in self.sources)

    @property
    def can_be_slow(self) -> bool:
        """Whether asking may take long: a program, a function, somebody's own source."""
        quick = (TokenSource, FileSource, EnvironmentSource)
        return not all(isinstance(source, quick) for _, source in self.sources)

    def _sign_ins(self) -> list[tuple[int, LoginSource]]:
        """Those that people sign in to with this package, and so have an account of ours."""
        return [(at, source) for at, (_, source) in enumerate(self.sources) if hasattr(source, "account")]

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """Say which files and variables decide who this is; None when something else does, too."""
        found: list[tuple[str, str]] = []
        # With a user the tokens of others do not matter.
        sources = [source for _, source in self.sources]
        for source in sources if self.user is None else [source for _, source in self._sign_ins()]:
            own = getattr(source, "depends", None)
            part = own() if callable(own) else None
            if part is None:
                return None
            found += part
        return tuple(found)

    def can_change_hands(self) -> bool:
        """Whether a file says whose a login is, so that another process may make it somebody else's."""
        return bool(self._asks_for_owners())

    def owners(self) -> tuple[str | None, ...]:
        """Say whose each login is that changes hands by a file: empty for nobody, None if unknown."""
        return tuple(ask() for ask in self._asks_for_owners())

    def _asks_for_owners(self) -> list[Callable[[], str | None]]:
        sources = self.sources if self.user is None else tuple(self.sources[at] for at, _ in self._sign_ins())
        asks = (getattr(source, "owner", None) for _, source in sources)
        return [ask for ask in asks if callable(ask)]

    def reject(self, tokens: Mapping[str, Secret]) -> None:
        """Tell sources that make tokens of their own that these are not taken any more."""
        for _, source in self.sources:
            for token in tokens.values():
                reject(source, token)

    def describe(self) -> list[str]:
        """Say where each token comes from, for people; never a token."""
        return [
            f"{clean(name or '(as the token says)', 120)} = {describe(source)}"
            for name, source in self.sources
        ]

    def principal(self) -> str | None:
        """Say who this is without asking for a token; None when only the tokens can tell."""
        return self._principal({})

    def resolve(self, now: float) -> ResolvedLogins:
        """
        Ask every source for its token.

        Args:
            now: The service's time, seconds since the epoch.

        Raises:
            LoginRequiredError: A source has no token, or an expired one even when asked again.
            ConfigurationError: A token is of the wrong kind or from another provider.
        """
        tokens: dict[str, Secret] = {}
        given: dict[int, Secret] = {}
        identity_id = None
        subjects: list[tuple[str, str] | None] = []
        for index, (configured, source) in enumerate(self.sources):
            token, claims = unexpired(source, configured, now)
            provider = check_claims(configured, claims, self.origin)
            if is_saml(provider):
                token = checked_response(token, provider, self.origin)
            if provider in tokens:
                raise ConfigurationError(
                    f"logins from {self.origin}: two tokens are from {clean(provider, 80)}",
                    hint="Give one",
                )
            tokens[provider] = given[index] = token
            identity_id = identity_id or own_identity_id(provider, claims)
            subjects.append(unverified_subject(claims) if claims else None)
        principal = self._principal(given)
        assert principal is not None  # noqa: S101  (for the type checker; every token was given)
        known = [text for subject in subjects if subject for text in subject]
        is_told = bool(subjects) and None not in subjects
        return ResolvedLogins(tokens, identity_id, principal, digest(*known) if is_told else None)

    def _principal(self, given: Mapping[int, Secret]) -> str | None:
        """Say who this is, by the tokens *given* where only they can tell."""
        if self.user is not None:
            # A guest is another person than the same user signed in, or the identity of the one would
            # be used with, and so linked to, the logins of the other. And who has signed in here is known
            # better than by a name: two people under one name are two.
            signed_in = [bound(source, given.get(at)) or "" for at, source in self._sign_ins()]
            return f"{GUEST if self.is_guest else 'user'}:{digest(self.user, *signed_in)}"
        if self.is_guest:
            return GUEST
        parts: list[tuple[str, str]] = []
        for index, (provider, source) in enumerate(self.sources):
            part = bound(source, given.get(index))
            if part is None:
                return None
            parts.append((provider or "", part))
        kind = TOKEN_BOUND if any(part.startswith(TOKEN_BOUND) for _, part in parts) else "subject:"
        return kind + digest(*(text for pair in sorted(parts) for text in pair))

    def __repr__(self) -> str:
        return f"Logins({', '.join(self.describe()) or GUEST})"


def _source(provider: object, given: object, origin: str) -> LoginSource:
    """Take a token, function or source that a program handed over."""
    shown = f" for {clean(provider, 80)}" if isinstance(provider, str) else ""
    if isinstance(given, (str, Secret)):
        source = TokenSource(given)
        if names_source(source.token().reveal()):
            raise ConfigurationError(
                f"logins from {origin}: the value{shown} names a source, but a token is expected here",
                hint="Use FileSource, EnvironmentSource or CommandSource of cognito_credentials.logins",
            )
        return source
    if is_source(given):
        return given  # type: ignore[return-value]  # is_source has just looked
    if callable(given) and not isinstance(given, type):
        return CallableSource(given)
    kind = given.__name__ if isinstance(given, type) else type(given).__name__
    raise ConfigurationError(
        f"logins from {origin}: the value{shown} is {'the class ' if isinstance(given, type) else ''}{kind}",
        hint="Give a token (str or Secret), a function that returns one, or a login source",
    )


def _checked(pairs: list[tuple[Any, LoginSource]], origin: str) -> tuple[tuple[str | None, LoginSource], ...]:
    if len(pairs) > MOST_LOGINS:
        raise ConfigurationError(
            f"logins from {origin}: {len(pairs)} logins; Cognito takes at most {MOST_LOGINS}",
            hint="Give those that this identity pool lists",
        )
    checked = [(None if name is None else check_provider(name, origin), source) for name, source in pairs]
    names = [name for name, _ in checked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:  # by its short name, too
        raise ConfigurationError(
            f"logins from {origin}: {clean(twice, 80)} is there twice", hint="Give one token or source for it"
        )
    return tuple(checked)
