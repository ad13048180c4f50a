"""The machine that figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator

_PACKAGES = ("cognito-credentials", "botocore", "boto3", "filelock", "awscrt", "uvicorn")


def conditions() -> Iterator[str]:
    """Yield a line for each condition that figures depend on."""
    yield f"date       {time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}"
    yield f"cpu        {_processor()}, {os.cpu_count()} cores, load {_load()}"
    yield f"system     {platform.platform()}"
    yield f"python     {platform.python_implementation()} {platform.python_version()}"
    yield f"packages   {', '.join(f'{name} {_version(name)}' for name in _PACKAGES)}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"
