"""`CONTRIBUTING.md` lists the files that a request passes: each list is compared with a real request."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import cognito_credentials
from cognito_credentials import IdentityPool
from cognito_credentials.emulator import Emulator

PACKAGE = Path(cognito_credentials.__file__).parent
CONTRIBUTING = PACKAGE.parent / ".github" / "CONTRIBUTING.md"


def passed(request: Callable[[], object]) -> list[str]:
    """Return the files of this package whose functions *request* calls, in the order of the first call."""
    found: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE) and frame.f_code.co_name != "<module>":
            name = path.relative_to(PACKAGE).as_posix()
            if not name.startswith("emulator/"):  # it runs in a thread of this process
                found.setdefault(name)

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        request()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return list(found)


def listed(heading: str) -> list[str]:
    """Return the files that the page lists under *heading*."""
    sections = re.split(r"^###? ", CONTRIBUTING.read_text("utf-8"), flags=re.MULTILINE)
    (section,) = (text for text in sections if text.startswith(heading))
    files = re.findall(r"^\d+\. `([\w/]+\.py)`", section, flags=re.MULTILINE)
    again = re.search(r"^1 to (\d+): as in \*(.+)\*", section, flags=re.MULTILINE)
    return [*listed(again[2])[: int(again[1])], *files] if again else files


def test_each_way_through_is_right(emulator: Emulator, tmp_path: Path) -> None:
    """A cold start, a hit in memory and a hit on disk pass the files that the page lists, in that order."""
    environ = {"HOME": str(tmp_path), "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url}

    def pool(identity_pool_id: str) -> IdentityPool:
        return IdentityPool(identity_pool_id, environ=environ)

    # Modules are imported at the first use; the lists are of what is called.
    pool(emulator.create_pool()).credentials()
    cold = pool(emulator.create_pool())

    assert passed(cold.credentials) == listed("A cold start")
    assert passed(cold.credentials) == listed("A hit in memory")
    assert passed(pool(cold.settings.identity_pool_id).credentials) == listed("A hit on disk")
