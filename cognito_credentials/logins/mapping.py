"""
The logins of one user: login provider names and sources, the principal they name, and their tokens.

`Logins.resolve` asks each source once, and once more if its token has expired. Logins that are configured
never turn into guest access. The principal comes only from what another user cannot make up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..digest import digest
from ..errors import ConfigurationError, LoginRequiredError, clean
from ..secret import Secret
from .claims import unverified_subject
from .program import source_of
from .providers import check_claims, check_provider, checked_saml_response, is_saml, own_identity_id
from .schemes import Maker, parse_source
from .source import TOKEN_BOUND, Outage, Source, ask_unexpired, describe, input_of, principal_part

MOST_LOGINS = 10
"""Source: Cognito Identity API, LoginsMap."""

GUEST: Final = "guest"
NOBODY: Final = "nobody is signed in"


@dataclass(frozen=True, slots=True)
class ResolvedLogins:
    """Login tokens that are ready to be sent."""

    tokens: dict[str, Secret]
    """Login provider name to token; empty for a guest."""
    identity_id: str | None
    """The identity that the tokens are for, where Cognito issued them (developer identities)."""
    principal: str
    """The user in the cache: ``guest``, or ``user:``, ``subject:`` or ``token:`` and a hash."""
    subject: str | None = None
    """
    Hash of the subjects that the tokens claim, unverified; None where one claims none.

    It serves only to tell whether another user has signed in since, in the same process.
    """


@dataclass(frozen=True, slots=True)
class Logins:
    """
    Login providers and their sources, checked for shape; no source has been asked yet.

    `Logins.of` makes them of what a program hands over, `Logins.parse` of what a user wrote.
    """

    sources: tuple[tuple[str | None, Source], ...] = ()
    """Login provider name and source; None for a name is "as the token says"."""
    origin: str = field(default="nowhere", compare=False)
    user: str | None = None
    """
    The user's name in the settings, where they name one.

    It is the principal by itself, whatever the tokens say: whoever names a user is that user.
    """
    derived: frozenset[str] = frozenset()
    """The login provider names that follow from an issuer, and that nobody wrote."""
    outage: Outage = field(default=(), compare=False)
    """Errors by which the sources say that they cannot reach what they ask, beside those that are known."""

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
                _checked([(name, source_of(given, name, origin)) for name, given in value.items()], origin),
                origin,
            )
        source = source_of(value, None, origin)
        derived = {source.provider} if source.provider and source.has_derived_provider else ()
        return cls(_checked([(source.provider, source)], origin), origin, derived=frozenset(derived))

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
            others: Scheme -> maker, for sources of classes above this folder.

        Raises:
            ConfigurationError: Something in it is no login; the message holds no value.
        """
        pairs = [
            (name, parse_source(text, provider=name, origin=origin, environ=environ, others=others))
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
                topic="E-LOGINS",
            )
        sources = _checked([*self.sources, *other.sources], self.origin)
        return replace(self, sources=sources, derived=self.derived | other.derived)

    def of_user(self, user: str | None, directory: str | None = None) -> Logins:
        """
        Return the logins of one pool.

        Args:
            user: The user, who has a sign-in apart from other users of this machine; None for no such user.
            directory: The program's own directory of sign-ins; None for that of this machine's user.
        """
        sources = [
            (name, source.of_user(user) if user is not None or source.is_sign_in else source)
            for name, source in self.sources
        ]
        if directory is not None:
            sources = [(name, source.in_directory(directory)) for name, source in sources]
        return replace(self, sources=tuple(sources), user=user)

    @property
    def is_guest(self) -> bool:
        """Whether there are no logins at all."""
        return not self.sources

    @property
    def has_sign_in(self) -> bool:
        """Whether a person signs in to one of them, on this machine."""
        return any(source.is_sign_in for _, source in self.sources)

    @property
    def providers(self) -> tuple[str | None, ...]:
        """The login provider names, as configured."""
        return tuple(provider for provider, _ in self.sources)

    @property
    def can_change(self) -> bool:
        """Whether the sources may give other tokens when they are asked again."""
        return any(source.can_change for _, source in self.sources)

    @property
    def can_be_slow(self) -> bool:
        """Whether a source may take long: a program, a function, a source of somebody else."""
        return not all(source.is_quick for _, source in self.sources)

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """
        Return the files and variables that decide the principal.

        Returns:
            (``file``, path) or (``env``, name) of each; None when anything else decides.
        """
        found: list[tuple[str, str]] = []
        for source in self._deciding():
            part = source.depends()
            if part is None:
                return None
            found += part
        return tuple(found)

    def can_change_owner(self) -> bool:
        """Tell whether another process can make a login another person's, by a file."""
        return any(source.can_change_owner for source in self._deciding())

    def owners(self) -> tuple[str | None, ...]:
        """Name the owner of each login that can change hands: empty for nobody, None for unknown."""
        return tuple(source.owner() for source in self._deciding() if source.can_change_owner)

    def _deciding(self) -> list[Source]:
        """Return the sources that decide the principal: with a user, only those that people sign in to."""
        return [source for _, source in self.sources if self.user is None or source.is_sign_in]

    def inputs(self) -> tuple[str | None, ...]:
        """Name what each source would give now (`input_of`); empty for a guest."""
        return tuple(input_of(source) for _, source in self.sources)

    def reject(self, tokens: Mapping[str, Secret]) -> None:
        """Have the sources note that the service refused *tokens*."""
        for _, source in self.sources:
            for token in tokens.values():
                source.reject(token)

    def describe(self) -> list[str]:
        """Say for people where each token comes from; never a token."""
        # The description of a sign-in ends with its provider, which is named once.
        return [
            f"{clean(name or '(as the token says)', 120)} = {describe(source).removesuffix(f':{name}')}"
            for name, source in self.sources
        ]

    def title(self) -> str:
        """Say for people who the principal is: ``guest``, ``user 'name'``, or which logins."""
        if self.user is not None:
            return f"user '{self.user}'" + (" (guest)" if self.is_guest else "")
        return "guest" if self.is_guest else ", ".join(self.describe())

    def principal(self) -> str | None:
        """Return the principal without asking for a token; None when only the tokens can tell."""
        return self._principal({})

    def why_unknown(self) -> str:
        """Say why `principal` is None, asking only sources that answer at once."""
        for provider, source in self.sources:
            if principal_part(source, None, self.outage) is not None:
                continue
            if source.is_sign_in:
                return NOBODY
            of = f" for {clean(provider, 80)}" if provider else ""
            if source.is_quick:
                try:
                    source.token()
                except LoginRequiredError as error:
                    return f"{error.message}; with user set (cognito_user) it would not matter"
                return f"the login token{of} does not name its user; cognito_user does (user in Python)"
            return f"only a login token{of} names the user; cognito_user does at once (user in Python)"
        return NOBODY

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
            token, claims = ask_unexpired(source, configured, now, self.outage)
            provider = check_claims(configured, claims, self.origin, is_derived=configured in self.derived)
            if is_saml(provider):
                token = checked_saml_response(token, provider, self.origin)
            if provider in tokens:
                raise ConfigurationError(
                    f"logins from {self.origin}: two tokens are from {clean(provider, 80)}",
                    hint="Give one",
                    topic="E-LOGINS",
                )
            tokens[provider] = given[index] = token
            identity_id = identity_id or own_identity_id(provider, claims)
            subjects.append(unverified_subject(claims) if claims else None)
        principal = self._principal(given)
        assert principal is not None  # noqa: S101  (for the type checker; every token was given)
        known = [text for subject in subjects if subject for text in subject]
        are_known = bool(subjects) and None not in subjects
        return ResolvedLogins(tokens, identity_id, principal, digest(*known) if are_known else None)

    def _principal(self, given: Mapping[int, Secret]) -> str | None:
        """
        Return the principal.

        Args:
            given: Tokens by the index of their source, as far as they have been asked for.
        """
        if self.user is not None:
            # "guest:" and "user:": one identity must not serve the user both as a guest and signed in, or the
            # service would link it to the logins. And two people who sign in under one name are two users.
            accounts = [
                principal_part(source, given.get(index), self.outage) or ""
                for index, (_, source) in enumerate(self.sources)
                if source.is_sign_in
            ]
            return f"{GUEST if self.is_guest else 'user'}:{digest(self.user, *accounts)}"
        if self.is_guest:
            return GUEST
        parts: list[tuple[str, str]] = []
        for index, (provider, source) in enumerate(self.sources):
            part = principal_part(source, given.get(index), self.outage)
            if part is None:
                return None
            parts.append((provider or "", part))
        kind = TOKEN_BOUND if any(part.startswith(TOKEN_BOUND) for _, part in parts) else "subject:"
        return kind + digest(*(text for pair in sorted(parts) for text in pair))

    def __repr__(self) -> str:
        return f"Logins({', '.join(self.describe()) or GUEST})"


def _checked(pairs: list[tuple[Any, Source]], origin: str) -> tuple[tuple[str | None, Source], ...]:
    if len(pairs) > MOST_LOGINS:
        raise ConfigurationError(
            f"logins from {origin}: {len(pairs)} logins; Cognito takes at most {MOST_LOGINS}",
            hint="Give those that this identity pool lists",
            topic="E-LOGINS",
        )
    checked = [(None if name is None else check_provider(name, origin), source) for name, source in pairs]
    names = [name for name, _ in checked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:  # perhaps once by its short name
        raise ConfigurationError(
            f"logins from {origin}: {clean(twice, 80)} is there twice",
            hint="Give one token or source for it",
            topic="E-LOGINS",
        )
    return tuple(checked)
