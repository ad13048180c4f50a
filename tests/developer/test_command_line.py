"""Developer logins on the command line: a profile, its cache, and back ends that must not be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cognito_credentials.emulator.wire.certificates import make_certificate
from tests.cli.conftest import Cli, cli, config
from tests.world import World

from .conftest import BackEnd, Service

__all__ = ["cli", "config"]

PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_logins = developer:{url}
cognito_developer_headers = env:APP_HEADERS
cognito_user = ann
"""
HEADERS = {"APP_HEADERS": "Authorization: Bearer CANARY-session-of-ann"}


@pytest.fixture
def run(cli: Cli, world: World) -> Cli:
    """The command line, with the emulator where AWS would be."""
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = world.emulator.url
    cli.environ |= HEADERS
    return cli


def test_a_profile_of_a_back_end(
    run: Cli, world: World, service: Service, config: Callable[[str], Path]
) -> None:
    """The credentials of the back end's user are cached like others: the next run asks nobody."""
    config(PROFILE.format(pool=world.pool_id, url=service.url))

    first = run("credential-process", "--profile", "app")
    asked = world.counts()
    again = run("credential-process", "--profile", "app", env={"APP_HEADERS": ""})

    assert json.loads(first.out) == json.loads(again.out)
    assert world.counts() == asked
    assert "GetId" not in asked


def test_a_session_that_has_ended(
    run: Cli, world: World, service: Service, config: Callable[[str], Path]
) -> None:
    """A session that the back end refuses is exit 3, and not shown."""
    config(PROFILE.format(pool=world.pool_id, url=service.url))

    done = run(
        "credential-process", "--profile", "app", env={"APP_HEADERS": "Authorization: Bearer CANARY-x"}
    )

    assert done.code == 3
    assert "does not know this user (HTTP 401)" in done.line
    assert "CANARY" not in done.err


def test_a_back_end_by_plain_http(run: Cli, world: World, config: Callable[[str], Path]) -> None:
    """Attack: a back end on another machine by http would read the session: exit 4 before any request."""
    config(PROFILE.format(pool=world.pool_id, url="http://app.example.com/cognito-token"))

    done = run("credential-process", "--profile", "app")

    assert done.code == 4
    assert "plain http to another machine" in done.line


def test_a_back_end_that_redirects(
    run: Cli, world: World, back_end: Callable[[], BackEnd], config: Callable[[str], Path]
) -> None:
    """Attack: a redirect is not followed, so nobody else gets the session."""
    elsewhere, server = back_end(), back_end()
    server.status, server.headers = 307, {"Location": elsewhere.url}
    config(PROFILE.format(pool=world.pool_id, url=server.url))

    done = run("credential-process", "--profile", "app")

    assert done.code == 6
    assert "redirect (HTTP 307), which is not followed" in done.line
    assert not elsewhere.asked


def test_a_back_end_behind_the_authority_of_the_profile(
    run: Cli, world: World, back_end: Callable[..., BackEnd], config: Callable[[str], Path]
) -> None:
    """A profile's `ca_bundle` verifies its back end, too."""
    certificate = make_certificate("127.0.0.1")
    server = back_end(certificate)
    server.status = 401
    profile = PROFILE.format(pool=world.pool_id, url=server.url)
    try:
        config(f"{profile}ca_bundle = {certificate.certificate}\n")
        done = run("credential-process", "--profile", "app")
    finally:
        certificate.directory.cleanup()

    assert "does not know this user (HTTP 401)" in done.line


def test_without_a_profile(run: Cli, world: World, service: Service) -> None:
    """Options alone name a back end, too."""
    done = run(
        *(
            "credential-process",
            "--identity-pool-id",
            world.pool_id,
            "--login",
            f"google=developer:{service.url}",
        ),
        *("--developer-headers", "env:APP_HEADERS"),
    )
    assert done.code == 4  # the token is Cognito's own, not Google's
    assert "cognito-identity.amazonaws.com" in done.line
    done = run(
        *("credential-process", "--identity-pool-id", world.pool_id),
        *("--login", f"cognito-identity.amazonaws.com=developer:{service.url}"),
        *("--developer-headers", "env:APP_HEADERS"),
    )
    assert json.loads(done.out)["AccessKeyId"].startswith("ASIA")


def test_configure_writes_it(run: Cli, world: World, service: Service, isolation: Path) -> None:
    """`configure` takes the back end and the source of its headers, never headers themselves."""
    done = run(
        *("configure", "--profile", "app", "--identity-pool-id", world.pool_id, "--user", "ann", "--yes"),
        *("--login", f"cognito-identity.amazonaws.com=developer:{service.url}"),
        *("--developer-headers", "env:APP_HEADERS"),
    )
    assert done.code == 0, done.err
    assert run("credential-process", "--profile", "app").code == 0

    # As the help says it, and as the README has it in a profile: a back end alone needs no provider's name.
    alone = run("configure", "--profile", "app", "--login", f"developer:{service.url}", "--yes")
    assert alone.code == 0, alone.err
    written = (isolation / ".aws" / "config").read_text()
    assert f"\ncognito_logins = developer:{service.url}\n" in written
    run("clear", "--profile", "app")
    assert run("credential-process", "--profile", "app").code == 0
    wrong = run("configure", "--profile", "app", "--developer-headers", "Authorization: CANARY", "--yes")
    assert wrong.code == 4
    assert "CANARY" not in wrong.err + wrong.out


@pytest.mark.parametrize(
    ("logins", "says"),
    [
        (["login.mycompany=developer:{url}"], "not of 'login.mycompany'"),
        (["google=developer:{url}"], "not of 'google'"),
        (["developer:{url}", "google=env:TOKEN"], "cognito-identity.amazonaws.com=developer:URL"),
    ],
)
def test_configure_refuses_another_provider(
    run: Cli, world: World, service: Service, isolation: Path, logins: list[str], says: str
) -> None:
    """A back end under another provider's name is not written; the error names the form that works."""
    options = [part for login in logins for part in ("--login", login.format(url=service.url))]

    done = run("configure", "--profile", "app", "--identity-pool-id", world.pool_id, *options, "--yes")

    assert done.code == 4
    assert says in done.line
    assert "cognito-identity.amazonaws.com=developer:URL" in done.line
    assert not (isolation / ".aws" / "config").exists()


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("file:/nonexistent/headers", 3, "the developer headers file /nonexistent/headers is missing"),
        ("env:NO_SUCH_HEADERS", 3, "NO_SUCH_HEADERS holds no developer headers"),
        ("command:/nonexistent/headers", 4, "the developer headers command '/nonexistent/headers'"),
    ],
)
def test_missing_headers_are_called_that(
    run: Cli, world: World, service: Service, source: str, code: int, says: str
) -> None:
    """A missing source of headers is an error that speaks of headers."""
    done = run(
        *("credential-process", "--identity-pool-id", world.pool_id),
        *("--login", f"developer:{service.url}", "--developer-headers", source),
    )

    assert done.code == code
    assert says in done.line
    assert "login token" not in done.line
    assert "sign in again" not in done.line.lower()


def test_a_back_end_that_is_down(run: Cli, world: World) -> None:
    """A back end that cannot be reached is named with its port."""
    done = run(
        *("credential-process", "--identity-pool-id", world.pool_id),
        *("--login", "developer:http://127.0.0.1:9/token", "--developer-headers", "env:APP_HEADERS"),
    )

    assert done.code == 6
    assert "127.0.0.1:9 cannot be reached" in done.line
    assert "issuer" not in done.line
