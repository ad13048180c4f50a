"""The sign-in over time and between processes: rotation, the end of a sign-in, and what stays then."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import CacheError, LoginRejectedError, LoginRequiredError, ServiceError
from cognito_credentials.logins import Logins
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.kept.account import Account, decode
from cognito_credentials.sign_in.kept.place import Place
from cognito_credentials.sign_in.sources import OidcLogin

from ..cache.children import needs_fork
from ..conftest import ManualClock
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .test_attacks import Visit

pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own
ROOT = Path(__file__).parent.parent.parent


def _source(issuer: HostileIssuer, **options: Any) -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, **{"store": "file", "profile_name": "app", **options})


def _signed_in(issuer: HostileIssuer) -> OidcLogin:
    source = _source(issuer)
    assert Visit(source, issuer).finish().subject == "ann"
    issuer.nonce = None
    return source


def _refreshes(issuer: HostileIssuer) -> int:
    return sum(form.get("grant_type") == "refresh_token" for _, _, form in issuer.requests)


@pytest.mark.thorough
def test_many_processes_refresh_at_once(rotating: HostileIssuer) -> None:
    """Each process uses the token of the one before, so the sign-in lasts."""
    _signed_in(rotating)
    code = textwrap.dedent(
        f"""
        from cognito_credentials.sign_in.sources import OidcLogin
        source = OidcLogin({rotating.url!r}, {CLIENT!r}, store="file", profile_name="app")
        for _ in range(3):
            token = source.token()
            source.reject(token)
        print(source.principal())
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
    assert _refreshes(rotating) == 12
    assert "invalid_grant" not in str(results)


def test_a_first_refresh_imports_only_where_a_fork_waits(rotating: HostileIssuer) -> None:
    """A child that is forked during another thread's import could never import that module itself."""
    _signed_in(rotating)
    code = textwrap.dedent(
        f"""
        import sys
        from cognito_credentials.importing import IMPORTING
        from cognito_credentials.sign_in import OidcLogin

        class Recorder:
            def find_spec(self, name, path=None, target=None):
                if not IMPORTING.is_mine:
                    bare.append(name)

        source = OidcLogin({rotating.url!r}, {CLIENT!r}, store="file", profile_name="app")
        bare = []
        sys.meta_path.insert(0, Recorder())
        source.token()
        print(bare)
        """
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert _refreshes(rotating) == 1
    assert done.stdout == "[]\n"


def test_the_rotated_token_is_kept_before_anything_can_fail(rotating: HostileIssuer) -> None:
    """If the issuer's keys cannot be fetched, the rotated refresh token is stored anyway."""
    source = _signed_in(rotating)
    source = _source(rotating)
    rotating.answers["/jwks"] = lambda: answer({}, 503)

    with pytest.raises(ServiceError):
        source.token()
    del rotating.answers["/jwks"]

    assert source.token()


def test_a_rotated_token_without_an_id_token_is_kept(rotating: HostileIssuer) -> None:
    """A new refresh token that comes without an ID token is stored before the error is raised."""
    _signed_in(rotating)
    given = rotating.tokens
    rotating.answers["/token"] = lambda: answer({**given(), "id_token": None})

    with pytest.raises(LoginRequiredError, match="gave no ID token"):
        _source(rotating).token()
    del rotating.answers["/token"]

    assert _source(rotating).token()


def test_a_token_that_somebody_else_rotated(rotating: HostileIssuer) -> None:
    """When a token is refused, the store is read once more before the sign-in counts as ended."""
    source = _signed_in(rotating)
    place = source._place()
    newest = place.read("secret")
    assert newest is not None
    place.write("secret", newest.replace(b"refresh-1", b"refresh-0"))

    def refuses() -> Any:
        # Another machine's process, which no lock of ours holds up, has just stored what it was given.
        place.write("secret", newest)
        del rotating.answers["/token"]
        return answer({"error": "invalid_grant"}, 400)

    rotating.answers["/token"] = refuses

    assert _source(rotating).token()
    assert _refreshes(rotating) == 2


def test_a_refresh_that_gives_no_id_token(rotating: HostileIssuer) -> None:
    """A refresh that gives neither an ID token nor a refresh token ends the sign-in, with an error."""
    _signed_in(rotating)
    rotating.answers["/token"] = lambda: answer({"access_token": "CANARY"})

    with pytest.raises(LoginRequiredError, match=r"the sign-in of ann has ended: it gave no ID token"):
        _source(rotating).token()


def test_a_sign_in_that_has_ended(rotating: HostileIssuer) -> None:
    """invalid_grant with a description that Authlib cannot read: exit 3, and the command to run."""
    source = _signed_in(rotating)
    rotating.refresh_tokens.append("CANARY-elsewhere")

    with pytest.raises(LoginRequiredError) as caught:
        _source(rotating).token()

    assert caught.value.exit_code == 3
    assert caught.value.message == 'the sign-in of ann has ended: used "twice"'
    assert caught.value.hint.endswith("'cognito-credentials login --profile app'")
    assert source.principal() is not None  # what is cached for this user is still found


@pytest.mark.parametrize("broken", ["read", "remove"])
def test_the_note_of_an_end_that_cannot_be_taken_back(
    rotating: HostileIssuer, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the mark of the end cannot be removed (open on Windows), the new refresh token is stored."""
    source = _signed_in(rotating)
    place = source._place()
    whose = place.read("sign-in")
    assert whose is not None
    place.write("ended", whose)
    real = getattr(Place, broken)

    def in_use(self: Place, kind: str) -> object:
        if kind == "ended":
            raise CacheError("it is in use by another process")
        return real(self, kind)

    with monkeypatch.context() as patch:
        patch.setattr(Place, broken, in_use)
        assert _source(rotating).token()

    assert rotating.refresh_tokens[-1].encode() in (place.read("secret") or b"")
    assert _source(rotating).token()
    assert not source.has_ended()


def test_a_token_is_asked_for_only_when_needed(rotating: HostileIssuer) -> None:
    """The user is known without a request; an ID token is used until shortly before its end."""
    clock = ManualClock(time.time())
    _signed_in(rotating)
    source = _source(rotating, clock=clock)
    before = len(rotating.requests)

    assert source.principal()
    assert len(rotating.requests) == before
    first = source.token()
    clock.set_wall(0)
    clock.mono += 3500
    assert source.token() is first
    assert _refreshes(rotating) == 1
    clock.mono += 60
    source.token()
    assert _refreshes(rotating) == 2


def test_a_rejected_token_is_not_given_again(rotating: HostileIssuer) -> None:
    """A token that the service calls expired is replaced when asked again; `Logins` does that by itself."""
    _signed_in(rotating)
    source = _source(rotating)
    logins = Logins.of(source)

    resolved = logins.resolve(time.time())
    rotating.claims = {"jti": "another"}
    assert _refreshes(rotating) == 1
    logins.resolve(time.time() + 3601)  # the service's time is an hour ahead of this machine's

    assert _refreshes(rotating) == 2
    assert resolved.principal == logins.principal()
    assert list(resolved.tokens) == [source.provider]
    assert logins.depends() == (("file", source._place().path("sign-in")),)


def test_an_issuer_without_refresh_tokens(rotating: HostileIssuer) -> None:
    """The sign-in lasts as long as its ID token; then the error names the missing scope."""
    given = rotating.tokens

    def tokens() -> dict[str, Any]:
        return {name: value for name, value in given().items() if name != "refresh_token"}

    rotating.tokens = tokens  # type: ignore[method-assign]
    _signed_in(rotating)

    assert _source(rotating).token() == _source(rotating).token()
    with pytest.raises(LoginRequiredError, match="gave no refresh token"):
        _source(rotating, clock=ManualClock(time.time() + 3600)).token()
    assert _refreshes(rotating) == 0


def test_an_issuer_that_refreshes_another_user(rotating: HostileIssuer) -> None:
    """One user's sign-in never turns into another's, and the principal stays."""
    source = _signed_in(rotating)
    rotating.claims = {"sub": "mallory"}

    with pytest.raises(LoginRejectedError, match="another user's"):
        _source(rotating).token()
    assert source.account().subject == "ann"  # type: ignore[union-attr]


def test_the_account_has_no_secret(rotating: HostileIssuer) -> None:
    """The account file has no secret; it and its directory are readable by this user only."""
    source = _signed_in(rotating)
    path = Path(source._place().path("sign-in"))

    assert b"CANARY" not in path.read_bytes()
    assert b"eyJ" not in path.read_bytes()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 10_000,
        b'{"v": 1}',
        b"\xff",
        b'{"client_id":"c","issuer":"i","name":"","signed_in_at":1,"store":"file","subject":"s","v":2}\n',
        b'{"client_id":"c","issuer":"i","name":"","signed_in_at":1,"store":"file","subject":"","v":1}\n',
        b'{"client_id":"c","issuer":"i","name":"","signed_in_at":true,"store":"file","subject":"s","v":1}\n',
        b'{"client_id":"c","issuer":"i","name":7,"signed_in_at":1,"store":"file","subject":"s","v":1}\n',
        b'{"client_id":"c","issuer":"i","name":"","signed_in_at":1,"store":"file","subject":"s","v":1,"x":1}\n',
    ],
)
def test_an_account_that_is_not_what_we_wrote(data: bytes) -> None:
    """An account file with anything wrong in it reads as nobody."""
    assert decode(data) is None


def test_an_account_comes_back() -> None:
    """An account is read as it was written."""
    account = Account(issuer="i", client_id="c", subject="s\u2028", name="Änne", store="file", signed_in_at=1)

    assert decode(account.encode()) == account


def test_the_keyring_is_refused_before_anybody_signs_in(
    rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring that stores nothing is detected before a browser is opened or a request is sent."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    source = _source(rotating, store="keyring")

    with pytest.raises(CacheError, match="does not keep secrets safe") as caught:
        source.sign_in(open_browser=lambda _: pytest.fail("a browser was opened"))

    assert caught.value.exit_code == 7
    assert rotating.requests == []


def test_giving_up_leaves_the_keyring_as_it_was(
    rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C while the browser is open leaves nothing behind, and an earlier sign-in stays."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.sign_in.keyring_backends.Works")
    source = _source(rotating, store="keyring")

    def interrupt(_: str) -> bool:
        assert "cognito-credentials" in (tmp_path / "keyring.json").read_text()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.sign_in(open_browser=interrupt)
    assert (tmp_path / "keyring.json").read_text() == "{}"
    assert source.account() is None

    earlier = Visit(source, rotating).finish()
    with pytest.raises(KeyboardInterrupt):
        source.sign_in(open_browser=interrupt)
    assert source.account() == earlier
    rotating.nonce = None
    assert _source(rotating).token()


def test_giving_up_while_the_keyring_is_tried(
    rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C just after the keyring has stored a new key: the key is removed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.sign_in.keyring_backends.Interrupts")
    source = _source(rotating, store="keyring")

    with pytest.raises(KeyboardInterrupt):
        source.sign_in(open_browser=lambda _: pytest.fail("a browser was opened"))

    assert (tmp_path / "keyring.json").read_text() == "{}"
    assert source.account() is None


def test_changing_the_store_leaves_nothing_in_the_other(
    rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Signing in with the keyring removes the plain file of before; signing out clears the keyring."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.sign_in.keyring_backends.Works")
    plain = _signed_in(rotating)
    place = plain._place()
    assert place.read("secret") is not None

    Visit(_source(rotating, store="keyring"), rotating).finish()

    assert place.read("secret") is None
    assert place.read("sealed") is not None
    plain.sign_out(revoke=False)
    assert [place.read(kind) for kind in ("sign-in", "sealed", "secret")] == [None, None, None]
    assert (tmp_path / "keyring.json").read_text() == "{}"


def test_a_lock_that_somebody_holds(tmp_path: Path) -> None:
    """The wait for another process has a limit; the error says what to look for."""
    one, other = (Place(str(tmp_path / "sign-in"), "0" * 40) for _ in range(2))

    with one.lock(), pytest.raises(ServiceError, match="another process has been using"), other.lock(0.2):
        pytest.fail("both hold it")
    with other.lock(0.2):
        pass


@pytest.mark.parametrize("how", ["open to everybody", "not a directory", "not an absolute path"])
def test_an_unusable_sign_in_directory(tmp_path: Path, how: str) -> None:
    """The remedy names HOME, which decides where sign-ins are kept, and no setting of the cache."""
    path = tmp_path / "sign-in"
    if how == "open to everybody":
        path.mkdir()
        path.chmod(0o777)
    else:
        path.write_bytes(b"")
    place = Place("sign-in" if how == "not an absolute path" else str(path), "0" * 40)

    with pytest.raises(CacheError, match=f"the sign-in directory .*sign-in is {how}") as caught:
        place.write("sign-in", b"{}")

    assert caught.value.hint.startswith("Correct that, or set HOME to a home directory of your own")


@needs_fork
def test_a_child_of_a_process_that_was_refreshing(tmp_path: Path) -> None:
    """A lock that a thread of the parent held at the fork does not block the child; the file lock decides."""
    place = Place(str(tmp_path / "sign-in"), "0" * 40)
    held, let_go = threading.Event(), threading.Event()

    def refresh() -> None:
        with place.lock():
            held.set()
            let_go.wait(20)

    thread = threading.Thread(target=refresh)
    thread.start()
    held.wait(20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point
        child = os.fork()
    if child == 0:
        code = 1
        try:
            with place.lock(10):
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    let_go.set()
    thread.join()

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with place.lock(1):
        pass


def test_secrets_do_not_show_themselves(rotating: HostileIssuer) -> None:
    """A source and its parts have no secret in their repr."""
    source = _source(rotating, client_secret="CANARY-client")

    assert "CANARY" not in repr(source) + repr(vars(source)) + str(source.__getstate__())
    assert isinstance(source._client_secret, Secret)
