"""The error for a missing extra, with the command that installs it."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "cognito-credentials"


class MissingExtraError(ImportError):
    """
    A library that the emulator needs is not installed.

    Attributes:
        library: The name of the module that could not be imported.
        install: The command that installs it.
    """

    def __init__(self, library: str | None, extra: str = "emulator") -> None:
        self.library = library or "a library"
        self.install = install_command(extra)
        what = "SAML in the emulator" if "saml" in extra else "the emulator"
        super().__init__(f"{what} needs {self.library}; run: {self.install}", name=library)


def install_command(extra: str) -> str:
    """
    The pip command that installs *extra* from the package's origin: a checkout, git or an index.

    Source: direct_url.json, https://peps.python.org/pep-0610/.
    """
    try:
        text = distribution(_NAME).read_text("direct_url.json")
        origin = json.loads(text) if text else {}
    except (PackageNotFoundError, ValueError):
        origin = {}
    address = origin.get("url", "")
    version_control = origin.get("vcs_info", {})
    if version_control:
        address = f"{version_control['vcs']}+{address}@{version_control['commit_id']}"
    requirement = f"{_NAME}[{extra}]" + (f" @ {address}" if address else "")
    if origin.get("dir_info", {}).get("editable"):  # with -e, pip accepts only a path
        return f"pip install -e '{url2pathname(urlsplit(address).path)}[{extra}]'"
    return f"pip install '{requirement}'"
