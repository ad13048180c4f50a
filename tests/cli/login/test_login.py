"""`login`, `logout` and the commands between them, at a certified OpenID Connect provider."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import App, Cli, OwnIssuer, make_app

pytestmark = pytest.mark.writes_secrets  # the plain store, but where a test is about the keyring


@pytest.mark.quick
def test_from_login_to_credentials(app: App) -> None:
    """After one sign-in the profile has credentials, and needs nobody."""
    done = app.login("ann")

    assert done.code == 0, done.err
    assert "Signed in as ann@example.com; the sign-in is kept in a plain file" in done.out
    assert "Identity us-east-1:" in done.out
    assert "Waiting for you to sign in at 127.0.0.1 (" in done.err
    answer = json.loads(app("credential-process").out)
    assert answer["AccessKeyId"] in "".join(app.kept().values())
    assert "authenticated" in app("whoami").out


def test_a_browser_that_runs_until_it_is_closed(app: App) -> None:
    """The login does not wait for a `BROWSER` that runs until the person closes it."""
    person = app.person("ann")
    done = app.login("ann", BROWSER=person["BROWSER"].removesuffix(" &"))

    assert done.code == 0, done.err


def test_what_is_kept_where(app: App) -> None:
    """The refresh token is only in the sign-in's file, and every file is readable by its owner alone."""
    assert app.login("ann").code == 0
    token = app.refresh_token()

    places = [name for name, text in app.kept().items() if token in text]
    assert len(places) == 1
    assert places[0].startswith(".aws/cognito/sign-in/secret-v1-")
    for path in (app.home / ".aws" / "cognito").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_status_says_who_and_where(app: App) -> None:
    """`status` shows who is signed in and where that is kept, or that nobody is; offline."""
    before = app("status")
    app.login("ann")
    after = app("status", env={"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:9"})
    facts = json.loads(app("status", "--json").out)

    assert "nobody; 'cognito-credentials login --profile app' signs in" in before.out
    assert "\nIdentity       nobody is signed in\n" in before.out
    assert "ann@example.com, kept in a plain file" in after.out
    assert (facts["signed_in_as"], facts["login_store"]) == ("ann@example.com", "file")


def test_nobody_is_signed_in(app: App) -> None:
    """A profile that people sign in to is never a guest: exit 3, and one line with the command to run."""
    done = app("credential-process")

    assert done.code == 3
    assert "cognito-credentials login --profile app" in done.line
    assert "GetId" not in app.emulator.requests()


def test_a_cache_hit_asks_nobody(app: App) -> None:
    """A cache hit needs no terminal, browser or keyring, and loads no library for signing in."""
    app.login("ann")
    app("credential-process")  # works out the shortcut
    nobody = {
        "PYTHON_KEYRING_BACKEND": "tests.sign_in.keyring_backends.Hangs",
        "BROWSER": f"{sys.executable} {Path(__file__).with_name('browse.py')} %s",
        "BROWSER_WAS_HERE": str(app.home / "second-browser"),
        "PYTHONPROFILEIMPORTTIME": "1",
    }
    asked = app.emulator.requests()

    done = app("credential-process", env=nobody, start_new_session=True)

    assert json.loads(done.out)["AccessKeyId"]
    assert app.emulator.requests() == asked
    imported = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}
    assert not {
        name for name in imported if name.startswith(("keyring", "authlib", "botocore", "webbrowser"))
    }
    assert not {name for name in imported if ".sign_in" in name}
    assert not (app.home / "second-browser").exists()


def test_when_the_sign_in_has_ended(app: App) -> None:
    """Credentials last until they expire; what needs a new token exits with 3 and says what to run."""
    app.login("ann")
    app.end_at_issuer()

    assert app("credential-process").code == 0
    refused = app("refresh")
    assert refused.code == 3
    assert "cognito-credentials login --profile app" in refused.line
    assert app("credential-process").code == 0
    app("clear")
    done = app("credential-process")
    assert done.code == 3
    assert "cognito-credentials login --profile app" in done.line
    status = app("status").out
    assert "has ended: run 'cognito-credentials login --profile app'" in status
    assert "next try" not in status

    assert app.login("ann").code == 0
    assert app("credential-process").code == 0
    assert "has ended" not in app("status").out


def test_the_same_user_is_the_same_identity_after_signing_in_again(app: App) -> None:
    """Signing out and in again leads to the same identity."""
    first = _identity(app.login("ann").out)
    app("logout", "--scope", "identity")

    assert _identity(app.login("ann").out) == first


def test_logout_removes_every_trace(app: App) -> None:
    """The refresh token is revoked and removed, and so are the account and the credentials."""
    app.login("ann")
    key = json.loads(app("credential-process").out)["AccessKeyId"]
    token = app.refresh_token()

    done = app("logout")

    assert done.code == 0
    assert "Signed out ann@example.com: the refresh token is revoked and removed." in done.out
    assert "Removed the credentials." in done.out
    left = "".join(app.kept().values())
    assert token not in left
    assert key not in left
    assert "ann" not in left
    assert _refreshes(app, token) is False
    assert app("credential-process").code == 3
    assert app("logout").out == "Nobody was signed in, and there was nothing to remove.\n"


def test_logout_of_the_credentials_alone(app: App) -> None:
    """`--scope credentials` keeps the sign-in, which gets new credentials at the next use."""
    app.login("ann")
    key = json.loads(app("credential-process").out)["AccessKeyId"]

    assert app("logout", "--scope", "credentials").out == "Removed the credentials.\n"

    assert json.loads(app("credential-process").out)["AccessKeyId"] != key


def test_logout_of_the_identity_says_which(app: App) -> None:
    """`--scope identity` removes the identity, too, and names it."""
    identity_id = _identity(app.login("ann").out)

    done = app("logout", "--scope", "identity")

    assert f"Forgot the identity {identity_id}." in done.out
    assert identity_id not in "".join(app.kept().values())


def test_logout_without_the_issuer(
    cli: Cli, emulator: Any, config: Callable[[str], Path], isolation: Path, own_issuer: OwnIssuer
) -> None:
    """When the issuer is out of reach, all is removed here, the token is named as not revoked, and exit 6."""
    app = make_app(cli, emulator, own_issuer.url, config, isolation, "file")
    assert app.login("ann").code == 0
    token = app.refresh_token()
    own_issuer.stop()

    done = app("logout")

    assert done.code == 6
    assert "the refresh token is removed." in done.out
    assert "but not revoked" in done.err
    assert token not in "".join(app.kept().values())


@pytest.mark.parametrize("options", [("--profile", "app"), ("--all",)])
def test_logout_without_the_keyring(app: App, options: tuple[str, ...], tmp_path: Path) -> None:
    """When the keyring cannot be used, all files are removed, the output says what is left, and exit 7."""
    keyring = {"TEST_KEYRING": str(tmp_path / "keyring.json")}
    works, locked = (
        {**keyring, "PYTHON_KEYRING_BACKEND": f"tests.sign_in.keyring_backends.{name}"}
        for name in ("Works", "Locked")
    )
    assert app.login("ann", "--store", "keyring", **works).code == 0

    done = app.cli("logout", *options, env=locked)

    assert done.code == 7
    assert "Signed out ann@example.com" in done.out
    assert "the refresh token is removed." in done.out
    assert "Removed the credentials." in done.out
    assert "not revoked: the keyring cannot be used: " in done.err
    assert "it opens nothing any more" in done.err
    assert "--store" not in done.err
    assert not [name for name in app.kept() if "sealed" in name or "sign-in" in name]
    assert app("credential-process", env=works).code == 3


def test_two_users_of_one_profile(app: App) -> None:
    """A second user gets other credentials than the first, and the first user's identity comes back later."""
    anns = _identity(app.login("ann").out)
    ann = json.loads(app("credential-process").out)

    bobs = _identity(app.login("bob").out)
    bob = json.loads(app("credential-process").out)

    assert bobs != anns
    assert bob["AccessKeyId"] != ann["AccessKeyId"]
    assert "bob@example.com" in app("status").out
    assert _identity(app.login("ann").out) == anns


def test_the_guest_becomes_the_user(app: App) -> None:
    """`--link` gives the guest's identity to the user; the next guest is another one."""
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]
    assert guest is None
    app.cli("credential-process", "--profile", "guest")
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]

    done = app.login("ann", "--link")

    assert _identity(done.out) == guest
    assert guest not in app.cli("credential-process", "--profile", "guest").out
    later = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]
    assert later not in (None, guest)


def test_signing_in_again_where_there_is_no_keyring(app: App, config: Callable[[str], Path]) -> None:
    """The choice of `--store file` lasts until the sign-out."""
    text = (app.home / ".aws" / "config").read_text()
    config(text.replace("cognito_login_store = file\n", ""))
    no_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    assert app.login("ann", "--store", "file", **no_keyring).code == 0

    again = app.login("ann", **no_keyring)
    app("logout")
    anew = app.login("ann", **no_keyring)

    assert again.code == 0, again.err
    assert "kept in a plain file" in again.out
    assert anew.code == 7
    assert "--store file" in anew.err


def test_signing_in_as_somebody_else(app: App) -> None:
    """When another user signs in, the first user's credentials are removed from the disk."""
    app.login("bob")
    bobs = json.loads(app("credential-process").out)["SecretAccessKey"]

    done = app.login("ann")

    assert done.code == 0, done.err
    assert bobs not in "".join(app.kept().values())
    assert json.loads(app("status", "--json").out)["signed_in_as"] == "ann@example.com"
    assert json.loads(app("credential-process").out)["SecretAccessKey"] != bobs


def test_linking_a_user_who_has_an_identity(app: App) -> None:
    """A user with an identity keeps it, and the output says that the guest's is gone."""
    app.login("ann", "--no-link")
    old = json.loads(app("status", "--json").out)["identity_id"]
    app("logout", "--scope", "identity", "--yes")
    assert app.cli("whoami", "--profile", "guest").code == 0
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]

    done = app.login("ann", "--link")

    assert done.code == 0, done.err
    assert json.loads(app("status", "--json").out)["identity_id"] == old != guest
    assert f"that of the guest, {guest}, is gone" in done.err


def test_signed_in_without_credentials(app: App, config: Callable[[str], Path]) -> None:
    """When the pool does not take the provider's logins, the sign-in stands; the output says so, then why."""
    written = app.home / ".aws" / "config"
    other = "[profile app]\ncognito_login_provider = login.example.com"
    config(written.read_text().replace("[profile app]", other))

    done = app.login("ann")

    assert done.code != 0
    assert "Signed in as ann@example.com" in done.out
    assert "The sign-in stands ('cognito-credentials logout --profile app' ends it)" in done.err
    assert "ann@example.com, kept in" in app("status").out


def test_an_issuer_that_is_mistyped(app: App, config: Callable[[str], Path]) -> None:
    """An issuer that answers 404 is a mistake in the profile, not an outage: exit 4."""
    written = app.home / ".aws" / "config"
    config(written.read_text().replace(app.issuer, f"{app.issuer}/realms/typo"))

    done = app.login("ann")

    assert done.code == 4
    assert f"there is no OpenID Connect issuer at {app.issuer}/realms/typo" in done.err
    assert "cognito_oidc_issuer" in done.err


def test_a_guest_is_not_forgotten_unasked(app: App) -> None:
    """Nothing leads back to a guest's identity: without a terminal `--scope identity` needs `--yes`."""
    app.cli("credential-process", "--profile", "guest")
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]

    refused = app.cli("logout", "--scope", "identity", "--profile", "guest")
    kept = json.loads(app.cli("status", "--json", "--profile", "guest").out)
    done = app.cli("logout", "--scope", "identity", "--profile", "guest", "--yes")

    assert refused.code == 2
    assert f"whether to forget the guest {guest}. Add --yes" in refused.err
    assert (kept["identity_id"], kept["access_key_id_last4"] is None) == (guest, False)
    assert done.code == 0
    assert f"Forgot the identity {guest}." in done.out


@pytest.mark.parametrize("options", [[], ["--no-link"]])
def test_the_guest_stays_unless_asked(app: App, options: list[str]) -> None:
    """Without `--link` the user gets an identity of his own; without either flag the choice is explained."""
    app.cli("credential-process", "--profile", "guest")
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]

    done = app.login("ann", *options)

    assert _identity(done.out) != guest
    assert ("--link would make its identity" in done.err) is (not options)
    assert json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"] == guest


def test_ctrl_c_leaves_nothing_half_done(app: App) -> None:
    """Ctrl-C while it waits for the browser leaves no files and no port in use."""
    process = app.cli.start("login", "--browser", "--profile", "app", env={"BROWSER": "true %s &"})
    port, _ = _wait(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Given up; nothing was changed." in err
    assert "Traceback" not in err
    assert out == ""
    assert not [name for name in app.kept() if "sign-in" in name]
    with socket.socket() as knock:
        assert knock.connect_ex(("127.0.0.1", port)) != 0


def test_ctrl_c_keeps_the_sign_in_that_was_there(app: App) -> None:
    """Giving up a second sign-in does not end the first."""
    app.login("ann")
    process = app.cli.start("login", "--browser", "--profile", "app", env={"BROWSER": "true %s &"})
    _, said = _wait(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Signed in now: ann@example.com." in said
    assert app("refresh").code == 0


@pytest.mark.parametrize("backend", ["Forgets", "Garbles", "Discouraged"])
def test_a_keyring_that_keeps_nothing_is_found_out_first(app: App, backend: str, tmp_path: Path) -> None:
    """A keyring that silently stores nothing ends the login before the browser is opened."""
    env = {
        "PYTHON_KEYRING_BACKEND": f"tests.sign_in.keyring_backends.{backend}",
        "TEST_KEYRING": str(tmp_path / "keyring"),
    }

    done = app.login("ann", "--store", "keyring", **env)

    assert done.code == 7
    assert "the keyring cannot be used" in done.err
    assert "--store file" in done.err
    assert not app.browser_was_opened
    assert not [name for name in app.kept() if "sign-in" in name]
    assert app("credential-process").code == 3


def test_a_profile_with_nothing_to_sign_in_to(app: App) -> None:
    """For a guest's profile, `login` names the keys that are missing: exit 4."""
    done = app.cli("login", "--profile", "guest")

    assert done.code == 4
    assert "names nothing to sign in to" in done.line
    assert "cognito_oidc_issuer" in done.line


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--password"], 4, "this issuer does not have"),
        (["--no-browser"], 3, "there is no terminal"),
        (["--store", "nowhere"], 4, "store is 'nowhere'"),
        (["--browser", "--device"], 2, "not allowed with"),
        (["--device", "--username", "ann"], 4, "a user name goes with a password"),
        (["--password=CANARY"], 2, "--password takes no value"),
        (["--password", "CANARY"], 2, "passwords are asked for"),
    ],
)
def test_what_cannot_be(app: App, options: list[str], code: int, says: str) -> None:
    """A way of signing in that cannot work ends at once, with its exit code, and never repeats a password."""
    done = app("login", *options)

    assert done.code == code
    assert says in done.err
    assert "CANARY" not in done.err + done.out
    assert not app.browser_was_opened


def test_a_sign_in_without_a_refresh_token(app: App) -> None:
    """Without a refresh token, the result does not say that credentials renew themselves."""
    lasting = app.login("ann")
    path = app.home / ".aws" / "config"
    path.write_text(
        path.read_text().replace("[profile guest]", "cognito_oidc_scopes = email\n[profile guest]")
    )

    short = app.login("ann")

    assert "from now on they renew themselves" in lasting.out
    assert "then you must sign in again" in short.out
    assert "The issuer gave no refresh token: this sign-in lasts until " in short.err


def test_a_client_with_a_secret(app: App) -> None:
    """With a client's secret from a source, signing in and out works."""
    path = app.home / ".aws" / "config"
    secret = "cognito_oidc_client_secret = env:CLIENT_SECRET"
    text = path.read_text().replace("client_id = desktop", f"client_id = with:client_secret_basic\n{secret}")
    path.write_text(text)
    env = {"CLIENT_SECRET": "CANARY%2B+/:secret"}

    assert app.login("ann", **env).code == 0
    assert app("refresh", env=env).code == 0
    assert "revoked and removed" in app("logout", env=env).out


def test_unlinking_the_login(app: App) -> None:
    """After `unlink` the login leads to another identity."""
    before = _identity(app.login("ann").out)
    provider = app.issuer.partition("://")[2]

    refused = app("unlink", provider)
    done = app("unlink", provider, "--yes")

    assert refused.code == 2
    assert "Add --yes" in refused.err
    assert done.code == 0, done.err
    assert f"Took {provider} off the identity {before}." in done.out
    assert json.loads(app("credential-process").out)
    assert json.loads(app("status", "--json").out)["identity_id"] != before


def test_unlinking_what_is_not_linked(app: App) -> None:
    """A provider that is not on the identity is refused, and the identity stays."""
    before = _identity(app.login("ann").out)

    done = app("unlink", "google", "--yes")

    assert done.code == 4
    assert "this identity has no such login to take off" in done.line.lower()

    assert json.loads(app("status", "--json").out)["identity_id"] == before


def test_a_whole_profile_by_configure(app: App, tmp_path: Path) -> None:
    """`configure` writes a profile that `login` can sign in to, and checks what it is given."""
    flags = ("--identity-pool-id", app.pool_id, "--oidc-issuer", app.issuer, "--oidc-client-id", "desktop")
    done = app.cli("configure", "--profile", "new", *flags, "--login-store", "file", "--yes")
    assert done.code == 0, done.err
    assert f"+cognito_oidc_issuer = {app.issuer}" in done.out
    assert "login --profile new" in done.err

    assert app.cli("login", "--profile", "new", env=app.person("ann")).code == 0

    shown = app.cli("configure", "--profile", "new", "--oidc-client-secret", "CANARY", "--yes")
    assert shown.code == 4
    assert "never the client secret itself" in shown.line
    assert "CANARY" not in shown.out + shown.err + (app.home / ".aws" / "config").read_text()
    wrong = app.cli("configure", "--profile", "new", "--oidc-issuer", "http://login.example.com", "--yes")
    assert wrong.code == 4
    assert "http://login.example.com" not in (app.home / ".aws" / "config").read_text()
    gone = app.cli("configure", "--profile", "new", "--oidc-issuer", "", "--oidc-client-id", "",
                   "--login-store", "", "--yes")  # fmt: skip
    assert gone.code == 0
    assert app.cli("credential-process", "--profile", "new").code == 0  # a guest again


def _identity(out: str) -> str:
    """Return the identity that `login` printed."""
    return out.partition("Identity ")[2].partition(",")[0]


def _refreshes(app: App, token: str) -> bool:
    """Tell whether the issuer still takes a refresh token."""
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import urlopen

    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "desktop"}
    try:
        with urlopen(f"{app.issuer}/token", urlencode(form).encode(), timeout=10):
            return True
    except HTTPError as error:
        error.close()
        return False


def _wait(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Read the output of `login` until it waits; return its port and the output."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "/start/" in line:
            port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
        if line.startswith("Waiting"):
            return port, said
    pytest.fail("it did not wait")


def test_the_login_help_has_an_example(app: App) -> None:
    """Every command of signing in ends its help with a worked example."""
    for command in ("login", "logout", "unlink"):
        assert "example:\n  $ cognito-credentials" in app.cli(command, "--help").out
