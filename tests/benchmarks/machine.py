"""A machine to measure on: an empty home, the emulator, one identity pool."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping

from cognito_credentials.emulator import Emulator
from tests.processes.conftest import Machine

PROFILE = "guest"


@contextlib.contextmanager
def new_machine(*, tls: bool = False) -> Iterator[Machine]:
    """Make a machine with an empty cache; with *tls* its emulator speaks https (see `of_profile`)."""
    with tempfile.TemporaryDirectory(prefix="cc-") as home, Emulator(tls=tls) as emulator:
        yield Machine(emulator, home, emulator.create_pool())


def of_profile(machine: Machine, *command: str) -> tuple[list[str], Mapping[str, str]]:
    """
    Return *command* with a profile that selects the pool, and its environment.

    The environment trusts the emulator's certificate, and has no PYTHONPATH: the installed package runs.
    """
    environ = machine.environ()
    for name in ("AWS_COGNITO_IDENTITY_POOL_ID", "PYTHONPATH"):
        del environ[name]
    path = os.path.join(machine.home, "config")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[profile {PROFILE}]\ncognito_identity_pool_id = {machine.pool_id}\n")
    environ["AWS_CONFIG_FILE"] = path
    if machine.emulator.certificate is not None:
        environ["AWS_CA_BUNDLE"] = environ["NODE_EXTRA_CA_CERTS"] = machine.emulator.certificate
    return [*command, "--profile", PROFILE], environ
