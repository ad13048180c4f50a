"""Chromium without a screen, and a login that waits for it."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.login.conftest import (
    app,
    cli,
    config,
    emulator,
    emulator_keys,
    issuer,
    issuer_packages,
    start_issuer,
)
from tests.real_parts import CHROMIUM, need

from .driver import SECONDS, start_chromium

__all__ = [
    "app",
    "cli",
    "config",
    "emulator",
    "emulator_keys",
    "issuer",
    "issuer_packages",
    "start_issuer",
]

HAND_OVER = Path(__file__).parent / "hand_over.py"


@pytest.fixture
def more_flags() -> tuple[str, ...]:
    """Further command-line options of the browser."""
    return ()


@pytest.fixture
def chromium(tmp_path: Path, more_flags: tuple[str, ...]) -> Iterator[object]:
    """A browser with a new, empty profile."""
    need(CHROMIUM)
    pytest.importorskip("selenium.webdriver", reason="this needs selenium, of the extra 'test'")
    driver = start_chromium(tmp_path / "chromium-cache", more_flags)
    yield driver
    driver.quit()


@dataclass
class Login:
    """A running ``login`` command."""

    process: subprocess.Popen[str]
    address_file: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def address(self) -> str:
        """The address that ``login`` asked the browser to open."""
        return str(self._wait(lambda: self.address_file.read_text() if self.address_file.exists() else ""))

    def line_with(self, word: str) -> str:
        """The first line on stderr that has *word* in it."""
        return str(self._wait(lambda: next((line.strip() for line in list(self.said) if word in line), "")))

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code, stdout and stderr."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        code = self.process.wait(SECONDS)
        self._reader.join()
        return code, out, "".join(self.said)

    def _wait(self, look: object) -> object:
        give_up_at = time.monotonic() + SECONDS
        while time.monotonic() < give_up_at:
            found = look()  # type: ignore[operator]  # a function
            if found:
                return found
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)
        raise AssertionError("".join(self.said))


@pytest.fixture
def login(cli: Cli, tmp_path: Path) -> Iterator[object]:
    """Start ``login`` with options, and with a ``BROWSER`` that passes the address to the test."""
    started: list[Login] = []

    def start(*options: str) -> Login:
        place = tmp_path / f"address-{len(started)}"
        environ = {"BROWSER": f"{sys.executable} {HAND_OVER} %s &", "ADDRESS_FILE": str(place)}
        process = cli.start("login", *options, "--profile", "app", env=environ)
        started.append(Login(process, place))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        each._reader.join()
        for stream in (each.process.stdout, each.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def evil_page() -> Iterator[Callable[[str], str]]:
    """Serve an attacker's page from another origin; return its address."""
    pages: dict[str, str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()

    def serve(html: str) -> str:
        pages["/page"] = html
        return f"http://127.0.0.1:{server.server_port}/page"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()
