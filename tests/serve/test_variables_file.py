"""The ``--env-file``: its content, who may have written it before, and two servers of the same one."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.serve.variables_file import variables_file

VARIABLES = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials", "AWS_CONTAINER_X": "y"}


def test_lines_for_docker_and_systemd(tmp_path: Path) -> None:
    """It has a line NAME=VALUE for each variable, is 0600, and goes with the server."""
    path = tmp_path / "serve.env"
    with variables_file(str(path)) as file:
        assert file is not None
        file.write(VARIABLES)
        assert path.read_text() == "".join(f"{name}={value}\n" for name, value in VARIABLES.items())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_one_that_a_killed_server_left_is_taken_over(tmp_path: Path) -> None:
    """What a killed server left in it is replaced, and a mode that lets others read is corrected."""
    path = tmp_path / "serve.env"
    path.write_text("AWS_CONTAINER_AUTHORIZATION_TOKEN=" + "long" * 200 + "\n\nAWS_REGION=eu-west-1\n")
    path.chmod(0o644)
    with variables_file(str(path)) as file:
        assert file is not None
        assert path.read_text() == ""
        file.write(VARIABLES)
        assert "long" not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_server_of_the_same_file_is_refused(tmp_path: Path) -> None:
    """A file of a server that runs is an error for the next one, and stays as it is."""
    path = tmp_path / "serve.env"
    with variables_file(str(path)) as file:
        assert file is not None
        file.write(VARIABLES)
        with pytest.raises(ConfigurationError) as caught, variables_file(str(path)):
            pass
        assert str(caught.value) == (
            f"--env-file {path} is used by another server that is running. Name another file with --env-file "
            "(see E-SERVE)"
        )
        assert path.read_text().startswith("AWS_CONTAINER_CREDENTIALS_FULL_URI=")


def test_settings_of_the_user_are_not_lost(tmp_path: Path) -> None:
    """A file with other settings in it is refused, and stays as it is."""
    path = tmp_path / ".env"
    path.write_text("AWS_CONTAINER_X=1\nDATABASE=mine\n")
    path.chmod(0o644)

    with pytest.raises(ConfigurationError, match="has other settings in it"), variables_file(str(path)):
        pass

    assert path.read_text() == "AWS_CONTAINER_X=1\nDATABASE=mine\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_region_alone_is_the_users(tmp_path: Path) -> None:
    """A file with nothing but a region in it is no server's, and is refused."""
    path = tmp_path / ".env"
    path.write_text("AWS_REGION=eu-west-1\n")

    with pytest.raises(ConfigurationError, match="has other settings in it"), variables_file(str(path)):
        pass

    assert path.read_text() == "AWS_REGION=eu-west-1\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link is refused: in the end the link would go, and the file with the token would stay."""
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)

    with pytest.raises(ConfigurationError, match="is a symbolic link"), variables_file(str(link)):
        pass

    assert link.is_symlink()
    assert not target.exists()


def test_whoever_had_it_open_sees_nothing(tmp_path: Path) -> None:
    """A file that others could read is replaced: one that was opened before does not get the token."""
    path = tmp_path / "serve.env"
    path.write_text("")
    path.chmod(0o644)
    with path.open("rb") as opened, variables_file(str(path)) as file:
        assert file is not None
        file.write(VARIABLES)
        assert opened.read() == b""
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(ConfigurationError, match="another server"), variables_file(str(path)):
            pass
    assert not path.exists()


def test_a_name_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    """A directory that does not exist is named, and an empty name is not the working directory."""
    path = tmp_path / "none" / "serve.env"
    with (
        pytest.raises(ConfigurationError, match=f"there is no directory {path.parent}"),
        variables_file(str(path)),
    ):
        pass
    with pytest.raises(ConfigurationError, match="--env-file has an empty name"), variables_file(""):
        pass


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on POSIX systems only")
def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    """The path of the token's file is written as the bytes that it is."""
    path = tmp_path / "serve.env"
    with variables_file(str(path)) as file:
        assert file is not None
        file.write({"AWS_CONTAINER_X": os.fsdecode(b"/home/\xff")})
        assert path.read_bytes() == b"AWS_CONTAINER_X=/home/\xff\n"


def test_what_is_no_file_of_the_users(tmp_path: Path) -> None:
    """A directory, a FIFO, a path below a file, and no permission are one line each."""
    fifo, text = tmp_path / "fifo", tmp_path / "text"
    os.mkfifo(fifo)
    text.write_text("")
    for path in (tmp_path, fifo, text / "below", tmp_path / "none" / "serve.env"):
        with pytest.raises(ConfigurationError) as caught, variables_file(str(path)):
            pass
        assert str(caught.value).startswith(f"--env-file {path} ")


def test_one_that_is_removed_while_the_next_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ends just as the next one opens the same file does not take it away from that one."""
    path = tmp_path / "serve.env"
    taken = os.fstat
    ends = threading.Event()

    def end_first(descriptor: int) -> os.stat_result:
        if not ends.is_set():
            ends.set()
            path.unlink()
        return taken(descriptor)

    monkeypatch.setattr(os, "fstat", end_first)
    with variables_file(str(path)) as file:
        assert file is not None
        file.write(VARIABLES)
        assert path.read_text().startswith("AWS_CONTAINER_CREDENTIALS_FULL_URI=")
