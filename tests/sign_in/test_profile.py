"""The sign-in keys of a profile, and the sources that they make."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import cognito_credentials.sign_in
from cognito_credentials import IdentityPool
from cognito_credentials.errors import ConfigurationError
from cognito_credentials.logins import Logins
from cognito_credentials.pool.logins import logins_of
from cognito_credentials.pool.pool import parts_of
from cognito_credentials.settings.load import load
from cognito_credentials.sign_in.sources import OidcLogin, UserPool
from cognito_credentials.sign_in.ways.browser import why_no_browser

ROOT = Path(__file__).parent.parent.parent
POOL = "eu-west-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
USER_POOL = {"cognito_user_pool_id": "eu-west-1_Ab1Cd2Ef3", "cognito_client_id": "4example"}
OIDC = {"cognito_oidc_issuer": "https://login.example.com", "cognito_oidc_client_id": "desktop"}


def _logins(profile: dict[str, Any], arguments: dict[str, Any] | None = None, **environ: str) -> Logins:
    config = {"profiles": {"app": {"cognito_identity_pool_id": POOL, **profile}}}
    environ = {"HOME": "/home/ann", **environ}
    return logins_of(load(arguments or {}, environ=environ, config=config, profile="app"), environ)


def _source(profile: dict[str, Any], **environ: str) -> Any:
    ((_, source),) = _logins(profile, **environ).sources
    return source


def test_a_user_pool() -> None:
    """The keys make a source with the pool's provider name; nothing is read and nobody is asked."""
    keys = {
        **USER_POOL,
        "cognito_domain": "my-app",
        "cognito_sign_in": "password",
        "cognito_redirect_ports": "8400, 8401",
        "cognito_login_store": "file",
        "cognito_first_factor": "email",
    }
    logins = _logins(keys)
    source = _source(keys)

    assert isinstance(source, UserPool)
    assert logins.providers == ("cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1Cd2Ef3",)
    assert source.domain == "my-app.auth.eu-west-1.amazoncognito.com"
    assert (source.way, source.redirect_ports, source.store) == ("password", (8400, 8401), "file")
    assert source.first_factor == "email"
    assert logins.principal() is None  # nobody is signed in
    assert logins.origin == "profile 'app'"


def test_an_issuer() -> None:
    """Any OpenID Connect issuer; openid is always among the scopes."""
    source = _source({**OIDC, "cognito_oidc_scopes": "email, offline_access"})

    assert isinstance(source, OidcLogin)
    assert (source.issuer, source.scope) == ("https://login.example.com", "openid email offline_access")
    assert source.provider == "login.example.com"
    assert _source(OIDC).scope == "openid email offline_access"


def test_a_region_of_china() -> None:
    """The issuer there has another suffix."""
    source = UserPool("cn-north-1_Ab1", "4example")

    assert source.issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab1"


def test_both_logins_and_a_sign_in(tmp_path: Path) -> None:
    """Logins and sign-in are joined unless both are of one provider; an argument replaces both."""
    logins = _logins({**OIDC, "cognito_logins": {"google": "file:/run/token"}})
    assert logins.providers == ("accounts.google.com", "login.example.com")

    with pytest.raises(
        ConfigurationError, match=r"login\.example\.com is in cognito_logins and signed in to"
    ):
        _logins({**OIDC, "cognito_logins": {"login.example.com": "file:/run/token"}})
    keys = {"cognito_identity_pool_id": POOL, **OIDC}
    lines = ["[profile app]", *(f"{key} = {value}" for key, value in keys.items())]
    (tmp_path / "config").write_text("\n".join(lines))
    environ = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")}
    pool = IdentityPool(profile_name="app", environ=environ, logins={"accounts.google.com": "x"})
    assert parts_of(pool).logins.providers == ("accounts.google.com",)


def test_the_sign_in_of_one_pool_is_not_for_another() -> None:
    """A script that names another pool does not use the sign-in of the AWS_PROFILE that is set."""
    other = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"

    assert _logins(USER_POOL, {"identity_pool_id": other}).is_guest


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({**USER_POOL, **OIDC}, "cognito_oidc_issuer from profile 'app' does not go with a user pool"),
        ({**OIDC, "cognito_domain": "x"}, "cognito_domain from profile 'app' does not go with an issuer"),
        ({"cognito_sign_in": "browser"}, "cognito_sign_in from profile 'app' needs cognito_oidc_issuer"),
        ({"cognito_user_pool_id": "eu-west-1_Ab1"}, "needs cognito_client_id"),
        (
            {**USER_POOL, "cognito_user_pool_id": POOL},
            "cognito_user_pool_id from profile 'app' is not the id",
        ),
        (
            {**USER_POOL, "cognito_client_id": "a b"},
            "cognito_client_id from profile 'app' is not a client id",
        ),
        ({**USER_POOL, "cognito_domain": "a b"}, "cognito_domain from profile 'app' is not a domain"),
        (
            {**USER_POOL, "cognito_first_factor": "passkey"},
            "cognito_first_factor from profile 'app' is 'passkey'. Use password, sms, email or choice",
        ),
        (
            {**OIDC, "cognito_first_factor": "sms"},
            "cognito_first_factor from profile 'app' does not go with an issuer",
        ),
        ({**USER_POOL, "cognito_sign_in": "device"}, "cognito_sign_in from profile 'app' is 'device'"),
        ({**OIDC, "cognito_sign_in": "password"}, "cognito_sign_in from profile 'app' is 'password'"),
        ({**OIDC, "cognito_redirect_ports": "80"}, "cognito_redirect_ports from profile 'app' is no list"),
        ({**OIDC, "cognito_redirect_ports": "8400;8401"}, "cognito_redirect_ports from profile 'app' is no"),
        ({**OIDC, "cognito_login_store": "disk"}, "cognito_login_store from profile 'app' is 'disk'"),
        (
            {**OIDC, "cognito_oidc_issuer": "http://x.example"},
            "cognito_oidc_issuer from profile 'app' is plain",
        ),
        (
            {**OIDC, "cognito_oidc_scopes": 'a"b'},
            "cognito_oidc_scopes from profile 'app' is no list of scopes",
        ),
        (
            {**OIDC, "cognito_oidc_client_secret": "CANARY-secret"},
            "cognito_oidc_client_secret from profile 'app': the value is no source of a client secret",
        ),
        ({**OIDC, "cognito_oidc_client_secret": ""}, "cognito_oidc_client_secret from profile 'app'"),
        ({**USER_POOL, "cognito_oidc_client_secret": "env:X"}, "does not go with a user pool"),
        ({**OIDC, "cognito_login_provider": "https://x.example"}, "has a scheme"),
        ({**OIDC, "cognito_oidc_scope": "openid"}, "Did you mean cognito_oidc_scopes"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys: dict[str, str], said: str) -> None:
    """A wrong key is an error that names key and profile, and never makes the user a guest."""
    with pytest.raises(ConfigurationError) as caught:
        _logins(keys)

    assert said.lower() in str(caught.value).lower()
    assert "CANARY" not in str(caught.value)


def test_the_endpoint_of_user_pools_is_botocores_own_setting() -> None:
    """The endpoint is set as for any service, and must be https or on this machine."""
    name = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"

    source = _source(USER_POOL, **{name: "http://127.0.0.1:9229"})
    assert source._network_options() == {"region": "eu-west-1", "endpoint_url": "http://127.0.0.1:9229"}
    with pytest.raises(
        ConfigurationError, match=f"endpoint_url from {name} is plain http to another machine"
    ):
        _source(USER_POOL, **{name: "http://evil.example"})


def test_profiles_issuers_and_clients_are_kept_apart() -> None:
    """Another profile, issuer or client has other files; the same three have the same files."""
    made = [
        OidcLogin("https://a.example", "one"),
        OidcLogin("https://a.example", "one", profile_name="app"),
        OidcLogin("https://a.example", "two"),
        OidcLogin("https://b.example", "one"),
        UserPool("eu-west-1_Ab1", "one"),
    ]
    paths = [source.depends()[0][1] for source in made]

    assert len(set(paths)) == 5
    assert OidcLogin("https://a.example", "one").depends()[0][1] == paths[0]


def test_a_source_can_be_pickled() -> None:
    """A pool with a sign-in can be pickled; its lock and token are not."""
    source = OidcLogin("https://a.example", "one", profile_name="app")
    source.account()

    again = pickle.loads(pickle.dumps(source))

    assert again.depends() == source.depends()


@pytest.mark.parametrize(
    ("browsers", "environ", "opened"),
    [
        (["lynx"], {}, None),
        (["lynx", "mine"], {"BROWSER": "mine %s &"}, "mine"),
        (["lynx", "fails"], {"BROWSER": "fails %s &"}, "fails"),
        ([], {}, None),
        (["lynx", "wslview"], {"WSL_DISTRO_NAME": "Ubuntu"}, "wslview"),
        (["mine", "wslview"], {"WSL_DISTRO_NAME": "Ubuntu", "BROWSER": "mine %s &"}, "mine"),
        (["wslview"], {}, None),
    ],
)
def test_no_browser_takes_over_the_terminal(
    tmp_path: Path, browsers: list[str], environ: dict[str, str], opened: str | None
) -> None:
    """A text browser is started only if BROWSER names it, not even if the named one fails."""
    for name in browsers:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/opened\n[ {name} != fails ]\n")
        program.chmod(0o755)
    code = "from cognito_credentials.sign_in.ways import browser; browser.open_default_browser('http://127.0.0.1:9/')"
    env = {"PATH": str(tmp_path), "TERM": "xterm", "PYTHONPATH": str(ROOT), **environ}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=30)
    found = tmp_path / "opened"
    for _ in range(100):
        if opened is None or found.exists():
            break
        time.sleep(0.05)  # it runs in the background

    assert (found.read_text().split() if found.exists() else [None]) == [opened]


@pytest.mark.parametrize(
    "heavy", ["authlib", "jwt", "keyring", "cryptography", "segno", "pycognito", "filelock"]
)
def test_knowing_who_is_signed_in_loads_no_library(heavy: str) -> None:
    """The libraries are loaded for signing in and refreshing; for guests, `sign_in` is not loaded."""
    code = (
        "import sys\n"
        "from cognito_credentials.importing import IMPORTING\n"
        "IMPORTING.never_forks()\n"  # as a command; other programs load filelock in any case
        "from cognito_credentials.pool.logins import logins_of\n"
        "from cognito_credentials.settings.load import load\n"
        f"config = {{'profiles': {{'app': {{'cognito_identity_pool_id': {POOL!r}}}}}}}\n"
        "environ = {'HOME': '/x'}\n"
        "assert logins_of(load({}, environ=environ, config=config, profile='app'), environ).is_guest\n"
        "assert not [name for name in sys.modules if 'sign_in' in name]\n"
        f"config['profiles']['app'].update({OIDC!r})\n"
        "found = logins_of(load({}, environ=environ, config=config, profile='app'), environ)\n"
        "assert found.principal() is None\n"
        f"assert {heavy!r} not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_names_for_apps_are_here_and_cost_little() -> None:
    """The names for apps are imported from `cognito_credentials.sign_in`, and bring no library along."""
    names = [
        "AsyncChallengeRequired",
        "ChallengeRequired",
        "DeveloperLogin",
        "LoginTokens",
        "OidcLogin",
        "SignInStore",
        "SignedIn",
        "UserPool",
    ]
    code = (
        f"import sys; from cognito_credentials.sign_in import {', '.join(names)}; "
        "import cognito_credentials.sign_in as here; "
        f"assert sorted(here.__all__) == {names!r}; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )

    heavy = {"botocore", "authlib", "pycognito", "keyring", "cryptography", "jwt", "filelock", "http"}
    assert not heavy & set(done.stdout.split())


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setattr(cognito_credentials, "sign_in", cognito_credentials.sign_in)
    for name in {"authlib", *(name for name in sys.modules if name.partition(".")[0] == "authlib")}:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("issuers.oidc", "issuers.token_client", "ways.browser", "ways.authorization"):
        monkeypatch.delitem(sys.modules, f"cognito_credentials.sign_in.{name}", raising=False)

    with pytest.raises(ConfigurationError, match=r"needs 'authlib.*cognito-credentials\[login\]"):
        OidcLogin("http://127.0.0.1:1", "one", store="file").sign_in(open_browser=lambda _: True)


@pytest.mark.parametrize(
    ("environ", "platform", "why"),
    [
        ({"SSH_CONNECTION": "x", "DISPLAY": ":0"}, "linux", "SSH"),
        ({"SSH_TTY": "/dev/pts/0"}, "darwin", "SSH"),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", "WSL"),
        ({}, "linux", "no display"),
        ({}, "freebsd14", "no display"),
        ({"DISPLAY": ":0"}, "linux", None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", None),
        ({"BROWSER": "firefox"}, "linux", None),
        ({"BROWSER": "firefox", "SSH_CONNECTION": "x"}, "linux", "SSH"),
        ({}, "win32", None),
        ({}, "darwin", None),
    ],
)
def test_where_a_browser_can_be_opened(environ: dict[str, str], platform: str, why: str | None) -> None:
    """No browser is opened over SSH, in WSL without wslview, or without a display."""
    found = why_no_browser(environ, platform=platform, exists=lambda _: False, find=lambda _: None)

    assert (found is None) if why is None else (found is not None and why in found)
    assert why_no_browser({"WSL_INTEROP": "x"}, platform="linux", find=lambda name: name) is None
    assert "container" in str(why_no_browser({}, platform="linux", exists=lambda path: path == "/.dockerenv"))


def test_another_endpoint_is_another_sign_in() -> None:
    """A refresh token of AWS is not sent to an endpoint that a variable names today."""
    made = {"user_pool_id": "eu-west-1_AbCdEf123", "client_id": "1example23456789"}
    plain = UserPool(**made, environ={"HOME": "/h"})
    elsewhere = UserPool(**made, environ={"HOME": "/h", "AWS_ENDPOINT_URL": "https://elsewhere.example"})

    assert plain.depends() != elsewhere.depends()


@pytest.mark.parametrize(
    "key", [*USER_POOL, *OIDC, "cognito_domain", "cognito_sign_in", "cognito_redirect_ports"]
)
def test_a_comment_behind_a_key_is_named(key: str) -> None:
    """To every AWS tool a comment behind a value is part of it, which the error of a wrong value says."""
    others = {"cognito_domain": "my-app", "cognito_sign_in": "browser", "cognito_redirect_ports": "8400"}
    keys = OIDC if key in OIDC else {**USER_POOL, **others}
    with pytest.raises(ConfigurationError) as caught:
        _logins({**keys, key: f"{keys[key]} # mine"})

    assert caught.value.message.startswith(f"{key} from profile 'app'")
    assert "What follows '#' is part of the value" in caught.value.hint
