"""The device grant: a code on a device without a browser, typed in on another one."""

from __future__ import annotations

import pytest

from cognito_credentials.emulator.issuer import grants

from .conftest import Issuer


def test_a_device_signs_in(issuer: Issuer) -> None:
    """A device gets tokens once its code was typed in, and a name with it."""
    device = issuer.begin_device()
    assert (device["expires_in"], device["interval"]) == (600, 5)
    browser = issuer.browser()
    page = browser.request("GET", "/_emulator/device")
    done = browser.submit(page, {"user_code": device["user_code"].lower(), "username": "ann"})
    assert "The device signs in as ann now" in done.text

    tokens = issuer.poll(device)

    assert tokens.status == 200
    assert tokens.json["id_token"]
    assert tokens.json["refresh_token"]
    assert issuer.poll(device).json["error"] == "invalid_grant"


def test_the_complete_address(issuer: Issuer) -> None:
    """The address with the code in it fills the code in, and a person must still send the form."""
    device = issuer.begin_device()
    browser = issuer.browser()
    page = browser.request("GET", device["verification_uri_complete"].removeprefix(issuer.emulator.url))

    assert page.form[1]["user_code"] == device["user_code"]
    assert issuer.poll(device).json["error"] == "authorization_pending"
    assert device["verification_uri"] == f"{issuer.address}/device"


def test_waiting(issuer: Issuer) -> None:
    """A device that polls faster than its interval must wait longer each time."""
    device = issuer.begin_device()

    said = [issuer.poll(device).json["error"] for _ in range(3)]
    issuer.emulator.move_clock(14)
    said.append(issuer.poll(device).json["error"])
    issuer.emulator.move_clock(21)
    said.append(issuer.poll(device).json["error"])

    assert said == [
        "authorization_pending",
        "slow_down",
        "slow_down",
        "slow_down",
        "authorization_pending",
    ]


def test_a_code_that_expires(issuer: Issuer) -> None:
    """After ten minutes the code opens nothing, and the device learns why."""
    device = issuer.begin_device()
    issuer.emulator.move_clock(600)
    browser = issuer.browser()
    page = browser.request("GET", "/_emulator/device")
    page = browser.submit(page, {"user_code": device["user_code"], "username": "ann"})

    assert "No device waits with this code" in page.text
    assert issuer.poll(device).json["error"] == "expired_token"


def test_refusing_a_device(issuer: Issuer) -> None:
    """Refuse on the page is access_denied at the device."""
    device = issuer.begin_device()
    browser = issuer.browser()
    page = browser.request("GET", "/_emulator/device")

    assert "was refused" in browser.submit(page, {"user_code": device["user_code"], "choice": "refuse"}).text

    assert issuer.poll(device).json["error"] == "access_denied"


@pytest.mark.parametrize("code", ["", "XXXX-XXXX", "12345678", "A" * 3000])
def test_a_wrong_code(issuer: Issuer, code: str) -> None:
    """A wrong code is said beside its field."""
    browser = issuer.browser()
    page = browser.submit(browser.request("GET", "/_emulator/device"), {"user_code": code, "username": "ann"})

    assert 'id="user_code-problem"' in page.text


def test_a_wrong_name_keeps_the_code(issuer: Issuer) -> None:
    """Where only the name is wrong, the code need not be typed again, and the device still waits."""
    device = issuer.begin_device()
    browser = issuer.browser()
    page = browser.submit(
        browser.request("GET", "/_emulator/device"), {"user_code": device["user_code"], "username": ""}
    )

    assert page.form[1]["user_code"] == device["user_code"]
    assert "The device signs in" in browser.submit(page, {"username": "ann"}).text


def test_the_device_code_of_another_client(issuer: Issuer) -> None:
    """Attack: a client cannot poll with the device code of another one."""
    device = issuer.begin_device()

    assert issuer.poll(device, client_id="evil").json["error"] == "invalid_grant"


def test_a_user_code_opens_no_second_device(issuer: Issuer) -> None:
    """A code that was typed in once is used up."""
    device = issuer.begin_device()
    browser = issuer.browser()
    for said in ("The device signs in", "No device waits"):
        page = browser.request("GET", "/_emulator/device")
        assert said in browser.submit(page, {"user_code": device["user_code"], "username": "ann"}).text


def test_strangers_do_not_fill_the_memory(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many codes that nobody types in, the oldest make room; those who are signed in stay so."""
    monkeypatch.setattr(grants, "MOST_PENDING", 5)
    monkeypatch.setattr(grants, "MOST_SESSIONS", 3)
    monkeypatch.setattr(grants, "MOST_GRANTS", 4)
    token = issuer.sign_in()["refresh_token"]

    devices = [issuer.begin_device() for _ in range(8)]

    rows = issuer.emulator.service.state.rows("SELECT state FROM issuer_grants")
    assert [row["state"] for row in rows].count("pending") == 5
    assert issuer.poll(devices[2]).json["error"] == "invalid_grant"
    assert issuer.poll(devices[3]).json["error"] == "authorization_pending"
    assert issuer.refresh(token).status == 200
    for number in range(6):
        issuer.code(f"user {number}")
    counts = [
        issuer.emulator.service.state.row(f"SELECT count(*) AS n FROM {table}")["n"]
        for table in ("issuer_grants", "issuer_sessions")
    ]
    assert counts[0] <= 9
    assert counts[1] == 3
