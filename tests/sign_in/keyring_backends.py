"""Keyring backends with the traps of real ones; PYTHON_KEYRING_BACKEND chooses one for the child process."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Works(KeyringBackend):
    """A keyring in a file that tests can look into, where TEST_KEYRING says."""

    priority = 5  # type: ignore[assignment]  # keyring's own type is a property

    @property
    def path(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def items(self) -> dict[str, str]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}  # type: ignore[no-any-return]

    def get_password(self, service: str, username: str) -> str | None:
        return self.items().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.path.write_text(json.dumps({**self.items(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        items = self.items()
        if items.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError
        self.path.write_text(json.dumps(items))


class DeletesFirst(Works):
    """Like macOS: to replace a value it deletes the old one, and adds the new one later."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.get_password(service, username) is not None:
            self.delete_password(service, username)
        with self.path.with_suffix(".writes").open("a") as writes:
            writes.write("x")
        time.sleep(0.2)
        super().set_password(service, username, password)


class Small(Works):
    """Like Windows: takes at most 1,280 characters."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > 1280:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


class WinVaultKeyring(Works):
    """Has the name of Windows' backend, whose items roam with the profile by default."""

    persist = "enterprise"

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        self.path.with_suffix(".persist").write_text(self.persist)


class Forgets(Works):
    """Accepts everything and stores nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Garbles(Works):
    """Returns another value than it was given."""

    def get_password(self, service: str, username: str) -> str | None:
        kept = super().get_password(service, username)
        return None if kept is None else kept[:-1]


class Hangs(Works):
    """A Secret Service that waits for somebody to unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(60)
        return None


class Locked(Works):
    """Fails, with the secret in its message."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("CANARY is locked")


class SilentOnce(Works):
    """Answers "nothing" when it is first asked, as a keyring does that is just being unlocked."""

    def get_password(self, service: str, username: str) -> str | None:
        asked = self.path.with_suffix(".asked")
        if asked.exists():
            return super().get_password(service, username)
        asked.touch()
        return None


class Silent(Works):
    """Has forgotten all that it had before the test made it silent, and keeps what is new."""

    def get_password(self, service: str, username: str) -> str | None:
        known = json.loads(self.path.with_suffix(".hidden").read_text())
        return None if f"{service}/{username}" in known else super().get_password(service, username)


class Talks(Works):
    """Prints to stdout, where only answers belong, and to the terminal."""

    def get_password(self, service: str, username: str) -> str | None:
        print("CANARY debug", flush=True)
        print("CANARY debug", file=sys.stderr, flush=True)
        os.write(1, b"CANARY debug")
        return super().get_password(service, username)


class ListsModules(Works):
    """Lists the modules of the child process."""

    def get_password(self, service: str, username: str) -> str | None:
        self.path.with_suffix(".modules").write_text(json.dumps(sorted(sys.modules)))
        return super().get_password(service, username)


class Interrupts(Works):
    """Ctrl-C reaches the whole terminal, this process too, just after it has stored a value."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        for process in (os.getpid(), os.getppid()):
            os.kill(process, signal.SIGINT)


class Discouraged(Works):
    """Works, with a priority that says that it should not be used."""

    priority = 0.5  # type: ignore[assignment]  # as above


class PlaintextKeyring(Works):
    """Has the name of the backend of keyrings.alt that writes plain files."""
