"""Requests to the sign-in pages and endpoints that no browser and no client sends."""

from __future__ import annotations

import http.client
import logging
import random
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote_plus, urlsplit

import pytest

from tests.emulator.issuer.conftest import Issuer

from .conftest import PASSWORD, Pages

REQUESTS = 10_000
ODD = (
    *("", " ", "\0", "é", "\ud7ff", "%", "%00", "%ff", "\r\nX: y", "../..", "a" * 5000, "0", "-1", "1e309"),
    *(
        "{}",
        "[]",
        "null",
        "true",
        '"',
        "'",
        "<script>",
        "&",
        "=",
        "&&==",
        ";",
        "#",
        "?",
        "\\",
        "//",
        "${7*7}",
    ),
    *(
        "none",
        "login none",
        "code token",
        "plain",
        "javascript:x",
        "https://[::1",
        "http://a:b@c",
        "http://x:99999",
    ),
    *("SMS_MFA", "MFA_SETUP", "NEW_PASSWORD_REQUIRED", "refuse", "x.1.y", "9" * 40),
)
Made = tuple[str, str, dict[str, str], dict[str, str], dict[str, str]]


def made_of(pages: Pages, issuer: Issuer) -> Callable[[random.Random], Made]:
    """A function that makes a good request: method, path, query, form and headers."""
    browser = pages.browser()
    page = pages.authorize(browser)
    csrf = {"_csrf": page.form[1]["_csrf"]}
    challenge = browser.submit(page, {"username": "totp", "password": PASSWORD})
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    asked = dict(pair.split("=", 1) for pair in pages.query().split("&"))
    asked_issuer = dict(pair.split("=", 1) for pair in issuer.query().partition("?")[2].split("&"))
    device = issuer.begin_device()
    tokens = pages.redeem(pages.code()).json
    token = {
        "grant_type": "refresh_token",
        "client_id": "4ab1cd2ef3",
        "refresh_token": tokens["refresh_token"],
    }
    poll = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "app",
        "device_code": device["device_code"],
    }
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    basic = {"Authorization": "Basic YTpi"}
    own = "/_emulator"
    good: list[Made] = [
        ("GET", "/oauth2/authorize", asked, {}, cookies),
        ("GET", "/login", asked, {}, cookies),
        ("POST", "/login", asked, {**csrf, "username": "ann", "password": PASSWORD}, cookies),
        ("POST", "/login", asked, {**challenge.form[1], "code": "000000"}, cookies),
        ("GET", "/logout", {**asked, "logout_uri": "http://127.0.0.1:9/signed-out"}, {}, cookies),
        (
            "POST",
            "/signup",
            asked,
            {**csrf, "username": "eve", "password": PASSWORD, "userAttributes.email": "e@x"},
            cookies,
        ),
        ("POST", "/confirmUser", asked, {**csrf, "username": "eve", "code": "1"}, cookies),
        ("POST", "/forgotPassword", asked, {**csrf, "username": "ann"}, cookies),
        (
            "POST",
            "/confirmForgotPassword",
            asked,
            {**csrf, "username": "ann", "code": "1", "password": "x"},
            cookies,
        ),
        ("POST", "/oauth2/token", {}, token, basic),
        ("POST", "/oauth2/token", {}, {**token, "grant_type": "authorization_code", "code": "x"}, {}),
        ("POST", "/oauth2/revoke", {}, {"token": "x", "client_id": "4ab1cd2ef3"}, {}),
        ("GET", "/oauth2/userInfo", {}, {}, bearer),
        ("GET", f"{own}/oauth2/authorize", asked_issuer, {}, cookies),
        ("POST", f"{own}/oauth2/authorize", {}, asked_issuer, {}),
        ("POST", f"{own}/login", asked_issuer, {**csrf, "username": "ann", "choice": "sign-in"}, cookies),
        ("GET", f"{own}/device", {"user_code": device["user_code"]}, {}, cookies),
        ("POST", f"{own}/device", {}, {**csrf, "username": "a", "user_code": "BBBB-BBBB"}, cookies),
        ("GET", f"{own}/logout", {"post_logout_redirect_uri": "http://127.0.0.1/x", "state": "s"}, {}, {}),
        ("POST", f"{own}/oauth2/device_authorization", {}, {"client_id": "app", "scope": "openid"}, {}),
        ("POST", f"{own}/oauth2/token", {}, poll, {}),
        ("POST", f"{own}/oauth2/revoke", {}, {"token": "x", "client_id": "app"}, {}),
        ("POST", f"{own}/oauth2/userInfo", {}, {}, bearer),
    ]
    return lambda dice: dice.choice(good)


def _mutated(made: Made, dice: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    method, path, query, form, headers = made
    texts = []
    for fields in (query, form):
        pairs = list(fields.items())
        for _ in range(dice.randrange(3)):
            if not pairs:
                break
            at = dice.randrange(len(pairs))
            name, value = pairs[at]
            odd = dice.choice(ODD)
            pairs[at:at] = dice.choice(([], [(name, odd)], [(odd, value)]))
            at = dice.randrange(len(pairs))
            pairs[at] = (pairs[at][0], dice.choice((odd, value[: len(value) // 2], value + odd)))
            if dice.random() < 0.2:
                del pairs[dice.randrange(len(pairs))]
        texts.append("&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs))
    body = texts[1].encode()
    if dice.random() < 0.1:
        body = bytes(dice.randrange(256) for _ in range(dice.randrange(200)))
    address = f"{path}?{texts[0]}" if texts[0] else path
    if dice.random() < 0.05:
        address += dice.choice(("?&&&", "?%", "?a=%zz", "&\xff=1", "?" + "a=1&" * 100))
    sent = {name: value for name, value in headers.items() if dice.random() > 0.1}
    for name in sent:
        if dice.random() < 0.1:
            sent[name] = dice.choice(("", "Basic", "Basic %%%", "Bearer a.b.c", "a=b; XSRF-TOKEN=x", "\xff"))
    if dice.random() < 0.1:
        sent[dice.choice(("Origin", "Sec-Fetch-Site", "Content-Type"))] = dice.choice(
            ("null", "x", "http://[")
        )
    if dice.random() < 0.05:
        method = dice.choice(("GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE"))
    return method, address.encode("latin-1", "ignore").decode("latin-1"), body, sent


@pytest.mark.thorough
def test_mutated_requests(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """No request makes the emulator fail, and nobody who does not sign in becomes somebody."""
    dice = random.Random(20_261_130)
    make = made_of(pages, Issuer(pages.emulator))
    parts = urlsplit(pages.emulator.url)
    statuses: dict[int, int] = {}
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as wire:
        for _ in range(REQUESTS):
            method, address, body, headers = _mutated(make(dice), dice)
            wire.putrequest(method, "/", skip_accept_encoding=True)
            wire._buffer[0] = f"{method} {address} HTTP/1.1".encode("latin-1")  # type: ignore[attr-defined]
            for name, value in headers.items():
                wire.putheader(name, value.encode("latin-1"))
            wire.putheader("Content-Length", str(len(body)))
            wire.endheaders(body)
            answer = wire.getresponse()
            answer.read()
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            assert answer.status < 500, (method, address, body, headers)
            if answer.getheader("Connection") == "close":
                wire.close()

    assert {200, 302, 400, 401, 403} <= statuses.keys()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "code" in pages.sign_in().parameters
