"""The lock of a key, by real processes that are killed, stopped, forked and replaced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from cognito_credentials.cache import record_name
from cognito_credentials.cache.file import FileStore
from tests.cache.children import exit_status, fork, in_child, needs_fork
from tests.cache.contract import KEY
from tests.cache.faults import calls_of, failing

pytestmark = needs_fork


@pytest.fixture
def store(tmp_path: Path, warnings_given: list[str]) -> FileStore:
    store = FileStore(str(tmp_path / "cache"), explicit=True, warn=warnings_given.append)
    store.store("state", KEY, b"x")
    return store


@pytest.fixture
def lock_file(store: FileStore) -> Path:
    return Path(store.location, f"lock-v1-{KEY}.lock")


@contextlib.contextmanager
def holder(store: FileStore, *, with_child: bool = False) -> Iterator[int]:
    """A process that holds the lock; *with_child*, it has a child of its own that outlives it."""
    ready, tell = os.pipe()
    until, end = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(end)
        handle = store.lock(KEY)
        held = handle.acquire() and not handle.degraded
        if with_child and os.fork() == 0:
            os.close(tell)
            os.read(until, 1)  # until the test ends
            os._exit(0)
        os.write(tell, b"y" if held else b"n")
        os.read(until, 1)
        os._exit(0)
    os.close(tell)
    os.close(until)
    try:
        assert os.read(ready, 1) == b"y"
        yield pid
    finally:
        os.close(end)
        os.close(ready)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def seconds_until_acquired(store: FileStore, limit: float = 5) -> float:
    began = time.monotonic()
    handle = store.lock(KEY)
    while not handle.acquire():
        assert time.monotonic() - began < limit, "the lock is still held"
    handle.release()
    return time.monotonic() - began


def test_killed_holder_lets_go(store: FileStore, lock_file: Path) -> None:
    """A holder that is killed lets go at once, twenty times out of twenty; the lock file stays, empty."""
    for _ in range(20):
        with holder(store) as pid:
            assert store.lock(KEY).acquire() is False
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

            assert seconds_until_acquired(store) < 0.15
    assert lock_file.stat().st_size == 0
    assert lock_file.stat().st_mode & 0o777 == 0o600


def test_stopped_holder_stops_nobody(store: FileStore) -> None:
    """A stopped holder keeps the lock, and trying for it takes no time."""
    with holder(store) as pid:
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()

        assert store.lock(KEY).acquire() is False
        assert time.monotonic() - began < 0.1
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert seconds_until_acquired(store) < 0.15


def test_child_neither_has_nor_frees_its_parents_lock(store: FileStore) -> None:
    """In a forked child the parent's handle holds nothing: it neither releases nor gets the lock."""
    handle = store.lock(KEY)
    assert handle.acquire()

    def child() -> tuple[bool, bool]:
        handle.release()
        return handle.acquire(), store.lock(KEY).acquire()

    assert in_child(child) == (False, False)
    assert in_child(lambda: store.lock(KEY).acquire()) is False
    handle.release()
    assert in_child(lambda: (handle.acquire(), handle.release())[0]) is True


def test_inherited_handle_gets_the_lock_when_it_is_free(store: FileStore) -> None:
    """A handle that the parent held at the fork is a fresh one in the child."""
    handle = store.lock(KEY)
    assert handle.acquire()
    released, tell = os.pipe()
    pid = fork()
    if pid == 0:
        os.read(released, 1)
        os._exit(0 if handle.acquire() else 1)
    handle.release()
    os.write(tell, b"y")

    assert os.waitpid(pid, 0)[1] == 0
    os.close(released)
    os.close(tell)


def test_childs_exit_frees_nothing(store: FileStore) -> None:
    """The exit of a forked child, which closes everything, leaves the parent's lock held."""
    handle = store.lock(KEY)
    assert handle.acquire()

    assert exit_status(lambda: None) == 0
    assert in_child(lambda: store.lock(KEY).acquire()) is False


def test_child_of_a_dead_holder_keeps_nothing(store: FileStore) -> None:
    """A holder that forks and is killed lets go although its child lives on."""
    with holder(store, with_child=True) as pid:
        assert store.lock(KEY).acquire() is False
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

        assert seconds_until_acquired(store) < 0.15


def test_program_started_by_the_holder_keeps_nothing(store: FileStore) -> None:
    """A program that the holder starts does not inherit the lock, even when it inherits descriptors."""
    handle = store.lock(KEY)
    assert handle.acquire()
    program = [sys.executable, "-S", "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as process:
        assert process.stdout is not None
        process.stdout.readline()
        handle.release()

        assert seconds_until_acquired(store) < 0.15
        process.communicate()


def test_dropped_handle_lets_go(store: FileStore) -> None:
    """A handle that is garbage while it holds the lock releases it."""
    handle = store.lock(KEY)
    assert handle.acquire()
    del handle
    gc.collect()  # PyPy does not count references

    assert seconds_until_acquired(store) < 0.15


def test_lock_file_removed_while_held(store: FileStore, lock_file: Path, warnings_given: list[str]) -> None:
    """After a lock file was removed, one more process takes the lock, none fails, and the file is back."""
    first, second, third = (store.lock(KEY) for _ in range(3))
    assert first.acquire()
    lock_file.unlink()

    assert second.acquire() is True
    assert third.acquire() is False
    first.release()
    assert third.acquire() is False
    second.release()
    assert third.acquire() is True
    assert lock_file.exists()
    assert warnings_given == []


@pytest.mark.parametrize("fate", ["moved", "removed", "replaced"])
def test_lock_on_a_file_that_is_no_longer_it(store: FileStore, lock_file: Path, fate: str) -> None:
    """A lock won on a file that has lost its name is given back; the next try is on the real one."""
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if lock_file.exists():
            if fate == "removed":
                lock_file.unlink()
            else:
                lock_file.rename(lock_file.with_name("elsewhere"))
            if fate == "replaced":
                lock_file.touch(0o600)
        real(descriptor, operation)

    handle = store.lock(KEY)
    with mock.patch("fcntl.flock", flock):
        assert handle.acquire() is False

    assert handle.acquire() is True
    assert store.lock(KEY).acquire() is False
    assert not handle.degraded


def test_a_lock_needs_only_what_is_installed_with_us(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Python 3.10 nobody need have the package exceptiongroup, which our tests bring."""
    monkeypatch.setitem(sys.modules, "exceptiongroup", None)
    handle = store.lock(KEY)

    assert handle.acquire() is True
    assert not handle.degraded


def test_symbolic_link_as_lock_file(
    store: FileStore, lock_file: Path, tmp_path: Path, warnings_given: list[str]
) -> None:
    """A link in the lock file's place is not followed: its target is untouched, and we go on."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    victim.chmod(0o644)
    lock_file.symlink_to(victim)
    handle = store.lock(KEY)

    assert handle.acquire() is True
    assert handle.degraded
    assert victim.read_bytes() == b"precious"
    assert victim.stat().st_mode & 0o777 == 0o644
    assert len(warnings_given) == 1


@pytest.mark.timeout(10)
def test_fifo_as_lock_file(store: FileStore, lock_file: Path) -> None:
    """A FIFO in the lock file's place is not waited for."""
    os.mkfifo(lock_file, 0o600)

    assert store.lock(KEY).acquire() is True


LASTING = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


@pytest.mark.parametrize("error", LASTING, ids=[errno.errorcode[error] for error in LASTING])
def test_file_system_without_locks(store: FileStore, warnings_given: list[str], error: int) -> None:
    """Where the file system cannot lock we go on without, say so once, and do not ask again."""
    with failing(error, only="fcntl.flock"):
        first = store.lock(KEY)
        assert first.acquire() is True
        assert first.degraded
        first.release()
        second = store.lock(KEY)

    assert second.degraded
    assert calls_of(second.acquire) == []
    assert second.acquire() is True
    second.release()
    assert len(warnings_given) == 1
    assert "cannot lock" in warnings_given[0]
    assert store.location in warnings_given[0]


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_lock_file_that_cannot_be_made(store: FileStore, warnings_given: list[str], error: int) -> None:
    """Where no lock file can be made we go on without, and do not ask again."""
    real = os.open

    def opening(path: str, *args: int, **kwargs: int) -> int:
        if str(path).endswith(".lock"):
            raise OSError(error, os.strerror(error))
        return real(path, *args, **kwargs)

    with mock.patch("os.open", opening):
        assert store.lock(KEY).acquire() is True

    assert store.lock(KEY).degraded
    assert len(warnings_given) == 1


def test_out_of_descriptors(store: FileStore, warnings_given: list[str]) -> None:
    """Without free descriptors we go on without a lock now, and try again next time."""
    real = os.open

    def opening(path: str, *args: int, **kwargs: int) -> int:
        if str(path).endswith(".lock"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(path, *args, **kwargs)

    handle = store.lock(KEY)
    with mock.patch("os.open", opening):
        assert handle.acquire() is True
        assert handle.degraded
        handle.release()

    assert handle.acquire() is True
    assert not handle.degraded
    assert store.lock(KEY).acquire() is False
    assert len(warnings_given) == 1


def test_sweep_without_locks_waits_a_minute(store: FileStore) -> None:
    """Without working locks, another writer's temporary file is swept only when it is a minute old."""
    young, old = (Path(store.location, f".{record_name('state', KEY)}.1.{name}.tmp") for name in ("a", "b"))
    for file in (young, old):
        file.write_bytes(b"CANARY")
    os.utime(old, (time.time() - 61, time.time() - 61))
    with failing(errno.ENOLCK, only="fcntl.flock"):
        store.lock(KEY).acquire()
    store.sweep(KEY)

    assert young.exists()
    assert not old.exists()


def test_prune_without_locks_leaves_lock_files(store: FileStore, lock_file: Path) -> None:
    """A lock file is removed only by a process that really holds the lock."""
    store.lock(KEY).acquire()
    store.delete("state", KEY)
    os.utime(lock_file, (0, 0))
    with failing(errno.ENOLCK, only="fcntl.flock"):
        store.prune(lambda _: False)

    assert lock_file.exists()


def test_release_that_fails_is_told(store: FileStore, warnings_given: list[str]) -> None:
    """A lock that the system does not let go of is a warning, not an error."""
    handle = store.lock(KEY)
    handle.acquire()
    with failing(errno.EIO, only="fcntl.flock"):
        handle.release()

    assert len(warnings_given) == 1


def test_processes_never_overlap(store: FileStore, tmp_path: Path) -> None:
    """Of four processes that take the lock 50 times each, no two are inside at once."""
    inside = tmp_path / "inside"

    def work() -> None:
        handle = store.lock(KEY)
        for _ in range(50):
            while not handle.acquire():
                pass
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL, 0o600))
            inside.unlink()
            handle.release()

    children = []
    for _ in range(4):
        pid = fork()
        if pid == 0:
            try:
                work()
            except BaseException:  # noqa: BLE001  (its exit status tells)
                os._exit(1)
            os._exit(0)
        children.append(pid)

    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
