"""Retries beside botocore's standard mode: which, how often, after how long, and until which quota."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.retries import quota as botocore_quota
from botocore.retries import standard
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.exchange import faults, retries
from cognito_credentials.exchange.deadline import with_deadline
from cognito_credentials.exchange.requests import STS, Refusal, service_of
from cognito_credentials.exchange.retries import Call

pytest.importorskip("botocore", minversion="1.44", reason="an older one resolves and retries in other ways")

LOADER = botocore.session.Session().get_component("data_loader")
MODELS = {
    name: ServiceModel(LOADER.load_service_model(name, "service-2")) for name in ("cognito-identity", "sts")
}
OPERATIONS = ("GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity", STS)
URL = "https://a.example/"


def context(operation: str, refusal: Refusal, number: int) -> standard.RetryContext:
    """The same refusal as botocore's retry mode sees it."""
    headers = {}
    if refusal.retry_after is not None:
        headers["x-amz-retry-after"] = str(round(refusal.retry_after * 1000))
    return standard.RetryContext(
        attempt_number=number,
        operation_model=MODELS[service_of(operation)].operation_model(operation),
        parsed_response=refusal.response,
        http_response=SimpleNamespace(status_code=refusal.status, headers=headers),
    )


@st.composite
def refusals(draw: st.DrawFn) -> tuple[str, Refusal]:
    """An operation and a code of its own, of another service's, or none."""
    operation = draw(st.sampled_from(OPERATIONS))
    model = MODELS[service_of(operation)].operation_model(operation)
    own = [shape.metadata.get("error", {}).get("code") or shape.name for shape in model.error_shapes]
    status = draw(st.sampled_from([400, 401, 403, 404, 408, 413, 429, 500, 501, 502, 503, 504]))
    known = [*retries.TRANSIENT, *retries.THROTTLED, "IDPCommunicationError", "SomethingNew", str(status)]
    code = draw(st.sampled_from([*own, *known]))
    retry_after = draw(st.none() | st.integers(0, 30_000).map(lambda ms: ms / 1000))
    service = service_of(operation)
    return operation, Refusal(code, "", None, status, service=service, retry_after=retry_after)


@given(refusals(), st.integers(1, 2), st.integers())
def test_what_is_sent_again_is_botocores_choice(case: tuple[str, Refusal], number: int, seed: int) -> None:
    """The same refusals, after the same time, given the same random numbers."""
    operation, refusal = case
    seen = context(operation, refusal, number)
    assert retries.is_retryable(refusal) == bool(standard.StandardRetryConditions().is_retryable(seen))
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    theirs = standard.ExponentialBackoff(
        random=random.Random(seed).random, service_name="x", throttling_detector=detector
    )
    assert retries.backoff(refusal, number, random.Random(seed)) == pytest.approx(theirs.delay_amount(seen))


def test_the_lists_of_codes_are_botocores() -> None:
    """Exactly those that it has."""
    assert set(retries.THROTTLED) == set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    assert set(retries.TRANSIENT) == set(standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES)
    assert set(retries.TRANSIENT_STATUS) == set(standard.TransientRetryableChecker._TRANSIENT_STATUS_CODES)


def test_the_quota_is_botocores() -> None:
    """As much of it, and retries cost as much."""
    assert retries.Quota().left == botocore_quota.RetryQuota.INITIAL_CAPACITY
    assert standard.RetryQuotaChecker._RETRY_COST == retries._COST
    assert standard.RetryQuotaChecker._THROTTLING_RETRY_COST == retries._COST_THROTTLED


class Sender:
    """Fails as it is told, then answers."""

    def __init__(self, *problems: Exception) -> None:
        self.problems = list(problems)
        self.numbers: list[int] = []

    def __call__(self, number: int) -> str:
        self.numbers.append(number)
        if self.problems:
            raise self.problems.pop(0)
        return "answer"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, which do not take place."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


CLOSED = faults.ConnectionClosedError(URL)
BUSY = Refusal("TooManyRequestsException", "", None, 400, service="cognito-identity")
NO = Refusal("NotAuthorizedException", "", None, 400, service="cognito-identity")


def attempt(sender: Sender, quota: retries.Quota | None = None, call: Call | None = None) -> str:
    return retries.attempt(sender, call or Call(), quota or retries.Quota(), random.Random(1))


def test_user_pools_name_their_errors_by_one_rule() -> None:
    """A 429 with a name of theirs is that error; without one it means too often."""
    for code, is_again in (("NotAuthorizedException", False), ("429", True), ("SomethingNew", True)):
        assert retries.is_retryable(Refusal(code, "", None, 429, service="cognito-idp")) is is_again


def test_three_attempts(waits: list[float]) -> None:
    """Two failures are survived, three are not, and each wait is within its bound."""
    assert attempt(Sender(CLOSED, BUSY)) == "answer"
    assert 0 <= waits[0] <= 0.05
    assert 0 <= waits[1] <= 2.0
    sender = Sender(CLOSED, BUSY, CLOSED)
    with pytest.raises(faults.ConnectionClosedError):
        attempt(sender)
    assert sender.numbers == [1, 2, 3]


@pytest.mark.parametrize(
    ("problem", "rules"),
    [(NO, {}), (CLOSED, {"is_single": True}), (BUSY, {"is_single": True}), (TypeError(), {})],
)
def test_what_is_sent_once(problem: Exception, rules: dict[str, bool]) -> None:
    """A refusal, a call that is sent once whatever happens, and a mistake of ours."""
    sender = Sender(problem)
    with pytest.raises(type(problem)):
        attempt(sender, call=Call(**rules))
    assert sender.numbers == [1]


def test_what_may_be_taken_once_is_sent_again_only_where_it_cannot_have_arrived() -> None:
    """A refresh token that is rotated: no connection is harmless, no answer is not."""
    assert attempt(Sender(faults.ConnectTimeoutError(URL)), call=Call(is_taken_once=True)) == "answer"
    call = Call(is_taken_once=True)
    call.unanswered = 1
    with pytest.raises(faults.ConnectionClosedError):
        retries.attempt(Sender(CLOSED), call, retries.Quota(), random.Random(1))


def test_an_outage_is_not_answered_by_three_times_the_requests() -> None:
    """The quota ends the retries; a success gives back what it took, and others one each."""
    quota = retries.Quota()
    sender = Sender(*[CLOSED] * 200)
    while sender.problems:
        with pytest.raises(faults.ConnectionClosedError):
            attempt(sender, quota)
    assert sum(number > 1 for number in sender.numbers) == 500 // 14
    assert quota.left < 14
    for _ in range(14):
        attempt(Sender(), quota)
    left = quota.left
    assert attempt(Sender(CLOSED), quota) == "answer"
    assert quota.left == left
    for _ in range(600):
        attempt(Sender(), quota)
    assert quota.left == 500


def test_a_wait_beyond_the_deadline_is_not_begun(waits: list[float]) -> None:
    """The service's own refusal is told at once, in place of a deadline that passes."""
    refusal = Refusal("SlowDown", "", None, 503, service="sts", retry_after=5.0)
    with pytest.raises(Refusal):
        with_deadline(lambda: attempt(Sender(refusal)), 0.5)
    assert waits == []
