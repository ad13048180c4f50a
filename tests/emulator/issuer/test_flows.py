"""The issuer that is no user pool: every way to sign in there, and what ends a sign-in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from cognito_credentials.emulator import Emulator, SigningKeys

from .conftest import CALLBACK, Issuer


def test_discovery(issuer: Issuer) -> None:
    """The document has every endpoint, below the address that the client called."""
    document = issuer.browser().request("GET", "/_emulator/.well-known/openid-configuration").json

    assert document["issuer"] == issuer.address
    endpoints = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    assert set(endpoints) == {
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
        "device_authorization_endpoint",
    }
    assert all(value.startswith(f"{issuer.address}/") for value in endpoints.values())
    assert document["code_challenge_methods_supported"] == ["S256"]


def test_a_code_becomes_tokens(issuer: Issuer) -> None:
    """A typed name becomes a code, and the code an ID token that verifies with the published keys."""
    tokens = issuer.sign_in("Ann Lee")

    keys = issuer.browser().request("GET", "/_emulator/.well-known/jwks_uri").json["keys"]
    header = jwt.get_unverified_header(tokens["id_token"])
    key = next(jwt.PyJWK(one) for one in keys if one["kid"] == header["kid"])
    claims = jwt.decode(
        tokens["id_token"], key.key, ["RS256"], audience="app", issuer=issuer.address, leeway=5
    )
    assert claims["sub"] == claims["name"] == "Ann Lee"
    assert claims["nonce"] == "the-nonce"
    assert claims["email"] == "Ann.Lee@example.com"
    assert {"auth_time", "at_hash"} <= claims.keys()
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "openid profile email offline_access"


def test_an_identity_pool_takes_its_tokens(issuer: Issuer, api: Any) -> None:
    """An ID token of the issuer is a login of an identity pool of the same emulator."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{issuer.provider}"
    pool = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    logins = {issuer.provider: issuer.sign_in()["id_token"]}

    identity = api.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]

    answer = api.public.get_credentials_for_identity(IdentityId=identity, Logins=logins)
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_over_https(emulator_keys: SigningKeys) -> None:
    """With --tls everything is at https addresses, and cookies are sent over https alone."""
    with Emulator(tls=True, keys=emulator_keys) as emulator:
        issuer = Issuer(emulator)
        document = issuer.browser().request("GET", "/_emulator/.well-known/openid-configuration").json
        page = issuer.browser().request("GET", issuer.query())
        arn = f"arn:aws:iam::123456789012:oidc-provider/{issuer.provider}"
        pool = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
        logins = {issuer.provider: issuer.sign_in()["id_token"]}
        answer = issuer.browser().request(
            "POST",
            "/",
            json.dumps({"IdentityPoolId": pool, "Logins": logins}),
            X_Amz_Target="AWSCognitoIdentityService.GetId",
        )

    assert all(value.startswith("https://") for name, value in document.items() if name.endswith("_endpoint"))
    assert "secure" in page.headers["set-cookie"].lower()
    assert answer.json["IdentityId"].startswith("us-east-1:")


def test_an_access_token_is_no_login(issuer: Issuer, api: Any, refused: Any) -> None:
    """Attack: an access token, which APIs see, gives no credentials."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{issuer.provider}"
    pool = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    logins = {issuer.provider: issuer.sign_in()["access_token"]}

    assert refused(api.public.get_id, IdentityPoolId=pool, Logins=logins)[0] == "NotAuthorizedException"


def test_user_info(issuer: Issuer) -> None:
    """The userinfo endpoint tells what the scopes of the access token allow, to GET and POST."""
    token = issuer.sign_in(scope="openid email")["access_token"]

    for method in ("GET", "POST"):
        answer = issuer.browser().request(
            method, "/_emulator/oauth2/userInfo", Authorization=f"Bearer {token}"
        )
        assert answer.json == {"sub": "ann", "email": "ann@example.com", "email_verified": True}
    refused = issuer.browser().request("GET", "/_emulator/oauth2/userInfo")
    assert (refused.status, refused.json["error"]) == (401, "invalid_token")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_an_access_token_expires(issuer: Issuer) -> None:
    """After an hour of the emulator's clock, an access token is refused."""
    token = issuer.sign_in()["access_token"]
    issuer.emulator.move_clock(3600)

    answer = issuer.browser().request("GET", "/_emulator/oauth2/userInfo", Authorization=f"Bearer {token}")

    assert answer.status == 401


def test_no_refresh_token_without_the_scope(issuer: Issuer) -> None:
    """Only offline_access brings a refresh token."""
    assert "refresh_token" not in issuer.sign_in(scope="openid")


def test_refresh_tokens_rotate(issuer: Issuer) -> None:
    """A refresh brings new tokens and another refresh token."""
    first = issuer.sign_in()["refresh_token"]

    second = issuer.refresh(first).json

    assert second["id_token"]
    assert second["refresh_token"] != first
    assert issuer.refresh(second["refresh_token"]).status == 200


@pytest.mark.parametrize("generations", [1, 3])
def test_an_old_refresh_token_ends_the_grant(issuer: Issuer, generations: int) -> None:
    """Attack: a refresh token that was exchanged before, however long ago, ends all tokens of its grant."""
    first = last = issuer.sign_in()["refresh_token"]
    for _ in range(generations):
        last = issuer.refresh(last).json["refresh_token"]

    assert issuer.refresh(first).json["error"] == "invalid_grant"

    assert issuer.refresh(last).json["error"] == "invalid_grant"


def test_a_refresh_token_lasts_thirty_days(issuer: Issuer) -> None:
    """A refresh token that nobody uses expires, and each use begins anew."""
    token = issuer.sign_in()["refresh_token"]
    issuer.emulator.move_clock(29 * 86400)
    token = issuer.refresh(token).json["refresh_token"]
    issuer.emulator.move_clock(29 * 86400)
    token = issuer.refresh(token).json["refresh_token"]
    issuer.emulator.move_clock(31 * 86400)

    assert issuer.refresh(token).json["error"] == "invalid_grant"


def test_fewer_scopes(issuer: Issuer) -> None:
    """A refresh may ask for fewer scopes, and not for more."""
    token = issuer.sign_in(scope="openid email offline_access")["refresh_token"]

    answer = issuer.refresh(token, scope="openid")

    assert answer.json["scope"] == "openid"
    token = answer.json["refresh_token"]
    assert issuer.refresh(token, scope="openid profile").json["error"] == "invalid_scope"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revocation(issuer: Issuer, kind: str) -> None:
    """Revoking either token ends the grant; a token that is unknown has ended already."""
    tokens = issuer.sign_in()

    assert issuer.post("revoke", {"token": tokens[kind], "client_id": "app"}).status == 200

    assert issuer.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert issuer.browser().request("GET", "/_emulator/oauth2/userInfo", **header).status == 401
    assert issuer.post("revoke", {"token": "unknown", "client_id": "app"}).status == 200


def test_revoking_the_token_of_another_client(issuer: Issuer) -> None:
    """Attack: a client cannot revoke what another one holds."""
    tokens = issuer.sign_in()

    assert issuer.post("revoke", {"token": tokens["refresh_token"], "client_id": "evil"}).status == 400
    assert issuer.refresh(tokens["refresh_token"]).status == 200


def test_a_second_sign_in_needs_no_typing(issuer: Issuer) -> None:
    """A browser that is signed in gets a code at once, unless the client asks for the page."""
    browser = issuer.browser()
    browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})

    assert "code" in browser.request("GET", issuer.query()).parameters
    for more in (
        {"prompt": "login"},
        {"prompt": "consent"},
        {"prompt": "select_account"},
        {"login_hint": "bob"},
    ):
        assert browser.request("GET", issuer.query(**more)).status == 200
    issuer.emulator.move_clock(61)
    assert browser.request("GET", issuer.query(max_age="60")).status == 200
    issuer.emulator.move_clock(3600)
    assert browser.request("GET", issuer.query()).status == 200


def test_prompt_none(issuer: Issuer) -> None:
    """With prompt=none nobody is asked: there is a code, or login_required."""
    browser = issuer.browser()
    refused = browser.request("GET", issuer.query(prompt="none")).parameters
    assert (refused["error"], refused["state"]) == ("login_required", "the-state")
    browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})

    assert "code" in browser.request("GET", issuer.query(prompt="none")).parameters


def test_login_hint(issuer: Issuer) -> None:
    """The page begins with the name that the client guesses."""
    page = issuer.browser().request("GET", issuer.query(login_hint="bob"))

    assert page.form[1]["username"] == "bob"


def test_an_authorization_request_by_post(issuer: Issuer) -> None:
    """The authorization endpoint takes its parameters in a form as well."""
    path, _, query = issuer.query().partition("?")
    browser = issuer.browser()
    answer = browser.request("POST", path, query)

    assert answer.status == 302
    page = browser.request("GET", answer.location)
    assert "code" in browser.submit(page, {"username": "ann"}).parameters


def test_refusing(issuer: Issuer) -> None:
    """Cancel on the page is access_denied at the client, and signs nobody in."""
    browser = issuer.browser()
    page = browser.request("GET", issuer.query())

    answer = browser.submit(page, {"choice": "refuse"})

    assert answer.location.startswith(CALLBACK)
    assert answer.parameters["error"] == "access_denied"
    assert answer.parameters["iss"] == issuer.address
    assert browser.request("GET", issuer.query()).status == 200


@pytest.mark.parametrize("name", ["", "   ", "a" * 129, "a\nb", "a\x00b"])
def test_what_is_no_name(issuer: Issuer, name: str) -> None:
    """A name that cannot be is refused on the page, beside its field."""
    browser = issuer.browser()
    page = browser.submit(browser.request("GET", issuer.query()), {"username": name})

    assert page.status == 200
    assert 'aria-invalid="true"' in page.text
    assert 'id="username-problem"' in page.text
    assert "<title>Error: Sign in</title>" in page.text


def test_signing_out(issuer: Issuer) -> None:
    """A sign-out ends the browser's session, and leads back to the client with its state."""
    browser = issuer.browser()
    browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})
    cookies = dict(browser.cookies)

    answer = browser.request("GET", f"/_emulator/logout?post_logout_redirect_uri={CALLBACK}&state=s")

    assert answer.location == f"{CALLBACK}?state=s"
    assert browser.request("GET", issuer.query()).status == 200
    browser.cookies = cookies
    assert browser.request("GET", issuer.query()).status == 200
    assert "Signed out" in browser.request("GET", "/_emulator/logout").text


def test_a_reset_ends_everything(issuer: Issuer) -> None:
    """After a reset nobody is signed in, and no refresh token is good."""
    browser = issuer.browser()
    browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})
    token = issuer.sign_in()["refresh_token"]

    issuer.emulator.reset()

    assert browser.request("GET", issuer.query()).status == 200
    assert issuer.refresh(token).json["error"] == "invalid_grant"


def test_a_sign_in_survives_a_restart(emulator_keys: SigningKeys, tmp_path: Path) -> None:
    """With a data file, refresh tokens, browser sessions and waiting devices are there after a restart."""
    file = tmp_path / "state.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        issuer, port = Issuer(emulator), int(emulator.url.rpartition(":")[2])
        browser = issuer.browser()
        browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})
        token = issuer.sign_in()["refresh_token"]
        device = issuer.begin_device()
    with Emulator(data=file, keys=emulator_keys, port=port) as emulator:
        issuer = Issuer(emulator)

        assert issuer.refresh(token).status == 200
        assert "code" in browser.request("GET", issuer.query()).parameters
        assert issuer.poll(device).json["error"] == "authorization_pending"


def test_what_was_decided_is_recorded(issuer: Issuer) -> None:
    """The record of a request says what was refused, checked and issued, and holds no secret."""
    code = issuer.code()
    issuer.redeem(code)
    issuer.redeem(code)
    issuer.browser().request("GET", issuer.query(response_type="token"))
    issuer.begin_device()  # a request is recorded by the time that the next one is answered

    recorded = [one.described() for one in issuer.emulator._control.history.after(0)]
    facts = [fact["fact"] for one in recorded for fact in one["facts"]]
    assert "ann is signed in in this browser" in facts
    assert "a code for ann and the client app" in facts
    assert "invalid_grant: the code was used before: its tokens are revoked" in facts
    assert "unsupported_response_type: response_type must be code" in facts
    assert code not in str(recorded)
