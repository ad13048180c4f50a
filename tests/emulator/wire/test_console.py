"""The page at / as a browser gets it: its files, its rules, and what programs get instead."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from cognito_credentials.emulator import Emulator, console

from ..conftest import Api

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = ("console.css", "console.js", "icon.svg")
PATHS = ("/", *(f"/_emulator/console/{name}" for name in FILES))


def source(name):
    return files(console).joinpath(name).read_text("utf-8")


@pytest.mark.parametrize("path", PATHS)
def test_the_files_of_the_page(api, path):
    """The page and its files are sent with headers that let nothing in from elsewhere."""
    answer = api.raw("GET", path, headers=HTML)

    assert answer.status == 200
    assert answer.body == files(console).joinpath(path.rpartition("/")[2] or "console.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; frame-ancestors 'none';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Origin": "https://evil.test"}])
@pytest.mark.parametrize("path", PATHS)
def test_only_by_own_names(api, path, headers):
    """Attack: by a name that leads here, or from a page elsewhere, nobody gets the page."""
    assert api.raw("GET", path, headers={**HTML, **headers}).status == 403


def test_by_a_name_that_is_allowed(emulator_keys, boto_session):
    """A container is called by its name, and its page as well."""
    with Emulator(keys=emulator_keys, allow_hosts=["cognito"]) as running:
        api = Api(running, None, None, boto_session)
        assert api.raw("GET", headers={**HTML, "Host": "cognito:8000"}).status == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/", {}), ("/", {"Accept": "*/*"}), ("/", {"Accept": "application/json"}), ("/?x=1", HTML)],
)
def test_programs_get_no_page(api, path, headers):
    """A program that gets / is answered as by the service."""
    assert b"UnknownOperationException" in api.raw("GET", path, headers=headers).body


def test_nothing_comes_from_elsewhere():
    """The page names no other host, and has neither style nor script in its HTML."""

    class Reader(HTMLParser):
        """Collects what could load or run something."""

        def __init__(self) -> None:
            super().__init__()
            self.addresses: list[str] = []
            self.wrong: list[str] = []

        def handle_starttag(self, tag, attributes):
            self.addresses += [value for name, value in attributes if name in ("src", "href", "action")]
            self.wrong += [name for name, _ in attributes if name.startswith("on") or name == "style"]
            if tag == "style" or (tag == "script" and "src" not in dict(attributes)):
                self.wrong.append(tag)

    reader = Reader()
    reader.feed(source("console.html"))

    assert all(re.match(r"/_emulator/console/|#", address) for address in reader.addresses)
    assert not reader.wrong
    assert not re.search(r"https?://|//[a-z]|@import|url\(", source("console.css").replace("/*", ""))


def test_nothing_becomes_html():
    """The script has none of the ways that make HTML or code from text."""
    script = source("console.js")

    ways = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|DOMParser|srcdoc|setHTML"
    )
    assert not re.search(ways, script)


def test_the_page_is_small():
    """No build step and no framework: what the browser gets is what is written, in a few kilobytes."""
    assert sum(len(source(name)) for name in ("console.html", *FILES)) < 80_000
