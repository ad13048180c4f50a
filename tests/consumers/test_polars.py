"""polars, by examples/data_frames.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cognito_credentials import IdentityPool
from tests.real_parts import package

from .conftest import Cognito, example
from .storage import Storage

package("obstore")
package("polars")
package("pandas")
package("aiobotocore.session")


def test_it_reads_over_a_renewal(
    cognito: Cognito, storage: Storage, proves: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within an hour polars asks the pool once; a minute before the credentials end, it asks again."""
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.url)
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")
    pool = IdentityPool(cognito.pool_id)
    read = example("data_frames.py").with_polars
    shapes = [read(pool, storage.bucket, "readings.csv").shape for _ in range(2)]
    once = len(storage.keys)
    cognito.make_due()
    shapes.append(read(pool, storage.bucket, "readings.csv").shape)

    assert once == 1
    assert shapes == [(2, 2)] * 3
    assert storage.refused == []
    proves("polars", "`credential_provider=` function", renewals=storage.renewals)
