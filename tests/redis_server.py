"""
A real redis-server, or valkey-server, for tests: on a socket file or a free port, without any file of data.

``TESTS_REDIS_SERVER`` names another program than ``redis-server``, such as ``valkey-server``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import real_parts

PROGRAM = os.environ.get("TESTS_REDIS_SERVER", "redis-server")
"""What is started."""
CLI = PROGRAM.removesuffix("-server") + "-cli"
"""The program for people that belongs to it."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and whose port of the cluster's bus is one, too."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
        if port < 55_000:
            return port


class RedisServer:
    """
    One server, which tests may stop, kill and start anew.

    Args:
        options: Of redis.conf, by name; ``_`` stands for ``-``.
    """

    def __init__(self, **options: str) -> None:
        self.directory = tempfile.mkdtemp(prefix="cc-redis-", dir="/tmp")
        self.port = free_port()
        self.socket = os.path.join(self.directory, "redis.sock")
        self._options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": self.socket,
            "save": "",
            "appendonly": "no",
            "dir": self.directory,
            "loglevel": "warning",
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL by TCP."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Its URL by the socket file."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, **options: str) -> RedisServer:
        """Start it, and wait until it answers."""
        self._options |= {name.replace("_", "-"): value for name, value in options.items()}
        words = [word for name, value in self._options.items() for word in (f"--{name}", *_words(value))]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self._process = subprocess.Popen([PROGRAM, *words], stdout=log, stderr=log)
        end = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(Path(log.name).read_text(errors="replace"))
            time.sleep(0.01)
        return self

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            one.connect(self.socket)
            one.sendall(b"PING\r\n")
            return one.recv(64)[:1] in (b"+", b"-")
        return False

    def kill(self) -> None:
        """Kill it: all that it kept is gone."""
        if self._process is not None:
            self.go_on()
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop it by SIGSTOP: it accepts connections, and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """End `stop`."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it, and remove its directory."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def client(self, **options: Any) -> Any:
        """Return a client of redis-py, for the test itself."""
        import redis

        return redis.Redis(unix_socket_path=self.socket, **options)

    def __call__(self, *command: str | bytes | float) -> Any:
        """Carry out one command, as the test itself."""
        with self.client() as client:
            return client.execute_command(*command)


@contextlib.contextmanager
def running(**options: str) -> Iterator[RedisServer]:
    """Run a server; skip the test where there is none."""
    if shutil.which(PROGRAM) is None:
        real_parts.missing(f"there is no {PROGRAM} here: this needs {real_parts.REDIS}")
    server = RedisServer(**options)
    try:
        yield server.start()
    finally:
        server.close()


def _words(value: str) -> list[str]:
    return value.split() if value else [""]
