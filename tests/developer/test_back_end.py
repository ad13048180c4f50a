"""The back end's half: `developer_token`, and the example's web service, with a real app in front of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from cognito_credentials import ConfigurationError, RefusedError, Secret, ServiceError
from cognito_credentials.developer.back_end import developer_token
from cognito_credentials.developer.login import DeveloperLogin
from cognito_credentials.logins.claims import unverified_claims
from tests.world import World

from .conftest import PROVIDER, SERVICE, Service, bearer

TAGS = "https://aws.amazon.com/tags"


def test_one_user_is_one_identity(world: World, client: Any) -> None:
    """The same user gets the same identity each time, and another user another one."""
    first = developer_token(client, world.pool_id, "ann", provider=PROVIDER)
    again = developer_token(client, world.pool_id, "ann", provider=PROVIDER)
    other = developer_token(client, world.pool_id, "bob", provider=PROVIDER)

    assert first.identity_id == again.identity_id != other.identity_id


def test_tags_and_duration_are_in_the_token(world: World, client: Any) -> None:
    """Principal tags and the token's duration are those of the call."""
    made = developer_token(
        client, world.pool_id, "ann", provider=PROVIDER, principal_tags={"team": "blue"}, duration_seconds=120
    )
    claims = unverified_claims(made.token.reveal())

    assert claims is not None
    assert claims["exp"] - claims["iat"] == 120
    assert claims[TAGS]["principal_tags"] == {"team": ["blue"]}


def test_a_guest_becomes_the_user(world: World, client: Any) -> None:
    """The first sign-in keeps the guest's identity."""
    guest = world.pool().identity_id()

    made = developer_token(client, world.pool_id, "ann", provider=PROVIDER, guest_identity_id=guest)

    assert made.identity_id == guest


def test_a_user_who_has_an_identity_keeps_it(world: World, client: Any) -> None:
    """A user with an identity keeps it, and the guest's is left alone."""
    own = developer_token(client, world.pool_id, "ann", provider=PROVIDER).identity_id
    guest = world.pool().identity_id()

    made = developer_token(client, world.pool_id, "ann", provider=PROVIDER, guest_identity_id=guest)

    assert made.identity_id == own != guest


def test_public_logins_cannot_name_an_own_user(world: World, client: Any) -> None:
    """Attack: a client's logins that hold the developer provider's name would make it any user of the app."""
    with pytest.raises(ConfigurationError, match="developer provider's own name"):
        developer_token(client, world.pool_id, "mallory", provider=PROVIDER, logins={PROVIDER: "ann"})


def test_nobody_takes_another_users_identity(world: World, client: Any) -> None:
    """Attack: an app that names somebody else's identity as its guest's gets its own user's."""
    anns = developer_token(client, world.pool_id, "ann", provider=PROVIDER).identity_id

    made = developer_token(client, world.pool_id, "mallory", provider=PROVIDER, guest_identity_id=anns)

    assert made.identity_id != anns
    found = client.lookup_developer_identity(IdentityPoolId=world.pool_id, IdentityId=anns)
    assert found["DeveloperUserIdentifierList"] == ["ann"]


@pytest.mark.parametrize("guest", ["us-east-1:00000000-0000-4000-8000-00000000dead", "CANARY", ""])
def test_a_guest_that_is_none_is_passed_over(world: World, client: Any, guest: str) -> None:
    """A guest identity id that is nonsense does not keep the user out."""
    made = developer_token(client, world.pool_id, "ann", provider=PROVIDER, guest_identity_id=guest)

    assert made.identity_id.startswith("us-east-1:")


def test_the_token_does_not_show(world: World, client: Any) -> None:
    """repr redacts; the JSON for the app has it in clear, once."""
    made = developer_token(client, world.pool_id, "ann", provider=PROVIDER)

    assert made.token.reveal() not in repr(made)
    assert made.to_json() == {"IdentityId": made.identity_id, "Token": made.token.reveal()}


@pytest.mark.parametrize(
    "wrong",
    [{"user": ""}, {"provider": ""}, {"duration_seconds": 0}, {"duration_seconds": 86_401}],
)
def test_malformed_arguments_are_refused_before_any_request(
    world: World, client: Any, wrong: dict[str, Any]
) -> None:
    """An empty user name is refused: all users without a name would share an identity."""
    arguments = {"user": "ann", "provider": PROVIDER, **wrong}

    with pytest.raises(ConfigurationError):
        developer_token(client, world.pool_id, **arguments)

    assert "GetOpenIdTokenForDeveloperIdentity" not in world.counts()


def test_a_pool_without_that_provider_says_so(world: World, client: Any) -> None:
    """A wrong developer provider name is an error that repeats neither user nor token."""
    with pytest.raises((ConfigurationError, RefusedError), match="developer provider"):
        developer_token(client, world.pool_id, "ann", provider="login.other")


def test_no_aws_credentials_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A back end without AWS credentials is an error that says so."""
    bare = boto3.Session().client(
        "cognito-identity", region_name="us-east-1", endpoint_url=world.emulator.url
    )

    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        developer_token(bare, world.pool_id, "ann", provider=PROVIDER)

    bare.close()


def test_an_outage_is_worth_a_retry(world: World, client: Any) -> None:
    """A failure of the service is a ServiceError, which can be tried again."""
    world.outage()

    with pytest.raises(ServiceError):
        developer_token(client, world.pool_id, "ann", provider=PROVIDER)


def test_a_public_login_is_linked_too(world: World, client: Any, emulator: Any) -> None:
    """A user who also signs in with Google is one identity by both ways."""
    pool_id = emulator.create_pool(
        DeveloperProviderName=PROVIDER, SupportedLoginProviders={"accounts.google.com": "app"}
    )
    token = emulator.login_token("accounts.google.com", subject="ann@google")

    made = developer_token(
        client, pool_id, "ann", provider=PROVIDER, logins={"accounts.google.com": Secret(token)}
    )

    world.pool_id = pool_id
    assert world.pool(logins={"accounts.google.com": token}).identity_id() == made.identity_id


@pytest.mark.quick
def test_the_example_from_app_to_credentials(world: World, service: Service) -> None:
    """App, web service and Cognito: each user gets credentials of an identity of their own."""
    ann = world.pool(logins=DeveloperLogin(service.url, headers=bearer("ann")), user="ann")
    bob = world.pool(logins=DeveloperLogin(service.url, headers=bearer("bob")), user="bob")

    assert ann.credentials().access_key_id != bob.credentials().access_key_id
    assert ann.identity_id() != bob.identity_id()
    assert "CANARY" not in "".join(service.log)


def test_the_example_knows_its_users_by_their_session_alone(service: Service) -> None:
    """A request without a session gets no token, whatever else it says."""
    for headers in ({}, {"Authorization": "Bearer ann"}, {"Authorization": "Basic CANARY-session-of-ann"}):
        request = urllib.request.Request(
            service.url, json.dumps({"user": "ann"}).encode(), headers, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        caught.value.close()
        assert caught.value.code == 401


def test_the_example_reads_no_body_without_end(service: Service) -> None:
    """More than 4 KiB is answered with 413 at once, while the rest is still to come."""
    parts = urllib.parse.urlsplit(service.url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 9999999999\r\n"
        "Authorization: Bearer CANARY-session-of-ann\r\n\r\n"
    )
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as sent:
        sent.sendall(head.encode() + b'{"x": "' + b"y" * 5000)
        assert sent.recv(100).startswith(b"HTTP/1.1 413 ")


def test_the_example_makes_a_guest_the_user(world: World, service: Service) -> None:
    """`link` tells the back end of the guest: the first sign-in keeps the identity, here and at Cognito."""
    pool = world.pool()
    guest = pool.identity_id()
    pool.credentials()

    assert pool.link(DeveloperLogin(service.url, headers=bearer("ann")), user="ann") == guest

    assert pool.credentials().access_key_id.startswith("ASIA")
    assert world.pool().identity_id() != guest


def test_the_example_gives_a_user_his_own_identity(world: World, service: Service) -> None:
    """On another machine the user's own identity is taken, and the guest's is forgotten here."""
    own = world.pool(logins=DeveloperLogin(service.url, headers=bearer("ann")), cache="memory").identity_id()
    pool = world.pool()
    guest = pool.identity_id()

    assert pool.link(DeveloperLogin(service.url, headers=bearer("ann")), user="ann") == own != guest
    assert world.pool().identity_id() != guest


@pytest.mark.parametrize(
    "missing", ["AWS_COGNITO_IDENTITY_POOL_ID", "APP_DEVELOPER_PROVIDER", "APP_SESSIONS"]
)
def test_the_example_says_which_variable_it_needs(missing: str, tmp_path: Path) -> None:
    """Started without one of its settings it ends at once, with one line that names it."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SERVICE.parent.parent),
        "AWS_COGNITO_IDENTITY_POOL_ID": "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70",
        "APP_DEVELOPER_PROVIDER": "login.example",
        "APP_SESSIONS": str(tmp_path / "sessions.json"),
    }
    del environ[missing]

    done = subprocess.run(
        [sys.executable, str(SERVICE / "service.py")],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"{missing} is not set: it is ")
    assert done.stderr.count("\n") == 1
