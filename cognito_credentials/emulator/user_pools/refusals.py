"""
The errors of user pools, with the texts of the real service where these were seen.

Source: reference/service.md#12.2. Texts that are assumed are in `assumed`.
"""

from __future__ import annotations

from cognito_credentials.emulator.errors import ServiceError, invalid_parameter, not_authorized, not_found


def wrong_password() -> ServiceError:
    return not_authorized("Incorrect username or password.")


def user_not_found() -> ServiceError:
    """For clients that do not hide whether a user exists."""
    return ServiceError("UserNotFoundException", "User does not exist.")


def password_attempts_exceeded() -> ServiceError:
    return not_authorized("Password attempts exceeded")


def user_disabled() -> ServiceError:
    return not_authorized("User is disabled.")


def not_confirmed() -> ServiceError:
    return ServiceError("UserNotConfirmedException", "User is not confirmed.")


def reset_required() -> ServiceError:
    return ServiceError("PasswordResetRequiredException", "Password reset required for the user")


def client_not_found(client_id: str) -> ServiceError:
    return not_found(f"User pool client {client_id} does not exist.")


def secret_hash_missing(client_id: str) -> ServiceError:
    return not_authorized(f"Client {client_id} is configured with secret but SECRET_HASH was not received")


def wrong_secret_hash(client_id: str) -> ServiceError:
    return not_authorized(f"Unable to verify secret hash for client {client_id}")


def wrong_secret_hash_at_refresh(client_id: str) -> ServiceError:
    return not_authorized(f"SecretHash does not match for the client: {client_id}")


def flow_not_enabled(flow: str) -> ServiceError:
    if flow == "USER_PASSWORD_AUTH":
        return invalid_parameter("USER_PASSWORD_AUTH flow not enabled for this client")
    return invalid_parameter(f"{flow} is not enabled for the client.")


def missing_parameter(name: str) -> ServiceError:
    return invalid_parameter(f"Missing required parameter {name}")


def invalid_session() -> ServiceError:
    return not_authorized("Invalid session for the user.")


def session_used() -> ServiceError:
    return not_authorized("Invalid session for the user, session can only be used once.")


def session_expired() -> ServiceError:
    return not_authorized("Invalid session for the user, session is expired.")


def wrong_code() -> ServiceError:
    """A code by SMS or e-mail that is asked for at a sign-in."""
    return ServiceError("CodeMismatchException", "Invalid code or auth state for the user.")


def wrong_totp_code() -> ServiceError:
    return ServiceError("CodeMismatchException", "Invalid code received for user")


def totp_code_used() -> ServiceError:
    return ServiceError("ExpiredCodeException", "Your software token has already been used once.")


def totp_is_off() -> ServiceError:
    return ServiceError(
        "SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool."
    )


def totp_setup_mismatch() -> ServiceError:
    return ServiceError("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")


def wrong_verification_code() -> ServiceError:
    """A code that confirms a sign-up, an attribute or a new password."""
    return ServiceError("CodeMismatchException", "Invalid verification code provided, please try again.")


def verification_code_expired() -> ServiceError:
    return ServiceError("ExpiredCodeException", "Invalid code provided, please request a code again.")


def attempt_limit_exceeded() -> ServiceError:
    return ServiceError("LimitExceededException", "Attempt limit exceeded, please try after some time.")


def device_not_found() -> ServiceError:
    return not_found("Device does not exist.")


def user_exists() -> ServiceError:
    return ServiceError("UsernameExistsException", "User already exists")


def bad_password(why: str, *, at_sign_in: bool = False) -> ServiceError:
    """The password is against the policy. The text at a sign-in differs by two words."""
    verb = "does not conform to" if at_sign_in else "did not conform with"
    return ServiceError("InvalidPasswordException", f"Password {verb} policy: {why}")


def sign_up_not_permitted() -> ServiceError:
    return not_authorized("SignUp is not permitted for this user pool")


def already_confirmed() -> ServiceError:
    return not_authorized("User cannot be confirmed. Current status is CONFIRMED")


def nothing_to_confirm() -> ServiceError:
    return invalid_parameter("User is already confirmed.")


def no_verified_contact() -> ServiceError:
    return invalid_parameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def bad_email() -> ServiceError:
    return invalid_parameter("Invalid email address format.")


def bad_phone_number() -> ServiceError:
    return invalid_parameter("Invalid phone number format.")


def refresh_token_expired() -> ServiceError:
    return not_authorized("Refresh Token has expired")


def refresh_token_revoked() -> ServiceError:
    return not_authorized("Refresh Token has been revoked")


def invalid_refresh_token() -> ServiceError:
    return not_authorized("Invalid Refresh Token.")


def invalid_access_token() -> ServiceError:
    return not_authorized("Invalid Access Token")


def access_token_expired() -> ServiceError:
    return not_authorized("Access Token has expired")


def access_token_revoked() -> ServiceError:
    return not_authorized("Access Token has been revoked")


def scope_missing() -> ServiceError:
    return not_authorized("Access Token does not have required scopes")
