"""A certified OpenID Connect provider in a separate process, and a person with a browser."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from cognito_credentials.secret import Secret
from tests.real_parts import NODE, missing, need

from .emulated_pool import EmulatedPool
from .hostile_issuer import HostileIssuer
from .web_browser import WebBrowser

PASSWORD = "CANARY correct horse"
"""Of ann, in `user_pool`."""

ISSUER = Path(__file__).parent / "issuer"
CLIENT_ID = "desktop"


class Person:
    """A person at a terminal: gives prepared answers, or looks them up when asked; records what was shown."""

    def __init__(self, *answers: str | Callable[[], str], can_ask: bool = True) -> None:
        self.answers = list(answers)
        self.can_ask = can_ask
        self.shown: list[str] = []
        self.asked: list[str] = []

    def say(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str) -> str:
        self.asked.append(question)
        if not self.answers:
            raise EOFError
        answer = self.answers.pop(0)
        return answer if isinstance(answer, str) else answer()

    def ask_secret(self, question: str) -> Secret:
        return Secret(self.ask(question))


@pytest.fixture
def rotating() -> Iterator[HostileIssuer]:
    """A well-behaved issuer that accepts each refresh token once."""
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def pool_id(emulator: Any, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An identity pool that accepts this issuer's tokens."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{rotating.url.partition('://')[2]}"
    return str(emulator.create_pool(OpenIdConnectProviderARNs=[arn]))


@pytest.fixture(scope="session")
def issuer_packages() -> Path:
    """The npm packages of the tests, installed once: the provider, and a verifier of user pools' tokens."""
    need(NODE)
    with FileLock(ISSUER / "node_modules.lock"):  # pytest may run several processes
        modules = ISSUER / "node_modules"
        if not all((modules / name).is_dir() for name in ("oidc-provider", "aws-jwt-verify")):
            done = subprocess.run(["npm", "ci", "--silent", "--fetch-retries=0"], cwd=ISSUER, check=False)
            if done.returncode:
                missing(
                    "oidc-provider and aws-jwt-verify could not be installed: this needs npm's registry, once"
                )
    return ISSUER


@pytest.fixture(scope="session")
def start_issuer(issuer_packages: Path) -> Iterator[Callable[..., str]]:
    """Start providers; all end with the session."""
    running = []

    def start(**options: object) -> str:
        process = subprocess.Popen(
            ["node", "server.mjs", json.dumps(options)],
            cwd=issuer_packages,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        running.append(process)
        assert process.stdout
        return process.stdout.readline().strip()

    yield start
    for process in running:
        with process:
            process.terminate()


@pytest.fixture(scope="session")
def issuer(start_issuer: Callable[..., str]) -> str:
    """The address of a provider; any name signs in."""
    return start_issuer()


@pytest.fixture
def open_browser() -> Iterator[Callable[..., Callable[[str], bool]]]:
    """Makes functions that open a browser in which *login* signs in; `pages` has its last page."""
    threads: list[threading.Thread] = []
    pages: list[tuple[int, str]] = []

    def for_user(login: str, password: str = "irrelevant") -> Callable[[str], bool]:
        def opens(url: str) -> bool:
            thread = threading.Thread(
                target=lambda: pages.append(WebBrowser().sign_in(url, login, password)), daemon=True
            )
            thread.start()
            threads.append(thread)
            return True

        return opens

    for_user.pages = pages  # type: ignore[attr-defined]
    for_user.threads = threads  # type: ignore[attr-defined]
    yield for_user
    for thread in threads:
        thread.join(20)


def last_page(open_browser: object) -> tuple[int, str]:
    """The status and text of the page that the browser ended with."""
    for thread in open_browser.threads:  # type: ignore[attr-defined]
        thread.join(20)
    return open_browser.pages[-1]  # type: ignore[attr-defined]


@pytest.fixture
def user_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    """A user pool with one user, ann, where the API of user pools is looked for."""
    server = EmulatedPool()
    server.add("ann", PASSWORD)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


@pytest.fixture
def hostile_issuer() -> Iterator[HostileIssuer]:
    """An issuer that says whatever a test has it say."""
    made = HostileIssuer()
    yield made
    made.close()
