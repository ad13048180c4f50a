"""
Feed the record codec what a broken disk, an old version or a hostile neighbour could leave.

    python -m tests.campaigns.mutate [--count 100000] [--seed N]

Each case is a record of some kind with something wrong. Decoding must not raise, and must accept a record
only when every byte of it is as written. Some cases come with a checksum that fits (*sealed*), as from a
writer that is wrong itself: those may be accepted only in the one canonical form. Exits 1 if either fails.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cognito_credentials.cache.records import (
    RECORD_LIMIT,
    IdentityRecord,
    ShortcutRecord,
    StateRecord,
    decode_credentials,
    decode_identity,
    decode_shortcut,
    decode_state,
    encode,
)
from tests.campaigns.kill import KEY, record

Decode = Callable[[str, bytes], object]
Case = tuple[str, str, bytes]
"""Kind, key asked for, data."""

DECODERS: dict[str, Decode] = {
    "identity": decode_identity,
    "credentials": decode_credentials,
    "state": decode_state,
    "shortcut": decode_shortcut,
}
ORIGINALS: dict[str, bytes] = {
    "identity": encode(
        IdentityRecord(
            key=KEY,
            identity_id="us-east-1:00000000-0000-4000-8000-000000000000",
            identity_pool_id="us-east-1:11111111-1111-4111-8111-111111111111",
            principal="guest",
            obtained_at=1_800_000_000,
        )
    ),
    "credentials": record(1),
    "state": encode(
        StateRecord(
            key=KEY,
            retry_at=1_800_000_300,
            noted_at=1_800_000_000,
            failures=3,
            error="ServiceError",
            message='throttled: "slow down" \\ caf\u00e9',
            hint="wait",
            rejected_access_key_id="ASIA0000000000000001",
        )
    ),
    "shortcut": encode(
        ShortcutRecord(
            key=KEY,
            credentials_key="f" * 40,
            depends="file 00 /home/me/.aws/config\nenv 11 AWS_PROFILE",
            facts="profile app\nregion us-east-1",
        )
    ),
}

VALUES: tuple[bytes, ...] = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e3", b"1.0", b"true", b"false", b"null", b'"1"', b""),
    *(b"9" * 5_000, b"-" + b"9" * 5_000, b"0" * 5_000 + b"1", b"00", b"-0", b"+1", b"0x10", b"1_000", b" 1"),
    *(b"[" * 200_000, b"[" * 50_000, b'{"a":' * 10_000, b"[]", b"{}", b'"' * 1_000, b"\\" * 1_000),
    *(b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xed\xa0\x80"', b'"\\u12"', b'"\\x"', b'"\\uD83D"', b'"\\u00"'),
    *(
        b"%",
        b"%0",
        b"%zz",
        b"%67uest",
        b"%C3%BC",
        b"%ff",
        b"%ed%a0%80",
        b"%25%",
        b"a\nb",
        b"\n",
        b"\r",
        b"x ",
    ),
    *(
        b'"\x00"',
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        "\u0661".encode(),
        "\uff11".encode(),
        "\u00b2".encode(),
    ),
)
"""Put in the place of a value."""


@dataclass
class Outcome:
    """What decoding did, counted."""

    cases: int = 0
    crashes: list[str] = field(default_factory=list)
    altered_accepted: list[str] = field(default_factory=list)
    sealed_accepted_in_another_form: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken."""
        return not (self.crashes or self.altered_accepted or self.sealed_accepted_in_another_form)


def seal(data: bytes) -> bytes:
    """Give *data* the checksum that fits it."""
    body = data.rpartition(b"sha256 ")[0]
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def fields(data: bytes) -> Iterator[tuple[int, int]]:
    """Return where each value of a record begins and ends."""
    start = 0
    for number, line in enumerate(data.splitlines()):
        name, _, value = line.partition(b" ")
        # Of the first line each word is one.
        for word in line.split(b" ") if number == 0 else [value]:
            begin = start + (line.index(word) if number == 0 else len(name) + 1)
            yield begin, begin + len(word)
        start += len(line) + 1


def listed_cases() -> Iterator[Case]:
    """Return the cases that are always tried."""
    for kind, data in ORIGINALS.items():
        for place in range(len(data)):
            for bit in range(8):
                yield kind, KEY, data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            yield kind, KEY, data[:place]
        for start, end in fields(data):
            for value in VALUES:
                altered = data[:start] + value + data[end:]
                yield kind, KEY, altered
                yield kind, KEY, seal(altered)
        yield from _whole_record_cases(kind, data)


def _whole_record_cases(kind: str, data: bytes) -> Iterator[Case]:
    other = "f" * 40
    first, key_line, *rest = data.splitlines(keepends=True)
    version = data.replace(b"cognito-credentials 2 ", b"cognito-credentials 3 ")
    twice = b"".join((first, key_line, key_line, *rest))
    swapped = b"".join((first, key_line, *rest[1::-1], *rest[2:]))
    extra = b"".join((first, key_line, *rest[:-1], b"extra 1\n", rest[-1]))
    less = b"".join((first, key_line, *rest[1:]))
    for altered in (version, twice, swapped, extra, less, data[:-1], data + b"\n", b" " + data, data * 2):
        yield kind, KEY, altered
        yield kind, KEY, seal(altered)
    yield kind, other, data
    yield kind, KEY, seal(data.replace(KEY.encode(), other.encode()))
    yield kind, KEY, b"\xef\xbb\xbf" + data
    yield kind, KEY, data.decode().encode("utf-16")
    yield kind, KEY, data.replace(b" ", b"  ")
    yield kind, KEY, data.replace(b"\n", b"\r\n")
    yield kind, KEY, data.ljust(RECORD_LIMIT + 1)
    yield kind, KEY, b"[" * 200_000
    yield kind, KEY, b"\0" * len(data)
    yield kind, KEY, b""
    for other_data in ORIGINALS.values():
        if other_data != data:
            yield kind, KEY, other_data


def random_cases(chance: random.Random) -> Iterator[Case]:
    """Return splices without end: parts cut, doubled, moved, overwritten, taken from other records."""
    kinds = list(ORIGINALS)
    while True:
        kind = chance.choice(kinds)
        data = bytearray(ORIGINALS[kind])
        for _ in range(chance.randint(1, 4)):
            _splice(data, chance)
        altered = bytes(data)
        yield kind, KEY, seal(altered) if chance.random() < 0.3 else altered


def _splice(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 1, 1, 2, 8, 64)))
    donor = chance.choice(list(ORIGINALS.values()))
    begin = chance.randrange(len(donor))
    data[start:end] = chance.choice(
        (
            b"",
            bytes(data[start:end]) * 2,
            chance.randbytes(end - start),
            donor[begin : begin + end - start],
            chance.choice('0123456789",:{}\\-abcu% \n').encode(),
            chance.choice(VALUES)[:100],
        )
    )


def campaign(count: int, seed: int) -> Outcome:
    """Try the listed cases, or the first *count* of them shuffled, and random ones up to *count*."""
    chance = random.Random(seed)
    outcome = Outcome()
    listed = list(listed_cases())
    chance.shuffle(listed)
    more = random_cases(chance)
    for number in range(count):
        judge(listed[number] if number < len(listed) else next(more), outcome)
    return outcome


def judge(case: Case, outcome: Outcome) -> None:
    """Decode *case* and count what happens."""
    kind, key, data = case
    outcome.cases += 1
    try:
        found = DECODERS[kind](key, data)
    except Exception as error:  # noqa: BLE001  (any exception is what is looked for)
        outcome.crashes.append(f"{type(error).__name__}: {kind} {data[:200]!r}")
        return
    if found is None:
        return
    if key == KEY and data == ORIGINALS[kind]:
        return
    if seal(data) != data or key != KEY:
        outcome.altered_accepted.append(f"{kind} {data[:200]!r}")
    elif encode(found) != data:  # type: ignore[arg-type]  # a record
        outcome.sealed_accepted_in_another_form.append(f"{kind} {data[:200]!r}")


def main() -> int:
    """Run it and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.mutate", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    options = parser.parse_args()
    outcome = campaign(options.count, options.seed)
    print(f"{'seed':<32}  {options.seed}")
    print(f"{'cases':<32}  {outcome.cases}")
    for name in ("crashes", "altered_accepted", "sealed_accepted_in_another_form"):
        found = getattr(outcome, name)
        print(f"{name.replace('_', ' '):<32}  {len(found)}")
        print(*found[:3], sep="\n", end="\n" if found else "")
    print("good" if outcome.is_good else "BROKEN")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
