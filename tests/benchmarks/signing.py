"""The time to sign one request with our credentials, with botocore's, and through awscrt."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials

from cognito_credentials import IdentityPool
from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from cognito_credentials.emulator import Emulator

from .figures import Figure, Scale, interleaved, ratio

FREEZES = 2000
SIGNATURES = 100


def signing(scale: Scale) -> Iterator[Figure]:
    """Time reading fresh credentials, and whole signatures with them."""
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        environ = {**os.environ, "HOME": home, "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url}
        pool = IdentityPool(emulator.create_pool(), environ=environ)
        pool.credentials()
        yield from _figures(pool, scale)


def _figures(pool: IdentityPool, scale: Scale) -> Iterator[Figure]:
    ours, theirs = IdentityPoolCredentials(pool), _refreshable(pool)
    fixed = Credentials(ours.access_key, ours.secret_key, ours.token)
    medians = interleaved(
        {
            "our freeze": _each(ours.get_frozen_credentials, FREEZES),
            "their freeze": _each(theirs.get_frozen_credentials, FREEZES),
            "our signature": _each(lambda: _sign(ours), SIGNATURES),
            "their signature": _each(lambda: _sign(theirs), SIGNATURES),
            "fixed signature": _each(lambda: _sign(fixed), SIGNATURES),
        },
        scale.repetitions,
    )
    name = "signing one request : botocore's RefreshableCredentials"
    yield ratio(name, medians["our signature"], medians["their signature"], 1.0)
    name = "get_frozen_credentials : botocore's RefreshableCredentials"
    yield ratio(name, medians["our freeze"], medians["their freeze"], 1.0)
    name = "  signing with keys that never change : the same"
    yield ratio(name, medians["fixed signature"], medians["their signature"], None)
    if importlib.util.find_spec("awscrt") is not None:
        yield from _through_awscrt(pool, scale)


def _through_awscrt(pool: IdentityPool, scale: Scale) -> Iterator[Figure]:
    """
    Time awscrt's delegate, which asks our pool for each signature, beside awscrt's provider of fixed keys.

    awscrt's own Cognito provider connects only to port 443, so it cannot use the emulator.
    """
    from awscrt.auth import AwsCredentials, AwsCredentialsProvider

    def ours() -> Any:
        credentials = pool.credentials()
        return AwsCredentials(
            credentials.access_key_id,
            credentials.secret_access_key.reveal(),
            credentials.session_token.reveal(),
            credentials.expiration,
        )

    delegate = AwsCredentialsProvider.new_delegate(ours)
    fixed = AwsCredentialsProvider.new_static("ASIAEXAMPLEEXAMPLE00", "secret", "token")
    medians = interleaved(
        {
            "delegate": _each(lambda: delegate.get_credentials().result(), SIGNATURES),
            "static": _each(lambda: fixed.get_credentials().result(), SIGNATURES),
        },
        scale.repetitions,
    )
    name = "  awscrt's delegate asking our pool : awscrt's fixed keys"
    yield ratio(name, medians["delegate"], medians["static"], None)


def _refreshable(pool: IdentityPool) -> RefreshableCredentials:
    """Return botocore's own class with the same credentials."""
    held = pool.credentials()
    metadata = {
        "access_key": held.access_key_id,
        "secret_key": held.secret_access_key.reveal(),
        "token": held.session_token.reveal(),
        "expiry_time": held.expiration.astimezone(dt.timezone.utc).isoformat(),
    }
    return RefreshableCredentials.create_from_metadata(metadata, lambda: metadata, "test")


def _sign(credentials: Any) -> None:
    """Sign one request as botocore's signer does."""
    request = AWSRequest("GET", "https://bucket.s3.us-east-1.amazonaws.com/key", data=b"")
    SigV4Auth(credentials.get_frozen_credentials(), "s3", "us-east-1").add_auth(request)


def _each(action: Callable[[], object], times: int) -> Callable[[], float]:
    """Return a function that runs *action* *times* times and returns the seconds of one run."""

    def run() -> float:
        began = time.perf_counter()
        for _ in range(times):
            action()
        return (time.perf_counter() - began) / times

    return run
