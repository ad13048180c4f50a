"""examples/guest_script.py."""

from __future__ import annotations


def test_the_guest_is_somebody_and_the_same_one_again(emulator, run) -> None:
    """Two runs are one guest: two requests in all, and one line each."""
    pool_id = emulator.create_pool()
    lines = [run("guest_script.py", pool_id).end() for _ in range(2)]

    assert lines[0] == lines[1]
    assert lines[0][0].endswith("/CognitoIdentityCredentials\n")
    assert lines[0][1] == ""
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 2}


def test_without_a_pool_it_says_how_it_is_called(run) -> None:
    """A forgotten argument is one line, not a traceback."""
    process = run("guest_script.py").process
    _, errors = process.communicate()

    assert process.returncode == 1
    assert errors == "usage: python guest_script.py IDENTITY_POOL_ID\n"


def test_a_refused_guest_reads_one_line(emulator, run) -> None:
    """A pool that takes no guests is one line on stderr, with the topic to read; no traceback."""
    process = run("guest_script.py", emulator.create_pool(AllowUnauthenticatedIdentities=False)).process
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "does not allow guests" in errors
    assert "(see E-GUESTS)" in errors
    assert errors.count("\n") == 1
