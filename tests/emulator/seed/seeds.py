"""A seed with all tables and members, and every small mistake in it."""

from __future__ import annotations

import base64
import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cognito_credentials.emulator.logins.keys import TEST_ISSUER, SigningKeys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

POOL_ID = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000001"
WHOLE = """
[[pools]]
IdentityPoolId = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000001"
IdentityPoolName = "app"
AllowUnauthenticatedIdentities = true
AllowClassicFlow = true
DeveloperProviderName = "dev.app"
SupportedLoginProviders = { "accounts.google.com" = "app" }
OpenIdConnectProviderARNs = ["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
SamlProviderARNs = ["arn:aws:iam::123456789012:saml-provider/corp"]
IdentityPoolTags = { team = "red" }

[[pools.CognitoIdentityProviders]]
ProviderName = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
ClientId = "app"
ServerSideTokenCheck = true

[pools.Roles]
unauthenticated = "arn:aws:iam::123456789012:role/guest"
authenticated = "arn:aws:iam::123456789012:role/user"

[pools.RoleMappings."accounts.google.com"]
Type = "Rules"
AmbiguousRoleResolution = "Deny"
RulesConfiguration.Rules = [
    { Claim = "sub", MatchType = "Equals", Value = "a", RoleARN = "arn:aws:iam::123456789012:role/admin" }
]

[pools.RoleMappings."cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc:app"]
Type = "Token"
AmbiguousRoleResolution = "AuthenticatedRole"

[pools.PrincipalTags."accounts.google.com"]
team = "department"

[pools.PrincipalTags."cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"]
UseDefaults = false
PrincipalTags = { group = "cognito:groups" }

[[roles]]
arn = "arn:aws:iam::123456789012:role/guest"
max_session_seconds = 7200

[roles.trust_policy]
Version = "2012-10-17"
Id = "text"

[[roles.trust_policy.Statement]]
Sid = "text"
Effect = "Allow"
Action = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

[roles.trust_policy.Statement.Principal]
Federated = "cognito-identity.amazonaws.com"

[roles.trust_policy.Statement.Condition]
StringEquals = { "cognito-identity.amazonaws.com:aud" = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000001" }
"ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = ["unauthenticated"] }
DateLessThan = { "aws:CurrentTime" = "2099-01-01T00:00:00Z" }
NumericGreaterThan = { "aws:EpochTime" = 5 }
BoolIfExists = { "aws:RequestTag/beta" = true }
Null = { "aws:TagKeys" = "true" }

[[roles]]
arn = "arn:aws:iam::123456789012:role/user"
trust_policy = '''{"Statement": {"Effect": "Allow", "Action": "sts:*",
  "Principal": {"Federated": "cognito-identity.amazonaws.com"},
  "Condition": {"StringLike": {"cognito-identity.amazonaws.com:sub": "eu-west-1:*"}}}}'''

[[issuers]]
provider = "login.example.com"
client_ids = ["app"]
jwks_file = "keys.json"

[[issuers]]
provider = "keys.example.com/path"
jwks_uri = "https://keys.example.com/keys"

[[issuers]]
provider = "own.example.com:8443"
jwks = { keys = [{ kty = "RSA", kid = "k", alg = "RS256", use = "sig", n = "MODULUS", e = "AQAB" }] }

[[saml_providers]]
arn = "arn:aws:iam::123456789012:saml-provider/corp"
metadata_file = "metadata.xml"

[[users]]
provider = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
subject = "ann"
signed_out = true

[[users]]
provider = "graph.facebook.com"
subject = "fb"
token = "opaque"
app_id = "1234"
claims = { name = "Bob" }

[[developers]]
access_key_id = "AKIDSEED"
secret_access_key = "seeded"

[[user_pools]]
id = "eu-west-1_Ab1"
issuer = "updated"
mfa = "on"
devices = "ask"
rotate_refresh_tokens = true
rotation_grace_seconds = 10
id_token_minutes = 5
access_token_minutes = 5
refresh_token_days = 5
session_minutes = 5
repeats_challenge = true
first_factors = ["PASSWORD", "EMAIL_OTP"]
sign_up = false
shortest_password = 6
password_needs = ["numbers"]
required_attributes = ["name"]
groups = [{ name = "staff", role = "arn:aws:iam::123456789012:role/user", precedence = 1 }]

[[user_pools.clients]]
id = "app1"
secret = "secret"
flows = ["USER_SRP_AUTH"]
scopes = ["openid"]
callback_urls = ["https://app.example.com/back"]
logout_urls = ["https://app.example.com/"]
hides_users = false

[[user_pools.users]]
name = "ann"
password = "password"
sub = "4f1c"
status = "CONFIRMED"
enabled = true
groups = ["staff"]
mfa = ["totp", "email"]
preferred_mfa = "totp"
totp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
attributes = { email = "ann@example.com", email_verified = "true", "custom:team" = "red" }
"""
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<ds:X509Data><ds:X509Certificate>CERTIFICATE</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
</md:IDPSSODescriptor></md:EntityDescriptor>"""
WRONG = {
    "number": 5,
    "negative": -1,
    "large": 2**62,
    "too large": 2**70,
    "fraction": 1.5,
    "nan": float("nan"),
    "flag": True,
    "empty": "",
    "text": "a b\n\x1b[31m",
    "huge": "x" * 100_000,
    "list": [],
    "list of numbers": [5],
    "list of texts": ["x"],
    "table": {},
    "table of numbers": {"x": 5},
}
ACCEPTED = """
pools = list, missing
pools[1] = missing
pools[1].IdentityPoolId = missing
pools[1].AllowUnauthenticatedIdentities = flag
pools[1].AllowClassicFlow = flag, missing
pools[1].DeveloperProviderName = missing
pools[1].OpenIdConnectProviderARNs = list, missing
pools[1].OpenIdConnectProviderARNs[1] = missing
pools[1].SamlProviderARNs = list, missing
pools[1].SamlProviderARNs[1] = missing
pools[1].IdentityPoolTags = table, missing
pools[1].IdentityPoolTags.team = empty, missing
pools[1].PrincipalTags = missing, table
pools[1].PrincipalTags.accounts.google.com = missing, table
pools[1].PrincipalTags.accounts.google.com.team = missing, text
pools[1].PrincipalTags.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc = missing, table
pools[1].PrincipalTags.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc.PrincipalTags = missing, table, text
pools[1].PrincipalTags.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc.PrincipalTags.group = missing, text
pools[1].PrincipalTags.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc.UseDefaults = flag, missing, text
pools[1].CognitoIdentityProviders[1].ServerSideTokenCheck = flag, missing
pools[1].Roles = table, missing
pools[1].Roles.unauthenticated = missing
pools[1].Roles.authenticated = missing
pools[1].RoleMappings = table, missing
pools[1].RoleMappings.accounts.google.com = missing
pools[1].RoleMappings.accounts.google.com.RulesConfiguration.Rules[1].Value = text
pools[1].RoleMappings.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc:app = missing
roles = list, missing
roles[1] = missing
roles[1].max_session_seconds = missing
roles[1].trust_policy.Version = missing
roles[1].trust_policy.Id = empty, text, huge, missing
roles[1].trust_policy.Statement[1].Sid = empty, huge, missing
roles[1].trust_policy.Statement[1].Action[1] = missing
roles[1].trust_policy.Statement[1].Action[2] = missing
roles[1].trust_policy.Statement[1].Condition.ForAnyValue:StringLike = missing
roles[1].trust_policy.Statement[1].Condition.ForAnyValue:StringLike.cognito-identity.amazonaws.com:amr = empty, text, huge, list of texts
roles[1].trust_policy.Statement[1].Condition.ForAnyValue:StringLike.cognito-identity.amazonaws.com:amr[1] = empty, text, huge
roles[1].trust_policy.Statement[1].Condition.DateLessThan = missing
roles[1].trust_policy.Statement[1].Condition.DateLessThan.aws:CurrentTime = number, negative, list of numbers
roles[1].trust_policy.Statement[1].Condition.NumericGreaterThan = missing
roles[1].trust_policy.Statement[1].Condition.NumericGreaterThan.aws:EpochTime = number, negative, large, fraction, list of numbers
roles[1].trust_policy.Statement[1].Condition.BoolIfExists = missing
roles[1].trust_policy.Statement[1].Condition.BoolIfExists.aws:RequestTag/beta = flag
roles[1].trust_policy.Statement[1].Condition.Null = missing
roles[1].trust_policy.Statement[1].Condition.Null.aws:TagKeys = flag
roles[2] = missing
issuers = list, missing
issuers[1] = missing
issuers[1].client_ids = list, list of texts, missing
issuers[1].client_ids[1] = missing
issuers[1].jwks_file = missing
issuers[2] = missing
issuers[2].jwks_uri = missing
issuers[3] = missing
issuers[3].jwks = missing
issuers[3].jwks.keys[1].kid = text, huge, missing
issuers[3].jwks.keys[1].alg = missing
issuers[3].jwks.keys[1].use = missing
saml_providers = list, missing
saml_providers[1] = missing
users = list, missing
users[1] = missing
users[1].subject = text, huge
users[1].signed_out = flag, missing
users[2] = missing
users[2].subject = text, huge
users[2].token = text, missing
users[2].app_id = missing
users[2].claims = table, table of numbers, missing
users[2].claims.name = number, negative, large, fraction, flag, empty, text, huge, list, list of numbers, list of texts, table, table of numbers, missing
developers = list, missing
developers[1] = missing
developers[1].secret_access_key = text, huge
user_pools = list, missing
user_pools[1] = missing
user_pools[1].issuer = missing
user_pools[1].mfa = missing
user_pools[1].devices = missing
user_pools[1].rotate_refresh_tokens = flag, missing
user_pools[1].rotation_grace_seconds = number, missing
user_pools[1].id_token_minutes = number, missing
user_pools[1].access_token_minutes = number, missing
user_pools[1].refresh_token_days = number, missing
user_pools[1].session_minutes = number, missing
user_pools[1].repeats_challenge = flag, missing
user_pools[1].first_factors = list, missing
user_pools[1].first_factors[1] = missing
user_pools[1].first_factors[2] = missing
user_pools[1].sign_up = flag, missing
user_pools[1].shortest_password = number, missing
user_pools[1].password_needs = list, missing
user_pools[1].password_needs[1] = missing
user_pools[1].required_attributes = list, missing
user_pools[1].required_attributes[1] = missing
user_pools[1].groups = list, missing
user_pools[1].groups[1] = missing
user_pools[1].groups[1].role = missing
user_pools[1].groups[1].precedence = number, negative, large, missing
user_pools[1].clients = list, missing
user_pools[1].clients[1] = missing
user_pools[1].clients[1].secret = missing
user_pools[1].clients[1].flows = list, missing
user_pools[1].clients[1].flows[1] = missing
user_pools[1].clients[1].scopes = list, list of texts, missing
user_pools[1].clients[1].scopes[1] = missing
user_pools[1].clients[1].callback_urls = list, missing
user_pools[1].clients[1].callback_urls[1] = missing
user_pools[1].clients[1].logout_urls = list, missing
user_pools[1].clients[1].logout_urls[1] = missing
user_pools[1].clients[1].hides_users = flag, missing
user_pools[1].users = list, missing
user_pools[1].users[1] = missing
user_pools[1].users[1].password = text, missing
user_pools[1].users[1].sub = missing
user_pools[1].users[1].status = missing
user_pools[1].users[1].enabled = flag, missing
user_pools[1].users[1].groups = list, list of texts, missing
user_pools[1].users[1].groups[1] = missing
user_pools[1].users[1].mfa[2] = missing
user_pools[1].users[1].preferred_mfa = missing
user_pools[1].users[1].totp_secret = missing
user_pools[1].users[1].attributes.email_verified = missing
user_pools[1].users[1].attributes.custom:team = empty, text, missing
"""  # noqa: E501 - one place a line
"""The changes that leave the seed valid: optional members left out, empty lists, free texts."""
Place = tuple[Any, ...]


def whole_seed(keys: SigningKeys, directory: Path) -> dict[str, Any]:
    """The content of a valid seed, whose files are written to *directory*."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from cognito_credentials.emulator.logins.saml_issuer import certificate

    jwk = keys.jwk(TEST_ISSUER, "k", "RS256")
    der = base64.b64encode(certificate(keys).public_bytes(Encoding.DER)).decode()
    (directory / "keys.json").write_text(f'{{"keys": [{{"kty": "RSA", "n": "{jwk["n"]}", "e": "AQAB"}}]}}')
    (directory / "metadata.xml").write_text(METADATA.replace("CERTIFICATE", der))
    return tomllib.loads(WHOLE.replace("MODULUS", jwk["n"]))


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """The paths of all members and entries in *value*, outer ones first."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from places(value[key], (*path, key))


def changed(content: dict[str, Any], path: Place, value: Any) -> dict[str, Any]:
    """A copy of *content* with *value* at *path*; an ellipsis removes the member."""
    whole = copy.deepcopy(content)
    inner: Any = whole
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return whole


def named(path: Place) -> str:
    """*path* as error messages name it: entries are counted from 1."""
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
