"""What web pages may do, and which names the emulator is called by."""

from __future__ import annotations

import json

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.wire import throttle
from cognito_credentials.emulator.wire.hosts import Hosts, is_host_name

from ..conftest import OIDC, ROLE, SIGNED, Api, get_id
from ..test_facts import PUBLIC

FOREIGN = [
    *("https://evil.test", "http://evil.test:8000", "null", "", "file://", "http://127.0.0.1.evil.test"),
    *("http://localhost.evil.test", "http://evil.test@localhost", "http://[::1", "http://0.0.0.0:8000"),
    *("http://localhost/.evil.test", "http://localhost#.evil.test", "http://localhost, http://evil.test"),
    *("localhost", "//localhost", "http://evil.test http://localhost", "http://localhost\\.evil.test"),
]
OWN = [
    *("http://localhost:3000", "https://127.0.0.1", "http://[::1]:8000", "http://127.1.2.3"),
    *("http://LOCALHOST", "http://app.localhost:5173", "tauri://localhost"),
]


@pytest.fixture
def called(emulator_keys, boto_session):
    """An emulator with names: that of a container, and one of AWS for its certificate."""
    with Emulator(keys=emulator_keys, allow_hosts=["Cognito", "192.0.2.7", "*.local.test"]) as running:
        yield Api(running, None, None, boto_session)


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_page_calls_public_operations_only(api, origin):
    """A page of another origin can call the four public operations. All others are refused, though signed."""
    pool_id = api.oidc_pool()
    identity = {"IdentityId": get_id(api, pool_id, api.login())}
    content = {"IdentityPoolId": pool_id, **identity, "Logins": api.login(), "LoginsToRemove": [OIDC]}

    answers = {name: api.post(name, content, Origin=origin, **SIGNED) for name in sorted(OPERATIONS)}

    assert {name for name, answer in answers.items() if answer.status == 200} == PUBLIC
    for name in answers.keys() - PUBLIC:
        assert (answers[name].status, answers[name].json["__type"]) == (400, "AccessDeniedException")
        assert answers[name].headers["access-control-allow-origin"] == "*"
    assert api.developer.describe_identity_pool(IdentityPoolId=pool_id)


@pytest.mark.parametrize("origin", OWN)
def test_page_of_this_machine_calls_all_operations(api, origin):
    """A page of this machine can call signed operations, too."""
    answer = api.post("ListIdentityPools", {"MaxResults": 1}, Origin=origin, **SIGNED)

    assert answer.status == 200


def test_page_learns_how_to_be_allowed(api):
    """The refusal names the flag for the name of the page, but never a text that is no name."""
    named = api.post("ListIdentityPools", {}, Origin="https://App.example.test:8443", **SIGNED)
    odd = api.post("ListIdentityPools", {}, Origin="https://$(touch P)", **SIGNED)

    assert named.json["Message"].endswith("start the emulator with --allow-host app.example.test")
    assert odd.json["Message"].endswith("start the emulator with --allow-host NAME")


def test_foreign_page_uses_credentials(api):
    """A page of another origin can use the credentials that it got, in STS and in the basic flow."""
    pool_id = api.emulator.create_pool()
    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id))["Token"]
    form = (
        f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}unauthenticated"
        f"&RoleSessionName=session&WebIdentityToken={token}"
    )

    answer = api.raw(body=form, headers={"Origin": "https://evil.test"})

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("evil.test", 403), ("evil.test:80", 403), ("127.0.0.1.evil.test", 403), ("", 403), ("[::1", 403)),
        *(("0.0.0.0", 403), ("a@localhost", 403), ("192.0.2.1", 403), ("localhost.", 200), ("[::1]:9", 200)),
        *(("localhost", 200), ("127.0.0.1:9", 200), ("127.9.9.9", 200), ("x.localhost", 200)),
        *(("localhost#.evil.test", 403), ("localhost/.evil", 403), ("localhost:1, evil.test", 403)),
        *(("localhost?.evil.test", 403), ("localhost:x", 403), ("[localhost]", 403), ("::1", 403)),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "requests"), ("PUT", "settings"), ("POST", "reset")])
def test_control_calls_need_a_name_of_the_emulator(api, host, status, method, path):
    """A control call by a name that is not the emulator's is refused: a page may lead its name here."""
    answer = api.raw(method, f"/_emulator/{path}", "{}" if method != "GET" else "", {"Host": host})

    assert answer.status == status


def test_service_has_any_name(api):
    """Operations and documents are answered by any name: that of AWS may lead to the emulator."""
    host = {"Host": "cognito-identity.us-east-1.amazonaws.com"}

    assert api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}, **host).status == 200
    assert api.raw("GET", "/.well-known/jwks_uri", headers=host).status == 200


def test_program_without_a_host(api):
    """A program may leave Host out, as HTTP/1.0 allows."""
    import socket

    host, port = api.emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(b"GET /_emulator/requests HTTP/1.0\r\n\r\n")
        assert b" 200 " in wire.recv(1000)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *(("cognito:8000", 200), ("COGNITO", 200), ("192.0.2.7:1", 200), ("a.local.test", 200)),
        *(("localhost", 200), ("a.b.local.test", 403), ("local.test", 403), ("cognito.evil.test", 403)),
    ],
)
def test_allowed_names(called, name, status):
    """--allow-host lets the emulator be called by a name, and pages of that name do what those here may."""
    by_name = called.raw("GET", "/_emulator/requests", headers={"Host": name})
    page = called.raw("POST", "/_emulator/reset", "{}", {"Origin": f"http://{name}"})
    signed = called.post("ListIdentityPools", {"MaxResults": 1}, Origin=f"http://{name}", **SIGNED)

    assert by_name.status == page.status == status
    assert (signed.status == 200) == (status == 200)


def test_names_in_the_certificate(emulator_keys):
    """The names of --tls-name turn TLS on, are in the certificate, and are names of the emulator."""
    import http.client
    import ssl

    aws = "cognito-identity.us-east-1.amazonaws.com"
    with Emulator(keys=emulator_keys, tls_names=[aws, "192.0.2.7"]) as running:
        port = int(running.url.rpartition(":")[2])
        trusted = ssl.create_default_context(cafile=running.certificate)
        wire = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trusted)
        for name, good in ((aws, True), ("192.0.2.7", True), ("sts.us-east-1.amazonaws.com", False)):
            wire.sock = trusted.wrap_socket(connected(port), server_hostname=name) if good else None
            if not good:
                with pytest.raises(ssl.SSLCertVerificationError):
                    trusted.wrap_socket(connected(port), server_hostname=name)
                continue
            wire.request("GET", "/_emulator/requests", headers={"Host": name})
            answer = wire.getresponse()
            assert (answer.status, json.load(answer)) == (200, {})
            wire.close()


def connected(port):
    import socket

    return socket.create_connection(("127.0.0.1", port), timeout=10)


def test_address_that_it_listens_on(emulator_keys):
    """The address of --host is a name of the emulator. One that stands for all addresses is none."""
    with Emulator(keys=emulator_keys, host="127.0.0.3") as running:
        assert Api(running, None, None, None).control("GET", "requests").status == 200
    with Emulator(keys=emulator_keys, host="0.0.0.0") as running:
        api = Api(running, None, None, None)
        assert api.control("GET", "requests").status == 200
        assert api.raw("GET", "/_emulator/requests", headers={"Host": "0.0.0.0"}).status == 403


@pytest.mark.parametrize("name", ["localhost", "a-b.c_d.test", "*.aws.test", "::1", "192.0.2.7", "A.test."])
def test_host_names(name):
    """Names, wildcards and addresses are taken, and found in any case."""
    assert is_host_name(name)
    shown = f"[{name}]" if ":" in name else name.replace("*", "x").upper()
    assert Hosts([name]).is_own(f"{shown}:8000")


@pytest.mark.parametrize(
    "name", ["", "https://a.test", "a.test:80", "a b", "*", "a.*.test", "-a.test", "ä.test", "x" * 254, 7]
)
def test_no_host_names(name):
    """What is no name, or has a scheme or a port, is refused with one line that says so."""
    assert not is_host_name(name)
    for option in ("tls_names", "allow_hosts"):
        with pytest.raises(
            ValueError, match=f"{option}: expected a list of host names and addresses, without"
        ):
            Emulator(**{option: [name]})
    with pytest.raises(ValueError, match="allow_hosts: expected a list"):
        Emulator(allow_hosts="cognito")


def test_strangers_do_not_fill_the_memory(api, monkeypatch):
    """Made-up operations and regions of unsigned calls add nothing that stays."""
    monkeypatch.setattr(throttle, "_MOST_BUCKETS", 10)
    api.emulator.settings(throttle=True)
    control = api.emulator._running.application.control

    for number in range(20):
        api.raw(body=b"{}", headers={"X-Amz-Target": f"AWSCognitoIdentityService.Get{number}"})
        api.post("GetId", {"IdentityPoolId": f"r-{number}:0"})
        api.post("GetId", {"IdentityPoolId": f"{'x' * 1000}{number}:0"})

    assert api.emulator.requests().keys() == {"GetId"}
    assert len(control.throttle._buckets) <= 10
    assert max(len(region) for _, region in control.throttle._buckets) < 20
