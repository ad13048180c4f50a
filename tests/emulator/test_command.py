"""The command ends on a signal at any moment, whether or not its output is read."""

from __future__ import annotations

import http.client
import io
import os
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from cognito_credentials.emulator.wire.log import LEFT_OUT, MOST_LINES, LineWriter

from .conftest import PROGRAM

SIGNALLED_WHILE_IT_BEGINS_TO_WAIT = """
import io, os, signal, sys, threading
from cognito_credentials.emulator import serve

left = int(sys.argv[1])

def trace(frame, event, argument):
    global left
    if event == "line" and "threading" in frame.f_code.co_filename:
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGTERM)
    return trace

def end_after_all():
    global left
    if left > 0:
        left = 0
        os.kill(os.getpid(), signal.SIGTERM)

class Out(io.StringIO):
    def write(self, text):
        if "listening" in text:
            # Should too little be traced from here on, the signal comes later.
            threading.Timer(0.5, end_after_all).start()
            sys.settrace(trace)

sys.exit(serve(out=Out(), err=sys.stderr))
"""


@pytest.mark.thorough
@pytest.mark.parametrize("line", [1, 3, 5, 7, 9])
def test_signal_at_any_moment(line):
    """
    A signal between the first line and the wait ends the command, even if it interrupts code with a lock.
    """
    program = [sys.executable, "-c", SIGNALLED_WHILE_IT_BEGINS_TO_WAIT, str(line)]

    done = subprocess.run(program, capture_output=True, text=True, timeout=20)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.thorough
@pytest.mark.parametrize("program", [("-c", PROGRAM), ("-m", "cognito_credentials", "emulator")])
def test_stderr_that_nobody_reads(program):
    """While nobody reads stderr, requests are answered and a signal ends the command."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=buffered
    ) as process:
        try:
            address = process.stdout.readline().split()[-1].removeprefix("http://")
            with closing(http.client.HTTPConnection(address, timeout=10)) as wire:
                for _ in range(MOST_LINES + 500):
                    wire.request("GET", "/_emulator/none")
                    answer = wire.getresponse()
                    answer.read()
                    assert answer.status == 404
            process.terminate()

            assert process.wait(10) == 0
            assert "GET /_emulator/none 404" in process.stderr.readline()
        finally:
            process.kill()


def test_lines_that_come_faster_than_they_are_read():
    """Lines over the limit are left out. A line in their place says so."""
    taken, read, caught_up = threading.Event(), threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text):
            taken.set()
            read.wait(10)
            super().write(text)
            if text == f"{MOST_LINES}\n":
                caught_up.set()

    stream = Slow()
    writer = LineWriter(stream)
    writer.write("0")
    assert taken.wait(10)
    for number in range(1, MOST_LINES + 10):
        writer.write(str(number))
    read.set()
    assert caught_up.wait(10)
    writer.write("last")
    writer.close()

    assert stream.getvalue().splitlines() == [*map(str, range(MOST_LINES + 1)), LEFT_OUT, "last"]


def test_reader_that_has_left():
    """An error of the stream ends neither the thread nor the command."""
    stream = io.StringIO()
    stream.close()
    writer = LineWriter(stream)
    writer.write("lost")
    writer.close()

    assert not writer._thread.is_alive()
