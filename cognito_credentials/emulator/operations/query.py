"""
The operations of the query protocol, those of STS and of IAM: a form in, the members of the result out.

- ``sts``: AssumeRoleWithWebIdentity, GetCallerIdentity
- ``assume_role``: AssumeRole, GetSessionToken, GetAccessKeyInfo
- ``iam``: roles
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.form import read_form
from cognito_credentials.emulator.model.members import shortened
from cognito_credentials.emulator.model.shapes import OperationModel, load_service_model
from cognito_credentials.emulator.operations import assume_role, iam, sts
from cognito_credentials.emulator.service import Caller, Service

Operation = Callable[[Service, Mapping[str, Any], Caller], "Mapping[str, Any] | None"]

VERSIONS: Mapping[str, str] = {"sts": "2011-06-15", "iam": "2010-05-08"}
"""The services of the query protocol, each with the Version that its calls have."""

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "sts": {**sts.OPERATIONS, **assume_role.OPERATIONS},
    "iam": iam.OPERATIONS,
}


def service_of(version: str) -> str:
    """The service whose calls have *version*; STS for any that is not known."""
    return next((name for name, its in VERSIONS.items() if its == version), "sts")


def find(api: str, name: str) -> OperationModel:
    """
    The model of the operation *name* of *api*.

    Raises:
        ServiceError: InvalidAction: no operation has that name, or it is not emulated.
    """
    if name not in OPERATIONS[api]:
        raise ServiceError("InvalidAction", assumed.invalid_action(shortened(name), VERSIONS[api]))
    return load_service_model(api).operations[name]


def call(
    service: Service, api: str, operation: OperationModel, fields: Mapping[str, str], caller: Caller
) -> Mapping[str, Any] | None:
    """
    Do one operation in a transaction.

    Args:
        fields: The form fields.
        caller: The signer; nobody for an operation that is not signed.

    Returns:
        The members of the result; None where the service answers without a result.

    Raises:
        ServiceError: The service refuses.
        KeysNeededError: A login provider's keys must be fetched first.
    """
    request = read_form(fields, load_service_model(api).shapes, operation.input_shape)
    try:
        checked = operation.check(request)
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message) from None
    if api == "iam":
        iam.check_caller(caller, operation.name, checked)
    with service.state.transaction():
        return OPERATIONS[api][operation.name](service, checked, caller)
