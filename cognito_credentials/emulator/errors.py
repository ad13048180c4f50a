"""
The error answers of the service: one class, and functions for codes and texts that several places raise.

Other texts stand where they are raised. Texts that no public record shows are in ``assumed``.
"""

from __future__ import annotations


class ServiceError(Exception):
    """
    An error answer of the service.

    Args:
        code: The error code on the wire, e.g. ``NotAuthorizedException``.
        message: The text; None where the service sends a code without a text.
    """

    def __init__(self, code: str, message: str | None, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status


def invalid_parameter(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def not_authorized(message: str) -> ServiceError:
    return ServiceError("NotAuthorizedException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def resource_conflict(message: str) -> ServiceError:
    return ServiceError("ResourceConflictException", message)


def pool_not_found(pool_id: str) -> ServiceError:
    return not_found(f"IdentityPool '{pool_id}' not found.")


def identity_not_found(identity_id: str) -> ServiceError:
    """The answer for an identity that does not exist. Clients compare the text byte for byte."""
    return not_found(f"Identity '{identity_id}' not found.")


def identity_forbidden(identity_id: str) -> ServiceError:
    """The answer to a guest call for an identity that is signed in or disabled."""
    return not_authorized(f"Access to Identity '{identity_id}' is forbidden.")


def logins_do_not_match() -> ServiceError:
    return not_authorized(
        "Logins don't match. Please include at least one valid login for this identity or identity pool."
    )


def role_forbidden(role: str) -> ServiceError:
    return not_authorized(f"Access to Role '{role}' is forbidden.")


def invalid_pool_configuration() -> ServiceError:
    """The answer of the enhanced flow when no role is configured, or STS refuses the role."""
    return ServiceError(
        "InvalidIdentityPoolConfigurationException",
        "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
    )


def concurrent_modification() -> ServiceError:
    """Another call that replaces the pool's settings is under way; reference/service.md#6.2.4 and #6.2.5."""
    return ServiceError(
        "ConcurrentModificationException",
        "Only one request to update resource type Identity Pool can be processed at a time",
    )


def broken_json() -> ServiceError:
    """The body is not JSON; reference/service.md#W30a."""
    return ServiceError("SerializationException", None)
