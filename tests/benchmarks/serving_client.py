"""
Many clients of one server, in threads: ``python -m tests.benchmarks.serving_client CLIENTS SECONDS PAUSE``.

Each asks once in PAUSE seconds, on a connection of its own, as SDKs do. The variables of the server are in
the environment. What they saw is printed as JSON.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

from .figures import percentile


class Seen:
    """What the clients saw."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.errors: list[str] = []
        self.keys: set[str] = set()


def client(seen: Seen, seconds: float, pause: float) -> None:
    """Ask for *seconds*."""
    url = urlsplit(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    head = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", f"Authorization: {token}", "Connection: close"]
    request = "\r\n".join(head) + "\r\n\r\n"
    ends_at = time.perf_counter() + seconds
    time.sleep(random.uniform(0, pause))
    while time.perf_counter() < ends_at:
        began = time.perf_counter()
        try:
            text = _answer((str(url.hostname), int(url.port or 0)), request.encode())
        except OSError as error:
            seen.errors.append(type(error).__name__)
            continue
        seen.taken.append(time.perf_counter() - began)
        head, _, body = text.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200 "):
            seen.keys.add(json.loads(body)["AccessKeyId"])
        else:
            seen.errors.append(head.partition(b"\r\n")[0].decode())
        time.sleep(max(pause - (time.perf_counter() - began), 0))


def _answer(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        text = b""
        while more := connection.recv(65536):
            text += more
        return text


def main() -> None:
    clients, seconds, pause = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    seen = Seen()
    threads = [threading.Thread(target=client, args=(seen, seconds, pause)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "requests": len(seen.taken),
                "p50": percentile(seen.taken, 0.5),
                "p99": percentile(seen.taken, 0.99),
                "longest": max(seen.taken),
                "errors": seen.errors,
                "generations": len(seen.keys),
            }
        )
    )


if __name__ == "__main__":
    main()
