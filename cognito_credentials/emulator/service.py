"""
The objects that all operations share: state, clock, keys and settings of one emulator, and the caller.

It knows nothing of HTTP: ``wire`` turns requests into calls of ``operations``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.logins.issuers import Issuers
from cognito_credentials.emulator.logins.keys import SigningKeys
from cognito_credentials.emulator.logins.verifier import LoginVerifier
from cognito_credentials.emulator.model.names import ACCOUNT_ID, DEFAULT_REGION, partition_of
from cognito_credentials.emulator.settings import Settings
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.sts.sessions import (
    AssumedRole,
    MintedCredentials,
    SessionMint,
    UserSession,
)
from cognito_credentials.emulator.trail import issued

DEFAULT_CREDENTIAL_SECONDS = 3600
_MOST_SENT_CODES = 100
_SEEDED = "seeded"  # remembered in the state: a data file is seeded only once


@dataclass(frozen=True)
class Caller:
    """
    The principal that made a call.

    Attributes:
        region: The region that the request was signed for.
        session: The session whose credentials signed; None for long-term keys of the account's developer.
    """

    arn: str
    account: str
    user_id: str
    region: str = DEFAULT_REGION
    session: AssumedRole | UserSession | None = None

    def in_region(self, region: str) -> Caller:
        """The same principal in *region*, with the partition of that region in the ARN."""
        return replace(self, region=region, arn=self.arn.replace("arn:aws:", f"arn:{partition_of(region)}:"))


ANONYMOUS = Caller("", "", "")
DEVELOPER = Caller(f"arn:aws:iam::{ACCOUNT_ID}:user/developer", ACCOUNT_ID, "AIDADEVELOPEREXAMPLE")


@dataclass(frozen=True)
class SentCode:
    """
    A code that a user pool would have sent by SMS or e-mail.

    Attributes:
        purpose: The challenge or the operation that it is for.
        medium: ``SMS`` or ``EMAIL``; ``TOTP`` where an authenticator app has the code.
        code: Empty for an authenticator app.
        sent_at: Seconds since the epoch, by the emulator's clock.
    """

    user_pool_id: str
    sub: str
    username: str
    purpose: str
    medium: str
    destination: str
    code: str
    sent_at: float


class Service:
    """
    State, clock, keys and settings of one emulator.

    Args:
        keys: RSA keys; None keeps keys in the state.
        add_seed: Adds the content of the seed to a new or reset state.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        offline: Fetch no keys from other machines.
        marker: Issue secrets that contain ``CANARY``, and list them in ``minted``.

    Attributes:
        about_seed: What ``GET /_emulator/seed`` answers.
        uses_seed: False when an earlier start has already seeded the state.
        minted: Every secret that was issued; None without *marker*.
        sent_codes: The last codes of user pools, the newest last.
    """

    def __init__(
        self,
        state: State,
        *,
        keys: SigningKeys | None = None,
        add_seed: Callable[[Service], None] | None = None,
        strict_auth: bool = False,
        strict_roles: bool = False,
        offline: bool = False,
        marker: bool = False,
    ) -> None:
        self.state = state
        self.clock = Clock()
        self.settings = Settings()
        self.keys = keys or SigningKeys(state)
        self.issuers = Issuers(state, self.keys, self.clock, offline)
        self.logins = LoginVerifier(state, self.keys, self.issuers, self.clock, self.settings)
        self.mint = SessionMint(state.session_key(), marker)
        self.strict_auth = strict_auth
        self.strict_roles = strict_roles
        self.minted: list[str] | None = [] if marker else None
        self.sent_codes: deque[SentCode] = deque(maxlen=_MOST_SENT_CODES)
        self.about_seed: Mapping[str, Any] = {}
        self._add_seed = add_seed
        with state.transaction():
            self.uses_seed = state.remembered(_SEEDED) is None
            if self.uses_seed:
                state.remember(_SEEDED, b"1")
                self._load_seed()

    def issue_credentials(self, session: AssumedRole | UserSession) -> MintedCredentials:
        """Issue credentials for *session*."""
        minted = self.mint.mint(session)
        self.note_secret(minted.secret_access_key, minted.session_token)
        ends = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(minted.expires_at))
        issued(f"the access key {minted.access_key_id} for {session.arn}, until {ends} UTC")
        return minted

    def note_secret(self, *secrets: str) -> None:
        """List *secrets* for tests that search for leaks."""
        if self.minted is not None:
            self.minted.extend(secrets)

    def reset(self) -> None:
        """Go back to the state of the start. Keys and issued credentials stay valid."""
        with self.state.transaction():
            self.state.reset()
            self._load_seed()
        self.issuers.forget()
        self.sent_codes.clear()
        self.settings.reset()
        self.clock.reset()

    def _load_seed(self) -> None:
        if self._add_seed is not None:
            self._add_seed(self)
