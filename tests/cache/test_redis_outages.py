"""The store in Redis when that is down, slow, full, a replica, answers nonsense, or comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
import redis

from cognito_credentials.cache import InDoubt
from cognito_credentials.cache.redis_connection import TRIED_AGAIN_AFTER
from cognito_credentials.cache.redis_errors import RedisRefused, RedisUnavailable, judge
from cognito_credentials.cache.redis_store import RedisStore
from cognito_credentials.cache.sealing import Sealer
from cognito_credentials.errors import CacheError
from cognito_credentials.settings.shared_cache import cache_key
from tests.cache.contract import KEY
from tests.cache.test_redis import opened
from tests.redis_server import RedisServer, free_port, running

SEALED = cache_key(os.urandom(32), "cache_key from test")


class Elapsed:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def store(server: RedisServer, elapsed: Elapsed, warnings_given: list[str]) -> RedisStore:
    """A store that has worked, and has an identity and credentials."""
    store = opened(server.url, SEALED, warnings_given, elapsed)
    store.store("identity", KEY, b"identity")
    store.store("credentials", KEY, b"credentials", 3600)
    assert store.load("identity", KEY) == b"identity"
    return store


def full(server: RedisServer) -> None:
    server("CONFIG", "SET", "maxmemory", "1")


def replica(server: RedisServer) -> None:
    server("REPLICAOF", "127.0.0.1", str(free_port()))
    server("CONFIG", "SET", "replica-serve-stale-data", "yes")


def no_disk(server: RedisServer) -> None:
    server("CONFIG", "SET", "min-replicas-to-write", "1")


def locked_out(server: RedisServer) -> None:
    server("CONFIG", "SET", "requirepass", "another")
    server.client(password="another").client_kill_filter(_type="normal", skipme=True)


def crowded(server: RedisServer) -> None:
    server("CONFIG", "SET", "maxclients", "1")


def killed(server: RedisServer) -> None:
    server.kill()


def stopped(server: RedisServer) -> None:
    server.stop()


READABLE = {
    "full": (full, "full"),
    "replica": (replica, "replica"),
    "few replicas": (no_disk, "too few replicas"),
}
UNREADABLE = {
    "killed": (killed, "No such file or directory|refused|closed"),
    "stopped": (stopped, "did not answer within 250 ms"),
    "password changed": (locked_out, "needs a password"),
}


@pytest.mark.parametrize("trouble", READABLE)
def test_what_cannot_be_written_can_be_read(
    server: RedisServer, store: RedisStore, warnings_given: list[str], trouble: str
) -> None:
    """A Redis that is full, or a replica, is read; nothing is kept, nobody waits, and one line says so."""
    begin, said = READABLE[trouble]
    begin(server)
    store.store("credentials", KEY, b"newer", 3600)
    store.store("state", KEY, b"state", 3600)
    lock = store.lock(KEY)

    assert lock.acquire()
    assert lock.degraded
    assert store.load("identity", KEY) == b"identity"
    assert store.load("credentials", KEY) == b"credentials"
    (warning,) = warnings_given
    assert said in warning


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_what_cannot_be_read_is_in_doubt(
    server: RedisServer, store: RedisStore, warnings_given: list[str], trouble: str
) -> None:
    """Down, credentials are a miss, an identity is in doubt, locks stop nobody, and one line says so."""
    begin, said = UNREADABLE[trouble]
    begin(server)
    try:
        with pytest.raises(InDoubt):
            store.load("identity", KEY)
        assert store.load("credentials", KEY) is None
        assert store.keys("identity") == []
        assert store.delete("identity", KEY) is None
        assert store.problem() is not None
        with pytest.raises(InDoubt):
            store.set_aside("identity", KEY, b"identity")
        lock = store.lock(KEY)
        assert lock.acquire()
        assert lock.degraded
        lock.release()
        (warning,) = warnings_given
        assert any(words in warning for words in said.split("|")), warning
    finally:
        server.go_on()


def test_it_is_asked_again_after_a_second(server: RedisServer, store: RedisStore, elapsed: Elapsed) -> None:
    """A Redis that is down costs 250 ms once a second, and everybody else nothing; then it is found again."""
    server.stop()
    assert store.load("credentials", KEY) is None
    assert store.connection.is_down
    began = time.perf_counter()
    for _ in range(100):
        assert store.load("credentials", KEY) is None
    assert time.perf_counter() - began < 0.2
    server.go_on()
    assert store.load("credentials", KEY) is None, "within the second nobody asks"
    elapsed.now += TRIED_AGAIN_AFTER

    assert store.load("credentials", KEY) == b"credentials"
    assert not store.connection.is_down


def test_one_caller_finds_out(server: RedisServer, store: RedisStore, elapsed: Elapsed) -> None:
    """When a Redis is asked again, one caller waits for it, and the others go on at once."""
    server.stop()
    assert store.load("credentials", KEY) is None
    elapsed.now += TRIED_AGAIN_AFTER
    took: list[float] = []

    def read() -> None:
        began = time.perf_counter()
        store.load("credentials", KEY)
        took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.go_on()

    assert len([each for each in took if each >= 0.2]) == 1


def test_a_restart_is_no_outage(server: RedisServer, store: RedisStore, warnings_given: list[str]) -> None:
    """A server that was started anew is found by the next command, also when it has lost everything."""
    server.kill()
    server.start()

    assert store.load("identity", KEY) is None
    store.store("identity", KEY, b"identity")
    assert store.load("identity", KEY) == b"identity"
    assert warnings_given == []


def test_flushed_is_empty(server: RedisServer, store: RedisStore, warnings_given: list[str]) -> None:
    """After FLUSHALL there is nothing, and that is no doubt: what is stored then is there."""
    server("FLUSHALL")

    assert store.load("identity", KEY) is None
    store.store("identity", KEY, b"another")
    assert store.load("identity", KEY) == b"another"
    assert warnings_given == []


def test_each_outage_is_one_warning(
    server: RedisServer, store: RedisStore, elapsed: Elapsed, warnings_given: list[str]
) -> None:
    """A Redis that comes and goes is warned of once in five minutes."""
    for _ in range(5):
        server.stop()
        assert store.load("credentials", KEY) is None
        server.go_on()
        elapsed.now += TRIED_AGAIN_AFTER
        assert store.load("credentials", KEY) == b"credentials"
    assert len(warnings_given) == 1
    elapsed.now += 300
    server.stop()
    assert store.load("credentials", KEY) is None
    server.go_on()

    assert len(warnings_given) == 2


def test_an_answer_is_not_taken_for_another_ones() -> None:
    """After Ctrl-C between a command and its answer, the next command does not get that answer."""
    with running() as server:
        store = opened(server.url)
        store.store("state", KEY, b"state")
        store.store("identity", KEY, b"identity")
        assert store.load("credentials", KEY) is None  # the server knows the script from here on
        server.stop()
        with (
            mock.patch("redis.Redis.parse_response", side_effect=KeyboardInterrupt),
            pytest.raises(KeyboardInterrupt),
        ):
            store.load("credentials", KEY)
        timer = threading.Timer(0.05, server.go_on)
        timer.start()
        assert store.load("identity", KEY) == b"identity"
        timer.join()


NONSENSE = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b":abc\r\n",
    b"$-5\r\n",
    b"*3\r\n$1\r\na\r\n",
    b"*-1\r\n",
    b"\xff\xfe\x00",
    b"+OK\r\n",
    b":7\r\n",
    b"*0\r\n",
    b"*1\r\n" * 50_000,
    b"-ERR unknown command 'SET', with args beginning with: 'CANARY'\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-BUSY Redis is busy running a script\r\n",
    b"-MASTERDOWN Link with MASTER is down\r\n",
    b"-CLUSTERDOWN The cluster is down\r\n",
    b"-ERR max number of clients reached\r\n",
    b"",
]


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_is_an_outage(answer: bytes) -> None:
    """Whatever a server answers, reading is a miss or a doubt, and one line says so without repeating it."""
    warnings: list[str] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                with connected:
                    connected.recv(10_000)
                    connected.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        store = opened(f"redis://127.0.0.1:{listening.getsockname()[1]}", SEALED, warnings)
        try:
            with pytest.raises(InDoubt):
                store.load("identity", KEY)
            assert store.load("credentials", KEY) is None
            store.store("identity", KEY, b"identity")
            assert store.lock(KEY).acquire()
        finally:
            listening.shutdown(socket.SHUT_RDWR)
    assert warnings
    assert "CANARY" not in "".join(warnings)


def test_a_stopped_process_is_no_outage(server: RedisServer) -> None:
    """A process that was stopped in the middle of a command takes that time for nothing."""
    code = (
        "import sys\n"
        "from tests.cache.test_redis import opened\n"
        "store = opened(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "for number in range(20000):\n"
        "    store.load('credentials', '0' * 40)\n"
        "    assert not store.connection.is_down\n"
    )
    argv = [sys.executable, "-c", code, server.url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for _ in range(5):
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.4)  # longer than the 250 ms
            os.kill(process.pid, signal.SIGCONT)
        _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def test_both_stopped_is_no_outage(server: RedisServer) -> None:
    """When a machine was suspended with its Redis on it, the wait until that answers counts as nothing."""
    code = (
        "import sys\n"
        "from tests.cache.test_redis import opened\n"
        "store = opened(sys.argv[1])\n"
        "store.load('credentials', '0' * 40)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "store.load('credentials', '0' * 40)\n"
        "assert not store.connection.is_down\n"
    )
    argv = [sys.executable, "-c", code, server.url]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        server.stop()
        process.stdin.write(b"\n")
        process.stdin.flush()
        time.sleep(0.1)  # it waits for the answer now
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)
        server.go_on()
        os.kill(process.pid, signal.SIGCONT)
        _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


REFUSALS: dict[str, tuple[Callable[[RedisServer], str], str]] = {
    "password": (lambda server: server.url.replace("//", "//:CANARY@"), "refuses the user name or password"),
    "user": (lambda server: server.url.replace("//", "//ann:CANARY@"), "refuses the user name or password"),
    "database": (lambda server: f"{server.url}/99", "no such database"),
    "cluster": (lambda server: server.url.replace("redis:", "redis-cluster:"), "is no cluster"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_a_person_has_to_mend_is_an_error(server: RedisServer, what: str) -> None:
    """A wrong password, user or database is a CacheError at each first use, and shows no password."""
    url, said = REFUSALS[what]
    store = opened(url(server), SEALED)
    for _ in range(3):
        with pytest.raises(CacheError, match=said) as caught:
            store.load("credentials", KEY)
        assert caught.value.hint
        assert "CANARY" not in str(caught.value)


def test_after_the_first_use_it_is_a_warning(elapsed: Elapsed, warnings_given: list[str]) -> None:
    """What a person has to mend is no error any more once the store was used, be it in an outage."""
    with running() as server:
        server.kill()
        store = opened(server.url, SEALED, warnings_given, elapsed)
        assert store.load("credentials", KEY) is None
        server.start(requirepass="another")
        elapsed.now += TRIED_AGAIN_AFTER
        assert store.load("credentials", KEY) is None
        assert "needs a password" in warnings_given[1]


def test_the_connection_says_what_is_wrong(server: RedisServer, store: RedisStore) -> None:
    """Whoever shares the connection gets RedisUnavailable, or RedisRefused for what a person has to mend."""
    locked_out(server)
    with pytest.raises(RedisRefused):
        store.connection.run("PING")
    server.kill()
    with pytest.raises(RedisUnavailable):
        store.connection.script("return 1", [KEY], [])


def test_a_closed_connection_is_opened_anew(server: RedisServer, store: RedisStore) -> None:
    """Closing leaves no connection at the server, any number of times; the next command opens one."""
    store.connection.close()
    store.connection.close()
    assert len(server.client().client_list()) == 1

    assert store.load("identity", KEY) == b"identity"
    made = opened(server.url)
    made.connection.close()
    assert made.problem() is not None, "what is there is sealed"


@pytest.mark.parametrize(
    ("cause", "kind", "said"),
    [
        (redis.exceptions.AuthenticationError("WRONGPASS"), RedisRefused, "user name or password"),
        (redis.exceptions.ConnectionError("Error 111. Connection refused."), RedisUnavailable, "refused"),
        (RedisUnavailable("it leads to another machine"), RedisUnavailable, "another machine"),
        (redis.exceptions.RedisClusterException("x"), RedisRefused, "it is no cluster"),
        (None, RedisUnavailable, "the cluster is not whole"),
    ],
)
def test_what_a_cluster_means_by_its_error(
    cause: Exception | None, kind: type[RedisUnavailable], said: str
) -> None:
    """redis-py has one error for all that is wrong with a cluster; its cause says what a person may mend."""
    error = redis.exceptions.RedisClusterException("Redis Cluster cannot be connected.")
    error.__cause__ = cause

    found = judge(redis, error)

    assert type(found.problem) is kind
    assert said in found.problem.cause.lower()
    assert found.is_down


def test_a_later_versions_store_is_left_alone(server: RedisServer, warnings_given: list[str]) -> None:
    """A store that a later version has marked is an error at the first use, and nothing is written there."""
    name = "cognito-credentials"
    server.client().set(name, Sealer(SEALED).seal(name, b"cognito-credentials 3"))
    before = server.client().dump(name)

    with pytest.raises(CacheError, match="was written by a later version"):
        opened(server.url, SEALED, warnings_given).load("identity", KEY)
    assert server.client().keys() == [name.encode()]
    assert server.client().dump(name) == before
