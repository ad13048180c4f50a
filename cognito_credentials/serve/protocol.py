"""
A request of the container-credentials protocol -> the answer to it; no I/O.

Every program of this machine, and every page in its browsers, can connect to the port. So a request is
refused

- under another name (421): an attacker's DNS name that leads to 127.0.0.1 makes a page of the attacker's this
  server's own page ("DNS rebinding");
- with ``Origin`` or ``X-Forwarded-For`` (403): it is from a page, or came through a proxy, and so perhaps
  from another machine;
- without the token (403).

Only what the protocol needs of HTTP is understood: ``GET`` without a body. The parser of `http.server` is for
e-mails and takes longer than all of this.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..secret import Secret

HOST: Final = "127.0.0.1"
CREDENTIALS_PATH: Final = "/credentials"
HEALTH_PATH: Final = "/healthcheck"
HEAD_LIMIT: Final = 16 * 1024
"""Bytes of a request; an SDK's are some hundred."""
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    421: "Misdirected Request",
    424: "Failed Dependency",
    503: "Service Unavailable",
}
_ONCE: Final = ("host", "authorization", "content-length")
"""Headers of which a second one would be a question of which one counts."""


_CONTROLS: Final = (b"\0", b"\r", b"\n")
"""Some proxies take a single one of these for the end of a line, and so see other headers than we do."""


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes


class Request(NamedTuple):
    """What was sent."""

    method: str
    path: str
    headers: dict[str, str]
    """By name in lower case."""
    may_stay: bool
    """Whether the client may send another request on the connection."""


class Refused(Exception):  # noqa: N818  (an answer, not a failure)
    """
    A request that gets no credentials.

    Args:
        status: Of the answer.
        message: For the person who reads the client's error.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, failure(_REASONS[status].replace(" ", ""), message))


class Rules:
    """
    Who gets credentials.

    Args:
        port: That the server listens on.
        token: That clients have to send.
        current: Returns the answer of this moment, credentials or why there are none; it must not wait.
    """

    def __init__(self, port: int, token: Secret, current: Callable[[], Answer]) -> None:
        self._hosts = (f"{HOST}:{port}", f"localhost:{port}")
        self._token = token.reveal().encode("ascii")
        self._current = current

    def answer(self, request: Request) -> Answer:
        """
        Answer *request*.

        Raises:
            Refused: It is not one of a program that was told the token.
        """
        headers = request.headers
        if headers.get("host", "").lower() not in self._hosts:
            raise Refused(421, f"this server is called {self._hosts[0]}")
        if "origin" in headers:
            raise Refused(403, "pages may not ask this server for credentials")
        if "x-forwarded-for" in headers:
            raise Refused(403, "requests through a proxy get no credentials")
        if request.path not in (CREDENTIALS_PATH, HEALTH_PATH):
            raise Refused(404, "there is nothing at this path")
        if request.method != "GET":
            raise Refused(405, "this server answers GET alone")
        if request.path == HEALTH_PATH:
            if self._current().status != 200:
                raise Refused(503, "there are no valid credentials")
            return Answer(200, b"{}")
        given = headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, self._token):
            raise Refused(403, "the token is not the one that this server was started with")
        return self._current()


def read(head: bytes) -> Request:
    """
    Read a request.

    Args:
        head: Request line and headers, without the empty line at their end.

    Raises:
        Refused: It is no HTTP, or has a body.
    """
    line, *lines = head.decode("latin-1").split("\r\n")
    within_lines = head.replace(b"\r\n", b"")
    if any(each in within_lines for each in _CONTROLS):
        raise Refused(400, "the request has control characters in it")
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not method or not target.startswith("/"):
        raise Refused(400, "this is no HTTP request")
    headers: dict[str, str] = {}
    for each in lines:
        name, colon, value = each.partition(":")
        name = name.lower()
        if not colon or not name or name != name.strip() or (name in _ONCE and name in headers):
            raise Refused(400, "a header of the request is malformed")
        headers[name] = value.strip(" \t")
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    # A client that sent HEAD would take the body of its answer for the next answer.
    is_plain = version == "HTTP/1.1" and method == "GET" and not has_body
    may_stay = is_plain and headers.get("connection", "").lower() != "close"
    return Request(method, target.partition("?")[0], headers, may_stay)


def written(answer: Answer, *, may_stay: bool) -> bytes:
    """Return the bytes of *answer*."""
    more = "Allow: GET\r\n" if answer.status == 405 else ""
    more += "" if may_stay else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        "Content-Type: application/json\r\n"
        "Cache-Control: no-store\r\n"
        f"Content-Length: {len(answer.body)}\r\n{more}\r\n"
    )
    return head.encode("ascii") + answer.body


def failure(code: str, message: str) -> bytes:
    """Return the body of an answer without credentials."""
    return json.dumps({"code": code, "message": message}, ensure_ascii=False).encode("utf-8")
