"""Answers on their way out: at once, or slowly and too long for tests of hostile servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Send

from cognito_credentials.emulator.wire.answers import Answer

_CHUNK_BYTES = 64 * 1024


async def send_answer(send: Send, answer: Answer) -> None:
    """Send *answer* in one piece."""
    await _start(send, answer, len(answer.body))
    await send({"type": "http.response.body", "body": answer.body})


async def send_slowly(
    receive: Receive, send: Send, answer: Answer, drip: float, body_size: int | None
) -> None:
    """
    Send *answer*, unless the client leaves before the end.

    Args:
        drip: Seconds for each byte; 0 sends whole pieces.
        body_size: Send this many bytes of filler instead of the body, without announcing them.
    """
    await _start(send, answer, len(answer.body) if body_size is None else None)
    gone = asyncio.ensure_future(receive())  # after the request this only ever says "disconnect"
    try:
        async for piece in _pieces(answer.body, drip, body_size):
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # let the loop see that the client left
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


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
