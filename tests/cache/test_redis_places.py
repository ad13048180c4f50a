"""The store in Redis over TLS, as an ACL user, in a cluster of three servers, and where a name leads."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from cognito_credentials.cache.redis_store import RedisStore
from cognito_credentials.emulator.wire.certificates import make_certificate
from cognito_credentials.errors import CacheError
from cognito_credentials.settings.shared_cache import cache_key
from tests import real_parts
from tests.cache.contract import KEY, StoreContract
from tests.cache.test_redis import opened
from tests.redis_server import CLI, RedisServer, free_port, running

SEALED = cache_key(os.urandom(32), "cache_key from test")


class Secured:
    """A server that speaks only TLS on its port, and its certificate."""

    def __init__(self, server: RedisServer, port: int, certificate: str) -> None:
        self.server = server
        self.port = port
        self.certificate = certificate

    def url(self, host: str = "127.0.0.1", **options: str) -> str:
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"rediss://{host}:{self.port}" + f"?{query}" * bool(query)


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    files = make_certificate("127.0.0.1")
    port = free_port()
    options = {
        "tls_cert_file": files.certificate,
        "tls_key_file": files.key,
        "tls_ca_cert_file": files.certificate,
    }
    with running(tls_port=str(port), tls_auth_clients="no", **options) as server:
        yield Secured(server, port, files.certificate)
    files.remove()


class TestOverTls(StoreContract):
    """The contract, over TLS."""

    @pytest.fixture
    def store(self, secured: Secured) -> RedisStore:
        secured.server("FLUSHALL")
        return opened(secured.url(ca_certs=secured.certificate), SEALED)


def test_a_certificate_is_verified(secured: Secured) -> None:
    """A certificate that nothing here trusts, or that is another host's, is an error that says what to do."""
    with pytest.raises(CacheError, match="certificate is not valid") as caught:
        opened(secured.url(), SEALED).load("identity", KEY)
    assert "ca_certs=" in caught.value.hint
    with pytest.raises(CacheError, match="certificate is not valid"):
        opened(secured.url("127.1", ca_certs=secured.certificate), SEALED).load("identity", KEY)


def test_a_redis_without_tls_is_said() -> None:
    """A Redis that answers a TLS handshake with nothing is down, and the warning says what may be wrong."""
    with running() as plain:
        store = opened(plain.url.replace("redis://", "rediss://"))

        assert "write redis:// if it has no TLS" in str(store.problem())


def test_a_client_certificate_is_sent(secured: Secured) -> None:
    """With certfile and keyfile, a server that wants a certificate of its clients gets one."""
    files = make_certificate("127.0.0.1")
    secured.server("CONFIG", "SET", "tls-ca-cert-file", files.certificate)
    secured.server("CONFIG", "SET", "tls-auth-clients", "yes")
    try:
        url = secured.url(ca_certs=secured.certificate, certfile=files.certificate, keyfile=files.key)
        store = opened(url, SEALED)
        store.store("identity", KEY, b"identity")
        assert store.load("identity", KEY) == b"identity"
    finally:
        secured.server("CONFIG", "SET", "tls-auth-clients", "no")
        files.remove()


RULES = ("~{*}:*", "~cognito*", "+@read", "+@write", "+@scripting", "+time", "+select")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A server with a user who may do no more than the guide to fleets says."""
    with running() as server:
        server("ACL", "SETUSER", "app", "on", ">CANARY-of-app", *RULES)
        yield server


class TestAsAnAclUser(StoreContract):
    """The contract, as that user."""

    @pytest.fixture
    def store(self, server: RedisServer) -> RedisStore:
        server("FLUSHALL")
        return opened(server.url.replace("//", "//app:CANARY-of-app@"), SEALED)


def test_what_a_user_may_not_do_is_said() -> None:
    """A user who may not run a command, or not touch the keys, is an error that says what to allow."""
    for rules in (("~*", "+get"), ("~other", "+@all")):
        with running() as server:
            server("ACL", "SETUSER", "app", "on", ">CANARY-of-app", *rules)
            with pytest.raises(CacheError, match="may not run a command") as caught:
                opened(server.url.replace("//", "//app:CANARY-of-app@"), SEALED).load("identity", KEY)
            assert caught.value.hint


class Cluster:
    """Three servers that are one cluster."""

    def __init__(self, servers: list[RedisServer]) -> None:
        self.servers = servers

    @property
    def url(self) -> str:
        return self.servers[0].url.replace("redis:", "redis-cluster:")

    def cli(self, *argv: str) -> str:
        done = subprocess.run([CLI, *argv], capture_output=True, text=True, check=True)
        return done.stdout

    def wait(self) -> None:
        """Wait until all servers agree."""
        end = time.monotonic() + 30
        while not all(b"cluster_state:ok" in server("CLUSTER", "INFO") for server in self.servers):
            assert time.monotonic() < end
            time.sleep(0.05)

    def flush(self) -> None:
        for server in self.servers:
            server("FLUSHALL")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if shutil.which(CLI) is None:
        real_parts.missing(f"there is no {CLI} here: this needs {real_parts.REDIS}")
    options = {"cluster_enabled": "yes", "cluster_node_timeout": "2000"}
    with running(**options) as one, running(**options) as two, running(**options) as three:
        cluster = Cluster([one, two, three])
        places = [f"127.0.0.1:{server.port}" for server in cluster.servers]
        cluster.cli("--cluster", "create", *places, "--cluster-yes")
        cluster.wait()
        yield cluster


class TestInACluster(StoreContract):
    """The contract, in a cluster."""

    @pytest.fixture
    def store(self, cluster: Cluster) -> RedisStore:
        cluster.flush()
        return opened(cluster.url, SEALED)

    @pytest.fixture
    def peer(self, cluster: Cluster) -> RedisStore:
        return opened(cluster.servers[2].url.replace("redis:", "redis-cluster:"), SEALED)


def test_one_server_of_a_cluster_is_no_place(cluster: Cluster) -> None:
    """redis:// with a server of a cluster is an error that names redis-cluster://."""
    for server in cluster.servers:  # one of them has the slot of what is asked for first
        with pytest.raises(CacheError, match="one server of a cluster") as caught:
            opened(server.url, SEALED).load("identity", KEY)
        assert "redis-cluster://" in caught.value.hint


def test_slots_that_move_cost_nothing(cluster: Cluster) -> None:
    """While a cluster moves its slots, every record and every lock is there."""
    cluster.flush()
    warnings: list[str] = []
    store = opened(cluster.url, SEALED, warnings)
    keys = [f"{number:040x}" for number in range(100)]
    for key in keys:
        store.store("identity", key, key.encode())
    first = cluster.servers[0]
    node = first("CLUSTER", "MYID").decode()
    target = cluster.servers[1]("CLUSTER", "MYID").decode()
    argv = ["--cluster", "reshard", f"127.0.0.1:{first.port}", "--cluster-from", node, "--cluster-to", target]
    argv = [CLI, *argv, "--cluster-slots", "3000", "--cluster-yes"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as moving:
        looks = 0
        while moving.poll() is None or looks < 2:
            looks += 1
            for key in keys:
                assert store.load("identity", key) == key.encode()
                store.store("state", key, b"state", 60)
                lock = store.lock(key)
                assert lock.acquire()
                assert not lock.degraded
                lock.release()
    assert moving.returncode == 0
    assert store.keys("identity") == keys
    assert warnings == []


def test_a_name_of_this_machine_may_not_lead_elsewhere() -> None:
    """Without a key nothing goes to another machine, also where localhost leads to one."""
    elsewhere = [(2, 1, 6, "", ("192.0.2.1", 6379))]
    with (
        mock.patch("socket.getaddrinfo", return_value=elsewhere),
        mock.patch("socket.socket.connect", return_value=None),
        pytest.raises(CacheError, match="on another machine"),
    ):
        opened("redis://localhost:6379").load("identity", KEY)


def test_a_name_server_that_hangs_is_an_outage() -> None:
    """A lookup that takes longer than 250 ms is an outage; until it ends, no other is begun."""
    warnings: list[str] = []
    began: list[float] = []

    def hang(*_: object, **__: object) -> list[object]:
        began.append(time.monotonic())
        time.sleep(1)
        return []

    now = [1000.0]
    store = opened("redis://redis.example.com", SEALED, warnings, lambda: now[0])
    with mock.patch("socket.getaddrinfo", side_effect=hang):
        for _ in range(3):
            at = time.monotonic()
            assert store.load("credentials", KEY) is None
            assert time.monotonic() - at < 0.9
            now[0] += 2
    assert len(began) == 1
    assert "name server" in warnings[0]


@pytest.mark.parametrize("host", [f"{'a' * 70}.example.com", "there-is-no.such-name.invalid"])
def test_a_name_that_leads_nowhere_is_an_outage(host: str) -> None:
    """A host name that nobody has, or nobody can have, is an outage: it may be there tomorrow."""
    warnings: list[str] = []

    assert opened(f"redis://{host}", SEALED, warnings).load("credentials", KEY) is None
    assert len(warnings) == 1


def test_the_guide_has_the_rules_of_the_user() -> None:
    """The guide to fleets gives an ACL user just the rules that these tests run with."""
    guide = (Path(__file__).parents[2] / ".github" / "docs" / "guides" / "fleet.md").read_text()
    (line,) = [line for line in guide.splitlines() if line.startswith("ACL SETUSER app")]

    assert tuple(line.split()[5:]) == RULES
