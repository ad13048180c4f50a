"""The example service that gives its users credentials, on a Redis, loaded over HTTP under AWS's quotas."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from cognito_credentials.emulator.wire.throttle import REQUESTS_PER_SECOND
from tests.processes.conftest import Machine
from tests.redis_server import running

from .figures import Figure, Scale, at_most, counted, percentile
from .fleet import throttled_answers
from .machine import new_machine

WORKERS = 4
CLIENTS = 48
"""Users who ask at a time."""
AGAIN = 3
"""How often each user asks again."""
PROVIDER = "login.app"
_EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "developer_back_end"


def service(scale: Scale) -> Iterator[Figure]:
    """Have each user of a service ask for credentials, cold, and then again."""
    if importlib.util.find_spec("fastapi") is None:
        yield Figure("  not run", "fastapi is not installed")
        return
    count = 10 * scale.processes
    rate = REQUESTS_PER_SECOND["GetOpenIdTokenForDeveloperIdentity"]
    title = f"{count} users of the example service, {WORKERS} workers"
    with new_machine() as machine, running() as redis, throttled_answers() as refused:
        machine.emulator.settings(throttle=True)
        pool_id = machine.emulator.create_pool(DeveloperProviderName=PROVIDER)
        with _started(machine, pool_id, redis.url, count) as url, ThreadPoolExecutor(CLIENTS) as clients:
            client = _Client(url)
            began = time.time()
            told = sum(clients.map(client.until_served, range(count)))
            took = time.time() - began
            late = [at for at in refused if at > began + 1]
            asked = machine.requests()
            yield counted(f"{title}: throttled answers after the first second", len(late), 0)
            yield counted(f"{title}: requests", asked, dict.fromkeys(_OPERATIONS, count))
            yield at_most(f"{title}: time, of that of {rate} tokens a second", took * rate / count, 1.3, " x")
            yield Figure("  answers 503 with Retry-After", str(told))
            began = time.time()
            seconds = list(clients.map(client.seconds, [*range(count)] * AGAIN))
            each = len(seconds) / (time.time() - began)
            yield counted(f"{title}: requests when they ask again", machine.requests(), asked)
            shown = f"{percentile(seconds, 0.5) * 1000:.1f} ms, {each:.0f} a second, {CLIENTS} at a time"
            yield Figure("  asking again: p50, answers", shown)


_OPERATIONS = ("GetCredentialsForIdentity", "GetOpenIdTokenForDeveloperIdentity")


class _Client:
    """Asks the service as its users do; each thread has a connection."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._local = threading.local()

    def ask(self, user: int) -> tuple[int, float]:
        """Ask once; returns the status, and when to come again."""
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._address.netloc, timeout=60)
        connection: http.client.HTTPConnection = self._local.connection
        connection.request("GET", "/aws-credentials", headers={"Authorization": f"Bearer session {user}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, float(answer.headers.get("Retry-After", "1"))

    def until_served(self, user: int) -> int:
        """Ask until there are credentials; returns how often there were none yet."""
        told = 0
        while True:
            status, again = self.ask(user)
            if status == 200:
                return told
            assert status == 503, status
            told += 1
            time.sleep(again)

    def seconds(self, user: int) -> float:
        """Ask for what is there; returns how long it took."""
        began = time.perf_counter()
        status, _ = self.ask(user)
        assert status == 200, status
        return time.perf_counter() - began


@contextlib.contextmanager
def _started(machine: Machine, pool_id: str, redis: str, count: int) -> Iterator[str]:
    """Run the service; its address."""
    sessions = Path(machine.home) / "sessions.json"
    users = {f"session {number}": {"name": f"user {number}", "team": "blue"} for number in range(count)}
    sessions.write_text(json.dumps(users))
    environ = machine.environ(
        AWS_COGNITO_IDENTITY_POOL_ID=pool_id,
        AWS_COGNITO_CACHE=redis,
        AWS_ACCESS_KEY_ID="AKIADEVELOPERDEVELOP",
        AWS_SECRET_ACCESS_KEY="developer",
        APP_DEVELOPER_PROVIDER=PROVIDER,
        APP_SESSIONS=str(sessions),
    )
    options = ["--port", "0", "--workers", str(WORKERS), "--no-access-log", "--app-dir", str(_EXAMPLE)]
    log = Path(machine.home) / "service.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *options, "fastapi_service:app"],
            env={**environ, "PATH": os.environ["PATH"]},
            stdout=file,
            stderr=file,
        )
    try:
        while (text := log.read_text()).count("Application startup complete") < WORKERS:
            assert process.poll() is None, text
            time.sleep(0.1)
        yield text.split("running on ")[1].split()[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
