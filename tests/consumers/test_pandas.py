"""pandas over s3fs, by examples/data_frames.py, and the whole of that program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cognito_credentials import IdentityPool
from tests.real_parts import package

from .conftest import Cognito, example
from .storage import Storage

package("aiobotocore.session")
package("s3fs")
package("polars")
package("obstore")
pandas = package("pandas")


def test_it_reads_over_a_renewal(cognito: Cognito, storage: Storage, proves: Callable[..., None]) -> None:
    """Each read signs with keys that are valid then; one pool serves them all."""
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")
    pool = IdentityPool(cognito.pool_id)
    read = example("data_frames.py").with_pandas
    frames = [read(pool, storage.bucket, "readings.csv") for _ in range(2)]
    cognito.make_due()
    frames.append(read(pool, storage.bucket, "readings.csv"))

    assert [frame.to_dict("list") for frame in frames] == [{"x": [1, 3], "y": [2, 4]}] * 3
    assert storage.refused == []
    proves("pandas", "`storage_options=`, over s3fs", renewals=storage.renewals)


def test_the_program_reads_in_three_ways(
    cognito: Cognito, storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One pool is enough for all three libraries: one identity and one set of credentials."""
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.url)
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")
    example("data_frames.py").main(cognito.pool_id, storage.bucket, "readings.csv")

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        [name, "(2,", "2)"] for name in ("pandas", "polars", "obstore")
    ]
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"
