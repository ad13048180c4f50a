"""
AWS IoT Core's message broker as far as clients notice: MQTT over WebSocket and TLS, let in by a signed URL.

The broker is amqtt. In front of it stands what AWS has in front of its own: it verifies the signature of each
handshake, and then passes bytes on.
"""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import hmac
import ssl
import threading
import time
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.wire.certificates import make_certificate
from tests.real_parts import package

from .signatures import RefusedError, Signer

if TYPE_CHECKING:
    from typing_extensions import Self

_SERVICE = "iotdevicegateway"
_DEFAULT_SECONDS = 300
"""How long a URL is good that does not say it itself, such as the AWS IoT SDK's. Assumed."""


def signer_of(target: str, headers: Mapping[str, str], emulator: Emulator) -> Signer:
    """
    Return who signed the URL of a handshake: the session token is in it, but not signed.

    Args:
        target: Path and query.
        headers: By name in lower case.

    Raises:
        RefusedError: It is not signed, or not so, or by a key that is not valid now.
    """
    path, _, query = target.partition("?")
    fields = dict(parse_qsl(query))
    signature, token = fields.pop("X-Amz-Signature", ""), fields.pop("X-Amz-Security-Token", "")
    access_key_id, date, region, service, end = (fields.get("X-Amz-Credential", "") + "////").split("/")[:5]
    if (path, service, end) != ("/mqtt", _SERVICE, "aws4_request"):
        raise RefusedError("AccessDenied", "not signed for MQTT")
    opened = emulator.service.mint.open(access_key_id, token)
    if opened is None:
        raise RefusedError("InvalidAccessKeyId", "no key of the emulator, or not with this session token")
    session, secret = opened
    clock, stamp, seconds = emulator.service.clock, fields["X-Amz-Date"], fields.get("X-Amz-Expires")
    ends = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) + int(seconds or _DEFAULT_SECONDS)
    # A client that signs by the operating system's clock does not notice when a test lets time pass.
    now = clock.now() if seconds else time.time()
    if now >= ends or clock.now() >= session.expires_at or date != stamp[:8]:
        raise RefusedError("ExpiredToken", "the key or the URL has expired")
    names = fields.get("X-Amz-SignedHeaders", "").split(";")
    if "host" not in names:
        raise RefusedError("AccessDenied", "the header host is not signed")
    url = f"https://{headers['host']}{path}?{urlencode(fields, quote_via=quote)}"
    signed = AWSRequest("GET", url, headers={name: headers.get(name, "") for name in names})
    signed.context["timestamp"] = stamp
    signer = _Signer(Credentials(access_key_id, secret), service, region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    if not hmac.compare_digest(signer.signature(text, signed), signature):
        raise RefusedError("SignatureDoesNotMatch", "the signature is wrong")
    return Signer(access_key_id, session.identity_id, session.role_name)


class _Signer(SigV4QueryAuth):  # type: ignore[misc]  # botocore ships no types
    """botocore's signer, for the headers that the client has signed."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers


class Broker:
    """
    The broker, for the duration of a ``with`` block.

    Attributes:
        signers: Who came in, in order.
        refused: Why others did not.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._amqtt = package("amqtt.broker")
        self._emulator = emulator
        self._certificate = make_certificate("127.0.0.1")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker")
        self._clients: set[asyncio.StreamWriter] = set()
        self._inner = 0
        self.port = 0
        self.signers: list[Signer] = []
        self.refused: list[str] = []

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"localhost:{self.port}"

    @property
    def ca_file(self) -> str:
        """The PEM file that clients have to trust."""
        return self._certificate.certificate

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._certificate.remove()

    def end_connections(self) -> None:
        """End all connections, as AWS IoT Core does after 24 hours."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for writer in list(self._clients):
            writer.transport.abort()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _start(self) -> None:
        self._broker = self._amqtt.Broker(
            {
                "listeners": {"default": {"type": "ws", "bind": "127.0.0.1:0"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await self._broker.start()
        (server,) = self._broker._servers.values()
        self._inner = server.instance.sockets[0].getsockname()[1]
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._certificate.certificate, self._certificate.key)
        self._front = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._front.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._front.close()
        self._end()
        await self._broker.shutdown()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
            }
            try:
                self.signers.append(signer_of(lines[0].split()[1], headers, self._emulator))
            except RefusedError as error:
                self.refused.append(error.code)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            inner_reader, inner = await asyncio.open_connection("127.0.0.1", self._inner)
            inner.write("\r\n".join(("GET /mqtt HTTP/1.1", *lines[1:])).encode())  # what it logs has no token
            await asyncio.gather(_pass_on(reader, inner), _pass_on(inner_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            self._clients.discard(writer)
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
