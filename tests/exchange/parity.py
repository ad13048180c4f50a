"""
The same calls, answers and faults through botocore's client and through ours, to a server that records them.

    python -m tests.exchange.parity [CALLS] [SEED]

Each call has a plan: what the server does with the first request, the second and the third. Both clients
meet the same plan. Compared are the requests (method, path, the headers that matter, body), the number of
tries, and the result: the answer's members, or the error's code, words, request id and status. It ends with
the first call that differs, or says how many were the same.

In two things ours is not as botocore, on purpose. Where its parser gives up on a refusal that is no XML, ours
goes by the status, and asks again where that says so. And an answer that ends before its length is asked
for again by us, and taken for whole by botocore: there is none in the plans.
"""

from __future__ import annotations

import json
import logging
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import botocore
import botocore.config
import botocore.exceptions
import botocore.session

from cognito_credentials.clock import Clock
from cognito_credentials.exchange import faults, transport
from cognito_credentials.exchange.endpoints import InvalidEndpointConfigurationError
from cognito_credentials.exchange.requests import STS, ParamValidationError, Refusal, service_of
from cognito_credentials.exchange.retries import Call
from cognito_credentials.exchange.service import Service
from cognito_credentials.exchange.transport import close_idle
from cognito_credentials.settings.settings import Settings

from .conftest import RawServer, request_of

POOL = "us-east-1:00000000-0000-4000-8000-00000000000a"
METHODS = {
    "GetId": "get_id",
    "GetCredentialsForIdentity": "get_credentials_for_identity",
    "GetOpenIdToken": "get_open_id_token",
    "UnlinkIdentity": "unlink_identity",
    STS: "assume_role_with_web_identity",
}
CODES = (
    *("NotAuthorizedException", "ResourceNotFoundException", "TooManyRequestsException"),
    *("LimitExceededException", "InternalErrorException", "ResourceConflictException", "SlowDown"),
    *("ExternalServiceException", "Throttling", "RequestTimeout", "IDPRejectedClaim"),
    *("ExpiredTokenException", "PriorRequestNotComplete", "SomethingNew"),
)


class Plan(NamedTuple):
    """One call, and what the server does with its requests."""

    operation: str
    parameters: dict[str, Any]
    answers: list[bytes]
    """Of each request, in order; an empty one drops the connection."""


class Outcome(NamedTuple):
    """What came of a call."""

    requests: list[tuple[object, ...]]
    result: object


class Recorder:
    """A server that answers by plan and records what it is asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self._server = RawServer(self._serve)
        self.url = self._server.url

    def close(self) -> None:
        self._server.close()

    def begin(self, answers: list[bytes]) -> None:
        """Forget what was recorded, and answer by another plan."""
        self.answers, self.requests = list(answers), []

    def _serve(self, connection: socket.socket, head: bytes) -> None:
        connection.settimeout(5)
        while head:
            self.requests.append(head)
            answer = self.answers.pop(0) if self.answers else b""
            if not answer:
                return
            connection.sendall(answer)
            if b"Connection: close" in answer or not _is_whole(answer):
                return
            head = request_of(connection)


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    claimed = re.search(rb"Content-Length: (\d+)", head)
    return claimed is not None and int(claimed[1]) == len(body)


def plan(rng: random.Random) -> Plan:
    """Make one call and its answers."""
    operation = rng.choice([*METHODS])
    answers = [_answer(rng, operation) for _ in range(3)]
    return Plan(operation, _parameters(rng, operation), answers)


def _parameters(rng: random.Random, operation: str) -> dict[str, Any]:
    token = "".join(rng.choices("abcXYZ019-_.é ß=&%+", k=rng.choice([0, 1, 3, 4, 30, 900])))
    logins = {f"p{index}.example": token or "x" for index in range(rng.randint(0, 2))}
    if rng.random() < 0.03:
        logins["p.example"] = ""  # refused before it is sent
    if operation == STS:
        return {
            "RoleArn": rng.choice(["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/é b"]),
            "RoleSessionName": rng.choice(["me", "a&b=c", "x"]),
            "WebIdentityToken": token or "none",
            **({"DurationSeconds": rng.choice([899, 900, 43_200])} if rng.random() < 0.3 else {}),
            **({"Policy": rng.choice(["", '{"Version": "2012-10-17"}'])} if rng.random() < 0.3 else {}),
        }
    given: dict[str, Any] = {
        "IdentityPoolId" if operation == "GetId" else "IdentityId": rng.choice([POOL, "x", ""])
    }
    if rng.random() < 0.9:
        given = dict.fromkeys(given, POOL)
    if logins or operation == "UnlinkIdentity":
        given["Logins"] = logins
    if operation == "UnlinkIdentity":
        given["LoginsToRemove"] = [*logins]
    if operation == "GetCredentialsForIdentity" and rng.random() < 0.3:
        given["CustomRoleArn"] = rng.choice(["short", "arn:aws:iam::123456789012:role/mine"])
    return given


def _answer(rng: random.Random, operation: str) -> bytes:
    kind = rng.choices(["good", "refused", "odd", "drop", "not http"], [5, 8, 3, 2, 1])[0]
    if kind == "drop":
        return b""
    if kind == "not http":
        return b"nonsense\r\n\r\n"
    if kind == "odd":
        return _odd(rng)
    return _good(rng, operation) if kind == "good" else _refused(rng, operation)


def _good(rng: random.Random, operation: str) -> bytes:
    if operation == STS:
        body = (
            f'<{STS}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{STS}Result>'
            f"<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>a/b&amp;c{rng.random()}"
            f"</SecretAccessKey><SessionToken>é</SessionToken><Expiration>2026-11-30T12:00:00Z</Expiration>"
            f"</Credentials><AssumedRoleUser><Arn>arn:x</Arn><AssumedRoleId>y</AssumedRoleId>"
            f"</AssumedRoleUser></{STS}Result><ResponseMetadata><RequestId>r</RequestId>"
            f"</ResponseMetadata></{STS}Response>"
        )
        return _http(200, body, "text/xml")
    members: dict[str, Any] = {"IdentityId": f"us-east-1:{rng.random()}", "Token": "t" * 9}
    if rng.random() < 0.8:
        members["Credentials"] = {
            "AccessKeyId": "ASIA",
            "SecretKey": "é" * rng.randint(1, 9),
            "SessionToken": "s",
            "Expiration": rng.choice([1_764_500_000, 1.7645e9, 1764500000.25]),
        }
    return _http(200, json.dumps(members, ensure_ascii=rng.random() < 0.5), "application/x-amz-json-1.1")


def _refused(rng: random.Random, operation: str) -> bytes:
    code, words = rng.choice(CODES), rng.choice(["", "No.", "Identitä 'x' not found. <&>"])
    status = rng.choice([400, 400, 400, 403, 404, 408, 429, 500, 502, 503, 504])
    more = rng.choice([[], [], ["x-amz-retry-after: 1"], ["x-amz-retry-after: soon"]])
    if operation == STS:
        escaped = words.replace("&", "&amp;").replace("<", "&lt;")
        body = f"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>{code}</Code>"
        body += f"<Message>{escaped}</Message></Error><RequestId>r-{status}</RequestId></ErrorResponse>"
        return _http(status, body, "text/xml", *more)
    spelled = rng.choice([code, f"com.amazonaws.cognito#{code}", f"{code}:http://internal/x"])
    body = json.dumps({"__type": spelled, rng.choice(["message", "Message"]): words})
    return _http(status, body, "application/x-amz-json-1.1", f"x-amzn-RequestId: r-{status}", *more)


def _odd(rng: random.Random) -> bytes:
    status = rng.choice([200, 400, 403, 429, 500, 502, 503])
    body = rng.choice(["", "{}", "<html><body>Sign in</body></html>", "Service Unavailable", "{", "<a/>"])
    return _http(status, body, "text/html", *rng.choice([[], ["Connection: close"]]))


def _http(status: int, body: str, kind: str, *more: str) -> bytes:
    sent = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(sent)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + sent


def botocores(recorder: Recorder, call: Plan, session: botocore.session.Session) -> Outcome:
    """Make *call* with botocore's client."""
    recorder.begin(call.answers)
    client = session.create_client(
        service_of(call.operation),
        region_name="us-east-1",
        endpoint_url=recorder.url,
        config=botocore.config.Config(
            signature_version=botocore.UNSIGNED, retries={"mode": "standard", "total_max_attempts": 3}
        ),
    )
    result: object
    try:
        result = getattr(client, METHODS[call.operation])(**call.parameters)
        result.pop("ResponseMetadata", None)  # type: ignore[attr-defined]
    except botocore.exceptions.ClientError as error:
        result = _refusal(error.response)
    except Exception as error:  # noqa: BLE001  (whatever its parser does with an answer that is none)
        result = type(error).__name__
    client.close()
    return Outcome([_seen(request) for request in recorder.requests], result)


def ours(recorder: Recorder, call: Plan) -> Outcome:
    """Make *call* with our service."""
    recorder.begin(call.answers)
    settings = Settings(
        identity_pool_id=POOL, region="us-east-1", endpoint_url=recorder.url, sts_endpoint_url=recorder.url
    )
    transport._shared._quotas.clear()  # botocore's client of each call begins with a full one
    service = Service(settings, Clock(), {}, random.Random())
    result: object
    try:
        result = service.call(call.operation, call.parameters, Call(is_single=False))
    except Refusal as error:
        result = _refusal(error.response)
    except (faults.HTTPClientError, ParamValidationError, InvalidEndpointConfigurationError) as error:
        result = type(error).__name__
    except Exception as error:  # noqa: BLE001  (an answer that is none)
        result = type(error).__name__
    return Outcome([_seen(request) for request in recorder.requests], result)


def _refusal(response: Any) -> tuple[object, ...]:
    error, metadata = response.get("Error", {}), response["ResponseMetadata"]
    status = metadata["HTTPStatusCode"]
    code = error.get("Code") or str(status)
    if code == str(status):
        return "refused", code, status  # what a page of a proxy says is not shown to anybody
    return "refused", code, error.get("Message") or "", metadata.get("RequestId"), status


def _seen(request: bytes) -> tuple[object, ...]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    names = ("host", "content-type", "x-amz-target", "content-length", "accept-encoding")
    told = headers.get("amz-sdk-request", "")
    tries = tuple(part for part in told.split("; ") if not part.startswith("ttl="))
    is_id = re.fullmatch(
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("amz-sdk-invocation-id", "")
    )
    is_signed = "authorization" in headers
    return (first, *(headers.get(name) for name in names), tries, bool(is_id), is_signed, body)


def differ(theirs: Outcome, mine: Outcome) -> str:
    """Say in what two outcomes differ; empty where they do not."""
    is_lost = isinstance(theirs.result, str) and not hasattr(botocore.exceptions, theirs.result)
    if is_lost and theirs.requests == mine.requests[: len(theirs.requests)]:
        # Its parser gave up: on a page of a proxy, which counts for us by its status, or on no answer.
        is_same = len(theirs.requests) == len(mine.requests)
        return "accepted" if is_same and isinstance(mine.result, dict) else ""
    if theirs.requests != mine.requests:
        return f"requests: {theirs.requests} and {mine.requests}"
    if isinstance(theirs.result, dict) and isinstance(mine.result, dict):
        missing = {name for name, value in theirs.result.items() if mine.result.get(name) != value}
        return f"members: {missing} of {theirs.result} and {mine.result}" if missing else ""
    if theirs.result == {} and mine.result == "InvalidAnswerError":
        return ""  # a page where an answer should be: botocore says it has no members
    return "" if theirs.result == mine.result else f"results: {theirs.result} and {mine.result}"


def compare(calls: int, seed: int, report: Callable[[str], None] = lambda _: None) -> int:
    """
    Make *calls* calls both ways.

    Returns:
        How many requests the server got from each.

    Raises:
        AssertionError: One of them differs.
    """
    rng, recorder, requests = random.Random(seed), Recorder(), 0
    session = botocore.session.Session()
    sleep, levels = time.sleep, {name: logging.getLogger(name).level for name in ("botocore", "urllib3")}
    time.sleep = lambda _: None  # the waits are compared elsewhere
    for name in levels:
        # What is logged keeps the frames of what was raised, and with them open connections.
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        for number in range(calls):
            call = plan(rng)
            theirs, mine = botocores(recorder, call, session), ours(recorder, call)
            problem = differ(theirs, mine)
            assert not problem, f"call {number} of seed {seed}: {call}\n{problem}"
            requests += len(mine.requests)
            if number % 500 == 499:
                report(f"{number + 1} calls, {requests} requests: the same")
    finally:
        time.sleep = sleep
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        close_idle()
        recorder.close()
    return requests


if __name__ == "__main__":
    COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {SEED}", flush=True)
    compare(COUNT, SEED, lambda text: print(text, flush=True))
    print(f"{threading.active_count()} threads at the end")
