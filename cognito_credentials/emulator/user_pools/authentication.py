"""InitiateAuth, RespondToAuthChallenge, and the calls about refresh tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError, invalid_parameter
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import AppClient
from cognito_credentials.emulator.user_pools import refusals, sign_in
from cognito_credentials.emulator.user_pools.clients import (
    check_secret,
    check_secret_hash,
    pool_of,
    proves_secret,
)
from cognito_credentials.emulator.user_pools.sign_in import Challenge, SignedIn, client_of
from cognito_credentials.emulator.user_pools.tokens import (
    API_SCOPE,
    Tokens,
    issue_tokens,
    names_of_refresh_token,
    read_access_token,
    refresh_tokens,
    revoke_refresh_token,
    sign_out_everywhere,
)

Request = Mapping[str, Any]
_REFRESH = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")
_FLOWS_OF_ADMINISTRATORS = ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH")


def initiate_auth(service: Service, request: Request) -> Mapping[str, Any]:
    """InitiateAuth: the flow decides what the parameters are."""
    client = client_of(service, request["ClientId"])
    flow: str = request["AuthFlow"]
    given: Mapping[str, str] = request.get("AuthParameters", {})
    if flow in _FLOWS_OF_ADMINISTRATORS:
        raise invalid_parameter("Initiate Auth method not supported.")
    if (_REFRESH[0] if flow in _REFRESH else flow) not in client.flows:
        raise refusals.flow_not_enabled(flow)
    if flow in _REFRESH:
        return _refreshed(service, client, given)
    name = _required(given, "USERNAME")
    check_secret_hash(client, given.get("SECRET_HASH"), name)
    device_key = given.get("DEVICE_KEY", "")
    if flow == "USER_SRP_AUTH":
        step = sign_in.begin_with_srp(service, client, name, _required(given, "SRP_A"), device_key)
        answer = dict(_answer(service, step))
        del answer["Session"]  # the SECRET_BLOCK stands for it; reference/service.md#12.3.2
        return answer
    if flow == "USER_PASSWORD_AUTH":
        password = _required(given, "PASSWORD")
        return _answer(service, sign_in.begin_with_password(service, client, name, password, device_key))
    preferred = given.get("PREFERRED_CHALLENGE", "")
    return _answer(service, sign_in.begin_with_choice(service, client, name, preferred, given))


def respond_to_auth_challenge(service: Service, request: Request) -> Mapping[str, Any]:
    """RespondToAuthChallenge."""
    client = client_of(service, request["ClientId"])
    responses: Mapping[str, str] = request.get("ChallengeResponses", {})
    name = _required(responses, "USERNAME")
    check_secret_hash(client, responses.get("SECRET_HASH"), name)
    step = sign_in.respond(service, client, request["ChallengeName"], request.get("Session"), responses)
    return _answer(service, step)


def get_tokens_from_refresh_token(service: Service, request: Request) -> Mapping[str, Any]:
    """GetTokensFromRefreshToken: with or without rotation."""
    client = client_of(service, request["ClientId"])
    check_secret(client, request.get("ClientSecret"))
    return _result(refresh_tokens(service, client, request["RefreshToken"], request.get("DeviceKey")))


def revoke_token(service: Service, request: Request) -> Mapping[str, Any]:
    """RevokeToken: the refresh token, and all tokens of its sign-in."""
    try:
        client = client_of(service, request["ClientId"])
        check_secret(client, request.get("ClientSecret"))
    except ServiceError:
        raise assumed.revocation_refused() from None
    revoke_refresh_token(service, client, request["Token"])
    return {}


def global_sign_out(service: Service, request: Request) -> Mapping[str, Any]:
    """GlobalSignOut: all tokens of the user."""
    sign_out_everywhere(service, read_access_token(service, request["AccessToken"], API_SCOPE).user)
    return {}


def _refreshed(service: Service, client: AppClient, given: Mapping[str, str]) -> Mapping[str, Any]:
    """REFRESH_TOKEN_AUTH. Not taken by a pool that rotates refresh tokens: reference/service.md#12.4.6."""
    if pool_of(service, client).rotate_refresh_tokens:
        raise refusals.flow_not_enabled("REFRESH_TOKEN_AUTH")
    token = _required(given, "REFRESH_TOKEN")
    if client.secret is not None:
        names = names_of_refresh_token(service, token)
        if not proves_secret(client, given.get("SECRET_HASH", ""), *names):
            raise refusals.wrong_secret_hash_at_refresh(client.id)
    tokens = refresh_tokens(service, client, token, given.get("DEVICE_KEY"))
    return {"ChallengeParameters": {}, **_result(tokens)}


def _answer(service: Service, step: Challenge | SignedIn) -> Mapping[str, Any]:
    if isinstance(step, SignedIn):
        return {"ChallengeParameters": {}, **_result(issue_tokens(service, step))}
    answer: dict[str, Any] = {
        "ChallengeName": step.name,
        "Session": step.session,
        "ChallengeParameters": dict(step.parameters),
    }
    if step.choices:
        answer["AvailableChallenges"] = list(step.choices)
    return answer


def _result(tokens: Tokens) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "AccessToken": tokens.access_token,
        "ExpiresIn": tokens.expires_in,
        "TokenType": "Bearer",
    }
    if tokens.refresh_token is not None:
        result["RefreshToken"] = tokens.refresh_token
    result["IdToken"] = tokens.id_token
    if tokens.new_device is not None:
        device = tokens.new_device
        result["NewDeviceMetadata"] = {"DeviceKey": device.key, "DeviceGroupKey": device.group_key}
    return {"AuthenticationResult": result}


def _required(given: Mapping[str, str], name: str) -> str:
    if not given.get(name):
        raise refusals.missing_parameter(name)
    return given[name]
