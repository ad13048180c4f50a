"""Many processes at once: cold, at the refresh moment, and in an outage."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence

from tests.processes.aging import age, leave
from tests.processes.conftest import Machine
from tests.processes.crowd import Answer, Crowd, commands, crowd
from tests.redis_server import running

from .figures import Figure, Scale, at_most, counted, percentile
from .machine import new_machine

SERVICE_TAKES = 2.0
LONGEST_READ_MS = 150
ONCE = {"GetId": 1, "GetCredentialsForIdentity": 1}
ROLE = "arn:aws:iam::123456789012:role/unauthenticated"


def crowds(scale: Scale) -> Iterator[Figure]:
    """Count the requests for a machine's first credentials, when many processes want them at once."""
    count = scale.processes
    with new_machine() as machine:
        yield from _cold(f"{count} processes, cold", machine, crowd(machine.environ(), count), ONCE, 1)
    with new_machine() as machine:
        environ = machine.environ(AWS_COGNITO_FLOW="basic", AWS_COGNITO_ROLE_ARN=ROLE)
        expected = {"GetId": 1, "GetOpenIdToken": 1, "AssumeRoleWithWebIdentity": 1}
        many = crowd(environ, count // 2)
        yield from _cold(f"{count // 2} processes, cold, basic flow", machine, many, expected, 1)
    with new_machine() as machine:
        expected = {"GetId": 4, "GetCredentialsForIdentity": 4}
        many = Crowd(_four_profiles(machine, count // 2))
        yield from _cold(f"{count // 2} processes, cold, 4 profiles", machine, many, expected, 4)


def two_hosts(scale: Scale) -> Iterator[Figure]:
    """Count the same for processes of two hosts, which share a Redis and nothing else."""
    count = scale.processes
    key = base64.b64encode(os.urandom(32)).decode()
    with new_machine() as machine, running() as redis, tempfile.TemporaryDirectory() as other:
        environs = [
            machine.environ(HOME=home, AWS_COGNITO_CACHE=redis.url, AWS_COGNITO_CACHE_KEY=key)
            for home in (machine.home, other)
        ]
        many = Crowd([environs[number % 2] for number in range(count)])
        yield from _cold(f"{count} processes on 2 hosts and a Redis, cold", machine, many, ONCE, 1)


def cold_commands(scale: Scale) -> Iterator[Figure]:
    """Count the same for whole ``credential-process`` commands."""
    count = scale.processes
    with new_machine() as machine:
        began = time.perf_counter()
        answers = commands(machine.environ(), count)
        seconds = time.perf_counter() - began
        title = f"{count} commands (credential-process), cold"
        yield _asked(title, machine.requests(), ONCE)
        errors = sum(bool(answer.returncode or answer.stderr) for answer in answers)
        yield counted(
            f"{title}: different answers, errors", (len({a.stdout for a in answers}), errors), (1, 0)
        )
        yield Figure(f"  {title}: all of them", f"{seconds:.1f} s, of 20 s until waiters go on")


def refresh_moment(scale: Scale) -> Iterator[Figure]:
    """
    Count refreshes and waits when running processes pass the refresh moment of a slow service.

    While the credentials are valid, all but one go on with them. Once they have expired, all wait for one.
    """
    count = scale.processes // 2
    title = f"{count} processes at the refresh moment"
    refreshes, answers = _past(count, 46 * 60)
    yield counted(f"{title}: refreshes", refreshes, 1)
    others = [answer for answer in answers if len(answer.generations) == 1]
    yield counted(f"{title}: processes that ask, errors", (count - len(others), _errors(answers)), (1, 0))
    reads = [answer.slowest * 1000 for answer in others]
    # On a machine with other work a read is long because the process does not run.
    detail = f"(p50 {percentile(reads, 0.5):.1f} ms; CPU {max(a.busiest for a in others) * 1000:.1f} ms)"
    yield at_most(f"{title}: longest other read", max(reads), LONGEST_READ_MS, " ms", detail)
    title = f"{count} processes when the credentials have expired"
    refreshes, answers = _past(count, 3601)
    yield counted(f"{title}: refreshes", refreshes, 1)
    got = {key for answer in answers for key in answer.access_key_ids[1:]}
    yield counted(f"{title}: new keys, errors", (len(got), _errors(answers)), (1, 0))
    after = sorted((answer.slowest - SERVICE_TAKES) * 1000 for answer in answers)
    shown = f"{percentile(after, 0.5):.0f} ms, {after[-1]:.0f} ms"
    yield Figure(f"  {title}: longer than the service takes, p50, max", shown)


def outage_of_commands(scale: Scale) -> Iterator[Figure]:
    """Count requests and failures in an outage that begins 14 minutes before the credentials expire."""
    batches, count = 8, max(1, scale.processes // 8)
    title = f"outage at 14 min left, {batches * count} commands in 14 min"
    with new_machine() as machine:
        commands(machine.environ(), 1)
        leave(machine.cache, 14 * 60)
        before = sum(machine.requests().values())
        machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
        answers = []
        for batch in range(batches):
            if batch:
                age(machine.cache, 14 * 60 // batches)
            answers += commands(machine.environ(), count)
        asked = sum(machine.requests().values()) - before
    failed = [answer for answer in answers if answer.returncode or not json.loads(answer.stdout)]
    yield counted(f"{title}: failures", len(failed), 0)
    yield at_most(f"{title}: HTTP requests", asked, 3, "")
    with new_machine() as machine:
        machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
        with crowd(machine.environ(), scale.processes) as many:
            many.go()
            cold = many.answers()
        asked = sum(machine.requests().values())
    title = f"{scale.processes} processes, cold, outage"
    kinds = {error.partition(":")[0] for answer in cold for error in answer.errors}
    yield counted(f"{title}: errors", (*kinds, sum(len(a.errors) for a in cold)), ("ServiceError", len(cold)))
    yield at_most(f"{title}: HTTP requests", asked, 12, "")
    yield at_most(f"{title}: longest wait", max(answer.seconds for answer in cold), 16, " s")


def _cold(
    title: str, machine: Machine, many: Crowd, expected: dict[str, int], generations: int
) -> Iterator[Figure]:
    with many:
        many.go()
        answers = many.answers()
    seen = {generation for answer in answers for generation in answer.generations}
    yield _asked(title, machine.requests(), expected)
    errors = sum(bool(answer.errors or answer.status or answer.stderr) for answer in answers)
    yield counted(f"{title}: different keys, errors", (len(seen), errors), (generations, 0))
    yield _times(f"  {title}: p50, p99", answers)


def _past(count: int, seconds: int) -> tuple[int, list[Answer]]:
    """Let *count* running processes read when *seconds* have passed; return the refreshes, and the reads."""
    with new_machine() as machine, crowd(machine.environ(), 1) as first:
        first.go()
        first.answers()
        # They stay: the end of a process takes twenty times as much of a processor as its longest read.
        arguments = ("--reads", "100", "--jump", str(seconds), "--linger", str(SERVICE_TAKES))
        with crowd(machine.environ(), count, *arguments) as many:
            machine.emulator.plan_faults({"operation": "*", "times": -1, "delay": SERVICE_TAKES})
            machine.emulator.move_clock(seconds)
            many.go()
            answers = many.answers()
        return machine.requests()["GetCredentialsForIdentity"] - 1, answers


def _errors(answers: Sequence[Answer]) -> int:
    return sum(bool(answer.errors or answer.status) for answer in answers)


def _four_profiles(machine: Machine, count: int) -> list[dict[str, str]]:
    path = os.path.join(machine.home, "config")
    with open(path, "w", encoding="utf-8") as file:
        for number in range(4):
            file.write(f"[profile p{number}]\ncognito_identity_pool_id = {machine.pool_id}\n")
            file.write(f"cognito_user = user-{number}\n")
    environ = machine.environ(AWS_CONFIG_FILE=path)
    del environ["AWS_COGNITO_IDENTITY_POOL_ID"]
    return [{**environ, "AWS_PROFILE": f"p{number % 4}"} for number in range(count)]


def _times(title: str, answers: Sequence[Answer]) -> Figure:
    seconds = [answer.seconds for answer in answers]
    return Figure(title, f"{percentile(seconds, 0.5):.2f} s, {percentile(seconds, 0.99):.2f} s")


def _asked(title: str, requests: dict[str, int], expected: dict[str, int]) -> Figure:
    shown = " + ".join(f"{count} {name}" for name, count in requests.items())
    bar = " + ".join(str(count) for count in expected.values())
    return Figure(f"{title}: requests", shown, f"= {bar}", requests == expected)
