"""Topics of errors on the command line: each message names one, and `help` explains it."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import Done


def test_the_command_line_names_the_topic_and_explains_it(call: Callable[..., Done]) -> None:
    """The line on stderr ends with the topic, and `help` prints its section, without links."""
    done = call("credential-process")
    assert done.code == 4
    assert done.line.endswith(" (see E-NO-POOL).")

    told = call("help", "e-no-pool")
    assert told.code == 0
    assert told.out.startswith("E-NO-POOL\n\nNothing names an identity pool")
    assert "](" not in call("help", "E-THROTTLED").out


def test_commands_of_a_topic_are_indented_without_fences(call: Callable[..., Done]) -> None:
    """A block of code of the page is indented on a terminal, without its fences, so that it can be copied."""
    told = call("help", "E-CACHE").out
    assert "```" not in told
    assert (
        "alone:\n\n    $ ls -ld ~/.aws/cognito/cache\n    $ chmod 700 ~/.aws/cognito/cache\n\nIf root" in told
    )


def test_a_mistyped_topic_is_a_usage_error(call: Callable[..., Done]) -> None:
    """A topic that does not exist is named, with the nearest one."""
    done = call("help", "E-NO-POL")
    assert done.code == 2
    assert "there is no topic 'E-NO-POL'. Did you mean 'cognito-credentials help E-NO-POOL'?" in done.line
