"""What pages of other origins, other clients and thieves try at the emulator's own issuer."""

from __future__ import annotations

import pytest

from tests.emulator.browser import Browser

from .conftest import CALLBACK, VERIFIER, Issuer

HOSTILE = "\"'><script>alert(1)</script>"


@pytest.mark.parametrize(
    "address",
    [
        None,
        "https://evil.test/callback",
        "http://127.0.0.1.evil.test/callback",
        "http://127.0.0.1@evil.test/",
        "http://evil.test#@127.0.0.1/",
        "http://evil.test\\@127.0.0.1/",
        "http://[::1",
        "//evil.test",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        f"{CALLBACK}#fragment",
        f"{CALLBACK}\r\nSet-Cookie: a=b",
    ],
)
def test_a_redirect_address_elsewhere(issuer: Issuer, address: str | None) -> None:
    """Attack: no code, and no browser, is sent to another machine or into a script."""
    answer = issuer.browser().request("GET", issuer.query(redirect_uri=address, prompt="none"))

    assert answer.status == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:5173/callback",
        "http://[::1]:80/",
        "https://127.0.0.1/x?y=z",
        "com.example.app:/callback",
    ],
)
def test_a_redirect_address_of_this_machine(issuer: Issuer, address: str) -> None:
    """Any port of this machine and private schemes of apps may get a code."""
    answer = issuer.browser().request("GET", issuer.query(redirect_uri=address, prompt="none"))

    assert answer.status == 302
    assert answer.location.startswith(address)


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": "token"},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"scope": "email"},
        {"prompt": "none login"},
        {"prompt": "create"},
        {"response_mode": "form_post"},
        {"request": "x"},
        {"max_age": "-1"},
    ],
)
def test_a_wrong_request(issuer: Issuer, changes: dict[str, str | None]) -> None:
    """What is wrong beside client and redirect address is told to the client, with its state."""
    answer = issuer.browser().request("GET", issuer.query(**changes))

    assert answer.location.startswith(CALLBACK)
    assert answer.parameters["error"]
    assert answer.parameters["state"] == "the-state"
    assert answer.parameters["iss"] == issuer.address


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_form_of_another_page(issuer: Issuer, headers: dict[str, str]) -> None:
    """Attack: no page of another origin signs anybody in, nor connects a device."""
    browser = issuer.browser()
    page = browser.request("GET", issuer.query())
    assert browser.submit(page, {"username": "evil"}, **headers).status == 403
    device = issuer.begin_device()
    page = browser.request("GET", "/_emulator/device")
    answer = browser.submit(page, {"user_code": device["user_code"], "username": "evil"}, **headers)

    assert answer.status == 403
    assert issuer.poll(device).json["error"] == "authorization_pending"
    assert "cognito-emulator-issuer" not in browser.cookies


def test_a_form_without_its_token(issuer: Issuer) -> None:
    """Attack: a form without its token, or with that of another browser, signs nobody in."""
    page = issuer.browser().request("GET", issuer.query())

    assert issuer.browser().submit(page, {"username": "evil"}).status == 403
    browser = issuer.browser()
    own = browser.request("GET", issuer.query())
    assert browser.submit(own, {"username": "evil", "_csrf": page.form[1]["_csrf"]}).status == 403


def test_another_name_of_the_emulator(issuer: Issuer) -> None:
    """Attack: a page whose own name leads to this machine reaches nothing (DNS rebinding)."""
    for method, path in (
        ("GET", issuer.query()),
        ("GET", "/_emulator/device"),
        ("POST", "/_emulator/oauth2/token"),
        ("POST", "/_emulator/oauth2/device_authorization"),
    ):
        assert issuer.browser().request(method, path, Host="evil.test").status == 403
    assert issuer.post("token", {"client_id": "app"}, Origin="https://evil.test").status == 403


def test_a_page_of_this_machine_reads_the_endpoints(issuer: Issuer) -> None:
    """An app in the browser, on another port of this machine, may call the endpoints and read the answer."""
    origin = {"Origin": "http://localhost:5173"}
    answer = issuer.post("device_authorization", {"client_id": "app"}, **origin)
    preflight = issuer.browser().request("OPTIONS", "/_emulator/oauth2/token", **origin)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-origin"] == "*"


def test_a_code_that_is_used_twice(issuer: Issuer) -> None:
    """Attack: a second use of a code gives nothing, and ends what the first one gave."""
    code = issuer.code()
    tokens = issuer.redeem(code).json

    assert issuer.redeem(code).json["error"] == "invalid_grant"

    assert issuer.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_the_code_of_another_client(issuer: Issuer) -> None:
    """Attack: another client cannot redeem a code, and does not spoil it."""
    code = issuer.code()

    assert issuer.redeem(code, client_id="evil").json["error"] == "invalid_grant"
    assert issuer.redeem(code).status == 200


@pytest.mark.parametrize(
    "changes", [{"code_verifier": ""}, {"code_verifier": "w" * 60}, {"redirect_uri": f"{CALLBACK}/"}]
)
def test_a_code_in_other_hands(issuer: Issuer, changes: dict[str, str]) -> None:
    """Attack: a code needs the verifier and the redirect address of its own request."""
    assert issuer.redeem(issuer.code(), **changes).json["error"] == "invalid_grant"


def test_secrets_are_good_for_one_purpose(issuer: Issuer) -> None:
    """Attack: a code is no refresh token, a session's cookie no code, and a changed secret nothing."""
    code = issuer.code()
    browser = issuer.browser()
    browser.submit(browser.request("GET", issuer.query()), {"username": "ann"})
    cookie = browser.cookies["cognito-emulator-issuer"]

    assert issuer.refresh(code).json["error"] == "invalid_grant"
    assert issuer.redeem(cookie).json["error"] == "invalid_grant"
    assert issuer.redeem(code[:-1] + ("A" if code[-1] != "A" else "B")).json["error"] == "invalid_grant"
    thief = Browser(issuer.emulator.url, {"cognito-emulator-issuer": code})
    assert thief.request("GET", issuer.query()).status == 200


def test_no_value_is_reflected_as_html(issuer: Issuer) -> None:
    """Attack: no value of a request becomes part of a page, other than as text."""
    browser = issuer.browser()
    page = browser.request("GET", issuer.query(client_id=HOSTILE, state=HOSTILE, login_hint=HOSTILE))
    again = browser.submit(page, {"username": HOSTILE * 9})
    device = browser.request("GET", f"/_emulator/device?user_code={HOSTILE.replace(' ', '')}")

    for answer in (page, again, device):
        assert answer.status == 200
        assert "<script" not in answer.text
    answer = browser.submit(page, {"username": "ann"})
    assert answer.parameters["state"] == HOSTILE


def test_clients_of_the_seed(issuer: Issuer) -> None:
    """If the seed registers client ids for the issuer, only these are clients."""
    issuer.emulator.service.state.execute(
        "INSERT INTO issuers VALUES (?, '[\"mine\"]', NULL, NULL)", issuer.provider
    )

    assert issuer.browser().request("GET", issuer.query()).status == 400
    assert issuer.browser().request("GET", issuer.query(client_id="mine")).status == 200
    assert issuer.post("device_authorization", {"client_id": "app"}).status == 401


def test_the_verifier_stays_a_secret(issuer: Issuer) -> None:
    """No error repeats what the client sent."""
    answer = issuer.redeem("wrong", code_verifier=VERIFIER)

    assert VERIFIER not in answer.text
