"""
The page that a browser shows when the sign-in is over: what happened, and that it can be closed.

Nothing in it is fetched and nothing runs. Imports nothing of ours.
"""

from __future__ import annotations

import html
from typing import Final

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee; }} }}
</style>
</head>
<body>
<main role="status">
<h1>{title}</h1>
<p>{text}</p>
</main>
</body>
</html>
"""


def page(title: str, text: str) -> str:
    """Make the page; both texts are plain."""
    return _PAGE.format(title=html.escape(title), text=html.escape(text))


def signed_in(name: str) -> str:
    """Say that it worked."""
    who = f" as {name}" if name else ""
    return page(f"You are signed in{who}", "You can close this window and go back to where you came from.")


def failed(why: str) -> str:
    """Say that it did not work, and why."""
    return page("Signing in failed", f"{why}. You can close this window and try again where you came from.")
