"""Stores as apps have them, for one sign-in."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

from filelock import FileLock


class Entry:
    """A store that records what is done to it, and that fails as a test says."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text
        self.done: list[str] = []
        self.threads: set[int] = set()
        self.fails: dict[str, BaseException | Callable[[], object]] = {}
        self._turn = threading.Lock()

    def load(self) -> str | None:
        self._do("load")
        return self.text

    def save(self, text: str) -> None:
        self._do("save")
        self.text = text

    def delete(self) -> None:
        self._do("delete")
        self.text = None

    def _do(self, name: str) -> None:
        assert self._turn.acquire(blocking=False), "two calls at a time"
        try:
            self.done.append(name)
            self.threads.add(threading.get_ident())
            failure = self.fails.get(name)
            if isinstance(failure, BaseException):
                raise failure
            if failure is not None:
                failure()
        finally:
            self._turn.release()


class AsyncEntry(Entry):
    """The same for an app on an event loop; what it does, it does on the loop."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text)
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def load(self) -> str | None:  # type: ignore[override]
        await self._on_loop()
        return super().load()

    async def save(self, text: str) -> None:  # type: ignore[override]
        await self._on_loop()
        super().save(text)

    async def delete(self) -> None:  # type: ignore[override]
        await self._on_loop()
        super().delete()

    async def _on_loop(self) -> None:
        self.loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)


class SqliteStore:
    """A desktop app's: a row of its database, and a lock between its processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS sign_in (id INTEGER PRIMARY KEY, text TEXT)")

    def load(self) -> str | None:
        with closing(sqlite3.connect(self._path)) as database, database:
            row = database.execute("SELECT text FROM sign_in").fetchone()
        return None if row is None else str(row[0])

    def save(self, text: str) -> None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("INSERT OR REPLACE INTO sign_in VALUES (1, ?)", (text,))

    def delete(self) -> None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("DELETE FROM sign_in")

    def lock(self) -> AbstractContextManager[object]:
        return FileLock(f"{self._path}.lock")
