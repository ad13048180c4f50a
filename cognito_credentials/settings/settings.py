"""
The settings of one identity pool as a value, checked and frozen, and the cache keys made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ..digest import digest
from .shared_cache import SharedCache

if TYPE_CHECKING:
    from os import PathLike

DEFAULT_USERS_IN_MEMORY: Final = 10_000
"""About 40 MiB."""
DEFAULT_SESSION_NAME: Final = "cognito-credentials"
KEY_LENGTH: Final = 40
_KEY_SCHEMA: Final = "1"


class Arguments(TypedDict, total=False):
    """The settings as a program gives them; `IdentityPool` says what each means. None is not given."""

    identity_pool_id: str | None
    logins: object
    identity_id: str | None
    account_id: str | None
    developer_headers: str | None
    user: str | None
    flow: str | None
    custom_role_arn: str | None
    role_arn: str | None
    role_session_name: str | None
    duration_seconds: int | None
    policy: str | None
    cache: str | None
    cache_key: bytes | str | Sequence[bytes | str] | None
    requests_per_second: Mapping[str, float] | str | None
    users_in_memory: int | None
    directory: str | PathLike[str] | None
    endpoint_url: str | None
    sts_endpoint_url: str | None
    outage: type[BaseException] | tuple[type[BaseException], ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredLogins:
    """The logins as a profile or the command line names them; `pool.logins` makes sources of the texts."""

    origin: str = "nowhere"
    """Where it was written, for messages."""
    sources: Mapping[str | None, str] = field(default_factory=dict, repr=False)
    """Login provider name to the text of a source; None for a name is "as the token says"."""
    developer_headers: tuple[str, str] | None = field(default=None, repr=False)
    """The text of the source that has the headers for ``developer:URL``, and where it was written."""
    sign_in: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The profile's keys of `SIGN_IN_KEYS`; none where it signs in to nothing."""
    user_pools_endpoint: tuple[str, str] | None = None
    """Address of the user pools API where it is not AWS's, and where it was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One identity pool and all that is needed to get credentials from it; `load.load` makes it."""

    identity_pool_id: str
    region: str
    """The pool's, from its id; programs may use the credentials in other regions."""
    identity_id: str | None = None
    account_id: str | None = None
    logins: ConfiguredLogins | None = field(default_factory=ConfiguredLogins, repr=False)
    """What the profile or the command line says of the logins; None where a program gives its own."""
    user: str | None = None
    flow: str = "enhanced"
    custom_role_arn: str | None = None
    role_arn: str | None = None
    """Set exactly when the flow is basic; the next three settings are the basic flow's too."""
    role_session_name: str = DEFAULT_SESSION_NAME
    duration_seconds: int | None = None
    """None for the service's default, an hour."""
    policy: str | None = None
    cache: str = "file"
    """``file``, ``memory``, or ``redis``."""
    shared_cache: SharedCache | None = None
    """Set exactly when the cache is ``redis``."""
    cache_dir: str | None = None
    """Absolute; None where the environment names no home: then the cache is in memory."""
    sign_in_dir: str | None = None
    """Absolute; None for the directory of this machine's user."""
    cache_is_explicit: bool = False
    """Whether the user set the cache or its directory: then an unusable directory is an error."""
    users_in_memory: int = DEFAULT_USERS_IN_MEMORY
    """Of how many users of `for_user` this process holds credentials, beside those of objects in use."""
    endpoint_url: str | None = None
    """Cognito Identity's; None for AWS's own."""
    sts_endpoint_url: str | None = None
    profile: str | None = None
    """The profile in effect; None when there is none."""
    profile_settings: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """All of its keys but AWS keys; botocore's own settings are among them."""
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Setting -> where it was set, in words: "profile 'app'"; settings at their default are not in it."""

    def identity_key(self, principal: str) -> str:
        """
        Return the cache key of a principal's identity id; 40 hexadecimal characters.

        The account is not in it: a pool has one, and learning it later must not orphan an identity. Neither
        are partition and region: the pool id begins with them.

        Args:
            principal: Of `Logins.principal` or `ResolvedLogins.principal`.
        """
        parts = ("identity", _KEY_SCHEMA, self.endpoint_url, self.identity_pool_id, principal)
        return digest(*parts)[:KEY_LENGTH]

    def credentials_key(self, principal: str, providers: Iterable[str | None] = ()) -> str:
        """
        Return the cache key of a principal's credentials; 40 hexadecimal characters.

        Everything is in it that can make the service answer with other credentials.

        Args:
            principal: Of `Logins.principal` or `ResolvedLogins.principal`.
            providers: The login provider names, in any order; None for "as the token says".
        """
        names = digest(*sorted(name or "" for name in providers))
        return digest(
            *("credentials", _KEY_SCHEMA, self.endpoint_url, self.identity_pool_id, principal),
            *(names, self.identity_id, self.account_id, self.flow, self.custom_role_arn),
            *(self.role_arn, self.role_session_name, self.policy, self.sts_endpoint_url),
            None if self.duration_seconds is None else str(self.duration_seconds),
        )[:KEY_LENGTH]
