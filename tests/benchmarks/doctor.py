"""The time of ``doctor`` in a home where everything is right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

from .figures import Figure, Scale, at_most
from .hits import PROGRAM
from .machine import PROFILE, new_machine, of_profile
from .process import Process, Race

SECONDS = 2.0


def doctor(scale: Scale) -> Iterator[Figure]:
    """Time the whole process, with a service on this machine and without asking anybody."""
    with new_machine() as machine:
        environ = {**of_profile(machine)[1], "AWS_CONFIG_FILE": os.path.join(machine.home, "written")}
        configure = (
            PROGRAM,
            "configure",
            "--profile",
            PROFILE,
            "--identity-pool-id",
            machine.pool_id,
            "--yes",
        )
        for command in (configure, (PROGRAM, "refresh", "--profile", PROFILE)):
            subprocess.run(command, env=environ, check=True, capture_output=True)
        lines = {
            "doctor": [PROGRAM, "doctor", "--profile", PROFILE],
            "doctor --offline": [PROGRAM, "doctor", "--profile", PROFILE, "--offline"],
        }
        processes = {name: Process(line, environ, prints="all right") for name, line in lines.items()}
        race = Race(processes, max(scale.repetitions // 10, 3))
        for name, process in processes.items():
            detail = f"(CPU {process.cpu * 1000:.0f} ms)"
            yield at_most(f"{name}, everything right", race.medians[name], SECONDS, " s", detail)
