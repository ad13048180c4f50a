"""
Measures the prose of the pages: `.ci/prose [PAGE…]`, by default all of them.

It prints a table with a line for each page: words, mean length of a sentence, reading ease. Errors follow,
each with its place: a sentence of more than 35 words, a word in American spelling, a misspelt word. Any of
them makes it exit with 1. Code, whether in a block or in a line, is not prose.

Reading ease is Flesch's: 206.8, less 1.015 for each word of the mean sentence, less 84.6 for each syllable
of the mean word. 60 to 70 is plain English, 30 to 50 is hard. textstat computes it, too, but downloads data
when it runs. Our count of syllables takes a group of vowels for one, and leaves out a silent e. Names and
abbreviations count as words, so figures compare pages with each other rather than with books. The words are
codespell's, whose list of British spellings is read backwards.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from markdown_it.token import Token

from tests.docs.pages import FOR_GITHUB, PAGES, README, name_of, tokens

MOST_WORDS = 35
_CODE = "code"
"""Stands for code in a line: one word."""
_ENDS = re.compile(r"""(?<=[.!?…])["')\]*]*\s+(?=["'(\[]*[A-Z0-9])|(?<=[.!?]\s)(?=code\b)""")
_NOT_ENDS = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|No|approx)\.\s")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_IN_BOTH = {
    *(
        "analog",
        "catalog",
        "catalogs",
        "check",
        "checks",
        "dialog",
        "dialogs",
        "disk",
        "disks",
        "draft",
        "judgment",
    ),
    *(
        "license",
        "licensed",
        "licensing",
        "math",
        "meter",
        "practice",
        "program",
        "programs",
        "story",
        "tire",
    ),
    "writable",
}
"""American words that are British as well, with another meaning or as a second spelling."""
_KNOWN = {"hass", "ot", "ro", "te"}
"""Words that codespell takes for others."""
_IZE = re.compile(r"\w{3,}(?<!s)(?<!pr)(?<!se)i(z)(?:e[ds]?|ers?|ing|ations?)")


@dataclass
class Prose:
    """What a page says: its sentences with their lines, and the mistakes in them."""

    sentences: list[tuple[int, str]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    @property
    def words(self) -> int:
        """Return how many words it has."""
        return sum(len(_words(text)) for _, text in self.sentences)

    @property
    def words_a_sentence(self) -> float:
        """Return the mean length of its sentences."""
        return self.words / max(1, len(self.sentences))

    @property
    def reading_ease(self) -> float:
        """Return Flesch's figure: higher is easier."""
        syllables = sum(_syllables(word) for _, text in self.sentences for word in _words(text))
        return 206.835 - 1.015 * self.words_a_sentence - 84.6 * syllables / max(1, self.words)


def measured(page: Path) -> Prose:
    """Read a page."""
    found = Prose()
    for line, text in _passages(page):
        for sentence in sentences_of(text):
            found.sentences.append((line, sentence))
            where = f"{name_of(page)}:{line}"
            length = len(_words(sentence))
            if length > MOST_WORDS:
                found.mistakes.append(f"{where}: {length} words: {sentence[:70]}…")
            found.mistakes += [f"{where}: {mistake}" for mistake in spelling(sentence)]
    return found


def sentences_of(text: str) -> list[str]:
    """Split a passage into its sentences; headings and cells of tables are passages of their own."""
    text = _NOT_ENDS.sub(lambda found: found[0].replace(". ", " ").replace(".", ""), text + " ")
    return [part.strip() for part in _ENDS.split(text) if _words(part)]


def spelling(sentence: str) -> Iterator[str]:
    """Find American and misspelt words."""
    for word in re.findall(r"(?<![\w./@:-])[A-Za-z]+(?![\w/@]|\.\w)", sentence):
        lower = word.lower()
        if lower in _american():
            yield f"American spelling: {word}; write {_american()[lower]}"
        elif ize := _IZE.fullmatch(lower):
            yield f"American spelling: {word}; write {lower[: ize.start(1)]}s{lower[ize.end(1) :]}"
        elif lower in _misspelt() and not word.isupper():
            yield f"misspelt: {word}; write {_misspelt()[lower]}"


def _passages(page: Path) -> Iterator[tuple[int, str]]:
    """Find what a page says: paragraphs, headings, items and cells, with their first lines."""
    line = 1
    for token in tokens(page):
        if token.map is not None:
            line = token.map[0] + 1
        if token.type == "inline":
            text = "".join(_text(child) for child in token.children or ())
            # Targets and fences of MyST.
            text = re.sub(r"(?m)^(\([\w-]+\)=|:{3,}.*|\[![A-Z]+\])$", "", text)
            if text.strip():
                yield line, " ".join(text.split())
        elif token.type == "fence" and re.fullmatch(
            r"\{(note|tip|important|warning|caution)\}.*", token.info
        ):
            yield line, " ".join(re.sub(r"(?m)^:\w.*$", "", token.content).replace("`", "").split())


def _text(token: Token) -> str:
    if token.type == "code_inline":
        return _CODE
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return token.content if token.type == "text" else ""


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    is_silent = re.search(r"([^aeiouyl]|[aeiouy]l)e$|[^td]ed$", word.lower())
    return max(1, groups - bool(is_silent and groups > 1))


@cache
def _american() -> dict[str, str]:
    lines = _dictionary("dictionary_en-GB_to_en-US.txt")
    return {right: wrong for wrong, right in lines if right not in _IN_BOTH}


@cache
def _misspelt() -> dict[str, str]:
    return {wrong: right for wrong, right in _dictionary("dictionary.txt") if wrong not in _KNOWN}


def _dictionary(name: str) -> list[tuple[str, str]]:
    text = (files("codespell_lib") / "data" / name).read_text("utf-8")
    pairs = (line.split("->") for line in text.splitlines() if "->" in line)
    return [(wrong, right.strip().rstrip(",")) for wrong, right in pairs]


def main(arguments: list[str]) -> int:
    """Print the table and the mistakes; return 1 where there are any."""
    pages = [Path(argument).resolve() for argument in arguments] or [README, *FOR_GITHUB, *PAGES]
    mistakes = []
    print(f"{'page':44} {'words':>6} {'a sentence':>11} {'reading ease':>13}")
    for page in pages:
        prose = measured(page)
        mistakes += prose.mistakes
        figures = f"{prose.words:6} {prose.words_a_sentence:11.1f} {prose.reading_ease:13.0f}"
        print(f"{name_of(page):44} {figures}")
    print("".join(f"\n{mistake}" for mistake in mistakes))
    print(f"{len(mistakes)} mistakes" if mistakes else "no mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
