"""What deleted pools leave in the state goes a slice at a time, between requests."""

from __future__ import annotations

import asyncio
import sqlite3

from cognito_credentials.emulator.stored.pools import delete_rest
from cognito_credentials.emulator.stored.state import State

_ROWS = 200  # a few milliseconds
_TURNS = 8
"""Turns of the event loop between two slices: a request takes several, and waits for one slice in all."""


class Sweeper:
    """Deletes the identities of deleted pools. A restart goes on where a kill ended it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running loop, unless it is at work already."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        try:
            rest = True
            while rest:
                rest = delete_rest(self._state, _ROWS)
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
        except sqlite3.Error:
            return  # Another program locks the file. The next deletion or start tries again.
