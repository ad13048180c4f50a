"""The keys that sign tokens: a token verifies as long as the data file has its key."""

from __future__ import annotations

import base64
import json

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.logins.keys import SERVICE, TEST_ISSUER, TEST_ISSUER_KEY_ID, SigningKeys
from cognito_credentials.emulator.stored.state import State

from ..conftest import GOOGLE, Api

OWN = "cognito-identity.amazonaws.com"
SAML_ARN = "arn:aws:iam::123456789012:saml-provider/corp"


def encoded(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def forged(header, claims):
    """A token whose signature is of no key."""
    return f"{encoded(header)}.{encoded({'sub': 'a', 'exp': 9_999_999_999, **claims})}.{'A' * 342}"


FORGED_OWN = forged(
    {"kid": "us-east-1-7", "typ": "JWS", "alg": "RS512"},
    {"iss": f"https://{OWN}", "aud": "us-east-1:0", "amr": ["authenticated"]},
)
FORGED_LOGIN = forged({"kid": TEST_ISSUER_KEY_ID, "alg": "RS256"}, {"iss": f"https://{GOOGLE}", "aud": "app"})


def api_of(emulator):
    return Api(emulator, None, None, None)


def sign_in(api, pool_id, token):
    """The status of a sign-in with a token of the test issuer."""
    return api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {GOOGLE: token}}).status


def credentials(api, identity_id, token):
    """The status of a sign-in with a token of the service."""
    request = {"IdentityId": identity_id, "Logins": {OWN: token}}
    return api.post("GetCredentialsForIdentity", request).status


def refused_by(file):
    """A new data file with a pool, where forged tokens were verified before any key was made."""
    with Emulator(data=file) as emulator:
        api = api_of(emulator)
        pool_id = emulator.create_pool(SupportedLoginProviders={GOOGLE: "app"})
        guest = api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"]
        assert credentials(api, guest, FORGED_OWN) == 400
        assert sign_in(api, pool_id, FORGED_LOGIN) == 400
        yield api, pool_id


def test_a_refused_call_leaves_the_keys(tmp_path):
    """After a refused call, tokens verify in this run of the emulator and in the next."""
    file = tmp_path / "state-cache.db"
    for api, pool_id in refused_by(file):
        token = api.emulator.login_token(GOOGLE)
        user = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {GOOGLE: token}}).json["IdentityId"]
        answer = api.post("GetOpenIdToken", {"IdentityId": user, "Logins": {GOOGLE: token}})
        own, served = answer.json["Token"], api.raw("GET", "/.well-known/jwks_uri").json
        assert credentials(api, user, own) == 200

    with Emulator(data=file) as emulator:
        assert sign_in(api_of(emulator), pool_id, token) == 200
        assert credentials(api_of(emulator), user, own) == 200
        assert api_of(emulator).raw("GET", "/.well-known/jwks_uri").json == served


def test_verifying_makes_no_key(tmp_path):
    """Verifying a forged token does not make a key."""
    file = tmp_path / "state-cache.db"
    for api, _ in refused_by(file):
        assert [api.emulator.service.keys.find(name) for name in (SERVICE, TEST_ISSUER)] == [None, None]


def test_emulators_of_one_file_sign_with_one_key(tmp_path):
    """Emulators that share a file share its keys."""
    with (
        Emulator(data=tmp_path / "state-cache.db") as first,
        Emulator(data=tmp_path / "state-cache.db") as second,
    ):
        pool_id = first.create_pool(SupportedLoginProviders={GOOGLE: "app"})
        assert sign_in(api_of(first), pool_id, FORGED_LOGIN) == 400
        tokens = [first.login_token(GOOGLE), second.login_token(GOOGLE)]
        for api in map(api_of, (first, second)):
            assert [sign_in(api, pool_id, token) for token in tokens] == [200, 200]


def test_forged_saml_response_makes_no_key(tmp_path):
    """A SAML response with the test issuer's name is refused as long as the test issuer has no key."""
    pytest.importorskip("signxml")
    with Emulator(data=tmp_path / "other-cache.db") as other:
        response = other.saml_response(SAML_ARN)
    with Emulator(data=tmp_path / "state-cache.db") as emulator:
        pool_id = emulator.create_pool(SamlProviderARNs=[SAML_ARN])
        logins = {SAML_ARN: response}

        assert api_of(emulator).post("GetId", {"IdentityPoolId": pool_id, "Logins": logins}).status == 400
        assert emulator.service.keys.find(TEST_ISSUER) is None


def test_a_key_goes_with_the_transaction_that_made_it(tmp_path):
    """A key whose transaction was rolled back does not sign any more."""
    state = State(tmp_path / "state-cache.db")
    keys = SigningKeys(state)
    with pytest.raises(KeyError), state.transaction():  # noqa: PT012 - the transaction is to fail
        keys.get(SERVICE)
        raise KeyError

    assert keys.find(SERVICE) is None
    assert keys.jwk(SERVICE, "k", "RS512") == SigningKeys(state).jwk(SERVICE, "k", "RS512")
    state.close()
