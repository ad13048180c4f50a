"""
The program that speaks to the keyring. A keyring backend that hangs hangs only this process.

It reads one request as JSON on stdin, and writes one answer as JSON on stdout. The output of backends is
dropped. An answer about a failure has the type of the error and not its text, which may hold the secret.

This file is run by its path and imports nothing of this package. Python is isolated while it starts: neither
the working directory nor PYTHONPATH is in its path. Then the request brings the path of the parent, where
users have their backends.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

REFUSED: Final = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")
"""Backends that store nothing, or store secrets in plain files."""


def main() -> None:
    """Answer the request on stdin."""
    # Backends and their libraries print, some of them past `sys.stdout`.
    answers = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(quiet, descriptor)
    request = json.loads(sys.stdin.buffer.read())
    sys.path[:] = with_parents(sys.path, request.pop("path"))
    with os.fdopen(answers, "wb") as stream:
        stream.write(json.dumps(answer(request)).encode("ascii"))


def with_parents(own: list[str], parents: list[str]) -> list[str]:
    """
    Return the path of this process together with its parent's.

    The standard library is first: a file in a folder of the parent's path must not take the place of one of
    its modules, in a process that gets the secret.
    """
    installed = [entry for entry in own if os.path.basename(entry) in ("site-packages", "dist-packages")]
    standard = [entry for entry in own if entry not in installed]
    return list(dict.fromkeys([*standard, *parents, *installed]))


def answer(request: dict[str, str]) -> dict[str, Any]:
    """
    Load, store or delete a secret.

    Args:
        request: ``operation`` (load, store or delete), ``service``, ``user``; to store, ``secret``.

    Returns:
        ``backend``, and ``secret`` (load) or ``done`` (store, delete). Or ``problem``, in words; with
        ``is_missing`` where the keyring library is not installed.
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
    """Return the backend to use, the first usable one of a chain; or what is wrong, in words."""
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
        backend.persist = "local machine"  # the default is copied to servers with the Windows profile
    if operation == "load":
        return {"secret": backend.get_password(service, user)}
    if operation == "store":
        backend.set_password(service, user, request["secret"])
        # Some backends accept everything and store nothing.
        if backend.get_password(service, user) != request["secret"]:
            return {"problem": f"its backend {_named(backend)} did not give back what it was given"}
        return {"done": True}
    if backend.get_password(service, user) is None:
        return {"done": False}
    backend.delete_password(service, user)
    return {"done": True}


def _named(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__name__}"
