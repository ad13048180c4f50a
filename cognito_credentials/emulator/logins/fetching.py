"""
The keys of login providers, fetched over a network that may be slow, silent or hostile.

Each fetch has its own thread. A call waits for it a few seconds at most. Calls for other providers, and
the end of the server, do not wait for it at all.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

from cognito_credentials.emulator.logins.issuers import (
    Issuers,
    addresses_of,
    is_on_this_machine,
    may_be_fetched,
)

_FETCH_SECONDS = 5.0
_MAX_DOCUMENT_BYTES = 512 * 1024
_CHUNK_BYTES = 64 * 1024

Keys = Sequence[Mapping[str, Any]] | None


class KeyFetches:
    """
    The fetches under way: one for each provider, however many calls need it.

    Args:
        seconds: How long a call waits for all documents of one provider.
    """

    def __init__(self, issuers: Issuers, seconds: float = _FETCH_SECONDS) -> None:
        self.seconds = seconds
        self._issuers = issuers
        self._under_way: dict[str, Future[Keys]] = {}

    async def fetch(self, provider: str) -> None:
        """Fetch the keys of *provider* and give them to the issuers, or None if that fails."""
        fetch = self._under_way.get(provider)
        if fetch is None or fetch.done():
            fetch = self._under_way[provider] = self._start(provider)
        try:
            keys = await asyncio.wait_for(asyncio.wrap_future(fetch), self.seconds)
        except asyncio.TimeoutError:
            keys = None  # The thread goes on until its socket times out, and is the only one until then.
        self._issuers.keep(provider, keys)

    def _start(self, provider: str) -> Future[Keys]:
        fetch: Future[Keys] = Future()
        fetch.set_running_or_notify_cancel()  # A call that gives up must not cancel it for other calls.
        uri = self._issuers.keys_uri(provider)

        def run() -> None:
            try:
                fetch.set_result(fetch_keys(provider, uri, self.seconds, offline=self._issuers.offline))
            except BaseException as error:  # noqa: BLE001 - it is raised by wrap_future
                fetch.set_exception(error)

        # Not a thread pool: the end of the loop, and of the process, would wait for its threads.
        threading.Thread(target=run, name="cognito-emulator-keys", daemon=True).start()
        return fetch


def fetch_keys(provider: str, uri: str | None, seconds: float, *, offline: bool = False) -> Keys:
    """
    Fetch the JSON Web Keys of *provider*; blocks.

    Args:
        uri: The address of the keys; None takes it from the discovery document.
        seconds: The time limit for both documents together.
        offline: Fetch nothing from another machine, whatever a document or a redirect says.

    Returns:
        None if the keys cannot be fetched.
    """
    deadline = time.monotonic() + seconds
    try:
        document = _load(uri or _discovered(provider, deadline, offline), deadline, offline)
        return [key for key in document["keys"] if isinstance(key, dict)]
    except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
        return None


def _discovered(provider: str, deadline: float, offline: bool) -> str:
    """The address of the keys, from the discovery document."""
    problem: OSError | None = None
    for address in addresses_of(provider):
        try:
            base = address.removesuffix("/")
            return str(_load(f"{base}/.well-known/openid-configuration", deadline, offline)["jwks_uri"])
        except OSError as error:  # noqa: PERF203  (there are two at most)
            problem = error
    raise problem or OSError


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only to an address that keys may be fetched from."""

    def __init__(self, offline: bool) -> None:
        self._offline = offline

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        """Raise ValueError for any other address."""
        _check_address(newurl, self._offline)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str, offline: bool) -> None:
    if not may_be_fetched(url) or (offline and not is_on_this_machine(url)):
        raise ValueError("keys may not be fetched from this address")


def _load(url: Any, deadline: float, offline: bool) -> dict[str, Any]:
    _check_address(url, offline)
    # A proxy of the environment cannot reach servers of this machine.
    proxies = ProxyHandler({} if is_on_this_machine(url) else None)
    try:
        answer = build_opener(_Redirects(offline), proxies).open(url, timeout=_left(deadline))
    except HTTPError as error:
        error.close()  # It is the answer, with its connection.
        raise
    with answer:
        content = bytearray()
        while chunk := answer.read1(_CHUNK_BYTES):
            content += chunk
            if len(content) > _MAX_DOCUMENT_BYTES:
                raise ValueError("too large")
            _left(deadline)  # The socket's timeout is for one read: a byte a second would never meet it.
    document = json.loads(content)
    if not isinstance(document, dict):
        raise TypeError("not a JSON object")
    return document


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
