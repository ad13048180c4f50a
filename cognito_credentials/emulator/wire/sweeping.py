"""What deleted pools leave in the state goes a slice at a time, between requests."""

from __future__ import annotations

import asyncio
import sqlite3

from cognito_credentials.emulator.stored.pools import delete_rest
from cognito_credentials.emulator.stored.state import State

_ROWS = 200  # a few milliseconds
_RETRY_SECONDS = 1.0
_TURNS = 8
"""Turns of the event loop between two slices: a request takes several, and waits for one slice in all."""


class Sweeper:
    """Deletes the identities of deleted pools. A restart goes on where a kill ended it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None
        self._is_due = False
        """Whether a pool may have been deleted since the last look."""

    def start(self) -> None:
        """Begin on the running loop, or go on if it is at work already."""
        self._is_due = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        while self._is_due:
            try:
                self._is_due = delete_rest(self._state, _ROWS)
            except sqlite3.Error:  # another program locks the file
                await asyncio.sleep(_RETRY_SECONDS)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
