"""The device authorization grant: the pace of polling, the issuer's errors, and what the terminal shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.sign_in.sources import OidcLogin
from cognito_credentials.sign_in.ways.device import qr_code

from ..conftest import ManualClock
from .conftest import Person
from .hostile_issuer import CLIENT, HostileIssuer, answer

CODE = {
    "device_code": "CANARY-device",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://login.example.com/device",
    "verification_uri_complete": "https://login.example.com/device?user_code=WDJB-MJHT",
    "expires_in": 600,
    "interval": 5,
}
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def patient(clock: ManualClock) -> Iterator[HostileIssuer]:
    """An issuer with a device code; *clock* is set to now."""
    import time

    clock.set_wall(time.time())
    issuer = HostileIssuer()
    issuer.answers["/device"] = lambda: answer(CODE)
    yield issuer
    issuer.close()


def _sign_in(issuer: HostileIssuer, clock: ManualClock, person: Person | None = None) -> Any:
    source = OidcLogin(issuer.url, CLIENT, store="file", clock=clock)
    return source.sign_in(person or Person(), way="device")


def _says(issuer: HostileIssuer, *codes: str) -> None:
    """Have the token endpoint give these answers first, and then tokens."""
    waiting = list(codes)

    def say() -> Any:
        if waiting:
            return answer({"error": waiting.pop(0)}, 400)
        return answer(issuer.tokens())

    issuer.answers["/token"] = say


def test_waiting_at_the_issuers_pace(patient: HostileIssuer, clock: ManualClock) -> None:
    """Five seconds between two questions, and five more after each slow_down."""
    _says(patient, "authorization_pending", "slow_down", "authorization_pending", "slow_down")

    assert _sign_in(patient, clock).subject == "ann"
    assert clock.slept == 5 + 5 + 10 + 10 + 15
    polls = [form for _, path, form in patient.requests if path == "/token"]
    assert {form["device_code"] for form in polls} == {"CANARY-device"}


def test_a_scope_that_the_issuer_does_not_have(patient: HostileIssuer, clock: ManualClock) -> None:
    """Google refuses offline_access, and gives devices a refresh token without it."""
    patient.metadata = {"scopes_supported": ["openid", "email"]}

    _sign_in(patient, clock)

    (asked,) = [form for _, path, form in patient.requests if path == "/device"]
    assert asked["scope"] == "openid email"


def test_an_issuer_that_does_not_answer_is_asked_less_often(
    patient: HostileIssuer, clock: ManualClock
) -> None:
    """An error of a gateway does not end the sign-in: the person may still be typing."""
    waiting = [503, 503]
    patient.answers["/token"] = lambda: answer({}, waiting.pop()) if waiting else answer(patient.tokens())

    assert _sign_in(patient, clock).subject == "ann"
    assert clock.slept == 5 + 10 + 20


@pytest.mark.parametrize("outage", [({}, 503), ({"errorCode": "E0000047"}, 429)])
def test_keys_that_cannot_be_had_cost_no_second_grant(
    patient: HostileIssuer, clock: ManualClock, outage: tuple[dict[str, str], int]
) -> None:
    """The device code is used up by then: the keys are fetched again, and the code is not polled again."""
    keys = [outage, outage]
    patient.answers["/jwks"] = lambda: answer(*keys.pop()) if keys else patient.keys()

    assert _sign_in(patient, clock).subject == "ann"
    assert [path for _, path, _ in patient.requests].count("/token") == 1


def test_an_issuer_that_calls_itself_unavailable(patient: HostileIssuer, clock: ManualClock) -> None:
    """That is an outage and no refusal, with whichever status it comes: it is asked again, less often."""
    _says(patient, "temporarily_unavailable", "server_error")

    assert _sign_in(patient, clock).subject == "ann"
    assert clock.slept == 5 + 10 + 20


def test_being_asked_too_often(patient: HostileIssuer, clock: ManualClock) -> None:
    """HTTP 429 is no refusal: with slow_down the pause grows as that says, without it the pause doubles."""
    says = [{"error": "slow_down"}, {"errorCode": "E0000047"}, {"error": "too_many_requests"}]
    patient.answers["/token"] = lambda: answer(says.pop(0), 429) if says else answer(patient.tokens())

    assert _sign_in(patient, clock).subject == "ann"
    assert clock.slept == 5 + 10 + 20 + 40


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("access_denied", LoginRejectedError, "refused on the other device"),
        ("expired_token", LoginRequiredError, "not used in time"),
        ("invalid_client", LoginRejectedError, "invalid_client"),
    ],
)
def test_the_issuer_says_no(
    patient: HostileIssuer, clock: ManualClock, code: str, kind: type[CognitoCredentialsError], said: str
) -> None:
    """Each refusal ends the sign-in with an error of its kind."""
    _says(patient, "authorization_pending", code)

    with pytest.raises(kind, match=said):
        _sign_in(patient, clock)


def test_nobody_types_the_code(patient: HostileIssuer, clock: ManualClock) -> None:
    """The sign-in ends when the code expires, also where the issuer never says so."""
    _says(patient, *["authorization_pending"] * 1000)

    with pytest.raises(LoginRequiredError, match="not used in time"):
        _sign_in(patient, clock)
    assert 590 <= clock.slept < 600


def test_what_is_shown(patient: HostileIssuer, clock: ManualClock) -> None:
    """Address and code are each on a line, then the address with the code in it, and its QR code."""
    person = Person()

    _sign_in(patient, clock, person)

    (text,) = person.shown
    assert re.search(r"^    https://login\.example\.com/device$", text, re.MULTILINE)
    assert re.search(r"^    WDJB-MJHT$", text, re.MULTILINE)
    assert f"\n    {CODE['verification_uri_complete']}\n" in text
    assert qr_code(CODE["verification_uri_complete"]) in text  # type: ignore[arg-type]
    assert "CANARY" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"verification_uri": "http://evil.example/device"}, "no safe address"),
        ({"verification_uri": "javascript:alert(1)"}, "no safe address"),
        ({"verification_uri": "https://login.example.com/\x1b]0;x\x07"}, "no safe address"),
        ({"verification_uri": "https://login.example.com/device?x#\x1b[2J"}, "no safe address"),
        ({"verification_uri": None}, "no safe address"),
        ({"user_code": None}, "no code"),
        ({"device_code": ""}, "no code"),
    ],
)
def test_answers_that_no_terminal_is_shown(
    patient: HostileIssuer, clock: ManualClock, changes: dict[str, Any], problem: str
) -> None:
    """An address that is not https, or that a terminal would obey, is not shown."""
    patient.answers["/device"] = lambda: answer({**CODE, **changes})
    person = Person()

    with pytest.raises(ServiceError, match=problem):
        _sign_in(patient, clock, person)
    assert person.shown == []


def test_a_code_with_control_characters(patient: HostileIssuer, clock: ManualClock) -> None:
    """Control characters in a code are not printed."""
    patient.answers["/device"] = lambda: answer({**CODE, "user_code": "A\x1b[2JB\u202eC"})
    person = Person()

    _sign_in(patient, clock, person)

    assert "    A?[2JB?C\n" in person.shown[0]
    assert "\x1b[2J" not in person.shown[0]


@pytest.mark.parametrize("interval", [None, 0, -1, "x", True, 1e9, float("nan")])
def test_an_interval_that_is_none(patient: HostileIssuer, clock: ManualClock, interval: Any) -> None:
    """The interval is at least a second and has a limit, whatever the issuer says."""
    patient.answers["/device"] = lambda: answer({**CODE, "interval": interval})
    _says(patient, "authorization_pending")

    _sign_in(patient, clock)

    assert clock.slept == 10


def test_an_issuer_without_the_grant(patient: HostileIssuer, clock: ManualClock) -> None:
    """The error says that the issuer does not have this way, and names another."""
    patient.metadata = {"device_authorization_endpoint": None}

    with pytest.raises(ConfigurationError, match=r"does not offer.*--no-browser"):
        _sign_in(patient, clock)


def test_an_issuer_that_refuses_the_client(patient: HostileIssuer, clock: ManualClock) -> None:
    """The issuer's words about the client are in the error."""
    patient.answers["/device"] = lambda: answer({"error": "unauthorized_client"}, 400)

    with pytest.raises(LoginRejectedError, match="unauthorized_client"):
        _sign_in(patient, clock)
