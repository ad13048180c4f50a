"""
The program that speaks to the keyring, in a process of its own so that a backend that hangs hangs only it.

One request as JSON on stdin, one answer as JSON on stdout. What a backend prints goes nowhere. An answer
about a failure names the type of the error and nothing of its text, which may hold the secret.

Imports nothing of ours: it is started with the interpreter alone.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

REFUSED: Final = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")
"""Those that keep nothing, or keep it in plain files."""


def main() -> None:
    """Answer the one request on stdin."""
    # Backends and what they import print, some to the descriptor itself.
    answers = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(quiet, descriptor)
    request = json.loads(sys.stdin.buffer.read())
    with os.fdopen(answers, "wb") as stream:
        stream.write(json.dumps(answer(request)).encode("ascii"))


def answer(request: dict[str, str]) -> dict[str, Any]:
    """
    Do what *request* asks.

    Args:
        request: ``operation`` (load, store, delete), ``service``, ``user``; to store, ``secret``.

    Returns:
        ``backend`` and, by operation, ``secret`` or ``done``; or ``problem``, in words.
    """
    try:
        import keyring
    except ImportError:
        return {"problem": "the keyring library is not installed", "is_missing": True}
    try:
        backend, problem = usable(keyring.get_keyring())
        if problem:
            return {"problem": problem}
        return {"backend": _named(backend), **_do(backend, request)}
    except Exception as error:  # noqa: BLE001  (backends raise what their systems raise)
        return {"problem": f"it failed with {type(error).__name__}"}


def usable(backend: Any) -> tuple[Any, str]:
    """Find the backend to use: it, or the first usable one of a chain; otherwise say what is wrong."""
    chain = getattr(backend, "backends", None)
    if chain is not None:
        found = (member for member in chain if not _problem(member))
        member = next(found, None)
        return member, "" if member is not None else "there is no backend for this system"
    return backend, _problem(backend)


def _problem(backend: Any) -> str:
    module = type(backend).__module__
    if module.startswith("keyring.backends.fail"):
        return "there is no backend for this system"
    if module.startswith(REFUSED) or "plaintext" in type(backend).__name__.lower():
        return f"its backend {_named(backend)} does not keep secrets safe"
    if not backend.priority >= 1:
        return f"its backend {_named(backend)} is not recommended (priority below 1)"
    return ""


def _do(backend: Any, request: dict[str, str]) -> dict[str, Any]:
    service, user, operation = request["service"], request["user"], request["operation"]
    if type(backend).__name__ == "WinVaultKeyring":
        backend.persist = "local machine"  # the default roams with the Windows profile
    if operation == "load":
        return {"secret": backend.get_password(service, user)}
    if operation == "store":
        backend.set_password(service, user, request["secret"])
        # Some backends take everything and keep nothing.
        if backend.get_password(service, user) != request["secret"]:
            return {"problem": f"its backend {_named(backend)} did not give back what it was given"}
        return {"done": True}
    if backend.get_password(service, user) is None:
        return {"done": False}
    backend.delete_password(service, user)
    return {"done": True}


def _named(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__name__}"
