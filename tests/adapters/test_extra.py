"""An adapter without its library: one line that says what to install."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

IMPORTS = """
import sys
sys.modules[sys.argv[2]] = None
from importlib import import_module
from cognito_credentials import ConfigurationError
try:
    import_module("cognito_credentials.adapters." + sys.argv[1])
except ConfigurationError as error:
    print(error)
"""


def said_by(adapter: str, library: str) -> str:
    """Import *adapter* where *library* is not installed, and return the one line that is printed."""
    done = subprocess.run([sys.executable, "-c", IMPORTS, adapter, library], capture_output=True, text=True)
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    return line


@pytest.mark.parametrize(
    ("adapter", "library", "extra"),
    [
        ("awscrt", "awscrt", "crt"),
        ("aiobotocore", "aiobotocore", "aio"),
        ("aws_sdk_v4_chain", "smithy_aws_core", "sdk-v4"),
    ],
)
def test_one_line_names_the_extra(adapter: str, library: str, extra: str) -> None:
    """The import says what is missing, and the command that installs it."""
    line = said_by(adapter, library)

    assert line.startswith(f"'{library}' is not installed. Run: ")
    assert f"cognito-credentials[{extra}]" in line


def test_the_sdk_that_needs_a_newer_python() -> None:
    """Below Python 3.12, where the extra installs nothing, the adapter of that SDK says so."""
    line = said_by("aws_sdk_v4", "smithy_aws_core")

    assert ("needs Python 3.12 or newer" in line) == (sys.version_info < (3, 12))


def test_the_entry_point_is_only_a_name() -> None:
    """The SDK's entry point is there on every Python, and loads nothing before the SDK asks for it."""
    (found,) = (
        one
        for one in entry_points(group="smithy_aws_core.identity.chain_providers")
        if one.value.startswith("cognito_credentials.")
    )

    assert found.value == "cognito_credentials.adapters.aws_sdk_v4_chain:IdentityPoolChainProvider"
