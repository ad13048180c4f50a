"""What to install where the libraries of an extra are missing."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "cognito-credentials"


class MissingExtraError(ImportError):
    """
    The emulator needs a library that is not installed.

    Attributes:
        install: The command that installs it.
    """

    def __init__(self, library: str | None, extra: str = "emulator") -> None:
        self.library = library or "a library"
        self.install = install_command(extra)
        what = "SAML in the emulator" if "saml" in extra else "the emulator"
        super().__init__(f"{what} needs {self.library}; run: {self.install}", name=library)


def install_command(extra: str) -> str:
    """
    The pip command that adds *extra* to the package from where it came: a checkout, git, or an index.

    Source: PEP 610, direct_url.json.
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
    what = f"{_NAME}[{extra}]" + (f" @ {address}" if address else "")
    if origin.get("dir_info", {}).get("editable"):  # pip takes only a path there
        return f"pip install -e '{url2pathname(urlsplit(address).path)}[{extra}]'"
    return f"pip install '{what}'"
