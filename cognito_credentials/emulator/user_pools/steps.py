"""
The steps of one sign-in: what the user gave in, and what is asked for next.

The order is: password or another first factor, state of the user, new password, device, second factor.
Source: reference/service.md#12.3.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import (
    Device,
    Session,
    close_session,
    find_device,
    open_session,
    save_device,
)
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    User,
    UserPool,
    find_user,
    find_user_by_sub,
    find_user_pool,
    save_user,
)
from cognito_credentials.emulator.trail import checked, decided
from cognito_credentials.emulator.user_pools import codes, passwords, refusals, totp
from cognito_credentials.emulator.user_pools.attempt import (
    SESSION_KIND,
    Attempt,
    Challenge,
    Outcome,
    SignedIn,
    count_wrong_code,
    device_token,
    new_token,
)
from cognito_credentials.emulator.user_pools.attributes import check_attributes
from cognito_credentials.emulator.user_pools.srp import Exchange, Verifier, read_number, read_timestamp

SECOND_FACTORS = {"totp": "SOFTWARE_TOKEN_MFA", "sms": "SMS_MFA", "email": "EMAIL_OTP"}
"""A user's second factors, and the challenges for them."""
_MEDIA = {"SMS_MFA": "SMS", "SMS_OTP": "SMS", "EMAIL_OTP": "EMAIL", "SOFTWARE_TOKEN_MFA": "TOTP"}
_FIRST_CODES = ("SMS_OTP", "EMAIL_OTP")


@dataclass(frozen=True)
class Steps:
    """The steps of one sign-in. Each runs in the transaction of its caller."""

    service: Service
    client: AppClient
    attempt: Attempt

    @classmethod
    def begin(cls, service: Service, client: AppClient, name: str, device_key: str) -> Steps:
        if len(name) > assumed.LONGEST_USER_NAME:  # a session stores it, whoever sends it
            raise assumed.user_name_too_long()
        _check_device_key(device_key)
        user = find_user(service.state, client.pool_id, name)
        if user is None and not client.hides_users:
            raise refusals.user_not_found()
        name, sub = (user.name, user.sub) if user else (name, "")
        attempt = Attempt(client.pool_id, client.id, name, sub, device_key=device_key)
        return cls(service, client, attempt)

    @property
    def pool(self) -> UserPool:
        pool = find_user_pool(self.service.state, self.attempt.pool_id)
        if pool is None:
            raise refusals.client_not_found(self.client.id)
        return pool

    @property
    def user(self) -> User | None:
        return find_user_by_sub(self.service.state, self.attempt.pool_id, self.attempt.sub)

    @property
    def known_user(self) -> User:
        user = self.user
        if user is None:  # deleted since
            raise refusals.invalid_session()
        return user

    def with_attempt(self, **changes: Any) -> Steps:
        return replace(self, attempt=replace(self.attempt, **changes))

    # First factors

    def first_factor(self, chosen: str, given: Mapping[str, str]) -> Outcome:
        """Begin with the first factor that the user has *chosen*; ask for one if it is none of the user's."""
        choices = self._first_factors()
        if chosen not in choices:
            steps = self.with_attempt(choices=choices)
            return replace(steps.ask("SELECT_CHALLENGE", {"USERNAME": self.attempt.name}), choices=choices)
        if chosen == "PASSWORD" and "PASSWORD" in given:
            return self.password(given["PASSWORD"])
        if chosen == "PASSWORD_SRP" and "SRP_A" in given:
            return self.password_by_srp(given["SRP_A"])
        if chosen in _FIRST_CODES:
            return self.ask_for_code(chosen)
        return self.ask(chosen, {"USERNAME": self.attempt.name})

    def _first_factors(self) -> list[str]:
        """What the user can begin with. An unknown user is offered what every user has."""
        user, pool = self.user, self.pool
        offered = ("PASSWORD",) if pool.mfa == "on" else pool.first_factors  # reference/service.md#12.3.21
        choices = ["PASSWORD", "PASSWORD_SRP"] if "PASSWORD" in offered else []
        attributes = {} if user is None else user.attributes
        choices += ["EMAIL_OTP"] if "EMAIL_OTP" in offered and "email" in attributes else []
        return choices + (["SMS_OTP"] if "SMS_OTP" in offered and "phone_number" in attributes else [])

    def password(self, password: str) -> Outcome:
        """Verify a password that was given in clear."""
        user = self.user
        if user is None:
            return refusals.wrong_password()
        passwords.check_not_locked(user, self.service.clock.now())
        if user.status == "UNCONFIRMED":  # whatever the password: reference/service.md#12.3.11
            return refusals.not_confirmed()
        verifier = passwords.verifier_of(self.service, self.pool, user)
        user = self.known_user
        if verifier is None or not verifier.matches(password):
            return passwords.count_wrong_password(self.service, user)
        passwords.forget_wrong_passwords(self.service, user)
        checked("the password is right")
        return self.after_first_factor()

    def password_by_srp(self, client_value: str) -> Challenge:
        """Ask for the proof of the password."""
        a = read_number(client_value)
        if a is None:
            raise assumed.wrong_srp_value()
        user, pool = self.user, self.pool
        name = user.name if user else self.attempt.name
        verifier = passwords.verifier_of(self.service, pool, user) if user else None
        if verifier is None:
            verifier = self._made_up(pool, name)
        asked = {"USERNAME": name, "USER_ID_FOR_SRP": name}
        return self.ask_for_proof("PASSWORD_VERIFIER", verifier, a, asked)

    def _made_up(self, pool: UserPool, name: str) -> Verifier:
        """The verifier of no password. It stays the same, as that of a user does."""
        salt = uuid.uuid5(uuid.NAMESPACE_URL, f"{pool.id}/{name}").int
        return Verifier.of_password(pool.group_name, name, secrets.token_hex(16), salt)

    def ask_for_proof(self, stage: str, verifier: Verifier, a: int, asked: Mapping[str, str]) -> Challenge:
        token = new_token(self.service)
        exchange = Exchange.begin(verifier, a, token)
        steps = self.with_attempt(exchange=exchange.stored())
        return steps.ask(stage, {**exchange.asked(), **asked}, token)

    # Answers

    def answer(self, name: str, responses: Mapping[str, str], stored: Session) -> Outcome:
        """Check the answer to the challenge *name*, and go on."""
        steps = self
        # Later, it could name another device than the one that has proven itself.
        if "DEVICE_KEY" in responses and not self.attempt.has_first_factor:
            _check_device_key(responses["DEVICE_KEY"])
            steps = self.with_attempt(device_key=responses["DEVICE_KEY"])
        answers: Mapping[str, Callable[[Mapping[str, str], Session], Outcome]] = {
            "PASSWORD_VERIFIER": steps.password_verifier,
            "PASSWORD": lambda given, _: steps.password(required(given, "PASSWORD")),
            "PASSWORD_SRP": lambda given, _: steps.password_by_srp(required(given, "SRP_A")),
            "SELECT_CHALLENGE": lambda given, _: steps.first_factor(required(given, "ANSWER"), given),
            "NEW_PASSWORD_REQUIRED": lambda given, _: steps.new_password(given),
            "DEVICE_SRP_AUTH": lambda given, _: steps.device_srp(required(given, "SRP_A")),
            "DEVICE_PASSWORD_VERIFIER": steps.device_verifier,
            "SELECT_MFA_TYPE": lambda given, _: steps.select_mfa(required(given, "ANSWER")),
            "MFA_SETUP": lambda _, __: steps.mfa_is_set_up(),
            "SOFTWARE_TOKEN_MFA": steps.totp_code,
        }
        if name in answers:
            return answers[name](responses, stored)
        return steps.sent_code(name, responses, stored)

    def password_verifier(self, given: Mapping[str, str], stored: Session) -> Outcome:
        user = self.user
        if user is not None:
            passwords.check_not_locked(user, self.service.clock.now())
        is_proven = self._is_proven(given)
        if user is None or not is_proven:
            close_session(self.service.state, stored)  # each proof is one guess, and needs a new number
            wrong = refusals.wrong_password()
            return wrong if user is None else passwords.count_wrong_password(self.service, user)
        passwords.forget_wrong_passwords(self.service, user)
        checked("the proof is that of the password")
        return self.after_first_factor()

    def _is_proven(self, given: Mapping[str, str]) -> bool:
        for name in ("PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"):
            required(given, name)
        exchange = Exchange.restored(self.attempt.exchange)
        moment = read_timestamp(given["TIMESTAMP"])
        clock = self.service.clock
        # A wrong clock is answered as a wrong password. A test may have moved the pool's clock alone.
        is_current = moment is not None and any(
            abs(moment - now) < assumed.SRP_CLOCK_SECONDS for now in (clock.now(), clock.of_clients())
        )
        is_same = given["PASSWORD_CLAIM_SECRET_BLOCK"] == exchange.block
        return is_current and is_same and exchange.is_proven(given)

    def new_password(self, given: Mapping[str, str]) -> Outcome:
        user, pool = self.known_user, self.pool
        password = required(given, "NEW_PASSWORD")
        passwords.check_policy(pool, password, at_sign_in=True)
        prefix = "userAttributes."
        added = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
        check_attributes(added)
        attributes = {**user.attributes, **added}
        missing = [name for name in pool.required_attributes if not attributes.get(name)]
        if missing:
            raise assumed.attributes_missing(missing)
        user = replace(passwords.with_password(pool, user, password), attributes=attributes)
        save_user(self.service.state, user, self.service.clock.now_ms())
        return self.after_password()

    def device_srp(self, client_value: str) -> Outcome:
        a = read_number(client_value)
        if a is None:
            raise assumed.wrong_srp_value()
        device = self.known_device()
        verifier = Verifier(device.group_key, device.key, int(device.salt, 16), int(device.verifier, 16))
        asked = {"USERNAME": self.known_user.name, "DEVICE_KEY": device.key}
        return self.ask_for_proof("DEVICE_PASSWORD_VERIFIER", verifier, a, asked)

    def device_verifier(self, given: Mapping[str, str], _: Session) -> Outcome:
        if not self._is_proven(given):
            return refusals.wrong_password()
        device = self.known_device()
        checked("the proof is that of the device's password")
        device = replace(device, last_used_ms=self.service.clock.now_ms())
        save_device(self.service.state, device)
        return self.signed_in(device) if device.is_remembered else self.second_factor(device)

    def known_device(self) -> Device:
        user = self.known_user
        device = find_device(self.service.state, user.pool_id, user.sub, self.attempt.device_key)
        if device is None or not device.is_confirmed:
            raise refusals.device_not_found()
        return device

    def select_mfa(self, chosen: str) -> Outcome:
        if chosen not in self.attempt.choices:
            raise assumed.not_a_choice(self.attempt.choices)
        return self.ask_for_code(chosen)

    def mfa_is_set_up(self) -> Outcome:
        attempt, user = self.attempt, self.known_user
        if not attempt.totp_step:
            raise refusals.invalid_session()
        mfa = (*(factor for factor in user.mfa if factor != "totp"), "totp")
        totp_secret, totp_step = attempt.totp_secret, attempt.totp_step
        user = replace(user, mfa=mfa, preferred_mfa="totp", totp_secret=totp_secret, totp_step=totp_step)
        save_user(self.service.state, user, self.service.clock.now_ms())
        return self.signed_in(None)

    def totp_code(self, given: Mapping[str, str], stored: Session) -> Outcome:
        user = self.known_user
        step = totp.step_of(
            user.totp_secret, required(given, "SOFTWARE_TOKEN_MFA_CODE"), self.service.clock.now()
        )
        if step is None:
            return self.wrong_code(stored, refusals.wrong_totp_code())
        if step <= user.totp_step:
            return self.wrong_code(stored, refusals.totp_code_used())
        save_user(self.service.state, replace(user, totp_step=step))
        checked("the code is one of the authenticator app, and was not used before")
        return self.after_code()

    def sent_code(self, name: str, given: Mapping[str, str], stored: Session) -> Outcome:
        code = required(given, f"{name}_CODE")
        if not self.attempt.code or not secrets.compare_digest(code.encode(), self.attempt.code.encode()):
            return self.wrong_code(stored, refusals.wrong_code())
        checked("the code is the one that was sent")
        return self.after_code()

    def wrong_code(self, stored: Session, error: ServiceError) -> Outcome:
        counted = count_wrong_code(self.service, stored, error)
        wrong = self.attempt.wrong_codes + 1
        if self.pool.repeats_challenge and wrong < assumed.WRONG_CODES:
            return self.with_attempt(wrong_codes=wrong).ask_for_code(self.attempt.stage)
        return counted

    def after_code(self) -> Outcome:
        if not self.attempt.has_first_factor:
            return self.after_first_factor()
        device = self.known_device() if self.attempt.exchange.get("is_proven") else None
        return self.signed_in(device)

    # What comes next

    def after_first_factor(self) -> Outcome:
        """Go on after the password, or a code in its place."""
        user = self.known_user
        if not user.enabled:
            raise refusals.user_disabled()
        if user.status == "UNCONFIRMED":
            return refusals.not_confirmed()
        if user.status == "RESET_REQUIRED":
            return refusals.reset_required()
        if user.status != "FORCE_CHANGE_PASSWORD":
            return self.after_password()
        asked = {
            "USER_ID_FOR_SRP": user.name,
            "requiredAttributes": _json_text(
                [
                    f"userAttributes.{name}"
                    for name in self.pool.required_attributes
                    if name not in user.attributes
                ]
            ),
            "userAttributes": _json_text(user.attributes),
        }
        return self.ask("NEW_PASSWORD_REQUIRED", asked)

    def after_password(self) -> Outcome:
        """Go on with the device, then with the second factor."""
        is_by_code = self.attempt.stage in _FIRST_CODES
        steps = self.with_attempt(has_first_factor=True, code="", exchange={}, wrong_codes=0)
        if self.attempt.device_key:
            asked, device = {"USERNAME": self.known_user.name}, steps.known_device()
            steps.ask("DEVICE_SRP_AUTH", asked, device_token(self.client, device.sub, device.key))
            return steps.ask("DEVICE_SRP_AUTH", asked)
        return steps.signed_in(None) if is_by_code else steps.second_factor(None)

    def second_factor(self, device: Device | None) -> Outcome:
        pool, user = self.pool, self.known_user
        factors = [factor for factor in second_factors(user) if pool.mfa != "off"]
        steps = self.with_attempt(exchange={"is_proven": "1"} if device else {})
        if not factors:
            if pool.mfa != "on":
                return steps.signed_in(device)
            return steps.ask("MFA_SETUP", {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'})
        if len(factors) == 1 or user.preferred_mfa in factors:
            chosen = user.preferred_mfa if user.preferred_mfa in factors else factors[0]
            return steps.ask_for_code(SECOND_FACTORS[chosen or factors[0]])
        choices = [SECOND_FACTORS[factor] for factor in factors]
        steps = steps.with_attempt(choices=choices)
        return steps.ask("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": _json_text(choices)})

    def ask_for_code(self, name: str) -> Challenge:
        """Ask for a code: one that is sent now, or that of the authenticator app."""
        user, medium = self.known_user, _MEDIA[name]
        code = "" if medium == "TOTP" else codes.new_code()
        delivery = codes.send(self.service, user, name, medium, code)
        asked = {"USER_ID_FOR_SRP": user.name}
        if medium == "TOTP":
            asked["FRIENDLY_DEVICE_NAME"] = assumed.TOTP_DEVICE_NAME
        else:
            asked["CODE_DELIVERY_DELIVERY_MEDIUM"] = medium
            asked["CODE_DELIVERY_DESTINATION"] = delivery["Destination"]
        return self.with_attempt(code=code).ask(name, asked)

    def ask(self, name: str, parameters: Mapping[str, str], token: str | None = None) -> Challenge:
        """Store the sign-in as it is, and ask for *name*."""
        decided(f"{self.attempt.name} is asked for {name}")
        token = token or new_token(self.service)
        now = self.service.clock.now()
        content = asdict(replace(self.attempt, stage=name, is_used=False))
        until = now + self.pool.session_minutes * 60
        open_session(self.service.state, SESSION_KIND, token, content, until, now)
        return Challenge(name, token, parameters)

    def signed_in(self, device: Device | None) -> SignedIn:
        pool, user = self.pool, self.known_user
        decided(f"{user.name} has signed in")
        if device is not None or pool.devices == "off":
            return SignedIn(pool, self.client, user, device)
        now_ms = self.service.clock.now_ms()
        device = Device(
            key=f"{pool.region}_{uuid.uuid4()}",
            pool_id=pool.id,
            sub=user.sub,
            group_key=f"-{secrets.token_urlsafe(6)}",
            created_ms=now_ms,
            modified_ms=now_ms,
            last_used_ms=now_ms,
        )
        save_device(self.service.state, device)
        return SignedIn(pool, self.client, user, device, is_new_device=True)


def second_factors(user: User) -> list[str]:
    """The second factors that the user can be asked for, in the order of the user's list."""
    has = {
        "totp": bool(user.totp_secret),
        "sms": "phone_number" in user.attributes,
        "email": "email" in user.attributes,
    }
    return [factor for factor in user.mfa if has.get(factor)]


def _check_device_key(key: str) -> None:
    """Refuse a key that is longer than any, before a session stores it."""
    if len(key) > assumed.LONGEST_DEVICE_KEY:
        raise refusals.device_not_found()


def required(given: Mapping[str, str], name: str) -> str:
    if not given.get(name):
        raise refusals.missing_parameter(name)
    return given[name]


def _json_text(value: Any) -> str:
    """JSON inside a challenge parameter, without spaces."""
    return json.dumps(value, separators=(",", ":"))
