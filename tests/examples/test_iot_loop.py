"""examples/iot_loop.py."""

from __future__ import annotations

import signal
import time

import pytest

EVERY = "0.02"


@pytest.fixture
def device(emulator, run):
    def start():
        return run("iot_loop.py", EVERY, AWS_COGNITO_IDENTITY_POOL_ID=emulator.create_pool())

    return start


def _stop(device) -> tuple[str, str]:
    device.process.send_signal(signal.SIGTERM)
    return device.end()


def test_the_device_is_quiet_and_ends_when_told_to(emulator, device) -> None:
    """However many readings are sent, it says so once, asks the pool once, and ends with code 0."""
    running = device()
    said = running.line()
    while emulator.requests()["GetCallerIdentity"] < 10:
        time.sleep(0.01)
    out, errors = _stop(running)

    assert said == "sending"
    assert (out, errors) == ("", "")
    assert emulator.requests()["GetId"] == 1
    assert emulator.requests()["GetCredentialsForIdentity"] == 1


def test_the_device_goes_on_after_an_outage(emulator, device) -> None:
    """An outage is one line when it begins and one when it ends, and no restart."""
    running = device()
    first = running.line()
    emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    outage = running.line()
    emulator.plan_faults()
    again = running.line()
    _stop(running)

    assert first == again == "sending"
    assert outage == "not sent: ClientError"


def test_a_device_that_starts_in_an_outage_waits(emulator, device) -> None:
    """Without credentials it says why, keeps trying, and needs nobody when the network is back."""
    emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    running = device()
    waiting = running.line()
    emulator.plan_faults()
    while (line := running.line()) != "sending":
        assert line.startswith("waiting for the network: ")
    _stop(running)

    assert waiting.startswith("waiting for the network: ")


@pytest.mark.parametrize(("offset", "word"), [(7200, "behind"), (-7200, "ahead")])
def test_a_wrong_clock_is_named(emulator, device, offset: int, word: str) -> None:
    """A device whose clock is two hours off gets credentials, and says what is wrong."""
    emulator.settings(clock_offset=offset)
    running = device()
    refused = running.line()
    _stop(running)

    assert refused.startswith("not sent: ClientError (this clock is 7")
    assert f" s {word}; is NTP running?)" in refused
    assert emulator.requests()["GetCredentialsForIdentity"] == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ([], {}, "set AWS_COGNITO_IDENTITY_POOL_ID\n"),
        (
            ["x"],
            {"AWS_COGNITO_IDENTITY_POOL_ID": "x"},
            "usage: python iot_loop.py [SECONDS BETWEEN READINGS]\n",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line(run, arguments: list[str], variables: dict, said: str) -> None:
    """Started without its pool, or with what is no number, it says so."""
    process = run("iot_loop.py", *arguments, **variables).process
    _, errors = process.communicate()

    assert process.returncode == 1
    assert errors == said
