"""polars, by examples/data_frames.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cognito_credentials import IdentityPool
from tests.real_parts import package

from .conftest import Cognito, example
from .storage import Storage

package("obstore")
polars = package("polars")
package("pandas")
package("aiobotocore.session")


def test_it_reads_over_a_renewal(
    cognito: Cognito, storage: Storage, proves: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One provider is asked again when less than a minute is left, and gets new credentials."""
    cognito.short_lived(60)  # a Rust program does not see that the clock moves
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.url)
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")
    pool = IdentityPool(cognito.pool_id)
    provider = example("data_frames.py").for_polars(pool)
    scanned = polars.scan_csv(f"s3://{storage.bucket}/readings.csv", credential_provider=provider)
    shapes = [scanned.collect().shape for _ in range(2)]
    once = len(storage.keys)
    cognito.make_due()
    shapes.append(scanned.collect().shape)

    assert once == 1
    assert shapes == [(2, 2)] * 3
    assert storage.refused == []
    proves("polars", "`credential_provider=` function", renewals=storage.renewals)
