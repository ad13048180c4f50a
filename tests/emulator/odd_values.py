"""Values, claims, names and documents that no client sends and no issuer has, for mutations.py."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .conftest import ROLE

VALUES = [
    None, True, 0, -1, 2**70, 1.5, "", "x", "x" * 3000, "x" * 60_000, [0] * 500, "\x00", "é", "\ud800", [],
    {}, [None], {"": ""}, {"a": None}, [[]], {"a": {"b": []}}, "us-east-1:0", "us-east-1:" + "-" * 60,
]  # fmt: skip


CLAIMS = (
    "iss", "sub", "aud", "exp", "iat", "nbf", "azp", "amr", "email", "cognito:roles",
    "cognito:preferred_role", "cognito:groups", "https://aws.amazon.com/tags", "token_use", "jti",
)  # fmt: skip
ODD_CLAIMS = [
    *VALUES, False, -1.5, 2**63, -(2**63), 10**400, 1e308, float("nan"), float("inf"), -float("inf"), 0.5,
    "1", ROLE + "r", [ROLE + "r", None], [ROLE + "r"] * 30, f"{ROLE}r,{ROLE}s", "arn:",
    {"principal_tags": {"a": ["b"]}}, {"principal_tags": 5}, "a\u0000b", "\udfff", "x" * 300, ["x", "x"],
    [[1]], {"a": [{"b": None}]}, "https://\ud800",
]  # fmt: skip


ODD_NAMES = [
    "login example.com", " ", "ö.example", "日本.example", "login.example.com:8443", "login.example.com:x",
    "login.example.com/a/../b?c=d#e", "login.example.com/%zz", "[::1", "[::1]:1", "127.0.0.1:1",
    "localhost:1/a b", "user:pw@127.0.0.1:1", "x.invalid", "https://login.example.com", "//x.y", "a.b" * 40,
    ".", "..", "a.", "arn:", "arn:aws:iam::123456789012:oidc-provider/",
    "arn:aws:iam::123456789012:saml-provider/x y", "cognito-identity.amazonaws.com",
    "cognito-identity.cn-north-1.amazonaws.com.cn", "graph.facebook.com", "api.twitter.com",
    "cognito-idp.us-east-1.amazonaws.com/us-east-1_a", "cognito-idp.x.y/z", "dev.app", "dev",
    "127.0.0.1:99999", "127.0.0.1:-1", "\u0000.x", "a\nb.c", "'; DROP TABLE pools; --", "127.0.0.1%00:1",
]  # fmt: skip
PRIVATE_JWK = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))
DOCUMENTS = [
    json.dumps({"keys": [PRIVATE_JWK]}).encode(),
    *(json.dumps({"keys": [{**PRIVATE_JWK, **odd}]}).encode() for odd in (
        {"alg": "none"}, {"alg": []}, {"alg": "HS256"}, {"e": "A" * 5000}, {"n": "_" * 90_000}, {"d": "AQ"},
        {"n": 5}, {"oth": [1]}, {"n": "\u1234"}, {"kty": "oct", "k": "AA"},
    )),
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"jwks_uri": 5}', b'{"jwks_uri": "file:///etc/passwd"}',
    b'{"jwks_uri": "http://[::1"}', b'{"keys": 5}', b'{"keys": [5, null, {}]}',
    b'{"keys": [{"kty": "RSA"}]}', b'{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQ"}]}',
    b'{"keys": [{"kty": [], "kid": {}}]}', b"[" * 100_000,
    b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "", "y": ""}]}', b"\xff" * 1000, b" " * 600_000,
]  # fmt: skip


STS_FORM = {
    "Action": "AssumeRoleWithWebIdentity",
    "Version": "2011-06-15",
    "RoleArn": ROLE + "unauthenticated",
    "RoleSessionName": "session",
    "WebIdentityToken": "",
    "DurationSeconds": "900",
    "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/x",
    "Policy": '{"Statement":[]}',
}
ODD_HOSTS = ["[", "[::1", "a b", "", "x:port", "]", "a@b", "/", "[::1]:x", "\u00e9", "1" * 3000]
ODD_TEXTS = [
    "", " ", "x", "x" * 3000, "x" * 25_000, "\u0000", "é", "\ufffe", "0", "-1", "900.5", "9" * 30,
    "\uff11\uff1200", "\n", "arn:aws:iam::123456789012:role/", "arn:aws:iam::1:role/x",
    "arn:aws-cn:iam::123456789012:role/a/b/c", "..", "{}", "[]", "null", "[" * 2000, '{"Statement": 5}',
    '{"Statement": [{"Effect": "Allow"}]}', '{"Statement": [[]]}', '{"Version": NaN, "Statement": []}',
    '{"Statement": [{"Effect": "Deny", "Action": {}, "Resource": [5]}]}',
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": [[]]}]}', "\ud800",
]  # fmt: skip
