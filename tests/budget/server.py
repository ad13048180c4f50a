"""A redis-server for a test, on a Unix socket in a directory of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis


@contextlib.contextmanager
def redis_server(directory: Path) -> Iterator[redis.Redis]:
    """Run redis-server in *directory*, without TCP and without saving; yield a client."""
    socket = directory / "redis.sock"
    command = [
        "redis-server",
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--dir",
        str(directory),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "ready to accept" in line.lower():
                break
        with redis.Redis(unix_socket_path=str(socket)) as client:
            yield client
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
