"""
The caller's session and a region in, botocore's own client of Cognito Identity out.

Credentials, endpoints, proxies and CA bundles are botocore's matter, by the session's settings. Here is only
how often a request is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import ConfigurationError, replaced
from ..regions import is_loopback, is_pool_id, is_region, near_regions
from .failures import worded

WORKERS: Final = 4
"""Requests at the same time. The quotas of most operations are not published."""
ATTEMPTS: Final = 8
"""How often botocore sends a request that is throttled, or that the service fails on."""
REQUESTS_PER_SECOND: Final[Mapping[str, float]] = {
    "GetOpenIdTokenForDeveloperIdentity": 50,
    "ListIdentities": 5,
    "DeleteIdentities": 10,
    "TagResource": 5,
    "UntagResource": 5,
    "ListTagsForResource": 10,
}
"""The published quotas of signed operations, by account and region. Source: `reference/service.md#11`."""
_CONNECT_SECONDS, _READ_SECONDS = 5, 30


class Clients:
    """
    The clients that one call of a public function uses: one for each region, made when it is first needed.

    Args:
        session: A `boto3.Session`, a botocore session, or None for boto3's own settings.
        sleep: Waits some seconds.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        session: Any = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        with replaced(Exception, by=worded):
            if session is None:
                session = boto3.Session()
        self._session = getattr(session, "_session", session)
        """botocore's own, which a `boto3.Session` wraps."""
        self._account: str | None = None
        self._made: dict[tuple[str, str, bool], Any] = {}
        self.sleep = sleep
        self._monotonic = monotonic

    def region(self) -> str:
        """
        Return the session's region.

        Raises:
            ConfigurationError: It has none.
        """
        with replaced(Exception, by=worded):
            region = self._session.get_config_variable("region")
        if not region:
            raise ConfigurationError(
                "no region is given for identity pools without an id",
                hint="Give --region, or set AWS_DEFAULT_REGION or the profile's region",
                topic="E-POOL-ID",
            )
        return checked_region(str(region), "the region")

    def of(self, region: str, *, once: bool = False) -> Any:
        """
        Return botocore's client of Cognito Identity in *region*; it may be used by several threads.

        Args:
            once: Whether it sends each request only once, for an operation that must not be done twice.
        """
        return self._client("cognito-identity", region, once=once, read_seconds=_READ_SECONDS)

    def beside(self, service: str, region: str) -> Any | None:
        """
        Return a client of *service*, such as ``sts``, for a question that may stay without an answer.

        Returns:
            None where Cognito Identity is on this machine, as the emulator, and *service* is not: it knows
            nothing of these pools.
        """
        client = self._client(service, region, once=True, read_seconds=_CONNECT_SECONDS)
        return None if _is_local(self.of(region)) and not _is_local(client) else client

    def account(self, region: str) -> str | None:
        """Return the account of the session's credentials; None where it cannot be found out."""
        with replaced(Exception, by=worded):
            credentials = self._session.get_credentials()
        # From a profile, the environment, or whoever issued the credentials: no request is needed.
        known = getattr(credentials, "account_id", None)
        if known or self._account or credentials is None:
            return known or self._account
        client = self.beside("sts", region)
        if client is None:
            return None
        try:
            self._account = str(client.get_caller_identity()["Account"])
        except (BotoCoreError, ClientError, KeyError):
            return None  # only a check, and an ARN for tags, need it; who needs it says so
        return self._account

    def _client(self, service: str, region: str, *, once: bool, read_seconds: int) -> Any:
        key = (service, region, once)
        if key not in self._made:
            config = Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=read_seconds,
                max_pool_connections=WORKERS,
                retries={"mode": "standard", "total_max_attempts": 1 if once else ATTEMPTS},
            )
            with replaced(Exception, by=worded):
                client = self._session.create_client(service, region_name=region, config=config)
            if service == "cognito-identity":
                pace = _Pace(self.sleep, self._monotonic)
                client.meta.events.register("before-call.cognito-identity", pace.wait)
            self._made[key] = client
        return self._made[key]


class _Pace:
    """Keeps the requests of one client within the published quotas: a token bucket for each operation."""

    def __init__(self, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, model: Any, **_: object) -> None:
        """Wait until the operation of *model* may be asked for again."""
        rate = REQUESTS_PER_SECOND.get(model.name)
        if rate is None:
            return
        with self._lock:
            now = self._monotonic()
            tokens, since = self._buckets.get(model.name, (rate, now))
            # Below zero it is what those who wait already will take.
            tokens = min(rate, tokens + (now - since) * rate) - 1
            self._buckets[model.name] = (tokens, now)
        if tokens < 0:
            self._sleep(-tokens / rate)


def region_of_pool(pool_id: str, where: str) -> str:
    """
    Return the region of the pool with *pool_id*.

    Args:
        where: What the id is and where it stands, for the error.

    Raises:
        ConfigurationError: It is no id of a pool.
    """
    if not is_pool_id(pool_id):
        raise ConfigurationError(
            f"{where}: '{pool_id}' is not REGION:GUID",
            hint="'cognito-credentials pool list' shows the ids",
            topic="E-POOL-ID",
        )
    return checked_region(pool_id.partition(":")[0], where)


def checked_region(region: str, where: str) -> str:
    """
    Return *region*.

    Raises:
        ConfigurationError: It does not look like a region.
    """
    if is_region(region):
        return region
    meant = near_regions(region)
    raise ConfigurationError(
        f"{where}: '{region}' is not a region",
        hint=f"Did you mean '{meant[0]}'?" if meant else "",
        topic="E-POOL-ID",
    )


def _is_local(client: Any) -> bool:
    return is_loopback(urlsplit(client.meta.endpoint_url).hostname or "")
