"""
Every choice of ours where nothing public says what the real service does.

service.md marks these ``[assumed]``. Texts and numbers stand here; correct them when the truth
becomes known. Nothing of it may be asserted about the real service. Choices that are the shape of
some code rather than a value stay with that code; they are:

| choice | where |
|---|---|
| the order in which checks are made | logins.verifier, operations.sts |
| which names can be no public provider at all | logins.verifier._check_provider |
| an OIDC provider that no seed describes takes any audience | logins.verifier.LoginVerifier._check_audience |
| X survives when logins of X and Y meet; the first login's identity survives in GetId | operations.linking |
| a disabled identity with a known login gives that login's identity | operations.linking.resolve_identity |
| mappings do not apply to tokens of this service | operations.credentials, operations.role_mapping |
| how list claims, numbers and booleans match rules | operations.role_mapping, operations.principal_tags |
| sessions of the pools' roles have no permission for signed operations | wire.application._check_permission |
| a role that no seed describes may be tagged, and one that no pool uses trusts every pool | sts.trust |
| a plain operator on several values holds for any of them | sts.conditions.condition_holds |
| a seed's trust policy has no operator, key or variable that is not evaluated | sts.trust_policy |
| logins beside a token of this service are linked; STS is given the token as it is | operations.credentials |
| an expired session is said to be expired before its signature is looked at | wire.signatures |
| unknown ids in DeleteIdentities count as done | operations.identities |
| what of a SAML response is checked, its amr entries, and that its roles trust the service | logins.saml |
| a SAML response may name any Recipient, may come twice, and without Conditions never ends | logins.saml |
| a session policy with a condition allows nothing, and denies | sts.session_policies |
| of two updates of one pool at once, the one that comes later is refused | wire.updates |
| a signed call for another region does not find the pool | operations.pools.pool_of_caller |
"""

from __future__ import annotations

import time

from cognito_credentials.emulator.errors import (
    ServiceError,
    invalid_parameter,
    not_authorized,
    not_found,
    resource_conflict,
)

# Texts of the framework (service.md 1.3: W25, W27, W30).
MISSING_AUTHENTICATION = "Missing Authentication Token"
MISSING_AUTHENTICATION_STS = "Request is missing Authentication Token"
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

DURATION_TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
STS_PROVIDER_ID = "ProviderId must not be given with an OpenID Connect token."
STS_BAD_SIGNATURE = "Couldn't verify signed token."
"""service.md 9.3, check 4: the token's signature is wrong."""

BAD_SESSION_TAGS = "The session tags of the token are not valid."
MALFORMED_POLICY = "The policy is not in the valid JSON format."

PACKED_POLICY_BYTES = 1024
"""What session policies and tags may take up, compressed."""

MAX_HEADER_TEXT = 2048
"""Longer messages are cut in x-amzn-ErrorMessage; clients refuse headers of 64 KiB and more."""

MAX_BODY_BYTES = 1024 * 1024
"""A request body over this is refused; no valid request comes near it."""

# Settings of the service that no public page fixes.
OIDC_GRACE_SECONDS = 300
"""Login tokens are accepted this long after their exp (service.md 1.6)."""

SAML_GRACE_SECONDS = 300
"""The same for the conditions of SAML responses, before and after."""

STS_MAX_TOKEN_AGE_SECONDS = 24 * 3600
"""STS refuses a web identity token whose iat is older (service.md 9.3)."""

KEY_NUMBER = 7
"""The kid of the service's tokens is its region and a number, here always this one."""

POOL_LIMIT = 1000
USER_POOL_LIMIT = 50
MAX_LOGINS = 20
MAX_RULES = 25
MAX_TAGS = 50
MAX_DEVELOPER_USER = 1024
UNSET_PRINCIPAL_TAGS = {"UseDefaults": False, "PrincipalTags": {}}
"""Q5: what GetPrincipalTagAttributeMap answers when nothing was set."""


def serialization_error() -> ServiceError:
    """W30: the body is not JSON, or a member has the wrong JSON type."""
    return ServiceError("SerializationException", None)


def unknown_operation() -> ServiceError:
    """W30: there is no such operation."""
    return ServiceError("UnknownOperationException", None)


def invalid_action(name: str) -> str:
    """STS has no such action."""
    return f"Could not find operation {name} for version 2011-06-15"


def not_an_integer(text: str) -> str:
    """service.md 9.3, check 1: a number of the query protocol that is none, code MalformedInput."""
    return f"'{text}' is not an integer."


def too_many_policy_arns(number: int, most: int) -> str:
    """service.md 9.2; the model has no such limit."""
    return (
        f"1 validation error detected: Value with length {number} at 'policyArns' failed to satisfy "
        f"constraint: Member must have length less than or equal to {most}"
    )


def invalid_policy_arn(arn: str) -> str:
    """PolicyArns of AssumeRoleWithWebIdentity has what is no policy."""
    return f"ARN {arn} is not valid."


def request_too_large() -> ServiceError:
    """The body is larger than MAX_BODY_BYTES."""
    return ServiceError("RequestEntityTooLargeException", "Request body is too large.", 413)


def second_login_of_provider(provider: str) -> ServiceError:
    """service.md 5.4: one login per public provider."""
    return resource_conflict(f"Identity already has a login for provider '{provider}'.")


def too_many_logins() -> ServiceError:
    """service.md 5.4: at most 20 logins an identity."""
    return resource_conflict(f"Identity cannot have more than {MAX_LOGINS} logins.")


def login_not_linked(provider: str) -> ServiceError:
    """service.md 6.19: a name in LoginsToRemove that the identity does not have."""
    return invalid_parameter(f"Identity has no login for provider '{provider}'.")


def wrong_audience() -> ServiceError:
    """service.md 5.2, check 10; STS says the same without its beginning."""
    return not_authorized("Invalid login token. Incorrect token audience")


def not_a_saml_response() -> ServiceError:
    """service.md 5.1: a SAML login that is no response with one assertion."""
    return not_authorized("Invalid login token. Not a valid SAML response.")


def saml_extra_missing() -> ServiceError:
    """SAML was asked for where the ``saml`` extra is not installed."""
    return ServiceError(
        "InternalErrorException", "SAML needs: pip install 'cognito-credentials[emulator,saml]'", 500
    )


def saml_not_yet_valid() -> ServiceError:
    """service.md 5.1: the conditions of a SAML assertion begin later."""
    return not_authorized("Invalid login token. Token is not valid yet.")


def signature_expired(timestamp: str, now: float, lifetime: int) -> str:
    """W27: the signature is older than *lifetime* seconds."""
    return (
        f"Signature expired: {timestamp} is now earlier than "
        f"{_amz_date(now - lifetime)} ({_amz_date(now)} - {lifetime // 60} min.)"
    )


def signature_not_current(timestamp: str, now: float, window: int) -> str:
    """W27: the signature is of a time more than *window* seconds ahead."""
    return (
        f"Signature not yet current: {timestamp} is still later than "
        f"{_amz_date(now + window)} ({_amz_date(now)} + {window // 60} min.)"
    )


def _amz_date(seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def concurrent_modification(pool_id: str) -> ServiceError:
    """service.md 6.2 and 6.6: another call that replaces the pool's settings is under way."""
    return ServiceError(
        "ConcurrentModificationException", f"IdentityPool '{pool_id}' is being modified by another request."
    )


def pool_limit_exceeded() -> ServiceError:
    """service.md 6.1: 1,000 pools an account and region."""
    return ServiceError("LimitExceededException", "Identity pool limit exceeded.")


def user_pool_limit_exceeded() -> ServiceError:
    """service.md 11: 50 user pools an identity pool; several clients of one count once."""
    return ServiceError("LimitExceededException", "User pool limit exceeded.")


def ambiguous_resolution_required(mapping_type: str) -> ServiceError:
    """service.md 6.6."""
    return invalid_parameter(f"AmbiguousRoleResolution is required for RoleMapping of type {mapping_type}.")


def rules_required() -> ServiceError:
    """service.md 6.6."""
    return invalid_parameter("RulesConfiguration is required for RoleMapping of type Rules.")


def too_many_rules() -> ServiceError:
    """service.md 6.6: 25 rules a provider."""
    return invalid_parameter(f"A RoleMapping cannot have more than {MAX_RULES} rules.")


def token_mapping_not_user_pool(provider: str) -> ServiceError:
    """service.md 6.6: type Token is meant for user pools."""
    return invalid_parameter(f"RoleMapping of type Token is not supported for provider ({provider}).")


def custom_role_without_mapping() -> ServiceError:
    """service.md 6.11: CustomRoleArn where no role mapping applies."""
    return invalid_parameter("CustomRoleArn is not supported without a role mapping.")


def external_service(provider: str) -> ServiceError:
    """service.md 5.2: the provider's keys cannot be fetched."""
    return ServiceError("ExternalServiceException", f"Could not reach the login provider {provider}.")


def developer_user_not_found(user: str) -> ServiceError:
    """service.md 6.16."""
    return not_found(f"Developer user identifier '{user}' not found.")


def developer_user_too_long() -> ServiceError:
    """service.md 3.1: DeveloperUserIdentifier, which here comes as a value of Logins."""
    return invalid_parameter("Developer user identifier is too long.")


def developer_user_registered() -> ServiceError:
    """service.md 6.12."""
    return ServiceError(
        "DeveloperUserAlreadyRegisteredException",
        "Developer user identifier is already registered with a different identity.",
    )


def developer_user_elsewhere() -> ServiceError:
    """service.md 6.16 and 6.18."""
    return resource_conflict("Developer user identifier is not linked to this identity.")


def nothing_to_look_up() -> ServiceError:
    """service.md 6.16."""
    return invalid_parameter("Either IdentityId or DeveloperUserIdentifier is required.")


def wrong_developer_provider(name: str) -> ServiceError:
    """Q4, service.md 6.17."""
    return invalid_parameter(f"'{name}' is not the developer provider of this identity pool.")


def developer_provider_fixed() -> ServiceError:
    """service.md 6.2."""
    return invalid_parameter("DeveloperProviderName cannot be changed.")


def invalid_pagination_token() -> ServiceError:
    """service.md 6.5."""
    return invalid_parameter("Invalid pagination token.")


def unknown_tag_provider(provider: str) -> ServiceError:
    """service.md 6.7."""
    return invalid_parameter(f"({provider}) is not a valid ProviderName or is not a configured provider.")


def not_a_pool_arn(arn: str) -> ServiceError:
    """service.md 6.8."""
    return invalid_parameter(f"'{arn}' is not the ARN of an identity pool.")


def too_many_tags() -> ServiceError:
    """service.md 6.8."""
    return invalid_parameter(f"An identity pool cannot have more than {MAX_TAGS} tags.")


def bad_tag(key: str) -> ServiceError:
    """service.md 6.8: reserved prefix, or a character that tags cannot have."""
    return invalid_parameter(f"The tag '{key}' is not valid.")
