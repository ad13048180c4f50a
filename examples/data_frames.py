"""
Data frames from S3 with the credentials of an identity pool: pandas over s3fs, polars, and obstore.

    pip install "/path/to/cognito-credentials[aio]"  # a checkout: it is on no package index yet
    pip install pandas s3fs polars obstore
    python data_frames.py us-east-1:00000000-0000-4000-8000-000000000001 my-bucket readings.csv

Each library asks the pool again when its credentials are about to end, so a program may read for days. Take
the function of the library that you use; the pool may also have `logins=`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import aiobotocore.session
import obstore
import pandas as pd
import polars as pl
from obstore.store import S3Store

from cognito_credentials import IdentityPool, install


def with_pandas(pool: IdentityPool, bucket: str, name: str) -> pd.DataFrame:
    """Read a CSV file with pandas, which reads S3 by s3fs. The same options are for dask and fsspec."""
    session = aiobotocore.session.get_session()
    install(session, pool)
    return pd.read_csv(f"s3://{bucket}/{name}", storage_options={"session": session})


def for_polars(pool: IdentityPool) -> Callable[[], tuple[dict[str, str], int]]:
    """Make what polars takes as `credential_provider`: it reads S3 by itself. Make it once."""

    def credentials() -> tuple[dict[str, str], int]:
        keys = pool.credentials()
        options = {
            "aws_access_key_id": keys.access_key_id,
            "aws_secret_access_key": keys.secret_access_key.reveal(),
            "aws_session_token": keys.session_token.reveal(),
        }
        # polars uses them up to the second that it is told. A minute is for requests that are under way then.
        return options, keys.expires_at - 60

    return credentials


def store(pool: IdentityPool, bucket: str) -> S3Store:
    """Make a store of obstore, which reads and writes any file. Zarr and others take it, too."""

    def credentials() -> Any:
        keys = pool.credentials()
        return {
            "access_key_id": keys.access_key_id,
            "secret_access_key": keys.secret_access_key.reveal(),
            "token": keys.session_token.reveal(),
            "expires_at": keys.expiration,  # it asks again five minutes earlier
        }

    return S3Store(bucket, region=pool.settings.region, credential_provider=credentials)


def main(identity_pool_id: str, bucket: str, name: str) -> None:
    """Read one file in three ways."""
    pool = IdentityPool(identity_pool_id)
    print("pandas ", with_pandas(pool, bucket, name).shape)
    scanned = pl.scan_csv(f"s3://{bucket}/{name}", credential_provider=for_polars(pool))
    print("polars ", scanned.collect().shape)
    content = bytes(obstore.get(store(pool, bucket), name).bytes())
    print("obstore", pd.read_csv(io.BytesIO(content)).shape)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python data_frames.py IDENTITY_POOL_ID BUCKET NAME")
    main(*sys.argv[1:])
