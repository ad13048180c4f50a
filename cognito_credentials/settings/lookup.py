"""
Where a setting is found: argument before environment before profile, each setting on its own.

Knows what every setting is called in each place, and remembers where each was found, so that whatever
is said about it later can name the place to correct. What values mean is not known here.

Imports `configuration` and `errors`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from ..errors import ConfigurationError, clean
from .aws_config import choose_profile

T = TypeVar("T")


class Names(NamedTuple):
    """What one setting is called in each place; None where it cannot stand there."""

    environment: str | None
    profile_key: str | None


NAMES: Final[Mapping[str, Names]] = {
    "identity_pool_id": Names("AWS_COGNITO_IDENTITY_POOL_ID", "cognito_identity_pool_id"),
    "identity_id": Names("AWS_COGNITO_IDENTITY_ID", "cognito_identity_id"),
    "account_id": Names("AWS_ACCOUNT_ID", "aws_account_id"),
    "logins": Names(None, "cognito_logins"),
    "developer_headers": Names(None, "cognito_developer_headers"),
    "user": Names("AWS_COGNITO_USER", "cognito_user"),
    "flow": Names("AWS_COGNITO_FLOW", "cognito_flow"),
    "custom_role_arn": Names("AWS_COGNITO_CUSTOM_ROLE_ARN", "cognito_custom_role_arn"),
    "role_arn": Names("AWS_COGNITO_ROLE_ARN", "cognito_role_arn"),
    "role_session_name": Names("AWS_COGNITO_ROLE_SESSION_NAME", "cognito_role_session_name"),
    "duration_seconds": Names("AWS_COGNITO_DURATION_SECONDS", "cognito_duration_seconds"),
    "policy": Names("AWS_COGNITO_POLICY", "cognito_policy"),
    "cache": Names("AWS_COGNITO_CACHE", "cognito_cache"),
    # Botocore's own names for these, see `endpoints`.
    "endpoint_url": Names(None, None),
    "sts_endpoint_url": Names(None, None),
}
"""Every setting by the name of its argument (design.md 4.1)."""

SIGN_IN_KEYS: Final = (
    *("cognito_user_pool_id", "cognito_client_id", "cognito_domain", "cognito_sign_in"),
    *("cognito_oidc_issuer", "cognito_oidc_client_id", "cognito_oidc_scopes", "cognito_redirect_ports"),
    *("cognito_oidc_client_secret", "cognito_login_provider", "cognito_login_store"),
)
"""Profile keys of signing in (design.md 4.1)."""


_PREFIX: Final = "AWS_COGNITO_"
_OTHER_VARIABLES: Final = ("AWS_COGNITO_CACHE_DIR",)


def near_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """
    Find variables that are almost one of ours.

    Returns:
        Each with the one that was probably meant. It may be another program's all the same
        (``AWS_COGNITO_USER_POOL_ID``), so that it is no error.
    """
    ours = {names.environment for names in NAMES.values() if names.environment} | set(_OTHER_VARIABLES)
    tails = {name.removeprefix(_PREFIX): name for name in ours if name.startswith(_PREFIX)}
    found = []
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in ours and environ[name].strip():
            near = difflib.get_close_matches(name.removeprefix(_PREFIX), tails, n=1, cutoff=0.8)
            found += [(name, tails[word]) for word in near]
    return found


class Found(NamedTuple):
    """A setting as it was given, unchecked."""

    value: object
    origin: str
    """Where, in words: "argument", "AWS_COGNITO_FLOW", "profile 'app'"."""
    is_argument: bool


class Given:
    """
    All that was given, in all places.

    Args:
        arguments: By the names in `NAMES`; None is not given.
        environ: An empty variable is not set.
        config: The AWS config.
        profile: The one asked for explicitly, if any.
        origin: What arguments are called in messages.

    Raises:
        ConfigurationError: The profile does not exist.
    """

    def __init__(
        self,
        arguments: Mapping[str, object],
        environ: Mapping[str, str],
        config: Mapping[str, Any],
        profile: str | None,
        origin: str,
    ) -> None:
        unknown = sorted(set(arguments) - set(NAMES))
        if unknown:
            raise TypeError(f"there is no setting {unknown[0]!r}")
        self.environ = environ
        self.config = config
        self._arguments = arguments
        self._origin = origin
        # A program that names its pool itself needs no profile, whatever AWS_PROFILE is for.
        may_be_missing = arguments.get("identity_pool_id") is not None
        self.profile, self.profile_settings = choose_profile(
            config, environ, profile, may_be_missing=may_be_missing
        )
        self._is_of_another_pool = False
        self.profile_origin = f"profile '{clean(self.profile or '', 80)}'"
        self.origins: dict[str, str] = {}
        chosen, own = self.find("identity_pool_id"), self.profile_settings.get("cognito_identity_pool_id")
        # The logins, user and roles of one pool are not for another: a script that names its own pool
        # under somebody's AWS_PROFILE must not send it that profile's login.
        self._is_of_another_pool = own is not None and chosen is not None and chosen.value != own

    def find(self, name: str) -> Found | None:
        """Find a setting in the first place that has it."""
        names = NAMES[name]
        if self._arguments.get(name) is not None:
            return Found(self._arguments[name], self._origin, True)
        if names.environment and self.environ.get(names.environment, "").strip():
            return Found(self.environ[names.environment].strip(), names.environment, False)
        is_ours = not (self._is_of_another_pool and (names.profile_key or "").startswith("cognito_"))
        if names.profile_key and is_ours and names.profile_key in self.profile_settings:
            return Found(self.profile_settings[names.profile_key], self.profile_origin, False)
        return None

    def sign_in_settings(self) -> dict[str, str]:
        """Find what the profile says about signing in; nothing where another pool was chosen than its own."""
        if self._is_of_another_pool:
            return {}
        return {
            key: str(self.profile_settings[key]).strip()
            for key in SIGN_IN_KEYS
            if key in self.profile_settings
        }

    def take(self, name: str, check: Callable[[object, str], T]) -> T | None:
        """Find a setting, remember where, and check it; None when it was not given."""
        found = self.find(name)
        if found is None:
            return None
        self.origins[name] = found.origin
        return check(found.value, self.where(name))

    def where(self, name: str) -> str:
        """Name a setting that was found, and its origin."""
        return f"{name} from {self.origins[name]}"

    def profiles_with_a_pool(self) -> list[str]:
        """Name the profiles that have an identity pool, for whoever chose one that has none."""
        profiles = self.config.get("profiles") or {}
        key = NAMES["identity_pool_id"].profile_key
        return sorted(name for name, values in profiles.items() if key in values)

    def check_spelling(self) -> None:
        """Refuse a key that is almost one of ours: without ``cognito_logins`` a user would be a guest."""
        ours = {names.profile_key for names in NAMES.values() if names.profile_key} | set(SIGN_IN_KEYS)
        for key in self.profile_settings:
            if key in ours or not key.startswith("cognito"):
                continue
            near = difflib.get_close_matches(key, ours, n=1, cutoff=0.8)
            if near:
                raise ConfigurationError(
                    f"{clean(key, 60)} from {self.profile_origin} is not a setting",
                    hint=f"Did you mean {near[0]}?",
                )
