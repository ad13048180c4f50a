"""
Texts and numbers that this emulator chose, where nothing public says what the real service answers.

They belong to the facts of `.github/docs/reference/service.md` that are assumed, or partly assumed. Correct
them here once the truth is known. A choice that is not a value but the course of some code, such as the
order of checks, is in that code; the page names it, too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from cognito_credentials.emulator.errors import (
    ServiceError,
    invalid_parameter,
    not_authorized,
    not_found,
    resource_conflict,
)
from cognito_credentials.extras import install_command

# Signatures: reference/service.md#W25, #W27, #9.6.5 and #9.6.7.
MISSING_AUTHENTICATION = "Missing Authentication Token"
MISSING_AUTHENTICATION_QUERY = "Request is missing Authentication Token"
SIGNATURE_REGION = "Credential should be scoped to a valid region."
SIGNATURE_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
SIGNATURE_INCOMPLETE = (
    "Authorization header requires 'Credential', 'SignedHeaders', 'Signature' parameters and "
    "'X-Amz-Date' or 'Date' header."
)
SIGNATURE_WINDOW_SECONDS = 300
"""A signature is good this long before and after its date, by the emulator's clock or its clients'."""

# IAM: reference/service.md#13.
POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]+", re.ASCII)
DUPLICATE_TAG_KEYS = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
INVALID_MARKER = "Invalid Marker."

# STS: reference/service.md#9.2 and #9.3.
DURATION_TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
STS_PROVIDER_ID = "ProviderId must not be given with an OpenID Connect token."
STS_BAD_SIGNATURE = "Couldn't verify signed token."
INCOMPLETE_MFA = "SerialNumber and TokenCode must be given together."
TRANSITIVE_TAG_SET_AGAIN = (
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
    "from the calling session."
)
TRANSITIVE_TAG_MISSING = "The specified transitive tag key must be included in the requested tags."
SOURCE_IDENTITY_CHANGED = "The source identity of the calling session cannot be changed."
BAD_SESSION_TAGS = "The session tags of the token are not valid."
MALFORMED_POLICY = "The policy is not in the valid JSON format."

PACKED_POLICY_BYTES = 1024
"""Room for session policies and tags, compressed; reference/service.md#9.3.9a."""

STS_MAX_TOKEN_AGE_SECONDS = 24 * 3600
"""STS refuses a web identity token whose iat is older; reference/service.md#9.3.7."""

MAX_HEADER_TEXT = 2048
"""Longer messages are cut in the header x-amzn-ErrorMessage: clients refuse headers of 64 KiB."""

MAX_BODY_BYTES = 1024 * 1024
"""Bodies over this are refused. No valid request comes near it; reference/service.md#W9."""

OIDC_GRACE_SECONDS = 300
"""Login tokens are accepted this long after their exp; reference/service.md#1.6.3."""

SAML_GRACE_SECONDS = 300
"""The conditions of SAML responses are extended this much on both sides; reference/service.md#5.1.8."""

KEY_NUMBER = 7
"""The kid of the service's tokens is the region and a number, here this one; reference/service.md#7.1.1."""

# These limits are documented; what answers a call over them is assumed.
POOL_LIMIT = 1000
USER_POOL_LIMIT = 50
MAX_LOGINS = 20
MAX_RULES = 25
MAX_TAGS = 50
MAX_DEVELOPER_USER = 1024
UNSET_PRINCIPAL_TAGS = {"UseDefaults": False, "PrincipalTags": {}}
"""What GetPrincipalTagAttributeMap answers when nothing was set; reference/service.md#6.7.1."""

# Limits of what strangers can make in user pools; reference/service.md#12.6.
MOST_DEVICES = 100
MOST_GRANTS = 1000
"""Sign-ins of one user that stay valid beside each other."""
MOST_ROTATED = 10
"""Refresh tokens of one sign-in that are remembered as replaced."""
MOST_SESSIONS = 10_000
MOST_USERS_SIGNED_UP = 10_000
"""Users of one pool, from which on nobody can sign up."""
KEPT_AFTER_EXPIRY_SECONDS = 24 * 3600
"""What has expired is kept a day longer, so that the error can say so."""

WRONG_CODES = 3
"""A challenge session ends with that many wrong codes; reference/service.md#12.3."""
WRONG_PASSWORDS_BEFORE_LOCKOUT = 5
LONGEST_LOCKOUT_SECONDS = 900
CODE_SECONDS = 24 * 3600
"""Verification codes of a sign-up are good for a day; reference/service.md#12.5."""
RESET_CODE_SECONDS = 3600
WRONG_VERIFICATION_CODES = 5
DELIVERY_TO_NOBODY = {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "a***@e***"}
"""What is answered for a user who does not exist, where the client may not find that out."""
LONGEST_USER_NAME = 128
LONGEST_DEVICE_KEY = 55
LONGEST_ATTRIBUTE = 2048
LONGEST_ATTRIBUTE_NAME = 50
MOST_ATTRIBUTES = 75
TOTP_DEVICE_NAME = "My Authenticator"
SRP_CLOCK_SECONDS = 300
"""The TIMESTAMP of a proof may be that far off; reference/service.md#12.3."""


def wrong_json_type(value: Any, expected: str) -> ServiceError:
    """A member that is no list has the wrong JSON type; reference/service.md#W30c."""
    if isinstance(value, dict):
        text = "Start of structure or map found where not expected"
    else:
        article = "an" if expected[0] in "AEIOU" else "a"
        text = f"{_json_type(value)} can not be converted to {article} {expected}"
    return ServiceError("SerializationException", text)


def _json_type(value: Any) -> str:
    constants = {None: "NULL_VALUE", True: "TRUE_VALUE", False: "FALSE_VALUE"}
    if value is None or isinstance(value, bool):
        return constants[value]
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def unknown_operation(name: str) -> ServiceError:
    """No operation has this *name*, which is empty if the request names none; reference/service.md#W30."""
    if not name:
        text = "The request names no operation: it has neither X-Amz-Target nor Action."
    else:
        text = f"There is no operation {name} in AWSCognitoIdentityService."
    return ServiceError("UnknownOperationException", text)


def unknown_path(path: str) -> ServiceError:
    """No operation and no document is at *path*; reference/service.md#W30e."""
    return ServiceError("UnknownOperationException", f"There is no operation and no document at {path}.", 404)


def invalid_action(name: str, version: str) -> str:
    """reference/service.md#9.1.3."""
    return f"Could not find operation {name} for version {version}"


def not_an_integer(text: str) -> str:
    """reference/service.md#9.2.6, code MalformedInput."""
    return f"'{text}' is not an integer."


def not_a_boolean(text: str) -> str:
    """reference/service.md#9.2.6, code MalformedInput."""
    return f"'{text}' is not true or false."


def not_a_list(text: str) -> str:
    """reference/service.md#9.2.6, code MalformedInput."""
    return f"'{text}' is not a list."


def too_many_policy_arns(number: int, most: int) -> str:
    """reference/service.md#9.2.4; the model has no such limit."""
    return (
        f"1 validation error detected: Value with length {number} at 'policyArns' failed to satisfy "
        f"constraint: Member must have length less than or equal to {most}"
    )


def invalid_policy_arn(arn: str) -> str:
    """An ARN of PolicyArns is not that of a policy; reference/service.md#9.2.4."""
    return f"ARN {arn} is not valid."


def no_identity_policy(caller: str, action: str, resource: str) -> ServiceError:
    """The caller has no permission in IAM; reference/service.md#13.1.3."""
    text = f"User: {caller} is not authorized to perform: {action} on resource: {resource}"
    return ServiceError(
        "AccessDenied", f"{text} because no identity-based policy allows the {action} action", 403
    )


def too_large_inline_policies(role: str, most: int) -> ServiceError:
    """reference/service.md#13.4.3."""
    return ServiceError("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for role {role}", 409)


def policy_not_attached(arn: str) -> str:
    """reference/service.md#13.4.4."""
    return f"Policy {arn} was not found."


def request_too_large() -> ServiceError:
    """reference/service.md#W9."""
    return ServiceError("RequestEntityTooLargeException", "Request body is too large.", 413)


def second_login_of_provider(provider: str) -> ServiceError:
    """reference/service.md#5.4.5."""
    return resource_conflict(f"Identity already has a login for provider '{provider}'.")


def too_many_logins() -> ServiceError:
    """reference/service.md#4.2."""
    return resource_conflict(f"Identity cannot have more than {MAX_LOGINS} logins.")


def login_not_linked(provider: str) -> ServiceError:
    """reference/service.md#6.19.3."""
    return invalid_parameter(f"Identity has no login for provider '{provider}'.")


def wrong_audience() -> ServiceError:
    """reference/service.md#5.2.10a."""
    return not_authorized("Invalid login token. Incorrect token audience")


def not_a_saml_response() -> ServiceError:
    """The login is not a SAML response with one assertion; reference/service.md#5.1.13."""
    return not_authorized("Invalid login token. Not a valid SAML response.")


def saml_extra_missing() -> ServiceError:
    """The call has a SAML login, and the ``saml`` extra is not installed. AWS has no such error."""
    return ServiceError("InternalErrorException", f"SAML needs: {install_command('emulator,saml')}", 500)


def saml_not_yet_valid() -> ServiceError:
    """The conditions of a SAML assertion begin later; reference/service.md#5.1.8."""
    return not_authorized("Invalid login token. Token is not valid yet.")


def signature_expired(timestamp: str, now: float, lifetime: int) -> str:
    """The signature is older than *lifetime* seconds; reference/service.md#W27a and #9.6.6."""
    return (
        f"Signature expired: {timestamp} is now earlier than "
        f"{_amz_date(now - lifetime)} ({_amz_date(now)} - {lifetime // 60} min.)"
    )


def signature_not_current(timestamp: str, now: float, window: int) -> str:
    """The signature is more than *window* seconds ahead; reference/service.md#W27b."""
    return (
        f"Signature not yet current: {timestamp} is still later than "
        f"{_amz_date(now + window)} ({_amz_date(now)} + {window // 60} min.)"
    )


def _amz_date(seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def pool_limit_exceeded() -> ServiceError:
    """reference/service.md#6.1.5."""
    return ServiceError("LimitExceededException", "Identity pool limit exceeded.")


def user_pool_limit_exceeded() -> ServiceError:
    """reference/service.md#6.1.6."""
    return ServiceError("LimitExceededException", "User pool limit exceeded.")


def ambiguous_resolution_required(mapping_type: str) -> ServiceError:
    """reference/service.md#6.6.5."""
    return invalid_parameter(f"AmbiguousRoleResolution is required for RoleMapping of type {mapping_type}.")


def rules_required() -> ServiceError:
    """reference/service.md#6.6.5."""
    return invalid_parameter("RulesConfiguration is required for RoleMapping of type Rules.")


def too_many_rules() -> ServiceError:
    """reference/service.md#6.6.6."""
    return invalid_parameter(f"A RoleMapping cannot have more than {MAX_RULES} rules.")


def token_mapping_not_user_pool(provider: str) -> ServiceError:
    """reference/service.md#6.6.5."""
    return invalid_parameter(f"RoleMapping of type Token is not supported for provider ({provider}).")


def custom_role_without_mapping() -> ServiceError:
    """reference/service.md#6.11.9."""
    return invalid_parameter("CustomRoleArn is not supported without a role mapping.")


def external_service(provider: str, offline: bool = False) -> ServiceError:
    """The provider's keys cannot be fetched, or it cannot be asked; reference/service.md#5.2.12."""
    why = " The emulator is offline, and the seed has no keys of it." if offline else ""
    return ServiceError("ExternalServiceException", f"Could not reach the login provider {provider}.{why}")


def developer_user_not_found(user: str) -> ServiceError:
    """reference/service.md#6.16.4."""
    return not_found(f"Developer user identifier '{user}' not found.")


def developer_user_too_long() -> ServiceError:
    """reference/service.md#6.12.12."""
    return invalid_parameter("Developer user identifier is too long.")


def developer_user_registered() -> ServiceError:
    """reference/service.md#6.12.4."""
    return ServiceError(
        "DeveloperUserAlreadyRegisteredException",
        "Developer user identifier is already registered with a different identity.",
    )


def developer_user_elsewhere() -> ServiceError:
    """reference/service.md#6.16.2 and #6.18.2."""
    return resource_conflict("Developer user identifier is not linked to this identity.")


def nothing_to_look_up() -> ServiceError:
    """reference/service.md#6.16.3."""
    return invalid_parameter("Either IdentityId or DeveloperUserIdentifier is required.")


def wrong_developer_provider(name: str) -> ServiceError:
    """reference/service.md#6.17.2."""
    return invalid_parameter(f"'{name}' is not the developer provider of this identity pool.")


def developer_provider_fixed() -> ServiceError:
    """reference/service.md#6.2.2."""
    return invalid_parameter("DeveloperProviderName cannot be changed.")


def invalid_pagination_token() -> ServiceError:
    """reference/service.md#6.5.3."""
    return invalid_parameter("Invalid pagination token.")


def unknown_tag_provider(provider: str) -> ServiceError:
    """reference/service.md#6.7.2."""
    return invalid_parameter(f"({provider}) is not a valid ProviderName or is not a configured provider.")


def not_a_pool_arn(arn: str) -> ServiceError:
    """The resource is not an identity pool; reference/service.md#6.8.3."""
    return invalid_parameter(f"'{arn}' is not the ARN of an identity pool.")


def too_many_tags() -> ServiceError:
    """reference/service.md#6.8.2."""
    return invalid_parameter(f"An identity pool cannot have more than {MAX_TAGS} tags.")


def bad_tag(key: str) -> ServiceError:
    """The key has a reserved prefix or a character that tags cannot have; reference/service.md#6.8.2."""
    return invalid_parameter(f"The tag '{key}' is not valid.")


def user_name_too_long() -> ServiceError:
    """USERNAME is longer than the model's UsernameType; reference/service.md#12.2.5."""
    return invalid_parameter(
        "1 validation error detected: Value at 'username' failed to satisfy constraint: "
        f"Member must have length less than or equal to {LONGEST_USER_NAME}"
    )


def wrong_srp_value() -> ServiceError:
    """SRP_A is no number of the group; reference/service.md#12.3."""
    return invalid_parameter("SRP_A is not valid.")


def attributes_missing(names: Sequence[str]) -> ServiceError:
    """reference/service.md#12.3."""
    return invalid_parameter(
        f"Attributes did not conform to the schema: {', '.join(names)}: The attribute is required"
    )


def not_an_attribute(name: str) -> ServiceError:
    """reference/service.md#12.1."""
    return invalid_parameter(
        f"Attributes did not conform to the schema: {name}: Attribute does not exist in the schema."
    )


def attribute_too_long(name: str) -> ServiceError:
    """reference/service.md#12.1."""
    why = f"String must be no longer than {LONGEST_ATTRIBUTE} characters"
    return invalid_parameter(f"Attributes did not conform to the schema: {name}: {why}")


def too_many_attributes() -> ServiceError:
    """reference/service.md#12.1."""
    return invalid_parameter(f"A user cannot have more than {MOST_ATTRIBUTES} attributes.")


def not_a_choice(choices: Sequence[str]) -> ServiceError:
    """reference/service.md#12.3."""
    return invalid_parameter(f"ANSWER is not one of {', '.join(choices)}.")


def refresh_token_reused() -> ServiceError:
    """A refresh token that was rotated comes again; reference/service.md#12.4."""
    return ServiceError("RefreshTokenReuseException", "Refresh Token has been reused.")


def wrong_client_secret(client_id: str) -> ServiceError:
    """reference/service.md#12.1.4."""
    return not_authorized(f"Unable to verify the secret of client {client_id}")


def revocation_refused() -> ServiceError:
    """RevokeToken by an unknown client, or with a wrong secret; reference/service.md#12.4.13."""
    return ServiceError("UnauthorizedException", "The client is unknown, or its secret is wrong.")


def unsupported_token_type() -> ServiceError:
    """RevokeToken is given no refresh token; reference/service.md#12.4.5."""
    return ServiceError("UnsupportedTokenTypeException", "Unsupported token type")


def bad_device_verifier() -> ServiceError:
    """reference/service.md#12.5.6."""
    return invalid_parameter("Invalid device secret verifier config given.")


def too_many_users() -> ServiceError:
    """reference/service.md#12.6.1."""
    return ServiceError("LimitExceededException", "The emulator's user pools take no more users who sign up.")


def totp_not_verified() -> ServiceError:
    """reference/service.md#12.5.5."""
    return invalid_parameter("User has not verified software token mfa")


def no_delivery_for(factor: str) -> ServiceError:
    """The user has no address for this second factor; reference/service.md#12.5.5."""
    return invalid_parameter(f"User does not have delivery config set to turn on {factor}")


def preferred_factor_is_off() -> ServiceError:
    """reference/service.md#12.5.5."""
    return invalid_parameter("Cannot set preference for an MFA that is not enabled")


def user_pool_operation_not_served(name: str, *, exists: bool) -> ServiceError:
    """An operation of user pools that the emulator does not serve, or that does not exist."""
    what = "The emulator does not serve" if exists else "There is no operation"
    return ServiceError("UnknownOperationException", f"{what} {name} of Amazon Cognito user pools.")
