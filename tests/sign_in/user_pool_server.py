"""
A user pool on this machine that really does its half of SRP.

Neither moto nor cognito-local does: the one takes any proof, the other has no SRP. The arithmetic is written
from the protocol (RFC 5054 with Cognito's key derivation), not from the client's library, so that a wrong
belief cannot hide in both. Refresh tokens rotate if asked to; each is used up by its use.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT = "1example23456789client"
MFA_CODE = "314159"
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)


def _bytes(number: int) -> bytes:
    """A number as two's complement would write it: never negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


K = _hash(_bytes(N), b"\x02")


class RefusedError(Exception):
    """An error of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class User:
    """A user: the verifier of a password, and what else is asked."""

    def __init__(self, name: str, password: str, challenges: list[str]) -> None:
        self.name, self.subject, self.challenges = name, f"sub-{name}", challenges
        self.new_password = ""
        self.set_password(password)

    def set_password(self, password: str) -> None:
        self.salt = secrets.randbits(128)
        inner = hashlib.sha256(f"{POOL.partition('_')[2]}{self.name}:{password}".encode()).digest()
        self.verifier = pow(2, _hash(_bytes(self.salt), inner), N)


class UserPoolServer:
    """The user pools API, keys and a hosted UI that signs in *ann* without asking."""

    def __init__(self, *, rotates: bool = False, has_new_refresh: bool = True) -> None:
        self.rotates, self.has_new_refresh = rotates, has_new_refresh
        self.users: dict[str, User] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.fails: dict[str, tuple[str, str]] = {}
        self.server_value: int | None = None
        self.token_changes: dict[str, Any] = {}
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
            return self._refreshed(parameters["REFRESH_TOKEN"])
        user = self.users.get(parameters["USERNAME"])
        if user is None:
            raise RefusedError("NotAuthorizedException", "Incorrect username or password.")
        b = secrets.randbits(1024)
        value = (K * user.verifier + pow(2, b, N)) % N if self.server_value is None else self.server_value
        block = secrets.token_bytes(64)
        session = {"user": user, "A": int(parameters["SRP_A"], 16), "b": b, "B": value, "block": block}
        asked = {
            "USERNAME": user.name,
            "USER_ID_FOR_SRP": user.name,
            "SALT": f"{user.salt:x}",
            "SRP_B": f"{value:x}",
            "SECRET_BLOCK": base64.b64encode(block).decode(),
        }
        return self._ask("PASSWORD_VERIFIER", session, asked)

    def _respond(self, body: dict[str, Any]) -> dict[str, Any]:
        responses, name = body["ChallengeResponses"], body["ChallengeName"]
        session = self._sessions[body["Session"]]
        user: User = session["user"]
        if name == "PASSWORD_VERIFIER":
            self._check_proof(session, responses)
            session["left"] = list(user.challenges)
        elif name == "NEW_PASSWORD_REQUIRED":
            user.set_password(responses["NEW_PASSWORD"])
            user.new_password = responses["NEW_PASSWORD"]
            assert responses["userAttributes.name"]
        elif name == "SELECT_MFA_TYPE":
            session["left"].insert(0, responses["ANSWER"])
        elif responses[f"{name}_CODE"] != MFA_CODE:
            raise RefusedError("CodeMismatchException", "Invalid code or auth state for the user.")
        if not session["left"]:
            return self._result(user, with_refresh=True)
        return self._next(session, session["left"].pop(0))

    def _next(self, session: dict[str, Any], name: str) -> dict[str, Any]:
        asked = {"USER_ID_FOR_SRP": session["user"].name, "CODE_DELIVERY_DESTINATION": "a***@e***"}
        if name == "SELECT_MFA_TYPE":
            asked["MFAS_CAN_CHOOSE"] = json.dumps(["SMS_MFA", "SOFTWARE_TOKEN_MFA"])
        if name == "NEW_PASSWORD_REQUIRED":
            asked["requiredAttributes"] = json.dumps(["userAttributes.name"])
        return self._ask(name, session, asked)

    def _check_proof(self, session: dict[str, Any], responses: dict[str, str]) -> None:
        user: User = session["user"]
        shared = pow(
            session["A"] * pow(user.verifier, u := _hash(_bytes(session["A"]), _bytes(session["B"])), N),
            session["b"],
            N,
        )
        key = HKDF(hashes.SHA256(), 16, _bytes(u), b"Caldera Derived Key").derive(_bytes(shared))
        message = POOL.partition("_")[2].encode() + user.name.encode() + session["block"]
        proof = hmac.new(key, message + responses["TIMESTAMP"].encode(), hashlib.sha256).digest()
        moment = time.strptime(responses["TIMESTAMP"], "%a %b %d %H:%M:%S UTC %Y")
        assert abs(calendar.timegm(moment) - time.time()) < 300
        given = base64.b64decode(responses["PASSWORD_CLAIM_SIGNATURE"])
        if not hmac.compare_digest(proof, given):
            raise RefusedError("NotAuthorizedException", "Incorrect username or password.")

    def _refresh(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._refreshed(body["RefreshToken"])

    def _revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        self.refresh_tokens.pop(body["Token"], None)
        return {}

    def _refreshed(self, token: str) -> dict[str, Any]:
        name = self.refresh_tokens.pop(token, "") if self.rotates else self.refresh_tokens.get(token, "")
        if not name:
            raise RefusedError("NotAuthorizedException", "Refresh Token has been revoked")
        return self._result(self.users[name], with_refresh=self.rotates)

    def _result(self, user: User, *, with_refresh: bool, nonce: str | None = None) -> dict[str, Any]:
        result = {"IdToken": self.id_token(user, nonce), "AccessToken": "CANARY-access", "ExpiresIn": 3600}
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
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
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
