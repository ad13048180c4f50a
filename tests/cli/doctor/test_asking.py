"""What `doctor` asks, and what it never does: an identity, a guess, a wait."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest

from cognito_credentials.cache.records import decode_credentials, encode
from cognito_credentials.cli.doctor import asking
from cognito_credentials.cli.doctor.chosen_role import chosen_role
from cognito_credentials.cli.doctor.setup import Setup
from cognito_credentials.emulator import Emulator
from cognito_credentials.errors import CacheError, ServiceError
from cognito_credentials.sign_in.source import SignInSource
from tests.cli.doctor.conftest import KINDS, PROVIDER_ARN, Home, make_home
from tests.cli.doctor.online import developer, forget, roles, signed

pytestmark = pytest.mark.writes_secrets

LOGIN = "login.example.com"
ONE, TWO, OTHERS = (f"arn:aws:iam::123456789012:role/{name}" for name in ("one", "two", "others"))


def named(checks: list[dict[str, str]], name: str) -> dict[str, str]:
    """Return the finding of one check."""
    (found,) = [check for check in checks if check["name"] == name]
    return found


@pytest.mark.parametrize("home", [kind for kind in KINDS if kind != "sign-in"], indirect=True)
def test_no_kind_of_healthy_home_has_a_finding_online(home: Home) -> None:
    """A sign-in apart, whose issuer nobody can ask here, each kind is all right when everybody is asked."""
    assert home.findings() == []


def test_a_healthy_report_takes_no_time(home: Home) -> None:
    """Everything is asked within two seconds of this process's time."""
    home.findings()  # imports
    began = time.process_time()
    home.findings()
    assert time.process_time() - began < 2


def test_a_known_identity_costs_no_get_id(home: Home) -> None:
    """Two requests: the service's time, and the credentials of the identity that is kept."""
    before = home.counts()
    checks = home.checks()
    after = home.counts()

    assert after["GetId"] == before["GetId"]
    assert after["GetCredentialsForIdentity"] == before["GetCredentialsForIdentity"] + 2
    assert "as a guest's, they are for the services in https://docs.aws" in named(checks, "role")["what"]


def test_without_an_identity_no_credentials_are_asked_for(home: Home) -> None:
    """A new machine is told that the pool exists; whether guests are allowed, only making one would tell."""
    forget(home)
    checks = home.checks()

    assert named(checks, "pool")["what"] == f"identity pool {home.pool_id} exists in us-east-1"
    assert named(checks, "role")["status"] == "skipped"
    assert "whether guests are allowed" in named(checks, "role")["what"]


@pytest.mark.parametrize("home", ["login file"], indirect=True)
def test_a_login_that_the_pool_lists_is_told_without_an_identity(home: Home) -> None:
    """The token goes with a wrong signature, which the pool looks at only where it lists the provider."""
    forget(home)

    assert named(home.checks(), "providers")["what"] == f"the pool lists {LOGIN}"


def test_an_identity_that_others_could_write_is_not_asked_with(home: Home) -> None:
    """Somebody else's identity would get this user's logins."""
    (record,) = home.cache.glob("identity-v2-*.txt")
    record.chmod(0o666)

    checks = home.checks()

    assert named(checks, "records")["status"] == "warning"
    assert named(checks, "role")["status"] == "skipped"


@pytest.mark.parametrize("home", KINDS, indirect=True)
def test_offline_opens_no_connection(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --offline no name is looked up, no socket connected and no program started."""

    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("somebody was asked")

    if home.options:
        home.options.append("--pool-details")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr("subprocess.Popen.__init__", refuse)
        done = home.call("doctor", "--json", *home.options, "--offline")

    assert "AssertionError" not in done.out
    assert done.code == 0


@pytest.mark.parametrize("home", ["login file"], indirect=True)
def test_a_login_command_runs_once(home: Home) -> None:
    """It is run, once, and the report says so; the role is asked for with its token."""
    log = home.path.parent / "runs"
    script = home.write("get-token", f"#!/bin/sh\necho run >> {log}\ncat {home.token_file}\n", 0o700)
    home.edit(f"file:{home.token_file}", f"command:{script}")

    checks = home.checks()

    assert log.read_text() == "run\n"
    said = [check["what"] for check in checks if check["name"] == "tokens"]
    assert said[0] == f"command:{script} was run"
    assert "issuer https://login.example.com, audience app, until " in said[1]


RULE = {"Claim": "sub", "MatchType": "Equals", "Value": "ann", "RoleARN": ONE}
ANY = {"Claim": "sub", "MatchType": "StartsWith", "Value": "a", "RoleARN": TWO}
NONE = {"Claim": "sub", "MatchType": "NotEqual", "Value": "ann", "RoleARN": OTHERS}


@pytest.mark.parametrize("home", ["login file"], indirect=True)
@pytest.mark.parametrize(
    ("rules", "role", "why"),
    [
        ([NONE, RULE, ANY], ONE, "rule 2 of 3 is the first that matches: sub Equals ann"),
        ([ANY, RULE], TWO, "rule 1 of 2 is the first that matches: sub StartsWith a"),
        ([NONE], OTHERS.replace("others", "user"), "none of the 1 rules for login.example.com matches"),
    ],
)
def test_details_name_the_role_that_a_login_gets(
    home: Home, rules: list[dict[str, str]], role: str, why: str
) -> None:
    """The role in the report is the one that the service gives, and the reason is the rule that decides."""
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "AuthenticatedRole",
        "RulesConfiguration": {"Rules": rules},
    }
    user = "arn:aws:iam::123456789012:role/user"
    roles(home, {PROVIDER_ARN: mapping}, authenticated=user)
    developer(home).set_principal_tag_attribute_map(
        IdentityPoolId=home.pool_id, IdentityProviderName=PROVIDER_ARN, PrincipalTags={"team": "sub"}
    )
    signed(home)

    said = named(home.checks(), "pool-details")["what"]

    assert said.startswith(f"the user of {LOGIN} gets {role}, since {why}")
    assert said.endswith("; session tags: team from sub")
    home.run("refresh")
    assert f"/{role.rpartition('/')[2]}/" in home.run("whoami").out


def test_details_name_the_role_of_a_guest(home: Home) -> None:
    """Without a login the pool's role for guests is told, though no identity is kept."""
    forget(home)
    signed(home)

    said = named(home.checks(), "pool-details")["what"]

    assert said == "a guest gets arn:aws:iam::123456789012:role/unauthenticated, the pool's role for guests"
    assert home.call("doctor", *home.options).out.startswith(f"ok: pool-details: {said}.\n")


TOKEN = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}


@pytest.mark.parametrize(
    ("claims", "custom", "role"),
    [
        ({"cognito:roles": [ONE, TWO], "cognito:preferred_role": TWO}, None, TWO),
        ({"cognito:roles": f"{ONE},{TWO}", "cognito:preferred_role": ONE}, TWO, TWO),
        ({"cognito:roles": [ONE]}, None, ONE),
        ({"cognito:roles": [ONE, TWO]}, None, None),
        ({"cognito:roles": [ONE], "cognito:preferred_role": ONE}, OTHERS, None),
        ({}, None, None),
    ],
)
def test_the_role_of_a_group(claims: dict[str, Any], custom: str | None, role: str | None) -> None:
    """Preferred role, the only role, or one that was asked for and is allowed; else it is ambiguous."""
    found = chosen_role("cognito-idp.us-east-1.amazonaws.com/us-east-1_A", claims, TOKEN, OTHERS, custom)

    assert found.role == role
    assert found.why


@pytest.mark.parametrize(
    ("claims", "match", "value", "matches"),
    [
        ({"cognito:groups": ["staff", "admin"]}, "Contains", "admin", True),
        ({"cognito:groups": ["staff-old"]}, "Contains", "staff", False),
        ({"cognito:groups": ["staff-old"]}, "StartsWith", "staff", True),
        ({"cognito:groups": ["staff"]}, "Equals", "staff", True),
        ({"cognito:groups": ["staff"]}, "NotEqual", "staff", False),
        ({}, "NotEqual", "staff", False),
        ({"cognito:groups": True}, "Equals", "true", True),
        ({"cognito:groups": "Staff"}, "Equals", "staff", False),
    ],
)
def test_rules(claims: dict[str, Any], match: str, value: str, matches: bool) -> None:
    """Lists contain elements, texts contain parts; what is missing matches nothing."""
    rule = {"Claim": "cognito:groups", "MatchType": match, "Value": value, "RoleARN": ONE}
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}}

    assert chosen_role(LOGIN, claims, mapping, None).role == (ONE if matches else None)


def keyring_of(home: Home, monkeypatch: pytest.MonkeyPatch, backend: str) -> Setup:
    """Have the profile keep its sign-in in a keyring of *backend*."""
    home.edit("cognito_login_store = file", "cognito_login_store = keyring")
    setup = Setup(os.environ, "guest")
    ((_, source),) = setup.parts.logins.sources
    place = cast("SignInSource", source).files()
    place.remove("sign-in")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"tests.sign_in.keyring_backends.{backend}")
    monkeypatch.setenv("TEST_KEYRING", str(home.path / "items"))
    return setup


@pytest.mark.parametrize("home", ["sign-in"], indirect=True)
def test_a_keyring_takes_and_gives(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The round trip leaves nothing in the keyring."""
    pytest.importorskip("keyring")
    (found,) = asking.keyring(keyring_of(home, monkeypatch, "Works"))

    assert found.status == "ok"
    assert found.what == "the keyring (tests.sign_in.keyring_backends.Works) keeps secrets"
    assert (home.path / "items").read_text() == "{}"


@pytest.mark.parametrize("home", ["sign-in"], indirect=True)
def test_a_keyring_that_hangs_is_given_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one finding, within the time of a check, that names the other store."""
    pytest.importorskip("keyring")
    setup = keyring_of(home, monkeypatch, "Hangs")
    monkeypatch.setattr(asking, "_KEYRING_SECONDS", 1.0)

    with pytest.raises(CacheError, match="did not answer within 1 s; is it locked") as caught:
        list(asking.keyring(setup))
    assert "cognito_login_store = file" in caught.value.hint


@pytest.mark.parametrize("home", ["sign-in"], indirect=True)
def test_a_sign_in_that_is_not_due_is_not_renewed(home: Home) -> None:
    """While credentials are kept that are not due, its refresh token is not redeemed."""
    setup = Setup(os.environ, "guest")
    principal = setup.parts.refresher.principal()
    assert principal is not None
    (kept,) = home.cache.glob("credentials-v2-*.txt")
    record = decode_credentials(kept.name[15:55], kept.read_bytes())
    assert record is not None
    record.key = principal.credentials_key
    path = kept.with_name(f"credentials-v2-{principal.credentials_key}.txt")
    path.touch(0o600)
    path.write_bytes(encode(record))

    (found,) = asking.tokens(setup)

    assert found.status == "ok"
    assert found.what.endswith("is not asked: the credentials that are kept are not due")


@pytest.mark.parametrize("home", ["sign-in"], indirect=True)
def test_a_sign_in_that_is_due_is_renewed_as_always(home: Home) -> None:
    """Without credentials the next command would renew it; here its issuer cannot be reached."""
    pytest.importorskip("authlib")
    before = home.sign_in_file("secret").read_bytes()

    with pytest.raises(ServiceError, match=r"login.example.com cannot be reached"):
        list(asking.tokens(Setup(os.environ, "guest")))
    assert home.sign_in_file("secret").read_bytes() == before


def test_over_tls(isolation: Path, call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the CA bundle in the profile everything is all right."""
    with Emulator(tls=True, certificate_file=str(tmp_path / "ca.pem")) as emulator:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        home = make_home(isolation, emulator, call, monkeypatch)
        monkeypatch.delenv("AWS_CA_BUNDLE")
        home.add(f"ca_bundle = {tmp_path / 'ca.pem'}\n")
        done = home.call("doctor", "--profile", "guest")

    assert done.code == 0
    assert done.out.startswith(tuple("123456789")), done.out


def test_boto3_is_imported_only_for_details(home: Home) -> None:
    """A report without --pool-details needs no boto3."""
    program = (
        "import sys; from cognito_credentials.cli import main; code = main(sys.argv[1:]);"
        "sys.stderr.write(repr('boto3' in sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--profile", "guest"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "False"), done.stdout
