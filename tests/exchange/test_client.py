"""The client: its endpoints, what it sends, what it reads, and the time that it learns from answers."""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import botocore
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session
import pytest

from cognito_credentials import __version__
from cognito_credentials.emulator import Emulator
from cognito_credentials.errors import ConfigurationError
from cognito_credentials.exchange.actions import Failure
from cognito_credentials.exchange.client import close_idle_connections
from cognito_credentials.exchange.flows import Flows
from cognito_credentials.exchange.transport import IDLE_LIMIT
from cognito_credentials.secret import Secret

from .conftest import GOOGLE, Bench, EmulatorBench, RawServer, SlowClock

Serve = Callable[[Callable[[socket.socket, bytes], None]], tuple[RawServer, Bench]]

REFUSED = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
IDENTITY = b'{"IdentityId": "us-east-1:00000000-0000-4000-8000-0000000000aa"}'
ROLE = "arn:aws:iam::123456789012:role/unauthenticated"


@pytest.fixture
def proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> RawServer:
    """A proxy for https that records each request and connects to nothing."""
    server, _ = serve(lambda connection, _: connection.sendall(REFUSED))
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    return server


def wanted(proxy: RawServer) -> list[str]:
    """The hosts that clients asked the proxy for."""
    return [head.split(b" ")[1].decode().partition(":")[0] for head in proxy.heads]


@pytest.mark.parametrize(
    ("region", "profile", "environ", "host"),
    [
        ("eu-west-1", {}, {}, "cognito-identity.eu-west-1.amazonaws.com"),
        ("cn-north-1", {}, {}, "cognito-identity.cn-north-1.amazonaws.com.cn"),
        ("us-east-1", {"use_fips_endpoint": "true"}, {}, "cognito-identity-fips.us-east-1.amazonaws.com"),
        ("us-east-1", {}, {"AWS_USE_FIPS_ENDPOINT": "true"}, "cognito-identity-fips.us-east-1.amazonaws.com"),
        (
            "us-east-1",
            {"use_fips_endpoint": "true"},
            {"AWS_USE_FIPS_ENDPOINT": "false"},
            "cognito-identity.us-east-1.amazonaws.com",
        ),
        (
            "us-gov-west-1",
            {"use_dualstack_endpoint": "true"},
            {},
            "cognito-identity.us-gov-west-1.api.aws",
        ),
    ],
)
def test_endpoints_are_botocores(
    proxy: RawServer, region: str, profile: dict[str, str], environ: dict[str, str], host: str
) -> None:
    """A request goes to botocore's endpoint for region, FIPS and dual stack, by CONNECT through the proxy."""
    bench = Bench("")
    bench.environ = environ
    pool = f"{region}:00000000-0000-4000-8000-00000000000a"
    client = bench.client(pool, region=region, endpoint_url=None, profile_settings=profile)

    with pytest.raises(Failure):
        client.get_id({GOOGLE: Secret("CANARY-login")})

    assert wanted(proxy) == [host]
    assert proxy.heads[0].startswith(b"CONNECT ")
    assert b"CANARY" not in b"".join(proxy.heads)


@pytest.mark.parametrize("setting", [None, "legacy", "regional"])
def test_sts_is_regional(proxy: RawServer, monkeypatch: pytest.MonkeyPatch, setting: str | None) -> None:
    """A pool in us-east-1 uses STS of us-east-1, never the global endpoint, whatever is configured."""
    if setting:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", setting)
    client = Bench("").client(sts_endpoint_url=None, flow="basic", role_arn=ROLE)

    with pytest.raises(Failure):
        client.assume_role_with_web_identity(Secret("CANARY-open-id"), is_guest=True)

    assert wanted(proxy) == ["sts.us-east-1.amazonaws.com"]


def test_plain_http_is_never_proxied(
    bench: EmulatorBench, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request to this machine over http never goes through a proxy, which would read its token."""
    server, _ = serve(lambda connection, _: connection.sendall(REFUSED))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, server.url)

    assert bench.client(bench.pool()).get_id(bench.login())
    assert server.heads == []


def test_plain_http_elsewhere_is_refused() -> None:
    """An http endpoint on another machine is a configuration error before anything is sent."""
    client = Bench("http://192.0.2.1").client()

    with pytest.raises(Failure, match=r"refusing to send login tokens over http to 192\.0\.2\.1") as caught:
        client.get_id({})
    assert isinstance(caught.value.error, ConfigurationError)


def test_configured_endpoints_are_not_followed(bench: EmulatorBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the settings name the endpoint; botocore does not read one from the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "http://192.0.2.1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    with pytest.raises(Failure) as caught:
        bench.client(endpoint_url=None).get_id({})

    assert caught.value.error.code == "ProxyConnectionError"


def test_what_is_sent(serve: Serve) -> None:
    """A request is unsigned, names this package, and holds the login, but no account id."""
    body = IDENTITY
    server, bench = serve(
        lambda c, _: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    )

    bench.client(account_id="123456789012").get_id({GOOGLE: Secret("CANARY-login")})

    head, _, sent = server.heads[0].partition(b"\r\n\r\n")
    assert b"authorization" not in head.lower()
    assert f"md/cognito-credentials#{__version__}".encode() in head
    assert b"GetId" in head
    assert sent == (
        b'{"IdentityPoolId": "us-east-1:00000000-0000-4000-8000-00000000000a", '
        b'"Logins": {"accounts.google.com": "CANARY-login"}}'
    )


@pytest.mark.parametrize("place", ["environment", "profile"])
def test_the_app_is_named_as_botocore_names_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """The app id and the kind of place are in the user agent, with other characters as hyphens."""
    server, bench = serve(lambda c, _: c.sendall(REFUSED))
    name = "my app/1\u00e9"  # older botocore takes # for no part of a name
    in_profile = name if place == "profile" else "not this one"
    (tmp_path / "config").write_text(f"[default]\nsdk_ua_app_id = {in_profile}\n", "utf-8")
    variables = {"AWS_EXECUTION_ENV": "AWS_Lambda (python)", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    if place == "environment":
        variables["AWS_SDK_UA_APP_ID"] = name
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    theirs = botocore.session.Session().create_client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=server.url,
        config=botocore.config.Config(
            signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1, "mode": "standard"}
        ),
    )
    with pytest.raises(botocore.exceptions.ClientError):
        theirs.get_id(IdentityPoolId="x")
    theirs.close()
    bench.environ = variables
    with pytest.raises(Failure):
        bench.client(profile_settings={"sdk_ua_app_id": in_profile}).get_id({})

    told = [_named(head) for head in server.heads]
    assert told == [{"app/my-app-1-", "exec-env/AWS_Lambda--python-"}] * 2


def test_long_names_in_the_user_agent_are_cut(serve: Serve) -> None:
    """An app id and a kind of place have 50 characters at most: long headers would be refused."""
    server, bench = serve(lambda c, _: c.sendall(REFUSED))
    bench.environ = {"AWS_EXECUTION_ENV": "e" * 100_000, "AWS_SDK_UA_APP_ID": "a" * 51}
    with pytest.raises(Failure):
        bench.client().get_id({})

    assert _named(server.heads[0]) == {f"app/{'a' * 50}", f"exec-env/{'e' * 50}"}


def _named(head: bytes) -> set[str]:
    """The app and the place in the user agent of a request."""
    found = re.search(r"\r\nuser-agent: ([^\r]*)", head.decode("latin-1"), re.IGNORECASE)
    assert found is not None
    return {part for part in found[1].split() if part.startswith(("app/", "exec-env/"))}


class CountingProvider(botocore.credentials.CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Counts how often credentials are looked up."""

    METHOD = "counting"
    loads = 0

    def load(self) -> None:
        type(self).loads += 1
        raise AssertionError("credentials were looked for while getting credentials")


@pytest.fixture
def poisoned() -> Iterator[type[CountingProvider]]:
    """Put a provider that must never be called into every new botocore session."""

    def poison(session: botocore.session.Session) -> None:
        session.register_component(
            "credential_provider", botocore.credentials.CredentialResolver([CountingProvider()])
        )

    CountingProvider.loads = 0
    botocore.register_initializer(poison)
    yield CountingProvider
    botocore.unregister_initializer(poison)


def test_no_credentials_are_looked_for(bench: EmulatorBench, poisoned: type[CountingProvider]) -> None:
    """Getting credentials never looks credentials up: the lookup would call this package again."""
    settings = bench.settings(bench.pool(), flow="basic", role_arn=ROLE)
    client = bench.client(settings.identity_pool_id, flow="basic", role_arn=ROLE)

    assert Flows(client, settings).credentials(None, {}, lambda _: None)
    assert poisoned.loads == 0


def test_the_users_configuration_is_not_read(
    bench: EmulatorBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A missing profile, a broken config file, and botocore's own variables change nothing."""
    broken = tmp_path / "config"
    broken.write_text("[profile\nthis is not INI")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(broken))
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_DEFAULT_PROFILE": "missing",
        "AWS_DEFAULT_REGION": "xx-nowhere-9",
        "AWS_MAX_ATTEMPTS": "17",
        "AWS_RETRY_MODE": "adaptive",
    }.items():
        monkeypatch.setenv(name, value)
    bench.fault(drop=True, times=5)

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool(), attempts=3).get_id(bench.login())

    assert caught.value.error.code == "ConnectionClosedError"
    assert bench.emulator.requests()["GetId"] == 3


def test_the_ca_bundle_of_the_profile(bench: EmulatorBench, tmp_path: Path) -> None:
    """TLS is verified against the CA bundle of the environment, else of the profile, else of botocore."""
    with Emulator(keys=bench.emulator.service.keys, tls=True) as emulator:
        pool = emulator.create_pool()
        trusted = {"ca_bundle": emulator.certificate}
        assert bench.client(pool, endpoint_url=emulator.url, profile_settings=trusted).get_id({})

        bench.environ["REQUESTS_CA_BUNDLE"] = str(emulator.certificate)
        assert bench.client(pool, endpoint_url=emulator.url).get_id({})

        bench.environ["AWS_CA_BUNDLE"] = str(tmp_path / "missing.pem")
        with pytest.raises(Failure, match=r"CA bundle .* from AWS_CA_BUNDLE does not exist") as caught:
            bench.client(pool, endpoint_url=emulator.url, profile_settings=trusted).get_id({})
        assert isinstance(caught.value.error, ConfigurationError)


@pytest.mark.parametrize("offset", [-7200, 0, 7200])
def test_the_service_tells_the_time(bench: EmulatorBench, offset: int) -> None:
    """The client learns the offset of a wrong clock from `Date`, and the credentials count as valid."""
    pool = bench.pool()
    bench.emulator.move_clock(offset)
    client = bench.client(pool)
    assert client.seen is None

    exchanged = Flows(client, bench.settings(pool)).credentials(None, {}, lambda _: None)

    assert abs(exchanged.seen.offset - offset) <= 2
    assert client.seen == exchanged.seen


@pytest.mark.parametrize(
    ("step", "moved", "expected"),
    [(1.0, 3600, 3600), (6.0, 3600, 3606), (6.0, -3600, -3594), (30.0, 3600, 3630), (6.0, -2, 0)],
)
def test_a_slow_answer_tells_the_time_at_the_latest(
    bench: EmulatorBench, step: float, moved: int, expected: int
) -> None:
    """After a slow answer this clock counts if `Date` fits it; otherwise `Date` counts as just written."""
    pool = bench.pool()
    bench.emulator.move_clock(moved)
    bench.clock = SlowClock(step)
    client = bench.client(pool)

    client.get_id({})

    received = client.received()
    assert received is not None
    assert received.offset == pytest.approx(expected, abs=3)


def test_the_time_of_an_earlier_answer_serves(bench: EmulatorBench) -> None:
    """An answer during which the machine slept tells no time; the time of an earlier answer is used."""
    pool = bench.pool()
    bench.emulator.move_clock(86_400)
    bench.clock = clock = SlowClock(1.0)
    client = bench.client(pool)
    client.get_id({})
    clock.step = 61.0

    client.get_id({})

    received = client.received()
    assert received is not None
    assert received.offset >= 86_390


def test_a_sleep_over_the_only_answer_tells_no_time(bench: EmulatorBench) -> None:
    """A `Date` that took more than a minute to arrive is not used."""
    bench.clock = SlowClock(61.0)
    client = bench.client(bench.pool())

    client.get_id({})

    assert client.received() is None


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 99 Foo 99999 1:1:1"]
)
def test_an_odd_date_does_no_harm(serve: Serve, date: str) -> None:
    """A missing or absurd `Date` does not fail the request."""
    body = IDENTITY
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nDate: {date}\r\n\r\n".encode()
    _, bench = serve(lambda c, _: c.sendall(head + body))
    client = bench.client()

    assert client.get_id({})
    assert client.seen is None or "1970" in date


def test_a_date_without_a_zone_is_gmt(serve: Serve) -> None:
    """Dates of HTTP are, however they are spelt."""
    date = format_datetime(datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=2))
    assert date.endswith("-0000")
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(IDENTITY)}\r\nDate: {date}\r\n\r\n".encode()
    _, bench = serve(lambda c, _: c.sendall(head + IDENTITY))
    client = bench.client()

    assert client.get_id({})
    assert client.seen is not None
    assert abs(client.seen.offset - 7200) < 3


@pytest.mark.parametrize("token", [None, "", 7, "two words", "x" * 200_000])
def test_an_answer_without_a_token_is_not_sent_on(serve: Serve, token: object) -> None:
    """What GetOpenIdToken answers goes to STS: it is a token, or the answer is refused."""
    identity = "us-east-1:00000000-0000-4000-8000-0000000000aa"
    body = json.dumps({"IdentityId": identity, "Token": token}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    server, bench = serve(lambda c, _: c.sendall(head + body))

    with pytest.raises(Failure) as caught:
        bench.client(flow="basic", role_arn=ROLE).get_open_id_token(identity, {})
    assert "two words" not in str(caught.value)
    assert len(server.heads) == 1


def test_the_basic_flow_needs_a_role(bench: EmulatorBench) -> None:
    """Without one there is nothing to ask STS for: the settings are named, and nothing is sent."""
    with pytest.raises(Failure, match="the basic flow needs a role") as caught:
        bench.client().assume_role_with_web_identity(Secret("x"), is_guest=True)
    assert "role_arn" in caught.value.error.hint


def test_closing_connections_that_were_never_opened_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has sent nothing has not loaded the transport either."""
    monkeypatch.delitem(sys.modules, "cognito_credentials.exchange.transport")
    close_idle_connections()
    assert "cognito_credentials.exchange.transport" not in sys.modules


def test_what_cannot_be_a_token_is_refused_and_not_shown(bench: EmulatorBench) -> None:
    """A token of a wrong type never reaches botocore, whose error would show it."""
    with pytest.raises(TypeError) as caught:
        bench.client().get_id({GOOGLE: b"CANARY-bytes"})  # type: ignore[dict-item]

    assert "CANARY" not in str(caught.value)


def test_little_is_left_open(bench: EmulatorBench) -> None:
    """However many users exchange, the process keeps a few idle connections and no thread."""
    pool = bench.pool()
    settings = bench.settings(pool)
    threads = threading.active_count()
    before = open_files()

    for _ in range(3 * IDLE_LIMIT):
        Flows(bench.client(pool), settings).credentials(None, {}, lambda _: None)

    gc.collect()  # PyPy does not count references
    assert open_files() <= before + IDLE_LIMIT
    assert threading.active_count() <= threads + IDLE_LIMIT  # the emulator, in this process, has one for each

    close_idle_connections()
    deadline = time.monotonic() + 5  # the emulator closes its ends a bit later
    while open_files() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert open_files() <= before


def open_files() -> int:
    """The open files of this process, where the system tells."""
    return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0


FORK = """
import os, socket, sys, threading
from cognito_credentials.clock import Clock
from cognito_credentials.exchange import connections, tls, transport
from cognito_credentials.exchange.client import CognitoClient
from cognito_credentials.settings.settings import Settings

def sockets():
    places = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [place for place in places if os.path.islink(place) and os.readlink(place).startswith("socket:")]

settings = Settings(identity_pool_id=sys.argv[2], region="us-east-1", endpoint_url=sys.argv[1])
client = CognitoClient(settings, Clock(), {"AWS_CA_BUNDLE": sys.argv[3]})
assert client.get_id({})
before = sockets()
connected = threading.Event()
sent = transport._exchanged

def slowly(*arguments):  # in use at the moment of the fork
    connected.set()
    go_on.wait()
    return sent(*arguments)

go_on = threading.Event()
transport._exchanged = slowly
thread = threading.Thread(target=client.get_id, args=({},))
thread.start()
connected.wait()
if sys.argv[4] == "idle":  # no thread, and a connection that is idle
    go_on.set()
    thread.join()
transport._exchanged = sent
transport._shared._changed.acquire()  # as a thread of the parent might, at the moment of the fork
child = os.fork()
if child == 0:
    assert sockets() == [], sockets()
    assert tls._contexts == {}
    os._exit(0 if client.get_id({}) else 1)
_, status = os.waitpid(child, 0)
transport._shared._changed.release()
go_on.set()
thread.join()
assert client.get_id({})
sys.exit(status)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no fork, or no list of open files")
@pytest.mark.parametrize("state", ["idle", "in use"])
def test_a_forked_child_has_connections_of_its_own(bench: EmulatorBench, state: str) -> None:
    """A forked child shares no connection, TLS context or lock with its parent; both can make requests."""
    with Emulator(keys=bench.emulator.service.keys, tls=True) as emulator:
        pool, certificate = emulator.create_pool(), str(emulator.certificate)
        arguments = [sys.executable, *(["-X", "dev"] if state == "idle" else []), "-c", FORK]
        done = subprocess.run(
            [*arguments, emulator.url, pool, certificate, state], timeout=30, capture_output=True, text=True
        )

        assert done.returncode == 0, done.stderr
        assert state != "idle" or done.stderr == "", "no socket is left to the garbage collector"
        assert emulator.requests()["GetId"] == 4


def test_many_threads_share_one_client(bench: EmulatorBench) -> None:
    """Sixteen threads that start together make one client and get sixteen answers."""
    pool = bench.pool()
    client = bench.client(pool)
    start = threading.Barrier(16)
    found: list[str] = []

    def work() -> None:
        start.wait()
        found.append(client.get_id({}))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 16


def test_importing_it_loads_no_botocore() -> None:
    """Importing the exchange loads none of botocore, urllib3 and ssl."""
    code = (
        "import sys, cognito_credentials.exchange.flows, cognito_credentials.exchange.client\n"
        "print([m for m in ('botocore', 'urllib3', 'ssl') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_an_exchange_loads_no_botocore(bench: EmulatorBench) -> None:
    """A cold start of a command line is mostly imports: a whole exchange goes without those of botocore."""
    code = (
        "import sys\n"
        "import filelock\n"  # it is loaded for the sake of forks; an older one brings asyncio
        "of_filelock = set(sys.modules)\n"
        "from cognito_credentials.clock import Clock\n"
        "from cognito_credentials.exchange.client import CognitoClient\n"
        "from cognito_credentials.exchange.flows import Flows\n"
        "from cognito_credentials.settings.settings import Settings\n"
        "settings = Settings(identity_pool_id=sys.argv[2], region='us-east-1', endpoint_url=sys.argv[1])\n"
        "Flows(CognitoClient(settings, Clock()), settings).credentials(None, {}, lambda _: None)\n"
        "loaded = set(sys.modules) - of_filelock\n"
        "print([m for m in ('botocore', 'urllib3', 'urllib.request', 'asyncio') if m in loaded])"
    )
    arguments = [sys.executable, "-c", code, bench.url, bench.pool()]

    done = subprocess.run(arguments, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("region", ["us-east-9", "us-east-1"])
def test_a_failure_imports_nothing(bench: EmulatorBench, region: str) -> None:
    """Whatever the error path needs came with the first request, or with a program's first use of a pool."""
    code = (
        "import sys\n"
        "from cognito_credentials.clock import Clock\n"
        "from cognito_credentials.exchange.client import CognitoClient\n"
        "from cognito_credentials.exchange.actions import Failure\n"
        "from cognito_credentials.pool.parts import load_for_refreshes\n"
        "from cognito_credentials.settings.settings import Settings\n"
        "load_for_refreshes()\n"
        "def ask(**settings):\n"
        "    try: CognitoClient(Settings(**settings), Clock()).get_id({})\n"
        "    except Failure as failure: print(failure.error)\n"
        "ask(identity_pool_id=sys.argv[2], region='us-east-1', endpoint_url=sys.argv[1])\n"
        "before = {*sys.modules}\n"
        "ask(identity_pool_id='x:0', region=sys.argv[3], endpoint_url=sys.argv[1])\n"
        "ask(identity_pool_id='x:0', region=sys.argv[3])\n"
        "print({*sys.modules} - before)"
    )
    arguments = [sys.executable, "-c", code, bench.url, bench.pool(), region]
    environ = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9"}

    done = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "set()", done.stdout
