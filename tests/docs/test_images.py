"""Each image of the pages exists, is readable on light and dark, and has an alternative text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.pages import FOR_GITHUB, PAGES, README, ROOT, images, name_of

PICTURES = ROOT / ".github" / "docs" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("page", [README, *FOR_GITHUB, *PAGES], ids=name_of)
def test_images_exist_and_have_a_text(page: Path) -> None:
    """An image is a file of the repository, and its alternative text says what it shows."""
    for line, text, address in images(page):
        assert (page.parent / address).is_file(), f"{name_of(page)}:{line}: there is no {address}"
        assert len(text.split()) > 2, f"{name_of(page)}:{line}: {address} has no alternative text"


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_drawings_are_for_light_and_dark(picture: Path) -> None:
    """A drawing is well-formed, has a size, and has colours for a dark page, or a second file for it."""
    drawing = ET.parse(picture).getroot()
    other = picture.with_name(
        picture.name.replace("-light", "-?").replace("-dark", "-light").replace("-?", "-dark")
    )

    assert drawing.tag == f"{SVG}svg"
    assert drawing.get("viewBox")
    assert "prefers-color-scheme: dark" in picture.read_text("utf-8") or (other != picture and other.exists())
