"""DeveloperLogin: what it sends to the app's back end, what it takes from it, and what it refuses."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import (
    ConfigurationError,
    LoginRequiredError,
    Secret,
    ServiceError,
)
from cognito_credentials.developer.back_end import developer_token
from cognito_credentials.developer.login import DeveloperLogin
from cognito_credentials.logins import Logins
from cognito_credentials.pool.logins import logins_of
from cognito_credentials.settings.load import load
from tests.world import World

from .conftest import PROVIDER, BackEnd, bearer

Start = Callable[[], BackEnd]
OWN = "cognito-identity.amazonaws.com"


@pytest.fixture
def answer(world: World, client: Any) -> Callable[[str], bytes]:
    """What a right back end answers for a user."""

    def of(user: str) -> bytes:
        made = developer_token(client, world.pool_id, user, provider=PROVIDER)
        return json.dumps(made.to_json()).encode()

    return of


def test_the_token_of_the_back_end_becomes_credentials(
    world: World, back_end: Start, answer: Callable[[str], bytes]
) -> None:
    """The token of the back end is exchanged for credentials of its identity, without GetId."""
    server = back_end()
    server.body = answer("ann")
    pool = world.pool(logins=DeveloperLogin(server.url, headers=bearer("ann")))

    assert pool.credentials().access_key_id.startswith("ASIA")
    assert pool.identity_id() == json.loads(server.body)["IdentityId"]
    assert "GetId" not in world.counts()


def test_the_request_is_a_post_of_json_with_the_headers(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """The back end gets a POST, a JSON object and exactly the headers given; no identity without a guest."""
    server = back_end()
    server.body = answer("ann")

    DeveloperLogin(server.url, headers={**bearer("ann"), "X-App": Secret("7")}).token()

    path, headers, body = server.asked[0]
    assert (path, json.loads(body), headers["Content-Type"]) == ("/cognito-token", {}, "application/json")
    assert headers["Authorization"] == "Bearer CANARY-session-of-ann"
    assert headers["X-App"] == "7"


def test_a_guest_is_named_to_the_back_end(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """Only the source of `for_guest` sends the guest's identity id."""
    server = back_end()
    server.body = answer("ann")
    source = DeveloperLogin(server.url)

    source.for_guest("us-east-1:0b8d4f1c-0000-4000-8000-000000000001").token()
    source.token()

    assert json.loads(server.asked[0][2]) == {"IdentityId": "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"}
    assert json.loads(server.asked[1][2]) == {}


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/token",
        "http://127.0.0.1.example.com/token",
        "ftp://127.0.0.1/",
        "https://ann:CANARY@app.example.com/",
        "https://app.example.com/?user=ann",
        "app.example.com",
    ],
)
def test_a_back_end_that_others_can_read_is_refused(url: str) -> None:
    """Headers and token go over https or to this machine; anything else is refused before any request."""
    with pytest.raises(ConfigurationError):
        DeveloperLogin(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(back_end: Start, status: int) -> None:
    """Attack: a back end that redirects would send the user's session somewhere else."""
    elsewhere, server = back_end(), back_end()
    server.status, server.headers = status, {"Location": elsewhere.url}

    with pytest.raises(ServiceError, match="redirect"):
        DeveloperLogin(server.url, headers=bearer("ann")).token()

    assert not elsewhere.asked


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, LoginRequiredError, "does not know this user"),
        (403, LoginRequiredError, "does not know this user"),
        (404, ConfigurationError, "HTTP 404"),
        (204, ConfigurationError, "HTTP 204"),
        (429, ServiceError, "HTTP 429"),
        (500, ServiceError, "HTTP 500"),
        (503, ServiceError, "HTTP 503"),
    ],
)
def test_what_a_status_means(back_end: Start, status: int, error: type[Exception], says: str) -> None:
    """Each refusal of the back end is the error that says what to do: sign in, correct, or wait."""
    server = back_end()
    server.status, server.body = status, b"" if status == 204 else b"CANARY"

    with pytest.raises(error, match=says):
        DeveloperLogin(server.url).token()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>CANARY</html>",
        b"[]",
        b'{"IdentityId": "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"}',
        b'{"Token": "CANARY"}',
        b'{"IdentityId": 7, "Token": "CANARY"}',
        b'{"IdentityId": "us-east-1:0b8d4f1c-0000-4000-8000-000000000001", "Token": "CANARY"}',
        b"[" * 60_000,
        b"\xff\xfe",
    ],
)
def test_an_answer_that_is_none_is_refused_without_being_shown(back_end: Start, body: bytes) -> None:
    """An answer without an identity id and a token for it is refused, and not shown."""
    server = back_end()
    server.body = body

    with pytest.raises(ConfigurationError) as caught:
        DeveloperLogin(server.url).token()

    assert "CANARY" not in str(caught.value)


def test_a_token_for_another_identity_is_refused(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """The identity beside the token must be the one in it, or one user would act as another."""
    server = back_end()
    anns, bobs = json.loads(answer("ann")), json.loads(answer("bob"))
    server.body = json.dumps({"IdentityId": anns["IdentityId"], "Token": bobs["Token"]}).encode()

    with pytest.raises(ConfigurationError, match="not issued by Cognito for the identity beside it"):
        DeveloperLogin(server.url).token()


def test_a_public_providers_token_is_refused(back_end: Start, world: World) -> None:
    """An ID token of a user pool is refused."""
    server = back_end()
    token = world.token("us-east-1:0b8d4f1c-0000-4000-8000-000000000001")
    body = {"IdentityId": "us-east-1:0b8d4f1c-0000-4000-8000-000000000001", "Token": token}
    server.body = json.dumps(body).encode()

    with pytest.raises(ConfigurationError, match="not issued by Cognito"):
        DeveloperLogin(server.url).token()


def test_a_large_answer_is_not_read(back_end: Start) -> None:
    """An answer of more than 64 KiB is refused."""
    server = back_end()
    server.body = b" " * 70_000

    with pytest.raises(ServiceError, match="65536"):
        DeveloperLogin(server.url).token()


def test_nobody_listening_is_worth_a_retry() -> None:
    """A back end that is down is a ServiceError that names the host."""
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9 cannot be reached") as caught:
        DeveloperLogin("http://127.0.0.1:9/token").token()

    assert caught.value.retryable


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer CANARY\r\nHost: evil.example.com"},
        {"Authorization": "Bearer CANARY\x00"},
        {"Authorization": "Bearer CANARY é"},
        {"Authorization": ""},
        {"Authorization": b"CANARY"},
        {"Bad Name": "CANARY"},
        {"": "CANARY"},
        {"Host": "CANARY"},
        {"content-length": "7"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_headers_cannot_become_other_headers(headers: Any) -> None:
    """Headers with line breaks, and those that the HTTP client sets, are refused and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        DeveloperLogin("https://app.example.com/token", headers=headers)

    assert "CANARY" not in str(caught.value)


def test_headers_may_come_from_a_function(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """A function gives new headers for each token; its error is named by its type alone."""
    server = back_end()
    server.body = answer("ann")
    count = iter(range(9))

    source = DeveloperLogin(server.url, headers=lambda: {"X-Count": str(next(count))})
    source.token()
    source.token()

    assert [headers["X-Count"] for _, headers, _ in server.asked] == ["0", "1"]

    def fail() -> dict[str, str]:
        raise RuntimeError("CANARY")

    with pytest.raises(LoginRequiredError, match="failed with RuntimeError"):
        DeveloperLogin(server.url, headers=fail).token()


def test_a_profile_names_the_back_end_and_the_source_of_its_headers(
    back_end: Start, world: World, answer: Callable[[str], bytes], isolation: Path
) -> None:
    """`developer:URL` is a source of cognito_logins; its headers come from a source of their own."""
    server = back_end()
    server.body = answer("ann")
    config = isolation / ".aws" / "config"
    config.parent.mkdir()
    config.write_text(
        f"[default]\ncognito_identity_pool_id = {world.pool_id}\ncognito_logins = developer:{server.url}\n"
        "cognito_developer_headers = env:APP_HEADERS\n"
    )
    environ = {**world.environ, "APP_HEADERS": "Authorization: Bearer CANARY-1\nX-App: 7\n"}

    resolved = logins_of(load({}, environ=environ), environ).resolve(0)

    assert list(resolved.tokens) == [OWN]
    assert resolved.identity_id == json.loads(server.body)["IdentityId"]
    headers = server.asked[0][1]
    assert (headers["Authorization"], headers["X-App"]) == ("Bearer CANARY-1", "7")


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ("env:NOT_SET", "holds no developer headers"),
        ("x-token-itself", "cognito_developer_headers from profile 'default'"),
        ("env:NO_COLON", "no name that a header can have"),
    ],
)
def test_headers_of_a_profile_that_are_none(world: World, isolation: Path, headers: str, says: str) -> None:
    """An error of the headers names their place, and shows no text."""
    config = isolation / ".aws" / "config"
    config.parent.mkdir(exist_ok=True)
    config.write_text(
        f"[default]\ncognito_identity_pool_id = {world.pool_id}\n"
        "cognito_logins = developer:https://app.example.com/token\n"
        f"cognito_developer_headers = {headers}\n"
    )
    environ = {**world.environ, "NO_COLON": "CANARY"}

    with pytest.raises((LoginRequiredError, ConfigurationError), match=says):
        logins_of(load({}, environ=environ), environ).resolve(0)


def test_two_users_of_one_back_end_share_nothing(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """Without `user` the cache key is a hash of the token: another user gets none of it."""
    server = back_end()
    server.body = answer("ann")
    ann = world.pool(logins=DeveloperLogin(server.url, headers=bearer("ann")))
    anns, identity_of_ann = ann.credentials(), ann.identity_id()

    server.body = answer("bob")
    bob = world.pool(logins=DeveloperLogin(server.url, headers=bearer("bob")))

    assert bob.credentials().access_key_id != anns.access_key_id
    assert bob.identity_id() != identity_of_ann


def test_a_forged_token_gets_nothing_of_the_victims(
    back_end: Start, world: World, answer: Callable[[str], bytes]
) -> None:
    """Attack: a token with the victim's identity and a bad signature misses the cache and is refused."""
    server = back_end()
    server.body = answer("ann")
    world.pool(logins=DeveloperLogin(server.url)).credentials()
    good = json.loads(server.body)
    head, claims, signature = good["Token"].split(".")
    forged = f"{head}.{claims}.{'A' * len(signature)}"
    server.body = json.dumps({**good, "Token": forged}).encode()
    before = world.counts()["GetCredentialsForIdentity"]

    with pytest.raises(Exception, match=r"not issued by Cognito|refused|Invalid login token"):
        world.pool(logins=DeveloperLogin(server.url)).credentials()

    assert world.counts()["GetCredentialsForIdentity"] == before + 1


def test_it_shows_no_header() -> None:
    """repr and description name the address and nothing else; pickling refuses secrets."""
    source = DeveloperLogin("https://app.example.com/token", headers=bearer("ann"))

    assert repr(source) == "DeveloperLogin('https://app.example.com/token')"
    assert "CANARY" not in repr(vars(source)) + repr(Logins.of(source))
    with pytest.raises(TypeError):
        pickle.dumps(source)
