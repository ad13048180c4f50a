"""FastAPI, by examples/developer_back_end/fastapi_service.py: a back end that vouches for its own users."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.sign_in import DeveloperLogin
from tests.real_parts import package

from .conftest import Cognito
from .table import ROOT

package("fastapi")

SESSIONS = {
    "CANARY-session-of-ann": {"name": "ann", "team": "blue"},
    "CANARY-session-of-bob": {"name": "bob", "team": "red"},
}
PROVIDER = "login.app"


@pytest.fixture
def pool_id(cognito: Cognito) -> str:
    return cognito.emulator.create_pool(DeveloperProviderName=PROVIDER, AllowUnauthenticatedIdentities=False)


@pytest.fixture
def url(pool_id: str, tmp_path: Path) -> Iterator[str]:
    """The service as its reader starts it, with AWS credentials of its own; the address of its route."""
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
    folder = str(ROOT / "examples" / "developer_back_end")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--port", "0", "--app-dir", folder, "fastapi_service:app"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    log: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "running on" in line:
            break
    else:
        pytest.fail("".join(log))
    drain = threading.Thread(target=lambda: log.extend(process.stderr or ()))
    drain.start()
    yield log[-1].split("running on ")[1].split()[0] + "/cognito-token"
    process.kill()
    process.wait()
    drain.join()
    process.stderr.close()
    assert "CANARY" not in "".join(log)


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
