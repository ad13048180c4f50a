"""
Send a reading every minute to AWS IoT Core, over MQTT, from a device without keys.

    pip install /path/to/cognito-credentials paho-mqtt  # a checkout: it is on no package index yet
    python mqtt_telemetry.py us-east-1:00000000-0000-4000-8000-000000000001 \\
        a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com

`aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints the second argument. The pool's role needs
``iot:Connect`` with the identity's id as client id, and ``iot:Publish`` to the topic readings/IDENTITY_ID.
A guest needs no more. The identity of a user needs an IoT policy, too, which `aws iot attach-policy --target
IDENTITY_ID` attaches. The first start needs a network. SIGTERM ends the program.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.adapters.iot import websocket_url

TOPIC = "readings"
MOST_WAITING = 1440
"""Readings that are kept while there is no connection: a day's."""


def measure() -> dict[str, float]:
    """Read the sensor; replace it by yours."""
    return {"at": time.time(), "load": os.getloadavg()[0]}


def connect(pool: IdentityPool, endpoint: str) -> mqtt.Client:
    """Make a client that connects, and connects again, in a thread of its own."""

    def sign(client: mqtt.Client, _: object) -> None:
        """Before each connect: the last URL is good for five minutes, its credentials for an hour."""
        try:
            url = urlsplit(websocket_url(pool, endpoint))
        except CognitoCredentialsError as error:
            print(f"cannot connect, will try again: {error}", flush=True)
            # This error is one that paho tries again after; any other ends its thread.
            raise ConnectionError("no credentials") from None
        client.ws_set_options(path=f"{url.path}?{url.query}")

    host, _, port = endpoint.partition(":")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=pool.identity_id(), transport="websockets")
    client.tls_set()
    client.max_queued_messages_set(MOST_WAITING)
    client.on_pre_connect = sign
    client.connect_async(host, int(port or 443))
    client.loop_start()
    return client


def main(identity_pool_id: str, endpoint: str, seconds: float = 60) -> None:
    """Send readings until SIGTERM."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    pool = IdentityPool(identity_pool_id)
    try:
        topic = f"{TOPIC}/{pool.identity_id()}"  # from the second start on, the id is on disk
    except CognitoCredentialsError as error:
        sys.exit(f"not started: {error}")
    client = connect(pool, endpoint)
    while not stopped.is_set():
        client.publish(topic, json.dumps(measure()), qos=1)  # waits in the client while there is no network
        stopped.wait(seconds)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python mqtt_telemetry.py IDENTITY_POOL_ID ENDPOINT [SECONDS]")
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
