"""The command that ``configure`` writes, of installations that different programs have made."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from tests.processes.crowd import ROOT

from .figures import Figure, Scale
from .hits import HIT, PASS, timed, written_by_configure
from .machine import new_machine, of_profile

_SECONDS = 600
_PROGRAM = "cognito-credentials"


def installed(scale: Scale) -> Iterator[Figure]:
    """Install the package in four ways, and time a cache hit of each beside its own interpreter."""
    with new_machine() as machine, tempfile.TemporaryDirectory(prefix="cc-") as directory:
        installer = Installer(directory)
        ways: dict[str, Callable[[], str]] = {
            "pip 23.0.1, as of Python 3.10's venv": lambda: installer.pip("pip==23.0.1"),
            "the newest pip": lambda: installer.pip("pip"),
            "uv": installer.uv,
            "pipx": installer.pipx,
        }
        for name, install in ways.items():
            title = f"cache hit, installed by {name} : python -c pass"
            try:
                bin_ = install()
            except (OSError, subprocess.SubprocessError) as error:
                yield Figure(title, f"not measured: {_why(error)}", f"<= {HIT:g} x")
                continue
            _, environ = of_profile(machine)
            written = written_by_configure(machine, os.path.join(bin_, _PROGRAM))
            lines = {"pass": [os.path.join(bin_, "python"), *PASS], "hit": written}
            yield timed(machine, lines, environ, scale.repetitions // 3).ratio(title, "hit", "pass", HIT)


class Installer:
    """
    Installs this package below *directory*, in several ways.

    Each method returns the folder of the programs, and raises `OSError` or `subprocess.SubprocessError`.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._wheel = ""

    def pip(self, requirement: str) -> str:
        """Install by the pip that *requirement* names."""
        bin_ = self._venv(requirement)
        _run(f"{bin_}/python", "-m", "pip", "install", "-q", "-U", requirement)
        _run(f"{bin_}/python", "-m", "pip", "install", "-q", self._built())
        return bin_

    def uv(self) -> str:
        """Install by uv."""
        program, path = self._tool("uv"), os.path.join(self._directory, "by-uv")
        _run(program, "venv", "-q", "--python", sys.executable, path)
        _run(program, "pip", "install", "-q", "--python", f"{path}/bin/python", self._built())
        return os.path.join(path, "bin")

    def pipx(self) -> str:
        """Install by pipx."""
        home = os.path.join(self._directory, "pipx")
        places = {"PIPX_HOME": home, "PIPX_BIN_DIR": f"{home}/bin", "PIPX_MAN_DIR": f"{home}/man"}
        _run(self._tool("pipx"), "install", "--python", sys.executable, self._built(), **places)
        return f"{home}/venvs/{_PROGRAM}/bin"

    def _built(self) -> str:
        if not self._wheel:
            folder = os.path.join(self._directory, "wheel")
            _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
            (name,) = os.listdir(folder)
            self._wheel = os.path.join(folder, name)
        return self._wheel

    def _tool(self, name: str) -> str:
        bin_ = self._venv(f"tool-{name}")
        _run(f"{bin_}/python", "-m", "pip", "install", "-q", name)
        return os.path.join(bin_, name)

    def _venv(self, name: str) -> str:
        path = os.path.join(self._directory, name.replace("=", "-"))
        _run(sys.executable, "-m", "venv", path)
        return os.path.join(path, "bin")


def _run(*command: str, **more: str) -> None:
    environ = {**os.environ, **more}
    subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=_SECONDS)


def _why(error: OSError | subprocess.SubprocessError) -> str:
    """Return the last line that the program wrote."""
    written = getattr(error, "stderr", None) or str(error)
    return str(written).strip().splitlines()[-1][:100]
