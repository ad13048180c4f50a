"""
Draws `refresh.svg` and `locks.svg` of the pages on how it works: `python -m tests.docs.drawings`.

Each number in them is computed from the constants of the code, so a picture cannot tell another one.
"""

from __future__ import annotations

from html import escape

from cognito_credentials.cache.redis_store import LOCK_SECONDS
from cognito_credentials.refresh import policy
from tests.docs.pages import ROOT

PICTURES = ROOT / ".github" / "docs" / "pictures"
LIFETIME = 3600
_STYLE = """
    .paper { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
    .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 }
    .small { fill: #59636e; font-size: 12px } .label { font-size: 12px }
    .box { fill: #eef2f7; stroke: #8b949e } .box.own { fill: #dbeafe; stroke: #2f6fdb }
    .life { stroke: #8b949e; stroke-dasharray: 2 4 } .axis { stroke: #8b949e }
    .fresh { fill: #b6e3c4 } .due { fill: #2f6fdb } .stale { fill: #f6dfa6 } .ending { fill: #cf4a34 }
    .held { stroke: #2f6fdb; fill: #dbeafe } .bad { stroke: #cf4a34; stroke-width: 2.5 }
    .call { stroke: #2f6fdb; stroke-width: 1.5 } .call-tip { fill: #2f6fdb }
    .back { stroke: #9a4d05; stroke-width: 1.5; stroke-dasharray: 6 3 } .back-tip { fill: #9a4d05 }
    .try { fill: #9a4d05 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #131416 } text { fill: #e6edf3 } .small { fill: #9aa4af }
      .box { fill: #22272e; stroke: #6e7681 } .box.own { fill: #13294b; stroke: #6ea8fe }
      .life, .axis { stroke: #6e7681 }
      .fresh { fill: #1f6f43 } .due { fill: #6ea8fe } .stale { fill: #7a5d12 } .ending { fill: #f47067 }
      .held { stroke: #6ea8fe; fill: #13294b } .bad { stroke: #f47067 }
      .call { stroke: #6ea8fe } .call-tip { fill: #6ea8fe } .back { stroke: #fb923c }
      .back-tip, .try { fill: #fb923c }
    }
"""


class Drawing:
    """The lines of an SVG, in the order in which they are painted."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
            f'  width="{width}" height="{height}">',
            f"  <title>{escape(title)}</title>",
            f"  <style>{_STYLE}  </style>",
            f'  <rect class="paper" width="{width}" height="{height}" rx="6"/>',
        ]

    def text(self, x: float, y: float, text: str, kind: str = "label", anchor: str = "start") -> None:
        """Write a line."""
        self._lines.append(
            f'  <text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def bar(self, x: float, y: float, width: float, kind: str, height: float = 22, radius: int = 0) -> None:
        """Draw a rectangle."""
        self._lines.append(
            f'  <rect class="{kind}" x="{x:g}" y="{y:g}" '
            f'width="{width:g}" height="{height:g}" rx="{radius}"/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a line."""
        self._lines.append(f'  <line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>')

    def arrow(self, x1: float, x2: float, y: float, text: str, kind: str = "call") -> None:
        """Draw a message from one life line to another, with what it says above it."""
        step = 1 if x2 > x1 else -1
        self.line(x1 + 4 * step, y, x2 - 9 * step, y, kind)
        self._lines.append(f'  <path class="{kind}-tip" d="M{x2 - 4 * step:g} {y:g} l{-9 * step} -4 v8 z"/>')
        is_across = abs(x2 - x1) > 300  # then the text must not lie on the life line in the middle
        self.text(395 if is_across else (x1 + x2) / 2, y - 6, text, anchor="middle")

    def dot(self, x: float, y: float) -> None:
        """Mark an attempt."""
        self._lines.append(f'  <circle class="try" cx="{x:g}" cy="{y:g}" r="5"/>')

    def cross(self, x: float, y: float) -> None:
        """Mark the end of a process."""
        self.line(x - 7, y - 7, x + 7, y + 7, "bad")
        self.line(x - 7, y + 7, x + 7, y - 7, "bad")

    def svg(self) -> str:
        """Return the whole file."""
        return "\n".join([*self._lines, "</svg>", ""])


def renewal_minutes() -> tuple[int, int]:
    """Return how many minutes before the end credentials of one hour are renewed: earliest, latest."""
    window = policy.advisory_window(LIFETIME)
    latest, earliest = (round(window * (1 + fraction) / 60) for fraction in policy.EARLY_FRACTION)
    return earliest, latest


def refresh() -> str:
    """Draw an hour of credentials: renewed in time, and in an outage."""
    earliest, latest = renewal_minutes()
    left, scale = 40, 11.0  # pixels, and pixels a minute
    last = policy.MANDATORY_WINDOW / 60
    shortest, longest = (int(seconds) for seconds in policy.BACKOFF)
    drawing = Drawing("When credentials that last an hour are renewed", 770, 452)

    def at(minute: float) -> float:
        return left + minute * scale

    def bar(y: float, start: float, end: float, kind: str) -> None:
        drawing.bar(at(start), y, (end - start) * scale, kind)

    drawing.text(20, 32, "The life of credentials", "title")
    bar(54, 0, 60 - earliest, "fresh")
    bar(54, 60 - earliest, 60 - latest, "due")
    bar(54, 60 - latest, 60 - last, "stale")
    bar(54, 60 - last, 60, "ending")
    drawing.text(at((60 - earliest) / 2), 70, "fresh: used without asking anybody", anchor="middle")
    drawing.text(at(60 - latest / 2), 70, "still used meanwhile", anchor="middle")
    for minute in range(0, 61, 10):
        drawing.line(at(minute), 76, at(minute), 82, "axis")
        drawing.text(at(minute), 96, f"{minute} min", "small", "middle")
    drawing.line(at(0), 79, at(60), 79, "axis")
    drawing.text(
        at(60 - earliest), 46, f"renewed {latest} to {earliest} min before the end", "head", "middle"
    )

    drawing.text(20, 140, "The service answers", "title")
    moment = 60 - (earliest + latest) / 2
    bar(154, 0, moment, "fresh")
    drawing.dot(at(moment), 165)
    bar(182, moment, 64, "fresh")
    drawing.text(
        at(moment) - 10, 198, "one process asks once; the new credentials last an hour again", anchor="end"
    )
    asks = policy.advisory_window(LIFETIME) // 60
    drawing.line(at(60 - asks), 148, at(60 - asks), 214, "life")
    drawing.text(
        at(60),
        228,
        f"From {asks} min before the end botocore would start a credential_process",
        "small",
        "end",
    )
    drawing.text(at(60), 244, "with each request. The renewal comes before.", "small", "end")

    drawing.text(20, 290, "The service is down", "title")
    bar(304, 0, moment, "fresh")
    bar(304, moment, 60 - last, "stale")
    bar(304, 60 - last, 60, "ending")
    pause = sum(policy.BACKOFF) / 2 / 60
    tries = [moment + number * pause for number in range(3)]
    for minute in tries:
        drawing.dot(at(minute), 315)
    drawing.line(at(60), 298, at(60), 372, "life")
    drawing.text(
        at(moment) - 10, 346, f"one attempt every {shortest} to {longest} s, by one process;", anchor="end"
    )
    drawing.text(at(moment) - 10, 362, "the present credentials stay in use, and nobody waits", anchor="end")
    drawing.text(at(60) - 6, 346, f"last {policy.MANDATORY_WINDOW} s: callers wait", anchor="end")
    drawing.text(at(60) - 6, 362, "for one more try", anchor="end")
    drawing.text(at(60) - 6, 392, "ended: ServiceError", "head", "end")
    kept = "{:g} to {:g}".format(*policy.FAILURE_KEPT)
    cap = f"{policy.FAILURE_KEPT_CAP:g}"
    drawing.text(
        at(60) - 6,
        410,
        f"then one attempt in {kept} s, after many failures in up to {cap} s, if somebody asks",
        anchor="end",
    )
    drawing.dot(30, 436)
    drawing.text(44, 440, "a request to Cognito", "small")
    return drawing.svg()


def locks() -> str:
    """Draw 200 processes that want the same credentials, and a holder of the lock that is killed."""
    drawing = Drawing("How processes share one lock and one record", 770, 668)
    one, others, store, cognito = 90, 290, 500, 690

    def heads(y: float, bottom: float, second: str) -> None:
        for x, name, kind in (
            (one, "process 1", "box own"),
            (others, second, "box own"),
            (store, "lock and record", "box"),
            (cognito, "Cognito", "box"),
        ):
            drawing.line(x, y + 28, x, bottom, "life")
            drawing.bar(x - 68, y, 136, kind, 28, 6)
            drawing.text(x, y + 19, name, "head", "middle")

    drawing.text(20, 32, "200 processes start at once", "title")
    drawing.text(20, 51, "One asks. The others wait for its record.", "small")
    heads(66, 330, "199 others")
    drawing.bar(store - 5, 122, 10, "held", 128)
    drawing.arrow(one, store, 122, "takes the lock")
    drawing.arrow(others, store, 150, "wait for the lock")
    drawing.arrow(one, cognito, 178, "GetId, GetCredentialsForIdentity")
    drawing.arrow(cognito, one, 206, "credentials", "back")
    drawing.arrow(one, store, 234, "writes the record")
    drawing.text(store + 12, 254, "the lock is free", "small")
    drawing.arrow(others, store, 282, "look again")
    drawing.arrow(store, others, 310, "the record: no request", "back")

    drawing.text(20, 374, "The holder of the lock is killed", "title")
    drawing.text(20, 393, "Nothing is left half done: a record is replaced whole, or not at all.", "small")
    heads(408, 622, "process 2")
    drawing.bar(store - 5, 464, 10, "held", 56)
    drawing.arrow(one, store, 464, "takes the lock")
    drawing.arrow(one, cognito, 492, "GetCredentialsForIdentity")
    drawing.cross(one, 516)
    drawing.text(one + 14, 520, "kill -9", "head")
    drawing.text(store + 12, 508, "a file's lock is free at", "small")
    drawing.text(store + 12, 523, f"once, in Redis after {LOCK_SECONDS:g} s", "small")
    drawing.bar(store - 5, 548, 10, "held", 56)
    drawing.arrow(others, store, 548, "takes the lock")
    drawing.arrow(others, cognito, 576, "GetCredentialsForIdentity")
    drawing.arrow(others, store, 604, "writes the record")
    drawing.text(
        20,
        650,
        f"A holder that hangs gives up after {policy.HOLDER_BUDGET:g} s. "
        f"Who waits goes on without the lock after {policy.WAITER_BUDGET:g} s.",
    )
    return drawing.svg()


DRAWINGS = {"refresh.svg": refresh, "locks.svg": locks}

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (PICTURES / name).write_text(draw(), "utf-8")
