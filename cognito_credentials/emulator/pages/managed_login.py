"""
The sign-in pages of user pools: what a user is asked, as a page.

The texts are those of a challenge. What the user pool does not ask on its pages, it does not ask here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cognito_credentials.emulator.pages.document import Button, Field, Form, page

_CODES = {
    "SOFTWARE_TOKEN_MFA": "Enter the code of your authenticator app.",
    "SMS_MFA": "Enter the code that was sent by SMS to {0}.",
    "EMAIL_OTP": "Enter the code that was sent by e-mail to {0}.",
}
_CHOICES = {
    "SOFTWARE_TOKEN_MFA": "Authenticator app",
    "SMS_MFA": "Code by SMS",
    "EMAIL_OTP": "Code by e-mail",
}
_WHERE = "The emulator sends nothing: GET /_emulator/codes lists the codes."


@dataclass(frozen=True)
class Question:
    """
    A challenge as its page needs it. The hidden fields of the form bring it back.

    Attributes:
        name: ChallengeName.
        session: The token of the challenge.
        detail: Where a code was sent, what can be chosen, which attributes are required, or a key to copy.
    """

    name: str
    session: str
    detail: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def hidden(self) -> dict[str, str]:
        """The fields that bring the question back with its answer."""
        return {"challenge": self.name, "session": self.session, "detail": self.detail}


def is_shown(name: str) -> bool:
    """True for a challenge that has a page."""
    return name in _CODES or name in ("NEW_PASSWORD_REQUIRED", "SELECT_MFA_TYPE", "MFA_SETUP")


def sign_in_page(
    action: str, hidden: Mapping[str, str], name: str, problem: str, links: Mapping[str, str]
) -> str:
    """The page that asks for user name and password."""
    fields = [
        Field("username", "User name", value=name, autocomplete="username"),
        Field("password", "Password", "password", autocomplete="current-password"),
    ]
    form = Form(action, hidden, fields, [Button("sign-in", "Sign in")])
    return page("Sign in", problem=problem, form=form, links=links)


def question_page(action: str, hidden: Mapping[str, str], question: Question, problem: str) -> str:
    """The page of a challenge."""
    sent = {**hidden, **question.hidden}
    name = question.name
    if name == "NEW_PASSWORD_REQUIRED":
        return _new_password(action, sent, question, problem)
    if name == "SELECT_MFA_TYPE":
        options = {one: _CHOICES[one] for one in _listed(question.detail) if one in _CHOICES}
        chosen = next(iter(options), "")
        choice = Field("answer", "How do you want to confirm it is you?", value=chosen, options=options)
        form = Form(action, sent, [choice], [Button("answer", "Continue")])
        return page("Confirm it is you", problem=problem, form=form)
    code = Field(
        "code",
        "Code",
        autocomplete="one-time-code",
        problem=problem,
        is_code=True,
        hint="" if name in ("SOFTWARE_TOKEN_MFA", "MFA_SETUP") else _WHERE,
    )
    form = Form(action, sent, [code], [Button("answer", "Continue")])
    if name == "MFA_SETUP":
        said = ["Add this key to an authenticator app, then enter the code that the app shows."]
        return page("Set up an authenticator app", said=said, shown=question.detail, form=form)
    return page("Confirm it is you", said=[_CODES[name].format(question.detail)], form=form)


def _new_password(action: str, hidden: Mapping[str, str], question: Question, problem: str) -> str:
    fields = [
        Field(name, name.removeprefix("userAttributes."), value=question.values.get(name, ""))
        for name in _listed(question.detail)
    ]
    fields.insert(
        0, Field("password", "New password", "password", autocomplete="new-password", problem=problem)
    )
    form = Form(action, hidden, fields, [Button("answer", "Change the password")])
    return page("Choose a new password", said=["The password that you have was only for once."], form=form)


def _listed(text: str) -> list[str]:
    """The texts of a list in JSON, which comes back from a browser: anything else is no list."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [str(item) for item in items if isinstance(item, str)] if isinstance(items, list) else []
