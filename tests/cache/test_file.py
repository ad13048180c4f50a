"""The store on disk: the contract, on both systems' rules; modes, planted files, whole writes, pruning."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest

from cognito_credentials.cache import FORMER_KINDS, KINDS, record_name
from cognito_credentials.cache.directory import Directory
from cognito_credentials.cache.file import FileStore
from cognito_credentials.cache.records import RECORD_LIMIT
from cognito_credentials.cache.store import Store
from cognito_credentials.errors import CacheError
from tests.cache.children import SOMEBODY, exit_status, in_child, needs_fork, needs_root
from tests.cache.contract import KEY, OTHER_KEY, StoreContract
from tests.cache.faults import calls_of

DAY = 24 * 3600
NAME = record_name("credentials", KEY)


def age(path: object, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(str(path), (then, then))


def age_all(store: Store) -> None:
    """Let a day pass for all files of *store*."""
    for file in Path(store.location).iterdir():
        age(file, DAY + 60)


class TestFileStore(StoreContract):
    """The contract."""

    let_a_day_pass = staticmethod(age_all)

    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        return FileStore(str(tmp_path / "cache"), explicit=True, warn=print)

    @pytest.fixture
    def peer(self, tmp_path: Path) -> FileStore:
        return FileStore(str(tmp_path / "cache"), explicit=False, warn=print)


class TestFileStoreOnWindows(StoreContract):
    """The contract, by Windows' rules: paths instead of descriptors, no modes."""

    let_a_day_pass = staticmethod(age_all)

    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        return FileStore(str(tmp_path / "cache"), explicit=True, warn=print, windows=True)

    @pytest.fixture
    def peer(self, tmp_path: Path) -> FileStore:
        return FileStore(str(tmp_path / "cache"), explicit=False, warn=print, windows=True)


@pytest.fixture
def store(tmp_path: Path, warnings_given: list[str]) -> FileStore:
    return FileStore(str(tmp_path / "cache"), explicit=False, warn=warnings_given.append)


@pytest.fixture
def path(store: FileStore) -> Path:
    """The file of a record that exists."""
    store.store("credentials", KEY, b"x")
    return Path(store.location, NAME)


def mode(path: object) -> int:
    return stat.S_IMODE(os.lstat(str(path)).st_mode)


def temporaries(store: FileStore) -> list[str]:
    return [name for name in os.listdir(store.location) if name.endswith(".tmp")]


# Names and modes


def test_file_names(store: FileStore) -> None:
    """Files are named by kind, version and key, beside the tag of cache directories."""
    for kind in KINDS:
        store.store(kind, KEY, b"x")
    store.lock(KEY).acquire()

    assert sorted(os.listdir(store.location)) == [
        "CACHEDIR.TAG",
        f"credentials-v2-{KEY}.txt",
        f"identity-v2-{KEY}.txt",
        f"lock-v1-{KEY}.lock",
        f"shortcut-v2-{KEY}.txt",
        f"state-v2-{KEY}.txt",
    ]


@needs_fork
@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o277])
@pytest.mark.parametrize("user", [None, pytest.param(SOMEBODY, marks=needs_root)])
def test_modes_under_any_umask(place: str, umask: int, user: int | None) -> None:
    """Every level we make is 0700 and every file 0600, whatever the umask, which is left alone."""
    os.chmod(place, 0o755)
    home = os.path.join(place, "home")
    os.mkdir(home, 0o755)
    os.chown(home, os.geteuid() if user is None else user, -1)

    def child() -> int:
        os.umask(umask)
        store = FileStore(f"{home}/.aws/cognito/cache", explicit=True, warn=print)
        store.store("credentials", KEY, b"x")
        handle = store.lock(KEY)
        assert handle.acquire()
        assert not handle.degraded
        return os.umask(0)

    assert in_child(child, user=user) == umask
    for level in (".aws", ".aws/cognito", ".aws/cognito/cache"):
        assert mode(f"{home}/{level}") == 0o700
    for name in ("CACHEDIR.TAG", NAME, f"lock-v1-{KEY}.lock"):
        assert mode(f"{home}/.aws/cognito/cache/{name}") == 0o600
    assert mode(home) == 0o755


def test_levels_above_are_left_alone(tmp_path: Path) -> None:
    """A directory that was there keeps its mode, unless it is the cache directory itself."""
    (tmp_path / ".aws").mkdir(mode=0o755)
    store = FileStore(str(tmp_path / ".aws" / "cognito" / "cache"), explicit=True, warn=print)
    store.store("state", KEY, b"x")

    assert mode(tmp_path / ".aws") == 0o755
    assert mode(tmp_path / ".aws" / "cognito") == 0o700


OURS = {
    "empty": (),
    "records": (NAME, f"lock-v1-{KEY}.lock", f".{NAME}.1.ab.tmp", f"sign-in-v1-{KEY}.json", "pruned"),
    "records of an earlier version": (f"identity-v1-{KEY}.json", f".state-v1-{KEY}.json.1.ab.tmp"),
    "tagged": ("CACHEDIR.TAG", "notes.txt"),
}


def loose_directory(tmp_path: Path, names: tuple[str, ...], loose: int) -> Path:
    """A directory of this user's that others can enter, with files of these *names*."""
    directory = tmp_path / "cache"
    FileStore(str(directory), explicit=True, warn=print).store("state", OTHER_KEY, b"x")
    for name in os.listdir(directory):
        if name not in names:
            (directory / name).unlink()
    for name in names:
        (directory / name).touch(mode=0o600)
    directory.chmod(loose)
    return directory


@pytest.mark.parametrize("loose", [0o755, 0o775, 0o750, 0o701])
@pytest.mark.parametrize("names", OURS.values(), ids=OURS)
def test_loose_directory_is_tightened_by_who_writes(
    tmp_path: Path, names: tuple[str, ...], loose: int
) -> None:
    """A cache directory that others can enter is closed to them before the first write, and not by a read."""
    directory = loose_directory(tmp_path, names, loose)
    store = FileStore(str(directory), explicit=False, warn=print)
    assert store.load("state", KEY) is None
    assert mode(directory) == loose
    store.store("state", KEY, b"x")

    assert mode(directory) == 0o700
    assert store.load("state", KEY) == b"x"


FOREIGN = [
    ".bashrc",
    f"credentials-v1-{KEY}.txt",
    f"credentials-v2-{KEY}.json",
    "credentials-v1-x.json",
    "x.tmp",
    ".x.tmp",
    f"{KEY}.json",
]


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("name", FOREIGN)
def test_loose_directory_with_other_files_is_left_alone(tmp_path: Path, name: str, explicit: bool) -> None:
    """A directory that also holds other files is not closed to others, whatever variable names it."""
    directory = loose_directory(tmp_path, (NAME, name), 0o755)
    given: list[str] = []
    store = FileStore(str(directory), explicit=explicit, warn=given.append)
    for call in (lambda: store.load("state", KEY), lambda: store.store("state", KEY, b"x")):
        if explicit:
            with pytest.raises(CacheError, match="holds other files"):
                call()
        else:
            assert call() is None

    assert mode(directory) == 0o755
    assert sorted(os.listdir(directory)) == sorted([NAME, name])
    assert len(given) == (0 if explicit else 1)


@pytest.mark.parametrize("names", [*OURS.values(), ("CACHEDIR.TAG",)])
@pytest.mark.parametrize("loose", [0o777, 0o1777, 0o1755, 0o703])
def test_directory_for_everybody_is_left_alone(tmp_path: Path, names: tuple[str, ...], loose: int) -> None:
    """Closing /tmp would break the machine, and a file there that looks like ours may be planted."""
    directory = loose_directory(tmp_path, names, loose)
    given: list[str] = []
    store = FileStore(str(directory), explicit=False, warn=given.append)
    store.store("state", KEY, b"x")

    assert store.load("state", KEY) is None
    assert stat.S_IMODE(directory.stat().st_mode) == loose
    assert sorted(os.listdir(directory)) == sorted(names)
    assert len(given) == 1
    assert "subdirectory" in given[0]


def test_tag_of_others_is_not_ours(tmp_path: Path) -> None:
    """Another program's tag of the same standard does not make the directory ours."""
    directory = loose_directory(tmp_path, ("build",), 0o755)
    (directory / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n# cargo\n")
    with pytest.raises(CacheError, match="holds other files"):
        FileStore(str(directory), explicit=True, warn=print).store("state", KEY, b"x")

    assert mode(directory) == 0o755


def test_tag_is_written_once_and_only_where_we_made_the_directory(tmp_path: Path, store: FileStore) -> None:
    """The tag that keeps backup programs away marks only directories of our making."""
    store.store("state", KEY, b"x")
    tag = Path(store.location, "CACHEDIR.TAG")
    assert tag.read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    tag.write_bytes(b"mine")
    store.store("state", KEY, b"y")
    own = tmp_path / "own"
    own.mkdir()
    FileStore(str(own), explicit=True, warn=print).store("state", KEY, b"x")

    assert tag.read_bytes() == b"mine"
    assert not (own / "CACHEDIR.TAG").exists()


@pytest.mark.parametrize("windows", [False, True])
def test_another_process_makes_the_directory_first(tmp_path: Path, windows: bool) -> None:
    """The second process to make a level of the directory uses the level that is there."""
    real = os.mkdir

    def mkdir(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]  # handed through
        real(*args, **kwargs)  # type: ignore[arg-type]  # handed through

    store = FileStore(str(tmp_path / "a" / "b"), explicit=True, warn=print, windows=windows)
    with mock.patch("os.mkdir", mkdir):
        store.store("state", KEY, b"x")

    assert store.load("state", KEY) == b"x"


def test_paths_with_odd_spellings(tmp_path: Path) -> None:
    """Trailing and doubled slashes and dots lead to the same directory."""
    FileStore(f"{tmp_path}//a/./b//", explicit=True, warn=print).store("state", KEY, b"x")

    assert FileStore(f"{tmp_path}/a/b", explicit=True, warn=print).load("state", KEY) == b"x"


@needs_fork
@needs_root
@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="this Python has no O_PATH")
def test_unreadable_directory_above(place: str) -> None:
    """Missing levels are made below a directory that may be passed but not listed, as /home often is."""
    os.chmod(place, 0o711)
    os.makedirs(f"{place}/home/me")
    os.chmod(f"{place}/home", 0o711)
    os.chown(f"{place}/home/me", SOMEBODY, -1)
    os.chmod(f"{place}/home/me", 0o300)

    def child() -> bytes | None:
        store = FileStore(f"{place}/home/me/.aws/cache", explicit=True, warn=print)
        store.store("state", KEY, b"x")
        return store.load("state", KEY)

    assert in_child(child, user=SOMEBODY) == b"x"


# Reading


@pytest.mark.parametrize("loose", [0o644, 0o640, 0o604, 0o666, 0o620])
def test_loose_file_is_removed(store: FileStore, path: Path, loose: int) -> None:
    """Credentials that others could read are a miss and gone."""
    path.chmod(loose)

    assert store.load("credentials", KEY) is None
    assert not path.exists()


@pytest.mark.parametrize("kind", ["identity", "identity-v1"])
def test_readable_identity_is_tightened(store: FileStore, kind: str) -> None:
    """An identity that others could only read is kept: a guest's data is lost with its identity."""
    store.store(kind, KEY, b"x")
    path = Path(store.location, record_name(kind, KEY))
    path.chmod(0o644)

    assert store.load(kind, KEY) == b"x"
    assert mode(path) == 0o600


@pytest.mark.parametrize("loose", [0o646, 0o660, 0o664, 0o666])
def test_writable_identity_is_set_aside(store: FileStore, loose: int, warnings_given: list[str]) -> None:
    """An identity that others could have written is not used, and not lost; the user is told where it is."""
    store.store("identity", KEY, b"x")
    path = Path(store.location, record_name("identity", KEY))
    path.chmod(loose)

    assert store.load("identity", KEY) is None
    (aside,) = Path(store.location).glob(f"{path.name}.*.aside")
    assert aside.read_bytes() == b"x"
    assert mode(aside) == 0o600
    assert not path.exists()
    (line,) = warnings_given
    assert "could be written by others" in line
    assert aside.name in line
    store.store("identity", KEY, b"new")
    assert store.load("identity", KEY) == b"new"
    assert store.delete_asides() == 1
    assert not aside.exists()


@pytest.mark.parametrize("fault", ["linked", "refused"])
def test_identity_that_cannot_be_closed_is_set_aside(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A file with a second name, or whose mode cannot be changed, is set aside with the mode that it has."""
    store.store("identity", KEY, b"x")
    path = Path(store.location, record_name("identity", KEY))
    path.chmod(0o660)
    if fault == "linked":
        os.link(path, path.with_name("second"))
    else:
        monkeypatch.setattr(os, "fchmod", mock.Mock(side_effect=PermissionError))

    assert store.load("identity", KEY) is None
    (aside,) = Path(store.location).glob(f"{path.name}.*.aside")
    assert mode(aside) == 0o660


def test_what_was_set_aside_stays(store: FileStore) -> None:
    """Neither tidying up nor time removes an identity that was set aside."""
    store.store("identity", KEY, b"x")
    store.set_aside("identity", KEY, b"x")
    (aside,) = Path(store.location).glob("*.aside")
    os.utime(aside, (0, 0))

    store.prune(lambda _: True)
    store.sweep_all()

    assert aside.read_bytes() == b"x"


@pytest.mark.parametrize("kind", ["identity", "credentials"])
def test_a_backup_by_hard_links_costs_nothing(
    store: FileStore, tmp_path: Path, kind: str, warnings_given: list[str]
) -> None:
    """A record with a second name is read; the next record leaves the content of the other name alone."""
    store.store(kind, KEY, b"x")
    os.link(Path(store.location, record_name(kind, KEY)), tmp_path / "copy")

    assert store.load(kind, KEY) == b"x"
    store.store(kind, KEY, b"new")
    assert (tmp_path / "copy").read_bytes() == b"x"
    assert warnings_given == []


def test_an_open_file_that_was_linked_here_keeps_its_mode(store: FileStore, tmp_path: Path) -> None:
    """Whoever links a file of ours into the directory cannot have us close it to its readers."""
    store.store("identity", KEY, b"x")
    (tmp_path / "page").write_bytes(b"x")
    (tmp_path / "page").chmod(0o644)
    os.link(tmp_path / "page", Path(store.location, record_name("identity", OTHER_KEY)))

    assert store.load("identity", OTHER_KEY) is None
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("windows", [False, True])
def test_symbolic_link_is_a_miss_and_its_target_unharmed(
    store: FileStore, tmp_path: Path, windows: bool
) -> None:
    """A link in a record's place is neither read nor written through, and the next write replaces it."""
    store = FileStore(store.location, explicit=True, warn=print, windows=windows)
    store.store("credentials", OTHER_KEY, b"x")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    victim.chmod(0o600)
    os.symlink(victim, Path(store.location, NAME))

    assert store.load("credentials", KEY) is None
    store.store("credentials", KEY, b"mine")
    assert victim.read_bytes() == b"precious"
    assert store.load("credentials", KEY) == b"mine"


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.timeout(10)
def test_fifo_is_a_miss_without_waiting(store: FileStore, path: Path, windows: bool) -> None:
    """A FIFO is a miss at once; a plain open would wait until somebody writes to it."""
    store = FileStore(store.location, explicit=True, warn=print, windows=windows)
    path.unlink()
    os.mkfifo(path, 0o600)

    assert store.load("credentials", KEY) is None
    store.store("credentials", KEY, b"mine")
    assert store.load("credentials", KEY) == b"mine"


def test_socket_is_a_miss(
    store: FileStore, path: Path, warnings_given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket in a record's place is a miss."""
    path.unlink()
    monkeypatch.chdir(store.location)  # the path may be too long for a socket's name
    with socket.socket(socket.AF_UNIX) as plant:
        plant.bind(NAME)

    assert store.load("credentials", KEY) is None
    assert len(warnings_given) == 1


@needs_root
def test_device_is_a_miss(store: FileStore, path: Path) -> None:
    """A device in a record's place is a miss."""
    path.unlink()
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero never ends

    assert store.load("credentials", KEY) is None


def test_directory_is_a_miss_and_a_warning(store: FileStore, path: Path, warnings_given: list[str]) -> None:
    """A directory in a record's place is a miss; writing warns, once, and leaves no temporary file."""
    path.unlink()
    path.mkdir()

    assert store.load("credentials", KEY) is None
    store.store("credentials", KEY, b"x")
    store.store("credentials", KEY, b"x")
    assert len(warnings_given) == 2
    assert "is not a regular file, and is not used" in warnings_given[0]
    assert "Is a directory" in warnings_given[1]
    assert temporaries(store) == []


def test_oversized_file_is_a_miss(store: FileStore, path: Path) -> None:
    """A file of 65,537 bytes is a miss, of 65,536 is not."""
    path.write_bytes(b"x" * RECORD_LIMIT)
    assert store.load("credentials", KEY) == b"x" * RECORD_LIMIT
    path.write_bytes(b"x" * (RECORD_LIMIT + 1))

    assert store.load("credentials", KEY) is None


def test_file_that_grows_while_read(store: FileStore, path: Path) -> None:
    """A file that is small when it is checked and endless when it is read is a miss."""
    with mock.patch("os.read", lambda _, size: b"x" * size):
        assert store.load("credentials", KEY) is None


@needs_root
def test_foreign_owner_is_a_miss(store: FileStore, path: Path) -> None:
    """A file of another user in our directory is a miss, is left, and is replaced by the next write."""
    os.chown(path, SOMEBODY, -1)

    assert store.load("credentials", KEY) is None
    assert path.exists()
    store.store("credentials", KEY, b"mine")
    assert store.load("credentials", KEY) == b"mine"


def test_other_versions_are_left_alone(store: FileStore, path: Path) -> None:
    """Files of a later version, and of other programs, are neither listed, read, pruned nor swept."""
    others = [
        f"credentials-v2-{KEY}.json",
        f"credentials-v3-{KEY}.txt",
        f"identity-v3-{KEY}.txt",
        f".credentials-v3-{KEY}.txt.1.ab.tmp",
        "notes.txt",
        f"lock-v2-{KEY}.lock",
        "lock-v1-x.lock",
        ".hidden",
        ".x.tmp",
    ]
    for name in others:
        Path(store.location, name).write_bytes(b"x")
        age(Path(store.location, name), 30 * DAY)
    age(path, 2 * DAY)
    store.prune(lambda _: True)
    store.sweep(KEY)

    assert store.keys("credentials") == []
    assert set(others) <= set(os.listdir(store.location))


def test_loose_file_that_was_replaced_is_not_removed(store: FileStore, path: Path) -> None:
    """Between finding a record loose and removing it, a writer may have put a good one in its place."""
    path.chmod(0o644)
    real = os.fstat
    writer = FileStore(store.location, explicit=True, warn=print)

    def fstat(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        if stat.S_ISREG(found.st_mode):
            with mock.patch("os.fstat", real):
                writer.store("credentials", KEY, b"good")
        return found

    with mock.patch("os.fstat", fstat):
        assert store.load("credentials", KEY) is None

    assert store.load("credentials", KEY) == b"good"


def test_record_replaced_while_it_is_read(store: FileStore, path: Path) -> None:
    """A record that is replaced between opening and reading it is read as it was, and the new one stays."""
    real = os.open
    writer = FileStore(store.location, explicit=True, warn=print)

    def opening(path: str, *args: int, **kwargs: int) -> int:
        descriptor = real(path, *args, **kwargs)
        if path == NAME:
            with mock.patch("os.open", real):
                writer.store("credentials", KEY, b"new")
        return descriptor

    with mock.patch("os.open", opening):
        assert store.load("credentials", KEY) == b"x"

    assert store.load("credentials", KEY) == b"new"


# Writing


def test_write_is_flushed_before_it_is_named(store: FileStore) -> None:
    """The content is on the disk before the name is; an identity's name is flushed, too."""
    store.store("state", OTHER_KEY, b"x")

    credentials = calls_of(lambda: store.store("credentials", KEY, b"x"))
    identity = calls_of(lambda: store.store("identity", KEY, b"x"))

    assert credentials.index("os.fsync") < credentials.index("os.replace")
    assert credentials.count("os.fsync") == 1
    assert identity.index("os.replace") < len(identity) - identity[::-1].index("os.fsync")
    assert identity.count("os.fsync") == 2


def test_short_writes_are_continued(store: FileStore) -> None:
    """A write that takes only a part is followed by the rest."""
    real = os.write
    with mock.patch("os.write", lambda descriptor, data: real(descriptor, bytes(data[:7]))):
        store.store("credentials", KEY, b"0123456789" * 10)

    assert store.load("credentials", KEY) == b"0123456789" * 10


def test_record_is_a_new_file(store: FileStore, path: Path) -> None:
    """A record is replaced, not changed in place: a reader that has it open reads the old one whole."""
    with path.open("rb") as old:
        store.store("credentials", KEY, b"something else")

        assert old.read() == b"x"


def test_interrupt_leaves_no_temporary(store: FileStore, path: Path) -> None:
    """Ctrl-C while writing leaves the old record and nothing else, and is not swallowed."""
    with mock.patch("os.fsync", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        store.store("credentials", KEY, b"new")

    assert store.load("credentials", KEY) == b"x"
    assert temporaries(store) == []


def test_directory_deleted_while_in_use(store: FileStore, path: Path, warnings_given: list[str]) -> None:
    """A deleted directory is a miss, and the next write or lock creates it again."""
    handle = store.lock(KEY)
    assert handle.acquire()
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()

    assert store.load("credentials", KEY) is None
    assert store.lock(KEY).acquire() is True
    store.store("credentials", KEY, b"again")
    assert store.load("credentials", KEY) == b"again"
    handle.release()
    assert warnings_given == []


def test_swept_under_its_writers_hands(store: FileStore, path: Path, warnings_given: list[str]) -> None:
    """A writer whose temporary file is swept by another writes once more."""
    real = os.replace
    swept: list[str] = []

    def replace(source: str, target: str, **kwargs: int) -> None:
        if not swept:
            swept.extend(temporaries(store))
            os.unlink(Path(store.location, swept[0]))
        real(source, target, **kwargs)

    with mock.patch("os.replace", replace):
        store.store("credentials", KEY, b"new")

    assert swept
    assert store.load("credentials", KEY) == b"new"
    assert warnings_given == []


@needs_fork
def test_descriptors_do_not_pile_up(store: FileStore, path: Path) -> None:
    """A thousand operations leave as many descriptors open as none."""

    def work() -> None:
        for _ in range(50):
            store.load("credentials", KEY)
            store.store("credentials", KEY, b"x")
            handle = store.lock(KEY)
            handle.acquire()
            handle.release()
            store.sweep(KEY)
            store.keys("state")
            store.delete("state", KEY)
        store.prune(lambda _: False)

    work()
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    work()

    assert len(os.listdir("/proc/self/fd") if before else []) == len(before)


def test_symbolic_link_to_a_directory(tmp_path: Path) -> None:
    """The cache directory may be a link to a directory of the user's, which is then closed to others."""
    target = tmp_path / "target"
    target.mkdir()
    target.chmod(0o755)
    os.symlink(target, tmp_path / "cache")
    store = FileStore(str(tmp_path / "cache"), explicit=True, warn=print)
    store.store("state", KEY, b"x")

    assert store.load("state", KEY) == b"x"
    assert mode(target) == 0o700


# Sweeping and pruning


@pytest.mark.parametrize("kind", [*KINDS, *FORMER_KINDS])
def test_sweep_takes_temporaries_of_its_key(store: FileStore, path: Path, kind: str) -> None:
    """Holding the lock, all temporary files of the key go, and none of another key."""
    mine = Path(store.location, f".{record_name(kind, KEY)}.1.ab.tmp")
    others = Path(store.location, f".{record_name(kind, OTHER_KEY)}.1.ab.tmp")
    mine.write_bytes(b"CANARY")
    others.write_bytes(b"CANARY")
    store.sweep(KEY)

    assert not mine.exists()
    assert others.exists()
    assert path.exists()


@pytest.mark.parametrize("kind", ["credentials", "credentials-v1"])
def test_sweep_of_all_takes_temporaries_of_any_age(store: FileStore, path: Path, kind: str) -> None:
    """Clearing everything removes half-written secrets, too; records stay."""
    half = Path(store.location, f".{record_name(kind, OTHER_KEY)}.1.ab.tmp")
    half.write_bytes(b"CANARY")
    store.sweep_all()

    assert not half.exists()
    assert path.exists()


def test_a_writer_that_is_swept_writes_again(store: FileStore) -> None:
    """A writer whose temporary file is swept writes once more, and its record is kept."""
    with mock.patch("os.fsync") as fsync:
        fsync.side_effect = lambda _: store.sweep_all() if fsync.call_count == 1 else None
        store.store("credentials", KEY, b"x")

    assert fsync.call_count == 2
    assert store.load("credentials", KEY) == b"x"


def test_prune_takes_old_temporaries_of_all_keys(store: FileStore, path: Path) -> None:
    """A temporary file whose writer died may hold a secret, and its key may never be used again."""
    old = Path(store.location, f".{record_name('credentials', OTHER_KEY)}.1.ab.tmp")
    new = Path(store.location, f".{record_name('credentials', OTHER_KEY)}.1.cd.tmp")
    for file in (old, new):
        file.write_bytes(b"CANARY")
    age(old, 61)
    store.prune(lambda _: False)

    assert not old.exists()
    assert new.exists()


def test_prune_takes_lock_files_of_dead_keys(store: FileStore) -> None:
    """A lock file goes when its key has no record left and it is an hour old, not before."""
    keys = {name: digit * 40 for name, digit in (("dead", "1"), ("young", "2"), ("live", "3"), ("held", "4"))}
    for key in keys.values():
        handle = store.lock(key)
        handle.acquire()
        handle.release()
    store.store("identity", keys["live"], b"x")
    held = store.lock(keys["held"])
    held.acquire()
    for name in ("dead", "live", "held"):
        age(Path(store.location, f"lock-v1-{keys[name]}.lock"), 3660)
    store.prune(lambda _: False)
    held.release()

    left = [name for name, key in keys.items() if Path(store.location, f"lock-v1-{key}.lock").exists()]
    assert left == ["young", "live", "held"]


@pytest.mark.parametrize("kind", ["state", "shortcut"])
def test_prune_takes_what_is_a_day_old(store: FileStore, kind: str) -> None:
    """A state or a shortcut goes when it is a day old, and not before."""
    for key, seconds in ((KEY, DAY + 60), (OTHER_KEY, 60)):
        store.store(kind, key, b"x")
        age(Path(store.location, record_name(kind, key)), seconds)
    store.prune(lambda _: False)

    assert store.keys(kind) == [OTHER_KEY]


def test_prune_takes_what_an_earlier_version_has_left(store: FileStore) -> None:
    """Its credentials, states and shortcuts go when they are a day old; its identities never do."""
    for kind in FORMER_KINDS:
        for key, seconds in ((KEY, DAY + 60), (OTHER_KEY, 60)):
            store.store(kind, key, b"x")
            age(Path(store.location, record_name(kind, key)), seconds)
    store.prune(lambda _: False)

    assert {kind: store.keys(kind) for kind in FORMER_KINDS} == {
        "identity-v1": [KEY, OTHER_KEY],
        "credentials-v1": [OTHER_KEY],
        "state-v1": [OTHER_KEY],
        "shortcut-v1": [OTHER_KEY],
    }


@pytest.mark.parametrize("kind", ["identity", "identity-v1"])
def test_prune_leaves_the_lock_of_an_identity(store: FileStore, kind: str) -> None:
    """Whichever version wrote the identity, the lock file of its key stays."""
    store.store(kind, KEY, b"x")
    handle = store.lock(KEY)
    handle.acquire()
    handle.release()
    for file in Path(store.location).iterdir():
        age(file, 2 * DAY)
    store.prune(lambda _: True)

    assert Path(store.location, f"lock-v1-{KEY}.lock").exists()


def test_prune_leaves_what_is_young(store: FileStore) -> None:
    """However many records there are, none that was written within a day goes, whatever is in it."""
    keys = [f"{number:040x}" for number in range(300)]
    for kind in KINDS:
        for key in keys:
            store.store(kind, key, b"x")

    assert store.prune(lambda _: True) == 0
    assert all(store.keys(kind) == keys for kind in KINDS)


def test_a_process_with_many_users_does_not_look_at_all_files_each_time(store: FileStore, path: Path) -> None:
    """Of over a hundred files, one store looks for old ones hourly, for half-written ones each minute."""
    for number in range(101):
        store.store("credentials", f"{number:040x}", b"x")
    stray = path.parent / f".{record_name('credentials', KEY)}.1.ab.tmp"
    with (
        mock.patch("cognito_credentials.cache.file.time.monotonic") as now,
        mock.patch(
            "cognito_credentials.cache.directory.Directory.names", autospec=True, side_effect=Directory.names
        ) as names,
    ):

        def looks(at: float) -> int:
            names.reset_mock()
            now.return_value = at
            store.sweep(KEY)
            store.prune(lambda _: False)
            return int(names.call_count)

        counts = [looks(1000), looks(1001), looks(1002), looks(1059)]
        stray.write_bytes(b"x")
        age(stray, 61)
        counts += [looks(1062), looks(4599)]
        age(path.parent / "pruned", 3601)
        counts.append(looks(4601))

    assert counts == [3, 2, 0, 0, 2, 2, 2]
    assert not stray.exists()


def test_one_process_prunes_many_files_for_all(store: FileStore, path: Path) -> None:
    """Of over a hundred files, a process looks for old ones only if none has done so within an hour."""
    stamp = path.with_name("pruned")
    stray = path.with_name(f".{record_name('credentials', OTHER_KEY)}.1.ab.tmp")

    def dropped(by: FileStore) -> int:
        store.store("credentials", OTHER_KEY, b"expired")
        age(path.with_name(record_name("credentials", OTHER_KEY)), 2 * DAY)
        return by.prune(lambda data: data == b"expired")

    def other() -> FileStore:
        return FileStore(store.location, explicit=True, warn=print)

    for number in range(101):
        store.store("state", f"{number:040x}", b"x")
    assert [dropped(other()), dropped(other())] == [1, 0]

    stray.write_bytes(b"CANARY")
    age(stray, 61)
    assert dropped(other()) == 0
    assert not stray.exists(), "a half-written secret does not wait"

    age(stamp, 3601)
    assert dropped(other()) == 1
    age(stamp, -60)  # the clock was set back
    assert dropped(other()) == 1

    lasting = other()
    with mock.patch("cognito_credentials.cache.file.time.monotonic") as now:
        age(stamp, 3000)
        now.return_value = 1000.0
        assert dropped(lasting) == 0
        age(stamp, 3601)
        now.return_value = 1590.0
        assert dropped(lasting) == 0
        now.return_value = 1601.0
        assert dropped(lasting) == 1


def test_pruning_opens_no_lock_of_an_identity(store: FileStore) -> None:
    """However many users there have been, only the locks of keys without an identity are tried."""
    for number in range(20):
        key = f"{number:040x}"
        store.store("identity" if number % 2 else "identity-v1", key, b"x")
        Path(store.location, f"lock-v1-{key}.lock").touch(0o600)
    Path(store.location, f"lock-v1-{KEY}.lock").touch(0o600)
    age_all(store)
    with mock.patch.object(FileStore, "lock", autospec=True, side_effect=FileStore.lock) as lock:
        store.prune(lambda _: False)

    assert [call.args[1] for call in lock.call_args_list] == [KEY]


def test_pruning_works_on_a_full_disk(store: FileStore) -> None:
    """Where the stamp cannot be made, old files still go: on a full disk that is what helps."""
    for number in range(101):
        store.store("credentials", f"{number:040x}", b"expired")
    age_all(store)
    real = os.open

    def opening(path: str, flags: int, *args: int, **kwargs: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, flags, *args, **kwargs)

    with mock.patch("os.open", opening):
        assert store.prune(lambda _: True) == 101


def test_clearing_all_does_not_wait_for_the_hour(store: FileStore) -> None:
    """After `sweep_all`, all files are looked at, and no stamp is left behind where few are left."""
    for number in range(101):
        store.store("state", f"{number:040x}", b"x")
        Path(store.location, f"lock-v1-{number:040x}.lock").touch(0o600)
    store.prune(lambda _: False)
    age_all(store)
    Path(store.location, "pruned").touch()
    for _ in range(2):
        store.sweep_all()
        store.prune(lambda _: False)

    assert os.listdir(store.location) == ["CACHEDIR.TAG"]


def test_with_few_files_each_refresh_looks(store: FileStore) -> None:
    """With a hundred files or fewer, whatever an interrupted writer has left goes with the next refresh."""
    store.store("credentials", KEY, b"x")
    for _ in range(3):
        stray = Path(store.location, f".{NAME}.1.ab.tmp")
        stray.write_bytes(b"x")
        store.sweep(KEY)
        store.prune(lambda _: False)
        assert not stray.exists()


def test_changing_keys_leave_nothing_behind(store: FileStore) -> None:
    """A year of keys bound to hourly tokens leaves as many files as a day of them."""
    for number in range(200):
        key = f"{number:040x}"
        handle = store.lock(key)
        handle.acquire()
        store.store("credentials", key, b"expired")
        store.store("state", key, b"x")
        handle.release()
    for file in Path(store.location).iterdir():
        age(file, 2 * DAY)

    assert store.prune(lambda _: True) == 200
    assert sorted(os.listdir(store.location)) == ["CACHEDIR.TAG", "pruned"]


def test_prune_makes_no_lock_files(store: FileStore) -> None:
    """Removing credentials makes no lock file of their key, which would stay behind."""
    for number in range(5):
        store.store("credentials", f"{number:040x}", b"expired")
    age_all(store)

    assert store.prune(lambda _: True) == 5
    assert os.listdir(store.location) == ["CACHEDIR.TAG"]


# Windows


class SharingViolationError(PermissionError):
    """The error of os.replace on Windows while a reader or a virus scanner has the target open."""

    winerror = 32


@pytest.mark.parametrize(("failures", "is_kept"), [(1, True), (9, True), (10, False)])
def test_replace_is_retried_on_windows(store: FileStore, path: Path, failures: int, is_kept: bool) -> None:
    """A target in use is tried ten times in at most a second; then there is a warning, and the old record."""
    given: list[str] = []
    store = FileStore(store.location, explicit=True, warn=given.append, windows=True)
    real = os.replace
    outcomes = iter([SharingViolationError(13, "in use")] * failures)
    pauses: list[float] = []

    def replace(source: str, target: str, **kwargs: None) -> None:
        for error in outcomes:
            raise error
        real(source, target, **kwargs)

    with mock.patch("os.replace", replace), mock.patch("time.sleep", pauses.append):
        store.store("credentials", KEY, b"new")

    assert store.load("credentials", KEY) == (b"new" if is_kept else b"x")
    assert len(pauses) == min(failures, 9)
    assert sum(pauses) <= 1
    assert len(given) == (0 if is_kept else 1)
    assert temporaries(store) == []


@pytest.mark.parametrize(("failures", "is_read"), [(3, True), (4, False)])
def test_read_is_retried_on_windows(store: FileStore, path: Path, failures: int, is_read: bool) -> None:
    """A record in use is tried four times, 20 milliseconds apart, and is then a miss."""
    store = FileStore(store.location, explicit=True, warn=print, windows=True)
    real = os.open
    outcomes = iter([SharingViolationError(13, "in use")] * failures)
    pauses: list[float] = []

    def opening(*args: object, **kwargs: object) -> int:
        for error in outcomes:
            raise error
        return real(*args, **kwargs)  # type: ignore[arg-type]  # handed through

    with mock.patch("os.open", opening), mock.patch("time.sleep", pauses.append):
        assert store.load("credentials", KEY) == (b"x" if is_read else None)

    assert pauses == [0.02] * 3


def test_permission_error_elsewhere_is_not_retried(store: FileStore, path: Path) -> None:
    """A permission error without Windows' codes is not retried."""
    with (
        mock.patch("os.replace", side_effect=PermissionError(13, "no")),
        mock.patch("time.sleep", side_effect=AssertionError),
    ):
        store.store("credentials", KEY, b"new")

    assert store.load("credentials", KEY) == b"x"


def test_windows_rules_use_no_descriptors_of_directories_and_no_modes(tmp_path: Path) -> None:
    """By the rules of Windows, no call is made that Windows does not have."""
    store = FileStore(str(tmp_path / "a" / "b"), explicit=True, warn=print, windows=True)
    forbidden = mock.Mock(side_effect=AssertionError("not on Windows"))
    with mock.patch.multiple("os", fchmod=forbidden, geteuid=forbidden, dup=forbidden):
        store.store("credentials", KEY, b"x")

        assert store.load("credentials", KEY) == b"x"
        assert store.keys("credentials") == [KEY]
        assert store.delete("credentials", KEY)


def test_prune_on_windows_leaves_an_open_lock_file(store: FileStore) -> None:
    """Windows removes no open file: the lock is released first, and a file that is in use stays."""
    given: list[str] = []
    store = FileStore(store.location, explicit=True, warn=given.append, windows=True)
    for key in (KEY, OTHER_KEY):
        handle = store.lock(key)
        handle.acquire()
        handle.release()
        age(Path(store.location, f"lock-v1-{key}.lock"), 2 * DAY)
    real = os.unlink

    def unlink(path: str, **kwargs: None) -> None:
        handle = store.lock(path[-45:-5])
        assert handle.acquire(), "still held"
        handle.release()
        if KEY in path:
            raise SharingViolationError(13, "in use")
        real(path, **kwargs)

    with mock.patch("os.unlink", unlink), mock.patch("time.sleep"):
        store.prune(lambda _: False)

    assert sorted(os.listdir(store.location)) == ["CACHEDIR.TAG", f"lock-v1-{KEY}.lock"]
    assert given == []


# The fast path


def test_loading_imports_nothing_heavy(store: FileStore, path: Path) -> None:
    """A cache hit loads none of the modules whose import takes longer than the whole answer."""
    program = (
        "import sys\n"
        "from cognito_credentials.cache.file import FileStore\n"
        f"store = FileStore({store.location!r}, explicit=True, warn=print)\n"
        f"assert store.load('credentials', {KEY!r}) == b'x'\n"
        "print(*sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)

    heavy = {
        "typing",
        "logging",
        "filelock",
        "threading",
        "re",
        "json",
        "enum",
        "dataclasses",
        "functools",
        "hashlib",
    }
    assert not heavy & set(answer.stdout.split())


# Dying while writing


def crash(number: int, when: str, store: FileStore) -> int:
    """Store in a child that exits in its call *number*; return its exit status."""
    from tests.cache.faults import interrupted

    def interrupt(count: int, name: str, real: object, args: tuple[object, ...]) -> object:
        if count != number:
            return real()  # type: ignore[operator]  # the real call
        try:
            if when == "after":
                real()  # type: ignore[operator]  # the real call
            elif when == "half" and name == "os.write":
                os_write(args[0], bytes(args[1])[:10])  # type: ignore[arg-type,call-overload]  # as given
        finally:
            os._exit(7)

    def child() -> None:
        with interrupted(interrupt):
            store.store("credentials", KEY, b"new" * 500)

    os_write = os.write
    return exit_status(child)


@pytest.mark.thorough
@needs_fork
@pytest.mark.parametrize("when", ["before", "half", "after"])
@pytest.mark.parametrize("state", ["none", "old record", "stale temporary", "no directory"])
def test_dying_in_any_call(tmp_path: Path, state: str, when: str) -> None:
    """A writer may die in any call: the record is the old or the new one, and the next write tidies up."""
    outcomes = set()
    for number in range(1, 60):
        store = FileStore(str(tmp_path / str(number)), explicit=True, warn=print)
        old = None
        if state != "no directory":
            store.store("identity", KEY, b"x")
        if state == "old record":
            old = b"old"
            store.store("credentials", KEY, old)
        if state == "stale temporary":
            Path(store.location, f".{NAME}.1.ab.tmp").write_bytes(b"CANARY")
        status = crash(number, when, store)
        found = store.load("credentials", KEY)
        assert found in (old, b"new" * 500)
        outcomes.add((status, found))

        handle = store.lock(KEY)
        assert handle.acquire()
        store.sweep(KEY)
        store.store("credentials", KEY, b"next")
        handle.release()
        assert store.load("credentials", KEY) == b"next"
        assert temporaries(store) == []
        if status == 0:
            break

    assert number > 8, "too few calls for this to have tested anything"
    assert status == 0
    assert (7, old) in outcomes
    if when == "after":
        assert (7, b"new" * 500) in outcomes
