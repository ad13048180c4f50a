"""FastAPI, by examples/developer_back_end/fastapi_service.py: a back end that vouches for its own users."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from botocore.credentials import ContainerProvider

from cognito_credentials import IdentityPool
from cognito_credentials.sign_in import DeveloperLogin
from tests.real_parts import package
from tests.redis_server import running

from .conftest import Cognito
from .table import ROOT

package("fastapi")
package("redis")

SESSIONS = {
    "CANARY-session-of-ann": {"name": "ann", "team": "blue"},
    "CANARY-session-of-bob": {"name": "bob", "team": "red"},
}
PROVIDER = "login.app"
KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def pool_id(cognito: Cognito) -> str:
    return cognito.emulator.create_pool(DeveloperProviderName=PROVIDER, AllowUnauthenticatedIdentities=False)


@pytest.fixture
def start(pool_id: str, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """A function that starts the service as its reader does, with AWS credentials of its own; its address."""
    sessions = tmp_path / "cache" / "sessions.json"
    sessions.parent.mkdir()
    sessions.write_text(json.dumps(SESSIONS))
    environ = {
        **os.environ,
        "AWS_COGNITO_IDENTITY_POOL_ID": pool_id,
        "AWS_ACCESS_KEY_ID": "AKIADEVELOPERDEVELOP",
        "AWS_SECRET_ACCESS_KEY": "developer",
        "APP_DEVELOPER_PROVIDER": PROVIDER,
        "APP_SESSIONS": str(sessions),
        "AWS_MAX_ATTEMPTS": "1",
    }
    log: list[str] = []

    def start(**more: str) -> str:
        return ended.enter_context(_service({**environ, **more}, log))

    with ExitStack() as ended:
        yield start
    assert "CANARY" not in "".join(log)


@contextmanager
def _service(environ: dict[str, str], log: list[str]) -> Iterator[str]:
    folder = str(ROOT / "examples" / "developer_back_end")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--port", "0", "--app-dir", folder, "fastapi_service:app"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "running on" in line:
            break
    else:
        pytest.fail("".join(log))
    url = log[-1].split("running on ")[1].split()[0]
    drain = threading.Thread(target=lambda: log.extend(process.stderr or ()))
    drain.start()
    yield url
    process.kill()
    process.wait()
    drain.join()
    process.stderr.close()


@pytest.fixture
def url(start: Callable[..., str]) -> str:
    """The address of the route for tokens."""
    return start() + "/cognito-token"


def _login(url: str, name: str) -> DeveloperLogin:
    return DeveloperLogin(url, headers={"Authorization": f"Bearer CANARY-session-of-{name}"})


def test_its_users_have_credentials_over_a_renewal(
    cognito: Cognito, pool_id: str, url: str, proves: Callable[..., None]
) -> None:
    """The app asks its back end once an hour; each user has an identity of their own."""
    ann = IdentityPool(pool_id, logins=_login(url, "ann"), user="ann")
    first = ann.credentials().access_key_id
    cognito.make_due()
    second = ann.credentials().access_key_id
    proves("fastapi", "`developer_token()`", renewals=len({first, second}) - 1)

    bob = IdentityPool(pool_id, logins=_login(url, "bob"), user="bob")
    assert bob.identity_id() != ann.identity_id()


def test_it_knows_its_users_by_their_session_alone(url: str) -> None:
    """A request without a session gets no token, whatever else it says."""
    for headers in ({}, {"Authorization": "Bearer ann"}, {"Authorization": "Basic CANARY-session-of-ann"}):
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, json.dumps({"user": "ann"}).encode(), headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        caught.value.close()
        assert caught.value.code == 401


def test_it_says_whether_to_try_again(cognito: Cognito, pool_id: str, url: str) -> None:
    """When Cognito cannot be reached, the app's error can be retried, and tells nothing of the back end."""
    cognito.emulator.plan_faults(
        {"operation": "GetOpenIdTokenForDeveloperIdentity", "times": -1, "status": 503}
    )
    request = urllib.request.Request(
        url,
        b"{}",
        {"Authorization": "Bearer CANARY-session-of-ann", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    answer = json.loads(caught.value.read())
    caught.value.close()

    assert (caught.value.code, answer) == (503, {"detail": "no token"})


def test_its_tokens_keep_the_quota_of_all_hosts(start: Callable[..., str]) -> None:
    """A token waits for its turn, like those of the other route; who has none learns when to ask again."""
    with running() as redis:
        url = start(
            AWS_COGNITO_CACHE=redis.url,
            AWS_COGNITO_REQUESTS_PER_SECOND="GetOpenIdTokenForDeveloperIdentity=0.02",
        )
        answers = []
        for _ in range(2):
            request = urllib.request.Request(
                f"{url}/cognito-token",
                b"{}",
                {"Authorization": "Bearer CANARY-session-of-ann", "Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    answers.append((answer.status, 0))
            except urllib.error.HTTPError as error:
                with error:
                    answers.append((error.code, int(error.headers["Retry-After"])))

    assert [status for status, _ in answers] == [200, 503]
    assert 30 < answers[1][1] <= 120


def _ask(url: str, session: str | None) -> tuple[int, dict[str, str], str]:
    """GET credentials; the status, the headers and the body."""
    headers = {} if session is None else {"Authorization": f"Bearer {session}"}
    request = urllib.request.Request(f"{url}/aws-credentials", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


def test_two_hosts_give_a_user_the_same_credentials(cognito: Cognito, start: Callable[..., str]) -> None:
    """A user has the same identity and credentials at every worker; AWS is asked once, whoever is asked."""
    with running() as redis:
        hosts = [start(AWS_COGNITO_CACHE=redis.url, AWS_COGNITO_CACHE_KEY=KEY) for _ in range(2)]
        answers = [_ask(host, "CANARY-session-of-ann") for host in (*hosts, *hosts)]
        bob = _ask(hosts[1], "CANARY-session-of-bob")

    assert [status for status, _, _ in (*answers, bob)] == [200] * 5
    assert len({body for _, _, body in answers}) == 1
    assert json.loads(answers[0][2])["AccessKeyId"] != json.loads(bob[2])["AccessKeyId"]
    assert answers[0][1]["cache-control"] == "no-store"
    assert cognito.emulator.requests() == {
        "GetOpenIdTokenForDeveloperIdentity": 2,
        "GetCredentialsForIdentity": 2,
    }


def test_an_aws_sdk_takes_its_credentials(start: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's provider for containers takes the address and the session, and knows when to ask again."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{start()}/aws-credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer CANARY-session-of-ann")

    keys = ContainerProvider().load()

    assert keys.get_frozen_credentials().access_key.startswith("ASIA")
    left = keys._expiry_time - dt.datetime.now(dt.timezone.utc)
    assert dt.timedelta(minutes=55) < left <= dt.timedelta(hours=1)


def test_credentials_are_for_a_session_alone(start: Callable[..., str]) -> None:
    """Without a session that the service knows there are none."""
    url = start()
    assert [_ask(url, session)[0] for session in (None, "ann", "CANARY-session-of-eve")] == [401] * 3


def test_it_says_when_to_try_again(cognito: Cognito, start: Callable[..., str]) -> None:
    """When there are no credentials, an app learns when it makes sense to ask again, and no more."""
    cognito.emulator.plan_faults({"operation": "GetCredentialsForIdentity", "times": -1, "status": 503})

    status, headers, body = _ask(start(), "CANARY-session-of-ann")

    assert (status, json.loads(body)) == (503, {"detail": "no credentials"})
    assert 0 < int(headers["retry-after"]) < 60
