"""A user pool with clients and users, and browsers for its sign-in pages."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from tests.emulator.browser import Answer, Browser

POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT, SECRET_CLIENT, SECRET = "4ab1cd2ef3", "5withsecret", "CANARY/secret+x"
CALLBACK = "http://127.0.0.1:9/callback"
SIGNED_OUT = "http://127.0.0.1:9/signed-out"
PASSWORD = "Correct-horse-1"
VERIFIER = "CANARY" + "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def user_pool(**changes: Any) -> dict[str, Any]:
    """A description of the pool."""
    address = {"callback_urls": [CALLBACK, f"{CALLBACK}?x=1"], "logout_urls": [SIGNED_OUT]}
    email = {"email": "ann@example.com", "email_verified": "true"}
    return {
        "id": POOL,
        "mfa": "optional",
        "clients": [{"id": CLIENT, **address}, {"id": SECRET_CLIENT, "secret": SECRET, **address}],
        "users": [
            {"name": "ann", "password": PASSWORD, "attributes": email, "groups": ["staff"]},
            {"name": "new", "password": PASSWORD, "status": "FORCE_CHANGE_PASSWORD"},
            {"name": "totp", "password": PASSWORD, "mfa": ["totp"], "totp_secret": TOTP_SECRET},
            {
                "name": "both",
                "password": PASSWORD,
                "mfa": ["sms", "email"],
                "attributes": {**email, "phone_number": "+15550100", "phone_number_verified": "true"},
            },
        ],
        **changes,
    }


@dataclass
class Pages:
    """The sign-in pages of the user pool."""

    emulator: Any

    def describe(self, **changes: Any) -> None:
        """Describe the pool anew."""
        answer = self.browser().request("PUT", "/_emulator/user-pools", _json([user_pool(**changes)]))
        assert answer.status == 200, answer.text

    def browser(self) -> Browser:
        return Browser(self.emulator.url)

    def query(self, **changes: str | None) -> str:
        """The query of an authorization request."""
        parameters = {
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return urlencode({name: value for name, value in parameters.items() if value is not None})

    def authorize(self, browser: Browser, **changes: str | None) -> Answer:
        """Begin a sign-in, and follow to the page."""
        answer = browser.request("GET", f"/oauth2/authorize?{self.query(**changes)}")
        if answer.status == 302 and answer.location.startswith("/login?"):
            return browser.request("GET", answer.location)
        return answer

    def sign_in(self, name: str = "ann", password: str = PASSWORD, **changes: str | None) -> Answer:
        """Sign in on a new browser's page."""
        browser = self.browser()
        page = self.authorize(browser, **changes)
        return browser.submit(page, {"username": name, "password": password})

    def code(self, **changes: str | None) -> str:
        return self.sign_in(**changes).parameters["code"]

    def redeem(self, code: str, header: str = "", **changes: str) -> Answer:
        """Exchange a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("token", {name: value for name, value in form.items() if value}, header)

    def refresh(self, token: str) -> Answer:
        return self.post(
            "token", {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token}
        )

    def post(self, path: str, form: dict[str, str], header: str = "") -> Answer:
        headers = {"Authorization": header} if header else {}
        return self.browser().request("POST", f"/oauth2/{path}", form, **headers)

    def user_info(self, token: str) -> Answer:
        return self.browser().request("GET", "/oauth2/userInfo", Authorization=f"Bearer {token}")


def _json(content: Any) -> str:
    import json

    return json.dumps(content)


def fragment(answer: Answer) -> dict[str, str]:
    """The parameters in the fragment of the address that *answer* sends the browser to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).fragment).items()}


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


@pytest.fixture
def pages(emulator: Any) -> Pages:
    made = Pages(emulator)
    made.describe()
    return made
