"""
The operations of the user pools API that are served: a request in, the members of the answer out.

Each is public: the real service takes it without a signature, too. What an operation stores is kept where it
*returns* an error, such as for a wrong code, and undone where it raises one.

Source: botocore/data/cognito-idp/2016-04-18 in https://github.com/boto/botocore.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError, invalid_parameter
from cognito_credentials.emulator.model.members import shortened
from cognito_credentials.emulator.model.shapes import load_service_model
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.trail import asked
from cognito_credentials.emulator.user_pools import accounts, authentication, devices

Operation = Callable[[Service, Mapping[str, Any]], "Mapping[str, Any] | ServiceError | None"]

API = "cognito-idp"
TARGET = "AWSCognitoIdentityProviderService"

_STEPS: Mapping[str, Operation] = {
    "InitiateAuth": authentication.initiate_auth,
    "RespondToAuthChallenge": authentication.respond_to_auth_challenge,
    "GetTokensFromRefreshToken": authentication.get_tokens_from_refresh_token,
    "RevokeToken": authentication.revoke_token,
    "GlobalSignOut": authentication.global_sign_out,
    "AssociateSoftwareToken": accounts.associate_software_token,
    "VerifySoftwareToken": accounts.verify_software_token,
}
"""These have transactions of their own: they keep something although they raise an error."""

OPERATIONS: Mapping[str, Operation] = {
    **_STEPS,
    "SetUserMFAPreference": accounts.set_user_mfa_preference,
    "ConfirmDevice": devices.confirm_device,
    "UpdateDeviceStatus": devices.update_device_status,
    "GetDevice": devices.get_device,
    "ListDevices": devices.list_devices,
    "ForgetDevice": devices.forget_device,
    "GetUser": accounts.get_user,
    "ChangePassword": accounts.change_password,
    "SignUp": accounts.sign_up,
    "ConfirmSignUp": accounts.confirm_sign_up,
    "ResendConfirmationCode": accounts.resend_confirmation_code,
    "ForgotPassword": accounts.forgot_password,
    "ConfirmForgotPassword": accounts.confirm_forgot_password,
}


def call(service: Service, name: str, request: Any) -> Mapping[str, Any] | None:
    """
    Do one operation.

    Args:
        request: The JSON value of the body. It is checked here.

    Returns:
        The members of the answer; None where the service answers with an empty body.

    Raises:
        ServiceError: The service refuses, or the emulator does not serve the operation.
    """
    checked = _checked(name, request)
    if name in _STEPS:
        outcome = _STEPS[name](service, checked)
    else:
        with service.state.transaction():
            outcome = OPERATIONS[name](service, checked)
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def _checked(name: str, request: Any) -> dict[str, Any]:
    model = load_service_model(API).operations.get(name)
    if model is None or name not in OPERATIONS:
        raise assumed.user_pool_operation_not_served(shortened(name), exists=model is not None)
    asked(model.shown(request))
    try:
        return model.check(request)
    except ServiceError as error:
        # User pools have no ValidationException; reference/service.md#12.2.1.
        if error.code == "ValidationException":
            raise invalid_parameter(error.message or "") from None
        raise
