"""
A user pool on this machine that does the server's half of SRP.

Neither moto nor cognito-local does: the one takes any proof, the other has no SRP. Refresh tokens rotate if
asked to; each is used up by its use. A pool that remembers devices names each new one, binds the refresh
token to it, takes it only with the key of a device that was confirmed, and has one that comes back prove
itself. A session ends with the answer that is accepted, after three wrong codes, and after three minutes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .srp_server import Exchange, Verifier

POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT = "1example23456789client"
MFA_CODE = "314159"
SESSION_SECONDS = 180
GROUP = POOL.partition("_")[2]


class RefusedError(Exception):
    """An error of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class User:
    """A user: the verifier of a password, what else is asked, and the devices that were confirmed."""

    def __init__(self, name: str, password: str, challenges: list[str]) -> None:
        self.name, self.subject, self.challenges = name, f"sub-{name}", challenges
        self.first_factors = ["PASSWORD", "PASSWORD_SRP"]
        self.new_password = ""
        self.devices: dict[str, Verifier] = {}
        self.set_password(password)

    def set_password(self, password: str) -> None:
        self.verifier = Verifier.of_password(GROUP, self.name, password)


class UserPoolServer:
    """The user pools API, keys and a hosted UI that signs in *ann* without asking."""

    def __init__(
        self, *, rotates: bool = False, has_new_refresh: bool = True, remembers: bool = False
    ) -> None:
        self.rotates, self.has_new_refresh, self.remembers = rotates, has_new_refresh, remembers
        self.users: dict[str, User] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.access_tokens: dict[str, str] = {}
        self.named_devices: dict[str, str] = {}
        """Device key to its group key; before it is confirmed, too."""
        self._bound: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.fails: dict[str, tuple[str, str]] = {}
        self.server_value: int | None = None
        self.has_domain = True
        self.token_changes: dict[str, Any] = {}
        self.flows = {"USER_SRP_AUTH", "USER_AUTH", "REFRESH_TOKEN_AUTH"}
        self.shortest_password = 3
        self.clock: Callable[[], float] = time.time
        """For the age of sessions."""
        self.asks_again_by_answer = False
        """Whether a wrong code is answered with the same challenge and a new session, not with an error."""
        self._sessions: dict[str, dict[str, Any]] = {}
        self._codes: dict[str, dict[str, str]] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def add(self, name: str, password: str, *challenges: str) -> User:
        self.users[name] = User(name, password, list(challenges))
        return self.users[name]

    def operation(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((name, body))
        if name in self.fails:
            raise RefusedError(*self.fails[name])
        operations = {
            "InitiateAuth": self._begin,
            "RespondToAuthChallenge": self._respond,
            "RevokeToken": self._revoke,
            "ConfirmDevice": self._confirm_device,
            "ForgetDevice": self._forget_device,
            **({"GetTokensFromRefreshToken": self._refresh} if self.has_new_refresh else {}),
        }
        if name not in operations:
            raise RefusedError("UnknownOperationException", "")
        return operations[name](body)

    def _begin(self, body: dict[str, Any]) -> dict[str, Any]:
        parameters = body["AuthParameters"]
        if body["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            if self.rotates:
                raise RefusedError(
                    "InvalidParameterException", "REFRESH_TOKEN_AUTH is not enabled for the client."
                )
            return self._refreshed(parameters["REFRESH_TOKEN"], parameters.get("DEVICE_KEY"))
        if body["AuthFlow"] not in self.flows:
            raise RefusedError(
                "InvalidParameterException", f"{body['AuthFlow']} is not enabled for the client."
            )
        user = self.users.get(parameters["USERNAME"])
        if user is None:
            raise RefusedError("NotAuthorizedException", "Incorrect username or password.")
        session: dict[str, Any] = {"user": user, "left": list(user.challenges), "device": None, "wrong": 0}
        if body["AuthFlow"] == "USER_AUTH":
            preferred = parameters.get("PREFERRED_CHALLENGE")
            return self._first_factor(session, preferred, parameters)
        return self._srp(session, parameters)

    def _srp(self, session: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
        user = session["user"]
        session["proof"] = proof = Exchange(user.verifier, parameters["SRP_A"], self.server_value)
        asked = {"USERNAME": user.name, "USER_ID_FOR_SRP": user.name, **proof.asked()}
        return self._ask("PASSWORD_VERIFIER", session, asked)

    def _first_factor(
        self, session: dict[str, Any], chosen: str | None, parameters: dict[str, str]
    ) -> dict[str, Any]:
        user = session["user"]
        if chosen not in user.first_factors:
            answer = self._ask("SELECT_CHALLENGE", session, {"USERNAME": user.name})
            return {**answer, "AvailableChallenges": user.first_factors}
        if chosen == "PASSWORD_SRP" and "SRP_A" in parameters:
            return self._srp(session, parameters)
        return self._next(session, chosen)

    def _session(self, token: str) -> dict[str, Any]:
        session = self._sessions.get(token)
        if session is None:
            raise RefusedError("NotAuthorizedException", "Invalid session for the user.")
        if self.clock() > session["until"]:
            raise RefusedError("NotAuthorizedException", "Invalid session for the user, session is expired.")
        return session

    def _respond(self, body: dict[str, Any]) -> dict[str, Any]:
        session = self._session(body["Session"])
        answer = self._answered(session, body)
        self._sessions.pop(body["Session"], None)  # what was accepted is not accepted again
        return answer

    def _answered(self, session: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        responses, name = body["ChallengeResponses"], body["ChallengeName"]
        user: User = session["user"]
        session["device"] = responses.get("DEVICE_KEY")
        if session["device"] is not None and session["device"] not in user.devices:
            raise RefusedError("ResourceNotFoundException", "Device does not exist.")
        if name in ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"):
            if not session["proof"].is_proven(responses):
                raise RefusedError("NotAuthorizedException", "Incorrect username or password.")
            # A device that has proven itself stands for a code.
            is_known = name == "DEVICE_PASSWORD_VERIFIER"
            session["left"] = ["DEVICE_SRP_AUTH"] if session["device"] else list(user.challenges)
            session["left"] = [] if is_known else session["left"]
        elif name == "DEVICE_SRP_AUTH":
            session["proof"] = Exchange(user.devices[session["device"]], responses["SRP_A"])
            asked = {"USERNAME": user.name, "DEVICE_KEY": session["device"], **session["proof"].asked()}
            return self._ask("DEVICE_PASSWORD_VERIFIER", session, asked)
        elif name == "SELECT_CHALLENGE":
            return self._first_factor(session, responses["ANSWER"], responses)
        elif name == "PASSWORD_SRP":
            return self._srp(session, responses)
        elif name == "NEW_PASSWORD_REQUIRED":
            self._set_password(user, responses)
        elif name == "SELECT_MFA_TYPE":
            session["left"].insert(0, responses["ANSWER"])
        elif responses[f"{name}_CODE"] != MFA_CODE:
            return self._wrong_code(session, body)
        if not session["left"]:
            return self._signed_in(user, session["device"])
        return self._next(session, session["left"].pop(0))

    def _set_password(self, user: User, responses: dict[str, str]) -> None:
        if len(responses["NEW_PASSWORD"]) < self.shortest_password:
            raise RefusedError(
                "InvalidPasswordException",
                "Password does not conform to policy: Password not long enough",
            )
        user.set_password(responses["NEW_PASSWORD"])
        user.new_password = responses["NEW_PASSWORD"]
        assert responses["userAttributes.name"]

    def _wrong_code(self, session: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        session["wrong"] += 1
        if session["wrong"] >= 3:
            self._sessions.pop(body["Session"])
        if self.asks_again_by_answer:
            return self._next(session, body["ChallengeName"])
        raise RefusedError("CodeMismatchException", "Invalid code or auth state for the user.")

    def _next(self, session: dict[str, Any], name: str) -> dict[str, Any]:
        asked = {"USER_ID_FOR_SRP": session["user"].name, "CODE_DELIVERY_DESTINATION": "a***@e***"}
        if name == "SELECT_MFA_TYPE":
            asked["MFAS_CAN_CHOOSE"] = json.dumps(["SMS_MFA", "SOFTWARE_TOKEN_MFA"])
        if name == "NEW_PASSWORD_REQUIRED":
            asked["requiredAttributes"] = json.dumps(["userAttributes.name"])
        return self._ask(name, session, asked)

    def _signed_in(self, user: User, device: str | None) -> dict[str, Any]:
        answer = self._result(user, with_refresh=True)
        result = answer["AuthenticationResult"]
        if self.remembers and device is None:
            device, group = f"us-east-1_{uuid.uuid4()}", f"-{secrets.token_urlsafe(6)}"
            self.named_devices[device] = group
            result["NewDeviceMetadata"] = {"DeviceKey": device, "DeviceGroupKey": group}
        if device is not None:
            self._bound[result["RefreshToken"]] = device
        return answer

    def _confirm_device(self, body: dict[str, Any]) -> dict[str, Any]:
        user, key = self._owner(body), body["DeviceKey"]
        if key not in self.named_devices:
            raise RefusedError("ResourceNotFoundException", "Device does not exist.")
        group = self.named_devices[key]
        user.devices[key] = Verifier.of_device(group, key, body["DeviceSecretVerifierConfig"])
        assert body["DeviceName"]
        return {"UserConfirmationNecessary": False}

    def _forget_device(self, body: dict[str, Any]) -> dict[str, Any]:
        user, key = self._owner(body), body["DeviceKey"]
        if user.devices.pop(key, None) is None:
            raise RefusedError("ResourceNotFoundException", "Device does not exist.")
        return {}

    def _owner(self, body: dict[str, Any]) -> User:
        name = self.access_tokens.get(body["AccessToken"])
        if name is None:
            raise RefusedError("NotAuthorizedException", "Invalid Access Token")
        return self.users[name]

    def _refresh(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._refreshed(body["RefreshToken"], body.get("DeviceKey"))

    def _revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        self.refresh_tokens.pop(body["Token"], None)
        return {}

    def _refreshed(self, token: str, device: str | None) -> dict[str, Any]:
        name, bound = self.refresh_tokens.get(token, ""), self._bound.get(token)
        if not name:
            raise RefusedError("NotAuthorizedException", "Refresh Token has been revoked")
        if bound is not None and (bound != device or bound not in self.users[name].devices):
            raise RefusedError("NotAuthorizedException", "Invalid Refresh Token")
        answer = self._result(self.users[name], with_refresh=self.rotates)
        if self.rotates:
            del self.refresh_tokens[token]
            if bound is not None:
                self._bound[answer["AuthenticationResult"]["RefreshToken"]] = bound
        return answer

    def _result(self, user: User, *, with_refresh: bool, nonce: str | None = None) -> dict[str, Any]:
        access_token = f"CANARY-access-{secrets.token_hex(8)}"
        self.access_tokens[access_token] = user.name
        result = {"IdToken": self.id_token(user, nonce), "AccessToken": access_token, "ExpiresIn": 3600}
        if with_refresh:
            result["RefreshToken"] = f"CANARY-{secrets.token_hex(16)}"
            self.refresh_tokens[result["RefreshToken"]] = user.name
        return {"AuthenticationResult": result}

    def id_token(self, user: User, nonce: str | None = None) -> str:
        now = int(time.time())
        claims = {
            "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
            "aud": CLIENT,
            "token_use": "id",
            "sub": user.subject,
            "cognito:username": user.name,
            "iat": now,
            "exp": now + 3600,
            **({"nonce": nonce} if nonce else {}),
            **self.token_changes,
        }
        return jwt.encode(claims, self._key, "RS256", {"kid": "one"})

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any] | str]:
        here = f"{self.url}/{POOL}"
        if path == f"/{POOL}/.well-known/jwks.json":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
            return 200, {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == f"/{POOL}/.well-known/openid-configuration":
            places = {"token_endpoint": "token"}
            if self.has_domain:
                places["authorization_endpoint"] = "authorize"
            return 200, {
                "issuer": here,
                "jwks_uri": f"{here}/.well-known/jwks.json",
                **{name: f"{self.url}/oauth2/{place}" for name, place in places.items()},
            }
        if path == "/oauth2/authorize":
            code = secrets.token_hex(16)
            self._codes[code] = query
            answer = urllib.parse.urlencode({"code": code, "state": query["state"]})
            return 302, f"{query['redirect_uri']}?{answer}"
        return 404, {}

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or challenge.rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        result = self._result(self.users["ann"], with_refresh=True, nonce=asked["nonce"])
        given = result["AuthenticationResult"]
        names = {"id_token": "IdToken", "access_token": "AccessToken", "refresh_token": "RefreshToken"}
        return 200, {**{name: given[key] for name, key in names.items()}, "token_type": "Bearer"}

    def _ask(self, name: str, session: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
        token = secrets.token_hex(16)
        self._sessions[token] = session
        session["until"] = self.clock() + SESSION_SECONDS
        return {"ChallengeName": name, "Session": token, "ChallengeParameters": parameters}


def _handler(pool: UserPoolServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/oauth2/token":
                self._answer(*pool.token(dict(urllib.parse.parse_qsl(body.decode()))))
                return
            try:
                target = self.headers["X-Amz-Target"].partition(".")[2]
                self._answer(200, pool.operation(target, json.loads(body)))
            except RefusedError as error:
                self._answer(400, {"__type": error.code, "message": error.message})

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            self._answer(*pool.get(path, dict(urllib.parse.parse_qsl(query))))

        def _answer(self, status: int, content: dict[str, Any] | str) -> None:
            body = b"" if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            if isinstance(content, str):
                self.send_header("Location", content)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    return Handler
