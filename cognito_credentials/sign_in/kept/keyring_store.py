"""
The refresh token in a file that only this user's keyring can open.

The keyring holds a random key of 32 bytes, written once when somebody signs in and never replaced; the token
is in a file, encrypted with it (AES-256-GCM). So it fits every keyring (Windows takes 1,280 characters, and
a user pool's refresh token is longer), and a rotated token replaces a file, which cannot be torn, rather
than a keyring item, which some backends replace by deleting it first.

The keyring is reached through a child process (`keyring_child.py`) with a time limit, and only with the lock
of the sign-in held.

Imports `place`, `secret`, `errors`, `exchange.deadline`; ``cryptography`` when something is sealed or opened.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from ...errors import CacheError, clean
from ...exchange.deadline import remaining
from ...secret import Secret
from . import keyring_child

if TYPE_CHECKING:
    from .place import Place

SERVICE: Final = "cognito-credentials"
TIMEOUT_SECONDS: Final = 5.0
PATIENT_SECONDS: Final = 60.0
"""While a person is there: a locked keyring asks for its password in a window of its own."""
_LEAST_SECONDS: Final = 1.0
_KEY_BYTES: Final = 32
_VERSION: Final = "1"
_START: Final = (
    # Ctrl-C reaches every process of a terminal; what becomes of this one is the parent's business.
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    # Not the working directory: a project's own `keyring.py` must not see the secret.
    "import sys; sys.path[:] = [p for p in sys.path if p]; import runpy; "
    "runpy.run_path(sys.argv[1])['main']()"
)


class KeyringStore:
    """
    A secret that is sealed with a key in the keyring.

    Args:
        place: Of the sign-in.
        timeout_seconds: What the keyring may take.
    """

    name = "keyring"

    def __init__(self, place: Place, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._place = place
        self._timeout_seconds = timeout_seconds
        self.location = "the keyring"
        self._loaded_key: Secret | None = None

    def check(self) -> None:
        """
        Make sure that what is stored now could be read later, before anybody is asked to sign in.

        Raises:
            CacheError: There is no keyring to be trusted with it; the hint says how to do without.
        """
        self._key(create=True)

    def load(self) -> Secret | None:
        """
        Read and open the secret; None when there is none, or its key is gone.

        Raises:
            CacheError: The keyring cannot be reached.
        """
        data = self._place.read("sealed")
        if data is None:
            return None
        key = self._loaded_key = self._key(create=False)
        return None if key is None else _open(data, key, self._place.key)

    def store(self, secret: Secret) -> None:
        """
        Seal and write the secret, whole or not at all.

        After a `load` the keyring is not asked once more: the token in hand may be the only one that counts,
        and the keyring could have been locked since.

        Raises:
            CacheError: The keyring does not work, or the file cannot be written.
        """
        key = self._loaded_key or self._key(create=True)
        assert key is not None  # noqa: S101  (for the type checker; it was created)
        self._place.write("sealed", _seal(secret, key, self._place.key))

    def delete(self) -> bool:
        """
        Remove file and key; False when there was neither.

        Raises:
            CacheError: The keyring cannot be reached; the file is gone all the same.
        """
        had_file = self._place.remove("sealed")
        return bool(self._ask("delete").get("done")) or had_file

    def _key(self, *, create: bool) -> Secret | None:
        found = _key_of(self._ask("load").get("secret"))
        if found is None and create:
            found = Secret(_text(os.urandom(_KEY_BYTES)))
            self._ask("store", found)
        return found

    def _ask(self, operation: str, secret: Secret | None = None) -> dict[str, Any]:
        answer = _run(
            {
                "operation": operation,
                "service": SERVICE,
                "user": self._place.key,
                **({} if secret is None else {"secret": secret.reveal()}),
            },
            min(self._timeout_seconds, max(remaining(), _LEAST_SECONDS)),
        )
        problem = answer.get("problem")
        if problem:
            first = (
                "Install 'cognito-credentials[login]', or choose" if answer.get("is_missing") else "Choose"
            )
            raise CacheError(
                f"the keyring cannot be used: {clean(str(problem), 160)}",
                hint=f"{first} a plain file that only you can read: store='file' in Python, "
                "cognito_login_store = file in a profile, or --store file",
            )
        if isinstance(answer.get("backend"), str):
            self.location = f"the keyring ({clean(answer['backend'], 80)})"
        return answer


def _run(request: dict[str, str], timeout_seconds: float) -> dict[str, Any]:
    """Have the child answer *request*."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return _run_here(request, timeout_seconds)  # the executable is an app, and would start once more
    try:
        code, printed = _printed(json.dumps(request).encode("ascii"), timeout_seconds)
        answer = json.loads(printed) if code == 0 else None
    except subprocess.TimeoutExpired:
        return _too_late(timeout_seconds)
    except (OSError, ValueError):
        answer = None
    return answer if isinstance(answer, dict) else {"problem": "the process that speaks to it failed"}


def _printed(request: bytes, timeout_seconds: float) -> tuple[int, bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", _START, os.path.abspath(keyring_child.__file__)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    # Not `subprocess.run`, which leaves a child of Ctrl-C behind when it does not end in a quarter second.
    with process:
        try:
            printed, _ = process.communicate(request, timeout_seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return process.returncode, printed


def _run_here(request: dict[str, str], timeout_seconds: float) -> dict[str, Any]:
    """Answer *request* in a thread of this process; one that hangs is left behind."""
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(keyring_child.answer(request)), daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return answers[0] if answers else _too_late(timeout_seconds)


def _too_late(timeout_seconds: float) -> dict[str, Any]:
    return {"problem": f"it did not answer within {timeout_seconds:.0f} s; is it locked?"}


def _key_of(text: object) -> Secret | None:
    try:
        key = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return None
    return Secret(_text(key)) if len(key) == _KEY_BYTES else None


def _seal(secret: Secret, key: Secret, name: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    sealed = AESGCM(base64.b64decode(key.reveal())).encrypt(
        nonce, secret.reveal().encode("utf-8"), _bound_to(name)
    )
    parts = {"v": 1, "nonce": _text(nonce), "sealed": _text(sealed)}
    return json.dumps(parts, sort_keys=True).encode("ascii")


def _open(data: bytes, key: Secret, name: str) -> Secret | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        parts = json.loads(data)
        nonce, sealed = (base64.b64decode(parts[part], validate=True) for part in ("nonce", "sealed"))
        cipher = AESGCM(base64.b64decode(key.reveal()))
        return Secret(cipher.decrypt(nonce, sealed, _bound_to(name)).decode("utf-8"))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidTag):
        return None


def _bound_to(name: str) -> bytes:
    """Bind a sealed secret to its sign-in and form, so that one file cannot stand in for another."""
    return f"{name}|{_VERSION}".encode("ascii")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
