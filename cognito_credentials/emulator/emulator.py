"""The emulator as Python code uses it: its start and end, and what tests do to it while it runs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.logins.keys import SigningKeys
from cognito_credentials.emulator.model.members import (
    SIGNED_SECONDS,
    ControlError,
    Kind,
    check_member,
    json_value,
)
from cognito_credentials.emulator.model.names import ACCOUNT_ID
from cognito_credentials.emulator.seed.entry import Entry, SeedError
from cognito_credentials.emulator.seed.file import Seed
from cognito_credentials.emulator.seed.pool import add_pool
from cognito_credentials.emulator.seed.tables import add_role, add_user
from cognito_credentials.emulator.seed.user_pools import add_user_pool
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.state import DataFileError, State
from cognito_credentials.emulator.user_pool import RunningUserPool
from cognito_credentials.emulator.user_pools.codes import list_codes
from cognito_credentials.emulator.wire.control import Control
from cognito_credentials.emulator.wire.hosts import is_host_name
from cognito_credentials.emulator.wire.issuing import KeyOwner, allowed, login_token, saml_response, whose_key
from cognito_credentials.emulator.wire.listing import lists
from cognito_credentials.emulator.wire.server import RunningServer, listen

if TYPE_CHECKING:
    from typing_extensions import Self

    from cognito_credentials.emulator.sts.session_policies import Decision


class Emulator:
    """
    Amazon Cognito Identity and STS on this machine, for the duration of a ``with`` block.

    What tests do through its methods, other programs do over HTTP, under ``/_emulator/``. An argument with a
    wrong value raises ControlError, a ValueError.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        data: SQLite file that keeps the state; None keeps it in memory.
        seed: The content of a new or reset state: a file as of `Seed.load`, or its result.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        marker: Issue secrets that contain ``CANARYsecret`` and ``CANARYtoken``, and keep a list of them.
        keys: RSA keys to use instead of new ones; making them is slow.
        tls: Speak https, with a self-signed certificate.
        certificate_file: The file to write the certificate to, for clients to trust; implies *tls*. A file
            that exists is replaced only if an emulator wrote it. None is a file in a temporary directory.
        tls_names: Names and addresses in the certificate besides those of this machine, also AWS's own; turns
            *tls* on.
        allow_hosts: Names that the emulator is called by, besides those of this machine, *host* and
            *tls_names*. By other names nobody can make control calls.
        offline: Never fetch the keys of login providers from another machine.
        log: Called with one line for each request.
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
        certificate_file: str | os.PathLike[str] | None = None,
        tls_names: Sequence[str] = (),
        allow_hosts: Sequence[str] = (),
        offline: bool = False,
        log: Callable[[str], None] | None = None,
    ) -> None:
        check_member("tls_names", tls_names, _HOST_NAMES)
        check_member("allow_hosts", allow_hosts, _HOST_NAMES)
        self._address = (host, port)
        self._data = data
        self._seed = seed
        self._service_options: dict[str, Any] = {
            "strict_auth": strict_auth,
            "strict_roles": strict_roles,
            "marker": marker,
            "keys": keys,
            "offline": offline,
        }
        self._log = log
        self._tls = tls or certificate_file is not None or bool(tls_names)
        self._names = (tuple(tls_names), tuple(allow_hosts))
        self._certificate_file = certificate_file
        self._running: RunningServer | None = None
        self._loaded_seed = Seed()

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
        Start listening. Requests are answered when this returns.

        Raises:
            OSError: The address cannot be listened on, or the certificate cannot be written.
            SeedError: The seed file cannot be read, or something in it is wrong.
            DataFileError: The data file cannot be used.
            RuntimeError: It is running already.
        """
        if self._running is not None:
            raise RuntimeError("the emulator is running already; make another Emulator for another one")
        given = Seed() if self._seed is None else self._seed
        seed = self._loaded_seed = given if isinstance(given, Seed) else Seed.load(given)
        with ExitStack() as closed_on_failure:
            listener = listen(*self._address)
            closed_on_failure.callback(listener.close)
            state = State(self._data)
            closed_on_failure.callback(state.close)
            try:
                service = Service(state, add_seed=seed.add_to, **self._service_options)
                service.about_seed = seed.about()
                self._running = RunningServer(
                    service, listener, self._log, self._tls, self._certificate_file, *self._names
                )
            except sqlite3.Error as error:
                raise DataFileError(f"cannot use data file {self._data}: {error}") from None
            closed_on_failure.pop_all()

    def stop(self) -> None:
        """Close all connections and stop. A state in memory is lost."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()

    @property
    def url(self) -> str:
        """The address that the emulator listens on, e.g. ``http://127.0.0.1:8080``."""
        return self._started.url

    @property
    def certificate(self) -> str | None:
        """The PEM file that clients must trust, or None without TLS."""
        files = self._started.certificate
        return files.certificate if files else None

    @property
    def is_local(self) -> bool:
        """True when only this machine can reach it."""
        return self._started.is_local

    @property
    def service(self) -> Service:
        """The emulated service, without HTTP."""
        return self._started.service

    @property
    def seed(self) -> Seed:
        """The seed: by which ids its names are found, and what of it is left out. An empty one without."""
        self._started  # noqa: B018 - refuses before the start
        return self._loaded_seed

    def create_pool(
        self,
        *,
        roles: Mapping[str, str] | None = None,
        role_mappings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> str:
        """
        Make an identity pool. By default it allows guests and both flows.

        Args:
            roles: ``authenticated`` and ``unauthenticated`` to role ARN; by default both are set.
            role_mappings: RoleMappings of SetIdentityPoolRoles.
            settings: Members of CreateIdentityPool, and ``IdentityPoolId``: by default a new id in us-east-1.

        Returns:
            The pool id.

        Raises:
            ControlError: A member is unknown, or has a value that it cannot have.
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
        return self._add(add_pool, "create_pool", request)

    def create_user_pool(self, **settings: Any) -> str:
        """
        Make a user pool, or describe one again.

        Args:
            settings: The members of a ``[[user_pools]]`` table of a seed; ``id`` is required.

        Returns:
            The id of the user pool.

        Raises:
            ControlError: A member is unknown, or has a value that it cannot have.
        """
        return self._add(add_user_pool, "create_user_pool", settings)

    def user_pool(self, user_pool_id: str, client_id: str | None = None) -> RunningUserPool:
        """
        A user pool that was described, whose users sign in without a browser: `RunningUserPool`.

        Args:
            client_id: One of its app clients; None is its only one.

        Raises:
            ControlError: There is no such user pool or app client.
        """
        return RunningUserPool(self.service, user_pool_id, client_id)

    def codes(self) -> list[Mapping[str, Any]]:
        """The last codes that user pools would have sent by SMS and e-mail, as ``GET /_emulator/codes``."""
        return list_codes(self.service)

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
            provider: A key of Logins, e.g. ``accounts.google.com``.
            audience: The aud claim: the client id that the pool has for the provider.
            subject: The sub claim: the provider's id of the user.
            expires_in: Seconds from now by the emulator's clock; less than 0 has expired already.
            claims: Claims that replace or extend the usual ones; the value None removes a claim.
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
        A SAML response that the emulator accepts for *provider*. Needs the ``saml`` extra.

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
        """The number of requests for each operation since the start or the last reset."""
        return dict(self._control.counts)

    def history(self, last: int = 100) -> list[dict[str, Any]]:
        """
        The last requests with what was checked and decided, the oldest first, as ``GET /_emulator/history``.

        Args:
            last: At most 500.
        """
        running = self._started
        # A client has its answer a moment before the request is remembered.
        return running.call_between(lambda: running.application.control.last_requests({"last": last}))

    def listed(self, what: str, **members: Any) -> Mapping[str, Any]:
        """
        A page of a list, as ``GET /_emulator/WHAT``: ``{"items", "next", "total"}``.

        Args:
            what: ``pools``, ``identities``, ``roles``, ``sessions``, ``user-pools`` or ``users``.
            members: ``find``, ``after``, ``limit``; ``pool`` for identities, and ``user_pool`` for users.

        Raises:
            ControlError: There is no such list, or a member is wrong.
        """
        have = lists(self.service)
        check_member("what", what, Kind(lambda name: name in have, f"one of {', '.join(have)}"))
        return have[what](members)

    def plan_faults(self, *faults: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """
        Plan faults for the coming requests, as ``PUT /_emulator/faults`` does. Replaces the earlier plan.

        Args:
            faults: Faults, or lists of faults; without any, the plan is empty.
        """
        planned: list[Any] = []
        for item in faults:
            planned += item if isinstance(item, list | tuple) else [item]
        self._control.faults.plan([dict(one) if isinstance(one, Mapping) else one for one in planned])

    def planned_faults(self) -> list[dict[str, Any]]:
        """The planned faults that no request has used up yet."""
        return self._control.faults.planned()

    def settings(self, **changes: Any) -> Mapping[str, Any]:
        """
        Change settings, as ``PUT /_emulator/settings`` does.

        Args:
            changes: ``credential_lifetime``, ``clock_offset``, ``time_passed``, ``throttle``, ``delay``,
                ``login_grace``, ``token_issuer``.

        Returns:
            All settings after the change.
        """
        return self._control.change_settings(changes)

    def reset(self) -> None:
        """
        Go back to the state of the start: only the seed, no counts, no faults, and the default settings.

        Raises:
            ControlError: A file that the seed names has changed and is wrong; the state is as before.
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
        Describe a user as only the login provider knows them. Replaces an earlier description.

        Args:
            token: The user's opaque token, for providers whose tokens only they can read.
            app_id: The app that the token was issued to; None is any app.
            claims: Further claims that the provider has about the user.
            signed_out: True for a user who was signed out everywhere or deleted. Pools with
                ServerSideTokenCheck refuse such a user's tokens.
        """
        user: dict[str, Any] = {"provider": provider, "subject": subject, "claims": claims or {}}
        optional = {"token": token, "app_id": app_id, "signed_out": signed_out}
        user.update({name: value for name, value in optional.items() if value is not None})
        self._add(add_user, "set_user", user)

    def allowed(
        self, access_key_id: str, action: str, resource: str = "*", *, session_token: str | None = None
    ) -> Decision:
        """
        Whether the session policies of issued credentials permit an action.

        A guest of the enhanced flow may have ``s3:GetObject``, if the role allows it, but never
        ``ssm:GetParameter``. The emulator does not know what roles allow.

        Args:
            access_key_id: The access key id of credentials that this emulator issued.
            session_token: The session token of these credentials. Only the last 10,000 credentials since the
                start are found without it.
        """
        members = {"access_key_id": access_key_id, "action": action, "resource": resource}
        if session_token is not None:
            members["session_token"] = session_token
        return allowed(self.service, members)

    def whose_key(self, access_key_id: str, *, session_token: str | None = None) -> KeyOwner:
        """
        Whose an issued access key is: the identity, its pool, and what API Gateway would show of it.

        Args:
            access_key_id: The access key id of credentials that this emulator issued.
            session_token: As for `allowed`.
        """
        members = {"access_key_id": access_key_id, "session_token": session_token}
        return whose_key(self.service, members)

    def set_role(
        self, arn: str, trust_policy: Mapping[str, Any] | str, *, max_session_seconds: int = 3600
    ) -> None:
        """
        Describe a role, as ``PUT /_emulator/roles`` does. Replaces an earlier description.

        Args:
            arn: The ARN of a role, of any account.
            trust_policy: A trust policy that the emulator evaluates, also as JSON.
            max_session_seconds: The longest session, 3600 to 43200.
        """
        role = {"arn": arn, "trust_policy": trust_policy, "max_session_seconds": max_session_seconds}
        self._add(add_role, "set_role", role)

    def move_clock(self, seconds: float) -> None:
        """Let *seconds* pass at the service: tokens and credentials age, and clients keep their own clock."""
        check_member("seconds", seconds, SIGNED_SECONDS)
        clock = self.service.clock
        check_member("the time that passed", clock.passed + seconds, SIGNED_SECONDS)
        clock.passed += seconds

    def minted_secrets(self) -> list[str]:
        """
        Every secret key, session token, login token and OpenID token that was issued since the start.

        Raises:
            RuntimeError: The emulator was made without ``marker=True`` and keeps no list.
        """
        minted = self.service.minted
        if minted is None:
            raise RuntimeError("minted secrets are kept only by Emulator(marker=True)")
        return list(minted)

    def _add(self, add: Callable[[Service, Entry], str], place: str, members: Mapping[str, Any]) -> str:
        """Add to the state what a table of a seed with *members* would add."""
        plain = json_value(place, _with_dicts(members))
        try:
            with self.service.state.transaction():
                return add(self.service, Entry("", place, plain))
        except SeedError as error:
            raise ControlError(str(error)) from None

    @property
    def _control(self) -> Control:
        return self._started.application.control

    @property
    def _started(self) -> RunningServer:
        if self._running is None:
            raise RuntimeError("the emulator is not running; use it as a context manager")
        return self._running


for _library in ("botocore", "cryptography", "jwt"):
    if find_spec(_library) is None:  # each is imported when it is needed; a missing one is said now
        raise ModuleNotFoundError(f"No module named '{_library}'", name=_library)

_HOST_NAMES = Kind(
    lambda names: isinstance(names, list | tuple) and all(map(is_host_name, names)),
    "a list of host names and addresses, without a scheme or a port",
)


def _with_dicts(members: Mapping[str, Any]) -> dict[str, Any]:
    """*members* with a dict in place of every mapping: json.dumps takes no other."""
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in members.items()}
