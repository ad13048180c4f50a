"""Login tokens of user pools have the claims and the keys of real ones, so that verifiers accept them."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request

import jwt
import pytest

from ..sign_in.conftest import issuer_packages  # noqa: F401  (a fixture)
from .test_guide import blocks

POOL_ID = "us-east-1_Ab1Cd2Ef3"
PROVIDERS = [f"{prefix}cognito-idp.us-east-1.amazonaws.com/{POOL_ID}" for prefix in ("", "issuer-")]


def load(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return json.load(answer)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_claims(emulator, provider):
    """An ID token has every claim that each real one has, and a header of two members."""
    token = emulator.login_token(provider, subject="ann", claims={"cognito:groups": ["staff"]})
    claims = jwt.decode(token, options={"verify_signature": False})
    another = jwt.decode(emulator.login_token(provider), options={"verify_signature": False})

    assert jwt.get_unverified_header(token).keys() == {"kid", "alg"}
    assert claims.keys() - {"marker"} == {
        *("sub", "iss", "aud", "exp", "iat", "auth_time", "token_use", "jti", "origin_jti", "event_id"),
        *("cognito:username", "cognito:groups"),
    }
    assert (claims["token_use"], claims["cognito:username"]) == ("id", "ann")
    assert claims["auth_time"] == claims["iat"] == claims["exp"] - 3600
    assert len({claims[name] for name in ("jti", "origin_jti", "event_id")} | {another["jti"]}) == 4


def test_claims_of_others(emulator):
    """The tokens of other providers have none of these claims."""
    claims = jwt.decode(emulator.login_token("accounts.google.com"), options={"verify_signature": False})

    assert claims.keys() - {"marker"} == {"iss", "sub", "aud", "iat", "exp"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_pyjwt(emulator, provider):
    """PyJWT verifies such a token with the keys that are where a user pool has them."""
    token = emulator.login_token(provider, audience="4ab1cd2ef3")
    keys = jwt.PyJWKClient(f"{emulator.url}/{POOL_ID}/.well-known/jwks.json")

    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256"],
        audience="4ab1cd2ef3",
        issuer=f"https://{provider}",
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )

    assert claims["sub"] == "user"


@pytest.mark.parametrize(
    ("user_pool_id", "host", "issuer"),
    [
        (POOL_ID, "localhost", f"https://{PROVIDERS[0]}"),
        (POOL_ID, "issuer-cognito-idp.us-east-1.amazonaws.com", f"https://{PROVIDERS[1]}"),
        ("cn-north-1_A", "localhost", "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A"),
        ("eusc-de-east-1_A", "localhost", "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_A"),
    ],
)
def test_discovery(emulator, user_pool_id, host, issuer):
    """The discovery document of a user pool names its issuer, and the keys at the host that was called."""
    path = f"/{user_pool_id}/.well-known/openid-configuration"

    document = load(f"{emulator.url}{path}", Host=host)

    assert document["issuer"] == issuer
    assert document["jwks_uri"] == f"http://{host}/{user_pool_id}/.well-known/jwks.json"


@pytest.mark.thorough
def test_aws_jwt_verify(emulator, issuer_packages):  # noqa: F811  (the fixture)
    """The guide's example: AWS's verifier accepts such a token, of either issuer, and no other audience."""
    (example,) = (block for block in blocks("js") if "aws-jwt-verify" in block)
    program = f"{example}console.log((await verifier.verify(process.argv[2])).sub)"
    options = {"audience": "4ab1cd2ef3", "subject": "ann", "claims": {"cognito:groups": ["staff"]}}

    def verify(token):
        return subprocess.run(
            ["node", "--input-type=module", "-", token],
            input=program,
            env={**os.environ, "URL": emulator.url},
            cwd=issuer_packages,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    for provider in PROVIDERS:
        done = verify(emulator.login_token(provider, **options))
        assert (done.stdout, done.returncode) == ("ann\n", 0), done.stderr
    refused = verify(emulator.login_token(PROVIDERS[0], **{**options, "audience": "other"}))
    assert "failedAssertion: { actual: [ 'other' ]" in refused.stderr
