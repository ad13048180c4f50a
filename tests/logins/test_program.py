"""What a program hands over as a login, and what of it is asked."""

from __future__ import annotations

import pickle
from typing import Any

from cognito_credentials.logins import Logins, Source
from cognito_credentials.secret import Secret
from tests.logins.tokens import NOW, jwt

GOOGLE = "accounts.google.com"


class _Plain:
    """An object with no more than a token."""

    def token(self) -> str:
        return jwt()


class _Keeping:
    """An object that keeps its token until that is rejected, with all that such an object may have."""

    provider = GOOGLE
    description = "the app's own sign-in"

    def __init__(self) -> None:
        self.tokens = [jwt(exp=NOW - 5), jwt()]
        self.rejected: list[str] = []

    def token(self) -> Secret:
        return Secret(self.tokens[0])

    def principal(self) -> str:
        return "ann"

    def reject(self, token: Secret) -> None:
        self.rejected.append(token.reveal())
        self.tokens.pop(0)


def test_an_object_needs_only_a_token() -> None:
    """The provider comes from the token, and the user is unknown until the token is read."""
    logins = Logins.of(_Plain())

    assert logins.describe() == ["(as the token says) = _Plain"]
    assert (logins.principal(), logins.depends(), logins.can_change_owner()) == (None, None, False)
    assert (logins.can_change, logins.can_be_slow) == (True, True)
    assert list(logins.resolve(NOW).tokens) == [GOOGLE]
    assert "_Plain" in repr(logins.sources)


def test_an_object_may_name_its_provider_and_its_user() -> None:
    """Both are known before its token is asked for."""
    logins = Logins.of(_Keeping())

    assert logins.describe() == [f"{GOOGLE} = the app's own sign-in"]
    assert str(logins.principal()).startswith("subject:")


def test_an_object_that_keeps_its_token_is_told_of_a_rejection() -> None:
    """So it gives another one when the first has expired."""
    source = _Keeping()
    expired, fresh = source.tokens

    resolved = Logins.of(source).resolve(NOW)

    assert resolved.tokens[GOOGLE].reveal() == fresh
    assert source.rejected == [expired]


def test_a_subclass_of_source_is_taken_as_it_is() -> None:
    """It may have every method of a source, and goes to another process with its logins."""
    source = _Own()
    logins = Logins.of({GOOGLE: source})

    assert logins.sources == ((GOOGLE, source),)
    assert logins.depends() == (("file", "/x"),)
    assert logins.owners() == ("ann",)
    assert Logins.of(logins) is logins
    assert pickle.loads(pickle.dumps(logins)).owners() == ("ann",)


class _Own(Source):
    can_change_owner = True

    def token(self) -> str:
        return jwt()

    def owner(self) -> str:
        return "ann"

    def depends(self) -> Any:
        return (("file", "/x"),)
