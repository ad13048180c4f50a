"""What `configure` writes, and what people copy, is read as the same words by shells and SDKs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cognito_credentials.cli.words import command_line
from cognito_credentials.errors import shell_word
from tests.campaigns.quoting.__main__ import SPECIAL, names, prepare, readers, words_of, wrong


@pytest.mark.parametrize("reader", ["shlex", "bash", "dash", "botocore"])
def test_names_and_paths_are_read_as_they_are(tmp_path: Path, reader: str) -> None:
    """Attack: no part of a name is run, and every word arrives whole."""
    found = readers(tmp_path, is_slow=False)
    if reader not in found:
        pytest.skip(f"there is no {reader} here")
    words = words_of(names(len(SPECIAL) + 30, seed=1), prepare(tmp_path))

    assert wrong(found[reader], words, tmp_path) == []
    assert not (tmp_path / "P").exists()


def test_a_plain_word_stays_as_it_is() -> None:
    """Paths and names of usual characters need no quotes, so that Terraform and old SDKs read them."""
    assert shell_word("/opt/a-b_c/python3.11@+:=x") == "/opt/a-b_c/python3.11@+:=x"
    assert shell_word("a b$(x)") == "a\\ b\\$\\(x\\)"
    assert command_line("login", "a b") == "'cognito-credentials login --profile a\\ b'"
