"""The stream of requests: readers of every kind, and pages that must not read it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from cognito_credentials.emulator.trail import Trail
from cognito_credentials.emulator.wire import events

from ..conftest import Api


class Reader:
    """A reader of the stream, over a socket of its own."""

    def __init__(self, api: Api, **headers: str) -> None:
        parts = urlsplit(api.emulator.url)
        self.socket = socket.socket()
        self.socket.settimeout(10)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # it is full soon
        self.socket.connect((parts.hostname, parts.port))
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(f"GET /_emulator/events HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = dict(line.rstrip().lower().split(b": ") for line in iter(self.file.readline, b"\r\n"))

    def events(self) -> Iterator[tuple[str, str, object]]:
        """Kind, id and data of each event."""
        found: dict[str, str] = {}
        while line := self.file.readline():
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name:
                found[name] = value
            elif found.get("event"):
                yield found["event"], found.get("id", ""), json.loads(found["data"])
                found = {}

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def read(api):
    """A function that opens the stream."""
    with ExitStack() as stack:
        yield lambda **headers: stack.enter_context(closing(Reader(api, **headers)))


def names(found, count):
    """The names of the next *count* requests of a stream."""
    records = (data["name"] for kind, _, data in found if kind == "request")
    return [next(records) for _ in range(count)]


def test_requests_as_they_come(api, read):
    """A reader gets what was before it, then each request at once."""
    api.post("GetId", {})
    reader = read()
    found = reader.events()

    assert reader.headers[b"content-type"] == b"text/event-stream"
    assert next(found)[0] == "reset"
    assert names(found, 1) == ["GetId"]
    for name in ("ListIdentityPools", "GetOpenIdToken"):
        api.post(name, {})
        assert names(found, 1) == [name]


def test_going_on_after_a_break(api, read):
    """A browser that connects again names the last event that it has, and gets those after it."""
    for name in ("GetId", "GetOpenIdToken", "DescribeIdentity"):
        api.post(name, {})
    _, first, _ = next(event for event in read().events() if event[0] == "request")

    assert names(read(Last_Event_ID=first).events(), 2) == ["GetOpenIdToken", "DescribeIdentity"]


@pytest.mark.parametrize("position", ["", "x", "-", "0-1", "e-\u00b2", "00000000-5", "-5"])
def test_an_unknown_position(api, read, position):
    """A position of another emulator, or of before a reset, is followed by a reset and all that there is."""
    api.post("GetId", {})

    found = read(Last_Event_ID=position.encode().decode("latin-1")).events()

    assert next(found)[0] == "reset"
    assert names(found, 1) == ["GetId"]


def test_a_number_of_thousands_of_digits(api, read):
    """A position that no reader was given is none, however long it is."""
    api.post("GetId", {})
    epoch = api.emulator._started.application.events.history.epoch

    found = read(Last_Event_ID=f"{epoch}-{'9' * 5000}").events()

    assert next(found)[0] == "reset"


def test_a_reset_reaches_readers(api, read):
    """A reset by a test, in its own thread, reaches a reader that waits."""
    found = read().events()
    assert next(found)[0] == "reset"

    api.emulator.reset()

    assert next(found)[0] == "reset"


def test_a_reader_that_falls_behind(api, read):
    """Records that come faster than they are sent are left out, and the reader hears how many."""
    history = api.emulator._started.application.events.history
    for _ in range(1000):
        history.add(0.0, "Many", None, 0.0, Trail())

    found = read().events()

    assert [next(found)[0] for _ in range(3)] == ["reset", "missed", "request"]


def test_readers_that_never_read(api, read, monkeypatch):
    """Attack: readers that take nothing are disconnected; requests go on, and their memory is freed."""
    monkeypatch.setattr(events, "_SLOW_SECONDS", 0.2)
    monkeypatch.setattr(events, "_PAUSE_SECONDS", 0.0)
    stream = api.emulator._started.application.events
    reader = read()
    assert reader.status == 200
    trail = Trail(facts=[("holds", "x" * 400)] * 60)

    end = time.monotonic() + 30
    while stream.readers and time.monotonic() < end:
        for _ in range(50):
            stream.history.add(0.0, "Long", None, 0.0, trail)
        api.post("GetId", {})

    assert not stream.readers
    assert api.control("GET", "requests").status == 200


def test_too_many_readers(api, read):
    """With too many readers the oldest is disconnected, and the newest is served."""
    readers = [read() for _ in range(events.MOST_READERS + 1)]
    stream = api.emulator._started.application.events

    list(readers[0].events())  # ends

    api.post("GetId", {})
    assert names(readers[-1].events(), 1) == ["GetId"]
    assert len(stream.readers) == events.MOST_READERS


def test_a_reader_that_is_gone(api, read):
    """A reader that disconnects is forgotten at once, without a request in between."""
    stream = api.emulator._started.application.events
    reader = read()
    next(reader.events())

    reader.close()
    end = time.monotonic() + 10
    while stream.readers and time.monotonic() < end:
        api.control("GET", "requests")

    assert not stream.readers


def test_the_emulator_ends_beside_readers(emulator_keys, boto_session):
    """The end of the emulator does not wait for readers."""
    from cognito_credentials.emulator import Emulator

    with Emulator(keys=emulator_keys) as emulator:
        reader = Reader(Api(emulator, None, None, boto_session))
        next(reader.events())
        started = time.monotonic()
    assert time.monotonic() - started < 2
    reader.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Host": "evil.test"},
    ],
)
def test_other_pages_cannot_read(api, headers):
    """Attack: a page of another origin, or by another name, does not get the stream."""
    answer = api.raw("GET", "/_emulator/events", headers=headers)

    assert answer.status == 403
    assert b"GetId" not in answer.body


def test_only_get(api):
    """The stream has one method."""
    answer = api.raw("POST", "/_emulator/events")

    assert (answer.status, answer.headers["allow"]) == (405, "GET")
