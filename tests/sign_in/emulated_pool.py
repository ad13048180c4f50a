"""
A user pool of the emulator, as the tests of signing in use it.

The emulator does what a user pool does: SRP, codes, devices, refresh tokens, sign-in pages. What this adds is
for tests alone. It records the requests as they came, with nothing left out. It also makes a pool that lies:
`lies` changes what the emulator has answered, `odd_challenges` asks for what the emulator does not know, and
`documents` replaces what is at an address.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jwt

from cognito_credentials.emulator import Emulator, SigningKeys
from cognito_credentials.emulator.seed.entry import Entry
from cognito_credentials.emulator.seed.user_pools import describe_user
from cognito_credentials.emulator.stored import sign_ins, user_pools
from cognito_credentials.emulator.user_pools import totp
from cognito_credentials.emulator.wire.answers import Answer

POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT = "1example23456789client"
PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
CALLBACK_PORTS = (48124, 48125)
TOTP_SECRET = "CANARYCANARYCANARYCANARY2345"
DOCUMENT = f"/{POOL}/.well-known/openid-configuration"
KEYS = f"/{POOL}/.well-known/jwks.json"
_FACTORS = {"SMS_MFA": ("sms",), "EMAIL_OTP": ("email",), "SOFTWARE_TOKEN_MFA": ("totp",)}
_FACTORS["SELECT_MFA_TYPE"] = ("sms", "totp")
_OUTSIDE = ("CUSTOM_CHALLENGE", "WEB_AUTHN")

Lie = Callable[[dict[str, Any]], dict[str, Any]]


@functools.cache
def _keys() -> SigningKeys:
    """The keys of all pools of a test run: making them takes longer than a test."""
    return SigningKeys()


class PoolUser:
    """A user of the pool: what is asked beside the password, and the devices that were confirmed."""

    def __init__(self, pool: EmulatedPool, name: str) -> None:
        self._pool, self._name = pool, name

    @property
    def stored(self) -> user_pools.User:
        found = user_pools.find_user(self._pool.state, POOL, self._name)
        assert found
        return found

    @property
    def devices(self) -> dict[str, sign_ins.Device]:
        listed = sign_ins.list_devices(self._pool.state, POOL, self.stored.sub, 0, 100)
        return {device.key: device for _, device in listed if device.is_confirmed}

    def forget_devices(self) -> None:
        with self._pool.state.transaction():
            for key in self.devices:
                sign_ins.forget_device(self._pool.state, key)

    def spoil_device(self, key: str) -> None:
        """Have the pool know another password of the device."""
        device = self.devices[key]
        with self._pool.state.transaction():
            verifier = f"{int(device.verifier, 16) + 1:x}"
            sign_ins.save_device(self._pool.state, replace(device, verifier=verifier))

    def ask_for(self, *challenges: str) -> None:
        """
        Ask for *challenges* after the password, from now on.

        Args:
            challenges: Names as of ChallengeName. SELECT_MFA_TYPE is a choice of SMS and authenticator app,
                MFA_SETUP is asked of all users without a second factor, and what the emulator does not know
                is asked for by an answer of our own.
        """
        factors = tuple(factor for name in challenges for factor in _FACTORS.get(name, ()))
        attributes = dict(self.stored.attributes)
        if "sms" in factors:
            attributes.update(phone_number="+15555550123", phone_number_verified="true")
        if "email" in factors:
            attributes.update(email=f"a.{self._name}@example.com", email_verified="true")
        status = "FORCE_CHANGE_PASSWORD" if "NEW_PASSWORD_REQUIRED" in challenges else "CONFIRMED"
        secret = TOTP_SECRET if "totp" in factors else ""
        user = replace(self.stored, status=status, mfa=factors, attributes=attributes, totp_secret=secret)
        with self._pool.state.transaction():
            user_pools.save_user(self._pool.state, user)
        if "MFA_SETUP" in challenges:
            self._pool.change(mfa="on")
        outside = [name for name in challenges if name in _OUTSIDE]
        self._pool.odd_challenges[self._name] = outside[0] if outside else ""

    def set_attributes(self, **attributes: str) -> None:
        with self._pool.state.transaction():
            user = replace(self.stored, attributes={**self.stored.attributes, **attributes})
            user_pools.save_user(self._pool.state, user)

    def offer(self, *factors: str) -> None:
        """Offer exactly these first factors to every user; an emulator's pool itself knows no passkeys."""
        self.set_attributes(
            email=f"a.{self._name}@example.com", phone_number="+15555550123", email_verified="true"
        )
        known = {factor.removesuffix("_SRP") for factor in factors} & {"PASSWORD", "EMAIL_OTP", "SMS_OTP"}
        self._pool.change(first_factors=tuple(known))
        self._pool.offered = list(factors)


class EmulatedPool:
    """
    A running user pool, without users at first. Its app client is public.

    Args:
        emulator: The emulator that it is in; None starts one that `close` stops.
        rotates: Whether each use of a refresh token gives another one.
        has_new_refresh: Whether the pool has the operation GetTokensFromRefreshToken.
        remembers: Whether the pool remembers devices.

    Attributes:
        requests: The name and the body of each request of the user pools API, as they came.
        before: Called with both before a request is answered, in a thread of its own; it may wait.
        lies: Operation to a function that changes the members of what the emulator has answered.
        documents: Path to the status and the JSON that are there in place of the emulator's.
        token_changes: Claims that replace those of each ID token, well signed.
        offered: In place of the AvailableChallenges of each answer that has some.
    """

    def __init__(
        self,
        emulator: Emulator | None = None,
        *,
        rotates: bool = False,
        has_new_refresh: bool = True,
        remembers: bool = False,
    ) -> None:
        self._is_own = emulator is None
        self.emulator = emulator or Emulator(keys=_keys(), marker=True)
        if self._is_own:
            self.emulator.start()
        self.url = self.emulator.url
        self.state = self.emulator.service.state
        self.users: dict[str, PoolUser] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str, dict[str, Any]], object] = lambda *_: None
        self.lies: dict[str, Lie] = {}
        self.odd_challenges: dict[str, str] = {}
        self.documents: dict[str, tuple[int, dict[str, Any]]] = {}
        self.token_changes: dict[str, Any] = {}
        self.offered: list[str] = []
        self._faults: dict[str, dict[str, Any]] = {}
        self.emulator.create_user_pool(
            id=POOL,
            mfa="optional",
            devices="always" if remembers else "off",
            rotate_refresh_tokens=rotates,
            shortest_password=3,
            password_needs=[],
            required_attributes=["name"],
            clients=[
                {
                    "id": CLIENT,
                    "flows": ["USER_SRP_AUTH", "USER_AUTH", "REFRESH_TOKEN_AUTH"],
                    "callback_urls": [f"http://127.0.0.1:{port}/callback" for port in CALLBACK_PORTS],
                }
            ],
        )
        self._listen()
        if not has_new_refresh:
            self.lacks_new_refresh()

    def close(self) -> None:
        if self._is_own:
            self.emulator.stop()

    def add(self, name: str, password: str, *challenges: str) -> PoolUser:
        """Add a user, or describe one again; *challenges* are as of `PoolUser.ask_for`."""
        members = {"name": name, "password": password, "sub": f"sub-{name}"}
        with self.state.transaction():
            describe_user(self.emulator.service, Entry("", "add", members), self._described)
        user = self.users[name] = PoolUser(self, name)
        user.ask_for(*challenges)
        return user

    def change(self, **settings: Any) -> None:
        """Change settings of the pool, such as ``rotate_refresh_tokens``."""
        with self.state.transaction():
            user_pools.save_user_pool(self.state, replace(self._described, **settings))

    def change_client(self, **settings: Any) -> None:
        """Change settings of the app client, such as ``flows``."""
        client = user_pools.find_client(self.state, CLIENT)
        assert client
        with self.state.transaction():
            user_pools.save_client(self.state, replace(client, **settings))

    @property
    def _described(self) -> user_pools.UserPool:
        pool = user_pools.find_user_pool(self.state, POOL)
        assert pool
        return pool

    # Codes and tokens

    def code(self) -> str:
        """
        The code that is asked for: the last one that was sent, or one of the authenticator app.

        An app's code is good once: where the user has used the current one, this is the next one.
        """
        last = self.emulator.codes()[-1]
        if last["medium"] != "TOTP":
            return str(last["code"])
        user = self.users[last["username"]].stored
        now = self.emulator.service.clock.now()
        return totp.code_at(user.totp_secret, max(now, (user.totp_step + 1) * totp.STEP_SECONDS))

    @property
    def refresh_tokens(self) -> dict[str, str]:
        """The refresh tokens that are good, each with the name of its user."""
        names = {}
        for token in self.emulator.minted_secrets():
            found = sign_ins.find_refresh_token(self.state, token)
            grant = sign_ins.find_grant(self.state, found[0]) if found and found[1] is None else None
            if grant:
                user = user_pools.find_user_by_sub(self.state, POOL, grant.sub)
                names[token] = user.name if user else ""
        return names

    def new_refresh_token(self, name: str) -> str:
        """A refresh token of a sign-in elsewhere."""
        return str(self.emulator.user_pool(POOL).sign_in(name)["RefreshToken"])

    def revoke_all(self) -> None:
        """End every sign-in at the pool."""
        with self.state.transaction():
            for user in self.users.values():
                sign_ins.revoke_grants_of_user(self.state, POOL, user.stored.sub)

    def wait(self, seconds: float) -> None:
        """Let time pass at the pool."""
        self.emulator.settings(time_passed=self.emulator.settings()["time_passed"] + seconds)

    # What goes wrong

    def fail(self, operation: str, code: str, message: str = "") -> None:
        """Refuse each request of *operation* from now on."""
        fault = {"code": code, **({"message": message} if message else {})}
        self._plan(operation, fault)

    def drop(self, operation: str) -> None:
        """Close the connection of each request of *operation*, without an answer, from now on."""
        self._plan(operation, {"drop": True})

    def lacks_new_refresh(self) -> None:
        """Be a pool without GetTokensFromRefreshToken."""
        self.fail("GetTokensFromRefreshToken", "UnknownOperationException")

    def lacks_pages(self) -> None:
        """Be a pool without a domain: its document names no sign-in pages."""
        issuer = f"https://{PROVIDER}"
        self.documents[DOCUMENT] = (200, {"issuer": issuer, "jwks_uri": f"{self.url}{KEYS}"})

    def mend(self, *operations: str) -> None:
        """Answer *operations* again; without any, all of them."""
        for operation in operations or list(self._faults):
            del self._faults[operation]
        self._plan_all()

    def _plan(self, operation: str, fault: Mapping[str, Any]) -> None:
        self._faults[operation] = {"operation": operation, "times": -1, **fault}
        self._plan_all()

    def _plan_all(self) -> None:
        self.emulator.plan_faults(list(self._faults.values()))

    # The emulator's own steps, with ours around them

    def _listen(self) -> None:
        running = self.emulator._running
        assert running
        application: Any = running.application
        call_answered, processed = application._answer_call, application._process
        route_answered = application._answer_route

        async def answer_call(call: Any, *rest: Any) -> Any:
            if call.service == "cognito-idp":
                name, body = call.operation.rpartition(".")[2], json.loads(call.request.body)
                self.requests.append((name, body))
                await asyncio.to_thread(self.before, name, body)
            return await call_answered(call, *rest)

        async def process(call: Any) -> Any:
            answer = await processed(call)
            if call.service == "cognito-idp" and answer.status == 200 and answer.body:
                name, body = call.operation.rpartition(".")[2], json.loads(call.request.body)
                answer.body = json.dumps(self._changed(name, body, json.loads(answer.body))).encode()
            return answer

        async def answer_route(request: Any, request_id: str, scope: Any, receive: Any, send: Any) -> Any:
            if request.path not in self.documents:
                return await route_answered(request, request_id, scope, receive, send)
            status, content = self.documents[request.path]
            answer = Answer(status, json.dumps(content).encode(), "application/json")
            await application._send(send, answer, request.headers, request_id)
            return answer

        application._answer_call, application._process = answer_call, process
        application._answer_route = answer_route

    def _changed(self, name: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """What the pool says in place of *answer*."""
        result = answer.get("AuthenticationResult")
        if result and "IdToken" in result:
            # The marker is for tests that search for tokens. Claims are no secret, and are in our frames.
            changes = {"marker": None, **self.token_changes}
            given = jwt.decode(result["IdToken"], options={"verify_signature": False})
            claims = {**given, **changes}
            result["IdToken"] = self.emulator.login_token(PROVIDER, claims=claims)
        odd = self.odd_challenges.get(body.get("ChallengeResponses", {}).get("USERNAME", ""))
        if result and odd:
            answer = {"ChallengeName": odd, "Session": "s" * 20, "ChallengeParameters": {}}
        if self.offered and answer.get("ChallengeName") == "SELECT_CHALLENGE":
            answer["AvailableChallenges"] = self.offered
        return self.lies.get(name, lambda given: given)(answer)
