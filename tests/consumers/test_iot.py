"""MQTT over WebSocket with paho-mqtt and signed URLs, against a broker that verifies the signatures."""

from __future__ import annotations

import os
import queue
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_credentials import IdentityPool
from cognito_credentials.adapters.iot import websocket_url
from tests.real_parts import package
from tests.world import World

from .conftest import Cognito
from .mqtt import Broker
from .table import ROOT

if TYPE_CHECKING:
    from typing_extensions import Self

mqtt = package("paho.mqtt.client")
PAGE = ROOT / ".github" / "docs" / "cookbook" / "iot-mqtt.md"
SECONDS = 30


@pytest.fixture
def world(cognito: Cognito) -> World:
    return World(cognito.emulator, dict(os.environ))


@pytest.fixture
def broker(world: World) -> Iterator[Broker]:
    with Broker(world.emulator) as running:
        yield running


class Device:
    """The program with paho-mqtt of the page on AWS IoT Core, with the endpoint and the pool of a test."""

    def __init__(self, pool: IdentityPool, broker: Broker) -> None:
        self.connected, self.failed = threading.Semaphore(0), threading.Semaphore(0)
        self._received: queue.Queue[str] = queue.Queue()
        section = PAGE.read_text("utf-8").split("## Any MQTT client\n", 1)[1].split("\n## ", 1)[0]
        self._blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        self._names: dict[str, Any] = {
            "POOL": pool,
            "HOST": "localhost",
            "PORT": broker.port,
            "CA": broker.ca_file,
        }
        self._run(
            0,
            (r'^ENDPOINT = ".*"$', 'ENDPOINT = f"{HOST}:{PORT}"'),
            (r'^pool = IdentityPool\(".*"\)$', "pool = POOL"),
            (r"tls_set\(\)", "tls_set(CA)"),
        )
        self._client = self._names["client"]
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect_fail = lambda *_: self.failed.release()
        self._client.on_subscribe = lambda *_: self.connected.release()
        self._client.on_message = lambda _client, _data, message: self._received.put(message.payload.decode())

    def _run(self, block: int, *changes: tuple[str, str]) -> None:
        code = self._blocks[block]
        for before, after in changes:
            code, count = re.subn(before, after, code, flags=re.MULTILINE)
            assert count == 1, before
        exec(compile(code, str(PAGE), "exec"), self._names)

    def __enter__(self) -> Self:
        self._run(1, ("ENDPOINT, 443", "HOST, PORT"))
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, text: str) -> str:
        """Publish a text, and return what comes back."""
        self._client.publish(f"readings/{self._names['identity']}", text, qos=1).wait_for_publish(SECONDS)
        return self._received.get(timeout=SECONDS)


def test_paho_reconnects_with_a_new_url_over_renewals(
    world: World, broker: Broker, proves: Callable[..., None]
) -> None:
    """paho-mqtt publishes and subscribes; after each end of its connection it comes back, with new keys."""
    pool = world.pool()
    with Device(pool, broker) as device:
        for text in ("1", "2", "3"):
            assert device.connected.acquire(timeout=SECONDS)
            assert device.send(text) == text
            world.move(3500)
            broker.end_connections()
        assert device.connected.acquire(timeout=SECONDS)

    assert broker.refused == []
    assert {signer.identity_id for signer in broker.signers} == {pool.identity_id()}
    assert len({signer.access_key_id for signer in broker.signers}) == 4
    proves("paho-mqtt", "`websocket_url`", renewals=3)


def test_an_old_url_is_refused_and_a_new_one_is_not(world: World, broker: Broker) -> None:
    """After five minutes, and after the end of the credentials, only a new URL connects."""
    pool = world.pool()
    old = websocket_url(pool, broker.endpoint)
    world.move(301)

    assert _status(old, broker) == 403
    assert _status(websocket_url(pool, broker.endpoint), broker) == 101
    assert broker.refused == ["ExpiredToken"]


def test_paho_tries_again_when_there_were_no_credentials(
    world: World, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage at Cognito ends no program: it connects when the outage is over."""
    pool = world.pool()
    pool.identity_id()
    world.outage()
    with Device(pool, broker) as device:
        assert device.failed.acquire(timeout=SECONDS)
        assert "cannot connect: " in caplog.text
        world.recover()
        world.move(60)  # the back-off is over
        assert device.connected.acquire(timeout=SECONDS)
        assert device.send("1") == "1"


def test_the_broker_refuses_a_signed_session_token(world: World, broker: Broker) -> None:
    """The URL that botocore presigns with a session token is refused, as is one with another host or key."""
    pool = world.pool()
    held = pool.credentials()
    keys = Credentials(held.access_key_id, held.secret_access_key.reveal(), held.session_token.reveal())
    signed = AWSRequest("GET", f"https://{broker.endpoint}/mqtt")
    SigV4QueryAuth(keys, "iotdevicegateway", "us-east-1").add_auth(signed)
    url = websocket_url(pool, broker.endpoint)

    assert _status(signed.url, broker) == 403
    assert _status(url.replace("us-east-1", "us-east-2"), broker) == 403
    assert _status(websocket_url(pool, "mqtt.example.com"), broker) == 403
    assert _status(url.replace(held.access_key_id, "ASIAABCDEFGHIJKLMNOP"), broker) == 403
    assert _status(url, broker) == 101
    assert broker.refused == [*["SignatureDoesNotMatch"] * 3, "InvalidAccessKeyId"]


def test_the_back_end_attaches_the_policy_to_each_new_identity() -> None:
    """`on_identity_changed` tells of an identity before it signs; AttachPolicy takes the id as target."""
    server = package("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        owner = boto3.Session("AKIAOWNEROWNEROWNER1", "owner", region_name="us-east-1")
        cognito, iot = (owner.client(name, endpoint_url=address) for name in ("cognito-identity", "iot"))
        made = cognito.create_identity_pool(IdentityPoolName="devices", AllowUnauthenticatedIdentities=True)
        iot.create_policy(policyName="Telemetry", policyDocument="{}")
        pool = IdentityPool(made["IdentityPoolId"], endpoint_url=address)
        pool.on_identity_changed(
            lambda _old, new, _why: iot.attach_policy(policyName="Telemetry", target=new)
        )
        attached = []
        for _ in range(2):
            websocket_url(pool, "mqtt.example.com")
            attached.append(iot.list_attached_policies(target=pool.identity_id())["policies"])
            pool.sign_out("identity")  # the next one is another guest
    finally:
        server.stop()

    assert [[policy["policyName"] for policy in policies] for policies in attached] == [["Telemetry"]] * 2


def _status(url: str, broker: Broker) -> int:
    """Begin a WebSocket with the path and query of a URL; return the broker's answer."""
    parts = urlsplit(url)
    tls = ssl.create_default_context(cafile=broker.ca_file)
    connection = HTTPSConnection(broker.endpoint, timeout=SECONDS, context=tls)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "mqtt",
    }
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
