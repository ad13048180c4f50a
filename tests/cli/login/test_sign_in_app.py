"""examples/sign_in_app.py, unchanged, at a certified OpenID Connect provider."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.sign_in import UserPool
from tests.examples.conftest import Running, environment, run
from tests.sign_in.conftest import CLIENT_ID

from .conftest import App

README = Path(__file__).parents[3] / "README.md"
__all__ = ["environment", "run"]
pytestmark = pytest.mark.writes_secrets  # the plain store


def _say(running: Running, word: str) -> None:
    assert running.process.stdin is not None
    running.process.stdin.write(word + "\n")
    running.process.stdin.flush()


@pytest.fixture
def started(app: App, run: Callable[..., Running]) -> Callable[[str], Running]:
    """The app, with a browser in which a person signs in."""

    def start(person: str) -> Running:
        settings: dict[str, Any] = {
            "AWS_COGNITO_IDENTITY_POOL_ID": app.pool_id,
            "APP_ISSUER": app.issuer,
            "APP_CLIENT_ID": CLIENT_ID,
            "APP_LOGIN_STORE": "file",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **app.person(person),
        }
        return run("sign_in_app.py", **settings)

    return start


def test_signed_in_once_found_again_and_out(started: Callable[[str], Running]) -> None:
    """A user stays signed in over a restart, and not after signing out."""
    first = started("ann")
    _say(first, "sync")
    nobody = first.line()
    _say(first, "in")
    hello = first.line()
    _say(first, "sync")
    created, synced = first.line(), first.line()
    first.end()

    second = started("nobody")
    for word in ("sync", "out", "sync"):
        _say(second, word)
    again, goodbye, out = second.line(), second.line(), second.line()
    second.end()

    assert nobody.startswith("please sign in: nobody is signed in")
    assert hello == "hello, ann@example.com"
    assert created.startswith("identity created: None -> us-east-1:")
    assert synced == again
    assert synced.startswith(f"synced as {created.partition('-> ')[2]} (")
    assert goodbye == "goodbye, ann@example.com"
    assert out.startswith("please sign in: nobody is signed in")


@pytest.mark.quick
def test_the_program_of_the_readme(app: App, environment: dict[str, str]) -> None:
    """The README's code runs with other pools in it; a user who signed in stays signed in."""
    [code] = [code for code in README.read_text("utf-8").split("```") if "pool.sign_in()" in code]
    user_pool = re.search(r"UserPool\(.*\)$", code, re.MULTILINE)
    assert user_pool is not None
    made = eval(user_pool[0], {"UserPool": UserPool})
    assert (made.user_pool_id, made.redirect_ports) == ("us-east-1_Ab1Cd2Ef3", (8400, 8401))
    code = code.removeprefix("python\n")
    code = code.replace(user_pool[0], f"OidcLogin({app.issuer!r}, {CLIENT_ID!r}, store='file')")
    code = code.replace("import UserPool  # or OidcLogin", "import OidcLogin  # ")
    code = code.replace("us-east-1:00000000-0000-4000-8000-000000000001", app.pool_id)

    said = []
    for person in ("ann", "nobody"):
        variables = {**environment, **app.person(person), "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)

    assert said[0].startswith("arn:aws:sts::123456789012:assumed-role/")
    assert said == [said[0]] * 2


def test_another_user_in_another_window(started: Callable[[str], Running]) -> None:
    """When another user signs in in a second window, the first window follows."""
    window = started("ann")
    _say(window, "in")
    _say(window, "sync")
    hello, _, anns = window.line(), window.line(), window.line()
    other = started("bob")
    _say(other, "out")
    _say(other, "in")
    _say(other, "sync")
    goodbye, hello_bob, _, bobs = (other.line() for _ in range(4))
    other.end()

    switched = "synced"
    while switched.startswith("synced"):  # whose the sign-in is, is looked at once a second
        _say(window, "sync")
        switched = window.line()
    now = window.line()
    window.end()

    assert (hello, goodbye, hello_bob) == (
        "hello, ann@example.com",
        "goodbye, ann@example.com",
        "hello, bob@example.com",
    )
    assert switched.startswith("identity switched: us-east-1:")
    assert now == bobs != anns
