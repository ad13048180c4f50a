"""
Signing in to a user pool with a user name and a password, or with a code in place of the password.

A sign-in goes step by step. A step asks the pool, and ends with tokens or with a `Question` for the person;
the answer to the question is the next step. `prompted.py` has a person answer at a terminal, and the form of
an app answers by `ChallengeRequired`. No step repeats what was refused.

The password is proven without being sent (SRP). What the person types is a `Secret` in every variable, and
goes only into the request.

A pool that remembers devices names this machine when somebody signs in, and binds the refresh token to it. So
the device is confirmed at once, and stored beside the token. In a pool where users choose whether a device is
remembered ("opt-in"), it is confirmed and not remembered: codes are still asked for.

Sources: Amazon Cognito user pools API Reference, InitiateAuth and RespondToAuthChallenge; Amazon Cognito
developer guide, "Authentication flows" (``USER_AUTH``: choice-based sign-in).
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, RefusedError, clean, replaced
from ...secret import Secret
from ..issuers.user_pool import UserPoolIssuer
from ..issuers.user_pool_api import ApiError
from .srp import SrpProof, new_device

if TYPE_CHECKING:
    from ..issuers.tokens import Device, Tokens, Verified

SMS: Final = "sms"
EMAIL: Final = "email"
TOTP: Final = "totp"
PASSWORD: Final = "password"  # noqa: S105  (what is asked for)
NEW_PASSWORD: Final = "new_password"  # noqa: S105
CHOICE: Final = "choice"

_KINDS: Final = {
    "SMS_MFA": SMS,
    "SMS_OTP": SMS,
    "EMAIL_OTP": EMAIL,
    "EMAIL_MFA": EMAIL,
    "SOFTWARE_TOKEN_MFA": TOTP,
    "PASSWORD_SRP": PASSWORD,
}
"""AWS's name of a factor -> ours. ``PASSWORD``, which sends the password, is not among them."""
_CHOICES: Final = ("SELECT_MFA_TYPE", "SELECT_CHALLENGE")
_PREFERRED: Final = {PASSWORD: "PASSWORD_SRP", SMS: "SMS_OTP", EMAIL: "EMAIL_OTP"}
_ATTRIBUTE: Final = "userAttributes."
_MOST_STEPS: Final = 20
"""A pool that asks for ever is given up on. The longest real sign-in has seven answers of the pool."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the user pool wants to know from the person next."""

    kind: str
    """``sms``, ``email`` or ``totp`` (a code), ``password``, ``new_password`` or ``choice``."""
    sent_to: str | None = None
    """Where the code was sent, as far as the pool shows it."""
    choices: tuple[str, ...] = ()
    """Of a ``choice``: kinds, one of which is the answer."""
    attributes: tuple[str, ...] = ()
    """The user's attributes that are asked for together with a new password."""
    challenge: str = ""
    """AWS's name of the challenge; empty where the pool has not been asked anything yet."""
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The pool's answer that asks for this."""

    @property
    def is_code(self) -> bool:
        """Whether a code is asked for."""
        return self.kind in (SMS, EMAIL, TOTP)


class _UnknownDevice(Exception):  # noqa: N818  (no error: signing in begins again without the device)
    """The pool has forgotten the device, or refuses its proof."""


class PasswordSignIn:
    """
    One sign-in at a user pool: `begin`, then `answer` until there are tokens.

    Args:
        device: The device that the pool may remember this machine as.
    """

    def __init__(self, issuer: UserPoolIssuer, client_id: str, device: Device | None = None) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._remembered = device
        self._device: Device | None = None
        self._name = ""
        self._user = ""
        self._password: Secret | None = None
        self._first_factor: str | None = None
        self._flow = ""
        self._proof: SrpProof | None = None
        self._tokens: Tokens | None = None
        self._steps_left = 0
        self.warnings: list[str] = []
        """What the person should know of a sign-in that has worked."""

    def begin(
        self, username: str, password: Secret | None, first_factor: str | None = None
    ) -> Verified | Question:
        """
        Begin, also once more with another password.

        Args:
            password: It is the first factor, if it is given.
            first_factor: ``password``, ``sms``, ``email`` or ``choice``, by USER_AUTH. None is
                USER_SRP_AUTH where there is a password, and ``choice`` where there is none.

        Raises:
            LoginRejectedError: User name or password is wrong, or the user cannot sign in now.
            ServiceError: The pool does not answer.
            RefusedError: The pool asks for what cannot be done here.
            ConfigurationError: The app client cannot be used.
        """
        self._name, self._password, self._first_factor = username, password, first_factor
        self._flow = "USER_SRP_AUTH" if password is not None and first_factor is None else "USER_AUTH"
        self._tokens, self._steps_left = None, _MOST_STEPS
        if first_factor == PASSWORD and password is None:
            return Question(PASSWORD)
        return self._step(self._start)

    def answer(
        self, question: Question, text: Secret, attributes: Mapping[str, Secret] | None = None
    ) -> Verified | Question:
        """
        Answer *question*; raises the errors of `begin`.

        After an error the same question may be answered again: where the pool did not answer, or where it
        allows another try. Otherwise it says that the session has ended.

        Args:
            attributes: The values of `Question.attributes`.
        """
        if self._tokens is not None:  # the answer was right, and the pool's keys could not be fetched
            return self._step(dict)
        if question.kind == PASSWORD:
            self._password = text
            return self._step(lambda: self._with_password(question))
        if question.kind == CHOICE:
            if text.reveal() == PASSWORD and self._password is None:
                return replace(question, kind=PASSWORD, choices=())
            return self._step(lambda: self._choose(question, text.reveal()))
        if question.kind == NEW_PASSWORD:
            more = {_ATTRIBUTE + name: value for name, value in (attributes or {}).items()}
            return self._step(lambda: self._respond(question, {"NEW_PASSWORD": text, **more}))
        # Authenticator apps show a code in two groups, and people copy the space.
        code = Secret("".join(text.reveal().split()))
        return self._step(lambda: self._respond(question, {f"{question.challenge}_CODE": code}))

    def _step(self, ask: Callable[[], dict[str, Any]]) -> Verified | Question:
        # The frames of any error in here have in them what was typed, and tokens.
        with replaced(Exception, by=_explained):
            with contextlib.suppress(_UnknownDevice):
                return self._until_asked(ask())
            # An administrator or the user has removed the device at the pool: this machine is a new device.
            self._remembered = self._device = None
            return self._until_asked(self._start())

    def _until_asked(self, answer: dict[str, Any]) -> Verified | Question:
        """Answer what needs no person, until there are tokens or a question."""
        while self._tokens is None:
            self._steps_left -= 1
            if self._steps_left < 0:
                raise RefusedError(
                    "the user pool asks for more after every answer",
                    hint=self._browser_hint(),
                    topic="E-PASSWORD",
                )
            challenge = str(answer.get("ChallengeName") or "")
            if not challenge:
                tokens = self._issuer.tokens_of(answer)
                self._tokens = tokens._replace(device=self._confirmed(answer, tokens) or self._device)
                break
            self._note_user(answer)
            question = self._question(challenge, answer)
            by_itself = self._answered_by_itself(challenge, answer, question)
            if by_itself is None:
                assert question is not None  # noqa: S101  (for the type checker: one of the two is there)
                return question
            answer = by_itself
        return self._issuer.verified(self._tokens)

    def _answered_by_itself(
        self, challenge: str, asked: dict[str, Any], question: Question | None
    ) -> dict[str, Any] | None:
        """Return the pool's answer to a step that needs no person; None for a question to the person."""
        if challenge == "PASSWORD_VERIFIER" and self._proof is not None:
            return self._prove(asked, self._proof)
        if challenge == "DEVICE_SRP_AUTH" and self._device is not None:
            return self._with_device(asked, self._device)
        if question is None:
            raise self._cannot(challenge, asked)
        if question.kind == PASSWORD and self._password is not None:
            return self._with_password(question)
        if question.kind == CHOICE and len(question.choices) == 1 and question.choices[0] != PASSWORD:
            return self._choose(question, question.choices[0])
        return None

    def _question(self, challenge: str, asked: dict[str, Any]) -> Question | None:
        """Return what the person is asked; None for what only a program or a browser can answer."""
        parameters = asked.get("ChallengeParameters") or {}
        kind = _KINDS.get(challenge)
        if kind is not None:
            sent_to = clean(str(parameters.get("CODE_DELIVERY_DESTINATION") or ""), 60)
            return Question(kind, sent_to=sent_to or None, challenge=challenge, asked=asked)
        if challenge == "NEW_PASSWORD_REQUIRED":
            needed = _texts(parameters.get("requiredAttributes"))
            names = tuple(name.removeprefix(_ATTRIBUTE) for name in needed)
            return Question(NEW_PASSWORD, attributes=names, challenge=challenge, asked=asked)
        if challenge in _CHOICES and (choices := tuple(_offered(challenge, asked))):
            return Question(CHOICE, choices=choices, challenge=challenge, asked=asked)
        return None

    def _start(self) -> dict[str, Any]:
        """Begin the sign-in at the pool."""
        self._device = None
        self._user = self._name
        self._proof = None
        parameters = {"USERNAME": self._name}
        if self._password is not None:
            self._proof = SrpProof(self._issuer.pool_name, self._password)
            parameters["SRP_A"] = self._proof.public_value
        wanted = self._first_factor if self._password is None else PASSWORD
        if self._flow == "USER_AUTH" and wanted in _PREFERRED:
            parameters["PREFERRED_CHALLENGE"] = _PREFERRED[wanted]
        return self._issuer.api.call(
            "InitiateAuth",
            {"AuthFlow": self._flow, "AuthParameters": parameters, "ClientId": self._client_id},
        )

    def _note_user(self, asked: dict[str, Any]) -> None:
        """
        Note the pool's own name of the user, where the person typed an e-mail address.

        Not every pool repeats it in the next challenge.
        """
        parameters = asked.get("ChallengeParameters") or {}
        self._user = str(parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or self._user)
        if self._remembered is not None and self._remembered.username == self._user:
            self._device = self._remembered

    def _with_password(self, question: Question) -> dict[str, Any]:
        """Begin to prove the password that the person has just typed or chosen."""
        if not question.challenge:
            return self._start()
        assert self._password is not None  # noqa: S101  (for the type checker)
        self._proof = SrpProof(self._issuer.pool_name, self._password)
        chosen = {"ANSWER": "PASSWORD_SRP"} if question.challenge == "SELECT_CHALLENGE" else {}
        return self._respond(question, {**chosen, "SRP_A": self._proof.public_value})

    def _choose(self, question: Question, kind: str) -> dict[str, Any]:
        if question.challenge == "SELECT_CHALLENGE":
            self._first_factor = kind  # where signing in begins again without the device
        if kind == PASSWORD and question.challenge == "SELECT_CHALLENGE":
            return self._with_password(question)
        return self._respond(question, {"ANSWER": _offered(question.challenge, question.asked)[kind]})

    def _prove(self, asked: dict[str, Any], proof: SrpProof) -> dict[str, Any]:
        """Prove the password."""
        parameters = asked.get("ChallengeParameters") or {}
        self._proof = None
        proven = proof.answer(self._user, parameters, self._issuer.api.now(asked))
        name = str(parameters.get("USERNAME") or self._user)
        question = Question(PASSWORD, challenge="PASSWORD_VERIFIER", asked=asked)
        return self._respond(question, {**proven, "USERNAME": name})

    def _with_device(self, asked: dict[str, Any], device: Device) -> dict[str, Any]:
        """Prove that this is the device that the pool remembers; the pool may then ask for no code."""
        proof = SrpProof(device.group_key, device.password)
        try:
            begun = self._respond(
                Question("", challenge="DEVICE_SRP_AUTH", asked=asked), {"SRP_A": proof.public_value}
            )
            if begun.get("ChallengeName") != "DEVICE_PASSWORD_VERIFIER":
                return begun
            parameters = begun.get("ChallengeParameters") or {}
            proven = proof.answer(device.key, parameters, self._issuer.api.now(begun))
            return self._respond(Question("", challenge="DEVICE_PASSWORD_VERIFIER", asked=begun), proven)
        except ApiError as error:
            if error.code != "NotAuthorizedException" or error.is_told_apart:
                raise
        raise _UnknownDevice

    def _confirmed(self, answer: dict[str, Any], tokens: Tokens) -> Device | None:
        """
        Confirm a device that the pool has named, and return it.

        Returns:
            None where the pool named none, or where the confirmation failed.
        """
        named = answer["AuthenticationResult"].get("NewDeviceMetadata") or {}
        access_token = tokens.access_token
        if not named.get("DeviceKey") or access_token is None:
            return None
        device, verifier = new_device(
            str(named["DeviceKey"]), str(named.get("DeviceGroupKey") or ""), self._user
        )
        try:
            self._issuer.confirm_device(device, verifier, access_token, platform.node() or "this machine")
        except (ApiError, CognitoCredentialsError) as error:
            why = error.message or error.code  # the tokens are valid without the device
        else:
            return device
        self.warnings.append(
            f"The user pool remembers devices, but not this one: {why}. The sign-in may end within the hour."
        )
        return None

    def _respond(self, question: Question, responses: Mapping[str, str | Secret]) -> dict[str, Any]:
        session = question.asked.get("Session")
        # With every answer, or the pool names this machine as a new device once more.
        device = {"DEVICE_KEY": self._device.key} if self._device is not None else {}
        try:
            return self._issuer.api.call(
                "RespondToAuthChallenge",
                {
                    "ClientId": self._client_id,
                    "ChallengeName": question.challenge,
                    "ChallengeResponses": {"USERNAME": self._user, **device, **responses},
                    **({"Session": session} if session else {}),
                },
                is_taken_once=True,  # the pool counts wrong passwords and codes
            )
        except ApiError as error:
            # The same code means that the app client does not exist.
            if not device or error.code != "ResourceNotFoundException" or "evice" not in error.message:
                raise
        raise _UnknownDevice

    def _cannot(self, challenge: str, asked: dict[str, Any]) -> RefusedError:
        offered = [clean(name, 40) for name in _names(challenge, asked)] if challenge in _CHOICES else []
        what = " or ".join(offered) or clean(challenge, 40)
        is_passkey = "WEB_AUTHN" in (challenge, *offered)
        return RefusedError(
            f"the user pool asks for {what}"
            + (" (a passkey), which only a browser can do" if is_passkey else ", which cannot be done here"),
            hint=self._browser_hint(challenge),
            topic="E-PASSWORD",
        )

    def _browser_hint(self, challenge: str = "") -> str:
        """Return the hint for a challenge that cannot be answered here: the pool's pages may know it."""
        if challenge == "CUSTOM_CHALLENGE":
            # Source: Amazon Cognito developer guide, "Custom authentication challenge Lambda triggers".
            return "No sign-in page of Cognito knows the pool's own challenges either: ask its owner"
        if self._issuer.has_pages():
            return "Sign in with a browser: way='browser' in Python, --browser on the command line"
        return "The user pool has no sign-in pages for a browser either: ask its owner for a domain"


def _explained(error: Exception) -> CognitoCredentialsError:
    if isinstance(error, CognitoCredentialsError):
        return error.with_traceback(None)
    if isinstance(error, ApiError):
        return error.explained()
    return RefusedError(
        f"the user pool's answer makes no sense ({type(error).__name__})",
        hint="Ask whoever runs the user pool",
        topic="E-PASSWORD",
    )


def _names(challenge: str, asked: Mapping[str, Any]) -> list[str]:
    """Return the factors that the pool offers, by AWS's names."""
    if challenge == "SELECT_CHALLENGE":
        found = asked.get("AvailableChallenges")
        return [name for name in found if isinstance(name, str)][:20] if isinstance(found, list) else []
    parameters = asked.get("ChallengeParameters") or {}
    return _texts(parameters.get("MFAS_CAN_CHOOSE")) or ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]


def _offered(challenge: str, asked: Mapping[str, Any]) -> dict[str, str]:
    """Return those of the factors that can be given here: our kind -> AWS's name."""
    return {_KINDS[name]: name for name in _names(challenge, asked) if name in _KINDS}


def _texts(value: object) -> list[str]:
    try:
        found = json.loads(value) if isinstance(value, str) else []
    except ValueError:
        return []
    return [item for item in found if isinstance(item, str)][:20] if isinstance(found, list) else []
