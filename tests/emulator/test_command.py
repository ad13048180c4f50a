"""The command ends by a signal, whenever it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("line", [1, 3, 5, 7, 9])
def test_signal_at_any_moment(line):
    """A signal between the address and the waiting ends the command: what it interrupts may hold a lock."""
    program = [sys.executable, "-c", SIGNALLED_WHILE_IT_BEGINS_TO_WAIT, str(line)]

    done = subprocess.run(program, capture_output=True, text=True, timeout=20)

    assert (done.returncode, done.stderr) == (0, "")
