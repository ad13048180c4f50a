"""awscrt's S3 client and the AWS IoT SDK with our provider: real connections, over renewals."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real_parts import package
from tests.world import World

from .conftest import Cognito
from .mqtt import Broker
from .storage import Storage

package("awscrt")
from awscrt import http, mqtt, s3  # noqa: E402

from cognito_credentials.adapters.awscrt import credentials_provider  # noqa: E402

builder = package("awsiot.mqtt_connection_builder")
SECONDS = 30
DUE = 3600 - 14 * 60
"""Seconds after which the credentials of an hour are due, and still valid."""


@pytest.fixture
def world(cognito: Cognito) -> World:
    return World(cognito.emulator, dict(os.environ))


@pytest.fixture
def broker(world: World) -> Iterator[Broker]:
    with Broker(world.emulator) as running:
        yield running


def renewed() -> None:
    """Wait until no thread renews."""
    for thread in threading.enumerate():
        if thread.name == "cognito-credentials-renewal":
            thread.join(SECONDS)


class Bucket:
    """awscrt's S3 client, whose threads ask for credentials."""

    def __init__(self, storage: Storage, provider: Any) -> None:
        self._host = urlsplit(storage.url).netloc
        self._bucket = storage.bucket
        self._client = s3.S3Client(
            region="us-east-1",
            credential_provider=provider,
            tls_mode=s3.S3RequestTlsMode.DISABLED,
            enable_s3express=False,
        )

    def get(self, name: str) -> Future[bytes]:
        """Begin to read an object."""
        content = bytearray()
        request = http.HttpRequest("GET", f"/{self._bucket}/{name}", http.HttpHeaders([("host", self._host)]))
        made = self._client.make_request(
            type=s3.S3RequestType.GET_OBJECT,
            request=request,
            on_body=lambda chunk, **_: content.extend(chunk),
        )
        read: Future[bytes] = Future()

        def done(future: Future[None]) -> None:
            error = future.exception()
            read.set_result(bytes(content)) if error is None else read.set_exception(error)

        made.finished_future.add_done_callback(done)
        read.request = made  # type: ignore[attr-defined]  # or awscrt would end it
        return read


def test_awscrts_s3_client_reads_over_renewals(
    world: World, storage: Storage, proves: Callable[..., None]
) -> None:
    """awscrt's threads read 64 objects at a time: before, while and after the credentials are renewed."""
    names = [str(number) for number in range(64)]
    for name in names:
        storage.put(name, name.encode())
    bucket = Bucket(storage, credentials_provider(world.pool()))

    def read_all() -> None:
        reading = [bucket.get(name) for name in names]
        assert [each.result(SECONDS).decode() for each in reading] == names

    for _ in range(2):
        read_all()
        world.move(DUE)
        read_all()
        renewed()
    read_all()

    assert storage.refused == []
    proves("awscrt", "`credentials_provider`", renewals=storage.renewals)


def test_the_aws_iot_sdk_reconnects_over_renewals(
    world: World, broker: Broker, proves: Callable[..., None]
) -> None:
    """The SDK publishes and subscribes; after each end of its connection it comes back, with new keys."""
    pool = world.pool()
    resumed, received = threading.Semaphore(0), queue.Queue[str]()
    connection = builder.websockets_with_default_aws_signing(
        region="us-east-1",
        credentials_provider=credentials_provider(pool),
        endpoint="localhost",
        port=broker.port,
        ca_filepath=broker.ca_file,
        client_id="device",
        clean_session=False,
        reconnect_min_timeout_secs=1,
        reconnect_max_timeout_secs=1,
        on_connection_resumed=lambda **_: resumed.release(),
    )
    connection.connect().result(SECONDS)
    for text in ("1", "2", "3"):
        subscribed, _ = connection.subscribe(
            "readings", mqtt.QoS.AT_LEAST_ONCE, lambda payload, **_: received.put(payload.decode())
        )
        subscribed.result(SECONDS)
        connection.publish("readings", text, mqtt.QoS.AT_LEAST_ONCE)[0].result(SECONDS)
        assert received.get(timeout=SECONDS) == text
        world.move(3600)  # they have ended: the next connection waits for new ones
        broker.end_connections()
        assert resumed.acquire(timeout=SECONDS)
    connection.disconnect().result(SECONDS)

    assert broker.refused == []
    assert {signer.identity_id for signer in broker.signers} == {pool.identity_id()}
    renewals = len({signer.access_key_id for signer in broker.signers}) - 1
    proves("awsiotsdk", "`credentials_provider`", renewals=renewals)


ENDS = """
import sys
from awscrt import http, s3
from cognito_credentials import IdentityPool
from cognito_credentials.adapters.awscrt import credentials_provider

pool_id, host, bucket = sys.argv[1:]
client = s3.S3Client(
    region="us-east-1",
    credential_provider=credentials_provider(IdentityPool(pool_id)),
    tls_mode=s3.S3RequestTlsMode.DISABLED,
    enable_s3express=False,
)
headers = http.HttpHeaders([("host", host)])
requests = [http.HttpRequest("GET", f"/{bucket}/{number}", headers) for number in range(64)]
made = [client.make_request(type=s3.S3RequestType.GET_OBJECT, request=request) for request in requests]
made[0].finished_future.result(20)
print("over")
"""


def test_a_program_ends_while_awscrts_threads_sign(world: World, storage: Storage, tmp_path: Path) -> None:
    """With 63 reads under way, the program's end is no crash, no wait and no line on stderr."""
    (tmp_path / "run.py").write_text(ENDS)
    for number in range(64):
        storage.put(str(number), b"x")
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py", world.pool_id, urlsplit(storage.url).netloc, storage.bucket],
        env=world.environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")
