"""
The emulated service: everything that the operations share, and the one way to call them.

It knows nothing of HTTP; http.py turns requests into calls and errors into answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.issuers import Issuers
from cognito_credentials.emulator.keys import SigningKeys
from cognito_credentials.emulator.sessions import AssumedRole, MintedCredentials, SessionMint
from cognito_credentials.emulator.settings import Settings
from cognito_credentials.emulator.shapes import OperationModel, load_service_model
from cognito_credentials.emulator.signatures import Caller
from cognito_credentials.emulator.state import State

if TYPE_CHECKING:
    from cognito_credentials.emulator.seed import Seed

DEFAULT_CREDENTIAL_SECONDS = 3600
_SEEDED = "seeded"  # a data file that was seeded once is not seeded again


class Service:
    """
    State, clock, keys and settings of one emulator.

    Args:
        state: Where everything is stored.
        keys: RSA keys; None makes them in the state.
        seed: What a new or reset state holds.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        marker: Mint secrets that a leak guard can find, and keep a list of them.
    """

    def __init__(
        self,
        state: State,
        *,
        keys: SigningKeys | None = None,
        seed: Seed | None = None,
        strict_auth: bool = False,
        strict_roles: bool = False,
        marker: bool = False,
    ) -> None:
        self.state = state
        self.clock = Clock()
        self.keys = keys or SigningKeys(state)
        self.issuers = Issuers(state, self.keys, self.clock)
        self.mint = SessionMint(state.session_key(), marker)
        self.settings = Settings()
        self.strict_auth = strict_auth
        self.strict_roles = strict_roles
        self.minted: list[str] | None = [] if marker else None
        self._seed = seed
        with state.transaction():
            self.uses_seed = state.remembered(_SEEDED) is None
            if self.uses_seed:
                state.remember(_SEEDED, b"1")
                self._plant()

    def operation(self, name: str) -> OperationModel:
        """
        The model of a Cognito Identity operation.

        Raises:
            ServiceError: There is none of that name, or it is not emulated.
        """
        from cognito_credentials.emulator.operations import OPERATIONS

        model = load_service_model("cognito-identity").operations.get(name)
        if model is None or name not in OPERATIONS:
            raise assumed.unknown_operation()
        return model

    def call(self, operation: OperationModel, request: Any, caller: Caller) -> Mapping[str, Any] | None:
        """
        Do one operation, all or nothing.

        Args:
            request: The JSON value of the body; it is checked here.
            caller: Who asks; public operations do not care.

        Returns:
            The answer, None for an operation without one.

        Raises:
            ServiceError: The service refuses.
            KeysNeededError: A login provider's keys must be fetched first.
        """
        from cognito_credentials.emulator.operations import OPERATIONS

        checked = operation.check(request)
        with self.state.transaction():
            return OPERATIONS[operation.name](self, checked, caller)

    def issue_credentials(self, session: AssumedRole) -> MintedCredentials:
        """Mint credentials for *session*."""
        minted = self.mint.mint(session)
        self.note_secret(minted.secret_access_key, minted.session_token)
        return minted

    def note_secret(self, *secrets: str) -> None:
        """Keep *secrets* for the leak guard."""
        if self.minted is not None:
            self.minted.extend(secrets)

    def is_signed_out(self, provider: str, subject: str) -> bool:
        """True when the user was signed out everywhere, or deleted, at the provider."""
        found = self.state.row(
            "SELECT signed_out FROM users WHERE provider = ? AND subject = ?", provider, subject
        )
        return bool(found and found["signed_out"])

    def _plant(self) -> None:
        if self._seed is not None:
            self._seed.plant(self)

    def reset(self) -> None:
        """Go back to the state of the start; keys and issued credentials stay good."""
        with self.state.transaction():
            self.state.reset()
            self._plant()
        self.issuers.forget()
        self.settings = Settings()
        self.clock.offset = self.clock.passed = 0.0
