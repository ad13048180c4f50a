"""
The running emulator: a thread with an HTTP server in it, and what Python code asks of it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cognito_credentials.emulator.control import Control, login_token
from cognito_credentials.emulator.http import Application
from cognito_credentials.emulator.keys import SigningKeys
from cognito_credentials.emulator.pools import ACCOUNT_ID
from cognito_credentials.emulator.seed import Seed
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.signatures import DEVELOPER
from cognito_credentials.emulator.state import State

if TYPE_CHECKING:
    from typing_extensions import Self

_START_SECONDS = 30
_KEEP_ALIVE_SECONDS = 60


class Emulator:
    """
    Amazon Cognito Identity and STS on this machine, for as long as a ``with`` block.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        data: SQLite file that keeps the state; None keeps it in memory.
        seed: What a new or reset state holds.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        marker: Mint secrets that contain ``CANARYsecret`` and ``CANARYtoken``, and keep a list.
        keys: RSA keys to use instead of new ones; making them is slow.
        log: Takes one readable line for each request.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: str | os.PathLike[str] | None = None,
        seed: Seed | None = None,
        strict_auth: bool = False,
        strict_roles: bool = False,
        marker: bool = False,
        keys: SigningKeys | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._data = data
        self._service_options: dict[str, Any] = {
            "seed": seed,
            "strict_auth": strict_auth,
            "strict_roles": strict_roles,
            "marker": marker,
            "keys": keys,
        }
        self._log = log
        self._running: _Running | None = None

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
        """
        listener = _listen(*self._address)
        try:
            state = State(self._data)
            try:
                service = Service(state, **self._service_options)
                self._running = _Running(service, listener, self._log)
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
        """
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
        return login_token(
            self.service,
            provider,
            audience,
            subject,
            expires_in,
            dict(claims) if claims is not None else None,
        )

    def requests(self) -> Mapping[str, int]:
        """How often each operation was asked for since the start or the last reset."""
        return dict(self._control.counts)

    def plan_faults(self, *faults: Mapping[str, Any]) -> None:
        """Misbehave for coming requests, as ``PUT /_emulator/faults`` does."""
        self._control.faults.plan([dict(fault) for fault in faults])

    def move_clock(self, seconds: float) -> None:
        """Move the emulator's clock by *seconds* from where it is."""
        self.service.clock.offset += seconds

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
    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the emulator is not running; use it as a context manager")
        return self._running

    def _call(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        service = self.service
        return service.call(service.operation(name), request, DEVELOPER) or {}


class _Running:
    """One server in one thread, from its first to its last request."""

    def __init__(self, service: Service, listener: socket.socket, log: Callable[[str], None] | None) -> None:
        self.service = service
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}"
        connections = _Connections()
        self.application = Application(service, connections.drop, log)
        config = uvicorn.Config(
            self.application,
            http=connections.protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._server = _Server(config, connections)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="cognito-emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            raise OSError(f"the emulator did not start within {_START_SECONDS} seconds")

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()
        self.service.state.close()

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._server.serve(sockets=[listener]))


class _Connections:
    """The open connections by the address of the client, so that one can be cut."""

    def __init__(self) -> None:
        self._transports: dict[tuple[Any, ...], asyncio.BaseTransport] = {}
        registry = self._transports

        class Protocol(H11Protocol):
            """uvicorn's protocol, which also says who is connected."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
                registry[_address(transport)] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                registry.pop(_address(self.transport), None)
                super().connection_lost(exc)

        self.protocol = Protocol

    def drop(self, client: Sequence[Any]) -> None:
        """Cut the connection of *client*, an ASGI scope's address."""
        transport = self._transports.get(tuple(client))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def drop_all(self) -> None:
        """Cut every connection."""
        for client in list(self._transports):
            self.drop(client)


def _address(transport: asyncio.BaseTransport) -> tuple[Any, ...]:
    name = transport.get_extra_info("peername")
    return tuple(name[:2]) if name else ()


class _Server(uvicorn.Server):
    """uvicorn's server, which starts and stops without its tenths of a second of waiting."""

    def __init__(self, config: uvicorn.Config, connections: _Connections) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._connections = connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Ask the server to end, from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        self._connections.drop_all()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener
