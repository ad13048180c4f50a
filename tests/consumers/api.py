"""An HTTP API with IAM authorization, such as API Gateway has: it answers with who called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cognito_credentials.emulator import Emulator

from .signatures import Gate, RefusedError, Request


class Api(Gate):
    """
    The API.

    Attributes:
        url: Its address.
        content: What it answers with, beside the caller's identity and what was sent.
    """

    def __init__(self, emulator: Emulator, service: str) -> None:
        super().__init__(emulator, service)
        self.url = ""
        self.content: dict[str, object] = {}


@contextmanager
def running_api(emulator: Emulator, service: str = "execute-api") -> Iterator[Api]:
    """Run an API that answers with the caller's identity and what was sent; 403 where it is not signed."""
    api = Api(emulator, service)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                signer = api.let_in(Request(self.command, self.path, headers, body))
            except RefusedError as refused:
                self._answer(403, {"message": refused.message})
            else:
                sent = {"path": self.path, "body": body.decode()}
                self._answer(200, {"identity": signer.identity_id, **sent, **api.content})

        do_POST = do_GET  # noqa: N815  (the name that http.server looks for)

        def _answer(self, status: int, content: object) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            """Say nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
