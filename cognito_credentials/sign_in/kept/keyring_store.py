"""
A secret store that needs the keyring of the operating system: the secret is in a file, its key in the
keyring.

The key has 32 random bytes. It is written when somebody signs in and never replaced: a locked keyring may
answer that it has no key. So where there is a file, which an earlier key may open, a new key is another item,
and the new file names it. The secret is encrypted with the key (AES-256-GCM). A secret that is itself in the
keyring would not fit everywhere: Windows takes 1,280 characters, and a user pool's refresh token is longer.
And some keyrings replace an item by deleting it first; a file is replaced whole.

A child process (`keyring_child.py`) speaks to the keyring, with a time limit, since a keyring can hang
without end.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import CacheError, clean
from ...exchange.deadline import remaining
from ...extras import install_command
from ...importing import IMPORTING
from ...secret import Secret
from . import keyring_child

if TYPE_CHECKING:
    from .place import SignInPlace

SERVICE: Final = "cognito-credentials"
TIMEOUT_SECONDS: Final = 5.0
PATIENT_SECONDS: Final = 60.0
"""The time limit while a person signs in: a locked keyring opens a window and asks for its password."""
_LEAST_SECONDS: Final = 1.0
_KEY_BYTES: Final = 32
_VERSION: Final = "1"
_START: Final = (
    # Ctrl-C reaches every process of a terminal. Only the parent decides whether this one ends.
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import runpy, sys; runpy.run_path(sys.argv[1])['main']()"
)


class _Key(NamedTuple):
    """A key, and the keyring item that it is in."""

    item: str
    key: Secret


class KeyringStore:
    """
    A file that is encrypted with a key in the keyring.

    Args:
        timeout_seconds: How long the keyring may take for each request.
    """

    name = "keyring"
    kind = "sealed"

    def __init__(self, place: SignInPlace, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._place = place
        self._timeout_seconds = timeout_seconds
        self.location = "the keyring"
        self._loaded: _Key | None = None
        self._made: str | None = None
        """The keyring item that this object has made."""

    def check(self) -> None:
        """
        Make sure that the keyring has a key, and create one if not.

        Raises:
            CacheError: There is no keyring, or it does not keep secrets safe; the hint names the other store.
        """
        if self._key_at(self._item()) is None:
            self._make_key()

    def try_out(self) -> None:
        """
        Store an item that nothing else uses, read it back, and remove it.

        Raises:
            CacheError: As in `check`.
        """
        item, secret = f"{self._place.key}.probe", Secret(_text(os.urandom(_KEY_BYTES)))
        try:
            self._ask("store", item, secret)
            is_same = self._ask("load", item).get("secret") == secret.reveal()
        finally:
            self._ask("delete", item)
        if not is_same:
            raise CacheError(
                f"{self.location} gives another process not what it was given",
                hint="Choose a plain file that only you can read: cognito_login_store = file in a profile",
                topic="E-KEYRING",
            )

    @property
    def has_made_a_key(self) -> bool:
        """Whether `check` has made a key, which is of no use if nobody signs in."""
        return self._made is not None

    def abandon(self) -> None:
        """
        Remove the key that `check` has made, unless it opens the file by now.

        Raises:
            CacheError: The keyring cannot be reached.
        """
        made, self._made = self._made, None
        if made is None:
            return
        if self._place.read("sealed") is None or self._item() != made:
            # A keyring that has not answered within a person's time will not answer now.
            self._timeout_seconds = min(self._timeout_seconds, TIMEOUT_SECONDS)
            self._ask("delete", made)

    def load(self) -> Secret | None:
        """
        Read and decrypt the secret; None if nothing is stored, or the keyring gives no key.

        Raises:
            CacheError: The keyring cannot be reached.
        """
        data = self._place.read("sealed")
        if data is None:
            return None
        self._loaded = self._key_at(_item_of(data, self._place.key))
        return None if self._loaded is None else _decrypt(data, self._loaded.key, self._place.key)

    def sealed(self, secret: Secret) -> bytes:
        """
        Encrypt the secret.

        After a `load` the keyring is not asked again. It may be locked by now, and a rotated refresh token
        that is not stored is lost.

        Raises:
            CacheError: The keyring does not work.
        """
        key = self._loaded or self._key_at(self._made or self._item()) or self._make_key()
        return _encrypt(secret, key, self._place.key)

    def store(self, secret: Secret) -> None:
        """
        Write the encrypted secret, whole or not at all.

        Raises:
            CacheError: The keyring does not work, or the file cannot be written.
        """
        self._place.write("sealed", self.sealed(secret))

    def delete(self) -> bool:
        """
        Remove file and key; False when there was neither.

        Raises:
            CacheError: The keyring cannot be reached; the file is removed anyway.
        """
        items = self.items()
        had_file = self._place.remove("sealed")
        return self.delete_keys(items) or had_file

    def items(self) -> list[str]:
        """Name the keyring items that a key may be in. Only the file names them all."""
        try:
            return sorted({self._place.key, self._item()})
        except CacheError:
            return [self._place.key]

    def delete_keys(self, items: list[str]) -> bool:
        """
        Remove *items* from the keyring; False when there was none.

        Raises:
            CacheError: The keyring cannot be reached.
        """
        removed = [item for item in items if self._ask("delete", item).get("done")]
        return bool(removed)

    def _item(self) -> str:
        data = self._place.read("sealed")
        return self._place.key if data is None else _item_of(data, self._place.key)

    def _key_at(self, item: str) -> _Key | None:
        key = _key_of(self._ask("load", item).get("secret"))
        return None if key is None else _Key(item, key)

    def _make_key(self) -> _Key:
        item = self._place.key
        if self._place.read("sealed") is not None:
            item += "." + os.urandom(4).hex()
        self._made = item
        key = Secret(_text(os.urandom(_KEY_BYTES)))
        self._ask("store", item, key)
        return _Key(item, key)

    def _ask(self, operation: str, item: str, secret: Secret | None = None) -> dict[str, Any]:
        answer = _run(
            {
                "operation": operation,
                "service": SERVICE,
                "user": item,
                **({} if secret is None else {"secret": secret.reveal()}),
            },
            min(self._timeout_seconds, max(remaining(), _LEAST_SECONDS)),
        )
        problem = answer.get("problem")
        if problem:
            install = f"Run {install_command('login')}; or choose" if answer.get("is_missing") else "Choose"
            raise CacheError(
                f"the keyring cannot be used: {clean(str(problem), 160)}",
                hint=f"{install} a plain file that only you can read: store='file' in Python, "
                "cognito_login_store = file in a profile (configure --login-store file), or "
                "login --store file",
                topic="E-KEYRING",
            )
        if isinstance(answer.get("backend"), str):
            self.location = f"the keyring ({clean(answer['backend'], 80)})"
        return answer


def _run(request: dict[str, str], timeout_seconds: float) -> dict[str, Any]:
    """Return the answer of the child process to *request*."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return _run_here(request, timeout_seconds)  # the executable is an app, which would start again
    try:
        text = json.dumps({**request, "path": _own_path()})
        code, printed = _answer_of_child(text.encode("ascii"), timeout_seconds)
        answer = json.loads(printed) if code == 0 else None
    except subprocess.TimeoutExpired:
        return _timed_out(timeout_seconds)
    except (OSError, ValueError):
        answer = None
    return answer if isinstance(answer, dict) else {"problem": "the process that speaks to it failed"}


def _own_path() -> list[str]:
    """Return this process's path, where users have their backends, without the working directory."""
    return [os.fsdecode(entry) for entry in sys.path if os.path.isabs(entry) and not _is_here(entry)]


def _is_here(entry: str) -> bool:
    # By its full name, too: `python -m` and a script in the working directory put it into the path like that.
    try:
        return os.path.samefile(entry, os.curdir)
    except OSError:
        return False


def _answer_of_child(request: bytes, timeout_seconds: float) -> tuple[int, bytes]:
    # Isolated: neither the working directory nor PYTHONPATH. A file `signal.py` there would get the secret.
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _START, os.path.abspath(keyring_child.__file__)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    # Not `subprocess.run`: on Ctrl-C it leaves a child behind that does not end within a quarter of a second.
    with process:
        try:
            printed, _ = process.communicate(request, timeout_seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return process.returncode, printed


def _run_here(request: dict[str, str], timeout_seconds: float) -> dict[str, Any]:
    """Answer *request* in a thread of this process. A thread that hangs cannot be ended, and stays."""
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(keyring_child.answer(request)), daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return answers[0] if answers else _timed_out(timeout_seconds)


def _timed_out(timeout_seconds: float) -> dict[str, Any]:
    return {"problem": f"it did not answer within {timeout_seconds:.0f} s; is it locked?"}


def _key_of(text: object) -> Secret | None:
    try:
        key = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return None
    return Secret(_text(key)) if len(key) == _KEY_BYTES else None


def _item_of(data: bytes, usual: str) -> str:
    """Return the keyring item of the key of an encrypted file; *usual* where the file names none."""
    try:
        item = json.loads(data).get("item")
    except (ValueError, AttributeError, RecursionError):
        return usual
    is_ours = isinstance(item, str) and re.fullmatch(re.escape(usual) + r"\.[0-9a-f]{8}", item)
    return str(item) if is_ours else usual


def _encrypt(secret: Secret, key: _Key, name: str) -> bytes:
    with IMPORTING:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    sealed = AESGCM(base64.b64decode(key.key.reveal())).encrypt(
        nonce, secret.reveal().encode("utf-8"), _associated_data(name)
    )
    parts = {"v": 1, "nonce": _text(nonce), "sealed": _text(sealed)}
    if key.item != name:
        parts["item"] = key.item
    return json.dumps(parts, sort_keys=True).encode("ascii")


def _decrypt(data: bytes, key: Secret, name: str) -> Secret | None:
    with IMPORTING:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        parts = json.loads(data)
        nonce, sealed = (base64.b64decode(parts[part], validate=True) for part in ("nonce", "sealed"))
        cipher = AESGCM(base64.b64decode(key.reveal()))
        return Secret(cipher.decrypt(nonce, sealed, _associated_data(name)).decode("utf-8"))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidTag):
        return None


def _associated_data(name: str) -> bytes:
    """Return what binds an encrypted secret to its sign-in, so that one file cannot replace another."""
    return f"{name}|{_VERSION}".encode("ascii")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
