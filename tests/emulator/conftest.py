"""Clients of every kind for the emulator: boto3 signed and unsigned, and raw HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_credentials.emulator.model.shapes import load_service_model

from .service_page import witnessed  # noqa: F401  (a fixture for every test of this directory)

OIDC = "login.example.com"
OIDC_ARN = f"arn:aws:iam::123456789012:oidc-provider/{OIDC}"
GOOGLE = "accounts.google.com"
FAKE_SIGNATURE = "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/c/d, SignedHeaders=host, Signature=x"
SIGNED = {"Authorization": FAKE_SIGNATURE, "X-Amz-Date": "20200101T000000Z"}
"""Headers of a developer's call. The emulator cannot verify the signature of a key that it did not issue."""

ROLE = "arn:aws:iam::123456789012:role/"

NEEDS_ROTATION = pytest.mark.skipif(
    "GetTokensFromRefreshToken" not in load_service_model("cognito-idp").operations,
    reason="this botocore's model of user pools is older than GetTokensFromRefreshToken",
)


@dataclass
class RawAnswer:
    """An HTTP answer with the names of its headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """One emulator and its clients."""

    emulator: Any
    developer: Any
    public: Any
    session: Any
    clients: list[Any] = field(default_factory=list)

    def client(self, service: str, credentials: dict[str, Any] | None = None, **options: Any) -> Any:
        """A boto3 client that signs with *credentials* of Cognito or of STS; without them it is unsigned."""
        if credentials is None:
            options["config"] = Config(signature_version=UNSIGNED)
        else:
            secret = credentials.get("SecretKey") or credentials["SecretAccessKey"]
            options["aws_access_key_id"] = credentials["AccessKeyId"]
            options["aws_secret_access_key"] = secret
            options["aws_session_token"] = credentials.get("SessionToken")
        options.setdefault("region_name", "us-east-1")
        made = self.session.client(service, endpoint_url=self.emulator.url, **options)
        self.clients.append(made)
        return made

    def close(self) -> None:
        for made in self.clients:
            made.close()

    def raw(
        self,
        method: str = "POST",
        path: str = "/",
        body: bytes | str = b"",
        headers: dict[str, str] | None = None,
    ) -> RawAnswer:
        parts = urlsplit(self.emulator.url)
        with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)) as wire:
            wire.request(method, path, body, headers or {})
            answer = wire.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return RawAnswer(answer.status, names, answer.read())

    def post(self, operation: str, content: Any, **headers: str) -> RawAnswer:
        """Make one unsigned JSON call."""
        return self.raw(
            body=json.dumps(content),
            headers={
                "X-Amz-Target": f"AWSCognitoIdentityService.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                **headers,
            },
        )

    def control(self, method: str, path: str, content: Any = None) -> RawAnswer:
        body = b"" if content is None else json.dumps(content)
        return self.raw(method, f"/_emulator/{path}", body)

    def oidc_pool(self, **settings: Any) -> str:
        """A pool with two login providers that accepts tokens for the audience ``app``."""
        return self.emulator.create_pool(
            **{
                "OpenIdConnectProviderARNs": [OIDC_ARN],
                "SupportedLoginProviders": {GOOGLE: "app"},
                **settings,
            }
        )

    def login(self, subject: str = "ann", provider: str = OIDC, **options: Any) -> dict[str, str]:
        return {provider: self.emulator.login_token(provider, subject=subject, **options)}


@pytest.fixture(scope="session")
def boto_session() -> boto3.Session:
    """One session for all tests: it caches the service models, which are slow to read."""
    return boto3.Session()


@pytest.fixture
def api(emulator: Any, boto_session: boto3.Session) -> Iterator[Api]:
    """The emulator with its clients."""
    made = Api(emulator, None, None, boto_session)
    made.developer = made.client(
        "cognito-identity", {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"}
    )
    made.public = made.client("cognito-identity")
    yield made
    made.close()


@pytest.fixture
def refused() -> Callable[..., dict[str, Any]]:
    """A function that makes a call, which must fail, and returns code, message and status of the error."""

    def call(function: Callable[..., Any], **arguments: Any) -> tuple[str, str, int]:
        with pytest.raises(ClientError) as caught:
            function(**arguments)
        response = caught.value.response
        return (
            response["Error"]["Code"],
            response["Error"]["Message"],
            response["ResponseMetadata"]["HTTPStatusCode"],
        )

    return call


def get_id(api: Api, pool_id: str, logins: dict[str, str] | None = None) -> str:
    arguments = {"Logins": logins} if logins is not None else {}
    return api.public.get_id(IdentityPoolId=pool_id, **arguments)["IdentityId"]


def credentials_id(api: Api, identity_id: str, logins: dict[str, str] | None = None) -> str:
    arguments = {"Logins": logins} if logins is not None else {}
    return api.public.get_credentials_for_identity(IdentityId=identity_id, **arguments)["IdentityId"]


PROGRAM = """
import sys
from cognito_credentials.emulator import serve
options = dict(pair.split("=", 1) for pair in sys.argv[1:])
options["port"] = int(options.get("port", 0))
options["tls"] = "tls" in options
sys.exit(serve(**options, out=sys.stdout, err=sys.stderr))
"""


def command(*arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start the emulator in a process of its own. Each argument is NAME=VALUE, an option of `serve`."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
