"""The disk fails, is full, or is another user's: no error, and one warning for each cause."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cognito_credentials.cache import InDoubt, record_name
from cognito_credentials.cache.file import NOTHING_KEPT, FileStore
from cognito_credentials.errors import CacheError
from tests.cache.children import SOMEBODY, in_child, needs_fork, needs_root
from tests.cache.contract import KEY, OTHER_KEY
from tests.cache.faults import ERRORS, calls_of, failing

errors = pytest.mark.parametrize("error", ERRORS, ids=[errno.errorcode[error] for error in ERRORS])


def lock_and_let_go(store: FileStore) -> bool:
    handle = store.lock(KEY)
    is_let_on = handle.acquire()
    handle.release()
    return is_let_on


def load_identity(store: FileStore) -> None:
    with contextlib.suppress(InDoubt):
        assert store.load("identity", KEY) in (b"old", b"new", None)


def set_aside(store: FileStore) -> None:
    with contextlib.suppress(InDoubt):
        store.set_aside("identity", OTHER_KEY, b"damaged")


OPERATIONS: dict[str, Callable[[FileStore], object]] = {
    "load": lambda store: store.load("credentials", KEY),
    "load loose": lambda store: store.load("state", KEY),
    "load loose identity": load_identity,
    "set aside": set_aside,
    "store": lambda store: store.store("credentials", KEY, b"new"),
    "store identity": lambda store: store.store("identity", KEY, b"new"),
    "delete": lambda store: store.delete("state", KEY),
    "keys": lambda store: store.keys("credentials"),
    "lock": lock_and_let_go,
    "sweep": lambda store: store.sweep(OTHER_KEY),
    "sweep all": lambda store: store.sweep_all(),
    "prune": lambda store: store.prune(lambda data: data == b"expired"),
}


def filled(directory: Path, given: list[str]) -> FileStore:
    """A store with something for every operation to do."""
    directory.mkdir(0o700)
    for name, data, mode in (
        (record_name("credentials", KEY), b"old", 0o600),
        (record_name("credentials", OTHER_KEY), b"expired", 0o600),
        (record_name("identity", KEY), b"old", 0o644),
        (record_name("identity", OTHER_KEY), b"damaged", 0o600),
        (record_name("state", KEY), b"old", 0o644),
        (f".{record_name('state', OTHER_KEY)}.1.ab.tmp", b"x", 0o600),
        (f"lock-v1-{'9' * 40}.lock", b"", 0o600),
    ):
        path = directory / name
        path.write_bytes(data)
        path.chmod(mode)
    os.utime(directory / f"lock-v1-{'9' * 40}.lock", (0, 0))
    return FileStore(str(directory), explicit=False, warn=given.append)


@pytest.mark.thorough
@errors
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_call_fails(tmp_path: Path, operation: str, error: int) -> None:
    """Whichever call to the system fails: no exception, at most one warning, and the record is whole."""
    work = OPERATIONS[operation]
    count = len(calls_of(lambda: work(filled(tmp_path / "0", []))))
    for number in range(1, count + 1):
        given: list[str] = []
        store = filled(tmp_path / str(number), given)
        with failing(error, at=number):
            work(store)

        assert len(given) <= 1, given
        assert store.load("credentials", KEY) in (b"old", b"new")
        assert lock_and_let_go(store) is True
        store.sweep(KEY)
        store.store("credentials", KEY, b"next")
        assert store.load("credentials", KEY) == b"next"
        assert not [name for name in os.listdir(store.location) if name.endswith(".tmp") and KEY in name]
        shutil.rmtree(store.location)


@errors
def test_one_call_fails_while_the_directory_is_made(tmp_path: Path, error: int) -> None:
    """Failing to make the directory is a warning; the next write makes it."""
    path = "a/b/cache"
    first = FileStore(str(tmp_path / "0" / path), explicit=False, warn=print)
    for number in range(1, len(calls_of(lambda: first.store("state", KEY, b"x"))) + 1):
        given: list[str] = []
        store = FileStore(str(tmp_path / str(number) / path), explicit=False, warn=given.append)
        with failing(error, at=number):
            store.store("state", KEY, b"x")
        store.store("state", KEY, b"y")

        assert len(given) <= 1, given
        assert store.load("state", KEY) == b"y"
        level = Path(store.location)
        while level != tmp_path:
            assert level.stat().st_mode & 0o777 == 0o700
            level = level.parent


@errors
def test_everything_fails(tmp_path: Path, error: int) -> None:
    """When every call fails for hours, there is one warning for each cause, and we go on without."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)
    with failing(error):
        for _ in range(3):
            for work in OPERATIONS.values():
                work(store)
            assert lock_and_let_go(store) is True
            assert store.load("credentials", KEY) is None

    assert len(given) <= 2, given
    assert len(set(given)) == len(given)
    assert store.load("credentials", KEY) == b"old"


@errors
def test_what_cannot_be_read_is_not_absent(tmp_path: Path, error: int) -> None:
    """Only "no such file" says that a record is not there; any other error is a doubt."""
    store = filled(tmp_path / "cache", [])
    with failing(error):
        if error == errno.ENOENT:
            assert store.load("identity", KEY) is None
        else:
            with pytest.raises(InDoubt):
                store.load("identity", KEY)
    assert store.load("identity", KEY) == b"old"


@errors
def test_a_short_fault_does_not_hide_an_identity(tmp_path: Path, error: int) -> None:
    """
    Any one call that fails is waited out: the identity is read.

    Two errors tell something else: "no such file", and "not a directory" of the directory itself, which no
    later try mends. That one is in doubt.
    """
    count = len(calls_of(lambda: filled(tmp_path / "0", []).load("identity", KEY)))
    for number in range(1, count + 1):
        given: list[str] = []
        store = filled(tmp_path / str(number), given)
        found = None
        with failing(error, at=number), contextlib.suppress(InDoubt):
            found = store.load("identity", KEY)
        assert found == b"old" or error in (errno.ENOTDIR, errno.ENOENT)
        assert given == [] or error in (errno.ENOTDIR, errno.ENOENT), given
        assert store.load("identity", KEY) == b"old"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("nowhere", path)])
def test_what_is_no_file_is_set_aside(tmp_path: Path, make: Callable[[str], object]) -> None:
    """What lies in an identity's place keeps its content under another name, and a warning names both."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)
    path = Path(store.location, record_name("identity", "5" * 40))
    make(str(path))

    assert store.load("identity", "5" * 40) is None
    (aside,) = Path(store.location).glob("*.aside")
    assert not os.path.lexists(path)
    assert os.path.lexists(aside)
    (line,) = given
    assert f"the identity in {path.name} is not used, since that file is not a regular file" in line
    assert f"it was renamed to {aside.name}" in line


def test_warning_says_where_and_why(tmp_path: Path) -> None:
    """A warning is one line that names the directory and the cause, and no data."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)
    with failing(errno.ENOSPC, only="os.write"):
        store.store("credentials", KEY, b"CANARY")
        store.store("state", KEY, b"CANARY")

    assert given == [
        f"cache directory {store.location}: cannot write it: No space left on device; going on without"
    ]


@needs_fork
def test_limit_on_file_sizes(tmp_path: Path) -> None:
    """A file that may not grow far enough leaves the old record and no temporary file."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)

    def child() -> list[str]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        store.store("credentials", KEY, b"new" * 1000)
        return given

    assert [text for text in in_child(child) if "File too large" in text]
    assert store.load("credentials", KEY) == b"old"
    assert not [name for name in os.listdir(store.location) if name.endswith(".tmp") and KEY in name]


@pytest.mark.parametrize("explicit", [False, True])
def test_a_loose_identity_on_a_read_only_file_system_is_used(tmp_path: Path, explicit: bool) -> None:
    """Where files cannot be closed to others, an identity that they can read is used; credentials are not."""
    given: list[str] = []
    location = filled(tmp_path / "cache", given).location
    os.chmod(location, 0o755)
    os.chmod(f"{location}/{record_name('credentials', KEY)}", 0o644)
    store = FileStore(location, explicit=explicit, warn=given.append)
    with failing(errno.EROFS, only="os.fchmod"):
        assert store.load("identity", KEY) == b"old"
    assert given == []
    with failing(errno.EROFS, only="os.unlink"):
        assert store.load("credentials", KEY) is None
    assert given == [f"cache directory {location}: cannot read it: Read-only file system; going on without"]


def test_a_fault_of_reading_does_not_hide_that_nothing_is_kept(tmp_path: Path) -> None:
    """After a warning about a read, a write that fails for the same cause says what follows, once."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)
    with failing(errno.EROFS):
        for _ in range(2):
            store.load("state", KEY)
            store.store("state", KEY, b"x")
            lock_and_let_go(store)

    assert [text.partition("; ")[2] for text in given] == ["going on without", NOTHING_KEPT]


@needs_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="the system has no unshare")
@pytest.mark.parametrize("explicit", [False, True])
def test_a_real_directory_on_a_read_only_file_system(tmp_path: Path, explicit: bool) -> None:
    """It is read, also where others can enter it; locks are skipped, and one warning says what follows."""
    program = f"""
import os, subprocess
from cognito_credentials.cache import InDoubt, record_name
from cognito_credentials.cache.file import FileStore
given = []
place = {str(tmp_path)!r} + "/cache"
FileStore(place, explicit=True, warn=given.append).store("credentials", {KEY!r}, b"x")
FileStore(place, explicit=True, warn=given.append).store("identity", {KEY!r}, b"x")
os.chmod(place, 0o755)
os.chmod(os.path.join(place, record_name("identity", {KEY!r})), 0o644)
subprocess.run(["mount", "-o", "remount,ro", {str(tmp_path)!r}], check=True)
store = FileStore(place, explicit={explicit}, warn=given.append)
assert store.load("credentials", {KEY!r}) == b"x"
assert store.load("identity", {KEY!r}) == b"x"
assert not given
assert store.lock({KEY!r}).acquire()
store.store("credentials", {KEY!r}, b"y")
assert store.load("credentials", {KEY!r}) == b"x"
print(len(given), given[0])
"""
    answer = on_tmpfs(tmp_path, "size=64k", program)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("1 ")
    assert f"Read-only file system; {NOTHING_KEPT}" in answer.stdout


def on_tmpfs(place: Path, options: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* where a tmpfs is mounted on *place*, for it alone."""
    mount = f"mount -t tmpfs -o mode=700,{options} none {place}"
    answer = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]},
    )
    if "unshare" in answer.stderr or "mount:" in answer.stderr:
        pytest.skip(answer.stderr)
    return answer


@needs_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="the system has no unshare")
@pytest.mark.parametrize(
    ("options", "cause"), [("size=64k", "No space left on device"), ("ro", "Read-only file system")]
)
def test_real_file_systems(tmp_path: Path, options: str, cause: str) -> None:
    """On a disk that is really full, or really read-only, there is one warning and no error."""
    program = f"""
import os, sys
from cognito_credentials.cache.file import FileStore
given = []
store = FileStore({str(tmp_path)!r} + "/cache", explicit=False, warn=given.append)
for number in range(40):
    store.store("credentials", f"{{number:040x}}", b"x" * 4000)
handle = store.lock("f" * 40)
assert handle.acquire()
kept = store.keys("credentials")
assert all(store.load("credentials", key) == b"x" * 4000 for key in kept)
assert not os.path.exists(store.location) or not [n for n in os.listdir(store.location) if n.endswith(".tmp")]
print(len(given), given[0])
"""
    answer = on_tmpfs(tmp_path, options, program)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("1 ")
    assert cause in answer.stdout


# Who owns what


def attempt(path: str, *, explicit: bool) -> tuple[bytes | None, list[str], str]:
    """Store and load; return what was loaded, the warnings, and the error if it is one of ours."""
    given: list[str] = []
    store = FileStore(path, explicit=explicit, warn=given.append)
    try:
        store.store("credentials", KEY, b"x")
        lock_and_let_go(store)
        return store.load("credentials", KEY), given, ""
    except CacheError as error:
        return None, given, str(error)


def a_file(place: str) -> str:
    Path(place, "plain").write_bytes(b"precious")
    return f"{place}/plain"


def below_a_file(place: str) -> str:
    return a_file(place) + "/cache"


def a_link_to_a_file(place: str) -> str:
    os.symlink(a_file(place), f"{place}/link")
    return f"{place}/link"


def a_link_to_nowhere(place: str) -> str:
    os.symlink(f"{place}/missing", f"{place}/link")
    return f"{place}/link"


def a_link_to_itself(place: str) -> str:
    os.symlink(f"{place}/link", f"{place}/link")
    return f"{place}/link"


UNUSABLE = [a_file, below_a_file, a_link_to_a_file, a_link_to_nowhere, a_link_to_itself]


@pytest.mark.parametrize("make", UNUSABLE)
@pytest.mark.parametrize("windows", [False, True])
def test_place_that_is_no_directory(place: str, make: Callable[[str], str], windows: bool) -> None:
    """A cache directory that is no directory: one warning, or an error if the user set it."""
    path = make(place)
    given: list[str] = []
    store = FileStore(path, explicit=False, warn=given.append, windows=windows)
    for _ in range(2):
        store.store("credentials", KEY, b"x")
        assert store.load("credentials", KEY) is None
        assert store.lock(KEY).acquire() is True
    explicit = FileStore(path, explicit=True, warn=print, windows=windows)

    assert len(given) == 1
    assert path in given[0]
    for call in (
        lambda: explicit.load("credentials", KEY),
        lambda: explicit.store("credentials", KEY, b"x"),
        lambda: explicit.lock(KEY).acquire(),
        lambda: explicit.keys("identity"),
    ):
        with pytest.raises(CacheError) as caught:
            call()
        assert path in caught.value.message
        assert caught.value.hint
        assert caught.value.__context__ is None
    if os.path.isfile(path):
        assert Path(path).read_bytes() == b"precious"


def test_an_unusable_directory_is_not_waited_for(place: str) -> None:
    """No later try mends it: each look at an identity is in doubt at once."""
    store = FileStore(a_file(place), explicit=False, warn=[].append)
    with mock.patch("time.sleep") as sleep:
        for _ in range(2):
            with pytest.raises(InDoubt):
                store.load("identity", KEY)

    sleep.assert_not_called()


@pytest.mark.parametrize("path", ["~/.aws/cognito/cache", "cache", "", "/tmp/a\0b"])
def test_path_that_is_not_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Without a home directory ``~`` stays in the path: nothing is made in the working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    found, given, error = attempt(path, explicit=False)
    assert (found, error) == (None, "")
    assert len(given) == 1
    assert "HOME" in attempt(path, explicit=True)[2]
    assert os.listdir(tmp_path / "here") == []


@needs_root
@needs_fork
@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize(
    ("owner", "mode", "user", "is_usable"),
    [
        (0, 0o700, None, True),
        (0, 0o755, None, True),
        (0, 0o777, None, False),
        (0, 0o1777, None, False),  # /tmp
        (SOMEBODY, 0o700, None, False),  # sudo
        (SOMEBODY, 0o777, None, False),
        (SOMEBODY, 0o700, SOMEBODY, True),
        (SOMEBODY, 0o755, SOMEBODY, True),
        (SOMEBODY, 0o777, SOMEBODY, False),
        (0, 0o700, SOMEBODY, False),
        (0, 0o755, SOMEBODY, False),
        (0, 0o777, SOMEBODY, False),
        (1, 0o777, SOMEBODY, False),
    ],
)
def test_owners_and_modes(
    place: str, owner: int, mode: int, user: int | None, is_usable: bool, explicit: bool
) -> None:
    """A directory is used by its owner alone; others, root too, read, leave and change nothing."""
    os.chmod(place, 0o755)
    path = f"{place}/cache"
    os.mkdir(path)
    os.chown(path, owner, -1)
    os.chmod(path, mode)
    Path(path, record_name("credentials", KEY)).write_bytes(b"planted")
    found, given, error = in_child(lambda: attempt(path, explicit=explicit), user=user)

    if is_usable:
        assert (found, given, error) == (b"x", [], "")
        assert os.stat(path).st_mode & 0o777 == 0o700
    else:
        assert found is None
        assert len(given) == (0 if explicit else 1)
        assert explicit == (path in error)
        assert os.listdir(path) == [record_name("credentials", KEY)]
        assert os.stat(path).st_mode & 0o7777 == mode
        assert Path(path, record_name("credentials", KEY)).read_bytes() == b"planted"


@needs_root
@needs_fork
@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("home/.aws/cognito/cache", "Permission denied"),
        ("nowhere/.aws/cognito/cache", "home directory that does not exist"),
    ],
)
def test_home_that_cannot_be_written(place: str, path: str, why: str, explicit: bool) -> None:
    """A read-only or missing home: one warning, or an error if the user set it."""
    os.chmod(place, 0o755)
    os.mkdir(f"{place}/home", 0o555)
    found, given, error = in_child(lambda: attempt(f"{place}/{path}", explicit=explicit), user=SOMEBODY)

    assert found is None
    assert len(given) == (0 if explicit else 1)
    assert why in (error if explicit else given[0])
    assert os.listdir(place) == ["home"]


@pytest.mark.parametrize("explicit", [False, True])
def test_a_home_is_never_made(tmp_path: Path, explicit: bool) -> None:
    """A HOME that does not exist is a mistake, or a service has none: it is not made."""
    path = str(tmp_path / "nowhere" / ".aws" / "cognito" / "cache")
    found, given, error = attempt(path, explicit=explicit)

    assert found is None
    assert "home directory that does not exist" in (error if explicit else given[0])
    assert os.listdir(tmp_path) == ["home"]


@needs_root
@pytest.mark.parametrize("explicit", [False, True])
def test_root_leaves_nothing_in_a_users_home(place: str, explicit: bool) -> None:
    """Under sudo HOME may be the user's, and an ~/.aws that belongs to root would lock the user out."""
    os.chown(place, SOMEBODY, -1)
    found, given, error = attempt(f"{place}/.aws/cognito/cache", explicit=explicit)

    assert found is None
    assert f"of user {SOMEBODY} and this runs as root" in (error if explicit else given[0])
    assert os.listdir(place) == []


@needs_root
@needs_fork
def test_own_directory_without_write_permission(place: str) -> None:
    """A read-only cache directory of the user's is read; a write warns, even if the user set it."""
    os.chmod(place, 0o755)
    path = f"{place}/cache"
    os.mkdir(path)
    os.chown(path, SOMEBODY, -1)

    def child() -> tuple[bytes | None, list[str]]:
        given: list[str] = []
        FileStore(path, explicit=True, warn=given.append).store("credentials", KEY, b"x")
        os.chmod(path, 0o500)
        store = FileStore(path, explicit=True, warn=given.append)
        store.store("credentials", KEY, b"y")
        store.store("identity", KEY, b"y")
        lock_and_let_go(store)
        return store.load("credentials", KEY), given

    found, given = in_child(child, user=SOMEBODY)
    assert found == b"x"
    assert len(given) == 1
    assert "Permission denied" in given[0]


def test_file_system_that_keeps_no_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that stays open to others after closing it (WSL's /mnt/c) is not used."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o775)
    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    found, given, _ = attempt(str(tmp_path / "cache"), explicit=False)

    assert found is None
    assert len(given) == 1
    assert "does not keep permissions" in given[0]
    assert os.listdir(tmp_path / "cache") == []


def test_what_has_worked_is_no_error_later(tmp_path: Path) -> None:
    """A directory that the user set and that breaks later is a warning: valid credentials are not lost."""
    given: list[str] = []
    directory = tmp_path / "cache"
    store = FileStore(str(directory), explicit=True, warn=given.append)
    store.store("state", KEY, b"x")
    shutil.rmtree(directory)
    directory.write_bytes(b"a file now")
    store.store("state", KEY, b"x")

    assert store.load("state", KEY) is None
    assert len(given) == 1


def test_too_large_is_a_warning(tmp_path: Path) -> None:
    """Data that are too large for a record are not kept, and there is a warning."""
    given: list[str] = []
    store = FileStore(str(tmp_path / "cache"), explicit=True, warn=given.append)
    store.store("state", KEY, b"x" * 65_537)

    assert store.load("state", KEY) is None
    assert len(given) == 1


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("operation", ["store", "lock"])
def test_what_cannot_be_written_is_said_with_consequence_and_remedy(
    tmp_path: Path, operation: str, error: int
) -> None:
    """On a read-only home the warning says what follows from it, and what to do."""
    given: list[str] = []
    store = filled(tmp_path / "cache", given)
    with failing(error, at=1):
        OPERATIONS[operation](store)

    assert "a guest without a stored identity is another guest each time" in given[0]
    assert "set AWS_COGNITO_CACHE_DIR to a directory that can be written" in given[0]


def test_a_problem_is_seen_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` sees a problem without making anything; a directory that can still be made is no problem."""
    (tmp_path / "file").write_text("")
    missing = tmp_path / "a" / "b"

    def problem(path: Path) -> str | None:
        return FileStore(str(path), explicit=False, warn=lambda _: None).problem()

    assert problem(missing) is None
    assert problem(tmp_path / "file") == "it is not a directory, or lies below a file"
    assert not missing.parent.exists()
    missing.mkdir(parents=True)
    assert problem(missing) is None
    with failing(errno.EIO, only="os.open"):
        assert problem(missing) == os.strerror(errno.EIO)
    missing.rmdir()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert problem(missing) == f"{missing.parent} cannot be written"
