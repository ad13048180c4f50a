"""
A sign-in under way, and its session: what is stored between a challenge and its answer.

A session token is good for one accepted answer, and for a few minutes.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import (
    Device,
    Session,
    change_session,
    close_session,
    find_session,
    open_session,
)
from cognito_credentials.emulator.stored.user_pools import AppClient, User, UserPool
from cognito_credentials.emulator.user_pools import refusals

SESSION_KIND = "challenge"
_SESSION_BYTES = 48


@dataclass(frozen=True)
class Challenge:
    """
    What the user has to answer next.

    Attributes:
        name: ChallengeName, e.g. ``SOFTWARE_TOKEN_MFA`` or ``NEW_PASSWORD_REQUIRED``.
        session: The token that the answer has to bring. It is a secret, and good for one accepted answer.
        parameters: ChallengeParameters.
        choices: AvailableChallenges, for ``SELECT_CHALLENGE``.
    """

    name: str
    session: str
    parameters: Mapping[str, str]
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class SignedIn:
    """
    A user who has answered everything.

    Attributes:
        device: The device that the user signed in on: one that has proven itself, or a new one, which the
            client may confirm; None where the pool remembers no devices.
        is_new_device: Whether the client must be told about the device.
    """

    pool: UserPool
    client: AppClient
    user: User
    device: Device | None = None
    is_new_device: bool = False


@dataclass(frozen=True)
class Attempt:
    """
    A sign-in under way, as its session stores it.

    Attributes:
        name: The user name; as it was given, for a user who does not exist.
        sub: Empty for a user who does not exist, which the client may not find out.
        stage: The name of the challenge that is to be answered.
        code: The code that was sent.
        exchange: The numbers of SRP.
        choices: What the user may choose from.
        has_first_factor: Whether the challenge is about a second factor.
        totp_secret: Of an authenticator app that is being set up.
        totp_step: The number of the time step of its first code; 0 until that was right.
        is_used: Whether the challenge was answered.
    """

    pool_id: str
    client_id: str
    name: str
    sub: str = ""
    stage: str = ""
    device_key: str = ""
    code: str = ""
    exchange: Mapping[str, str] = field(default_factory=dict)
    choices: Sequence[str] = ()
    has_first_factor: bool = False
    wrong_codes: int = 0
    totp_secret: str = ""
    totp_step: int = 0
    is_used: bool = False


Outcome = Challenge | SignedIn | ServiceError
"""An error that is returned, not raised, keeps what the step has stored."""


def find_setup(service: Service, session: str) -> Session:
    stored = find_attempt(service, None, session, {})
    if attempt_of(stored).stage != "MFA_SETUP":
        raise refusals.invalid_session()
    return stored


def continued(service: Service, stored: Session, attempt: Attempt) -> str:
    """A new session token for *attempt*, in place of the one that was *stored*."""
    close_session(service.state, stored)
    token = new_token(service)
    now = service.clock.now()
    open_session(service.state, SESSION_KIND, token, asdict(attempt), stored.expires_at, now)
    return token


def find_attempt(
    service: Service, client: AppClient | None, token: str, responses: Mapping[str, str]
) -> Session:
    stored = find_session(service.state, SESSION_KIND, token)
    if stored is None:
        raise refusals.invalid_session()
    attempt = attempt_of(stored)
    if client is not None and attempt.client_id != client.id:
        raise refusals.invalid_session()
    if attempt.is_used:
        raise refusals.session_used()
    if service.clock.now() > stored.expires_at:
        raise refusals.session_expired()
    name = responses.get("USERNAME")
    if name is not None and name.casefold() not in (attempt.name.casefold(), attempt.sub):
        raise refusals.invalid_session()
    return stored


def attempt_of(stored: Session) -> Attempt:
    return Attempt(**stored.content)


def count_wrong_code(service: Service, stored: Session, error: ServiceError) -> ServiceError:
    """Count a wrong code. After the last one the session has ended."""
    attempt = attempt_of(stored)
    attempt = replace(attempt, wrong_codes=attempt.wrong_codes + 1)
    if attempt.wrong_codes >= assumed.WRONG_CODES:
        close_session(service.state, stored)
    else:
        change_session(service.state, stored, asdict(attempt))
    return error


def device_token(client: AppClient, sub: str, device_key: str) -> str:
    """
    A second token for the sign-in that waits for a device, for clients that leave out the session.

    It is no secret, and needs not to be: the answer has to prove the device's password.
    """
    return f"device {client.id} {sub} {device_key}"


def new_token(service: Service) -> str:
    """A token in base64 without padding: it is a SECRET_BLOCK, too."""
    token = base64.b64encode(secrets.token_bytes(_SESSION_BYTES)).decode()
    service.note_secret(token)
    return token
