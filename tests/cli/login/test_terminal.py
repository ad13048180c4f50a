"""Signing in at a terminal: a user pool's password by SRP, and what `login` and `unlink` ask."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import botocore.session
import pytest

from cognito_credentials.emulator import Emulator
from tests.cli.conftest import Cli
from tests.sign_in.emulated_pool import CLIENT, POOL, PROVIDER, EmulatedPool
from tests.sign_in.web_browser import WebBrowser

from .conftest import App
from .terminal import Screen, screen

HAS_ROTATION = (
    "GetTokensFromRefreshToken"
    in botocore.session.get_session().get_service_model("cognito-idp").operation_names
)
"""Older botocore does not know the operation that rotates refresh tokens."""

pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own
PASSWORD = "correct horse ✓"
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_user_pool_id = {user_pool}
cognito_client_id = {client}
cognito_sign_in = password
cognito_login_store = file
"""


@pytest.fixture
def user_pool() -> Iterator[EmulatedPool]:
    """A user pool that does its half of SRP."""
    server = EmulatedPool(rotates=HAS_ROTATION)
    server.add("ann", PASSWORD)
    yield server
    server.close()


@pytest.fixture
def members(cli: Cli, user_pool: EmulatedPool, config: Callable[[str], Path], isolation: Path) -> Emulator:
    """An identity pool for the users of that user pool."""
    pool_id = user_pool.emulator.create_pool(
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}],
    )
    config(PROFILE.format(pool=pool_id, user_pool=POOL, client=CLIENT))
    for service in ("COGNITO_IDENTITY", "STS", "COGNITO_IDENTITY_PROVIDER"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = user_pool.url
    return user_pool.emulator


def test_a_password_is_asked_for_on_the_terminal(cli: Cli, members: Emulator) -> None:
    """User name and password are asked for, the password is not shown, and credentials follow."""
    person = screen(cli.environ, "login", "--profile", "app")
    person.wait_for("User name")
    person.type("ann")
    person.wait_for("Password")
    person.type(PASSWORD)
    code, out, shown = person.end()

    assert code == 0, shown
    assert "horse" not in shown + out
    assert "Signed in as ann" in out
    assert json.loads(cli("credential-process", "--profile", "app").out)["AccessKeyId"].startswith("ASIA")
    assert cli("refresh", "--profile", "app").code == 0  # by the refresh token
    assert cli("refresh", "--profile", "app").code == 0
    assert "revoked and removed" in cli("logout", "--profile", "app").out


def test_a_code_in_place_of_a_password(
    cli: Cli, members: Emulator, user_pool: EmulatedPool, isolation: Path
) -> None:
    """With cognito_first_factor the person chooses a code on the terminal, and credentials follow."""
    user_pool.users["ann"].offer("PASSWORD_SRP", "EMAIL_OTP", "WEB_AUTHN")
    user_pool.change_client(flows=["USER_AUTH", "REFRESH_TOKEN_AUTH"])
    profile = isolation / ".aws" / "config"
    profile.write_text(profile.read_text() + "cognito_first_factor = choice\n")

    person = screen(cli.environ, "login", "--profile", "app", "--username", "ann")
    person.wait_for("1 = Password, 2 = Code from the e-mail")
    person.type("2")
    person.wait_for("A code was sent to")
    person.wait_for("Code from the e-mail")
    typed = user_pool.code()
    person.type(typed)
    code, out, shown = person.end()

    assert code == 0, shown
    assert typed not in shown + out
    assert "Signed in as a.ann@example.com" in out  # the ID token of a user with an address has it
    assert json.loads(cli("credential-process", "--profile", "app").out)["AccessKeyId"].startswith("ASIA")


def test_a_wrong_password(cli: Cli, members: Emulator) -> None:
    """A wrong password is refused without a sign whether the user exists; the third one ends the login."""
    person = screen(cli.environ, "login", "--profile", "app", "--username", "ann")
    for _ in range(3):
        person.wait_for("Password")
        person.type("wrong")
    code, out, shown = person.end()

    assert (code, out) == (5, "")
    assert "the user name or the password is wrong" in shown
    assert cli("credential-process", "--profile", "app").code == 3


def test_ctrl_c_at_the_password(cli: Cli, members: Emulator) -> None:
    """Ctrl-C at the question leaves no files, and the terminal as it was."""
    person = screen(cli.environ, "login", "--profile", "app", "--username", "ann")
    person.wait_for("Password")
    person.press(b"\x03")
    code, out, shown = person.end()

    assert (code, out) == (130, "")
    assert "nothing was changed" in shown
    assert "Traceback" not in shown


def test_an_address_longer_than_a_line_of_a_terminal(app: App) -> None:
    """A redirect of 6000 characters can be pasted, though a terminal that edits lines keeps 4095."""
    person = screen(app.cli.environ, "login", "--no-browser", "--profile", "app")
    person.wait_for("Address: ")
    url = re.search(r"^http://\S+/auth\?\S+", person.shown.replace("\r", ""), re.MULTILINE)
    assert url
    elsewhere = WebBrowser()
    with pytest.raises(OSError, match="refused"):  # nothing listens: the browser shows an error there
        elsewhere.sign_in(url[0], "ann")
    address, _, query = elsewhere.redirected_to.partition("?")
    person.type(f"{address}?session_state={'s' * 6000}&{query}")
    code, out, shown = person.end()

    assert code == 0, shown
    assert "Signed in as ann@example.com" in out
    assert "ssss" not in shown


NO_TERMINAL = """
import os
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setsid()
"""
"""Leaves the process without a controlling terminal, as in a container; stdin is a terminal all the same."""
ASK = """
from cognito_credentials.sign_in.ways.prompt import TerminalPrompt
try:
    print(ascii(TerminalPrompt().ask_secret("Password").reveal()))
except EOFError:
    print("no answer")
"""


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("abx\x7fc\n", "'abc'"),
        ("ab\x08\x08\x08c\r", "'c'"),
        ("aé✓\x7f\x7fb\n", "'ab'"),
        ("wrong\x15right\n", "'right'"),
        ("a\x04b\nrm -rf x\n", "'ab'"),
        ("\x04", "no answer"),
        ("é" * 4000 + "\n", repr("\\xe9" * 4000).replace("\\\\", "\\")),
    ],
)
@pytest.mark.parametrize("has_own", [True, False])
def test_typing_what_is_not_shown(typed: str, answer: str, has_own: bool, cli: Cli) -> None:
    """The keys that terminals understand are understood, and nothing typed is shown."""
    person = Screen([sys.executable, "-c", ASK if has_own else NO_TERMINAL + ASK], cli.environ)
    person.wait_for("Password: ")
    person.press(typed.encode())
    code, out, shown = person.end()

    assert (code, out) == (0, f"{answer}\n")
    assert shown.partition("Password: ")[2].strip() == ""


SHELL = """
import os, signal, sys, termios
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
modes = termios.tcgetattr(0)
child = os.fork()
if child:
    status = os.waitpid(child, os.WUNTRACED)[1]
    while os.WIFSTOPPED(status):
        os.tcsetpgrp(0, os.getpgrp())
        termios.tcsetattr(0, termios.TCSADRAIN, modes)
        print("Stopped", file=sys.stderr, flush=True)
        if sys.stdin.readline() == "fg\\n":
            os.tcsetpgrp(0, child)
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, os.WUNTRACED)[1]
    os._exit(os.waitstatus_to_exitcode(status))
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpgrp())
signal.signal(signal.SIGTTOU, signal.SIG_DFL)
"""
"""A shell with job control: it runs the program as a job, and takes the terminal back when the job stops."""


@pytest.mark.parametrize("typed", [["fg"], ["bg", "fg"]])
def test_ctrl_z_at_the_password(typed: list[str], cli: Cli) -> None:
    """After Ctrl-Z and fg, typing is still not shown; handlers and terminal end up as before."""
    after = "import signal\nassert signal.getsignal(signal.SIGCONT) is signal.SIG_DFL\n"
    person = Screen([sys.executable, "-c", SHELL + ASK + after], cli.environ)
    person.wait_for("Password: ")
    person.press(b"\x1a")
    for line in typed:
        person.wait_for("Stopped")
        person.type(line)
    person.wait_for(f"{typed[-1]}\r\n")
    person.wait_until_unseen()
    person.type("CANARY")
    code, out, shown = person.end()

    assert (code, out) == (0, "'CANARY'\n")
    assert shown.strip() == ""


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_the_choice_to_link_is_explained_and_made(app: App, answer: str) -> None:
    """If this machine has a guest, `login` explains linking and asks; Enter means no."""
    app.cli("credential-process", "--profile", "guest")
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]
    person = screen({**app.cli.environ, **app.person("ann")}, "login", "--browser", "--profile", "app")
    person.wait_for("Make the guest this user (y/n) [n]: ")
    explained = person.shown
    person.type(answer)
    code, out, shown = person.end()

    assert code == 0, shown
    assert f"the guest {guest}" in explained
    assert "a user with an identity keeps that one, and the guest's is lost" in " ".join(explained.split())
    assert (f"Identity {guest}" in out) is (answer == "y")


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130)])
def test_unlinking_is_asked_about(app: App, answer: str, code: int) -> None:
    """The question says that an identity may be lost, and only y unlinks."""
    app.login("ann")
    provider = app.issuer.partition("://")[2]
    person = screen(app.cli.environ, "unlink", provider, "--profile", "app")
    person.wait_for("(y/n) [n]: ")
    assert "lost for ever" in person.shown
    person.type(answer)

    assert person.end()[0] == code


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 130)])
def test_forgetting_a_guest_is_asked_about(app: App, answer: str, code: int) -> None:
    """The question says that a guest's identity cannot be recovered, and Enter means no."""
    app.cli("credential-process", "--profile", "guest")
    person = screen(app.cli.environ, "logout", "--scope", "identity", "--profile", "guest")
    person.wait_for("(y/n) [n]: ")
    assert "lost for ever" in person.shown
    person.type(answer)

    assert person.end()[0] == code
    kept = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]
    assert (kept is None) is (code == 0)


def test_ssh_by_hand(app: App) -> None:
    """Over SSH an address is printed, and one is pasted back unseen; a wrong one is asked for again."""
    person = screen({**app.cli.environ, "SSH_CONNECTION": "1 2 3 4"}, "login", "--profile", "app")
    person.wait_for("Address: ")
    assert "because this is an SSH session" in person.shown
    address = next(line for line in person.shown.split() if line.startswith(app.issuer))
    browser = WebBrowser()
    browser.stop_at = "http://127.0.0.1:8400/callback"
    browser.sign_in(address, "ann")
    person.type("http://127.0.0.1:8400/")
    person.wait_for("Address: ")
    assert "That is not the answer to this sign-in" in person.shown
    person.type(f"  {browser.redirected_to} ")
    code, out, shown = person.end()

    assert code == 0, shown
    assert "Signed in as ann@example.com" in out
    assert "code=" not in shown


def test_ctrl_d_at_a_question(app: App) -> None:
    """After Ctrl-D the error starts on a line of its own, not behind the question."""
    person = screen(app.cli.environ, "login", "--no-browser", "--profile", "app")
    person.wait_for("Address: ")
    person.press(b"\x04")
    code, _, shown = person.end()

    assert code == 3
    assert "\ncognito-credentials: profile 'app': no address was pasted" in shown


def test_no_address_without_a_terminal(app: App) -> None:
    """Without a terminal to paste on, it fails before it prints an address."""
    done = app("login", "--no-browser")

    assert done.code == 3
    assert "there is no terminal to paste the address on" in done.line


@pytest.mark.parametrize(("encoding", "has_picture"), [("utf-8", True), ("ascii", False)])
def test_a_terminal_that_cannot_draw(app: App, encoding: str, has_picture: bool) -> None:
    """The address and the code to type in are always shown, the QR code where the encoding allows it."""
    environ = {**app.cli.environ, "PYTHONIOENCODING": encoding}
    person = screen(environ, "login", "--device", "--profile", "app")
    person.wait_for("Waiting for you")
    shown = person.shown
    person.press(b"\x03")

    assert person.end()[0] == 130
    assert f"{app.issuer}/device" in shown
    assert "enter this code" in shown
    assert ("█▄" in shown) is has_picture
    assert ("scan this" in shown) is has_picture
    assert "u2588" not in shown
