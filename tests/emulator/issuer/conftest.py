"""A browser and a client of the emulator's own issuer, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "CANARY" + "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Answer:
    """An HTTP answer; *headers* has names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the address that it sends the browser to."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    @property
    def form(self) -> tuple[str, dict[str, str]]:
        """The address and the fields of the form on the page."""
        action = re.search(r'<form method="post" action="([^"]*)"', self.text)
        assert action, self.text
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", self.text):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
        return unescape(action[1]), fields


@dataclass
class Browser:
    """A browser that keeps cookies and does not follow redirects."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, form: dict[str, str] | str | None = None, **headers: str
    ) -> Answer:
        """Send a request with the cookies, and keep those of the answer."""
        parts = urlsplit(self.url)
        body = urlencode(form) if isinstance(form, dict) else form
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)) as wire:
            wire.request(method, path, body, sent)
            answer = wire.getresponse()
            for header in answer.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(header).items():
                    self.cookies[name] = morsel.value
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read().decode())

    def submit(self, page: Answer, more: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send the form of *page*, with more values."""
        action, fields = page.form
        return self.request("POST", action, {**fields, **(more or {})}, **headers)


@dataclass
class Issuer:
    """The issuer of an emulator, and a client of it."""

    emulator: Any

    @property
    def address(self) -> str:
        return f"{self.emulator.url}/_emulator"

    @property
    def provider(self) -> str:
        """Its name in Logins."""
        return self.address.partition("://")[2]

    def browser(self) -> Browser:
        return Browser(self.emulator.url)

    def query(self, **changes: str | None) -> str:
        """The path of an authorization request."""
        parameters = {
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email offline_access",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"/_emulator/oauth2/authorize?{urlencode(given)}"

    def code(self, name: str = "ann", **changes: str | None) -> str:
        """A code for a user who has just signed in."""
        browser = self.browser()
        page = browser.request("GET", self.query(**changes))
        return browser.submit(page, {"username": name}).parameters["code"]

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Call an endpoint for programs."""
        return self.browser().request("POST", f"/_emulator/oauth2/{path}", form, **headers)

    def redeem(self, code: str, **changes: str) -> Answer:
        """Exchange a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "app",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("token", {name: value for name, value in form.items() if value})

    def refresh(self, token: str, **changes: str) -> Answer:
        """Exchange a refresh token for new tokens."""
        form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": token, **changes}
        return self.post("token", form)

    def sign_in(self, name: str = "ann", **changes: str | None) -> dict[str, Any]:
        """The tokens of a user who has just signed in."""
        answer = self.redeem(self.code(name, **changes))
        assert answer.status == 200, answer.text
        return dict(answer.json)

    def begin_device(self, **changes: str) -> dict[str, Any]:
        """The answer to a device that asks for a code."""
        form = {"client_id": "app", "scope": "openid offline_access", **changes}
        return dict(self.post("device_authorization", form).json)

    def poll(self, device: dict[str, Any], **changes: str) -> Answer:
        """Ask once whether somebody has typed in the code."""
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": "app",
            "device_code": device["device_code"],
            **changes,
        }
        return self.post("token", form)


@pytest.fixture
def issuer(emulator: Any) -> Issuer:
    return Issuer(emulator)
