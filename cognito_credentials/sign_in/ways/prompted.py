"""
A person at a terminal, or at the `Prompt` of an app, signs in to a user pool: asked for each step in turn.

What was wrong is asked for again, three times in all. What is typed stays a `Secret` in every variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from ...errors import CognitoCredentialsError, LoginRejectedError, LoginRequiredError, clean, replaced
from ...secret import Secret
from ..issuers import refusals
from . import password as steps
from .password import PasswordSignIn, Question
from .prompt import CheckedPrompt, checked

if TYPE_CHECKING:
    from ..issuers.tokens import Verified
    from .prompt import Prompt

T = TypeVar("T")
TRIES: Final = 3
"""For each question. After five wrong passwords a user pool locks the user out for a while."""
_ASKED: Final = {
    steps.SMS: "Code from the text message",
    steps.EMAIL: "Code from the e-mail",
    steps.TOTP: "Code from your authenticator app",
}
_CHOICES: Final = {**_ASKED, steps.PASSWORD: "Password"}


def sign_in_at_prompt(
    sign_in: PasswordSignIn, prompt: Prompt, username: str | None = None, first_factor: str | None = None
) -> Verified:
    """
    Have a person sign in.

    Args:
        username: The person is asked for it if None.
        first_factor: As `PasswordSignIn.begin` has it; a password if None.

    Raises:
        LoginRejectedError: User name, password or code was wrong three times.
        LoginRequiredError: There is no terminal to ask on, or the person gave up.
        CognitoCredentialsError: Any other error of `PasswordSignIn`.
    """
    person = checked(prompt)
    if not person.can_ask:
        raise LoginRequiredError(
            "there is no terminal to ask for the password on",
            hint="Sign in on a terminal, or with a browser",
            topic="E-PASSWORD",
        )
    # The frames of any error in here have in them what was typed.
    with replaced(EOFError, CognitoCredentialsError, by=lambda error: _explained(error, person)):
        return _Conversation(sign_in, person, username, first_factor).run()


class _Conversation:
    def __init__(
        self, sign_in: PasswordSignIn, prompt: CheckedPrompt, username: str | None, first_factor: str | None
    ) -> None:
        self._sign_in = sign_in
        self._prompt = prompt
        self._username = username
        self._first_factor = first_factor

    def run(self) -> Verified:
        if self._first_factor in (None, steps.PASSWORD):
            outcome = self._with_password()
        else:
            self._username = self._user_name()
            outcome = self._sign_in.begin(self._username, None, self._first_factor)
        while isinstance(outcome, Question):
            outcome = self._answered(outcome)
        for warning in self._sign_in.warnings:
            self._prompt.say(warning)
        return outcome

    def _answered(self, question: Question) -> Verified | Question:
        if question.is_code:
            return self._with_code(question)
        if question.kind == steps.NEW_PASSWORD:
            return self._with_new_password(question)
        if question.kind == steps.PASSWORD:
            # From the start, since a wrong password ends the session of the pool.
            self._first_factor = steps.PASSWORD
            return self._with_password()
        return self._sign_in.answer(question, Secret(self._choice(question.choices)))

    def _with_password(self) -> Verified | Question:
        return self._tried(
            lambda: (self._user_name(), self._secret("Password")),
            lambda given: self._sign_in.begin(*given, self._first_factor),
            lambda error: (
                "The user name or the password is wrong; try again."
                if refusals.is_wrong_password(error)
                else None
            ),
        )

    def _with_code(self, question: Question) -> Verified | Question:
        if question.sent_to:
            self._prompt.say(f"A code was sent to {question.sent_to}.")
        return self._tried(
            lambda: self._secret(_ASKED[question.kind]),
            lambda code: self._sign_in.answer(question, code),
            lambda error: "That code is wrong; try again." if refusals.may_be_corrected(error) else None,
        )

    def _with_new_password(self, question: Question) -> Verified | Question:
        self._prompt.say("The user pool asks for a new password.")
        attributes: dict[str, Secret] = {}

        def answer(new: Secret) -> Verified | Question:
            for name in question.attributes:
                if name not in attributes:
                    # A name or a telephone number is kept out of logs and errors, too.
                    attributes[name] = Secret(self._prompt.ask(clean(name, 60)))
            return self._sign_in.answer(question, new, attributes)

        return self._tried(
            self._new_password,
            answer,
            lambda error: f"{error.message}; try again." if refusals.may_be_corrected(error) else None,
        )

    def _tried(
        self,
        ask: Callable[[], T],
        act: Callable[[T], Verified | Question],
        again: Callable[[LoginRejectedError], str | None],
    ) -> Verified | Question:
        """
        Ask the person, and act on the answer, until it is accepted.

        Args:
            again: What the person is told before the next try; None where there is none.
        """
        wrong: LoginRejectedError | None = None
        refused: list[T] = []
        for left in range(TRIES - 1, -1, -1):
            given = ask()
            try:
                if wrong is not None and given in refused:
                    # A form gives the same again without asking anybody. Each try counts for the lock-out.
                    raise wrong
                return act(given)
            except LoginRejectedError as error:
                said = again(error)
                if not left or said is None:
                    raise
                wrong = error
            refused.append(given)
            self._prompt.say(said)
        raise AssertionError  # the last try raises or returns

    def _user_name(self) -> str:
        return self._username or self._filled("User name", lambda text: self._prompt.ask(text).strip())

    def _secret(self, question: str) -> Secret:
        return self._filled(question, self._prompt.ask_secret)

    def _filled(self, question: str, ask: Callable[[str], T]) -> T:
        for _ in range(TRIES):
            if given := ask(question):
                return given
            self._prompt.say(f"The {question[0].lower()}{question[1:]} is empty; try again.")
        raise EOFError

    def _choice(self, choices: tuple[str, ...]) -> str:
        """Ask for one of *choices*, by number or name."""
        shown = ", ".join(f"{number} = {_CHOICES[name]}" for number, name in enumerate(choices, 1))
        for _ in range(TRIES):
            answer = self._prompt.ask(f"How do you want to prove that it is you ({shown})").strip()
            if answer.isascii() and answer.isdigit() and 1 <= int(answer[:3]) <= len(choices):
                return choices[int(answer[:3]) - 1]
            if answer in choices:
                return answer
        raise EOFError

    def _new_password(self) -> Secret:
        for left in range(TRIES - 1, -1, -1):
            new = self._secret("New password")
            if new == self._prompt.ask_secret("The new password again"):
                return new
            if left:
                self._prompt.say("The two new passwords differ; try again.")
        raise LoginRejectedError("the two new passwords differ", hint="Sign in again", topic="E-PASSWORD")


def _explained(error: BaseException, prompt: CheckedPrompt) -> BaseException | None:
    if isinstance(error, EOFError):
        return LoginRequiredError("signing in was given up", hint="Sign in again", topic="E-PASSWORD")
    return None if error is prompt.failure else error.with_traceback(None)
