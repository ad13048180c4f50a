"""Imports in functions, and forks that wait for them."""

from __future__ import annotations

import ast
import gc
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import IdentityPool, importing
from cognito_credentials.emulator import Emulator
from cognito_credentials.exchange.secured import Secured
from cognito_credentials.exchange.transport import close_idle
from cognito_credentials.importing import IMPORTING

pytestmark = pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy imports, ends threads and handles signals in its own way"
)

FIRST_CALL = """
import sys
from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.importing import IMPORTING

class Recorder:
    def find_spec(self, name, path=None, target=None):
        if not IMPORTING.is_mine:
            bare.append(name)

bare = []
sys.meta_path.insert(0, Recorder())
IdentityPool(sys.argv[1], profile_name="app").credentials()
for region in ("us-east-1", "us-east-9"):
    try:
        IdentityPool(region + ":00000000-0000-4000-8000-00000000000a", cache="memory").credentials()
    except CognitoCredentialsError as error:
        print(error)
print(bare)
"""


WITHOUT = {
    *("__init__.py", "__main__.py", "importing.py", "sign_in/__init__.py", "sign_in/kept/keyring_child.py"),
    "extras.py",
    *("cache/records.py", "credentials.py", "digest.py", "home.py", "secret.py"),
}
"""What is imported first; and what a cache hit of a command runs, which imports parts of Python only."""


def _bare(node: ast.AST, *, is_inside: bool = False) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.With) and "IMPORTING" in map(ast.unparse, child.items):
            continue
        if is_inside and isinstance(child, (ast.Import, ast.ImportFrom)):
            yield ast.unparse(child)
        is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        yield from _bare(child, is_inside=is_inside or is_function)


def test_each_import_in_a_function_is_where_a_fork_waits() -> None:
    """But for commands, which do not fork beside threads, and the emulator, which is another program."""
    root = Path(importing.__file__).parent
    found = {}
    for file in root.rglob("*.py"):
        name = file.relative_to(root).as_posix()
        if name.partition("/")[0] not in ("cli", "emulator") and name not in WITHOUT:
            bare = [one for one in _bare(ast.parse(file.read_text())) if not one.endswith("import IMPORTING")]
            found.update({name: bare} if bare else {})
    assert found == {}


@pytest.mark.parametrize("flow", ["enhanced", "basic"])
def test_a_first_call_imports_only_where_a_fork_waits(tmp_path: Path, flow: str) -> None:
    """From the config file to the answer, and for two refusals: each module comes in ``with IMPORTING:``."""
    with Emulator(tls=True) as emulator:
        (tmp_path / "config").write_text(f"[profile app]\nca_bundle = {emulator.certificate}\n")
        environ = {
            **os.environ,
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_CA_BUNDLE": str(emulator.certificate),
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_COGNITO_FLOW": flow,
        }
        if flow == "basic":
            environ["AWS_COGNITO_ROLE_ARN"] = "arn:aws:iam::123456789012:role/unauthenticated"
        command = [sys.executable, "-c", FIRST_CALL, emulator.create_pool()]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


LOGIN = """
import sys
from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.importing import IMPORTING
from cognito_credentials.logins import CommandSource, FileSource
from cognito_credentials.sign_in import DeveloperLogin

class Recorder:
    def find_spec(self, name, path=None, target=None):
        if not IMPORTING.is_mine:
            bare.append(name)

kind, pool, token = sys.argv[1:]
logins = {
    "command": lambda: {"accounts.google.com": CommandSource(["cat", token])},
    "file": lambda: {"accounts.google.com": FileSource(token)},
    "developer": lambda: {"login.example": DeveloperLogin("http://127.0.0.1:9", headers={})},
}[kind]()
pool = IdentityPool(pool, cache="memory", user="u", logins=logins)
bare = []
sys.meta_path.insert(0, Recorder())
try:
    pool.credentials()
    print("credentials")
except CognitoCredentialsError as error:
    print(error)
print(bare)
"""


@pytest.mark.parametrize(
    ("kind", "said"), [("command", "credentials"), ("file", "credentials"), ("developer", "127.0.0.1:9")]
)
def test_a_first_login_imports_only_where_a_fork_waits(tmp_path: Path, kind: str, said: str) -> None:
    """Also what Python itself imports late: for a process, for a codec, for the answer of a back end."""
    provider, token = "accounts.google.com", tmp_path / "token"
    with Emulator() as emulator:
        token.write_text(emulator.login_token(provider, audience="app", subject="s"))
        pool = emulator.create_pool(SupportedLoginProviders={provider: "app"})
        environ = {**os.environ, "HOME": str(tmp_path), "AWS_ENDPOINT_URL": emulator.url}
        command = [sys.executable, "-c", LOGIN, kind, pool, str(token)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def test_openssl_is_called_only_where_a_fork_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks are the process's, and each call may take one: context, handshake, reading and writing."""
    called: list[tuple[str, bool]] = []

    class Watched:
        def __init__(self, tls: ssl.SSLObject) -> None:
            self._tls = tls

        def __getattr__(self, name: str) -> Any:
            def call(*arguments: Any) -> Any:
                called.append((name, IMPORTING.is_mine))
                return getattr(self._tls, name)(*arguments)

            return call

    make, load = ssl.SSLContext.wrap_bio, ssl.SSLContext.load_verify_locations

    def wrap_bio(*arguments: Any, **named: Any) -> Any:
        if named.get("server_side"):
            return make(*arguments, **named)  # the emulator's
        called.append(("wrap_bio", IMPORTING.is_mine))
        return Watched(make(*arguments, **named))

    def load_verify_locations(*arguments: Any, **named: Any) -> None:
        called.append(("load_verify_locations", IMPORTING.is_mine))
        load(*arguments, **named)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", wrap_bio)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load_verify_locations)
    with Emulator(tls=True) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(emulator.certificate))
        IdentityPool(emulator.create_pool(), cache="memory").credentials()
        close_idle()
    calls = {one for one in called if one[0] != "pending"}  # which keeps Python's own lock
    assert calls == {
        *(("load_verify_locations", True), ("wrap_bio", True)),
        *(("do_handshake", True), ("read", True), ("write", True)),
    }


FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def forked() -> int:
    """Fork; the child ends as soon as it has imported something. Return its exit code."""
    child = os.fork()
    if child == 0:
        with IMPORTING:
            os._exit(7 if IMPORTING.is_mine else 8)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TimeLimitError(Exception):
    """The program's own."""


def is_free() -> bool:
    """Whether another thread can import."""
    found: list[bool] = []

    def take() -> None:
        if IMPORTING._lock.acquire(timeout=2):
            IMPORTING._lock.release()
            found.append(True)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return bool(found)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here")
@pytest.mark.skipif(
    sys.version_info >= (3, 14),
    reason="there, a handler can raise after the lock is taken and before the block",
)
def test_a_signal_handler_that_raises_leaves_nothing_locked() -> None:
    """Wherever in the block, or on the way in or out, a time limit of the program comes."""

    def limit(*_: object) -> None:
        raise TimeLimitError

    limits = 0
    before = signal.signal(signal.SIGALRM, limit)
    try:
        for number in range(1500):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + number % 50 * 1e-6)
                for _ in range(100_000):
                    with IMPORTING:
                        pass
                    with IMPORTING.at_first():
                        pass
            except TimeLimitError:
                limits += 1
            assert not IMPORTING.is_mine, number
    finally:
        signal.signal(signal.SIGALRM, before)

    assert limits == 1500
    assert is_free()
    gc.collect()  # PyPy does not count references
    assert not IMPORTING._begun


def test_a_fork_that_waits_in_vain_releases_nothing_of_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads fork, and the second one waits no longer: the first one still ends its wait."""
    IMPORTING._wait()
    monkeypatch.setattr(importing, "_LONGEST_WAIT", 0.05)
    second = threading.Thread(target=lambda: (IMPORTING._wait(), IMPORTING._go_on()))
    second.start()
    second.join()
    assert IMPORTING.is_mine
    IMPORTING._go_on()
    assert is_free()


@FORKS
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_does_not_wait_for_a_silent_server() -> None:
    """During a handshake nothing is locked while the network is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        below = socket.create_connection(server.getsockname())
        context = ssl.create_default_context()
        failed: list[BaseException] = []

        def shake() -> None:
            try:
                Secured(below, context, "example.com")
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=shake)
        thread.start()
        with server.accept()[0] as connection:
            assert connection.recv(1)  # the handshake has begun
            assert forked() == 7
            assert not failed
        thread.join(10)
        assert failed
        below.close()


@FORKS
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(("moment", "expected"), [(10.0, ["over", "forked"]), (0.05, ["forked", "over"])])
def test_a_fork_waits_a_moment_for_a_lookup(
    monkeypatch: pytest.MonkeyPatch, moment: float, expected: list[str]
) -> None:
    """One that takes longer waits for its server, and has nothing locked."""
    monkeypatch.setattr(importing, "_MOMENT", moment)
    entered, goes_on, order = threading.Event(), threading.Event(), []

    def look_up() -> None:
        with IMPORTING.at_first():
            entered.set()
            goes_on.wait(10)
            order.append("over")

    thread = threading.Thread(target=look_up)
    thread.start()
    entered.wait(10)
    with IMPORTING.at_first():
        pass  # another one need not wait
    if moment > 1:
        threading.Timer(0.1, goes_on.set).start()
    assert forked() == 7
    order.append("forked")
    goes_on.set()
    thread.join(10)
    assert order == expected


@FORKS
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_a_thread_that_is_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has left it, and the operating system still shows it: OpenSSL frees what it had for it."""
    real, shows = os.path.exists, [False, True, True]

    def exists(path: str) -> bool:
        return shows.pop() if path == f"/proc/self/task/{thread.native_id}" else real(path)

    def imports() -> None:
        with IMPORTING:
            pass

    thread = threading.Thread(target=imports)
    thread.start()
    thread.join()
    monkeypatch.setattr(os.path, "exists", exists)
    assert forked() == 7
    assert not shows


@FORKS
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes place when the import is over, or when the import waits for it; the child can import."""
    entered, goes_on, order = threading.Event(), threading.Event(), []

    def imports() -> None:
        with IMPORTING:
            entered.set()
            goes_on.wait(10)
            order.append("imported")

    with IMPORTING:
        pass  # registers what a fork calls
    for longest, expected in ((10.0, ["imported", "forked"]), (0.05, ["forked", "imported"])):
        monkeypatch.setattr(importing, "_LONGEST_WAIT", longest)
        order.clear()
        entered.clear()
        goes_on.clear()
        thread = threading.Thread(target=imports)
        thread.start()
        entered.wait(10)
        if longest > 1:
            threading.Timer(0.1, goes_on.set).start()
        assert forked() == 7
        order.append("forked")
        goes_on.set()
        thread.join(10)
        assert order == expected
