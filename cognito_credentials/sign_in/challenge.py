"""What a sign-in in a form of an app asks the person next, and the answer to it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ..errors import CognitoCredentialsError, ConfigurationError, LoginRejectedError, RefusedError, clean
from ..exchange.interruption import drops_frames_on_error
from ..secret import Secret
from . import checks
from .issuers import refusals

if TYPE_CHECKING:
    from .signed_in import SignedIn
    from .ways.password import Question

_ASKED: Final = {
    "sms": "the code from the text message",
    "email": "the code from the e-mail",
    "totp": "the code from the authenticator app",
    "password": "the password",
    "new_password": "a new password",
    "choice": "a choice of what proves that it is you",
}
_ANSWER: Final = "Ask the person, and call answer(text) of this exception"


class ChallengeRequired(CognitoCredentialsError):  # noqa: N818  (a question, which is no fault of anybody)
    """
    A sign-in with a password or a code needs one more answer of the person. Nobody is signed in yet.

    `answer` returns the account, or raises in the same way as the call before: `ChallengeRequired` with the
    next question, or an error. The user pool waits three minutes for each answer, unless its app client has
    another limit.

    Any thread may answer, but each question is answered once. After an error that the person may correct (a
    wrong code, a new password that the pool refuses) or that goes away (a `ServiceError`), `is_open` is still
    True, and the same question may be answered again. Otherwise the sign-in begins anew.

    It cannot be pickled: it stands for a session of the user pool, which is secret.
    """

    exit_code = 3
    topic = "E-CHALLENGE"
    kind: str
    """
    One of these texts, which stay as they are; a later version may add others:

    ``sms``, ``email``: a code that was sent to `sent_to`; ``totp``: the code that an authenticator app shows;
    ``password``: the user's password; ``new_password``: one that the user chooses now, with `attributes`;
    ``choice``: one of `choices`.
    """
    sent_to: str | None
    """Where the code was sent, as far as the pool shows it (``+*******1234``); None where it does not say."""
    choices: tuple[str, ...]
    """Of a ``choice``: the kinds to choose from, such as ``("password", "email")``."""
    attributes: tuple[str, ...]
    """Of a ``new_password``: attributes of the user that the pool needs as well, such as ``("name",)``."""

    def __init__(
        self, question: Question, proceed: Callable[[Secret, Mapping[str, Secret]], SignedIn]
    ) -> None:
        super().__init__(f"the user pool asks for {_ASKED[question.kind]}", hint=_ANSWER)
        self.kind = question.kind
        self.sent_to = question.sent_to
        self.choices = question.choices
        self.attributes = question.attributes
        self._proceed: Callable[[Secret, Mapping[str, Secret]], SignedIn] | None = proceed
        self._answering = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether it may still be answered, as far as that is known here: the user pool sets a time limit."""
        return self._proceed is not None

    @drops_frames_on_error
    def answer(self, text: str | Secret, *, attributes: Mapping[str, str] | None = None) -> SignedIn:
        """
        Answer the question.

        Args:
            text: What the person typed or chose.
            attributes: The values of `attributes`, for a ``new_password``.

        Returns:
            The account that the person has signed in to.

        Raises:
            ChallengeRequired: The pool asks for more.
            LoginRejectedError: The answer is empty or wrong, or it came too late; the error says which.
            ServiceError: The pool does not answer; this question may be answered again.
            ConfigurationError: The question has been answered, or is being answered in another thread; or an
                argument is malformed.
            CacheError: The sign-in cannot be stored.
        """
        given = self._checked(text)
        more = self._checked_attributes(attributes or {})
        del text, attributes  # what a store of the app raises keeps this frame
        if not self._answering.acquire(blocking=False):
            raise ConfigurationError(
                "this question is being answered already",
                hint="Wait for that answer, and take its result",
                topic="E-CHALLENGE",
            )
        try:
            if self._proceed is None:
                raise ConfigurationError(
                    "this question has been answered already",
                    hint="Answer the newest ChallengeRequired, or begin the sign-in anew",
                    topic="E-CHALLENGE",
                )
            try:
                account = self._proceed(given, more)
            except CognitoCredentialsError as error:
                if _is_over(error):
                    self._proceed = None
                raise
            self._proceed = None
            return account
        finally:
            self._answering.release()

    def _checked(self, text: object) -> Secret:
        given = checks.typed(text, "the answer")
        if self.kind == "choice" and given.reveal() not in self.choices:
            raise ConfigurationError(
                "the answer is none of the choices",
                hint=f"Give one of: {', '.join(self.choices)}",
                topic="E-CHALLENGE",
            )
        return given

    def _checked_attributes(self, attributes: Mapping[str, str]) -> dict[str, Secret]:
        if not isinstance(attributes, Mapping):
            raise ConfigurationError(
                f"the attributes are {type(attributes).__name__}, and no mapping",
                hint="Give attributes={name: value}",
                topic="E-CHALLENGE",
            )
        missing = [name for name in self.attributes if not attributes.get(name)]
        if missing:
            raise LoginRejectedError(
                f"the user pool also asks for {clean(', '.join(missing))}",
                hint="Give them with the new password: answer(text, attributes={…})",
                topic="E-CHALLENGE",
            )
        return {name: checks.typed(value, "an attribute") for name, value in attributes.items()}

    def __reduce__(self) -> NoReturn:
        raise TypeError("a question of a user pool refuses to be pickled: its session is secret")


class AsyncChallengeRequired(ChallengeRequired):
    """The `ChallengeRequired` of an `AsyncIdentityPool`: its `answer` is a coroutine."""

    def __init__(
        self,
        question: ChallengeRequired,
        run: Callable[[Callable[[], SignedIn]], Coroutine[Any, Any, SignedIn]],
    ) -> None:
        CognitoCredentialsError.__init__(self, question.message, hint=question.hint)
        self.kind = question.kind
        self.sent_to = question.sent_to
        self.choices = question.choices
        self.attributes = question.attributes
        self._question = question
        self._run = run

    @property
    def is_open(self) -> bool:
        """Whether it may still be answered, as far as that is known here: the user pool sets a time limit."""
        return self._question.is_open

    async def answer(  # type: ignore[override]  # the coroutine of the other
        self, text: str | Secret, *, attributes: Mapping[str, str] | None = None
    ) -> SignedIn:
        """Answer the question; see `ChallengeRequired.answer`. A task that is cancelled has answered it."""
        answered = self._run(functools.partial(self._question.answer, text, attributes=attributes))
        del text, attributes  # an error keeps this frame
        return await answered


def _is_over(error: CognitoCredentialsError) -> bool:
    """Tell whether a question cannot be answered again: it was accepted, or its session has ended."""
    if isinstance(error, ChallengeRequired):
        return True
    return isinstance(error, RefusedError) and not refusals.may_be_corrected(error)
