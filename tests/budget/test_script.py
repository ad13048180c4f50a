"""The bucket in Lua, in a real redis-server: it agrees with the one in Python, and counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_credentials.budget import script
from cognito_credentials.budget.bucket import PLACE_KEPT, SECOND, SHARE_KEPT, Bucket, Turn
from tests.redis_server import running

NONE = ["0"] * len(script.OF_PROCESSES)
BY_A_GIVEN_CLOCK = script.ASK.replace("redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}")
"""The script, but for the time, which comes as two more arguments."""
JUMPS = (0, 1, 7, SECOND // 25, SECOND, 30 * SECOND, PLACE_KEPT, SHARE_KEPT, 4000 * SECOND)

steps = st.lists(
    st.tuples(
        st.sampled_from((script.FIRST, script.FIRST, script.FIRST, script.RENEWAL, script.PAUSE)),
        st.sampled_from((0, 0, 0, *JUMPS, -SECOND, -8000 * SECOND)),
        st.integers(1, 5),
        st.sampled_from((0, SECOND // 10, SECOND, 2 * SECOND)),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def client() -> Iterator[redis.Redis]:
    with running() as server:
        yield server.client()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, interval=st.sampled_from((SECOND // 200, SECOND // 25, SECOND // 3, 2 * SECOND)))
def test_lua_and_python_agree(
    client: redis.Redis, steps: list[tuple[str, int, int, int]], interval: int
) -> None:
    """In any history of users, renewals, pauses and jumps of the clock, both answer alike, with one state."""
    client.flushall()
    bucket, clock = Bucket(), 1_790_000_000 * SECOND
    ask = client.register_script(BY_A_GIVEN_CLOCK)
    for kind, jump, user, patience in steps:
        clock += jump
        who, time = f"u{user}", divmod(clock, SECOND)
        answer = ask(script.keys("x"), [kind, interval, patience, who, *NONE, *time])
        if kind == script.FIRST:
            expected = bucket.ask(clock, interval, who, patience)
        elif kind == script.RENEWAL:
            expected = bucket.ask_to_renew(clock, interval)
        else:
            bucket.pause(clock)
            continue
        assert Turn(bool(answer[0]), int(answer[1]), bool(answer[2])) == expected

    state, line, *_ = script.keys("x")
    kept = {name.decode(): int(value) for name, value in client.hgetall(state).items() if name != b"hour"}
    written = {name: getattr(bucket, name) for name in script.STATE if name != "hour"}
    assert kept == {name: value for name, value in written.items() if value or name in kept}
    if steps and steps[-1][0] == script.FIRST:
        assert {
            who.decode(): int(place) for who, place in client.zrange(line, 0, -1, withscores=True)
        } == bucket.line
