"""The wire of the user pools API: targets, constraints, what is not served, web pages, faults and counts."""

from __future__ import annotations

import json

import pytest
from botocore.loaders import Loader

from cognito_credentials.emulator.user_pools.operations import OPERATIONS

from .conftest import CLIENT, PASSWORD

TARGET = "AWSCognitoIdentityProviderService"
SIGN_IN = {
    "AuthFlow": "USER_PASSWORD_AUTH",
    "ClientId": CLIENT,
    "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
}


def post(users, operation, content, **headers):
    body = content if isinstance(content, str) else json.dumps(content)
    return users.api.raw(body=body, headers={"X-Amz-Target": f"{TARGET}.{operation}", **headers})


@pytest.mark.parametrize("prefix", ["", "com.amazonaws.cognito.identity.idp.model."])
def test_target(users, prefix):
    """The operation is what follows the last dot of the target, with either of its prefixes."""
    answer = users.api.raw(
        body=json.dumps(SIGN_IN), headers={"X-Amz-Target": f"{prefix}{TARGET}.InitiateAuth"}
    )

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json["AuthenticationResult"]["AccessToken"]


def test_what_is_not_served(users):
    """Each operation of the model is served, or the error says by name that it is not."""
    model = Loader().load_service_model("cognito-idp", "service-2")
    others = [name for name in model["operations"] if name not in OPERATIONS]

    assert set(OPERATIONS) < set(model["operations"])
    for name in others:
        answer = post(users, name, {})
        assert answer.json == {
            "__type": "UnknownOperationException",
            "message": f"The emulator does not serve {name} of Amazon Cognito user pools.",
        }
    answer = post(users, "Fly", {})
    assert answer.json["message"] == "There is no operation Fly of Amazon Cognito user pools."
    assert users.api.emulator.requests() == {}


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        ({}, "InvalidParameterException", "2 validation errors detected"),
        ({**SIGN_IN, "AuthFlow": "X"}, "InvalidParameterException", "Member must satisfy enum value set"),
        ({**SIGN_IN, "ClientId": "a b"}, "InvalidParameterException", "Value at 'clientId' failed"),
        ([], "SerializationException", "Start of list"),
        ("{", "SerializationException", ""),
        ({**SIGN_IN, "AuthParameters": {"USERNAME": 5}}, "SerializationException", "NUMBER_VALUE"),
    ],
    ids=["missing", "enum", "pattern", "list", "no JSON", "number"],
)
def test_constraints(users, content, code, text):
    """A violation of the model is an InvalidParameterException that shows no secret value."""
    answer = post(users, "InitiateAuth", content)

    assert (answer.status, answer.json["__type"]) == (400, code)
    assert text in answer.json.get("message", "")
    assert PASSWORD not in answer.body.decode()


def test_unsigned_and_signed(users):
    """Every operation is public, and a signature does no harm."""
    signed = users.api.client("cognito-idp", {"AccessKeyId": "AKID", "SecretAccessKey": "CANARY"})

    assert signed.initiate_auth(**SIGN_IN)["AuthenticationResult"]


def test_web_pages(users):
    """A web page of any origin may call the API, as with AWS: it needs a password for all that matters."""
    origin = {"Origin": "https://app.example.test"}
    asked = users.api.raw("OPTIONS", "/", "", {**origin, "Access-Control-Request-Headers": "x-amz-target"})
    assert asked.headers["access-control-allow-origin"] == "*"
    assert asked.headers["access-control-allow-headers"] == "x-amz-target"

    for content in (SIGN_IN, {}):
        answer = post(users, "InitiateAuth", content, **origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers
    for method, call in (("PUT", "user-pools"), ("GET", "codes")):
        refused = users.api.raw(method, f"/_emulator/{call}", "[]" if method == "PUT" else "", origin)
        assert refused.status == 403


def test_faults_and_counts(users):
    """Faults are planned, and requests counted, by the names of the operations of user pools, too."""
    users.api.emulator.plan_faults(
        {"operation": "InitiateAuth", "code": "TooManyRequestsException", "message": "Rate exceeded"},
        {"operation": "InitiateAuth", "body": '{"ChallengeName": "CUSTOM_CHALLENGE"}'},
    )

    assert post(users, "InitiateAuth", SIGN_IN).json["__type"] == "TooManyRequestsException"
    assert post(users, "InitiateAuth", SIGN_IN).json == {"ChallengeName": "CUSTOM_CHALLENGE"}
    assert post(users, "InitiateAuth", SIGN_IN).status == 200
    assert users.api.emulator.requests() == {"InitiateAuth": 3}


def test_named_as_an_operation_of_identity_pools(users):
    """TagResource of user pools is not that of identity pools: no fault is for it, and it does not count."""
    users.api.emulator.plan_faults({"operation": "TagResource", "status": 503})

    assert (
        post(users, "TagResource", {}).json["message"].startswith("The emulator does not serve TagResource")
    )
    assert len(users.api.emulator.planned_faults()) == 1
