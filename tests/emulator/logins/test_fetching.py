"""The keys of login providers that are slow, silent or hostile, or that change their keys."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from cognito_credentials.emulator import Emulator

from ..conftest import Api

KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


def jwk(number):
    """The public half of one of the keys, as an issuer publishes it."""
    return {**json.loads(RSAAlgorithm.to_jwk(KEYS[number].public_key())), "kid": f"k{number}"}


class Issuer:
    """
    An issuer on this machine, with answers that a test sets.

    Attributes:
        keys: The keys of its key set.
        answers: Path to a function that answers instead.
        paths: The requested paths.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        issuer = self
        self.keys = [jwk(0)]
        self.answers: dict[str, Callable[[http.server.BaseHTTPRequestHandler], None]] = {}
        self.paths: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.paths.append(self.path)
                if self.path in issuer.answers:
                    issuer.answers[self.path](self)
                    return
                about = {"jwks_uri": f"http://{issuer.name}/keys"}
                body = json.dumps({"keys": issuer.keys} if self.path == "/keys" else about).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing on stderr."""

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self.server = Server((host, 0), Handler)
        shown = f"[{host}]" if ":" in host else host
        self.name = f"{shown}:{self.server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Issuer]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


@pytest.fixture
def issuer():
    """An issuer on 127.0.0.1."""
    with Issuer().running() as made:
        yield made


def pool_of(api, *providers):
    arns = [f"arn:aws:iam::123456789012:oidc-provider/{provider}" for provider in providers]
    return api.emulator.create_pool(OpenIdConnectProviderARNs=arns)


def sign_in(api, pool_id, provider, number=0, scheme="http"):
    """GetId with a login that one of the keys signed."""
    claims = {"iss": f"{scheme}://{provider}", "sub": "CANARY-ann", "aud": "app", "exp": 4_000_000_000}
    token = jwt.encode(claims, KEYS[number], "RS256", {"kid": f"k{number}"})
    return api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {provider: token}})


@pytest.fixture
def silent():
    """A socket on 127.0.0.1 that accepts connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def name_of(server):
    return "{}:{}".format(*server.getsockname())


@pytest.fixture
def patience(api):
    """Set how long calls wait for keys, in seconds."""

    def set_to(seconds):
        api.emulator._running.application.key_fetches.seconds = seconds

    return set_to


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_keys_for_other_algorithms(api, issuer, algorithm):
    """A token that is not signed with RSA is refused without asking the provider for its keys."""
    claims = {"iss": f"http://{issuer.name}", "sub": "ann", "aud": "app", "exp": 4_000_000_000}
    key = None if algorithm == "none" else "CANARY" * 8
    logins = {issuer.name: jwt.encode(claims, key, algorithm)}

    answer = api.post("GetId", {"IdentityPoolId": pool_of(api, issuer.name), "Logins": logins})

    assert answer.json["message"] == "Invalid login token. Couldn't verify signed token."
    assert issuer.paths == []


@pytest.fixture
def offline(emulator_keys, boto_session):
    """An emulator that fetches nothing from another machine."""
    with Emulator(keys=emulator_keys, offline=True) as running:
        yield Api(running, None, None, boto_session)


def elsewhere(handler):
    """Answer that the keys are on another machine, which does not exist."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'{"jwks_uri": "https://issuer.invalid/keys"}')


def to_elsewhere(handler):
    """Redirect to another machine, which does not exist."""
    handler.send_response(302)
    handler.send_header("Location", "https://issuer.invalid/keys")
    handler.end_headers()


@pytest.fixture
def asked(monkeypatch):
    """The hosts whose address was looked up."""
    hosts = []
    resolve = socket.getaddrinfo

    def resolving(host, *arguments, **options):
        hosts.append(host)
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    return hosts


def test_offline(offline, issuer, asked):
    """Offline, the keys of a provider on this machine are fetched, and no others."""
    provider = "issuer.invalid"

    refused = sign_in(offline, pool_of(offline, provider), provider, scheme="https").json

    assert refused["__type"] == "ExternalServiceException"
    assert refused["message"].endswith("The emulator is offline, and the seed has no keys of it.")
    assert sign_in(offline, pool_of(offline, issuer.name), issuer.name).status == 200
    assert set(asked) == {"127.0.0.1"}


@pytest.mark.parametrize("answer", [elsewhere, to_elsewhere])
def test_offline_by_a_document(offline, issuer, answer, asked):
    """Offline, neither a discovery document nor a redirect leads to another machine."""
    issuer.answers["/.well-known/openid-configuration"] = answer

    refused = sign_in(offline, pool_of(offline, issuer.name), issuer.name)

    assert refused.json["__type"] == "ExternalServiceException"
    assert set(asked) == {"127.0.0.1"}


@pytest.mark.thorough
def test_a_silent_issuer(api, issuer, silent, patience):
    """Calls that wait for a silent issuer fail after a moment, and do not delay logins of another one."""
    patience(3)
    provider = name_of(silent)
    pool_id = pool_of(api, provider, issuer.name)
    answers = []
    waiting = [
        threading.Thread(target=lambda: answers.append(sign_in(api, pool_id, provider))) for _ in range(40)
    ]
    for thread in waiting:
        thread.start()
    connection, _ = silent.accept()
    healthy = sign_in(api, pool_id, issuer.name)

    assert (healthy.status, answers) == (200, [])
    for thread in waiting:
        thread.join()
    connection.close()
    assert {answer.json["__type"] for answer in answers} == {"ExternalServiceException"}
    silent.settimeout(0)
    with pytest.raises(BlockingIOError):
        silent.accept()  # one fetch was enough for all of them


def test_the_end_waits_for_no_issuer(emulator_keys, silent):
    """The emulator stops without waiting for keys that are being fetched."""
    emulator = Emulator(keys=emulator_keys)
    emulator.start()
    api = Api(emulator, None, None, None)
    pool_id = pool_of(api, name_of(silent))
    cut = threading.Event()

    def ask():
        try:
            sign_in(api, pool_id, name_of(silent))
        except OSError:
            cut.set()

    waiting = threading.Thread(target=ask)
    waiting.start()
    connection, _ = silent.accept()
    started = time.monotonic()
    emulator.stop()
    seconds = time.monotonic() - started
    waiting.join()
    connection.close()

    assert cut.is_set()
    assert seconds < 3


def test_a_byte_at_a_time(api, issuer, patience):
    """The time limit also holds for a document that comes byte by byte."""
    stop = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.01):
            handler.wfile.write(b" ")

    issuer.answers["/keys"] = drip
    patience(0.5)
    try:
        answer = sign_in(api, pool_of(api, issuer.name), issuer.name)
        threads = [thread for thread in threading.enumerate() if thread.name == "cognito-emulator-keys"]
        for thread in threads:
            thread.join(10)
    finally:
        stop.set()

    assert answer.json["__type"] == "ExternalServiceException"
    assert not [thread for thread in threads if thread.is_alive()], "its fetch goes on"


def test_a_key_set_without_end(api, issuer):
    """A document that is larger than any key set is not read to its end."""
    issuer.keys = [jwk(0), {"kty": "RSA", "n": "A" * 600_000}]

    answer = sign_in(api, pool_of(api, issuer.name), issuer.name)

    assert answer.json["__type"] == "ExternalServiceException"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        (None, 200),
        ({"alg": "none"}, 400),
        ({"alg": "ES256"}, 400),
        ({"alg": "RS512"}, 200),
        ({"use": "enc"}, 400),
        ({"kty": "oct", "k": "AA"}, 400),
        ({"n": 5}, 400),
        ({"n": "_" * 4000}, 400),
    ],
)
def test_keys_of_all_kinds(api, issuer, changes, status):
    """RSA keys that sign are used. Other entries of a key set are skipped."""
    whole = {**json.loads(RSAAlgorithm.to_jwk(KEYS[0])), "kid": "k0"}
    issuer.keys = [{"kty": "EC"}, whole if changes is None else {**jwk(0), **changes}]

    assert sign_in(api, pool_of(api, issuer.name), issuer.name).status == status


def test_keys_that_rotate(api, issuer):
    """A new key of the issuer is fetched. A forged token does not cause a fetch each time."""
    pool_id = pool_of(api, issuer.name)
    assert sign_in(api, pool_id, issuer.name).status == 200
    issuer.keys = [jwk(1)]

    at_once = sign_in(api, pool_id, issuer.name, 1)
    fetched = len(issuer.paths)
    api.emulator.move_clock(2)
    later = sign_in(api, pool_id, issuer.name, 1)

    assert at_once.json["message"] == "Invalid login token. Couldn't verify signed token."
    assert fetched == 2, "one for where the keys are, one for them"
    assert later.status == 200


def test_an_outage_takes_no_keys_away(api, issuer):
    """If the issuer cannot be reached, its cached keys verify tokens for an hour."""
    pool_id = pool_of(api, issuer.name)
    assert sign_in(api, pool_id, issuer.name).status == 200
    issuer.answers["/keys"] = lambda handler: handler.send_error(503)
    api.emulator.move_clock(10)

    unknown = sign_in(api, pool_id, issuer.name, 1)
    known = sign_in(api, pool_id, issuer.name)
    api.emulator.move_clock(3600)
    late = sign_in(api, pool_id, issuer.name)

    assert unknown.json["message"] == "Invalid login token. Couldn't verify signed token."
    assert known.status == 200
    assert late.json["__type"] == "ExternalServiceException"


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_names_of_this_machine(api, host):
    """An issuer may be localhost or an IPv6 address, although these names have no dot."""
    try:
        issuer = Issuer(host)
    except OSError:
        pytest.skip(f"this machine has no address {host}")
    with issuer.running():
        answer = sign_in(api, pool_of(api, issuer.name), issuer.name)

    assert answer.status == 200


def test_no_proxy_to_this_machine(api, issuer, monkeypatch):
    """A proxy of the environment is not used for an issuer on this machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    assert sign_in(api, pool_of(api, issuer.name), issuer.name).status == 200
