"""The pictures of the documentation: what makes them, and their size."""

from __future__ import annotations

import pytest

from .screenshots import PICTURES
from .terminal_page import spans


def test_a_terminal_becomes_html() -> None:
    """Colours become classes, text is escaped, and what was erased is not there."""
    screen = "\rworking… 1 s\x1b[K\r\r\x1b[K\x1b[1;31merror\x1b[0m: a<b\r\nend\r\n"

    assert spans(screen) == '<span class="c1 c31">error</span>: a&lt;b\nend\n'


@pytest.mark.parametrize("name", ["emulator", "status", "demo", "sign-in", "signed-in"])
def test_pictures_are_small(name: str) -> None:
    """Each screenshot is there in both schemes, and has less than 150 kB."""
    for scheme in ("light", "dark"):
        assert 1000 < (PICTURES / f"{name}-{scheme}.png").stat().st_size < 150_000
