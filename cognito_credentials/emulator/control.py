"""
What no real service has: the calls under ``/_emulator/``.

Source: design.md 4.4.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cognito_credentials.emulator.faults import FaultError, Faults
from cognito_credentials.emulator.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.seed_entry import Entry, SeedError
from cognito_credentials.emulator.seed_tables import plant_user
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.session_policies import Decision, decide
from cognito_credentials.emulator.settings import NAMES, SettingError, read_setting
from cognito_credentials.emulator.tokens import sign_jwt
from cognito_credentials.emulator.wire import Answer

PREFIX = "/_emulator/"
_LOGIN_SECONDS = 3600
_MOST_SECONDS = 10**9


class ControlError(Exception):
    """A control call is wrong; the text says what."""


@dataclass
class Control:
    """Counts, faults and settings of one emulator, and the calls that change them."""

    service: Service
    faults: Faults = field(default_factory=Faults)
    counts: Counter[str] = field(default_factory=Counter)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Do the control call ``method path``."""
        calls = {
            "GET requests": self._requests,
            "POST reset": self._reset,
            "POST login-token": self._login_token,
            "POST saml-response": self._saml_response,
            "POST allowed": self._allowed,
            "PUT faults": self._faults,
            "PUT settings": self._settings,
            "PUT users": self._users,
        }
        call = calls.get(f"{method} {path.removeprefix(PREFIX)}")
        if call is None:
            return _json(404, {"error": f"no such call; there are: {', '.join(calls)}"})
        try:
            return _json(200, call(_read(body)))
        except (ControlError, FaultError, SeedError, SettingError) as error:
            return _json(400, {"error": str(error)})

    def _requests(self, content: Any) -> Mapping[str, Any]:
        del content
        return dict(self.counts)

    def _reset(self, content: Any) -> Mapping[str, Any]:
        del content
        self.service.reset()
        self.counts.clear()
        self.faults.clear()
        return {}

    def _faults(self, content: Any) -> Mapping[str, Any]:
        self.faults.plan(content)
        return {}

    def _settings(self, content: Any) -> Mapping[str, Any]:
        given = _members(content, set(NAMES))
        settings, clock = self.service.settings, self.service.clock
        checked = {name: read_setting(name, value) for name, value in given.items()}
        clock.offset = checked.pop("clock_offset", clock.offset)
        for name, value in checked.items():
            setattr(settings, name, value)
        return {**asdict(settings), "clock_offset": clock.offset}

    def _users(self, content: Any) -> Mapping[str, Any]:
        if not isinstance(content, list):
            raise ControlError("users: expected a list")
        with self.service.state.transaction():
            for number, user in enumerate(content, start=1):
                plant_user(self.service, Entry("", f"users[{number}]", user))
        return {}

    def _saml_response(self, content: Any) -> Mapping[str, Any]:
        given = _members(content, {"provider", "subject", "roles", "attributes", "expires_in"})
        return {"response": saml_response(self.service, **given)}

    def _allowed(self, content: Any) -> Mapping[str, Any]:
        given = _members(content, {"access_key_id", "action", "resource"})
        return asdict(allowed(self.service, **given))

    def _login_token(self, content: Any) -> Mapping[str, Any]:
        given = _members(content, {"provider", "audience", "subject", "expires_in", "claims"})
        return {"token": login_token(self.service, **given)}


def allowed(service: Service, access_key_id: Any = None, action: Any = None, resource: Any = "*") -> Decision:
    """
    Whether the session policies of issued credentials leave room for an action.

    Raises:
        ControlError: An argument is not good, or the credentials are not of this process.
    """
    for name, value in (("access_key_id", access_key_id), ("action", action), ("resource", resource)):
        if not isinstance(value, str) or not value:
            raise ControlError(f"{name}: expected a text")
    session = service.mint.recent(access_key_id)
    if session is None:
        raise ControlError(f"access_key_id: {access_key_id} was not given out since the start")
    return decide(session, action, resource, service.clock.now())


def login_token(
    service: Service,
    provider: Any = None,
    audience: Any = "app",
    subject: Any = "user",
    expires_in: Any = _LOGIN_SECONDS,
    claims: Any = None,
) -> str:
    """
    A login token of *provider*, signed by the emulator's test issuer.

    Args:
        provider: A logins key, e.g. ``accounts.google.com``.
        expires_in: Seconds from now, by the emulator's clock; may be negative.
        claims: More claims; they win over the usual ones, and None takes a claim away.

    Raises:
        ControlError: An argument has the wrong type.
    """
    for name, value in (("provider", provider), ("subject", subject)):
        if not isinstance(value, str) or not value:
            raise ControlError(f"{name}: expected a text")
    _check_seconds(expires_in)
    if claims is not None and not isinstance(claims, dict):
        raise ControlError("claims: expected an object")
    now = int(service.clock.now())
    content: dict[str, Any] = {
        "iss": f"https://{provider}",
        "sub": subject,
        "aud": audience,
        "iat": now,
        "exp": now + int(expires_in),
    }
    if service.minted is not None:
        content["marker"] = "CANARYlogin"
    content.update(claims or {})
    content = {name: value for name, value in content.items() if value is not None}
    header = {"kid": TEST_ISSUER_KEY_ID, "typ": "JWT", "alg": "RS256"}
    token = sign_jwt(service.keys, TEST_ISSUER, header, content)
    service.note_secret(token)
    return token


def saml_response(
    service: Service,
    provider: Any = None,
    subject: Any = "user",
    roles: Any = (),
    attributes: Any = None,
    expires_in: Any = _LOGIN_SECONDS,
) -> str:
    """
    A SAML response that the emulator accepts for *provider*, signed by its test issuer.

    Args:
        provider: ARN of a SAML provider.
        roles: Role ARNs.
        attributes: More attributes, name to list of texts.
        expires_in: Seconds from now, by the emulator's clock; may be negative.

    Raises:
        ControlError: An argument has the wrong type, or the ``saml`` extra is missing.
    """
    attributes = {} if attributes is None else attributes
    for name, value in (("provider", provider), ("subject", subject)):
        if not isinstance(value, str) or not value:
            raise ControlError(f"{name}: expected a text")
    if not _is_texts(roles):
        raise ControlError("roles: expected a list of texts")
    if not isinstance(attributes, dict) or not all(map(_is_texts, attributes.values())):
        raise ControlError("attributes: expected an object of lists of texts")
    _check_seconds(expires_in)
    try:
        from cognito_credentials.emulator.saml_issuer import sign_response

        now = service.clock.now()
        response = sign_response(service.keys, provider, subject, roles, attributes, now, expires_in)
    except ModuleNotFoundError:
        raise ControlError("SAML needs: pip install 'cognito-credentials[emulator,saml]'") from None
    except ValueError as error:  # lxml: a character that XML cannot have
        raise ControlError(str(error)) from None
    service.note_secret(response)
    return response


def _check_seconds(value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > _MOST_SECONDS:
        raise ControlError("expires_in: expected seconds")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise ControlError("the body is not JSON") from None


def _members(content: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ControlError("expected a JSON object")
    unknown = content.keys() - names
    if unknown:
        raise ControlError(
            f"unknown member {', '.join(sorted(unknown))}; there are: {', '.join(sorted(names))}"
        )
    return content


def _json(status: int, content: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(content).encode(), "application/json", is_aws=False)
