"""Each check of the pages finds what it is for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import links, prose
from tests.docs.command_lines import own_command_lines, parsed
from tests.docs.pages import README, Block, blocks, images
from tests.docs.test_code_blocks import _check_data, _module

_LONG = "A word " + "and another " * 17 + "end."


def _page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, "utf-8")
    return page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"# Title\n\n{_LONG}", "page.md:3: 37 words"),
        ("The color of it.", "American spelling: color; write colour"),
        ("It is initialized.", "American spelling: initialized; write initialised"),
        ("A tokenization of it.", "American spelling: tokenization; write tokenisation"),
        ("It recieves them.", "misspelt: recieves"),
        ("| a | b |\n|---|---|\n| c | their favorite |", "page.md:3: American spelling: favorite"),
        ("```{note}\nMind the color.\n```", "American spelling: color"),
    ],
)
def test_prose_has_mistakes(text: str, found: str, tmp_path: Path) -> None:
    """A long sentence, an American word and a misspelt one are found, wherever on the page they stand."""
    (mistake,) = prose.measured(_page(tmp_path, text)).mistakes

    assert found in mistake


@pytest.mark.parametrize(
    "text",
    [
        "One sentence. " * 20,
        "- an item of ten words that has no full stop at all\n" * 5,
        "The argument `color` of `normalize`, and [`Color`](x.md).",
        "```python\ncolor = 1\n```",
        "The prize is of a size that nobody has seized. Its license is free.",
    ],
)
def test_prose_has_none(text: str, tmp_path: Path) -> None:
    """Code is no prose, items and sentences end, and words that are alike in Britain are right."""
    assert prose.measured(_page(tmp_path, text)).mistakes == []


def test_a_mistake_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a line for each page; a mistake on any of them makes the command fail."""
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text("It is fine.")
    bad.write_text("The color.")

    assert prose.main([str(good)]) == 0
    assert prose.main([str(good), str(bad)]) == 1
    shown = capsys.readouterr().out
    assert re.search(r"^good\.md +3 +3\.0 +\d+$", shown, re.MULTILINE)
    assert "bad.md:1: American spelling" in shown


def test_reading_ease_orders_texts(tmp_path: Path) -> None:
    """Short words in short sentences are easier; the figures of plain English are Flesch's."""
    easy = prose.measured(_page(tmp_path, "The cat sat on the mat. It was fat.")).reading_ease
    (tmp_path / "other").mkdir()
    text = "Authentication necessitates comprehensive organisational considerations."
    hard = prose.measured(_page(tmp_path / "other", text)).reading_ease

    assert hard < 0 < 100 < easy


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](nowhere.md)", "there is no such file"),
        ("[a](#nothing)", "there is no such heading"),
        ("[a](README.md#nothing)", "there is no such heading"),
        ("![a](nothing.svg)", "there is no such file"),
        ('<img src="nothing.svg">', "there is no such file"),
        ("[a](http://example.com/)", "is no https address"),
        ("[a](https://example/)", "is no https address"),
        ("`examples/nothing.py`", "there is no examples/nothing.py"),
        ("[a](/tmp)", "is outside of the repository"),
    ],
)
def test_a_link_leads_nowhere(
    link: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a file, a heading, an image or an address that there is not is found with its line."""
    monkeypatch.setattr(links, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("# Heading\n")
    (mistake,) = links.mistakes(_page(tmp_path, f"# Title\n\n{link}\n"))

    assert problem in mistake
    assert mistake.startswith("page.md:3: ")


def test_links_lead_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anchors are as GitHub makes them, also for code and for equal headings; targets are anchors."""
    monkeypatch.setattr(links, "ROOT", tmp_path)
    text = "# The `two` flows, and more\n\n# Same\n\n# Same\n\n(E-ONE)=\n## One\n\n<a id='two'></a>\n"
    text += "".join(f"[a](#{name})" for name in ("the-two-flows-and-more", "same", "same-1", "E-ONE", "two"))

    assert list(links.mistakes(_page(tmp_path, text))) == []


def test_a_built_page_leads_nowhere(tmp_path: Path) -> None:
    """A link of the site to a page or an element that there is not is found."""
    (tmp_path / "a.html").write_text('<a href="b.html#x">1</a><a href="b.html#y">2</a><a href="c.html">3</a>')
    (tmp_path / "b.html").write_text('<p id="x">x</p>')

    assert sorted(links.mistakes_of_site(tmp_path)) == ["a.html: b.html#y", "a.html: c.html"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("cognito-credentials status --profile a | head", [["status", "--profile", "a"]]),
        ("X=1 .venv/bin/cognito-credentials demo && cognito-credentials whoami", [["demo"], ["whoami"]]),
        ("cognito-credentials login \\\n    --profile a  # why", [["login", "--profile", "a"]]),
        ('eval "$(cognito-credentials export --format env)"', [["export", "--format", "env"]]),
        ("pip install cognito-credentials", []),
        (".venv\\Scripts\\cognito-credentials.exe demo", [["demo"]]),
    ],
)
def test_our_command_lines_are_found(code: str, expected: list[list[str]]) -> None:
    """Our command lines are found behind others, inside others and over two lines."""
    assert list(own_command_lines(code)) == expected


def test_output_is_no_command_line() -> None:
    """In a session, only lines with a prompt are commands."""
    code = "$ cognito-credentials demo\ncognito-credentials nothing\nPS C:\\> cognito-credentials status\n"

    assert list(own_command_lines(code, is_session=True)) == [["demo"], ["status"]]


def test_a_wrong_command_line_is_refused() -> None:
    """An option that there is not fails the test, with the place."""
    with pytest.raises(pytest.fail.Exception, match=r"^here: cognito-credentials status --colour: "):
        parsed(["status", "--colour"], "here")


@pytest.mark.parametrize(("language", "code"), [("toml", "a = "), ("json", "{,}"), ("yaml", "a: [")])
def test_wrong_data_is_refused(language: str, code: str) -> None:
    """Data that its parser refuses fails the test, with the place."""
    with pytest.raises(pytest.fail.Exception, match=re.escape("README.md:7: ")):
        _check_data(Block(README, 7, language, code))


def test_python_has_what_stands_before_it() -> None:
    """A block has the names of earlier blocks of its page and of the reader; ``await`` needs no function."""
    first = Block(README, 1, "python", "pool = object()\n")
    code = _module(Block(README, 5, "python", "print(pool, my_sign_in)\nawait pool\n"), [first])

    assert code.startswith("from tests.docs.your_own import my_sign_in\npool = object()\n")
    assert "async def _block() -> None:\n    print(pool, my_sign_in)\n" in code


def test_blocks_in_lists_and_images_are_found(tmp_path: Path) -> None:
    """A code block in a list loses its indentation; an image has its text, its address and its line."""
    page = _page(tmp_path, "- item\n\n  ```python\n  x = 1\n  ```\n\n![What it shows](a.svg)\n")

    assert list(blocks(page)) == [Block(page, 4, "python", "x = 1\n")]
    assert list(images(page)) == [(7, "What it shows", "a.svg")]
