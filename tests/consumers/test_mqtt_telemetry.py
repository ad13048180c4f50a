"""examples/mqtt_telemetry.py, against the broker that verifies signatures."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from cognito_credentials import IdentityPool
from tests.real_parts import package

from .conftest import Cognito, example
from .mqtt import Broker
from .table import ROOT

package("paho.mqtt.client")
SECONDS = 30


@pytest.fixture
def broker(cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with Broker(cognito.emulator) as running:
        monkeypatch.setenv("SSL_CERT_FILE", running.ca_file)
        yield running


def test_no_reading_is_lost_over_a_renewal(cognito: Cognito, broker: Broker) -> None:
    """What is published while the connection is gone arrives after it, and the connection has a new key."""
    telemetry = example("mqtt_telemetry.py")
    received: queue.Queue[bytes] = queue.Queue()
    subscribed = threading.Event()
    listener = telemetry.connect(IdentityPool(cognito.pool_id, cache="memory"), broker.endpoint)
    listener.on_message = lambda _client, _data, message: received.put(message.payload)
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.on_connect = lambda client, *_: client.subscribe(f"{telemetry.TOPIC}/+", qos=1)
    pool = IdentityPool(cognito.pool_id)
    sender = telemetry.connect(pool, broker.endpoint)
    try:
        assert subscribed.wait(SECONDS)
        for number in (b"1", b"2"):
            sender.publish(f"{telemetry.TOPIC}/1", number, qos=1)  # waits in the client
            assert received.get(timeout=SECONDS) == number
            subscribed.clear()
            cognito.make_due()
            broker.end_connections()
            assert subscribed.wait(SECONDS)
    finally:
        for client in (listener, sender):
            client.disconnect()
            client.loop_stop()

    assert broker.refused == []
    senders = [signer for signer in broker.signers if signer.identity_id == pool.identity_id()]
    assert len({signer.access_key_id for signer in senders}) >= 2


def test_the_program_ends_when_it_is_told_to(cognito: Cognito, broker: Broker) -> None:
    """Started as its reader starts it, it connects, sends, and ends on SIGTERM with nothing on stderr."""
    telemetry = example("mqtt_telemetry.py")
    received: queue.Queue[bytes] = queue.Queue()
    listener = telemetry.connect(IdentityPool(cognito.pool_id, cache="memory"), broker.endpoint)
    listener.on_message = lambda _client, _data, message: received.put(message.payload)
    listener.on_connect = lambda client, *_: client.subscribe(f"{telemetry.TOPIC}/+", qos=1)
    program = str(ROOT / "examples" / "mqtt_telemetry.py")
    process = subprocess.Popen(
        [sys.executable, program, cognito.pool_id, broker.endpoint, "0.1"],
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        reading = json.loads(received.get(timeout=SECONDS))
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
        listener.disconnect()
        listener.loop_stop()

    assert reading.keys() == {"at", "load"}
    assert (process.returncode, out, errors) == (0, "", "")
