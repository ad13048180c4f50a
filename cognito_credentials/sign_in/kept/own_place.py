"""
An app's own place for one sign-in: the parts that files have (`place.py`) are in one text that the app keeps.

Without a lock of the app's, the sign-in is this process's alone: it is loaded once, and again whenever it is
about to be used up or replaced. With one, other processes may change it, and it is loaded at each look for a
token, too. Who is signed in is answered from memory, since an event loop may ask.

A rotated refresh token that could not be saved stays in memory. It is saved at the next occasion, unless
somebody has changed the stored text meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from ...awaiting import check_unanswered, note_unanswered
from ...cache.waiting import SingleFlight
from ...errors import CacheError, CognitoCredentialsError
from ...importing import IMPORTING
from ...secret import Secret
from . import own_store
from .own_store import MemoryStore, Visit
from .own_text import Belonging, Kept, decode, encode
from .place import LOCK_BUDGET, busy

_MARKS: Final = ("ended", "process")
"""The parts that count in this process only, and that are not in the app's text."""
_log = logging.getLogger(__name__)

_PLACES: Final[WeakValueDictionary[tuple[int, str], OwnPlace]] = WeakValueDictionary()
"""
The place of each store that is in use, by the store's identity: it is the process's, as the store is.

Two logins that share a store must take turns, or each would use up the refresh token of the other.
"""


def place_of_store(store: object, belonging: Belonging) -> OwnPlace:
    """Return the place of a store: the same one to everybody, as long as somebody holds it."""
    with IMPORTING:  # which a fork waits for: a child would inherit a lock of its own kind locked
        place = _PLACES.get((id(store), belonging.key))
        if place is None:
            place = _PLACES[id(store), belonging.key] = OwnPlace(store, belonging)
        return place


class _State(NamedTuple):
    """What was loaded or saved last."""

    text: Secret | None
    kept: Kept | None
    """None for nobody."""
    problem: CacheError | None = None
    """Why the text is not used."""


class _Unsaved(NamedTuple):
    """A rotated refresh token that the store does not have."""

    before: Secret | None
    """The text that was stored when it could not be saved."""
    text: Secret
    kept: Kept


class OwnPlace:
    """
    The sign-in in an app's store.

    Args:
        store: `SignInStore`, perhaps with a method ``lock``.
        belonging: The login that the sign-in must be of.
    """

    def __init__(self, store: Any, belonging: Belonging) -> None:
        self.key = belonging.key
        self.name = "memory" if isinstance(store, MemoryStore) else "app"
        self._store = store
        self._belonging = belonging
        self._shown = type(store).__qualname__
        self._has_lock = callable(getattr(store, "lock", None))
        self._single = SingleFlight()
        self._state: _State | None = None
        self._unsaved: _Unsaved | None = None
        self._marks: dict[str, bytes] = {}
        self._visit: Visit | None = None
        self._last_visit: Visit | None = None
        self._is_signing_in = False
        self._loaded: Secret | None = None
        """What this visit has found in the store."""

    @property
    def is_at_hand(self) -> bool:
        """Whether the text was loaded: then `read` answers from memory."""
        return self._state is not None

    def path(self, kind: str) -> str:  # noqa: ARG002  (for files)
        """Say where the sign-in is."""
        return "this process" if self.name == "memory" else self._shown

    def look_again(self) -> None:
        """
        Load the text, where other processes may have changed it.

        Raises:
            CognitoCredentialsError: The store failed; what was loaded before stays.
        """
        if self._has_lock:
            with self._visiting(LOCK_BUDGET, is_look=True):
                self._load(may_save=False)

    def reload(self) -> None:
        """
        Load the text once more, with the lock held.

        Raises:
            CognitoCredentialsError: The store failed.
        """
        self._load(may_save=False)

    def read(self, kind: str) -> bytes | None:
        """
        Return a part; the first time, the store is asked.

        Raises:
            CacheError: The store failed, or has something else than a sign-in of this login.
            CognitoCredentialsError: The store is asynchronous, and its event loop is not there.
        """
        if kind in _MARKS:
            return self._marks.get(kind)
        if kind not in ("sign-in", "secret"):
            return None
        state = self._state or self._first()
        if state.problem is not None and not self._is_signing_in:
            raise CacheError(state.problem.message, hint=state.problem.hint, topic=state.problem.topic)
        if state.kept is None:
            return None
        return state.kept.account if kind == "sign-in" else state.kept.tokens.reveal().encode("utf-8")

    def write(self, kind: str, data: bytes) -> None:
        """
        Replace a part: of the text, the tokens alone. Where they cannot be saved, they stay in memory.

        Raises:
            CacheError: The store failed.
        """
        if kind in _MARKS:
            self._marks[kind] = data
            return
        state, tokens = self._state, Secret(data.decode("utf-8"))
        del data  # this frame stays in the traceback of an error
        assert kind == "secret"  # noqa: S101  (a sign-in is written by `replace`)
        assert state is not None  # noqa: S101  (for the type checker; both hold in a lock of somebody)
        assert state.kept is not None  # noqa: S101
        kept = Kept(state.kept.account, tokens)
        text = encode(kept, self._belonging)
        try:
            self._in_lock().save(text)
        except CognitoCredentialsError:
            self._unsaved = _Unsaved(state.text, text, kept)
            self._state = _State(state.text, kept)
            raise
        self._state = _State(text, kept)

    def replace(self, parts: Mapping[str, bytes]) -> None:
        """
        Save a new sign-in, whatever was stored before, and read it back.

        A column that is too short, or a store that forgets, is found while the person is there.

        Raises:
            CacheError: The store failed; whether it has the new sign-in or the one before is looked up again.
        """
        kept = Kept(parts["sign-in"], Secret(parts["secret"].decode("utf-8")))
        marks = {kind: parts[kind] for kind in _MARKS if kind in parts}
        del parts
        text = encode(kept, self._belonging)
        visit = self._in_lock()
        self._state = None  # until it is certain what the store has
        visit.save(text)
        if visit.load() != text:
            raise CacheError(
                f"load() of {self._shown} does not give what save() was given",
                hint="Have the app's store keep the whole text, unchanged; then sign in again",
                topic="E-SIGN-IN-STORE",
            )
        self._state, self._unsaved, self._marks = _State(text, kept), None, marks

    def remove(self, kind: str) -> bool:
        """
        Remove a part. With ``sign-in``, the app removes the whole text.

        Raises:
            CacheError: The store failed.
        """
        if kind in _MARKS:
            return self._marks.pop(kind, None) is not None
        if kind != "sign-in" or self.read(kind) is None:
            return False
        self._in_lock().delete()
        self._state, self._unsaved = _State(None, None), None
        return True

    @contextlib.contextmanager
    def lock(self, budget: float = LOCK_BUDGET, *, to_sign_in: bool = False) -> Iterator[None]:
        """
        Keep all threads and, by the app's lock, all processes out; the text is loaded anew.

        Args:
            budget: Seconds to wait for the lock.
            to_sign_in: Whether a person signs in: then a text that is not this login's counts as none.

        Raises:
            ServiceError: The lock was not free in time.
            CacheError: The store failed.
            CognitoCredentialsError: The store is asynchronous, and its event loop is not there.
        """
        with self._visiting(budget, is_sign_in=to_sign_in):
            self._load(may_save=True)
            self._is_signing_in = to_sign_in
            try:
                yield
            finally:
                self._is_signing_in = False

    @contextlib.contextmanager
    def _visiting(self, budget: float, *, is_look: bool = False, is_sign_in: bool = False) -> Iterator[None]:
        ends_at = time.monotonic() + budget
        check_unanswered(self)
        with self._single.turn(budget) as is_mine:
            if not is_mine:
                raise busy(budget)
            if self._last_visit is not None:
                # A call that was left behind may still write. Who only looks does not wait for it.
                self._last_visit.end_within(0 if is_look else min(budget, own_store.STORE_SECONDS))
            self._visit = self._last_visit = visit = Visit(self._store, self._shown)
            is_in = False
            try:
                if self._has_lock and not is_look and not visit.enter(ends_at - time.monotonic()):
                    raise busy(budget)
                is_in = True
                yield
            except BaseException:
                with contextlib.suppress(CognitoCredentialsError):
                    visit.close()
                raise
            finally:
                self._visit = None
                if is_in and visit.no_answer is not None:
                    # Nor is it asked again by this call of the program, which looks at it several times.
                    note_unanswered(self, visit.no_answer)
            self._close(visit, is_sign_in=is_sign_in)

    def _close(self, visit: Visit, *, is_sign_in: bool) -> None:
        """End a visit. A lock that fails at its end may be a transaction that was rolled back."""
        try:
            visit.close()
        except CognitoCredentialsError:
            now = self._state
            if is_sign_in:
                self._state = None  # the next look tells which of the two sign-ins it is
            elif now is not None and now.kept is not None and now.text not in (None, self._loaded):
                assert now.text is not None  # noqa: S101  (for the type checker)
                self._unsaved = _Unsaved(self._loaded, now.text, now.kept)
            raise

    def _first(self) -> _State:
        with self._visiting(LOCK_BUDGET, is_look=True):
            if self._state is None:  # another thread may have loaded it meanwhile
                self._load(may_save=False)
        assert self._state is not None  # noqa: S101  (for the type checker)
        return self._state

    def _load(self, *, may_save: bool) -> None:
        """
        Load the text.

        Args:
            may_save: Whether what could not be saved the last time is saved now, unless the text has changed
                since.
        """
        visit = self._in_lock()
        text = self._loaded = visit.load()
        unsaved = self._unsaved
        if unsaved is not None and text == unsaved.before:
            self._state = _State(text, unsaved.kept)
            if not may_save:
                return
            try:
                visit.save(unsaved.text)
            except CognitoCredentialsError as error:
                _log.warning("the new refresh token could still not be saved: %s", error)
                return
            text = unsaved.text
        self._unsaved = None
        if self._state is not None and text == self._state.text:
            return
        try:
            kept = None if text is None else decode(text, self._belonging, f"load() of {self._shown}")
        except CacheError as error:
            self._state = _State(text, None, CacheError(error.message, hint=error.hint, topic=error.topic))
        else:
            self._state = _State(text, kept)

    def _in_lock(self) -> Visit:
        assert self._visit is not None  # noqa: S101  (a place is written with its lock held)
        return self._visit
