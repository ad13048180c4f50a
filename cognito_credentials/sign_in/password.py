"""
Signing in to a user pool on the terminal: the password proves itself without being sent (SRP).

The arithmetic is pycognito's; the conversation is here. Whatever the pool asks next (a code, another
password) is asked on the terminal, and nothing typed there goes anywhere but into the answer.

Imports `interaction`, `user_pool`; pycognito when somebody signs in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from ..errors import CognitoCredentialsError, LoginRejectedError, LoginRequiredError, RefusedError, clean
from .user_pool import ApiError, UserPoolIssuer

if TYPE_CHECKING:
    from ..clock import Clock
    from ..secret import Secret
    from .interaction import Prompt
    from .issuer import Verified

_CODE_TRIES: Final = 3
_MOST_STEPS: Final = 10
_CODES: Final = {
    "SMS_MFA": ("SMS_MFA_CODE", "Code from the text message"),
    "EMAIL_OTP": ("EMAIL_OTP_CODE", "Code from the e-mail"),
    "SOFTWARE_TOKEN_MFA": ("SOFTWARE_TOKEN_MFA_CODE", "Code from your authenticator app"),
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SAID: Final = {
    "NotAuthorizedException": "the user name or the password is wrong",
    "UserNotFoundException": "the user name or the password is wrong",
    "UserNotConfirmedException": "this user has not confirmed the e-mail address or telephone number yet",
    "PasswordResetRequiredException": "the password must be reset first",
    "InvalidPasswordException": "the new password is not good enough",
    "CodeMismatchException": "the code is wrong",
    "ExpiredCodeException": "the code has expired",
}
"""The first two alike: whether a user exists is nobody's business."""


class PasswordSignIn:
    """
    One conversation with a user pool.

    Args:
        issuer: The user pool.
        user_pool_id: Its id; the part behind the region is in the proof.
        client_id: The app client.
        prompt: Who signs in.
        clock: This machine's clocks; the proof has the time in it.
    """

    def __init__(
        self, issuer: UserPoolIssuer, user_pool_id: str, client_id: str, prompt: Prompt, clock: Clock
    ) -> None:
        self._issuer = issuer
        self._user_pool_id = user_pool_id
        self._client_id = client_id
        self._prompt = prompt
        self._clock = clock

    def run(self, username: str | None = None) -> Verified:
        """
        Sign in.

        Args:
            username: Who; asked for if None.

        Raises:
            LoginRejectedError: User name, password or code is wrong.
            LoginRequiredError: There is no terminal to ask on.
            CognitoCredentialsError: The pool asks for what cannot be done here, or does not answer.
        """
        if not self._prompt.can_ask:
            raise LoginRequiredError(
                "there is no terminal to ask for the password on", hint="sign in on a terminal, or --browser"
            )
        problem: Exception = LoginRequiredError("signing in was given up", hint="run the login again")
        try:
            tokens = self._issuer.tokens_of(self._converse(username))
        except EOFError:
            pass
        except ApiError as error:
            problem = self._explained(error)
        except CognitoCredentialsError as error:
            problem = error.with_traceback(None)
            problem.__context__ = None
        else:
            return self._issuer.verified(tokens)
        # Out here, since the frames of the inner error have in them what was typed.
        raise problem

    def _converse(self, username: str | None) -> dict[str, Any]:
        name = username or self._prompt.ask("User name")
        answer = self._prove(name, self._prompt.ask_secret("Password"))
        for _ in range(_MOST_STEPS):
            challenge = answer.get("ChallengeName")
            if not challenge:
                return answer
            answer = self._answer(str(challenge), answer, name)
        raise RefusedError("the user pool asks for ever more to sign in", hint="use --browser")

    def _prove(self, username: str, password: Secret) -> dict[str, Any]:
        """Prove the password (SRP-6a as user pools have it)."""
        proof = SrpProof(self._user_pool_id, self._client_id, username, password)
        asked = self._issuer.call(
            "initiate_auth",
            lambda: {
                "AuthFlow": "USER_SRP_AUTH",
                "AuthParameters": proof.begin(),
                "ClientId": self._client_id,
            },
        )
        if asked.get("ChallengeName") != "PASSWORD_VERIFIER":
            return asked
        responses = proof.answer(asked.get("ChallengeParameters") or {}, self._clock.wall())
        return self._respond("PASSWORD_VERIFIER", asked, responses)

    def _answer(self, challenge: str, asked: dict[str, Any], username: str) -> dict[str, Any]:
        parameters = asked.get("ChallengeParameters") or {}
        name = str(parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or username)
        if challenge in _CODES:
            return self._with_code(challenge, asked, name)
        if challenge == "SELECT_MFA_TYPE":
            return self._respond(challenge, asked, {"USERNAME": name, "ANSWER": self._choose(parameters)})
        if challenge == "NEW_PASSWORD_REQUIRED":
            return self._with_new_password(asked, name)
        raise RefusedError(
            f"the user pool asks for {clean(challenge, 40)}, which cannot be done on the terminal",
            hint="use --browser",
        )

    def _with_code(self, challenge: str, asked: dict[str, Any], name: str) -> dict[str, Any]:
        parameter, question = _CODES[challenge]
        sent_to = (asked.get("ChallengeParameters") or {}).get("CODE_DELIVERY_DESTINATION")
        if sent_to:
            self._prompt.say(f"A code was sent to {clean(str(sent_to), 60)}.")
        for left in range(_CODE_TRIES - 1, -1, -1):
            code = self._prompt.ask_secret(question)
            try:
                return self._respond(challenge, asked, {"USERNAME": name, parameter: code.reveal().strip()})
            except ApiError as error:
                if error.code != "CodeMismatchException" or not left:
                    raise
            self._prompt.say("That code is wrong; try again.")
        raise AssertionError  # the last try raises or returns

    def _with_new_password(self, asked: dict[str, Any], name: str) -> dict[str, Any]:
        self._prompt.say("The user pool asks for a new password.")
        new = self._prompt.ask_secret("New password")
        if new != self._prompt.ask_secret("The new password again"):
            raise LoginRejectedError("the two new passwords differ", hint="run the login again")
        responses = {"USERNAME": name, "NEW_PASSWORD": new.reveal()}
        for attribute in _required_attributes(asked):
            value = self._prompt.ask(clean(attribute.removeprefix("userAttributes."), 60))
            responses[attribute] = value
        return self._respond("NEW_PASSWORD_REQUIRED", asked, responses)

    def _choose(self, parameters: dict[str, Any]) -> str:
        choices = _texts(parameters.get("MFAS_CAN_CHOOSE")) or ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
        shown = ", ".join(f"{number} = {clean(name, 40)}" for number, name in enumerate(choices, 1))
        while True:
            answer = self._prompt.ask(f"How do you want to prove that it is you ({shown})")
            if answer.isascii() and answer.isdigit() and 1 <= int(answer[:3]) <= len(choices):
                return choices[int(answer[:3]) - 1]
            if answer in choices:
                return answer

    def _respond(self, challenge: str, asked: dict[str, Any], responses: dict[str, str]) -> dict[str, Any]:
        session = {"Session": asked["Session"]} if asked.get("Session") else {}
        return self._issuer.call(
            "respond_to_auth_challenge",
            lambda: {
                "ClientId": self._client_id,
                "ChallengeName": challenge,
                "ChallengeResponses": responses,
                **session,
            },
        )

    def _explained(self, refused: ApiError) -> Exception:
        said = _SAID.get(refused.code)
        # A locked user, or a client with a secret, comes under the same code as a wrong password.
        is_usual = refused.code != "NotAuthorizedException" or "ncorrect username" in refused.message
        if said and is_usual:
            why = f": {refused.message}" if refused.code == "InvalidPasswordException" else ""
            return LoginRejectedError(said + why, hint="run the login again", code=refused.code)
        return refused.explained()


class SrpProof:
    """
    The client's half of SRP: what to send, and the proof for what comes back.

    Args:
        user_pool_id: ``REGION_name``.
        client_id: The app client.
        username: Who.
        password: Never leaves this object but in the proof.

    Source: amazon-cognito-identity-js, AuthenticationHelper; RFC 5054 for the group of 3072 bits.
    """

    def __init__(self, user_pool_id: str, client_id: str, username: str, password: Secret) -> None:
        from pycognito.aws_srp import AWSSRP

        # Any object for the client: the conversation is ours, and without one it would make a signed client.
        self._srp = AWSSRP(username, password.reveal(), user_pool_id, client_id, client=object())
        self._pool_name = user_pool_id.partition("_")[2]
        self._username = username
        self._password = password

    def begin(self) -> dict[str, str]:
        """Return what starts the conversation: the user, and the public half of a random number."""
        return dict(self._srp.get_auth_params())

    def answer(self, parameters: dict[str, Any], now: float) -> dict[str, str]:
        """
        Prove the password.

        Args:
            parameters: ``SRP_B``, ``SALT``, ``SECRET_BLOCK``, ``USER_ID_FOR_SRP`` of the challenge.
            now: Seconds since the epoch.

        Raises:
            RefusedError: The server's half is missing, or one that would give the password away.
        """
        try:
            user = str(parameters["USER_ID_FOR_SRP"])
            server_value = int(parameters["SRP_B"], 16)
            salt, block = str(parameters["SALT"]), str(parameters["SECRET_BLOCK"])
            secret_block = base64.b64decode(block)
            if server_value % self._srp.big_n == 0:  # then the key would not depend on the password
                raise ValueError
            key = self._srp.get_password_authentication_key(user, self._password.reveal(), server_value, salt)
        except (KeyError, ValueError, TypeError):
            key = None
        if key is None:
            raise RefusedError(
                "the user pool's half of the password proof is wrong", hint="check cognito_user_pool_id"
            )
        timestamp = _timestamp(now)
        message = (self._pool_name + user).encode("utf-8") + secret_block + timestamp.encode("ascii")
        signature = hmac.new(bytes(key), message, hashlib.sha256).digest()
        return {
            "USERNAME": str(parameters.get("USERNAME") or self._username),
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode("ascii"),
        }


def _timestamp(now: float) -> str:
    """Write the time as the proof has it, in English whatever the locale: ``Mon Nov 3 09:05:00 UTC 2025``."""
    moment = datetime.fromtimestamp(int(now), timezone.utc)
    return (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day} "
        f"{moment:%H:%M:%S} UTC {moment.year}"
    )


def _required_attributes(asked: dict[str, Any]) -> list[str]:
    return _texts((asked.get("ChallengeParameters") or {}).get("requiredAttributes"))


def _texts(value: object) -> list[str]:
    import json

    try:
        found = json.loads(value) if isinstance(value, str) else []
    except ValueError:
        return []
    return [item for item in found if isinstance(item, str)][:20] if isinstance(found, list) else []
