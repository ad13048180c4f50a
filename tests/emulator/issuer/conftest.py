"""A browser and a client of the emulator's own issuer, over HTTP."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.emulator.browser import Answer, Browser

CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "CANARY" + "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


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
        return Browser(self.emulator.url, certificate=self.emulator.certificate)

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
