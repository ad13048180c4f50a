"""The pages of the documentation, and the code blocks, images and prose in them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / ".github" / "docs").rglob("*.md"))
"""Those of the site; `README` and `FOR_GITHUB` are beside them."""
README = ROOT / "README.md"
FOR_GITHUB = sorted((ROOT / ".github").glob("*.md"))


@dataclass(frozen=True)
class Block:
    """
    A fenced code block.

    Attributes:
        line: The number of its first line of code.
        language: The word after the fence; empty where there is none.
        code: Its lines, without the indentation of a list that it stands in.
    """

    page: Path
    line: int
    language: str
    code: str

    @property
    def where(self) -> str:
        """Return ``file:line``, to be shown."""
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """Return what *page* is called in the repository."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


@cache
def tokens(page: Path) -> list[Token]:
    """Return the Markdown of a page as markdown-it's tokens."""
    logging.getLogger("markdown_it").setLevel(logging.INFO)  # the suite logs at DEBUG
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """Find the code blocks of a page, of these languages or of all."""
    for token in tokens(page):
        if token.type == "fence" and token.map is not None:
            language = token.info.partition(" ")[0]
            if not languages or language in languages:
                yield Block(page, token.map[0] + 2, language, token.content)


def blocks_of(pages: list[Path], *languages: str) -> list[Block]:
    """Find the code blocks of several pages."""
    return [block for page in pages for block in blocks(page, *languages)]


def code_in_lines(page: Path) -> Iterator[tuple[int, str]]:
    """Find the code in the lines of a page, with the first line of its paragraph."""
    for token in tokens(page):
        for child in token.children or ():
            if child.type == "code_inline" and token.map is not None:
                yield token.map[0] + 1, child.content


def images(page: Path) -> Iterator[tuple[int, str, str]]:
    """Find the images of a page: line, alternative text, address."""
    for token in tokens(page):
        for child in token.children or ():
            if child.type == "image" and token.map is not None:
                yield token.map[0] + 1, child.content, str(child.attrs["src"])
