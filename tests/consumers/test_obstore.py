"""obstore, by examples/data_frames.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cognito_credentials import IdentityPool
from tests.real_parts import package

from .conftest import Cognito, example
from .storage import Storage

package("polars")
package("pandas")
package("aiobotocore.session")
obstore = package("obstore")


def test_it_reads_and_writes_over_a_renewal(
    cognito: Cognito, storage: Storage, proves: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One store asks the pool again when less than five minutes are left, and gets new credentials."""
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    cognito.short_lived()  # a Rust program does not see that the clock moves
    store = example("data_frames.py").store(IdentityPool(cognito.pool_id), storage.bucket)
    obstore.put(store, "a", b"1")
    cognito.make_due()
    while storage.renewals == 0:  # within a tenth of a second it does not ask twice
        content = bytes(obstore.get(store, "a").bytes())

    assert content == storage.get("a") == b"1"
    assert storage.refused == []
    proves("obstore", "`credential_provider=` function", renewals=storage.renewals)
