"""An error about settings shows no secret to a crash report that prints the variables of its frames."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from cognito_credentials import (
    AsyncIdentityPool,
    ConfigurationError,
    IdentityPool,
    IdentityPoolProvider,
    Session,
    install,
)
from cognito_credentials.back_end import developer_token
from cognito_credentials.sign_in import DeveloperLogin, OidcLogin, UserPool
from tests.conftest import locals_of

POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
NO_REGION = "xx-evil-9:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
TOKEN = {"idp.test": "CANARY-token"}
ENVIRON = {"TOKEN": "CANARY-token", "HTTPS_PROXY": "http://me:CANARY-password@proxy.test"}
GUEST = IdentityPool(POOL, cache="memory")


def _wrong(call: Callable[..., object], *args: Any, **kwargs: Any) -> Callable[[], object]:
    return lambda: call(*args, **kwargs)


WRONG: dict[str, Callable[[], object]] = {
    "pool id": _wrong(IdentityPool, NO_REGION, logins=TOKEN, environ=ENVIRON),
    "token in a wrong type": _wrong(IdentityPool, POOL, logins={"idp.test": b"CANARY-token"}),
    "login provider name": _wrong(IdentityPool, POOL, logins={"a b": "CANARY-token"}),
    "misspelt argument": _wrong(IdentityPool, POOL, logins=TOKEN, flwo="basic"),
    "login of for_user": _wrong(GUEST.for_user, "ann", logins={"a b": "CANARY-token"}),
    "user of for_user": _wrong(GUEST.for_user, "", logins=TOKEN),
    "login of link": _wrong(GUEST.link, {"a b": "CANARY-token"}),
    "Session": _wrong(Session, identity_pool_id=NO_REGION, logins=TOKEN),
    "misspelt argument of Session": _wrong(Session, identity_pool=POOL, logins=TOKEN),
    "install": _wrong(install, botocore.session.Session(), identity_pool_id=NO_REGION, logins=TOKEN),
    "misspelt argument of install": _wrong(install, botocore.session.Session(), pool=POOL, logins=TOKEN),
    "header": _wrong(DeveloperLogin, "https://app.test", headers={"A": "CANARY\r\nB: c"}, environ=ENVIRON),
    "issuer": _wrong(OidcLogin, "ftp://idp.test", "app", client_secret="CANARY-secret", environ=ENVIRON),
    "developer_token": _wrong(developer_token, None, POOL, "ann", provider="idp.test", logins=TOKEN),
    "user pool id": _wrong(UserPool, "no-pool", "app", environ=ENVIRON),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_program_gives_stays_out_of_our_frames(what: str) -> None:
    """The traceback of a wrong argument begins at the public function, without any of its arguments."""
    with pytest.raises((ValueError, TypeError)) as caught:
        WRONG[what]()

    assert caught.value.__cause__ is caught.value.__context__ is None
    shown = locals_of(caught.value)
    assert "run: function" in shown  # it does look at our frames
    assert "CANARY" not in shown


@pytest.mark.parametrize(
    "call",
    [
        lambda pool: pool.link({"a b": "CANARY-token"}),
        lambda pool: pool.sign_in_with_password("ann", "CANARY-password"),
        lambda pool: pool.sign_in_with_refresh_token("CANARY-token"),
    ],
)
def test_what_a_coroutine_is_given_stays_out_of_our_frames(call: Callable[[AsyncIdentityPool], Any]) -> None:
    """Where it cannot even begin, as under trio, and where it fails, no frame of ours has its arguments."""
    begun = call(AsyncIdentityPool.of(GUEST))
    with pytest.raises(ConfigurationError, match="no event loop of asyncio runs") as caught:
        begun.send(None)
    shown = locals_of(caught.value)

    async def main() -> str:
        with pytest.raises(ConfigurationError) as failed:
            await call(AsyncIdentityPool.of(GUEST))
        return locals_of(failed.value)

    shown += asyncio.run(main())
    assert "call: self = AsyncIdentityPool" in shown  # it does look at our frames
    assert "CANARY" not in shown


@pytest.mark.parametrize("given", ["as an argument", "by the process"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda **given: IdentityPool(**given).credentials(),
        lambda **given: IdentityPool(**given).settings,
        lambda **given: IdentityPool(**given).for_user("ann"),
        lambda **given: IdentityPoolProvider(_session(**given)).load(),
    ],
)
@pytest.mark.parametrize("profile", ["missing", "flow", "logins"])
def test_the_environment_stays_out_of_our_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, ask: Callable[..., object], given: str
) -> None:
    """A profile that is wrong or missing shows no variable of the environment, which may have a token."""
    config = tmp_path / "config"
    pool = f"cognito_identity_pool_id = {POOL}"
    config.write_text(
        f"[profile flow]\n{pool}\ncognito_flow = xx\n"
        f"[profile logins]\n{pool}\ncognito_logins =\n  idp.test = nothing:x\n"
    )
    environ = {**ENVIRON, "AWS_CONFIG_FILE": str(config)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Exception, match=r"profile|logins") as caught:
        ask(profile_name=profile, **({"environ": environ} if given == "as an argument" else {}))

    shown = locals_of(caught.value)
    assert shown  # it does look at our frames
    assert "CANARY" not in shown
    assert "CANARY" in repr(os.environ)


def _session(profile_name: str, environ: object = None) -> botocore.session.Session:
    return botocore.session.Session(profile=profile_name)
