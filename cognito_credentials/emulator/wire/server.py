"""One HTTP server in one thread: the listening socket, the start and the end."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.wire.application import Application
from cognito_credentials.emulator.wire.hosts import Hosts

if TYPE_CHECKING:
    from cognito_credentials.emulator.wire.certificates import CertificateFiles

_Result = TypeVar("_Result")
_START_SECONDS = 30
_KEEP_ALIVE_SECONDS = 60


class RunningServer:
    """
    A server that runs in its own thread until `stop`.

    Args:
        listener: A listening socket. The server closes it.
        log: Called with one line for each request.
        tls: Speak https.
        certificate_file: The file to write the certificate to; None is a temporary file.
        tls_names: Further names in the certificate. The emulator is called by them.
        allow_hosts: Further names that the emulator is called by.

    Attributes:
        is_local: True when only this machine can reach the server.

    Raises:
        CertificateFileError: The certificate cannot be written to that file.
    """

    def __init__(
        self,
        service: Service,
        listener: socket.socket,
        log: Callable[[str], None] | None,
        tls: bool,
        certificate_file: str | os.PathLike[str] | None = None,
        tls_names: Sequence[str] = (),
        allow_hosts: Sequence[str] = (),
    ) -> None:
        self.service = service
        host, port = listener.getsockname()[:2]
        address = ipaddress.ip_address(host)
        self.is_local = address.is_loopback
        self.certificate: CertificateFiles | None = None
        if tls:
            from cognito_credentials.emulator.wire.certificates import make_certificate

            self.certificate = make_certificate(host, certificate_file, tls_names)
        # Nobody can connect to an unspecified address, so the URL has the loopback address instead.
        shown = ("127.0.0.1" if address.version == 4 else "::1") if address.is_unspecified else host
        self.url = f"{'https' if tls else 'http'}://{f'[{shown}]' if ':' in shown else shown}:{port}"
        connections = _Connections()
        # An unspecified address is no name: a page may call it, but nobody is reached by it alone.
        listens_on = () if address.is_unspecified else (host,)
        hosts = Hosts((*listens_on, *tls_names, *allow_hosts))
        self.application = Application(service, connections.drop, hosts, log)
        config = uvicorn.Config(
            self.application,
            http=connections.protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",  # below it, uvicorn logs query strings, which hold tokens
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            ssl_certfile=self.certificate.certificate if self.certificate else None,
            ssl_keyfile=self.certificate.key if self.certificate else None,
        )
        self._server = _Server(config, connections, self.application.sweeper.start)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="cognito-emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            raise OSError(f"the emulator did not start within {_START_SECONDS} seconds")

    def call_between(self, function: Callable[[], _Result]) -> _Result:
        """The result of *function*, called in the thread of the server, between two steps of requests."""
        return self._server.call(function)

    def stop(self) -> None:
        """Close all connections and the state."""
        self._server.stop()
        self._thread.join()
        if self.certificate is not None:
            self.certificate.remove()
        self.service.state.close()

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._server.serve(sockets=[listener]))


class _Connections:
    """The open connections by the address of the client, so that each can be closed."""

    def __init__(self) -> None:
        self._transports: dict[tuple[Any, ...], asyncio.BaseTransport] = {}
        registry = self._transports

        class Protocol(H11Protocol):
            """uvicorn's protocol; registers its connections."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
                registry[_address(transport)] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                registry.pop(_address(self.transport), None)
                super().connection_lost(exc)

        self.protocol = Protocol

    def drop(self, client: Sequence[Any]) -> None:
        """Close the connection of *client*, which is ``scope["client"]``."""
        transport = self._transports.get(tuple(client))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def drop_all(self) -> None:
        """Close every connection."""
        for client in list(self._transports):
            self.drop(client)


def _address(transport: asyncio.BaseTransport) -> tuple[Any, ...]:
    name = transport.get_extra_info("peername")
    return tuple(name[:2]) if name else ()


class _Server(uvicorn.Server):
    """uvicorn's server, without its waits of a tenth of a second at the start and the end."""

    def __init__(
        self, config: uvicorn.Config, connections: _Connections, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._started = started
        self.ready = threading.Event()
        self._connections = connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Stop the server, from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Call *function* in the event loop."""

        async def called() -> _Result:
            return function()

        loop = self._loop
        assert loop is not None  # noqa: S101  (for the type checker; the server has started)
        return asyncio.run_coroutine_threadsafe(called(), loop).result()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started()
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


def listen(host: str, port: int) -> socket.socket:
    """
    A listening socket.

    Raises:
        OSError: The address cannot be listened on.
    """
    if not host:  # an empty host would mean all addresses
        raise OSError(errno.EINVAL, f"cannot listen on {host} port {port}: the host is empty")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on a socket whose protocol is given as TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, TypeError, ValueError, OverflowError) as error:  # also a wrong host name or port
        listener.close()
        reason, number = getattr(error, "strerror", None) or error, getattr(error, "errno", None)
        raise OSError(number or errno.EINVAL, f"cannot listen on {host} port {port}: {reason}") from None
    except BaseException:
        listener.close()
        raise
    return listener
