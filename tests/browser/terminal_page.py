"""What stands on a terminal, as a page of HTML: the eight basic colours, bold, and lines that were erased."""

from __future__ import annotations

import html
import re

_SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")
_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<style>
  :root { --back: #ffffff; --text: #1f2328; --edge: #d0d7de; --muted: #656d76;
          --c31: #cf222e; --c32: #1a7f37; --c33: #7d4e00; --c34: #0550ae; --c35: #8250df; --c36: #1b7c83; }
  @media (prefers-color-scheme: dark) {
    :root { --back: #0d1117; --text: #e6edf3; --edge: #30363d; --muted: #8d96a0;
            --c31: #ff7b72; --c32: #3fb950; --c33: #d29922; --c34: #58a6ff; --c35: #bc8cff; --c36: #39c5cf; }
  }
  body { margin: 0; background: var(--back); }
  pre { display: inline-block; box-sizing: border-box; margin: 0; padding: 16px 20px;
        width: calc(80ch + 42px); color: var(--text); background: var(--back);
        border: 1px solid var(--edge); border-radius: 8px;
        font: 14px/1.25 "DejaVu Sans Mono", monospace; white-space: pre-wrap; word-break: break-all; }
  .prompt { color: var(--muted); }
  .c1 { font-weight: bold; }
"""


def page(runs: list[tuple[str, str]]) -> str:
    """
    A page of a terminal in which commands were run.

    Args:
        runs: What was typed, and what then stood on the screen.
    """
    colours = "".join(f"  .c{code} {{ color: var(--c{code}); }}\n" for code in range(31, 37))
    shown = "\n\n".join(
        f'<span class="prompt">$</span> <span class="c1">{html.escape(typed)}</span>\n{spans(text).strip()}'
        for typed, text in runs
    )
    return f"{_PAGE}{colours}</style>\n<pre>{shown}</pre>\n"


def spans(text: str) -> str:
    """HTML of what is left on the screen of *text* with escape sequences."""
    lines = text.replace("\r\n", "\n").split("\n")
    return _coloured("\n".join(line.rpartition("\x1b[K")[2].replace("\r", "") for line in lines))


def _coloured(text: str) -> str:
    parts, at, is_open = [], 0, False
    for found in _SEQUENCE.finditer(text):
        parts.append(html.escape(text[at : found.start()]))
        at = found.end()
        if is_open:
            parts.append("</span>")
        codes = [code for code in found[1].split(";") if code not in ("", "0")]
        is_open = bool(codes) and found[2] == "m"
        if is_open:
            parts.append(f'<span class="{" ".join(f"c{code}" for code in codes)}">')
    return "".join([*parts, html.escape(text[at:]), "</span>" if is_open else ""])
