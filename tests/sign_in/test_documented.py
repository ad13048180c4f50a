"""`help()` of a login source lists every argument of its constructor."""

from __future__ import annotations

import inspect
import re

import pytest

from cognito_credentials.errors import LoginRequiredError
from cognito_credentials.sign_in import OidcLogin, UserPool
from cognito_credentials.sign_in.source import SignInSource


@pytest.mark.parametrize("kind", [OidcLogin, UserPool])
def test_every_option_is_listed(kind: type[SignInSource]) -> None:
    """Every argument is in the docstring of the public class."""
    documented = set(re.findall(r"^    (\w+): ", inspect.getdoc(kind) or "", re.MULTILINE))
    of_its_own = set(inspect.signature(kind).parameters) - {"options"}
    of_all = set(inspect.signature(SignInSource).parameters) - {"issuer", "client_id", "scope"}

    assert documented - {"ConfigurationError"} == of_its_own | of_all
    assert "SignInSource" not in (inspect.getdoc(kind) or "")


def test_an_app_is_told_what_an_app_can_do() -> None:
    """A source that a program made says `sign_in()` first; one of a profile names the command."""
    made = OidcLogin("https://login.example.com", "desktop", profile_name="my-app")
    of_profile = OidcLogin(
        "https://login.example.com", "desktop", profile_name="app", profile_settings={"region": "us-east-1"}
    )

    with pytest.raises(LoginRequiredError) as caught:
        made.token()
    assert caught.value.hint.startswith("Sign in again: sign_in() in Python")
    with pytest.raises(LoginRequiredError) as caught:
        of_profile.token()
    assert caught.value.hint == "Run 'cognito-credentials login --profile app'"
