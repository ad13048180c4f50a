"""Sends answers: at once, slowly and with endless bodies for tests against hostile servers, or of routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Send

from cognito_credentials.emulator.wire.answers import Answer

_CHUNK_BYTES = 64 * 1024


async def send_answer(send: Send, answer: Answer) -> None:
    """Send *answer* at once."""
    await _start(send, answer, len(answer.body))
    await send({"type": "http.response.body", "body": answer.body})


async def send_slowly(
    receive: Receive, send: Send, answer: Answer, drip: float, body_size: int | None
) -> None:
    """
    Send *answer* in pieces, and stop when the client disconnects.

    Args:
        drip: Seconds for each byte; 0 sends large pieces without waiting.
        body_size: Send this many bytes of filler in place of the body, without a Content-Length.
    """
    await _start(send, answer, len(answer.body) if body_size is None else None)
    disconnected = asyncio.ensure_future(receive())  # after the request, the only message is "disconnect"
    try:
        async for piece in _pieces(answer.body, drip, body_size):
            if disconnected.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # lets the event loop see a disconnect
        await send({"type": "http.response.body", "body": b""})
    finally:
        disconnected.cancel()


class RouteSend:
    """
    Sends the messages of a route, with the headers that every answer has.

    Attributes:
        status: The HTTP status; 0 before the answer begins.
    """

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in self._headers.items():
                MutableHeaders(scope=message).setdefault(name, value)
        await self._send(message)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` for a route: first the *body* that was read from *receive*, then whatever follows."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _pieces(body: bytes, drip: float, body_size: int | None) -> AsyncIterator[bytes]:
    size = len(body) if body_size is None else body_size
    step = 1 if drip else _CHUNK_BYTES
    filler = b"x" * min(step, size)
    for start in range(0, size, step):
        if drip:
            await asyncio.sleep(drip)
        stop = min(start + step, size)
        yield body[start:stop] if body_size is None else filler[: stop - start]


async def _start(send: Send, answer: Answer, length: int | None) -> None:
    headers = answer.headers if length is None else {**answer.headers, "Content-Length": str(length)}
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": lines})
