"""A service of moto on this machine, such as S3, for requests that a key of the emulator has signed."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from cognito_credentials.emulator import Emulator

from .signatures import Gate, RefusedError, Request

if TYPE_CHECKING:
    from typing_extensions import Self

BUCKET = "readings"


class MotoService(Gate):
    """
    One service of moto, for the duration of a ``with`` block.

    Attributes:
        url: Its address.
    """

    def __init__(self, emulator: Emulator, moto: Any, service: str) -> None:
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Handler(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, *args: object) -> None:
                """Say nothing: a presigned URL has the session token in it."""

        super().__init__(emulator, service)
        self._moto = moto
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True, request_handler=Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        self._direct("POST", "/moto-api/reset")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def perform(self, target: str, **members: Any) -> Any:
        """Perform an operation, such as ``DynamoDB_20120810.CreateTable``, unsigned."""
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return json.loads(self._direct("POST", "/", json.dumps(members).encode(), headers) or b"{}")

    def _direct(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        from werkzeug.test import Client

        # moto, too, refuses to read without a signature, but does not verify it.
        scope = f"20260101/us-east-1/{self._service}/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential=test/{scope}", **(headers or {})}
        client = Client(self._moto)
        answer = client.open(path, method=method, data=content, headers=signed, base_url="http://127.0.0.1")
        assert answer.status_code in (200, 204), answer.get_data()
        return answer.get_data()

    def _application(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = _request(environ)
        try:
            self.let_in(request)
        except RefusedError as refused:
            text = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
            # Answers without a body have none to HEAD, either.
            content = b"" if request.method == "HEAD" else text.encode()
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))]
            start(f"{refused.status} {refused.code}", headers)
            return [content]
        answer: Iterable[bytes] = self._moto(environ, start)
        return answer


class Storage(MotoService):
    """
    S3 with one bucket; buckets are in the path.

    Attributes:
        bucket: The bucket's name.
    """

    def __init__(self, emulator: Emulator, moto: Any) -> None:
        super().__init__(emulator, moto, "s3")
        self.bucket = BUCKET

    def __enter__(self) -> Self:
        super().__enter__()
        self._direct("PUT", f"/{self.bucket}")
        return self

    def put(self, name: str, content: bytes) -> None:
        """Store an object, without a signature."""
        self._direct("PUT", f"/{self.bucket}/{name}", content)

    def get(self, name: str) -> bytes:
        """Return an object's content, without a signature."""
        return self._direct("GET", f"/{self.bucket}/{name}")


def _request(environ: dict[str, Any]) -> Request:
    """The request of *environ*, whose body can be read again afterwards."""
    from werkzeug.wsgi import get_input_stream

    body = get_input_stream(environ).read()
    environ["wsgi.input"] = io.BytesIO(body)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return Request(environ["REQUEST_METHOD"], environ["RAW_URI"], headers, body)
