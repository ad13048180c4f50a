"""
The keys of login providers, fetched over a network that may be slow, silent or hostile.

Each fetch has a thread of its own, and nobody waits for one longer than a moment: not the call that
needs it, nor calls for other providers, nor the end of the server.
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
    The fetches that are under way, one for a provider however many calls need it.

    Args:
        issuers: Where keys go.
        seconds: How long a call waits for all documents of one provider together.
    """

    def __init__(self, issuers: Issuers, seconds: float = _FETCH_SECONDS) -> None:
        self.seconds = seconds
        self._issuers = issuers
        self._under_way: dict[str, Future[Keys]] = {}

    async def fetch(self, provider: str) -> None:
        """Get the keys of *provider* to the issuers, or tell them that they cannot be had."""
        fetch = self._under_way.get(provider)
        if fetch is None or fetch.done():
            fetch = self._under_way[provider] = self._started(provider)
        try:
            keys = await asyncio.wait_for(asyncio.wrap_future(fetch), self.seconds)
        except asyncio.TimeoutError:
            keys = None  # the thread goes on until its socket lets it go; until then it is the only one
        self._issuers.keep(provider, keys)

    def _started(self, provider: str) -> Future[Keys]:
        fetch: Future[Keys] = Future()
        fetch.set_running_or_notify_cancel()  # a call that waits no longer does not end it for the others
        uri = self._issuers.keys_uri(provider)

        def run() -> None:
            try:
                fetch.set_result(fetch_keys(provider, uri, self.seconds))
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
                fetch.set_exception(error)

        # No pool of threads: the end of the loop, and of the process, would wait for those of a pool.
        threading.Thread(target=run, name="cognito-emulator-keys", daemon=True).start()
        return fetch


def fetch_keys(provider: str, uri: str | None, seconds: float) -> Keys:
    """
    Fetch the JSON Web Keys of *provider*; blocks.

    Args:
        uri: Where they are; None finds it by discovery.
        seconds: For all of it.

    Returns:
        None when they cannot be had.
    """
    deadline = time.monotonic() + seconds
    try:
        document = _load(uri or _discovered(provider, deadline), deadline)
        return [key for key in document["keys"] if isinstance(key, dict)]
    except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
        return None


def _discovered(provider: str, deadline: float) -> str:
    """Look up where the keys of *provider* are."""
    problem: OSError | None = None
    for address in addresses_of(provider):
        try:
            return str(_load(f"{address}/.well-known/openid-configuration", deadline)["jwks_uri"])
        except OSError as error:  # noqa: PERF203  (two at most)
            problem = error
    raise problem or OSError


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only to where keys may be fetched from."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        """Raise ValueError for another place."""
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str) -> None:
    if not may_be_fetched(url):
        raise ValueError("refusing to fetch keys from there")


def _load(url: Any, deadline: float) -> dict[str, Any]:
    _check_address(url)
    # A proxy of the environment is the way to other machines, and none to this one.
    proxies = ProxyHandler({} if is_on_this_machine(url) else None)
    with build_opener(_Redirects, proxies).open(url, timeout=_left(deadline)) as answer:
        content = bytearray()
        while chunk := answer.read1(_CHUNK_BYTES):
            content += chunk
            if len(content) > _MAX_DOCUMENT_BYTES:
                raise ValueError("too large")
            _left(deadline)  # each read has its own timeout: a byte a second would never meet it
    document = json.loads(content)
    if not isinstance(document, dict):
        raise TypeError("not a JSON object")
    return document


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
