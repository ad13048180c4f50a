"""An app's store between processes, and when one is killed; a certified provider that rotates."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import LoginRequiredError
from cognito_credentials.sign_in import OidcLogin
from tests.cache.children import fork, needs_fork

from .conftest import CLIENT_ID, Person
from .hostile_issuer import CLIENT, HostileIssuer
from .own_stores import Entry, SqliteStore
from .test_attacks import Visit

pytestmark = pytest.mark.writes_secrets  # the app's database
ROOT = Path(__file__).parent.parent.parent


def _signed_in(issuer: HostileIssuer, store: object) -> OidcLogin:
    login = OidcLogin(issuer.url, CLIENT, store=store)  # type: ignore[arg-type]
    assert Visit(login, issuer).finish().subject == "ann"
    issuer.nonce = None
    return login


def _used(issuer: HostileIssuer) -> list[str]:
    return [form["refresh_token"] for _, _, form in issuer.requests if "refresh_token" in form]


def test_processes_that_lock(rotating: HostileIssuer, tmp_path: Path) -> None:
    """With lock(), each process uses the token of the one before: the sign-in lasts."""
    database = tmp_path / "app.sqlite"
    _signed_in(rotating, SqliteStore(database))
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from cognito_credentials.sign_in import OidcLogin
        from tests.sign_in.own_stores import SqliteStore
        login = OidcLogin({rotating.url!r}, {CLIENT!r}, store=SqliteStore(Path({str(database)!r})))
        for _ in range(3):
            login.reject(login.token())
        print(login.principal())
        """
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        for _ in range(4)
    ]
    results = [process.communicate(timeout=100) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, results
    assert len({out for out, _ in results}) == 1
    assert len(_used(rotating)) == len(set(_used(rotating))) == 12


class Killed(SqliteStore):
    """A store whose process dies at a certain moment."""

    dies_at = ""

    def save(self, text: str) -> None:
        if self.dies_at == "before save":
            os.kill(os.getpid(), signal.SIGKILL)
        super().save(text)
        if self.dies_at == "after save":
            os.kill(os.getpid(), signal.SIGKILL)


@needs_fork
@pytest.mark.parametrize("dies_at", ["before save", "after save"])
def test_killed_around_the_saving(rotating: HostileIssuer, tmp_path: Path, dies_at: str) -> None:
    """What is stored is whole and the lock is free: the old token before the saving, the new one after it."""
    database = tmp_path / "app.sqlite"
    _signed_in(rotating, SqliteStore(database))
    kept = SqliteStore(database).load()
    store = Killed(database)
    store.dies_at = dies_at
    pid = fork()
    if pid == 0:
        OidcLogin(rotating.url, CLIENT, store=store).token()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL

    after = SqliteStore(database).load()
    login = OidcLogin(rotating.url, CLIENT, store=SqliteStore(database))

    assert login.account().subject == "ann"  # type: ignore[union-attr]
    if dies_at == "after save":
        assert after != kept
        assert login.token()
        return
    # The one moment that nobody can protect: the token is used up, and no process has its successor.
    assert after == kept
    with pytest.raises(LoginRequiredError, match="the sign-in of ann has ended"):
        login.token()
    assert SqliteStore(database).load() == kept
    assert _signed_in(rotating, SqliteStore(database)).token()


def test_a_certified_provider_that_rotates(issuer: str, open_browser: Any) -> None:
    """Signed in with a browser, renewed over ten starts of the app, then signed out at the provider."""
    store = Entry()
    OidcLogin(issuer, CLIENT_ID, store=store).sign_in(Person(), open_browser=open_browser("ann"))
    texts = [store.text]

    for _ in range(10):
        store = Entry(store.text)
        login = OidcLogin(issuer, CLIENT_ID, store=store)
        tokens = login.tokens()
        assert tokens.access_token
        texts.append(store.text)

    assert len(set(texts)) == 11
    done = login.sign_out()
    assert done.revoked
    with pytest.raises(LoginRequiredError, match="has ended"):
        OidcLogin(issuer, CLIENT_ID, store=Entry(texts[-1])).token()
