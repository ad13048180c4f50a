"""
The requests as they come, as server-sent events.

A reader holds nothing but its position in the history. One that falls behind misses records, and hears how
many. One that takes nothing for ten seconds is disconnected, and so is the oldest of too many. So readers
that are slow or gone hold neither memory nor requests.

- ``request``: a record, as in ``GET /_emulator/history``
- ``missed``: the number of records that are left out here
- ``reset``: the emulator was started or reset, and the records before it are gone

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from cognito_credentials.emulator.wire.history import History

MOST_READERS = 16
_MOST_RECORDS = 50  # in one message
_PAUSE_SECONDS = 0.1  # between two messages: thousands of requests a second cost no more than hundreds
_SLOW_SECONDS = 10.0
_NUMBER = re.compile("[0-9]{1,18}")  # Python refuses to read thousands of digits
_HEARTBEAT_SECONDS = 15.0  # so that a connection that is gone is noticed

Drop = Callable[[Any], None]


class EventStream:
    """
    The ASGI application of the stream.

    Args:
        history: The records to send.
        drop: Closes the connection of a client, ``scope["client"]``.

    Attributes:
        readers: The connected clients, the oldest first.
    """

    def __init__(self, history: History, drop: Drop) -> None:
        self.history = history
        self._drop = drop
        self.readers: OrderedDict[int, Any] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "GET":
            raise HTTPException(405, "events: the method is GET", {"Allow": "GET"})
        reader = id(scope)
        self.readers[reader] = scope["client"]
        if len(self.readers) > MOST_READERS:
            self._drop(self.readers.popitem(last=False)[1])
        await request.body()
        gone = asyncio.ensure_future(receive())  # after the body, the only message is "disconnect"
        try:
            await self._send_events(request.headers.get("last-event-id", ""), gone, send)
        except asyncio.TimeoutError:
            self._drop(scope["client"])
        finally:
            gone.cancel()
            self.readers.pop(reader, None)

    async def _send_events(self, last_event: str, gone: asyncio.Future[Any], send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        epoch, _, number = last_event.partition("-")
        is_known = epoch == self.history.epoch and _NUMBER.fullmatch(number) is not None
        seen = int(number) if is_known else None
        while not gone.done():
            text, epoch, seen = self._news(epoch, seen)
            message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
            await asyncio.wait_for(send(message), _SLOW_SECONDS)
            await asyncio.wait([gone], timeout=_PAUSE_SECONDS)
            if seen == self.history.last and epoch == self.history.epoch:
                changed = asyncio.ensure_future(self.history.changed())
                await asyncio.wait(
                    [gone, changed], timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                changed.cancel()

    def _news(self, epoch: str, seen: int | None) -> tuple[str, str, int]:
        """The events after *seen*, or a comment if there are none, and the position after them."""
        history = self.history
        events = []
        if seen is None or epoch != history.epoch:
            events.append(f"event: reset\nid: {history.epoch}-0\ndata: {{}}\n\n")
            seen = 0
        records = history.after(seen)
        missed = max(history.last - seen - len(records), 0) + max(len(records) - _MOST_RECORDS, 0)
        if missed:
            events.append(f"event: missed\ndata: {missed}\n\n")
        events.extend(
            f"event: request\nid: {history.epoch}-{record.number}\ndata: {json.dumps(record.described())}\n\n"
            for record in records[-_MOST_RECORDS:]
        )
        return "".join(events) or ": \n\n", history.epoch, history.last
