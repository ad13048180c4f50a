"""The file with the token: who can read it, where it lies, and what becomes of those of dead servers."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cognito_credentials.cache.lock import FileLock
from cognito_credentials.errors import CacheError
from cognito_credentials.secret import Secret
from cognito_credentials.serve.token_file import places, token_file

TOKEN = Secret("ab" * 32)
ROOT = Path(__file__).parent.parent.parent
DIES = """
import os, signal
from cognito_credentials.secret import Secret
from cognito_credentials.serve.token_file import token_file
with token_file(Secret("ab" * 32), os.environ) as path:
    print(path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_behind(environ: dict[str, str]) -> Path:
    """Return the token file of a server that was killed."""
    done = subprocess.run(
        [sys.executable, "-c", DIES], env={**environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    path = Path(done.stdout.strip())
    assert path.read_bytes() == b"ab" * 32, done.stderr
    return path


def test_it_is_the_users_alone_and_has_no_line_end(isolation: Path) -> None:
    """The file is 0600 in a directory 0700, whatever the umask, and is the token and nothing else."""
    before = os.umask(0o377)
    try:
        with token_file(TOKEN, os.environ) as path:
            assert Path(path).read_bytes() == TOKEN.reveal().encode()
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
            assert path.startswith(f"{isolation}/.aws/cognito/serve/token-")
    finally:
        os.umask(before)
    assert os.listdir(os.path.dirname(path)) == ["CACHEDIR.TAG"]


def test_the_next_server_removes_what_a_killed_one_left(isolation: Path) -> None:
    """The next start removes the files of servers that were killed, and no file of one that runs."""
    dead = leave_behind(dict(os.environ))

    with token_file(TOKEN, os.environ) as one:
        assert not dead.exists()
        with token_file(TOKEN, os.environ) as two:
            assert Path(one).exists()
            assert one != two

    assert os.listdir(dead.parent) == ["CACHEDIR.TAG"]


def test_where_the_home_cannot_be_written(isolation: Path, tmp_path: Path) -> None:
    """Where the home cannot be written, the file lies among the temporary ones, and is swept there."""
    home = tmp_path / "file"
    home.write_text("a home that is no directory")
    environ = {**os.environ, "HOME": str(home), "TMPDIR": str(tmp_path)}
    dead = leave_behind(environ)
    assert dead.parent == tmp_path / f"cognito-credentials-{os.geteuid()}"
    assert stat.S_IMODE(dead.parent.stat().st_mode) == 0o700

    with token_file(TOKEN, environ) as path:
        assert Path(path).parent == dead.parent
        assert not dead.exists()


@pytest.mark.skipif(os.name == "nt", reason="has no home of its own there")
def test_what_was_left_elsewhere_goes_too(isolation: Path, tmp_path: Path) -> None:
    """A server that has its home again removes also what one without had left among the temporary files."""
    home = tmp_path / "file"
    home.write_text("a home that is no directory")
    dead = leave_behind({**os.environ, "HOME": str(home), "TMPDIR": str(tmp_path)})

    with token_file(TOKEN, {**os.environ, "TMPDIR": str(tmp_path)}) as path:
        assert path.startswith(str(isolation))
        assert not dead.exists()


def test_a_directory_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    """Where others made the directory, or can write to it, no token is put there: one line says why."""
    environ = {"HOME": "", "TMPDIR": str(tmp_path)}
    planted = Path(places(environ)[-1])
    planted.mkdir()
    planted.chmod(0o777)

    with pytest.raises(CacheError) as caught, token_file(TOKEN, environ):
        pass

    assert f"{planted} is open to everybody" in str(caught.value)
    assert os.listdir(planted) == []


def test_only_the_directory_that_is_used_is_made(isolation: Path, tmp_path: Path) -> None:
    """Where the home directory can be written, none is made among the temporary files."""
    with token_file(TOKEN, {**os.environ, "TMPDIR": str(tmp_path)}):
        assert not [path for path in tmp_path.iterdir() if path.name.startswith("cognito-")]


def test_where_locks_do_not_work_nothing_is_removed(isolation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without locks no server can be told from a dead one: its file stays."""

    def fail(self: FileLock) -> bool:
        self.degraded = True
        return True

    monkeypatch.setattr(FileLock, "acquire", fail)
    with token_file(TOKEN, os.environ) as one:
        Path(one + ".lock").touch()
        with token_file(TOKEN, os.environ):
            assert Path(one).exists()


def test_other_files_in_the_directory_stay(isolation: Path) -> None:
    """Only token files with a lock are removed."""
    with token_file(TOKEN, os.environ) as path:
        other = Path(path).parent / "token-of-somebody"
        other.write_text("x")

    with token_file(TOKEN, os.environ):
        assert other.exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no fchmod")
def test_a_full_disk_is_one_line(isolation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the token cannot be written, that is an error with the path and the reason; nothing is left."""

    change = os.fchmod

    def full(descriptor: int, mode: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # the directory is there
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        change(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", full)

    with pytest.raises(CacheError, match="No space left") as caught, token_file(TOKEN, os.environ):
        pass

    assert str(caught.value).startswith("the server's token cannot be written to ")

    assert not list((isolation / ".aws" / "cognito" / "serve").glob("token-*"))
