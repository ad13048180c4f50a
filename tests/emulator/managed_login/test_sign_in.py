"""The sign-in pages of user pools and their OAuth endpoints: what a user and a client see."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jwt
import pytest

from cognito_credentials.emulator.user_pools.codes import list_codes
from cognito_credentials.emulator.user_pools.totp import code_at
from tests.emulator.browser import Answer, Browser

from .conftest import (
    CALLBACK,
    CLIENT,
    PASSWORD,
    POOL,
    SECRET,
    SECRET_CLIENT,
    SIGNED_OUT,
    TOTP_SECRET,
    Pages,
    claims,
    fragment,
)


def test_discovery(pages: Pages) -> None:
    """The document of a pool has every endpoint of the real ones, at the address that was called."""
    document = pages.browser().request("GET", f"/{POOL}/.well-known/openid-configuration").json

    base = pages.emulator.url
    endpoints = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    assert endpoints == {
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "token_endpoint": f"{base}/oauth2/token",
        "revocation_endpoint": f"{base}/oauth2/revoke",
        "userinfo_endpoint": f"{base}/oauth2/userInfo",
        "end_session_endpoint": f"{base}/logout",
    }


def test_a_code_becomes_tokens(pages: Pages) -> None:
    """User name and password become a code, and the code tokens that verify with the pool's keys."""
    answer = pages.sign_in()
    assert answer.status == 302
    assert answer.location.startswith(f"{CALLBACK}?")
    assert answer.parameters["state"] == "the-state"

    tokens = pages.redeem(answer.parameters["code"]).json

    keys = pages.browser().request("GET", f"/{POOL}/.well-known/jwks.json").json["keys"]
    key = jwt.PyJWK(keys[0]).key
    told = jwt.decode(tokens["id_token"], key, ["RS256"], audience=CLIENT, leeway=5)
    assert told["nonce"] == "the-nonce"
    assert told["cognito:username"] == "ann"
    assert told["cognito:groups"] == ["staff"]
    assert told["email"] == "ann@example.com"
    access = jwt.decode(tokens["access_token"], key, ["RS256"], leeway=5)
    assert access["scope"] == "openid email"
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)


def test_authorize_leads_to_the_login_page(pages: Pages) -> None:
    """The authorization endpoint redirects to /login with the same parameters."""
    answer = pages.browser().request("GET", f"/oauth2/authorize?{pages.query()}")

    assert answer.status == 302
    assert answer.location == f"/login?{pages.query()}"


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("", ""), ("ann", "")]
)
def test_a_wrong_password(pages: Pages, name: str, password: str) -> None:
    """A wrong password and an unknown user look the same, and the page asks again."""
    page = pages.sign_in(name, password)

    assert page.status == 200
    assert "password" in page.form[1]
    assert 'role="alert"' in page.text
    assert PASSWORD not in page.text
    if name and password:
        assert "Incorrect username or password." in page.text


def test_a_client_with_a_secret(pages: Pages) -> None:
    """A client with a secret gives it in the header or in the form, and without it gets nothing."""
    basic = base64.b64encode(f"{SECRET_CLIENT}:{SECRET}".encode()).decode()
    wrong = base64.b64encode(f"{SECRET_CLIENT}:wrong".encode()).decode()

    def redeem(header: str = "", **more: str) -> Answer:
        return pages.redeem(pages.code(client_id=SECRET_CLIENT), header, client_id="", **more)

    assert redeem(f"Basic {basic}").status == 200
    assert (
        pages.redeem(
            pages.code(client_id=SECRET_CLIENT), client_id=SECRET_CLIENT, client_secret=SECRET
        ).status
        == 200
    )
    for answer in (
        redeem(f"Basic {wrong}"),
        redeem("Basic %%%"),
        pages.redeem(pages.code(client_id=SECRET_CLIENT), client_id=SECRET_CLIENT),
    ):
        assert (answer.status in (400, 401), answer.json["error"]) == (True, "invalid_client")


def test_a_second_sign_in_needs_no_typing(pages: Pages) -> None:
    """A browser that is signed in to the pool gets a code at once, for every client of the pool."""
    browser = pages.browser()
    browser.submit(pages.authorize(browser), {"username": "ann", "password": PASSWORD})

    assert "code" in pages.authorize(browser).parameters
    assert "code" in pages.authorize(browser, client_id=SECRET_CLIENT).parameters
    assert "code" in pages.authorize(browser, prompt="none").parameters
    assert pages.authorize(browser, prompt="login").status == 200
    assert pages.authorize(browser, login_hint="bob").form[1]["username"] == "bob"
    pages.emulator.move_clock(3600)
    assert pages.authorize(browser).status == 200


def test_prompt_none_without_a_session(pages: Pages) -> None:
    """With prompt=none nobody is asked."""
    answer = pages.authorize(pages.browser(), prompt="none")

    assert answer.parameters == {"error": "login_required", "state": "the-state"}


def test_the_implicit_flow(pages: Pages) -> None:
    """response_type=token brings the tokens in the fragment, without a refresh token."""
    tokens = fragment(pages.sign_in(response_type="token", code_challenge=None, code_challenge_method=None))

    assert {"id_token", "access_token", "token_type", "expires_in", "state"} == tokens.keys()


def test_hash_of_the_access_token(pages: Pages) -> None:
    """An ID token of these endpoints has the hash of its access token, one of the API has none."""
    no_challenge = {"code_challenge": None, "code_challenge_method": None}
    redeemed = pages.redeem(pages.code()).json
    for tokens in (
        redeemed,
        pages.refresh(redeemed["refresh_token"]).json,
        fragment(pages.sign_in(response_type="token", **no_challenge)),
    ):
        digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert claims(tokens["id_token"])["at_hash"] == expected

    of_api = pages.emulator.user_pool(POOL, client_id=CLIENT).sign_in("ann")
    assert "at_hash" not in claims(of_api["IdToken"])


@pytest.mark.parametrize("scope", ["email", "openid offline_access", "openid admin"])
def test_a_wrong_scope(pages: Pages, scope: str) -> None:
    """A scope that the client does not have, or that needs openid, is an error at the client."""
    answer = pages.authorize(pages.browser(), scope=scope)

    assert answer.parameters == {
        "error": "invalid_request",
        "error_description": "invalid_scope",
        "state": "the-state",
    }


def test_no_scope_is_every_scope(pages: Pages) -> None:
    """Without a scope the client gets all that it has."""
    tokens = pages.redeem(pages.code(scope=None)).json

    assert "openid" in claims(tokens["access_token"])["scope"]


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": None},
        {"response_type": "id_token"},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"identity_provider": "Google"},
    ],
)
def test_a_wrong_request_goes_back_to_the_client(pages: Pages, changes: dict[str, str | None]) -> None:
    """What is wrong beside client and redirect address is told to the client."""
    answer = pages.authorize(pages.browser(), **changes)

    assert answer.location.startswith(CALLBACK)
    assert answer.parameters["error"] == "invalid_request"
    assert answer.parameters["state"] == "the-state"


def test_refreshing_and_revoking(pages: Pages) -> None:
    """A refresh token brings new tokens until it is revoked; the access tokens end with it."""
    tokens = pages.redeem(pages.code()).json

    again = pages.refresh(tokens["refresh_token"]).json
    assert again.keys() == {"id_token", "access_token", "expires_in", "token_type"}
    assert pages.post("revoke", {"token": tokens["refresh_token"], "client_id": CLIENT}).status == 200

    assert pages.refresh(tokens["refresh_token"]).json == {"error": "invalid_grant"}
    assert pages.user_info(again["access_token"]).status == 401
    refused = pages.post("revoke", {"token": tokens["access_token"], "client_id": CLIENT})
    assert (refused.status, refused.json["error"]) == (400, "unsupported_token_type")


def test_rotation(pages: Pages) -> None:
    """A pool that rotates refresh tokens gives another one with each refresh."""
    pages.describe(rotate_refresh_tokens=True)
    first = pages.redeem(pages.code()).json["refresh_token"]

    second = pages.refresh(first).json["refresh_token"]

    assert second != first
    assert pages.refresh(first).json == {"error": "invalid_grant"}
    assert pages.refresh(second).status in (200, 400)


def test_user_info(pages: Pages) -> None:
    """User info has the attributes of the scopes, as texts, and the user name."""
    token = pages.redeem(pages.code()).json["access_token"]

    answer = pages.user_info(token).json

    assert {"email": "ann@example.com", "email_verified": "true", "username": "ann"}.items() <= answer.items()
    refused = pages.user_info("nonsense")
    assert refused.status == 401
    assert "invalid_token" in refused.headers["www-authenticate"]


@pytest.mark.parametrize(("grant", "code"), [("password", "unsupported_grant_type"), ("", "invalid_request")])
def test_other_grants(pages: Pages, grant: str, code: str) -> None:
    """Other grants are refused by the name that RFC 6749 has for it."""
    form = {"grant_type": grant, "client_id": CLIENT}
    assert pages.post("token", form).json["error"] == code


def _challenge(browser: Browser, pages: Pages, name: str) -> Answer:
    return browser.submit(pages.authorize(browser), {"username": name, "password": PASSWORD})


def test_a_new_password(pages: Pages) -> None:
    """A temporary password must be replaced, by one that the policy allows, before there is a code."""
    browser = pages.browser()
    page = _challenge(browser, pages, "new")
    assert "Choose a new password" in page.text

    page = browser.submit(page, {"password": "short"})
    assert "Password not long enough" in page.text
    assert 'aria-invalid="true"' in page.text
    done = browser.submit(page, {"password": "Another-horse-2"})

    assert "code" in done.parameters
    assert "Incorrect username" in pages.sign_in("new").text
    assert "code" in pages.sign_in("new", "Another-horse-2").parameters


def test_an_authenticator_app(pages: Pages) -> None:
    """A code of the authenticator app is verified, and a wrong one is asked for again."""
    browser = pages.browser()
    page = _challenge(browser, pages, "totp")
    assert "authenticator app" in page.text
    assert 'autocomplete="one-time-code"' in page.text

    page = browser.submit(page, {"code": "000000"})
    assert "Invalid code received for user" in page.text
    now = pages.emulator.service.clock.now()
    done = browser.submit(page, {"code": code_at(TOTP_SECRET, now)})

    assert "code" in done.parameters


def test_a_choice_of_factors_and_a_code_by_mail(pages: Pages, emulator: Any) -> None:
    """With two factors the user chooses one; the code that is sent signs in."""
    browser = pages.browser()
    page = _challenge(browser, pages, "both")
    assert "<legend>" in page.text

    page = browser.submit(page, {"answer": "EMAIL_OTP"})
    assert "a***@e***" in page.text
    code = list_codes(emulator.service)[-1]["code"]
    assert "code" in browser.submit(page, {"code": code}).parameters


def test_setting_an_authenticator_app_up(pages: Pages) -> None:
    """A pool that requires a second factor shows a key, and verifies the first code of the app."""
    pages.describe(mfa="on")
    browser = pages.browser()
    page = _challenge(browser, pages, "ann")
    assert "Set up an authenticator app" in page.text
    secret = page.form[1]["detail"]

    page = browser.submit(page, {"code": "000000"})
    assert page.form[1]["detail"] == secret
    now = pages.emulator.service.clock.now()
    done = browser.submit(page, {"code": code_at(secret, now)})

    assert "code" in done.parameters


def test_signing_out(pages: Pages) -> None:
    """A sign-out ends the browser's session, and leads to a registered address or to the sign-in page."""
    browser = pages.browser()
    browser.submit(pages.authorize(browser), {"username": "ann", "password": PASSWORD})
    cookies = dict(browser.cookies)

    answer = browser.request("GET", f"/logout?client_id={CLIENT}&logout_uri={SIGNED_OUT}")

    assert answer.location == SIGNED_OUT
    browser.cookies = cookies
    assert pages.authorize(browser).status == 200
    again = browser.request("GET", f"/logout?{pages.query()}")
    assert again.location == f"/login?{pages.query()}"


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"client_id={CLIENT}",
        f"client_id={CLIENT}&logout_uri=https://evil.test",
        f"client_id={CLIENT}&logout_uri={CALLBACK}",
        f"client_id=unknown&logout_uri={SIGNED_OUT}",
        f"client_id={CLIENT}&redirect_uri=https://evil.test&response_type=code",
    ],
)
def test_signing_out_to_another_address(pages: Pages, query: str) -> None:
    """Attack: a sign-out leads nowhere but to a registered address."""
    answer = pages.browser().request("GET", f"/logout?{query}")

    assert answer.status == 400
    assert "location" not in answer.headers


def test_an_identity_pool_takes_its_tokens(pages: Pages, api: Any) -> None:
    """The ID token of a code is a login of an identity pool that lists the user pool."""
    provider = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
    pool = api.emulator.create_pool(CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": CLIENT}])
    logins = {provider: pages.redeem(pages.code()).json["id_token"]}

    assert api.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]


def _last_code(emulator: Any) -> str:
    return str(list_codes(emulator.service)[-1]["code"])


@pytest.mark.parametrize("client", [CLIENT, SECRET_CLIENT])
def test_signing_up(pages: Pages, emulator: Any, client: str) -> None:
    """A new user signs up, confirms the address, and signs in; before that the page asks for the code."""
    browser = pages.browser()
    page = pages.authorize(browser, client_id=client)
    assert f"/signup?{pages.query(client_id=client)}".replace("&", "&amp;") in page.text
    new = {"username": "eve", "password": PASSWORD, "userAttributes.email": "eve@example.com"}
    page = browser.request("GET", f"/signup?{pages.query(client_id=client)}")
    assert "Password not long enough" in browser.submit(page, {**new, "password": "x"}).text
    page = browser.submit(page, new)
    assert "Enter the code for e***@e***" in page.text
    asked = browser.submit(
        pages.authorize(browser, client_id=client), {"username": "eve", "password": PASSWORD}
    )
    assert "User is not confirmed." in asked.text
    assert "Invalid verification code" in browser.submit(page, {"code": "x"}).text

    assert "You can sign in now." in browser.submit(page, {"code": _last_code(emulator)}).text

    assert "code" in pages.sign_in("eve", client_id=client).parameters
    again = browser.submit(browser.request("GET", f"/signup?{pages.query()}"), new)
    assert "User already exists" in again.text


def test_a_forgotten_password(pages: Pages, emulator: Any) -> None:
    """A code by mail replaces the password; whether a user exists is not told."""
    browser = pages.browser()
    start = browser.request("GET", f"/forgotPassword?{pages.query()}")
    unknown = browser.submit(start, {"username": "nobody"})
    page = browser.submit(start, {"username": "ann"})
    assert "Choose a new password" in unknown.text
    assert "Choose a new password" in page.text
    answer = {"code": _last_code(emulator), "password": "Another-horse-2"}

    assert "You can sign in now." in browser.submit(page, answer).text

    assert "Incorrect username" in pages.sign_in("ann").text
    assert "code" in pages.sign_in("ann", "Another-horse-2").parameters


@pytest.mark.parametrize("path", ["/signup", "/forgotPassword", "/confirmUser", "/confirmForgotPassword"])
def test_what_is_no_user_name(pages: Pages, path: str) -> None:
    """A name that cannot be, and forms of other pages, are refused."""
    browser = pages.browser()
    page = browser.request("GET", f"{path}?{pages.query()}")

    for name in ("", "a b", "a\nb", "a" * 129):
        assert 'role="alert"' in browser.submit(page, {"username": name}).text
    assert browser.submit(page, {"username": "ann"}, Origin="https://evil.test").status == 403
    assert browser.request("GET", f"{path}?{pages.query(redirect_uri='https://evil.test')}").status == 400


def test_a_pool_without_sign_up(pages: Pages) -> None:
    """A pool where nobody may sign up has no link to it, and refuses who comes all the same."""
    pages.describe(sign_up=False)
    browser = pages.browser()
    assert "/signup" not in pages.authorize(browser).text
    page = browser.request("GET", f"/signup?{pages.query()}")
    new = {"username": "eve", "password": PASSWORD, "userAttributes.email": "eve@example.com"}

    assert "SignUp is not permitted" in browser.submit(page, new).text
