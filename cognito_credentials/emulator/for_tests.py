"""What tests do to a running emulator from Python; the same as ``/_emulator/`` does over HTTP, and more."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.model.members import SIGNED_SECONDS, ControlError, check_member, json_value
from cognito_credentials.emulator.model.names import ACCOUNT_ID
from cognito_credentials.emulator.seed.entry import Entry, SeedError
from cognito_credentials.emulator.seed.pool import plant_pool
from cognito_credentials.emulator.seed.tables import plant_user
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.wire.control import Control
from cognito_credentials.emulator.wire.issuing import allowed, login_token, saml_response

if TYPE_CHECKING:
    from cognito_credentials.emulator.sts.session_policies import Decision


class ForTests(abc.ABC):
    """
    The part of `Emulator` that tests call.

    An argument that is wrong is a ControlError, a ValueError, which says what it may be.
    """

    @property
    @abc.abstractmethod
    def service(self) -> Service:
        """The emulated service, without HTTP."""

    @property
    @abc.abstractmethod
    def _control(self) -> Control:
        """Counts, faults and settings."""

    def create_pool(
        self,
        *,
        roles: Mapping[str, str] | None = None,
        role_mappings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> str:
        """
        Make an identity pool, with guests and both flows unless told otherwise.

        Args:
            roles: ``authenticated`` and ``unauthenticated`` to role ARN; by default both are set.
            role_mappings: RoleMappings of SetIdentityPoolRoles.
            settings: Members of CreateIdentityPool, and ``IdentityPoolId``; else a new one of us-east-1.

        Returns:
            The pool id.

        Raises:
            ControlError: A member is unknown, or not what it may be.
        """
        if roles is None:
            states = ("authenticated", "unauthenticated")
            roles = {state: f"arn:aws:iam::{ACCOUNT_ID}:role/{state}" for state in states}
        request = {
            "IdentityPoolName": "test",
            "AllowUnauthenticatedIdentities": True,
            "AllowClassicFlow": True,
            "Roles": roles,
            "RoleMappings": role_mappings or {},
            **settings,
        }
        plain = json_value("create_pool", _with_dicts(request))
        try:
            with self.service.state.transaction():
                return plant_pool(self.service, Entry("", "create_pool", plain))
        except SeedError as error:
            raise ControlError(str(error)) from None

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
            subject: The sub claim: who it is.
            expires_in: Seconds from now by the emulator's clock.
            claims: More claims; None takes one away.
        """
        members = {"provider": provider, "audience": audience, "subject": subject, "expires_in": expires_in}
        return login_token(self.service, _with_dicts({**members, "claims": claims}))

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

    def plan_faults(self, *faults: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """
        Misbehave for coming requests, as ``PUT /_emulator/faults`` does; replaces what was planned.

        Args:
            faults: Each is one fault, or a list of them; none at all ends all misbehaviour.
        """
        planned: list[Any] = []
        for given in faults:
            planned += given if isinstance(given, list | tuple) else [given]
        self._control.faults.plan([dict(one) if isinstance(one, Mapping) else one for one in planned])

    def planned_faults(self) -> list[dict[str, Any]]:
        """What is left of the planned faults: those that no request has used up."""
        return self._control.faults.planned()

    def settings(self, **changes: Any) -> Mapping[str, Any]:
        """
        Change settings, as ``PUT /_emulator/settings`` does.

        Args:
            changes: ``credential_lifetime``, ``clock_offset``, ``time_passed``, ``throttle``, ``delay``,
                ``login_grace``, ``token_issuer``.

        Returns:
            All settings as they are now.
        """
        return self._control.change_settings(changes)

    def reset(self) -> None:
        """
        Back to the state of the start: without counts, faults, settings, and what was not in the seed.

        Raises:
            ControlError: A file that the seed names is not what it was; the state is as before.
        """
        try:
            self._control.reset()
        except SeedError as error:
            raise ControlError(str(error)) from None

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
        user: dict[str, Any] = {"provider": provider, "subject": subject, "claims": claims or {}}
        given = {"token": token, "app_id": app_id, "signed_out": signed_out}
        user.update({name: value for name, value in given.items() if value is not None})
        plain = json_value("set_user", _with_dicts(user))
        try:
            with self.service.state.transaction():
                plant_user(self.service, Entry("", "set_user", plain))
        except SeedError as error:
            raise ControlError(str(error)) from None

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
        """Let *seconds* pass at the service: what it gave out ages, and clients need not know."""
        check_member("seconds", seconds, SIGNED_SECONDS)
        clock = self.service.clock
        check_member("the time that passed", clock.passed + seconds, SIGNED_SECONDS)
        clock.passed += seconds

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


def _with_dicts(members: Mapping[str, Any]) -> dict[str, Any]:
    """*members*, with each mapping among them as the dict that JSON is written from."""
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in members.items()}
