"""The time to start the command, beside the time to start Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping

from tests.processes.crowd import COMMAND

from .figures import Figure, Scale, interleaved, ratio
from .machine import new_machine


def startup(scale: Scale) -> Iterator[Figure]:
    """Time whole processes: a guest's cache hit, and importing the package."""
    with new_machine() as machine, tempfile.TemporaryDirectory() as empty:
        with open(os.path.join(empty, "empty_module.py"), "w"):
            pass
        environ = machine.environ(PYTHONPATH=empty)  # the package is the installed one
        python = sys.executable
        module = [python, "-m", "cognito_credentials", "credential-process"]
        for command in (list(COMMAND), module):
            subprocess.run(command, env=environ, check=True, capture_output=True)
        asked = machine.requests()
        medians = interleaved(
            {
                "pass": _run([python, "-c", "pass"], environ),
                "hit": _run(list(COMMAND), environ),
                "module": _run(module, environ),
                "empty module": _run([python, "-m", "empty_module"], environ),
                "import": _run([python, "-c", "import cognito_credentials"], environ),
                "botocore": _run([python, "-c", "import botocore.session"], environ),
            },
            scale.repetitions,
        )
        assert machine.requests() == asked, "not every run was a cache hit"
    base = medians["pass"]
    yield ratio("credential-process, cache hit, guest : python -c pass", medians["hit"], base, 1.5)
    yield ratio("import cognito_credentials : python -c pass", medians["import"], base, 1.1)
    yield ratio(
        "  python -m cognito_credentials, the same hit : python -c pass", medians["module"], base, None
    )
    yield ratio("  python -m of an empty module : python -c pass", medians["empty module"], base, None)
    yield ratio("  import botocore.session : python -c pass", medians["botocore"], base, None)


def _run(command: list[str], environ: Mapping[str, str]) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return time.perf_counter() - began

    return run
