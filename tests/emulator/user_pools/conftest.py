"""A user pool, boto3's client for it, and sign-ins by SRP with pycognito's half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from pycognito.aws_srp import AWSSRP

POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT = "4ab1cd2ef3"
PASSWORD = "CANARY-Passw0rd"


@dataclass
class Users:
    """
    A user pool with *ann*, and boto3's client.

    Attributes:
        described: The members of the pool, as it was described last.
    """

    api: Any
    idp: Any
    described: dict[str, Any]

    def describe(self, **members: Any) -> None:
        """Describe the pool again: its settings, its client, and the user *ann* with the members of *ann*."""
        ann = {"name": "ann", "password": PASSWORD, **members.pop("ann", {})}
        clients = [{"id": CLIENT, **members.pop("client", {})}]
        self.described = {"id": POOL, "clients": clients, "users": [ann], **members}
        self.api.emulator.create_user_pool(**self.described)

    def begin(self, flow: str, **parameters: str) -> Any:
        return self.idp.initiate_auth(AuthFlow=flow, ClientId=CLIENT, AuthParameters=parameters)

    def answer(self, asked: Any, **responses: str) -> Any:
        session = {"Session": asked["Session"]} if "Session" in asked else {}
        return self.idp.respond_to_auth_challenge(
            ClientId=CLIENT,
            ChallengeName=asked["ChallengeName"],
            ChallengeResponses={"USERNAME": "ann", **responses},
            **session,
        )

    def password(self, password: str = PASSWORD, **parameters: str) -> Any:
        """Sign in by USER_PASSWORD_AUTH: the answer, which may ask for more."""
        return self.begin("USER_PASSWORD_AUTH", USERNAME="ann", PASSWORD=password, **parameters)

    def srp(self, password: str = PASSWORD, name: str = "ann", **parameters: str) -> Any:
        """Sign in by USER_SRP_AUTH: the answer, which may ask for more."""
        half = self.half(password, name)
        asked = self.begin("USER_SRP_AUTH", **{**half.get_auth_params(), **parameters})
        return self.answer(asked, **self.proof(half, asked), **parameters)

    def half(self, password: str = PASSWORD, name: str = "ann") -> AWSSRP:
        return AWSSRP(name, password, POOL, CLIENT, client=self.idp)

    def proof(self, half: AWSSRP, asked: Any) -> dict[str, str]:
        """The responses that prove the password."""
        return half.process_challenge(asked["ChallengeParameters"], half.get_auth_params())

    def tokens(self, **parameters: str) -> dict[str, Any]:
        """The tokens of a sign-in by password alone."""
        result: dict[str, Any] = self.password(**parameters)["AuthenticationResult"]
        return result

    def code(self) -> str:
        """The last code."""
        return str(self.api.emulator.codes()[-1]["code"])


def claims(token: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


@pytest.fixture
def users(api: Any) -> Users:
    """A user pool with the user *ann*."""
    made = Users(api, api.client("cognito-idp"), {})
    made.describe()
    return made
