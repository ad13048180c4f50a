"""
The temporary credentials that the emulator issues and later verifies.

Nothing is stored for that: the access key id contains a tag, the secret is derived from the id, and the
session token contains the session itself, with a message authentication code. So issuing needs no
write, and credentials outlive their pool, as those of AWS do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

_TOKEN_PREFIX = "IQoJb3JpZ2luX2Vj"  # noqa: S105 - AWS's tokens begin so: "origin_ec" in base64
_TOKEN_MARKER = "CANARYtoken/"  # noqa: S105 - 12 letters keep the rest of the token valid base64
_SECRET_MARKER = "CANARYsecret"  # noqa: S105
_RECENT_SESSIONS = 10_000
_CONTENT_STARTS = (b'{"role_arn":"arn:', b'{"arn":"arn:')  # of AssumedRole and UserSession
_MIN_TOKEN_BYTES = 738  # About 1,000 characters of base64, as AWS's tokens have.


@dataclass(frozen=True)
class AssumedRole:
    """
    A session: a role that an identity has assumed.

    Attributes:
        expires_at: Whole seconds since the epoch.
        limited: Whether the service's session policies limit it, as a guest's of the enhanced flow.
        policy: The caller's session policy, as JSON; empty without one.
        policy_arns: The caller's managed policies.
        amr: How the identity was authenticated, as in the trust policy's ``amr``; empty for another session.
        transitive_tag_keys: The tags that go on to sessions which this one assumes.
        source_identity: Who began the chain, as the caller said; empty without one.
        assumed_by: The caller of AssumeRole: ``arn``, and ``identity_id`` and ``pool_id`` of the identity
            that began the chain.
    """

    role_arn: str
    session_name: str
    expires_at: int
    identity_id: str = ""
    pool_id: str = ""
    limited: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    policy_arns: Sequence[str] = ()
    amr: Sequence[str] = ()
    transitive_tag_keys: Sequence[str] = ()
    source_identity: str = ""
    assumed_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """The ARN of the session. It has the role's name without its path; reference/service.md#9.4.4."""
        partition = self.role_arn.split(":")[1]
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.role_name}/{self.session_name}"

    @property
    def user_id(self) -> str:
        """The role's unique id and the session name."""
        return f"{role_id(self.role_arn)}:{self.session_name}"


@dataclass(frozen=True)
class UserSession:
    """
    A session of the account's developer, from GetSessionToken. It may do what the user may.

    Attributes:
        arn: The ARN of the user.
        expires_at: Whole seconds since the epoch.
        has_mfa: The caller gave the code of an MFA device.
    """

    arn: str
    user_id: str
    expires_at: int
    has_mfa: bool = False

    @property
    def account(self) -> str:
        """The user's account."""
        return self.arn.split(":")[4]


def role_id(role_arn: str) -> str:
    """The unique id of a role."""
    digest = base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()
    return f"AROA{digest[:17]}"


@dataclass(frozen=True)
class MintedCredentials:
    """Temporary credentials as the caller gets them."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: int


class SessionMint:
    """
    Issues credentials, and verifies those that it issued.

    Args:
        key: Secret bytes. Every mint with the same key verifies the credentials.
        marker: Put a word into every secret that tests for leaks can search for.
    """

    def __init__(self, key: bytes, marker: bool = False) -> None:
        self._key = key
        self._marker = marker
        self._recent: OrderedDict[str, AssumedRole | UserSession] = OrderedDict()

    def mint(self, session: AssumedRole | UserSession) -> MintedCredentials:
        """Issue credentials for *session*."""
        random = base64.b32encode(secrets.token_bytes(5)).decode()
        access_key_id = f"ASIA{random}{self._id_tag(random)}"
        content = json.dumps(asdict(session), separators=(",", ":")).encode()
        # The bytes after the JSON only give the token the length that AWS's tokens have.
        body = content + b"\0" + secrets.token_bytes(max(_MIN_TOKEN_BYTES - len(content), 16))
        tag = self._hmac(b"token", access_key_id.encode(), body)
        encoded = base64.b64encode(tag + body).decode()
        marker = _TOKEN_MARKER if self._marker else ""
        token = f"{_TOKEN_PREFIX}{marker}{encoded}"
        secret = self._secret(access_key_id, self._marker)
        self._recent[access_key_id] = session
        if len(self._recent) > _RECENT_SESSIONS:
            self._recent.popitem(last=False)
        return MintedCredentials(access_key_id, secret, token, session.expires_at)

    def issued(self, access_key_id: str) -> bool:
        """Whether a mint with this key issued *access_key_id*."""
        if len(access_key_id) != 20 or not access_key_id.isascii():
            return False
        random, tag = access_key_id[4:12], access_key_id[12:]
        return access_key_id.startswith("ASIA") and hmac.compare_digest(tag, self._id_tag(random))

    def recent(self, access_key_id: str) -> AssumedRole | UserSession | None:
        """The session of *access_key_id*, if it is among the last that this process issued."""
        return self._recent.get(access_key_id)

    def sessions(self) -> Mapping[str, AssumedRole | UserSession]:
        """The last sessions that this process issued, by access key id, the oldest first."""
        return dict(self._recent)

    def open(self, access_key_id: str, session_token: str) -> tuple[AssumedRole | UserSession, str] | None:
        """
        The session of *session_token*, and the secret access key.

        Returns:
            None if the token was not issued with *access_key_id*.
        """
        tag, body, marked = _parts(session_token)
        if not hmac.compare_digest(tag, self._hmac(b"token", access_key_id.encode(), body)):
            return None
        content: dict[str, Any] = json.loads(body.partition(b"\0")[0])
        kind = AssumedRole if "role_arn" in content else UserSession
        return kind(**content), self._secret(access_key_id, marked)

    def is_of_another(self, session_token: str) -> bool:
        """
        Whether another emulator issued *session_token*, such as this one before it was started anew.

        The content of a token stands in it as JSON. A token of AWS, or one that somebody made up, has none.
        """
        return _parts(session_token)[1].startswith(_CONTENT_STARTS)

    def _secret(self, access_key_id: str, marked: bool) -> str:
        secret = base64.b64encode(self._hmac(b"secret", access_key_id.encode())[:30]).decode()
        return _SECRET_MARKER + secret[len(_SECRET_MARKER) :] if marked else secret

    def _id_tag(self, random: str) -> str:
        return base64.b32encode(self._hmac(b"id", random.encode())[:5]).decode()

    def _hmac(self, *parts: bytes) -> bytes:
        return hmac.new(self._key, b"\0".join(parts), hashlib.sha256).digest()


def _parts(session_token: str) -> tuple[bytes, bytes, bool]:
    """The tag and the body of a token, both empty where it is not base64, and whether it has the marker."""
    encoded = session_token.removeprefix(_TOKEN_PREFIX)
    marked = encoded.startswith(_TOKEN_MARKER)
    try:
        data = base64.b64decode(encoded.removeprefix(_TOKEN_MARKER), validate=True)
    except ValueError:
        return b"", b"", marked
    return data[:32], data[32:], marked
