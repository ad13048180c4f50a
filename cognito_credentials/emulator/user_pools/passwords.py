"""Passwords of users: verified, counted when wrong, checked against the policy, and replaced."""

from __future__ import annotations

import string
from dataclasses import replace

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import User, UserPool, save_user
from cognito_credentials.emulator.user_pools import refusals
from cognito_credentials.emulator.user_pools.srp import Verifier

_KINDS = {
    "lowercase": (string.ascii_lowercase, "Password must have lowercase characters"),
    "uppercase": (string.ascii_uppercase, "Password must have uppercase characters"),
    "numbers": (string.digits, "Password must have numeric characters"),
    "symbols": (string.punctuation + " ", "Password must have symbol characters"),
}
PASSWORD_NEEDS = tuple(_KINDS)


def verifier_of(service: Service, pool: UserPool, user: User) -> Verifier | None:
    """
    The verifier of the user's password; None if the user has no password.

    A verifier takes milliseconds to compute, so those of a seed's users are computed when they sign in.
    """
    stored = user.password
    if "verifier" in stored:
        return Verifier(pool.group_name, user.name, int(stored["salt"], 16), int(stored["verifier"], 16))
    if "text" not in stored:
        return None
    verifier = Verifier.of_password(pool.group_name, user.name, stored["text"])
    save_user(service.state, replace(user, password=stored_password(verifier)))
    return verifier


def stored_password(verifier: Verifier) -> dict[str, str]:
    """The verifier as a user's ``password``."""
    return {"salt": f"{verifier.salt:x}", "verifier": f"{verifier.verifier:x}"}


def with_password(pool: UserPool, user: User, password: str) -> User:
    """The user with another password, confirmed and not locked any more."""
    verifier = Verifier.of_password(pool.group_name, user.name, password)
    return replace(
        user, password=stored_password(verifier), status="CONFIRMED", wrong_passwords=0, locked_until=0.0
    )


def check_policy(pool: UserPool, password: str, *, at_sign_in: bool = False) -> None:
    """
    Check a new password against the policy of the pool.

    Raises:
        ServiceError: InvalidPasswordException, with the first rule that it breaks.
    """
    if len(password) < pool.shortest_password:
        raise refusals.bad_password("Password not long enough", at_sign_in=at_sign_in)
    for need in pool.password_needs:
        letters, why = _KINDS[need]
        if not any(letter in letters for letter in password):
            raise refusals.bad_password(why, at_sign_in=at_sign_in)


def check_not_locked(user: User, now: float) -> None:
    """
    Refuse an attempt during a lockout, whatever the password.

    Raises:
        ServiceError: NotAuthorizedException.
    """
    if now < user.locked_until:
        raise refusals.password_attempts_exceeded()


def count_wrong_password(service: Service, user: User) -> ServiceError:
    """Count a wrong password, and lock the user for a while after several. Returns the error to answer."""
    number = user.wrong_passwords + 1
    late = number - assumed.WRONG_PASSWORDS_BEFORE_LOCKOUT
    seconds = min(2**late, assumed.LONGEST_LOCKOUT_SECONDS) if 0 <= late < 20 else 0
    seconds = assumed.LONGEST_LOCKOUT_SECONDS if late >= 20 else seconds
    save_user(
        service.state,
        replace(user, wrong_passwords=number, locked_until=service.clock.now() + seconds if seconds else 0.0),
    )
    return refusals.wrong_password()


def forget_wrong_passwords(service: Service, user: User) -> User:
    """The user after the right password."""
    if not user.wrong_passwords:
        return user
    return save_user(service.state, replace(user, wrong_passwords=0, locked_until=0.0))
