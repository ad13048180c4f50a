"""
The callback server: it waits on a loopback port for the browser with the issuer's answer (RFC 8252, 7.3).

It listens on 127.0.0.1 only. Anything can connect there: other programs, pages in the browser, and names that
an attacker's DNS points here. So only a navigation is accepted (GET, this path, this Host, no Origin), and
only an answer with the right state ends the waiting. Any other is ignored and said to be: a user pool whose
trigger refuses leaves the state out, and the person would wait for nothing. Nothing is logged: the query has
the code in it.

The browser is started with an address of this server, which redirects to the issuer. Every user of the
machine can read a program's arguments. With the issuer's address they would have state and challenge, could
sign in as themselves, and have that answer taken for this person's (login CSRF). `peer` checks which user
connects.

The server waits for five minutes: a person may have to find a telephone, wait for a message and choose a new
password. A longer wait does not help an attacker: state and verifier are random and valid once.
"""

from __future__ import annotations

import contextlib
import hmac
import html
import os
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import urlsplit

from ...errors import CognitoCredentialsError, ConfigurationError, LoginRequiredError, sentences
from ...secret import Secret
from .authorization import AnswerRefused, RedirectAnswer, query_of
from .peer import is_own

PATH: Final = "/callback"
WAIT_SECONDS: Final = 300.0
"""For a person to sign in."""
_PAGE_SECONDS: Final = 60.0
"""For the browser to wait for the page with the result."""
_REQUEST_SECONDS: Final = 5.0
"""For a whole request, from the connection to its last byte."""
_UNPROVEN: Final = "a browser reports, without proof that it is the answer to this sign-in"
_MOST_NOTES: Final = 3
"""About answers that do not count: a page in the browser could fill the terminal otherwise."""
_MOST_CONNECTIONS: Final = 16
"""The most connections without a complete request; with one more, the oldest is closed."""
_SECURITY_HEADERS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Connection", "close"),
)
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

Accept = Callable[[RedirectAnswer], Secret]


class CallbackServer(socketserver.ThreadingTCPServer):
    """
    Waits for the answer to one authorization request. Use it as a context manager.

    Args:
        ports: Ports that are registered for the client, tried in order; none for any free port.

    Raises:
        ConfigurationError: All of them are in use.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name != "nt"  # on Windows it would let another program share the port

    def __init__(self, ports: Sequence[int] = ()) -> None:
        self._accept: Accept | None = None
        self._outcome: Secret | CognitoCredentialsError | None = None
        self._answered = threading.Event()
        self._notes: list[str] = []
        """What became of answers that do not count, for the person."""
        self._reported: CognitoCredentialsError | None = None
        self._page = ""
        self._page_ready = threading.Event()
        self._page_sent = threading.Event()
        self._redirect_sent = threading.Event()
        self._start_path = f"/start/{secrets.token_urlsafe(32)}"
        self._issuer_url = ""
        self._reading: dict[socket.socket, float] = {}
        """Connections without a complete request, the oldest first, and when each is closed."""
        self._lock = threading.Lock()
        self._bind(ports or (0,))
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="cognito-credentials-callback", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self.server_address[1])

    @property
    def redirect_uri(self) -> str:
        """The address that the issuer sends the browser to."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def start_url(self) -> str:
        """The address to open in the browser; it redirects to the issuer."""
        return f"http://127.0.0.1:{self.port}{self._start_path}"

    def listen(self, accept: Accept, issuer_url: str = "") -> None:
        """
        Begin to accept requests.

        Args:
            accept: Checks an answer (`Authorization.accept`).
            issuer_url: The address that `start_url` redirects to.
        """
        self._accept = accept
        self._issuer_url = issuer_url
        self._thread.start()

    def wait(self, seconds: float = WAIT_SECONDS, say: Callable[[str], None] = lambda _: None) -> Secret:
        """
        Wait for the answer.

        Args:
            seconds: How long the person may take.
            say: Shows a line to the person: why an answer was ignored, and what it reports.

        Returns:
            The authorization code. The browser waits for the page of `finish`.

        Raises:
            LoginRequiredError: Nobody has signed in.
            LoginRejectedError: The issuer refused.
        """
        give_up_at = time.monotonic() + seconds
        said = 0
        # In short steps: on Windows, Ctrl-C does not interrupt a wait.
        while not self._answered.wait(min(0.2, max(give_up_at - time.monotonic(), 0.01))):
            for note in self._notes[said:]:
                said += 1
                say(note)
            if time.monotonic() >= give_up_at:
                raise self._nobody_signed_in(seconds)
        outcome = self._outcome
        if isinstance(outcome, Secret):
            return outcome
        assert outcome is not None  # noqa: S101  (for the type checker; it is set before the event)
        raise outcome

    def _nobody_signed_in(self, seconds: float) -> LoginRequiredError:
        what = f"nobody signed in within {seconds / 60:.0f} minutes"
        reported = self._reported
        if reported is None:
            return LoginRequiredError(what, hint="Sign in again", topic="E-BROWSER")
        return LoginRequiredError(
            f"{what}; {_UNPROVEN}: {reported.message}", hint=reported.hint, topic=reported.topic
        )

    def _note(self, error: AnswerRefused) -> None:
        note = _ignored(error)
        if note not in self._notes and len(self._notes) < _MOST_NOTES:
            self._reported = error.reported or self._reported
            self._notes.append(note)

    def finish(self, page: str) -> None:
        """Show *page* in the browser that brought the answer."""
        self._page = page
        self._page_ready.set()
        if self._answered.is_set():
            self._page_sent.wait(_REQUEST_SECONDS)

    def take_answer(self, query: str) -> None:
        """
        Check an answer; the first valid one ends the waiting.

        Raises:
            AnswerRefused: The answer is malformed, or to another request.
        """
        assert self._accept is not None  # noqa: S101  (for the type checker; requests come after `listen`)
        try:
            answer = query_of(query)
            if answer is None:
                raise AnswerRefused("it is malformed")
            outcome: Secret | CognitoCredentialsError = self._accept(answer)
        except AnswerRefused as error:
            self._note(error)
            raise
        except CognitoCredentialsError as error:
            outcome = error.with_traceback(None)  # its frames have the query in them
        self._outcome = outcome
        self._answered.set()

    def redirect_of(self, path: str) -> str | None:
        """Return where *path* redirects to: the start path to the issuer, until there is an answer."""
        is_start = hmac.compare_digest(path.encode("utf-8", "replace"), self._start_path.encode("ascii"))
        return self._issuer_url if is_start and not self._answered.is_set() else None

    def redirect_was_sent(self) -> None:
        """Note that the browser has the address that `start_url` redirects to."""
        self._redirect_sent.set()

    def wait_for_redirect(self, seconds: float) -> bool:
        """Wait until a browser has come to `start_url`; return False when none has within *seconds*."""
        give_up_at = time.monotonic() + seconds
        while not self._redirect_sent.wait(0.2):  # in short steps, as in `wait`
            if time.monotonic() >= give_up_at:
                return False
        return True

    def final_page(self) -> str:
        """Wait for the page of `finish`, and return it."""
        self._page_ready.wait(_PAGE_SECONDS)
        return self._page or page("The sign-in goes on where it began", "You can close this window.")

    def page_was_sent(self) -> None:
        """Note that the browser has the page; `finish` waits for that."""
        self._page_sent.set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Accept a connection; where too many are without a complete request, close the oldest."""
        with self._lock:
            self._reading[request] = time.monotonic() + _REQUEST_SECONDS
            too_many = list(self._reading)[:-_MOST_CONNECTIONS]
        for connection in too_many:
            self._close_connection(connection)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.was_read(request)

    def was_read(self, connection: socket.socket) -> None:
        """Note that the request of *connection* is complete; from now on it is not closed for being slow."""
        with self._lock:
            self._reading.pop(connection, None)

    def service_actions(self) -> None:
        """Close connections whose request takes too long."""
        now = time.monotonic()
        with self._lock:
            too_late = [connection for connection, until in self._reading.items() if until <= now]
        for connection in too_late:
            self._close_connection(connection)

    def _close_connection(self, connection: socket.socket) -> None:
        self.was_read(connection)
        with contextlib.suppress(OSError):  # the thread that reads from it may have closed it
            connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a traceback would show the query, and a browser may hang up at any time."""

    def server_bind(self) -> None:
        """Bind the port, so that no other program can share it."""
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()

    def _bind(self, ports: Sequence[int]) -> None:
        for port in ports:
            with contextlib.suppress(OSError):
                super().__init__(("127.0.0.1", port), _Handler)
                return
        shown = ", ".join(map(str, ports))
        raise ConfigurationError(
            f"all ports for the sign-in are in use: {shown}",
            hint="Close what uses one, or register more with the client and set redirect_ports "
            "(cognito_redirect_ports in a profile)",
            topic="E-BROWSER",
        )


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS
    server: CallbackServer
    server_version = "cognito-credentials"
    sys_version = ""

    def do_GET(self) -> None:
        self.server.was_read(self.connection)
        target = urlsplit(self.path)
        problem = next(self._problems(target.path), None)
        if problem is not None:
            self._show(problem[0], page("Nothing here", problem[1]))
            return
        redirect = self.server.redirect_of(target.path)
        if redirect is not None:
            self._show(302, page("On the way", "The sign-in goes on at the issuer."), redirect)
            self.server.redirect_was_sent()
            return
        try:
            self.server.take_answer(target.query)
        except AnswerRefused as error:
            self._show(400, page("This is not the answer to the sign-in", _ignored(error)))
            return
        self._show(200, self.server.final_page())
        self.server.page_was_sent()

    def _problems(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield why this is not a browser that follows the issuer's redirect: a status and a text."""
        if not is_own(self.client_address, ("127.0.0.1", self.server.port)):
            yield (
                403,
                (
                    "Another user of this machine began this sign-in. Begin it as the user of this browser; "
                    "or sign in with --no-browser (way='no-browser' in Python)."
                ),
            )
        if self.headers.get_all("Host") != [f"127.0.0.1:{self.server.port}"]:
            yield 421, "This server has another name."
        if path != PATH and self.server.redirect_of(path) is None:
            yield 404, "There is no such page."
        if "Origin" in self.headers or self.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            yield 403, "Pages may not call this server."
        if self.headers.get("Sec-Fetch-Dest", "document") != "document":
            yield 403, "Pages may not embed this server."
        if "prefetch" in (self.headers.get("Sec-Purpose", "") + self.headers.get("Purpose", "")).lower():
            yield 403, "Nothing here may be fetched in advance."

    def _show(self, status: int, text: str, redirect: str | None = None) -> None:
        body = text.encode("utf-8")
        self.close_connection = True
        self.send_response(status)
        for name, value in _SECURITY_HEADERS:
            self.send_header(name, value)
        if redirect is not None:
            self.send_header("Location", redirect)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer other methods, and what is no HTTP; the arguments repeat the request and are not used."""
        self._show(405 if code == 501 else code, page("Nothing here", "This server takes one answer."))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is the base class's)
        """Log nothing: the path has the code in it."""


def _ignored(error: AnswerRefused) -> str:
    """Say what became of an answer that does not count, for the terminal and for the browser."""
    if error.reported is None:
        return f"An answer in the browser was ignored: {error}."
    # Without its hint ("Sign in again"): whoever made the refusal up would have the person give up here.
    told = f"{_UNPROVEN[0].upper()}{_UNPROVEN[1:]}: {error.reported.message}"
    return sentences(told, "The sign-in goes on waiting.")


def page(title: str, text: str) -> str:
    """Make a page of two plain texts. It loads nothing and runs no script."""
    return _PAGE.format(title=html.escape(title), text=html.escape(text))


def signed_in(name: str) -> str:
    """Make the page after a sign-in."""
    who = f" as {name}" if name else ""
    return page(f"You are signed in{who}", "You can close this window and go back to where you came from.")


def failed(why: str) -> str:
    """Make the page after a failure."""
    return page("Signing in failed", f"{why}. You can close this window and try again where you came from.")
