"""Other people's clients sign in to the emulator's user pools, and this package's own does the whole way."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock
from freezegun import freeze_time
from pycognito import Cognito
from pycognito.exceptions import SoftwareTokenMFAChallengeException

from cognito_credentials import ChallengeRequired, IdentityPool
from cognito_credentials.sign_in import UserPool
from tests.real_parts import NODE, missing, need

from .conftest import CLIENT, PASSWORD, POOL, claims

PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
FOLDER = Path(__file__).with_name("javascript")
PACKAGES = ("amazon-cognito-identity-js", "aws-jwt-verify", "jose")
TOTP = {"mfa": ["totp"], "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}


@pytest.fixture(scope="session")
def javascript():
    """The folder of the npm packages of these tests, installed once."""
    need(NODE)
    with FileLock(FOLDER / "node_modules.lock"):  # pytest may run several processes
        if not all((FOLDER / "node_modules" / name).is_dir() for name in PACKAGES):
            done = subprocess.run(["npm", "ci", "--silent", "--fetch-retries=0"], cwd=FOLDER, check=False)
            if done.returncode:
                missing("the clients of user pools could not be installed: this needs npm's registry, once")
    return FOLDER


@pytest.fixture
def identity_pool(users):
    """An identity pool that takes the tokens of the user pool."""
    entry = {"ProviderName": PROVIDER, "ClientId": CLIENT, "ServerSideTokenCheck": True}
    return users.api.emulator.create_pool(CognitoIdentityProviders=[entry])


def test_javascript(users, identity_pool, javascript):
    """
    amazon-cognito-identity-js signs in by SRP, remembers its device, refreshes and revokes.

    aws-jwt-verify and jose take its tokens, and the identity pool gives credentials for them.
    """
    users.describe(mfa="optional", devices="always", ann=TOTP)

    done = subprocess.run(
        ["node", "sign_in.mjs", users.api.emulator.url, identity_pool],
        cwd=javascript,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["asked"] == [["SOFTWARE_TOKEN_MFA"], []]
    ((id_one, id_two), (access_one, access_two)) = (result["verified"][use] for use in ("id", "access"))
    assert id_one == id_two == access_one == access_two
    assert result["credentials"]
    assert result["renewed"]
    counts = users.api.emulator.requests()
    assert counts["ConfirmDevice"] == counts["RevokeToken"] == 1


def pycognito(users, name):
    """pycognito for a user. It takes the endpoint for the issuer, which is not so: the issuer is AWS's."""
    options = {"endpoint_url": users.api.emulator.url}
    client = Cognito(POOL, CLIENT, user_pool_region="us-east-1", username=name, boto3_client_kwargs=options)
    client.pool_domain_url = None
    client.pool_jwk = users.api.raw("GET", f"/{POOL}/.well-known/jwks.json").json
    return client


def test_pycognito(users):
    """pycognito signs a user up and in, verifies the tokens, answers a code, refreshes, and signs out."""
    client = pycognito(users, "bob")
    client.set_base_attributes(email="bob@example.com")
    client.register("bob", "Example-1")
    client.confirm_sign_up(users.code(), username="bob")
    client.authenticate("Example-1")
    assert client.get_user().email == "bob@example.com"
    before = client.id_token
    client.renew_access_token()
    assert client.id_token != before
    client.logout()

    users.describe(mfa="on", ann=TOTP)
    ann = pycognito(users, "ann")
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        ann.authenticate(PASSWORD)
    ann.respond_to_software_token_mfa_challenge(users.code(), asked.value.get_tokens())
    assert claims(ann.id_token)["cognito:username"] == "ann"


@pytest.mark.parametrize("devices", ["off", "always"])
@pytest.mark.parametrize("rotates", [False, True])
def test_this_package(users, identity_pool, tmp_path, monkeypatch, devices, rotates):
    """This package signs in by SRP with a code, has AWS credentials, and renews them by refreshing."""
    users.describe(mfa="on", devices=devices, rotate_refresh_tokens=rotates, ann=TOTP)
    for service in ("COGNITO_IDENTITY", "COGNITO_IDENTITY_PROVIDER", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", users.api.emulator.url)
    pool = IdentityPool(
        identity_pool, logins=UserPool(POOL, CLIENT, store="memory"), directory=tmp_path / "cache"
    )
    with pytest.raises(ChallengeRequired) as asked:
        pool.sign_in_with_password("ann", PASSWORD)

    account = asked.value.answer(users.code())

    assert account.username == "ann"
    assert pool.credentials()
    with freeze_time(dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=65), tick=True):
        assert pool.credentials()
    pool.sign_out()
    counts = users.api.emulator.requests()
    assert counts["InitiateAuth"] + counts.get("GetTokensFromRefreshToken", 0) >= 2
    assert counts["GetCredentialsForIdentity"] == 2
    assert counts["RevokeToken"] == 1
    assert counts.get("ConfirmDevice", 0) == (devices == "always")
