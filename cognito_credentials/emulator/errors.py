"""
The errors that the service answers: one class, and one function for each code in use.

Texts that the real service was seen to send stand where they are raised; texts that are our own
choice stand in assumed.py.
"""

from __future__ import annotations


class ServiceError(Exception):
    """
    An answer of the service that is not success.

    Args:
        code: The error code as on the wire, e.g. ``NotAuthorizedException``.
        message: The text, or None for an error that is only a code.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str | None, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status


def invalid_parameter(message: str) -> ServiceError:
    """InvalidParameterException with *message*."""
    return ServiceError("InvalidParameterException", message)


def not_authorized(message: str) -> ServiceError:
    """NotAuthorizedException with *message*."""
    return ServiceError("NotAuthorizedException", message)


def not_found(message: str) -> ServiceError:
    """ResourceNotFoundException with *message*."""
    return ServiceError("ResourceNotFoundException", message)


def resource_conflict(message: str) -> ServiceError:
    """ResourceConflictException with *message*."""
    return ServiceError("ResourceConflictException", message)


def pool_not_found(pool_id: str) -> ServiceError:
    """The service knows no such identity pool."""
    return not_found(f"IdentityPool '{pool_id}' not found.")


def identity_not_found(identity_id: str) -> ServiceError:
    """The service knows no such identity; one client compares this text byte for byte."""
    return not_found(f"Identity '{identity_id}' not found.")


def identity_forbidden(identity_id: str) -> ServiceError:
    """A guest call with an identity that is signed in, or that is disabled."""
    return not_authorized(f"Access to Identity '{identity_id}' is forbidden.")


def logins_do_not_match() -> ServiceError:
    """None of the logins belongs to the identity."""
    return not_authorized(
        "Logins don't match. Please include at least one valid login for this identity or identity pool."
    )


def role_forbidden(role: str) -> ServiceError:
    """The role is not one that may be used here."""
    return not_authorized(f"Access to Role '{role}' is forbidden.")


def invalid_pool_configuration() -> ServiceError:
    """The enhanced flow found no role, or STS refused it."""
    return ServiceError(
        "InvalidIdentityPoolConfigurationException",
        "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
    )
