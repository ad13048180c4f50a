"""The emulator as Python code uses it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.control import Control
from cognito_credentials.emulator.issuing import allowed, login_token, saml_response
from cognito_credentials.emulator.keys import SigningKeys
from cognito_credentials.emulator.members import SIGNED_SECONDS, check_member
from cognito_credentials.emulator.pools import ACCOUNT_ID
from cognito_credentials.emulator.seed import Seed
from cognito_credentials.emulator.seed_entry import Entry
from cognito_credentials.emulator.seed_tables import plant_user
from cognito_credentials.emulator.server import RunningServer, listen
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.signatures import DEVELOPER
from cognito_credentials.emulator.state import DataFileError, State

if TYPE_CHECKING:
    from typing_extensions import Self

    from cognito_credentials.emulator.session_policies import Decision


class Emulator:
    """
    Amazon Cognito Identity and STS on this machine, for as long as a ``with`` block.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        data: SQLite file that keeps the state; None keeps it in memory.
        seed: What a new or reset state holds; a path is that of a seed file.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        marker: Mint secrets that contain ``CANARYsecret`` and ``CANARYtoken``, and keep a list.
        keys: RSA keys to use instead of new ones; making them is slow.
        tls: Speak https, with a certificate of its own.
        log: Takes one readable line for each request.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: str | os.PathLike[str] | None = None,
        seed: Seed | str | os.PathLike[str] | None = None,
        strict_auth: bool = False,
        strict_roles: bool = False,
        marker: bool = False,
        keys: SigningKeys | None = None,
        tls: bool = False,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._data = data
        self._seed = seed
        self._service_options: dict[str, Any] = {
            "strict_auth": strict_auth,
            "strict_roles": strict_roles,
            "marker": marker,
            "keys": keys,
        }
        self._log = log
        self._tls = tls
        self._running: RunningServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Listen, and return once requests are answered.

        Raises:
            OSError: The address cannot be listened on.
            DataFileError: The data file cannot be used.
            SeedError: The seed file is wrong.
            RuntimeError: It is running already.
        """
        if self._running is not None:
            raise RuntimeError("the emulator is running already; make another Emulator for another one")
        seed = self._seed if isinstance(self._seed, Seed | None) else Seed.load(self._seed)
        listener = listen(*self._address)
        try:
            state = State(self._data)
            try:
                service = Service(state, seed=seed, **self._service_options)
                self._running = RunningServer(service, listener, self._log, self._tls)
            except sqlite3.Error as error:
                state.close()
                raise DataFileError(f"cannot use data file {self._data}: {error}") from None
            except BaseException:
                state.close()
                raise
        except BaseException:
            listener.close()
            raise

    def stop(self) -> None:
        """Close all connections and stop; the state in memory is gone."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()

    @property
    def url(self) -> str:
        """Where the emulator listens, e.g. ``http://127.0.0.1:8080``."""
        return self._started.url

    @property
    def certificate(self) -> str | None:
        """The PEM file that clients must trust, or None without TLS."""
        files = self._started.certificate
        return files.certificate if files else None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self._started.is_local

    @property
    def service(self) -> Service:
        """The emulated service, without HTTP."""
        return self._started.service

    def create_pool(
        self,
        *,
        roles: Mapping[str, str] | None = None,
        role_mappings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> str:
        """
        Make an identity pool in us-east-1, with guests and both flows unless told otherwise.

        Args:
            roles: ``authenticated`` and ``unauthenticated`` to role ARN; by default both are set.
            role_mappings: RoleMappings of SetIdentityPoolRoles.
            settings: Members of CreateIdentityPool.

        Returns:
            The pool id.

        Raises:
            TypeError: CreateIdentityPool has no such member.
            ServiceError: The service refuses.
        """
        members = self.service.operation("CreateIdentityPool").members
        for name in settings:
            if name not in members:
                raise TypeError(f"CreateIdentityPool has no member {name}; there are: {', '.join(members)}")
        request = {
            "IdentityPoolName": "test",
            "AllowUnauthenticatedIdentities": True,
            "AllowClassicFlow": True,
            **settings,
        }
        if roles is None:
            roles = {
                state: f"arn:aws:iam::{ACCOUNT_ID}:role/{state}"
                for state in ("authenticated", "unauthenticated")
            }
        pool_id: str = self._call("CreateIdentityPool", request)["IdentityPoolId"]
        self._call(
            "SetIdentityPoolRoles",
            {"IdentityPoolId": pool_id, "Roles": roles, "RoleMappings": role_mappings or {}},
        )
        return pool_id

    def login_token(
        self,
        provider: str,
        *,
        audience: Any = "app",
        subject: str = "user",
        expires_in: float = 3600,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """
        A login token that the emulator accepts for *provider*.

        Args:
            provider: A logins key, e.g. ``accounts.google.com``.
            audience: The aud claim: the client id that the pool has for the provider.
            expires_in: Seconds from now by the emulator's clock.
            claims: More claims; None takes one away.
        """
        members = {"provider": provider, "audience": audience, "subject": subject, "expires_in": expires_in}
        return login_token(self.service, {**members, "claims": None if claims is None else dict(claims)})

    def saml_response(
        self,
        provider: str,
        *,
        subject: str = "user",
        roles: Sequence[str] = (),
        attributes: Mapping[str, Sequence[str]] | None = None,
        expires_in: float = 3600,
    ) -> str:
        """
        A SAML response that the emulator accepts for *provider*; needs the ``saml`` extra.

        Args:
            provider: ARN of a SAML provider of the pool.
            subject: The NameID.
            roles: Role ARNs for the Role attribute.
            attributes: More attributes, name to values.
            expires_in: Seconds from now by the emulator's clock.
        """
        members = {"provider": provider, "subject": subject, "roles": roles, "expires_in": expires_in}
        return saml_response(self.service, {**members, "attributes": attributes})

    def requests(self) -> Mapping[str, int]:
        """How often each operation was asked for since the start or the last reset."""
        return dict(self._control.counts)

    def plan_faults(self, *faults: Mapping[str, Any]) -> None:
        """
        Misbehave for coming requests, as ``PUT /_emulator/faults`` does; without faults, no more.

        Raises:
            ControlError: One of *faults* is wrong; what was planned stays.
        """
        self._control.faults.plan([*faults])

    def set_user(
        self,
        provider: str,
        subject: str,
        *,
        token: str | None = None,
        app_id: str | None = None,
        claims: Mapping[str, Any] | None = None,
        signed_out: bool = False,
    ) -> None:
        """
        Say what a login provider would know of a user; replaces what was said before.

        Args:
            token: The user's opaque token, for providers whose tokens only they can read.
            app_id: The app that the token is for; None is any.
            claims: What the provider tells of the user beside it.
            signed_out: Signed out everywhere, or deleted: what ServerSideTokenCheck asks.
        """
        user: dict[str, Any] = {"provider": provider, "subject": subject, "claims": dict(claims or {})}
        given = {"token": token, "app_id": app_id, "signed_out": signed_out}
        user.update({name: value for name, value in given.items() if value is not None})
        with self.service.state.transaction():
            plant_user(self.service, Entry("", "user", user))

    def allowed(
        self, access_key_id: str, action: str, resource: str = "*", *, session_token: str | None = None
    ) -> Decision:
        """
        Whether the session policies of issued credentials leave room for an action.

        A guest of the enhanced flow may be allowed ``s3:GetObject`` by a role, but never
        ``ssm:GetParameter``. What the role itself permits is not known here.

        Args:
            access_key_id: Of credentials that this emulator gave out.
            session_token: Theirs; needed for any but the last 10,000 since the start.
        """
        members = {"access_key_id": access_key_id, "action": action, "resource": resource}
        if session_token is not None:
            members["session_token"] = session_token
        return allowed(self.service, members)

    def move_clock(self, seconds: float) -> None:
        """
        Move the emulator's clock by *seconds* from where it is; it goes on from there.

        It is another machine's clock: what freezes time in the process of a test does not stop it.
        """
        clock = self.service.clock
        check_member("the clock's offset", clock.offset + seconds, SIGNED_SECONDS)
        clock.offset += seconds

    def minted_secrets(self) -> list[str]:
        """
        Every secret key, session token, login token and OpenID token minted since the start.

        Raises:
            RuntimeError: The emulator was made without ``marker=True`` and keeps no list.
        """
        minted = self.service.minted
        if minted is None:
            raise RuntimeError("minted secrets are kept only by Emulator(marker=True)")
        return list(minted)

    @property
    def _control(self) -> Control:
        return self._started.application.control

    @property
    def _started(self) -> RunningServer:
        if self._running is None:
            raise RuntimeError("the emulator is not running; use it as a context manager")
        return self._running

    def _call(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        service = self.service
        return service.call(service.operation(name), request, DEVELOPER) or {}
