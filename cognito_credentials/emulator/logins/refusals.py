"""
How the service refuses a login token: its texts, in the order of `reference/service.md#5.2`.

Refusals whose text is assumed are in `assumed`.
"""

from __future__ import annotations

from cognito_credentials.emulator.errors import ServiceError, invalid_parameter, not_authorized


def no_public_provider() -> ServiceError:
    """reference/service.md#5.2.0."""
    return invalid_parameter("Please provide a valid public provider")


def no_providers(pool_id: str) -> ServiceError:
    """The pool lists no provider at all; reference/service.md#5.2.1a."""
    return not_authorized(f"Identity pool - {pool_id} does not have identity providers configured.")


def provider_not_supported() -> ServiceError:
    """reference/service.md#5.2.2, and #5.2.10 for the audience of a user pool's token."""
    return not_authorized("Token is not from a supported provider of this identity pool.")


def service_token() -> ServiceError:
    """GetId takes no token that the service itself issued; reference/service.md#5.2.3."""
    return _invalid_token("Can't pass in a Cognito token.")


def not_a_service_token() -> ServiceError:
    """reference/service.md#5.2.4."""
    return _invalid_token("Not a Cognito token.")


def not_an_id_token() -> ServiceError:
    """reference/service.md#5.2.5."""
    return _invalid_token("Not a valid OpenId Connect identity token.")


def missing_claim(claim: str) -> ServiceError:
    """reference/service.md#5.2.6."""
    return _invalid_token(f"Missing a required claim: {claim}")


def another_issuer() -> ServiceError:
    """reference/service.md#5.2.7."""
    return _invalid_token("Issuer doesn't match providerName")


def token_expired(now: float, end: float) -> ServiceError:
    """reference/service.md#5.2.8."""
    return _invalid_token(f"Token expired: {int(now)} >= {int(end)}")


def signature_not_verified() -> ServiceError:
    """reference/service.md#5.2.9."""
    return _invalid_token("Couldn't verify signed token.")


def token_inactive() -> ServiceError:
    """The user has signed out everywhere; reference/service.md#5.2.11."""
    return not_authorized("Token is inactive")


def _invalid_token(reason: str) -> ServiceError:
    return not_authorized(f"Invalid login token. {reason}")
