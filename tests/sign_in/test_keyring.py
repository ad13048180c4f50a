"""The stores of the refresh token: the traps of keyrings, each with the real library in a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keyring
import pytest

from cognito_credentials.errors import CacheError
from cognito_credentials.exchange.deadline import to_its_end
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.kept import keyring_store
from cognito_credentials.sign_in.kept.keyring_child import usable
from cognito_credentials.sign_in.kept.keyring_store import KeyringStore
from cognito_credentials.sign_in.kept.place import Place
from cognito_credentials.sign_in.kept.stores import open_store

from .keyring_backends import Hangs, PlaintextKeyring, Works

BACKENDS = "tests.sign_in.keyring_backends"
ROOT = Path(__file__).parent.parent.parent
KEY = "0123456789abcdef" * 2 + "01234567"
TOKEN = Secret("CANARY" + "t" * 5000)


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Choose a keyring backend by its name."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))

    def chosen(name: str) -> KeyringStore:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name if "." in name else f"{BACKENDS}.{name}")
        return KeyringStore(_place(tmp_path))

    return chosen


def _place(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "home" / "sign-in"), KEY)


@pytest.mark.quick
@pytest.mark.parametrize("backend", ["Works", "DeletesFirst", "Small", "Talks"])
def test_a_secret_comes_back(choose: object, backend: str, tmp_path: Path) -> None:
    """A secret of 5,000 characters comes back from every keyring, whatever its limits and output."""
    store = choose(backend)  # type: ignore[operator]

    store.check()
    store.store(TOKEN)

    assert store.load() == TOKEN
    assert KeyringStore(_place(tmp_path)).load() == TOKEN
    assert backend in store.location


def test_windows_keeps_it_on_this_machine(choose: object, tmp_path: Path) -> None:
    """The Windows credential is not one that Windows copies to the servers of a domain."""
    choose("WinVaultKeyring").store(TOKEN)  # type: ignore[operator]

    assert (tmp_path / "keyring.persist").read_text() == "local machine"


def test_what_is_in_which_place(choose: object, tmp_path: Path) -> None:
    """The keyring has 32 random bytes under a hash; the file cannot be decrypted without them."""
    store = choose("Works")  # type: ignore[operator]
    store.store(TOKEN)
    items = json.loads((tmp_path / "keyring.json").read_text())

    assert list(items) == [f"cognito-credentials/{KEY}"]
    assert [len(value) for value in items.values()] == [44]
    sealed = Path(_place(tmp_path).path("sealed"))
    assert b"CANARY" not in sealed.read_bytes()
    assert (sealed.stat().st_mode & 0o777, sealed.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_rotation_writes_no_keyring_item(choose: object, tmp_path: Path) -> None:
    """The keyring item is written once, so a keyring that deletes before it adds cannot lose it."""
    store = choose("DeletesFirst")  # type: ignore[operator]
    for number in range(3):
        store.store(Secret(f"CANARY {number}"))

    assert (tmp_path / "keyring.writes").read_text() == "x"
    assert store.load() == Secret("CANARY 2")


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("keyring.backends.null.Keyring", "does not keep secrets safe"),
        ("keyring.backends.fail.Keyring", "there is no backend for this system"),
        ("PlaintextKeyring", "does not keep secrets safe"),
        ("Discouraged", "priority below 1"),
        ("Forgets", "did not give back what it was given"),
        ("Garbles", "did not give back what it was given"),
        ("Locked", "it failed with KeyringLocked"),
        ("NoSuchClass", "it failed with AttributeError"),
    ],
)
def test_keyrings_that_cannot_be_trusted(choose: object, backend: str, said: str, tmp_path: Path) -> None:
    """Each is refused before anything is stored; the error says how to choose a plain file instead."""
    store = choose(backend)  # type: ignore[operator]

    for use in (store.check, lambda: store.store(TOKEN)):
        with pytest.raises(CacheError, match=said) as caught:
            use()
        assert caught.value.exit_code == 7
        for way in ("cognito_login_store = file", "configure --login-store file", "login --store file"):
            assert way in caught.value.hint
    assert not (tmp_path / "home" / "sign-in" / f"sealed-v1-{KEY}.json").exists()


def test_a_chain_of_keyrings() -> None:
    """The first safe backend of a chain is used; a chain without one is refused."""

    class Chain:
        def __init__(self, *backends: object) -> None:
            self.backends = backends

    good, bad = Works(), PlaintextKeyring()

    assert usable(Chain(bad, good)) == (good, "")
    assert usable(Chain(bad)) == (None, "there is no backend for this system")
    assert usable(Chain())[0] is None


def test_a_keyring_that_hangs(choose: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The child process is killed after its time limit, and nothing waits for it."""
    choose("Hangs")  # type: ignore[operator]
    begun = time.monotonic()

    with pytest.raises(CacheError, match="did not answer within 1 s; is it locked"):
        KeyringStore(_place(tmp_path), 1.0).check()

    assert time.monotonic() - begun < 4
    assert keyring_store.TIMEOUT_SECONDS == 5.0


def test_ctrl_c_does_not_end_what_speaks_to_the_keyring(choose: object) -> None:
    """Ctrl-C reaches every process of the terminal; the child completes its write, and answers the parent."""
    with pytest.raises(KeyboardInterrupt):
        choose("Interrupts").check()  # type: ignore[operator]

    store = choose("Works")  # type: ignore[operator]
    assert store.load() is None
    assert store.delete()
    assert not store.delete()


def test_what_was_opened_is_stored_without_the_keyring(choose: object, tmp_path: Path) -> None:
    """A rotated token is stored even if the keyring was locked since the last load."""
    choose("Works").store(TOKEN)  # type: ignore[operator]
    store = KeyringStore(_place(tmp_path))
    assert store.load() == TOKEN
    choose("Locked")  # type: ignore[operator]

    store.store(Secret("CANARY rotated"))

    assert choose("Works").load() == Secret("CANARY rotated")  # type: ignore[operator]


def test_a_keyring_is_under_the_callers_deadline(choose: object) -> None:
    """The time for the keyring is part of the deadline of a refresh."""
    store = choose("Hangs")  # type: ignore[operator]

    with pytest.raises(CacheError, match="did not answer within 1 s"):
        to_its_end(store.check, 1.2)


def test_no_keyring_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the library the error says what to install, and names the other store."""
    (tmp_path / "keyring.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(CacheError, match=r"not installed.*'cognito-credentials\[login\]'.*--store file"):
        KeyringStore(_place(tmp_path)).check()


@pytest.mark.quick
def test_nothing_of_the_working_directory_runs(
    choose: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    Attack: a file in the working directory, of the name of any module that the child imports, is not run.

    Neither is it in a folder that PYTHONPATH names and the parent does not have in its path, nor where the
    parent has the working directory in its path.
    """
    store = choose("ListsModules")  # type: ignore[operator]
    store.store(TOKEN)
    listed = {name.partition(".")[0] for name in json.loads((tmp_path / "keyring.modules").read_text())}
    assert {"signal", "runpy", "enum", "types", "collections", "functools", "json", "keyring"} <= listed
    places = [tmp_path / "project", tmp_path / "elsewhere"]
    for place in places:
        place.mkdir()
        for name in listed | {"sitecustomize", "usercustomize"}:
            (place / f"{name}.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'a').write({name!r})")
    monkeypatch.chdir(places[0])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", str(places[1])]))
    monkeypatch.setattr(sys, "path", ["", ".", str(places[0]), *sys.path])

    assert store.load() == TOKEN
    assert not (tmp_path / "seen").exists()


def test_a_backend_of_the_user_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    The child finds a backend in a folder of the parent's path.

    A file there, of the name of a module of the standard library, does not take that one's place.
    """
    place = tmp_path / "plugins"
    place.mkdir()
    (place / "vault.py").write_text(
        "import contextlib, configparser\nfrom tests.sign_in.keyring_backends import Works as Own"
    )
    (place / "configparser.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w')")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "vault.Own")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.chdir(tmp_path)
    store = KeyringStore(_place(tmp_path))

    store.store(TOKEN)

    assert store.load() == TOKEN
    assert not (tmp_path / "seen").exists()


def test_a_working_directory_that_is_gone(
    choose: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The keyring is asked as well where the working directory has been removed."""
    store = choose("Works")  # type: ignore[operator]
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    store.store(TOKEN)

    assert store.load() == TOKEN


@pytest.mark.parametrize("backend", ["Works", "Hangs"])
def test_an_app_that_is_frozen(
    choose: object, backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a frozen app no child process is started; a keyring that hangs stays behind in a thread."""
    choose(backend)  # type: ignore[operator]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("the app was started"))
    keyring.set_keyring({"Works": Works, "Hangs": Hangs}[backend]())
    store = KeyringStore(_place(tmp_path), 0.5)

    if backend == "Hangs":
        with pytest.raises(CacheError, match="did not answer"):
            store.check()
    else:
        store.store(TOKEN)
        assert store.load() == TOKEN


@pytest.mark.parametrize("damage", ["key", "other key", "file", "another sign-in's file"])
def test_what_cannot_be_opened_is_nothing(choose: object, damage: str, tmp_path: Path) -> None:
    """With a lost key, a changed byte or another sign-in's file, the secret reads as none."""
    store = choose("Works")  # type: ignore[operator]
    store.store(TOKEN)
    keyring, sealed = tmp_path / "keyring.json", Path(_place(tmp_path).path("sealed"))
    if damage == "key":
        keyring.write_text("{}")
    elif damage == "other key":
        keyring.write_text(json.dumps({f"cognito-credentials/{KEY}": "A" * 43 + "="}))
    elif damage == "file":
        data = sealed.read_bytes()
        sealed.write_bytes(data.replace(data[-8:-7], b"A" if data[-8:-7] != b"A" else b"B"))
    else:
        other = KeyringStore(Place(str(sealed.parent), KEY[::-1]))
        items = json.loads(keyring.read_text())
        keyring.write_text(
            json.dumps({**items, f"cognito-credentials/{KEY[::-1]}": next(iter(items.values()))})
        )
        Path(other._place.path("sealed")).write_bytes(sealed.read_bytes())
        os.chmod(other._place.path("sealed"), 0o600)
        store = other

    assert store.load() is None


def test_deleting(choose: object, tmp_path: Path) -> None:
    """File and key are gone; deleting once more returns False."""
    store = choose("Works")  # type: ignore[operator]
    store.store(TOKEN)

    assert store.delete()
    assert not store.delete()
    assert json.loads((tmp_path / "keyring.json").read_text()) == {}
    assert store.load() is None


def test_no_secret_in_argv(choose: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests and answers go through pipes; nothing is in the arguments, which every process can read."""
    store = choose("Works")  # type: ignore[operator]
    seen: list[list[str]] = []
    start = subprocess.Popen

    def watched(argv: list[str], **options: object) -> object:
        seen.append(argv)
        return start(argv, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", watched)
    store.store(TOKEN)
    assert store.load() == TOKEN

    assert seen
    assert all("CANARY" not in argument and KEY not in argument for argv in seen for argument in argv)
    assert {argv[0] for argv in seen} == {sys.executable}


@pytest.mark.writes_secrets
def test_the_plain_file(tmp_path: Path) -> None:
    """The plain file has the secret in clear with mode 0600, and no keyring is asked."""
    store = open_store("file", _place(tmp_path))

    store.check()
    assert store.load() is None
    store.store(TOKEN)

    path = Path(store.location)
    assert store.load() == TOKEN
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert store.load() is None  # others could have read it
    assert not path.exists()
    store.store(TOKEN)
    assert store.delete()
    assert not path.exists()
