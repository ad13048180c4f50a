"""Signing up, confirming, forgotten passwords, and what a user does with the own account."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import (
    User,
    UserPool,
    add_user_to_pool,
    count_users,
    find_user,
    save_user,
)
from cognito_credentials.emulator.user_pools import codes, passwords, refusals, totp
from cognito_credentials.emulator.user_pools.attributes import check_attributes
from cognito_credentials.emulator.user_pools.clients import calling_client, hidden, pool_of, user_of
from cognito_credentials.emulator.user_pools.sign_in import begin_totp, finish_totp
from cognito_credentials.emulator.user_pools.steps import SECOND_FACTORS
from cognito_credentials.emulator.user_pools.tokens import API_SCOPE, Access, read_access_token

Request = Mapping[str, Any]
_SECOND_FACTOR_MEMBERS = {
    "SMSMfaSettings": "sms",
    "SoftwareTokenMfaSettings": "totp",
    "EmailMfaSettings": "email",
}


def sign_up(service: Service, request: Request) -> Mapping[str, Any]:
    """SignUp: a new user, who has to confirm a code."""
    client = calling_client(service, request)
    pool, state = pool_of(service, client), service.state
    if not pool.sign_up:
        raise refusals.sign_up_not_permitted()
    given = {one["Name"]: one.get("Value", "") for one in request.get("UserAttributes", ())}
    check_attributes(given)
    missing = [name for name in pool.required_attributes if not given.get(name)]
    if missing:
        raise assumed.attributes_missing(missing)
    passwords.check_policy(pool, request.get("Password", ""))
    if find_user(state, pool.id, request["Username"]) is not None:
        raise refusals.user_exists()
    if count_users(state, pool.id) >= assumed.MOST_USERS_SIGNED_UP:
        raise assumed.too_many_users()
    now_ms = service.clock.now_ms()
    user = User(pool.id, request["Username"], str(uuid.uuid4()), attributes=given, created_ms=now_ms)
    user = replace(passwords.with_password(pool, user, request["Password"]), status="UNCONFIRMED")
    add_user_to_pool(state, user)
    save_user(state, user, now_ms)
    answer: dict[str, Any] = {"UserConfirmed": False, "UserSub": user.sub}
    medium = codes.contact_of(user, verified=False)
    if medium is not None:
        answer["CodeDeliveryDetails"] = _send_code(service, user, "confirm", "SignUp", medium)
    return answer


def confirm_sign_up(service: Service, request: Request) -> Mapping[str, Any] | ServiceError:
    """ConfirmSignUp: the code, which also verifies the address that it was sent to."""
    client = calling_client(service, request)
    try:
        user = user_of(service, client, request["Username"])
    except ServiceError as error:
        return hidden(client, error, refusals.verification_code_expired())
    if user.status != "UNCONFIRMED":
        raise refusals.already_confirmed()
    wrong = _check_code(service, user, "confirm", request["ConfirmationCode"])
    if wrong is not None:
        return wrong
    attribute = codes.DELIVERY[codes.contact_of(user, verified=False) or "EMAIL"]
    attributes = {**user.attributes, f"{attribute}_verified": "true"}
    changed = replace(user, status="CONFIRMED", attributes=attributes, codes=_without(user, "confirm"))
    save_user(service.state, changed, service.clock.now_ms())
    return {}


def resend_confirmation_code(service: Service, request: Request) -> Mapping[str, Any]:
    """ResendConfirmationCode."""
    client = calling_client(service, request)
    user = find_user(service.state, client.pool_id, request["Username"])
    if user is None and client.hides_users:
        return {"CodeDeliveryDetails": assumed.DELIVERY_TO_NOBODY}
    user = user_of(service, client, request["Username"])
    if user.status != "UNCONFIRMED":
        raise refusals.nothing_to_confirm()
    medium = codes.contact_of(user, verified=False)
    if medium is None:
        raise refusals.no_verified_contact()
    details = _send_code(service, user, "confirm", "ResendConfirmationCode", medium)
    return {"CodeDeliveryDetails": details}


def forgot_password(service: Service, request: Request) -> Mapping[str, Any]:
    """ForgotPassword: a code to the verified address."""
    client = calling_client(service, request)
    user = find_user(service.state, client.pool_id, request["Username"])
    if user is None and client.hides_users:
        return {"CodeDeliveryDetails": assumed.DELIVERY_TO_NOBODY}
    user = user_of(service, client, request["Username"])
    if not user.enabled:
        raise refusals.user_disabled()
    medium = codes.contact_of(user)
    if medium is None or user.status == "UNCONFIRMED":
        raise refusals.no_verified_contact()
    return {"CodeDeliveryDetails": _send_code(service, user, "reset", "ForgotPassword", medium)}


def confirm_forgot_password(service: Service, request: Request) -> Mapping[str, Any] | ServiceError:
    """ConfirmForgotPassword: the code and the new password."""
    client = calling_client(service, request)
    try:
        user = user_of(service, client, request["Username"])
    except ServiceError as error:
        return hidden(client, error, refusals.verification_code_expired())
    pool = pool_of(service, client)
    passwords.check_policy(pool, request["Password"])
    wrong = _check_code(service, user, "reset", request["ConfirmationCode"])
    if wrong is not None:
        return wrong
    changed = passwords.with_password(pool, user, request["Password"])
    save_user(service.state, replace(changed, codes=_without(user, "reset")), service.clock.now_ms())
    return {}


def change_password(service: Service, request: Request) -> Mapping[str, Any] | ServiceError:
    """ChangePassword."""
    access = _access(service, request)
    user, pool = access.user, access.pool
    passwords.check_not_locked(user, service.clock.now())
    verifier = passwords.verifier_of(service, pool, user)
    previous = request.get("PreviousPassword", "")
    if verifier is None or not verifier.matches(previous):
        return passwords.count_wrong_password(service, user)
    passwords.check_policy(pool, request["ProposedPassword"])
    changed = passwords.with_password(pool, user, request["ProposedPassword"])
    save_user(service.state, changed, service.clock.now_ms())
    return {}


def get_user(service: Service, request: Request) -> Mapping[str, Any]:
    """GetUser: the own attributes."""
    user = _access(service, request).user
    attributes = {"sub": user.sub, **user.attributes}
    answer: dict[str, Any] = {
        "Username": user.name,
        "UserAttributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
    }
    if user.preferred_mfa:
        answer["PreferredMfaSetting"] = SECOND_FACTORS[user.preferred_mfa]
    if user.mfa:
        answer["UserMFASettingList"] = [SECOND_FACTORS[factor] for factor in user.mfa]
    return answer


def associate_software_token(service: Service, request: Request) -> Mapping[str, Any]:
    """AssociateSoftwareToken: a secret for an authenticator app, within a sign-in or after it."""
    if "Session" in request:
        secret, session = begin_totp(service, request["Session"])
        service.note_secret(secret)
        return {"SecretCode": secret, "Session": session}
    access = _access(service, request)
    _check_totp_is_on(access.pool)
    secret = totp.new_secret()
    service.note_secret(secret)
    begun = {"code": secret, "until": 0, "wrong": 0}
    save_user(service.state, replace(access.user, codes={**access.user.codes, "totp": begun}))
    return {"SecretCode": secret}


def verify_software_token(service: Service, request: Request) -> Mapping[str, Any]:
    """VerifySoftwareToken: the first code of the authenticator app."""
    if "Session" in request:
        return {"Status": "SUCCESS", "Session": finish_totp(service, request["Session"], request["UserCode"])}
    access = _access(service, request)
    _check_totp_is_on(access.pool)
    secret = access.user.codes.get("totp", {}).get("code", "")
    step = totp.step_of(secret, request["UserCode"], service.clock.now()) if secret else None
    if step is None:
        raise refusals.totp_setup_mismatch()
    user = replace(access.user, totp_secret=secret, totp_step=step, codes=_without(access.user, "totp"))
    save_user(service.state, user, service.clock.now_ms())
    return {"Status": "SUCCESS"}


def set_user_mfa_preference(service: Service, request: Request) -> Mapping[str, Any]:
    """SetUserMFAPreference: which second factors are on, and which one is asked for first."""
    user = _access(service, request).user
    mfa, preferred = list(user.mfa), user.preferred_mfa
    for member, factor in _SECOND_FACTOR_MEMBERS.items():
        settings = request.get(member)
        if settings is None:
            continue
        _check_factor(user, factor, settings.get("Enabled", False))
        mfa = [one for one in mfa if one != factor] + ([factor] if settings.get("Enabled") else [])
        if settings.get("PreferredMfa"):
            preferred = factor
        elif preferred == factor:
            preferred = None
    if preferred is not None and preferred not in mfa:
        raise assumed.preferred_factor_is_off()
    save_user(service.state, replace(user, mfa=mfa, preferred_mfa=preferred), service.clock.now_ms())
    return {}


def _check_factor(user: User, factor: str, is_on: bool) -> None:
    if not is_on:
        return
    if factor == "totp" and not user.totp_secret:
        raise assumed.totp_not_verified()
    attribute = {"sms": "phone_number", "email": "email"}.get(factor)
    if attribute is not None and attribute not in user.attributes:
        raise assumed.no_delivery_for(SECOND_FACTORS[factor])


def _check_totp_is_on(pool: UserPool) -> None:
    if pool.mfa == "off":
        raise refusals.totp_is_off()


def _access(service: Service, request: Request) -> Access:
    return read_access_token(service, request.get("AccessToken", ""), API_SCOPE)


def _send_code(service: Service, user: User, purpose: str, operation: str, medium: str) -> Mapping[str, str]:
    """Make a new code for *purpose*, in place of an earlier one."""
    seconds = assumed.CODE_SECONDS if purpose == "confirm" else assumed.RESET_CODE_SECONDS
    code = codes.new_code()
    made = {"code": code, "until": service.clock.now() + seconds, "wrong": 0}
    save_user(service.state, replace(user, codes={**user.codes, purpose: made}))
    return codes.send(service, user, operation, medium, code)


def _check_code(service: Service, user: User, purpose: str, code: str) -> ServiceError | None:
    """The error for a wrong code, which is counted; None for the right one."""
    made = user.codes.get(purpose)
    if made is None or service.clock.now() >= made["until"]:
        return refusals.verification_code_expired()
    if made["wrong"] >= assumed.WRONG_VERIFICATION_CODES:
        return refusals.attempt_limit_exceeded()
    if hmac.compare_digest(code.encode(), str(made["code"]).encode()):
        return None
    counted = {**made, "wrong": made["wrong"] + 1}
    save_user(service.state, replace(user, codes={**user.codes, purpose: counted}))
    return refusals.wrong_verification_code()


def _without(user: User, purpose: str) -> Mapping[str, Mapping[str, Any]]:
    return {name: made for name, made in user.codes.items() if name != purpose}
