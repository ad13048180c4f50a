"""Each image of the pages exists and has a text for those who do not see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import FOR_GITHUB, PAGES, README, images, name_of


@pytest.mark.parametrize("page", [README, *FOR_GITHUB, *PAGES], ids=name_of)
def test_images_exist_and_have_a_text(page: Path) -> None:
    """An image is a file of the repository, and its alternative text says what it shows."""
    for line, text, address in images(page):
        assert (page.parent / address).is_file(), f"{name_of(page)}:{line}: there is no {address}"
        assert len(text.split()) > 2, f"{name_of(page)}:{line}: {address} has no alternative text"
