"""Signed URLs for MQTT over WebSocket: compared with two other signers, and what an endpoint looks like."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from freezegun import freeze_time

from cognito_credentials import AsyncIdentityPool, ConfigurationError, IdentityPool, ServiceError
from cognito_credentials.adapters.iot import websocket_url
from tests.world import World

HOST = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com"
TOKEN = "X-Amz-Security-Token"


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


def query(url: str) -> dict[str, str]:
    """The parameters of a URL, in their order."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def region_in(url: str) -> str:
    return query(url)["X-Amz-Credential"].split("/")[2]


@pytest.mark.parametrize("endpoint", [HOST, f"{HOST}:443", f"{HOST}:8443", "http://127.0.0.1:8080"])
def test_the_signature_is_botocores_for_the_same_moment(world: World, endpoint: str) -> None:
    """botocore's signer of queries, given no session token, makes the same URL but for the token."""
    pool = world.pool()
    url = websocket_url(pool, endpoint, "eu-west-1")
    held = pool.credentials()
    theirs = AWSRequest("GET", url.partition("?")[0].replace("ws", "http", 1))
    keys = Credentials(held.access_key_id, held.secret_access_key.reveal())
    with freeze_time(datetime.fromtimestamp(world.clock.wall(), timezone.utc)):
        SigV4QueryAuth(keys, "iotdevicegateway", "eu-west-1", expires=300).add_auth(theirs)

    ours = query(url)
    assert ours.pop(TOKEN) == held.session_token.reveal()
    assert ours == query(theirs.url)
    assert list(query(url))[-2:] == ["X-Amz-Signature", TOKEN]


def test_the_signature_is_that_of_the_aws_iot_sdk(world: World) -> None:
    """awscrt's signer, set as the AWS IoT SDK sets it, makes the same URL: the token is there, not signed."""
    if sys.implementation.name != "cpython":
        pytest.skip("awscrt has nothing for PyPy")
    from awscrt import auth, http

    pool = world.pool()
    url = websocket_url(pool, HOST)
    held = pool.credentials()
    request = http.HttpRequest("GET", "/mqtt", http.HttpHeaders([("Host", HOST)]))
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=auth.AwsCredentialsProvider.new_static(
            held.access_key_id, held.secret_access_key.reveal(), held.session_token.reveal()
        ),
        region="eu-west-1",
        service="iotdevicegateway",
        date=datetime.fromtimestamp(world.clock.wall(), timezone.utc),
        expiration_in_seconds=300,
        omit_session_token=True,
    )
    auth.aws_sign_request(request, config).result(timeout=10)

    assert query(request.path) == query(url)


def test_the_url_says_where_when_and_who(world: World) -> None:
    """The URL leads to ``/mqtt`` by wss, ends after five minutes, and signs the host alone."""
    pool = world.pool()
    parts = urlsplit(websocket_url(pool, HOST))
    found = query(parts.geturl())

    assert (parts.scheme, parts.netloc, parts.path) == ("wss", HOST, "/mqtt")
    assert found["X-Amz-Credential"].startswith(pool.credentials().access_key_id)
    assert found["X-Amz-Credential"].endswith("/eu-west-1/iotdevicegateway/aws4_request")
    assert (found["X-Amz-Expires"], found["X-Amz-SignedHeaders"]) == ("300", "host")


def test_a_new_url_is_of_the_credentials_and_the_moment_of_now(world: World) -> None:
    """A URL made after a renewal has the new keys and the new time."""
    pool = world.pool()
    before = query(websocket_url(pool, HOST))
    world.move(3500)
    after = query(websocket_url(pool, HOST))

    assert before["X-Amz-Credential"] != after["X-Amz-Credential"]
    assert before["X-Amz-Date"] < after["X-Amz-Date"]
    assert world.counts()["GetCredentialsForIdentity"] == 2


def test_a_wrong_clock_makes_no_wrong_signature(world: World) -> None:
    """On a device whose clock is two hours behind, the URL is signed by the service's time."""
    right = world.clock.wall()
    world.clock.set_wall(right - 7200)
    made = query(websocket_url(world.pool(), HOST))["X-Amz-Date"]

    signed = datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    assert abs(signed.timestamp() - right) < 60


@pytest.mark.parametrize(
    ("endpoint", "starts"),
    [
        (HOST, f"wss://{HOST}/mqtt?"),
        (HOST.upper(), f"wss://{HOST}/mqtt?"),
        (f"{HOST}:443", f"wss://{HOST}/mqtt?"),
        (f"{HOST}:8443", f"wss://{HOST}:8443/mqtt?"),
        (f"https://{HOST}/", f"wss://{HOST}/mqtt?"),
        (f"wss://{HOST}/mqtt", f"wss://{HOST}/mqtt?"),
        (f"WSS://{HOST}:443/mqtt/", f"wss://{HOST}/mqtt?"),
        ("localhost:8443", "wss://localhost:8443/mqtt?"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/mqtt?"),
        ("ws://localhost:80/mqtt", "ws://localhost/mqtt?"),
        ("ws://[::1]:9001", "ws://[::1]:9001/mqtt?"),
    ],
)
def test_an_endpoint_is_a_host_or_a_url(world: World, endpoint: str, starts: str) -> None:
    """A host, with or without port, a URL with the path of MQTT or none; plain only to this machine."""
    assert websocket_url(world.pool(), endpoint).startswith(starts)


@pytest.mark.parametrize(
    ("endpoint", "given", "region"),
    [
        ("x-ats.iot.ap-southeast-2.amazonaws.com", None, "ap-southeast-2"),
        ("x.ats.iot.cn-north-1.amazonaws.com.cn", None, "cn-north-1"),
        ("x-ats.iot-fips.us-gov-west-1.amazonaws.com", None, "us-gov-west-1"),
        ("vpce-1-us-east-1a.data.iot.us-west-2.vpce.amazonaws.com", None, "us-west-2"),
        ("mqtt.example.com", None, "us-east-1"),  # the pool's
        ("mqtt.example.com", "sa-east-1", "sa-east-1"),
        (HOST, "eu-west-1", "eu-west-1"),
    ],
)
def test_the_region_is_given_or_in_the_name_or_the_pools(
    world: World, endpoint: str, given: str | None, region: str
) -> None:
    """The argument decides, then the endpoint's name in any partition, then the pool."""
    assert region_in(websocket_url(world.pool(), endpoint, given)) == region


@pytest.mark.parametrize(
    ("endpoint", "given", "says"),
    [
        ("", None, "endpoint from argument is not the URL of a service. Give the host that `aws iot"),
        (None, None, "endpoint from argument is NoneType, not text. Give the host"),
        ("a b", None, "endpoint from argument is not the URL"),
        ("x.example.com/\n", None, "endpoint from argument is not the URL"),
        (f"mqtts://{HOST}:8883", None, "endpoint from argument is not the URL"),
        (f"{HOST}:mqtt", None, "endpoint from argument is not the URL"),
        (f"wss://{HOST}/mqtt?X-Amz-Signature=1", None, "endpoint from argument is not the URL"),
        (
            f"wss://user:pw@{HOST}",
            None,
            "endpoint from argument holds a user name or password. Give the host",
        ),
        (f"{HOST}/things", None, "endpoint from argument has the path '/things'. Give the host"),
        (f"ws://{HOST}", None, "endpoint from argument is plain http to another machine"),
        (HOST, "eu-wst-1", "region from argument is no region: 'eu-wst-1'. Did you mean eu-west-1"),
        (HOST, 1, "region from argument is no region: '1'. It is like us-east-1"),
        (HOST, "us-east-1", "region from argument is us-east-1, and the endpoint is in eu-west-1. Leave"),
    ],
)
def test_a_wrong_argument_is_one_line_and_no_request(
    world: World, endpoint: Any, given: Any, says: str
) -> None:
    """What is wrong and what to give, before anybody is asked for credentials."""
    with pytest.raises(ConfigurationError) as caught:
        websocket_url(world.pool(), endpoint, given)

    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)
    assert world.counts() == {}


@pytest.mark.parametrize("pool", [None, "CANARY", IdentityPool])
def test_what_is_no_pool_is_one_line(pool: Any) -> None:
    """Something else in place of the pool is named by its type alone: it may be a secret."""
    with pytest.raises(ConfigurationError, match=r"^websocket_url needs an identity pool, not (\w+)\. Write"):
        websocket_url(pool, HOST)


def test_without_credentials_there_is_no_url(world: World) -> None:
    """An outage without credentials is the pool's own error, not a URL that is refused later."""
    world.outage()

    with pytest.raises(ServiceError):
        websocket_url(world.pool(), HOST)


def test_an_asynchronous_pool_is_awaited_before(world: World) -> None:
    """On an event loop nothing is waited for: what the pool holds signs the URL, or there is none."""
    pool = AsyncIdentityPool(world.pool_id, environ=world.environ, clock=world.clock)

    async def urls() -> str:
        with pytest.raises(ConfigurationError, match=r"holds no valid credentials.*await pool\.credentials"):
            websocket_url(pool, HOST)
        assert world.counts() == {}
        await pool.credentials()
        return websocket_url(pool, HOST)

    assert asyncio.run(urls()) == websocket_url(pool.pool, HOST)


def test_it_needs_no_other_library() -> None:
    """A device without boto3, awscrt or an event loop signs its URLs with the standard library."""
    code = "import sys, cognito_credentials.adapters.iot; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert not {"awscrt", "boto3", "botocore", "asyncio"} & set(done.stdout.split())
