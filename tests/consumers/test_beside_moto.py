"""The guide's example beside moto, in the environment that has moto with S3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

pytest.importorskip("moto", reason="moto is not installed; the consumers' environment has it")


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    """Beside moto's S3, a pool that only the environment names gives the keys that sign."""
    (code,) = (
        block.code
        for block in blocks(ROOT / ".github/docs/guides/testing.md", "python")
        if "from moto" in block.code
    )
    (tmp_path / "test_my_app.py").write_text(code, "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr
