"""
Send a reading every minute, for years, from a device with a bad network and a bad clock.

    pip install /path/to/cognito-credentials  # a checkout: it is on no package index yet
    AWS_COGNITO_IDENTITY_POOL_ID=us-east-1:… python iot_loop.py [SECONDS BETWEEN READINGS]

It prints a line when something changes, not one for each reading. SIGTERM ends it between two readings.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cognito_credentials import CognitoCredentialsError, IdentityPool, Session

# The next reading follows in a minute, so a request gives up well before that.
IMPATIENT = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
TOO_WRONG = 300
"""Seconds. AWS refuses signatures made by a clock that is further off."""


def send_reading(sts: Any) -> str:
    """Send one reading; return the state of the device, for people."""
    try:
        sts.get_caller_identity()  # in place of iot-data's publish()
    except CognitoCredentialsError as error:
        # There are no valid credentials. An outage leads here only when the last ones have expired.
        return f"waiting for the network: {error}" if error.retryable else f"needs attention: {error}"
    except (BotoCoreError, ClientError) as error:
        return f"not sent: {type(error).__name__}"
    return "sending"


def wrong_clock(pool: IdentityPool) -> str:
    """Say how far off this device's clock is, by the service's answers; empty if AWS tolerates that."""
    offset = pool.status().clock_offset or 0
    if abs(offset) <= TOO_WRONG:
        return ""
    return f" (this clock is {abs(offset)} s {'behind' if offset > 0 else 'ahead'}; is NTP running?)"


def main(seconds: float) -> None:
    """Send readings until SIGTERM."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    # A guest, so there are no keys on the device to steal. The identity is on disk: after a power cut it is
    # the same device. With a disk that is read-only or full, it goes on from memory.
    session = Session(identity_pool_id=os.environ["AWS_COGNITO_IDENTITY_POOL_ID"])
    pool = session.identity_pool
    assert pool is not None
    sts = session.client("sts", config=IMPATIENT)
    said = ""
    while not stopped.is_set():
        state = send_reading(sts)
        if state != "sending":
            state += wrong_clock(pool)
        if state != said:
            print(state, flush=True)
            said = state
        stopped.wait(seconds)


if __name__ == "__main__":
    if not os.environ.get("AWS_COGNITO_IDENTITY_POOL_ID"):
        sys.exit("set AWS_COGNITO_IDENTITY_POOL_ID")
    try:
        pause = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    except ValueError:
        sys.exit("usage: python iot_loop.py [SECONDS BETWEEN READINGS]")
    main(pause)
