"""
Signing in to a user pool with user name and password. The password is proven without being sent (SRP).

The challenges that can follow are answered here: a code, a new password, the proof that this is a remembered
device. What the person types stays a `Secret` in every variable, and goes only into the answer.

A pool that remembers devices names this machine when somebody signs in, and binds the refresh token to it. So
the device is confirmed at once, and stored beside the token. In a pool where users choose whether a device is
remembered ("opt-in"), it is confirmed and not remembered: codes are still asked for.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import (
    CognitoCredentialsError,
    LoginRejectedError,
    LoginRequiredError,
    RefusedError,
    clean,
    replaced,
)
from ...secret import Secret
from ..issuers.user_pool import UserPoolIssuer
from ..issuers.user_pool_api import ApiError
from .prompt import checked
from .srp import SrpProof, new_device

if TYPE_CHECKING:
    from ..issuers.tokens import Device, Tokens, Verified
    from .prompt import Prompt

TRIES: Final = 3
"""For each question. After five wrong passwords a user pool locks the user out for a while."""
_MOST_STEPS: Final = 10
_CODES: Final = {
    "SMS_MFA": ("SMS_MFA_CODE", "Code from the text message"),
    "EMAIL_OTP": ("EMAIL_OTP_CODE", "Code from the e-mail"),
    "SOFTWARE_TOKEN_MFA": ("SOFTWARE_TOKEN_MFA_CODE", "Code from your authenticator app"),
}


class _UnknownDevice(Exception):  # noqa: N818  (no error: signing in begins again without the device)
    """The pool has forgotten the device, or refuses its proof."""


class PasswordSignIn:
    """
    One sign-in at a user pool.

    Args:
        device: The device that the pool may remember this machine as.
    """

    def __init__(
        self,
        issuer: UserPoolIssuer,
        client_id: str,
        prompt: Prompt,
        device: Device | None = None,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._prompt = checked(prompt)
        self._remembered = device
        self._device: Device | None = None
        self._user = ""

    def run(self, username: str | None = None) -> Verified:
        """
        Sign in.

        Args:
            username: The person is asked for it if None.

        Raises:
            LoginRejectedError: User name, password or code was wrong three times.
            LoginRequiredError: There is no terminal to ask on, or the person gave up.
            ServiceError: The pool does not answer.
            RefusedError: The pool asks for what cannot be done here.
            ConfigurationError: The app client cannot be used.
        """
        if not self._prompt.can_ask:
            raise LoginRequiredError(
                "there is no terminal to ask for the password on",
                hint="Sign in on a terminal, or with a browser",
            )
        # The frames of any error in here have in them what was typed, and tokens.
        with replaced(Exception, by=self._explained):
            tokens = self._tokens(username)
        return self._issuer.verified(tokens)

    def _tokens(self, username: str | None) -> Tokens:
        answer: dict[str, Any] | None = None
        wrong: ApiError | None = None
        refused: list[tuple[str, Secret]] = []
        for left in range(TRIES - 1, -1, -1):
            self._device = None  # the user name before may have been another user's
            name = username or _user_name(self._prompt)
            password = self._prompt.ask_secret("Password")
            try:
                if wrong is not None and (name, password) in refused:
                    # A form gives the same again without asking anybody. Each try counts for the lock-out.
                    raise wrong
                answer = self._answered(name, password)
                break
            except ApiError as error:
                if not left or not error.is_wrong_password:
                    raise
                wrong = error
            refused.append((name, password))
            self._prompt.say("The user name or the password is wrong; try again.")
        assert answer is not None  # noqa: S101  (for the type checker; the last try raises or breaks)
        tokens = self._issuer.tokens_of(answer)
        return tokens._replace(device=self._confirmed(answer, tokens) or self._device)

    def _answered(self, name: str, password: Secret) -> dict[str, Any]:
        with contextlib.suppress(_UnknownDevice):
            return self._converse(name, password)
        # An administrator or the user has removed the device at the pool: this machine is a new device now.
        self._remembered = self._device = None
        return self._converse(name, password)

    def _converse(self, name: str, password: Secret) -> dict[str, Any]:
        answer = self._prove(name, password)
        for _ in range(_MOST_STEPS):
            challenge = answer.get("ChallengeName")
            if not challenge:
                return answer
            answer = self._answer(str(challenge), answer)
        raise RefusedError("the user pool asks for more after every answer", hint=self._browser_hint())

    def _prove(self, username: str, password: Secret) -> dict[str, Any]:
        """Begin the sign-in, and prove the password."""
        proof = SrpProof(self._issuer.pool_name, password)
        self._user = username
        asked = self._issuer.api.call(
            "InitiateAuth",
            lambda: {
                "AuthFlow": "USER_SRP_AUTH",
                "AuthParameters": {"USERNAME": username, "SRP_A": proof.public_value},
                "ClientId": self._client_id,
            },
        )
        if asked.get("ChallengeName") != "PASSWORD_VERIFIER":
            return asked
        parameters = asked.get("ChallengeParameters") or {}
        # The pool's own name of the user, where the person typed an e-mail address. Not every pool repeats it
        # in the next challenge.
        self._user = str(parameters.get("USER_ID_FOR_SRP") or username)
        if self._remembered is not None and self._remembered.username == self._user:
            self._device = self._remembered
        proven = proof.answer(self._user, parameters, self._issuer.api.now(asked))
        name = str(parameters.get("USERNAME") or self._user)
        return self._respond("PASSWORD_VERIFIER", asked, {**proven, "USERNAME": name})

    def _answer(self, challenge: str, asked: dict[str, Any]) -> dict[str, Any]:
        parameters = asked.get("ChallengeParameters") or {}
        self._user = str(parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or self._user)
        if challenge in _CODES:
            return self._with_code(challenge, asked)
        if challenge == "SELECT_MFA_TYPE":
            return self._respond(challenge, asked, {"ANSWER": self._choose(parameters)})
        if challenge == "NEW_PASSWORD_REQUIRED":
            return self._with_new_password(asked)
        if challenge == "DEVICE_SRP_AUTH" and self._device is not None:
            return self._with_device(asked, self._device)
        raise RefusedError(
            f"the user pool asks for {clean(challenge, 40)}, which cannot be done on the terminal",
            hint=self._browser_hint(challenge),
        )

    def _with_code(self, challenge: str, asked: dict[str, Any]) -> dict[str, Any]:
        parameter, question = _CODES[challenge]
        sent_to = (asked.get("ChallengeParameters") or {}).get("CODE_DELIVERY_DESTINATION")
        if sent_to:
            self._prompt.say(f"A code was sent to {clean(str(sent_to), 60)}.")
        wrong: ApiError | None = None
        refused: list[Secret] = []
        for left in range(TRIES - 1, -1, -1):
            code = Secret(self._prompt.ask_secret(question).reveal().strip())
            try:
                if wrong is not None and code in refused:
                    raise wrong
                return self._respond(challenge, asked, {parameter: code})
            except ApiError as error:
                if error.code != "CodeMismatchException" or not left:
                    raise
                wrong = error
            refused.append(code)
            self._prompt.say("That code is wrong; try again.")
        raise AssertionError  # the last try raises or returns

    def _with_new_password(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._prompt.say("The user pool asks for a new password.")
        responses: dict[str, str | Secret] = {"NEW_PASSWORD": _new_password(self._prompt)}
        for attribute in _texts((asked.get("ChallengeParameters") or {}).get("requiredAttributes")):
            # A name or a telephone number is kept out of logs and errors, too.
            responses[attribute] = Secret(
                self._prompt.ask(clean(attribute.removeprefix("userAttributes."), 60))
            )
        return self._respond("NEW_PASSWORD_REQUIRED", asked, responses)

    def _with_device(self, asked: dict[str, Any], device: Device) -> dict[str, Any]:
        """Prove that this is the device that the pool remembers; the pool may then ask for no code."""
        proof = SrpProof(device.group_key, device.password)
        try:
            begun = self._respond("DEVICE_SRP_AUTH", asked, {"SRP_A": proof.public_value})
            if begun.get("ChallengeName") != "DEVICE_PASSWORD_VERIFIER":
                return begun
            parameters = begun.get("ChallengeParameters") or {}
            proven = proof.answer(device.key, parameters, self._issuer.api.now(begun))
            return self._respond("DEVICE_PASSWORD_VERIFIER", begun, proven)
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
        self._prompt.say(
            f"The user pool remembers devices, but not this one: {why}. The sign-in may end within the hour."
        )
        return None

    def _choose(self, parameters: dict[str, Any]) -> str:
        choices = _texts(parameters.get("MFAS_CAN_CHOOSE")) or ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
        return _choice(self._prompt, "How do you want to prove that it is you", choices)

    def _respond(
        self, challenge: str, asked: dict[str, Any], responses: Mapping[str, str | Secret]
    ) -> dict[str, Any]:
        session = asked.get("Session")
        # With every answer, or the pool names this machine as a new device once more.
        device = {"DEVICE_KEY": self._device.key} if self._device is not None else {}
        sent = {"USERNAME": self._user, **device, **responses}
        try:
            return self._issuer.api.call(
                "RespondToAuthChallenge",
                lambda: {
                    "ClientId": self._client_id,
                    "ChallengeName": challenge,
                    "ChallengeResponses": {name: _clear(value) for name, value in sent.items()},
                    **({"Session": _clear(session)} if session else {}),
                },
            )
        except ApiError as error:
            # The same code means that the app client does not exist.
            if not device or error.code != "ResourceNotFoundException" or "evice" not in error.message:
                raise
        raise _UnknownDevice

    def _explained(self, error: Exception) -> Exception | None:
        if isinstance(error, EOFError):
            return LoginRequiredError("signing in was given up", hint="Sign in again")
        if error is self._prompt.failure:
            return None
        if isinstance(error, CognitoCredentialsError):
            return error.with_traceback(None)
        if isinstance(error, ApiError):
            return error.explained()
        return RefusedError(
            f"the user pool's answer makes no sense ({type(error).__name__})",
            hint="Ask whoever runs the user pool",
        )

    def _browser_hint(self, challenge: str = "") -> str:
        """Return the hint for a challenge that cannot be answered here: the pool's pages may know it."""
        if challenge == "CUSTOM_CHALLENGE":
            # Source: Amazon Cognito developer guide, "Custom authentication challenge Lambda triggers".
            return "No sign-in page of Cognito knows the pool's own challenges either: ask its owner"
        if self._issuer.has_pages():
            return "Sign in with a browser: way='browser' in Python, --browser on the command line"
        return "The user pool has no sign-in pages for a browser either: ask its owner for a domain"


def _clear(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _texts(value: object) -> list[str]:
    try:
        found = json.loads(value) if isinstance(value, str) else []
    except ValueError:
        return []
    return [item for item in found if isinstance(item, str)][:20] if isinstance(found, list) else []


def _user_name(prompt: Prompt) -> str:
    for _ in range(TRIES):
        name = prompt.ask("User name").strip()
        if name:
            return name
        prompt.say("The user name is empty; try again.")
    raise EOFError


def _choice(prompt: Prompt, question: str, choices: list[str]) -> str:
    """Ask for one of *choices*, by number or name."""
    shown = ", ".join(f"{number} = {clean(name, 40)}" for number, name in enumerate(choices, 1))
    for _ in range(TRIES):
        answer = prompt.ask(f"{question} ({shown})")
        if answer.isascii() and answer.isdigit() and 1 <= int(answer[:3]) <= len(choices):
            return choices[int(answer[:3]) - 1]
        if answer in choices:
            return answer
    raise EOFError


def _new_password(prompt: Prompt) -> Secret:
    for left in range(TRIES - 1, -1, -1):
        new = prompt.ask_secret("New password")
        if new == prompt.ask_secret("The new password again"):
            return new
        if left:
            prompt.say("The two new passwords differ; try again.")
    raise LoginRejectedError("the two new passwords differ", hint="Sign in again")
