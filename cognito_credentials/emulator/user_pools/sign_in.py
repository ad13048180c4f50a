"""
Signing in to a user pool, as a machine without HTTP.

    step = begin_with_password(service, client, "ann", "secret")
    while isinstance(step, Challenge):
        step = respond(service, client, step.name, step.session, answers_of_the_user(step))
    tokens = issue_tokens(service, step)                 # in `tokens`

Each function is one step: the client, and what the user gave in; a `Challenge` that has to be answered next,
or `SignedIn`, out. Or it raises a ServiceError with the code and the text of the API: wrong password or code,
unconfirmed user, expired session. The API and the sign-in pages are two callers of the same machine.

A step stores what it has to remember, such as a wrong code, also where it raises: so it must not run in a
transaction that is undone by the error.

`steps` has what comes after what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import change_session
from cognito_credentials.emulator.stored.user_pools import AppClient, find_client, find_user
from cognito_credentials.emulator.user_pools import refusals, totp
from cognito_credentials.emulator.user_pools.attempt import (
    Challenge,
    Outcome,
    SignedIn,
    attempt_of,
    continued,
    count_wrong_code,
    device_token,
    find_attempt,
    find_setup,
)
from cognito_credentials.emulator.user_pools.steps import Steps

__all__ = [
    "Challenge",
    "SignedIn",
    "begin_totp",
    "begin_with_choice",
    "begin_with_password",
    "begin_with_srp",
    "client_of",
    "finish_totp",
    "respond",
]


def client_of(service: Service, client_id: str) -> AppClient:
    """
    The app client with that id.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    client = find_client(service.state, client_id)
    if client is None:
        raise refusals.client_not_found(client_id)
    return client


def begin_with_password(
    service: Service, client: AppClient, name: str, password: str, device_key: str = ""
) -> Challenge | SignedIn:
    """
    Sign in by user name and password, as USER_PASSWORD_AUTH and the sign-in page do.

    Args:
        device_key: The key of the device that the user comes back on, if the client knows one.
    """
    with service.state.transaction():
        outcome = Steps.begin(service, client, name, device_key).password(password)
    return _or_raised(outcome)


def begin_with_srp(
    service: Service, client: AppClient, name: str, client_value: str, device_key: str = ""
) -> Challenge:
    """Sign in by SRP, where *client_value* is SRP_A: ask for PASSWORD_VERIFIER."""
    with service.state.transaction():
        return Steps.begin(service, client, name, device_key).password_by_srp(client_value)


def begin_with_choice(
    service: Service,
    client: AppClient,
    name: str,
    preferred: str = "",
    given: Mapping[str, str] | None = None,
) -> Challenge | SignedIn:
    """
    Sign in by a first factor that the user chooses, as USER_AUTH does.

    Args:
        preferred: PREFERRED_CHALLENGE. Where the user has no such factor, SELECT_CHALLENGE asks.
        given: ``PASSWORD``, ``SRP_A`` and ``DEVICE_KEY``, as far as the client knows them.
    """
    given = given or {}
    with service.state.transaction():
        steps = Steps.begin(service, client, name, given.get("DEVICE_KEY", ""))
        outcome = steps.first_factor(preferred, given)
    return _or_raised(outcome)


def respond(
    service: Service, client: AppClient, name: str, session: str | None, responses: Mapping[str, str]
) -> Challenge | SignedIn:
    """
    Answer the challenge *name*.

    Args:
        session: The token of the challenge. Answers to SRP may leave it out: their SECRET_BLOCK is the same.
        responses: ChallengeResponses, e.g. ``SMS_MFA_CODE``, ``NEW_PASSWORD``, ``ANSWER``. ``USERNAME`` is
            compared with that of the sign-in if it is given.
    """
    with service.state.transaction():
        token = (
            session or responses.get("PASSWORD_CLAIM_SECRET_BLOCK") or _of_device(service, client, responses)
        )
        stored = find_attempt(service, client, token, responses)
        attempt = attempt_of(stored)
        if attempt.stage != name:
            raise refusals.invalid_session()
        outcome = Steps(service, client, attempt).answer(name, responses, stored)
        if not isinstance(outcome, ServiceError):
            change_session(service.state, stored, asdict(replace(attempt, is_used=True)))
    return _or_raised(outcome)


def begin_totp(service: Service, session: str) -> tuple[str, str]:
    """
    Make a secret for the authenticator app that MFA_SETUP asks for.

    Returns:
        The secret, and the session token to go on with.
    """
    with service.state.transaction():
        stored = find_setup(service, session)
        attempt = replace(attempt_of(stored), totp_secret=totp.new_secret())
        return attempt.totp_secret, continued(service, stored, attempt)


def finish_totp(service: Service, session: str, code: str) -> str:
    """
    Verify the first code of the authenticator app that is being set up.

    Returns:
        The session token to answer MFA_SETUP with.
    """
    with service.state.transaction():
        stored = find_setup(service, session)
        attempt = attempt_of(stored)
        secret = attempt.totp_secret
        step = totp.step_of(secret, code, service.clock.now()) if secret else None
        if step is not None:
            return continued(service, stored, replace(attempt, totp_step=step))
        wrong = count_wrong_code(service, stored, refusals.totp_setup_mismatch())
    raise wrong


def _of_device(service: Service, client: AppClient, responses: Mapping[str, str]) -> str:
    """The token of a sign-in that waits for a device. pycognito answers DEVICE_SRP_AUTH without it."""
    user = find_user(service.state, client.pool_id, responses.get("USERNAME", ""))
    return device_token(client, user.sub if user else "", responses.get("DEVICE_KEY", ""))


def _or_raised(outcome: Outcome) -> Challenge | SignedIn:
    """Raise an error that a step returned. Its transaction has ended, and what it stored remains."""
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome
