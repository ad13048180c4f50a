"""Every row of the failure table, reached by a real request over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import cognito_credentials
from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.errors import MESSAGE_LIMIT, CognitoCredentialsError, ServiceError
from cognito_credentials.exchange.actions import Action, Failure
from cognito_credentials.exchange.failures import FACTS, classify
from cognito_credentials.exchange.table import STS, TABLE, UNKNOWN, Row
from cognito_credentials.secret import Secret

from .certificates import tls_server_of_nobody
from .conftest import GOOGLE, EmulatorBench, RawServer

Scenario = Callable[[EmulatorBench], object]

OWN = "cognito-identity.amazonaws.com"
NOBODY = "us-east-1:00000000-0000-4000-8000-0000000000ff"
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"
AMBIGUOUS = {
    f"{USER_POOL}:app": {"Type": "Token", "AmbiguousRoleResolution": "Deny"},
}
CONTRADICTION = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345"
ROLE = "arn:aws:iam::123456789012:role/unauthenticated"


def faulty(
    code: str, message: str, *, status: int | None = None, times: int = 1, operation: str = "GetId"
) -> Scenario:
    """A call of *operation* that the emulator always answers with *code*."""

    def scenario(bench: EmulatorBench) -> object:
        pool = bench.pool()
        guest = bench.client(pool).get_id({})
        bench.fault(operation=operation, times=times, code=code, message=message)
        client = bench.client(pool, role_arn=ROLE, flow="basic")
        if operation == STS:
            return client.assume_role_with_web_identity(Secret("CANARY.open.id"), is_guest=True)
        if operation == "GetCredentialsForIdentity":
            return client.get_credentials_for_identity(guest, {})
        return client.get_id(bench.login())

    return scenario


def guest_of_somebody(bench: EmulatorBench) -> object:
    client = bench.client(bench.pool())
    identity_id = client.get_id(bench.login())
    return client.get_credentials_for_identity(identity_id, {})


def puzzling(bench: EmulatorBench) -> object:
    """An answer of which our own code makes an error that nobody knows."""
    pool = bench.pool()
    parameters: dict[str, str] = {"IdentityPoolId": pool}
    return bench.client(pool)._calls.call("GetId", lambda: parameters, lambda answer: answer["none"], {})


def unlinked_twice(bench: EmulatorBench) -> object:
    client = bench.client(bench.pool())
    identity_id, login = client.get_id(bench.login()), bench.login()
    return client.unlink_identity(identity_id, login, ["graph.facebook.com"])


def identity_of_another(bench: EmulatorBench) -> object:
    client = bench.client(bench.pool())
    identity_id = client.get_id(bench.login(subject="one"))
    return client.get_credentials_for_identity(identity_id, bench.login(subject="two"))


def tampered(bench: EmulatorBench) -> object:
    token = bench.login()[GOOGLE].reveal()
    head, body, signature = token.split(".")
    middle = len(signature) // 2
    swapped = "A" if signature[middle] != "A" else "B"
    forged = ".".join((head, body, signature[:middle] + swapped + signature[middle + 1 :]))
    return bench.client(bench.pool()).get_id({GOOGLE: Secret(forged)})


def own_token_to_get_id(bench: EmulatorBench) -> object:
    client = bench.client(bench.pool())
    _, token = client.get_open_id_token(client.get_id({}), {})
    return client.get_id({OWN: token})


def foreign_token_under_own_name(bench: EmulatorBench) -> object:
    client = bench.client(bench.pool())
    return client.get_credentials_for_identity(client.get_id({}), {OWN: bench.login()[GOOGLE]})


def ambiguous_role(bench: EmulatorBench, custom_role_arn: str | None = None, **claims: Any) -> object:
    pool = bench.pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}], role_mappings=AMBIGUOUS
    )
    client = bench.client(pool, custom_role_arn=custom_role_arn)
    tokens = bench.login(USER_POOL, claims={"token_use": "id", **claims})
    return client.get_credentials_for_identity(client.get_id(tokens), tokens, custom_role_arn)


def forbidden_role(bench: EmulatorBench) -> object:
    mine = "arn:aws:iam::123456789012:role/mine"
    return ambiguous_role(bench, ROLE, **{"cognito:roles": [mine], "cognito:preferred_role": mine})


def basic(bench: EmulatorBench, pool: str, *, wait: float = 0, **settings: Any) -> object:
    client = bench.client(pool, **{"flow": "basic", "role_arn": ROLE, **settings})
    _, token = client.get_open_id_token(client.get_id({}), {})
    bench.emulator.move_clock(wait)
    return client.assume_role_with_web_identity(token, is_guest=True)


def untrusted_role(bench: EmulatorBench) -> object:
    pool = bench.pool()
    bench.emulator.service.strict_roles = True
    return basic(bench, pool)


def through_tls(bench: EmulatorBench) -> object:
    """A call to an emulator whose certificate this client does not trust."""
    from cognito_credentials.emulator import Emulator

    with Emulator(keys=bench.emulator.service.keys, tls=True) as emulator:
        return bench.client(endpoint_url=emulator.url).get_id({})


def through_expired_certificate(bench: EmulatorBench) -> object:
    with tls_server_of_nobody() as (url, certificate):
        bench.environ["AWS_CA_BUNDLE"] = certificate
        return bench.client(endpoint_url=url).get_id({})


def through_no_proxy(bench: EmulatorBench) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        return bench.client(endpoint_url=None).get_id({})


def no_such_host(bench: EmulatorBench) -> object:
    return bench.client(endpoint_url="https://nobody.invalid").get_id({})


def nobody_there(bench: EmulatorBench) -> object:
    return bench.client(endpoint_url="http://127.0.0.1:9").get_id({})


def dropped(bench: EmulatorBench) -> object:
    bench.fault(drop=True)
    return bench.client(bench.pool()).get_id({})


def contradictory_head(bench: EmulatorBench) -> object:
    server = RawServer(lambda connection, _: connection.sendall(CONTRADICTION))
    try:
        return bench.client(endpoint_url=server.url).get_id({})
    finally:
        server.close()


def dual_stack_where_there_is_none(bench: EmulatorBench) -> object:
    isolated = {"region": "us-isof-south-1", "endpoint_url": None}
    return bench.client(profile_settings={"use_dualstack_endpoint": "true"}, **isolated).get_id({})


def through_certificate_of_another(bench: EmulatorBench) -> object:
    with tls_server_of_nobody("nobody.example", last_day=1) as (url, certificate):
        bench.environ["AWS_CA_BUNDLE"] = certificate
        return bench.client(endpoint_url=url).get_id({})


def through_proxy_with_password(bench: EmulatorBench) -> object:
    return through_proxy(bench, "407 Proxy Authentication Required")


def through_proxy_that_refuses(bench: EmulatorBench) -> object:
    return through_proxy(bench, "403 Forbidden")


def through_proxy(bench: EmulatorBench, status: str) -> object:
    refusal = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    server = RawServer(lambda connection, _: connection.sendall(refusal))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HTTPS_PROXY", server.url)
            return bench.client(endpoint_url=None).get_id({})
    finally:
        server.close()


def unreadable(bench: EmulatorBench) -> object:
    bench.fault(status=200, body='{"IdentityId": "us-east-1:0", "Credentials": "CANARY"}')
    return bench.client(bench.pool()).get_credentials_for_identity(NOBODY, {})


def portal(bench: EmulatorBench) -> object:
    bench.fault(status=403, body="<html>CANARY: please sign in</html>", headers={"content-type": "text/html"})
    return bench.client(bench.pool()).get_id({})


def malformed_policy(bench: EmulatorBench) -> object:
    return basic(bench, bench.pool(), policy="{")


SCENARIOS: Mapping[str, Scenario] = {
    "identity deleted": lambda b: b.client(b.pool()).get_credentials_for_identity(NOBODY, {}),
    "pool unknown": lambda b: b.client(NOBODY).get_id({}),
    "identity id malformed": lambda b: b.client(b.pool()).get_credentials_for_identity("us-east-1:XYZ", {}),
    "identity disabled": guest_of_somebody,
    "logins of another identity": lambda b: b.client(b.pool(SupportedLoginProviders={})).get_id(b.login()),
    "identity of another login": identity_of_another,
    "guests not allowed": lambda b: b.client(b.pool(AllowUnauthenticatedIdentities=False)).get_id({}),
    "login not counted": faulty(
        "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool."
    ),
    "token expired": lambda b: b.client(b.pool()).get_id(b.login(expires_in=-900)),
    "token revoked": faulty("NotAuthorizedException", "Token is inactive"),
    "provider not in pool": lambda b: b.client(b.pool()).get_id(b.login("appleid.apple.com")),
    "issuer differs": lambda b: b.client(b.pool()).get_id(b.login(claims={"iss": "https://example.com"})),
    "access token": lambda b: b.client(b.pool()).get_id(b.login(claims={"aud": None})),
    "audience differs": lambda b: b.client(b.pool()).get_id(b.login(audience="another")),
    "signature wrong": tampered,
    "cognito token in GetId": own_token_to_get_id,
    "not a cognito token": foreign_token_under_own_name,
    "not an id token": lambda b: b.client(b.pool()).get_id({GOOGLE: Secret("CANARY-opaque")}),
    "provider name unusable": faulty("InvalidParameterException", "Please provide a valid public provider"),
    "role ambiguous": ambiguous_role,
    "role forbidden": forbidden_role,
    "basic flow off": lambda b: basic(b, b.pool(AllowClassicFlow=False)),
    "basic flow with role mappings": lambda b: basic(
        b,
        b.pool(
            CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}], role_mappings=AMBIGUOUS
        ),
    ),
    "pool misconfigured": lambda b: _credentials(b, b.pool(roles={})),
    "custom role without mapping": faulty(
        "InvalidParameterException",
        "CustomRoleArn is not supported here",
        operation="GetCredentialsForIdentity",
    ),
    "sts: token expired": lambda b: basic(b, b.pool(), wait=700),
    "sts: token refused": lambda b: b.client(
        b.pool(), flow="basic", role_arn=ROLE
    ).assume_role_with_web_identity(Secret("CANARY-opaque"), is_guest=True),
    "sts: trust policy": untrusted_role,
    "sts: claim refused": faulty("IDPRejectedClaim", "no", operation=STS),
    "sts: provider slow": faulty("IDPCommunicationError", "no", operation=STS),
    "sts: policy too large": faulty(
        "PackedPolicyTooLarge", "Packed size of session tags consumes 138% of allotted space.", operation=STS
    ),
    "sts: policy malformed": malformed_policy,
    "sts: duration": lambda b: basic(b, b.pool(), duration_seconds=43200),
    "sts: parameter": lambda b: basic(b, b.pool(), role_session_name="a b"),
    "sts: region off": faulty(
        "RegionDisabledException", "STS is not activated in this region", operation=STS
    ),
    "throttled": faulty("TooManyRequestsException", "Rate exceeded"),
    "conflict": faulty("ResourceConflictException", "in use", times=2),
    "provider failed": faulty("ExternalServiceException", "no answer", times=2),
    "service failed": faulty("InternalErrorException", "oops"),
    "denied by policy": faulty(
        "AccessDeniedException", "User: anonymous is not authorized to perform: GetId"
    ),
    "setting malformed": lambda b: b.client("us-east-1:XYZ").get_id({}),
    "parameter malformed": lambda b: b.client(b.pool()).get_credentials_for_identity("", {}),
    "login not there to unlink": unlinked_twice,
    "parameter refused": faulty("InvalidParameterException", "something else"),
    "not authorized": faulty("NotAuthorizedException", "something else"),
    "not our service": portal,
    "certificate out of time": through_expired_certificate,
    "certificate of another name": through_certificate_of_another,
    "certificate untrusted": through_tls,
    "proxy asks for a password": through_proxy_with_password,
    "proxy refuses": through_proxy_that_refuses,
    "proxy failed": through_no_proxy,
    "nothing listens": nobody_there,
    "name not found": no_such_host,
    # A broadcast address: the system refuses it before anything is sent.
    "no connection": lambda b: b.client(endpoint_url="https://255.255.255.255").get_id({}),
    "no answer": dropped,
    "network failed": contradictory_head,
    "no endpoint": dual_stack_where_there_is_none,
    "answer invalid": unreadable,
    "answer not understood": puzzling,
    "unknown code": faulty("SomethingNewException", "the reason is not here"),
}


def _credentials(bench: EmulatorBench, pool: str) -> object:
    client = bench.client(pool)
    return client.get_credentials_for_identity(client.get_id({}), {})


@pytest.mark.thorough
@pytest.mark.parametrize("row", [*TABLE, UNKNOWN], ids=lambda row: row.name)
def test_row(row: Row, bench: EmulatorBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is reached by a real request, and gives its action, its error and its words."""
    monkeypatch.setattr(bench.clock, "sleep", lambda _: None)

    with pytest.raises(Failure) as caught:
        SCENARIOS[row.name](bench)

    failure = caught.value
    assert failure.error.message.startswith(_constant(row.says)), failure.error.message
    assert failure.error.hint.startswith(_constant(row.hint)), failure.error.hint
    assert failure.action is row.action
    assert type(failure.error) is row.error
    assert failure.error.code
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert "{" not in str(failure.error)


def test_no_row_is_untested() -> None:
    """Every row has a scenario, and every scenario a row."""
    assert {row.name for row in TABLE} | {UNKNOWN.name} == set(SCENARIOS)


@pytest.mark.parametrize("row", [*TABLE, UNKNOWN], ids=lambda row: row.name)
def test_row_is_consistent(row: Row) -> None:
    """Exactly the rows that wait are retryable; texts name known facts, and keep their length and style."""
    facts = {**FACTS, "operation": "GetCredentialsForIdentity", "pool": "us-gov-west-1:" + "0" * 36}

    said, hint = row.says.format_map(facts), row.hint.format_map(facts)

    assert issubclass(row.error, CognitoCredentialsError)
    assert (row.action is Action.WAIT) == issubclass(row.error, ServiceError)
    assert len(said) < 200
    assert len(hint) <= MESSAGE_LIMIT
    assert not said.endswith(".")
    assert not hint.endswith(".")
    assert "http" not in hint.replace("https://,", "").replace("https://;", "")
    re.compile(row.text)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 400),
        ("LimitExceededException", 400),
        ("Throttling", 400),
        ("ThrottlingException", 400),
        ("RequestLimitExceeded", 503),
        ("SlowDown", 503),
        ("429", 429),
    ],
)
def test_every_code_for_too_many_requests_is_throttling(code: str, status: int) -> None:
    """Each code that means too many requests makes an error with `throttled`, by which back-off goes."""
    error = Exception()
    error.response = {  # type: ignore[attr-defined]
        "Error": {"Code": code, "Message": "slower"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }

    assert classify("GetId", error, is_guest=True).error.throttled is True
    assert classify("GetId", ValueError(), is_guest=True).error.throttled is False


def test_every_command_that_a_text_names_exists() -> None:
    """Every command that a message names exists."""
    known = {command.name for command in COMMANDS}
    sources = Path(cognito_credentials.__file__).parent.rglob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in sources]
    named = {
        name
        for text in texts
        for name in re.findall(r"[`'](?:cognito-credentials|\{PROGRAM\}) ([a-z][a-z-]*)", text)
    }

    assert {"clear", "configure"} <= named
    assert named <= known


def test_the_texts_of_the_service_are_distinguished() -> None:
    """Messages that differ in one word find their own rows; an unknown one finds the last row of its code."""
    from cognito_credentials.exchange.failures import find

    def row(operation: str, code: str, text: str, *, is_guest: bool = False) -> str:
        return find(operation, [code], text, is_guest=is_guest).name

    missing = "ResourceNotFoundException"
    assert row("GetCredentialsForIdentity", missing, f"Identity '{NOBODY}' not found.") == "identity deleted"
    assert row("GetId", missing, f"IdentityPool '{NOBODY}' not found.") == "pool unknown"
    assert row(STS, "AccessDenied", "Not authorized") == "sts: trust policy"
    assert row("GetId", "AccessDenied", "Not authorized") == "denied by policy"
    assert row("GetId", "NotAuthorizedException", "Something new.") == "not authorized"
    assert row("GetId", "Nonsense", "") == "unknown code"


def test_expected_beside_given(bench: EmulatorBench) -> None:
    """A refused login is described by provider, issuer and audience, and never by its token."""
    tokens = bench.login("appleid.apple.com", audience="com.example.app")

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool()).get_id(tokens)

    told = str(caught.value.error)
    assert "appleid.apple.com with a token of iss https://appleid.apple.com, aud com.example.app" in told
    assert tokens["appleid.apple.com"].reveal() not in told


def test_a_pinned_identity_is_not_dropped(bench: EmulatorBench) -> None:
    """An identity from the settings is never dropped; the hint names the setting to correct."""
    client = bench.client(
        bench.pool(), identity_id=NOBODY, origins={"identity_id": "AWS_COGNITO_IDENTITY_ID"}
    )

    with pytest.raises(Failure) as caught:
        client.get_credentials_for_identity(NOBODY, {})

    assert caught.value.action is Action.STOP
    assert "AWS_COGNITO_IDENTITY_ID" in caught.value.error.hint


def test_the_identity_of_a_developer_login_is_not_dropped(bench: EmulatorBench) -> None:
    """The identity of a developer login stays: its back end is asked again, since GetId refuses its token."""
    client = bench.client(bench.pool())
    _, token = client.get_open_id_token(client.get_id({}), {})

    with pytest.raises(Failure) as caught:
        client.get_credentials_for_identity(NOBODY, {OWN: token})

    assert caught.value.action is Action.ASK_LOGIN_AGAIN


def test_a_token_that_the_service_repeats_is_hidden(bench: EmulatorBench) -> None:
    """A token that the service repeats is hidden in the message, even if it looks like an ordinary word."""
    bench.fault(code="InvalidParameterException", message="bad value CANARY;x y at logins")

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool()).get_id({GOOGLE: Secret("CANARY;x y")})

    assert "bad value <redacted> at logins" in caught.value.error.message


TOKEN = "rt.7f3c9a1e-42d0-4b7e-9c1a+b/c=d;CANARY"
"""A token that no pattern of tokens fits."""


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        (f"unknown {TOKEN[:9]} and {TOKEN[20:]}", "unknown <redacted> and <redacted>"),
        (f"unknown token={TOKEN[:14]}...", "unknown token=<redacted>..."),
        (f"unknown ({quote(TOKEN, safe='')})", "unknown (<redacted>)"),
        (f"unknown {TOKEN[:7]}", f"unknown {TOKEN[:7]}"),
    ],
)
def test_parts_of_a_token_that_the_service_repeats_are_hidden(
    bench: EmulatorBench, says: str, shown: str
) -> None:
    """Each part of 8 characters or more is removed from the service's words; the other words stay."""
    bench.fault(code="InvalidParameterException", message=says)

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool()).get_id({GOOGLE: Secret(TOKEN)})

    assert f"InvalidParameterException: {shown.rstrip('.')})" in caught.value.error.message


def test_a_code_that_repeats_a_token_is_hidden(bench: EmulatorBench) -> None:
    """An error code is the service's words, too."""
    bench.fault(code=f"No{TOKEN[:9]}Exception", message="no")

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool()).get_id({GOOGLE: Secret(TOKEN)})

    assert caught.value.error.code == "No<redacted>Exception"


def test_terminal_escapes_are_taken_out(bench: EmulatorBench) -> None:
    """A text from the service becomes one printable line."""
    bench.fault(code="NotAuthorizedException", message="a\x1b[31m b\r\nc\u202e d" + "e" * 1000)

    with pytest.raises(Failure) as caught:
        bench.client(bench.pool()).get_id({})

    told = str(caught.value.error)
    assert told.isprintable()
    assert len(told) <= 2 * MESSAGE_LIMIT + 2


@pytest.mark.parametrize("content", [None, 5, [], {"message": 5}])
def test_classify_survives_any_response(content: object) -> None:
    """An error whose parts have wrong types is classified without a crash."""
    error = Exception()
    error.response = {"Error": {"Code": content, "Message": content}, "ResponseMetadata": {}}  # type: ignore[attr-defined]

    failure = classify("GetId", error, is_guest=True)

    assert failure.action is Action.WAIT


def _constant(text: str) -> str:
    """The words of a text before the first fact in it."""
    return text.partition("{")[0]
