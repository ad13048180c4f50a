"""
The last requests: what each asked for, what was checked and decided, and how it ended.

At most 500 are kept, each of limited size. They hold no secrets, see `trail`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.model.members import one_line
from cognito_credentials.emulator.trail import Trail
from cognito_credentials.emulator.wire.answers import Answer

MOST_RECORDS = 500
_MOST_NAME = 200
_MOST_MESSAGE = 1000


@dataclass(frozen=True)
class Record:
    """
    One request that was answered.

    Attributes:
        number: Counts from 1, since the start or the last reset.
        at: Seconds since the epoch, by the emulator's clock.
        name: The operation; method and path of a request that calls none.
        status: None when a fault closed the connection.
        seconds: The duration of the request.
    """

    number: int
    at: float
    name: str
    status: int | None
    code: str
    message: str
    seconds: float
    trail: Trail

    def described(self) -> dict[str, Any]:
        """The JSON object of the record."""
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "name": one_line(self.name, _MOST_NAME),
            "status": self.status,
            "code": one_line(self.code, _MOST_NAME),
            "message": one_line(self.message, _MOST_MESSAGE),
            "milliseconds": round(self.seconds * 1000, 2),
            "request": self.trail.request,
            "facts": [{"kind": kind, "fact": fact} for kind, fact in self.trail.facts],
        }


class History:
    """
    The records of one emulator.

    Attributes:
        last: The number of the newest record; 0 without one.
        epoch: Another text after each reset, which begins the numbers again.
    """

    def __init__(self) -> None:
        self.last = 0
        self.epoch = secrets.token_hex(4)
        self._records: deque[Record] = deque(maxlen=MOST_RECORDS)
        self._waiting: set[asyncio.Future[None]] = set()

    def add(self, at: float, name: str, answer: Answer | None, seconds: float, trail: Trail) -> None:
        """Record a request."""
        self.last += 1
        status, code, message = (answer.status, answer.code, answer.message) if answer else (None, "", "")
        # Slices: a text of a megabyte must not stay in memory.
        self._records.append(
            Record(
                self.last,
                at,
                name[:_MOST_NAME],
                status,
                code[:_MOST_NAME],
                message[:_MOST_MESSAGE],
                seconds,
                trail,
            )
        )
        if self._waiting:
            self._wake()

    def after(self, number: int) -> Sequence[Record]:
        """The records that came after *number*, the oldest first."""
        newer = min(self.last - number, MOST_RECORDS)
        return list(self._records)[-newer:] if newer > 0 else ()

    def clear(self) -> None:
        """Forget all records, and count from 1 again."""
        self.last = 0
        self.epoch = secrets.token_hex(4)
        self._records.clear()
        self._wake()

    async def changed(self) -> None:
        """Wait for the next record or reset."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _wake(self) -> None:
        for waiter in list(self._waiting):
            # A test may reset the emulator from its own thread.
            waiter.get_loop().call_soon_threadsafe(_end, waiter)


def _end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
