"""Our calls leave no secret in logs, messages or tracebacks; the user's own calls are logged as before."""

from __future__ import annotations

import traceback

import pytest

from cognito_credentials.exchange.actions import Failure
from cognito_credentials.exchange.deadline import with_deadline
from cognito_credentials.exchange.flows import Flows
from cognito_credentials.secret import Secret
from tests.wide_log import Log, log

__all__ = ["log"]  # a fixture

from .conftest import GOOGLE, EmulatorBench

ROLE = "arn:aws:iam::123456789012:role/authenticated"


@pytest.mark.parametrize("flow", ["enhanced", "basic"])
def test_nothing_of_ours_is_logged(bench: EmulatorBench, log: Log, flow: str) -> None:
    """At the lowest log level, nothing that our calls send or receive is logged."""
    role = {"role_arn": ROLE} if flow == "basic" else {}
    settings = bench.settings(bench.pool(), flow=flow, **role)
    tokens = bench.login()
    client = bench.client(settings.identity_pool_id, flow=flow, attempts=3, **role)
    bench.fault(operation="GetId", status=503)

    exchanged = Flows(client, settings).credentials(None, tokens, lambda _: None)

    secrets = [
        tokens[GOOGLE].reveal(),
        exchanged.credentials.secret_access_key.reveal(),
        exchanged.credentials.session_token.reveal(),
        exchanged.credentials.access_key_id,
    ]
    assert [secret for secret in secrets if secret in log.text] == []
    assert "Making request" not in log.text
    assert "Response body" not in log.text


def test_nothing_of_a_failure_is_logged_or_raised(bench: EmulatorBench, log: Log) -> None:
    """Refusals, lost connections and broken answers leave no token in logs, exception chains or frames."""
    token = Secret(bench.emulator.login_token(GOOGLE, audience="another"))
    settings = bench.settings(bench.pool())
    client = bench.client(settings.identity_pool_id)

    for fault in ({}, {"drop": True}, {"status": 200, "body": "\ud83d<CANARY>"}, {"status": 302, "body": ""}):
        bench.emulator.plan_faults(*([{"operation": "*", **fault}] if fault else []))
        with pytest.raises(Failure) as caught:
            with_deadline(
                lambda: Flows(client, settings).credentials(None, {GOOGLE: token}, lambda _: None), 5
            )
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert token.reveal() not in "".join(shown.format())
        assert caught.value.error.__context__ is None
        assert caught.value.error.__cause__ is None
        assert caught.value.__context__ is None

    assert token.reveal() not in log.text
    assert "CANARY" not in log.text


def test_credentials_refused_do_not_stay_in_the_traceback(bench: EmulatorBench) -> None:
    """An answer that is refused while it is read is in no frame of the error."""
    body = '{"IdentityId": "us-east-1:00", "Credentials": {"AccessKeyId": "ASIA", "SecretKey": "CANARY"}}'
    bench.fault(status=200, body=body)
    client = bench.client(bench.pool())

    with pytest.raises(Failure) as caught:
        client.get_credentials_for_identity("us-east-1:00", {})

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [line for line in shown.format() if "test_silence.py" not in line]
    assert not [line for line in frames if '"SecretKey": "CANARY"' in line or "'SecretKey': 'CANARY'" in line]
    assert caught.value.error.__traceback__ is None
