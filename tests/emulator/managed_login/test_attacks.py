"""What strangers, pages of other origins and other clients try at the sign-in pages of user pools."""

from __future__ import annotations

import json
import re

import pytest

from tests.emulator.browser import Answer, Browser

from .conftest import CALLBACK, CLIENT, PASSWORD, SECRET, SECRET_CLIENT, VERIFIER, Pages

HOSTILE = "\"'><script>alert(1)</script>&{{7*7}}"
ANN = {"username": "ann", "password": PASSWORD}


def _is_page(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.text
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "address",
    [
        None,
        "https://evil.test/callback",
        f"{CALLBACK}/",
        f"{CALLBACK}/../evil",
        f"{CALLBACK}?y=1",
        f"{CALLBACK}#fragment",
        f"{CALLBACK}@evil.test",
        CALLBACK.replace("127.0.0.1", "127.0.0.1@evil.test"),
        CALLBACK.replace("http:", "https:"),
        CALLBACK.upper(),
        "//evil.test",
        "javascript:alert(1)",
        f"{CALLBACK}\r\nSet-Cookie: a=b",
    ],
)
def test_a_redirect_address_that_is_not_registered(pages: Pages, address: str | None) -> None:
    """Attack: the browser is sent to no address but a registered one, whatever else is wrong, too."""
    for more in ({}, {"response_type": None}, {"prompt": "none"}):
        _is_page(pages.authorize(pages.browser(), redirect_uri=address, **more), 400)
    answer = pages.browser().request("GET", f"/login?{pages.query(redirect_uri=address)}")
    _is_page(answer, 400)


def test_two_redirect_addresses(pages: Pages) -> None:
    """Attack: of two redirect addresses or clients none counts."""
    for more in ("&redirect_uri=https://evil.test", "&client_id=other"):
        _is_page(pages.browser().request("GET", f"/oauth2/authorize?{pages.query()}{more}"), 400)


@pytest.mark.parametrize("client", [None, "unknown", HOSTILE, "a" * 5000])
def test_an_unknown_client(pages: Pages, client: str | None) -> None:
    """An unknown client shows a page, and never redirects."""
    answer = pages.authorize(pages.browser(), client_id=client)

    _is_page(answer, 400)
    assert "<script" not in answer.text


def test_no_value_is_reflected_as_html(pages: Pages) -> None:
    """Attack: no value of a request becomes part of a page, other than as text."""
    browser = pages.browser()
    hostile = pages.query(state=HOSTILE, nonce=HOSTILE, login_hint=HOSTILE) + f"&x={HOSTILE}&{HOSTILE}=1"
    path = f"/login?{hostile}".replace(" ", "%20")
    page = browser.request("GET", path)
    again = browser.submit(page, {"username": HOSTILE, "password": HOSTILE})
    challenge = {"challenge": "SMS_MFA", "session": HOSTILE, "detail": HOSTILE}
    asked = browser.submit(page, {**challenge, "code": HOSTILE})
    new = browser.submit(
        page, {"challenge": "NEW_PASSWORD_REQUIRED", "session": "x", "detail": f'["{HOSTILE}"]'}
    )

    real = browser.submit(page, {"username": "new", "password": PASSWORD})
    names = json.dumps([f"userAttributes.{HOSTILE}"])
    changed = browser.submit(real, {"password": "short", "detail": names})
    assert "Password not long enough" in changed.text
    for answer in (page, again, asked, new, changed):
        assert answer.status == 200
        assert "<script" not in answer.text
        assert not re.search(r"""[\s"']on\w+=["']""", answer.text)
        assert HOSTILE not in answer.text
    assert page.form[1]["username"] == HOSTILE


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
def test_a_form_of_another_page(pages: Pages, headers: dict[str, str]) -> None:
    """Attack: a page of another origin that sends the form, with a token of its own, signs nobody in."""
    browser = pages.browser()
    page = pages.authorize(browser)

    answer = browser.submit(page, ANN, **headers)

    _is_page(answer, 403)
    assert "cognito" not in browser.cookies


def test_a_form_without_its_token(pages: Pages) -> None:
    """Attack: without the cookie, with another browser's token, or without any, nobody signs in."""
    browser, other = pages.browser(), pages.browser()
    page, others = pages.authorize(browser), pages.authorize(other)

    _is_page(pages.browser().submit(page, ANN), 403)
    _is_page(browser.submit(page, {**ANN, "_csrf": others.form[1]["_csrf"]}), 403)
    _is_page(browser.submit(page, {**ANN, "_csrf": ""}), 403)
    _is_page(browser.submit(page, {**ANN, "_csrf": browser.cookies["XSRF-TOKEN"]}), 403)
    assert browser.submit(page, ANN, Origin=pages.emulator.url).status == 302


def test_the_cookies_of_the_pages(pages: Pages) -> None:
    """No script reads the cookies, and no other site's form sends them."""
    browser = pages.browser()
    page = pages.authorize(browser)
    done = browser.submit(page, ANN)

    for answer in (page, done):
        flags = answer.headers["set-cookie"].lower()
        assert "httponly" in flags
        assert "samesite=lax" in flags


def test_a_cookie_that_was_there_before(pages: Pages) -> None:
    """Attack: whoever plants a session cookie is not signed in by the sign-in that follows (fixation)."""
    browser = pages.browser()
    browser.cookies["cognito"] = "planted"
    browser.submit(pages.authorize(browser), ANN)

    thief = Browser(pages.emulator.url, {"cognito": "planted"})
    assert pages.authorize(thief).status == 200


def test_a_code_that_is_used_twice(pages: Pages) -> None:
    """Attack: a second use of a code gives nothing, and ends what the first one gave."""
    code = pages.code()
    tokens = pages.redeem(code).json

    assert pages.redeem(code).json == {"error": "invalid_grant"}

    assert pages.refresh(tokens["refresh_token"]).json == {"error": "invalid_grant"}
    assert pages.user_info(tokens["access_token"]).status == 401


def test_the_code_of_another_client(pages: Pages) -> None:
    """Attack: another client cannot redeem a code, and does not spoil it."""
    code = pages.code()

    answer = pages.redeem(code, client_id=SECRET_CLIENT, client_secret=SECRET)

    assert answer.json == {"error": "invalid_grant"}
    assert pages.redeem(code).status == 200


@pytest.mark.parametrize("verifier", ["", "w" * 43, VERIFIER.upper(), VERIFIER[:-1], "é" * 43])
def test_a_wrong_verifier(pages: Pages, verifier: str) -> None:
    """Attack: a code is good only with the verifier of its own challenge."""
    assert pages.redeem(pages.code(), code_verifier=verifier).json == {"error": "invalid_grant"}


def test_a_challenge_that_was_taken_out(pages: Pages) -> None:
    """Attack: a client that sends a verifier notices that its challenge was taken out of the request."""
    code = pages.code(code_challenge=None, code_challenge_method=None)

    assert pages.redeem(code).json == {"error": "invalid_grant"}
    assert pages.redeem(code, code_verifier="").status == 200


def test_the_redirect_address_of_another_code(pages: Pages) -> None:
    """Attack: a code is good only with the redirect address that it was sent to."""
    assert pages.redeem(pages.code(), redirect_uri=f"{CALLBACK}?x=1").json == {"error": "invalid_grant"}
    assert pages.redeem(pages.code(), redirect_uri="https://evil.test").json == {
        "error": "unauthorized_client"
    }


def test_a_code_expires(pages: Pages) -> None:
    """A code is good for five minutes."""
    code = pages.code()
    pages.emulator.move_clock(300)

    assert pages.redeem(code).json == {"error": "invalid_grant"}


def test_a_token_of_another_client(pages: Pages) -> None:
    """Attack: a client can neither refresh nor revoke with another client's refresh token."""
    token = pages.redeem(pages.code()).json["refresh_token"]
    other = {"client_id": SECRET_CLIENT, "client_secret": SECRET}

    refresh = {"grant_type": "refresh_token", "refresh_token": token, **other}
    assert pages.post("token", refresh).json == {"error": "invalid_grant"}
    pages.post("revoke", {"token": token, **other})
    assert pages.refresh(token).status == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.e30.x"])
def test_a_text_that_is_no_refresh_token(pages: Pages, token: str) -> None:
    """Revoking it is an error of OAuth, which a page of the app's origin can read."""
    answer = pages.browser().request(
        "POST", "/oauth2/revoke", {"token": token, "client_id": CLIENT}, Origin="https://app.example.test"
    )

    assert (answer.status, answer.json) == (400, {"error": "unsupported_token_type"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_challenge_of_another_sign_in(pages: Pages) -> None:
    """Attack: a challenge that was not asked leads back to the password, and to no code."""
    browser = pages.browser()
    page = pages.authorize(browser)
    for name in ("SOFTWARE_TOKEN_MFA", "MFA_SETUP", "PASSWORD_VERIFIER", "SELECT_MFA_TYPE", "x"):
        answer = browser.submit(page, {"challenge": name, "session": "made up", "code": "000000"})

        assert answer.status == 200
        assert "password" in answer.form[1]


def test_only_the_own_origin_reads_the_pages(pages: Pages) -> None:
    """Pages of other origins may call the endpoints for programs, and read no sign-in page."""
    origin = {"Origin": "https://app.example.test"}
    browser = pages.browser()

    assert (
        "access-control-allow-origin"
        not in browser.request("GET", f"/login?{pages.query()}", **origin).headers
    )
    answer = pages.browser().request(
        "POST", "/oauth2/token", {"grant_type": "x", "client_id": CLIENT}, **origin
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    asked = {"Access_Control_Request_Headers": "authorization", "Access_Control_Request_Method": "GET"}
    preflight = browser.request("OPTIONS", "/oauth2/userInfo", **origin, **asked)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-headers"] == "authorization"


def test_strangers_do_not_fill_the_memory(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-ins that nobody ends leave a limited number of rows."""
    monkeypatch.setattr("cognito_credentials.emulator.assumed.MOST_SESSIONS", 5)
    for _ in range(8):
        pages.code()

    rows = pages.emulator.service.state.rows(
        "SELECT kind, count(*) AS n FROM user_pool_sessions GROUP BY kind"
    )
    assert {row["kind"]: row["n"] for row in rows} == {"code": 5, "browser": 5}
