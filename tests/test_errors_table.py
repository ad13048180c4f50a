"""The guide's table of what each error means to an app, beside the classes themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cognito_credentials import errors
from cognito_credentials.errors import CognitoCredentialsError
from cognito_credentials.sign_in import ChallengeRequired

GUIDE = Path(__file__).parent.parent / ".github" / "docs" / "guides" / "signing-in.md"
COLUMNS = 6


def _rows() -> dict[str, list[str]]:
    """The rows of the table by the class that each is for."""
    text = GUIDE.read_text("utf-8").partition("## What each error means to an app")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line
    ]
    return {row[0].strip("`"): row for row in rows[2:]}


def _classes() -> dict[str, type[CognitoCredentialsError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    ours = [kind for kind in found if issubclass(kind, CognitoCredentialsError)]
    return {kind.__name__: kind for kind in [*ours, ChallengeRequired]}


def test_every_error_has_a_row() -> None:
    """A new class without a row fails here, and a row of a class that is gone."""
    assert set(_rows()) == set(_classes())


@pytest.mark.parametrize("name", sorted(_classes()))
def test_a_row_agrees_with_its_class(name: str) -> None:
    """The exit code is the class's; what may be tried again is tried again, and nothing else by itself."""
    row, kind = _rows()[name], _classes()[name]

    assert len(row) == COLUMNS
    assert all(row)
    assert int(row[-1]) == kind.exit_code
    if kind.retryable:
        assert re.search("ServiceError|retry_after", row[2])
    assert ("AuthFailed" in row[2]) is (name in ("LoginRequiredError", "LoginRejectedError"))
