"""
One set of temporary credentials, and its spellings.

| here              | Cognito     | STS             | credential_process | environment               |
|-------------------|-------------|-----------------|--------------------|---------------------------|
| access_key_id     | AccessKeyId | AccessKeyId     | AccessKeyId        | AWS_ACCESS_KEY_ID         |
| secret_access_key | SecretKey   | SecretAccessKey | SecretAccessKey    | AWS_SECRET_ACCESS_KEY     |
| session_token     | SessionToken| SessionToken    | SessionToken       | AWS_SESSION_TOKEN         |
| expires_at        | Expiration  | Expiration      | Expiration         | AWS_CREDENTIAL_EXPIRATION |
| account_id        | -           | -               | AccountId          | AWS_ACCOUNT_ID            |

A container's credentials endpoint spells them as ``credential_process`` does; the session token is ``Token``.

They are converted here and nowhere else. An expiration is never rewritten: every reader gets the one that
the service sent.

A cache hit of the command line loads this file: at import there is neither typing, json nor datetime, each of
which takes longer than the whole answer.
"""

from __future__ import annotations

import time

from .errors import ServiceError
from .secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, NoReturn

SHORTEST_LIFETIME_SECONDS = 60
LONGEST_LIFETIME_SECONDS = 12 * 3600 + 300
"""
STS gives at most 12 hours; five minutes more are for clocks.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""


class TemporaryCredentials:
    """
    An access key, its secret and its session token, always of one generation; immutable.

    Args:
        access_key_id: ``ASIA…``.
        secret_access_key: Text or `Secret`.
        session_token: Text or `Secret`.
        expires_at: Seconds since the epoch, as the service sent it.
        account_id: The AWS account, 12 digits; None when unknown.
    """

    __slots__ = (
        "access_key_id",
        "account_id",
        "expires_at",
        "secret_access_key",
        "session_token",
    )

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: int
    account_id: str | None

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str | Secret,
        session_token: str | Secret,
        expires_at: int,
        account_id: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "access_key_id", access_key_id)
        put(self, "secret_access_key", _secret(secret_access_key))
        put(self, "session_token", _secret(session_token))
        put(self, "expires_at", expires_at)
        put(self, "account_id", account_id)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("temporary credentials are immutable; ask for new ones")

    @property
    def expiration(self) -> datetime:
        """The expiration that the service sent, as an aware time in UTC."""
        from datetime import datetime, timezone

        return datetime.fromtimestamp(self.expires_at, timezone.utc)

    def __repr__(self) -> str:
        return (
            f"TemporaryCredentials(access_key_id=…{self.access_key_id[-4:]}, secret_access_key=<redacted>, "
            f"session_token=<redacted>, expiration={iso(self.expires_at)})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TemporaryCredentials):
            return NotImplemented
        return (
            self.access_key_id == other.access_key_id
            and self.secret_access_key == other.secret_access_key
            and self.session_token == other.session_token
            and self.expires_at == other.expires_at
            and self.account_id == other.account_id
        )

    def __hash__(self) -> int:
        return hash((self.access_key_id, self.expires_at))

    def __reduce__(self) -> NoReturn:
        raise TypeError("temporary credentials refuse to be pickled; pickle the settings instead")

    def to_process(self) -> str:
        """
        Spell them as one line of JSON for ``credential_process``.

        No quoting is needed: no part can hold a quote or a backslash.

        Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
        """
        account = f', "AccountId": "{self.account_id}"' if self.account_id else ""
        return (
            f'{{"Version": 1, "AccessKeyId": "{self.access_key_id}", '
            f'"SecretAccessKey": "{self.secret_access_key.reveal()}", '
            f'"SessionToken": "{self.session_token.reveal()}", '
            f'"Expiration": "{iso(self.expires_at)}"{account}}}'
        )

    def to_container(self) -> str:
        """
        Spell them as the JSON that the container-credentials endpoint of `serve` answers with.

        Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
        """
        account = f', "AccountId": "{self.account_id}"' if self.account_id else ""
        return (
            f'{{"AccessKeyId": "{self.access_key_id}", '
            f'"SecretAccessKey": "{self.secret_access_key.reveal()}", '
            f'"Token": "{self.session_token.reveal()}", '
            f'"Expiration": "{iso(self.expires_at)}"{account}}}'
        )

    def to_environment(self) -> dict[str, str]:
        """
        Spell them as the environment variables that the SDKs read.

        Source: ``EnvProvider`` in https://github.com/boto/botocore/blob/develop/botocore/credentials.py
        """
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key.reveal(),
            "AWS_SESSION_TOKEN": self.session_token.reveal(),
            "AWS_CREDENTIAL_EXPIRATION": iso(self.expires_at),
        }
        if self.account_id:
            variables["AWS_ACCOUNT_ID"] = self.account_id
        return variables

    def to_record(self) -> dict[str, str | int]:
        """Spell them as the fields of a cache record; an unknown account is empty text."""
        return {
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key.reveal(),
            "session_token": self.session_token.reveal(),
            "expires_at": self.expires_at,
            "account_id": self.account_id or "",
        }

    @classmethod
    def from_cognito(cls, answer: Mapping[str, Any], account_id: str | None = None) -> TemporaryCredentials:
        """
        Read the ``Credentials`` of a GetCredentialsForIdentity answer, as botocore parsed it.

        Raises:
            ServiceError: A part is missing or malformed.
        """
        return cls._from_answer(answer, "SecretKey", account_id)

    @classmethod
    def from_sts(cls, answer: Mapping[str, Any], account_id: str | None = None) -> TemporaryCredentials:
        """
        Read the ``Credentials`` of an AssumeRoleWithWebIdentity answer, as botocore parsed it.

        Raises:
            ServiceError: A part is missing or malformed.
        """
        return cls._from_answer(answer, "SecretAccessKey", account_id)

    @classmethod
    def _from_answer(
        cls, answer: Mapping[str, Any], secret_name: str, account_id: str | None
    ) -> TemporaryCredentials:
        expiration = answer.get("Expiration") if isinstance(answer, dict) else None
        timestamp = getattr(expiration, "timestamp", None)
        if timestamp is None:
            raise ServiceError(
                "the service's answer holds no credentials with an expiration", topic="E-ANSWER"
            )
        return checked(
            answer.get("AccessKeyId"),
            answer.get(secret_name),
            answer.get("SessionToken"),
            int(timestamp()),
            account_id,
        )


def checked(
    access_key_id: object,
    secret_access_key: object,
    session_token: object,
    expires_at: int,
    account_id: str | None,
) -> TemporaryCredentials:
    """
    Make credentials of parts from outside, or refuse them.

    Raises:
        ServiceError: A part is missing, has a character that no AWS credential has, or is too long.
    """
    if not (
        isinstance(access_key_id, str)
        and 16 <= len(access_key_id) <= 128
        and access_key_id.isascii()
        and access_key_id.isalnum()
        and access_key_id.isupper()
    ):
        raise ServiceError("the service's answer holds no valid access key id", topic="E-ANSWER")
    for name, value in (("secret key", secret_access_key), ("session token", session_token)):
        if not (isinstance(value, str) and value and len(value) <= 16_384 and is_plain(value)):
            raise ServiceError(f"the service's answer holds no valid {name}", topic="E-ANSWER")
    if account_id is not None and not (len(account_id) == 12 and account_id.isdecimal()):
        raise ServiceError("the account id is not 12 digits", topic="E-ANSWER")
    assert isinstance(secret_access_key, str)  # noqa: S101  (for the type checker; checked above)
    assert isinstance(session_token, str)  # noqa: S101
    return TemporaryCredentials(access_key_id, secret_access_key, session_token, expires_at, account_id)


def is_plain(text: str) -> bool:
    """Tell whether *text* is printable ASCII that needs no quoting in JSON, shells' quotes or INI."""
    return text.isascii() and text.isprintable() and not any(c in text for c in "\"\\' `$")


def iso(seconds: int) -> str:
    """Write *seconds* since the epoch as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)
