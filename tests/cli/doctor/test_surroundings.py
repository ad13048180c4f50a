"""Ports that nobody listens on, and versions that the tests run with."""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from cognito_credentials.cli.doctor.ports import has_ended, nobody_listens
from cognito_credentials.cli.doctor.surroundings import TESTED
from tests.cli.doctor.conftest import closed_port

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent.parent.parent


def test_a_port_that_somebody_listens_on_has_not_ended() -> None:
    """A server that runs is told from one that has ended, and notices nothing of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        address = f"http://localhost:{server.getsockname()[1]}/v1"
        assert not has_ended(address)
        with pytest.raises(TimeoutError):
            server.accept()
    assert has_ended(address)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no version 6 of IP")
def test_localhost_has_two_addresses() -> None:
    """A server of Node.js listens on ::1 alone, and whoever asks localhost gets there."""
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no ::1")
    with server:
        address = f"http://localhost:{server.getsockname()[1]}"
        assert not has_ended(address)
    assert has_ended(address)


def test_nobody_listens_at_an_address_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where version 6 of IP is off, a server on localhost that has ended is still told."""

    def no_such_address(*_: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    monkeypatch.setattr(socket.socket, "bind", no_such_address, raising=False)
    assert nobody_listens("::1", 8400)


def test_connections_that_are_closing_do_not_hide_that_a_server_has_ended() -> None:
    """For a minute after a server has ended, the system still has connections of its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # first, so that the server's side is the one that waits
            client.recv(1)
    assert has_ended(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    "address", ["https://cognito.example.com", "http://169.254.170.2/x", "http://127.0.0.1:0", "http://[", ""]
)
def test_only_ports_of_this_machine_are_looked_at(address: str) -> None:
    """Of another machine nothing can be told without asking it, and what is no address is no port."""
    assert not has_ended(address)


def test_a_port_of_version_6() -> None:
    """``::1`` is this machine, too."""
    if not socket.has_ipv6:
        pytest.skip("there is no version 6 of the protocol here")
    assert has_ended(f"http://[::1]:{closed_port()}")


def test_the_oldest_versions_are_those_that_pip_installs() -> None:
    """What is too old for doctor is what pyproject.toml refuses, and no more."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required = dict(re.fullmatch(r"(\w+)>=([\d.]+)", each).groups() for each in project["dependencies"])  # type: ignore[union-attr]

    assert {name: oldest for name, (oldest, _) in TESTED.items() if name != "Python"} == required
    assert project["requires-python"] == f">={TESTED['Python'][0]}"


def test_the_newest_versions_are_those_that_ci_tests() -> None:
    """The newest versions of .ci/, without the last number: correct `TESTED` when these are renewed."""
    constraints = (ROOT / ".ci" / "constraints.txt").read_text("utf-8")
    for name, (_, newest) in TESTED.items():
        if name != "Python":
            found = max(
                tuple(map(int, each.split(".")))
                for each in re.findall(rf"^{name}==([\d.]+)", constraints, re.M)
            )
            assert found[:-1] == tuple(map(int, newest.split("."))), name
    pythons = re.findall(r"CPython 3\.(\d+)", (ROOT / ".ci" / "run").read_text("utf-8"))
    assert TESTED["Python"][1] == f"3.{max(map(int, pythons))}"
