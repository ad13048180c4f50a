"""
Checks the links of the pages without a network: `python -m tests.docs.links [BUILT]`; `.ci/docs` runs it.

A link leads to a page, file or folder of the repository, and its anchor to a heading there, as GitHub names
it, or to a target. A file named in code, as `examples/guest_script.py`, exists. An address elsewhere is
well-formed https. With the folder of the built pages, each link between these leads to a file and an element.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from tests.docs.pages import FOR_GITHUB, PAGES, README, ROOT, code_in_lines, name_of, tokens

_NAMED = re.compile(r"(?:examples|tests|scripts|cognito_credentials|\.github|\.ci)/[\w./-]*[\w/]")
_FOLDERS_OF_PATTERNS = re.compile(r"[*…<{]")


def mistakes(page: Path) -> Iterator[str]:
    """Find what is wrong with the links of a page: a line for each."""
    for line, address in _links(page):
        problem = _problem(page, address)
        if problem:
            yield f"{name_of(page)}:{line}: {address}: {problem}"
    for line, name in _named_files(page):
        if not (ROOT / name).exists():
            yield f"{name_of(page)}:{line}: there is no {name}"


def mistakes_of_site(folder: Path) -> Iterator[str]:
    """Find links between built pages that lead nowhere."""
    pages = {path: _Html(path) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or address == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            other = pages.get(target)
            if not target.exists() or (other and parts.fragment and unquote(parts.fragment) not in other.ids):
                yield f"{path.relative_to(folder)}: {address}"


def _problem(page: Path, address: str) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        host = parts.hostname or ""
        is_well_formed = parts.scheme == "https" and re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", host)
        return None if is_well_formed and " " not in address else "is no https address"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists():
        return "there is no such file"
    if not target.is_relative_to(ROOT):
        return "is outside of the repository"
    if parts.fragment and target.suffix == ".md" and unquote(parts.fragment) not in anchors(target):
        return "there is no such heading"
    return None


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page: GitHub's names of its headings, and targets."""
    found: set[str] = set()
    heading = False
    for token in tokens(page):
        heading = token.type == "heading_open" or (heading and token.type != "heading_close")
        if heading and token.type == "inline":
            slug = _slug("".join(_plain(child) for child in token.children or ()))
            number = 0
            while (name := f"{slug}-{number}" if number else slug) in found:
                number += 1
            found.add(name)
    text = page.read_text("utf-8")
    found |= set(re.findall(r"(?m)^\(([\w.-]+)\)=$", text))
    found |= set(re.findall(r"<\w+ (?:id|name)=[\"']([\w.-]+)[\"']", text))
    return frozenset(found)


def _slug(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def _plain(token: Token) -> str:
    return token.content if token.type in {"text", "code_inline"} else ""


def _links(page: Path) -> Iterator[tuple[int, str]]:
    for line, child in _inline(page):
        if child.type == "link_open":
            yield line, str(child.attrs["href"])
        elif child.type == "image":
            yield line, str(child.attrs["src"])
        elif child.type == "html_inline":
            for address in re.findall(r"(?:href|src|srcset)=[\"']([^\"']+)[\"']", child.content):
                yield line, address
    for token in tokens(page):
        if token.type == "html_block" and token.map is not None:
            for address in re.findall(r"(?:href|src|srcset)=[\"']([^\"']+)[\"']", token.content):
                yield token.map[0] + 1, address


def _named_files(page: Path) -> Iterator[tuple[int, str]]:
    for line, code in code_in_lines(page):
        if not _FOLDERS_OF_PATTERNS.search(code):
            for name in re.findall(r"[^\s=:,]+", code):
                if _NAMED.fullmatch(name):
                    yield line, name


def _inline(page: Path) -> Iterator[tuple[int, Token]]:
    line = 1
    for token in tokens(page):
        line = token.map[0] + 1 if token.map is not None else line
        for child in token.children or ():
            yield line, child


class _Html(HTMLParser):
    """The links and the elements of a built page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value and tag != "script":
                self.links.add(value)
            elif name == "id" and value:
                self.ids.add(value)


def main(arguments: list[str]) -> int:
    """Print what is wrong; return 1 where something is."""
    found = [mistake for page in [README, *FOR_GITHUB, *PAGES] for mistake in mistakes(page)]
    found += [mistake for folder in arguments for mistake in mistakes_of_site(Path(folder).resolve())]
    print("".join(f"{mistake}\n" for mistake in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
