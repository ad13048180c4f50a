"""The bucket of these tests lets through what a key of the emulator has signed, and nothing else."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_credentials import Session

from .conftest import Cognito
from .storage import Storage


def _code(client: Any, storage: Storage) -> str:
    with pytest.raises(ClientError) as raised:
        client.list_objects_v2(Bucket=storage.bucket)
    return str(raised.value.response["Error"]["Code"])


def _client(**keys: str) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("s3", config=config, **{f"aws_{name}": value for name, value in keys.items()})


def _issued(cognito: Cognito) -> dict[str, str]:
    client = boto3.client("cognito-identity", config=Config(signature_version=UNSIGNED))
    identity_id = client.get_id(IdentityPoolId=cognito.pool_id)["IdentityId"]
    found = client.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    client.close()
    return {
        "access_key_id": found["AccessKeyId"],
        "secret_access_key": found["SecretKey"],
        "session_token": found["SessionToken"],
    }


def test_a_key_of_the_emulator_is_let_through(cognito: Cognito, storage: Storage) -> None:
    """Names with odd characters, bodies and queries are signed as S3 wants it; the signer is the identity."""
    session = Session(identity_pool_id=cognito.pool_id)
    client = session.client("s3")
    names = ["a b+c/ü=&.txt", "plain", "a//b/../c"]
    for name in names:
        client.put_object(Bucket=storage.bucket, Key=name, Body=name.encode())
    read = [client.get_object(Bucket=storage.bucket, Key=name)["Body"].read().decode() for name in names]
    listed = client.list_objects_v2(Bucket=storage.bucket, Prefix="a b+", MaxKeys=5)["Contents"]

    assert read == names
    assert [entry["Key"] for entry in listed] == names[:1]
    assert storage.refused == []
    assert storage.renewals == 0
    assert session.identity_pool is not None
    assert {signer.identity_id for signer in storage.signers} == {session.identity_pool.identity_id()}


def test_other_keys_are_refused(cognito: Cognito, storage: Storage) -> None:
    """No signature, an unknown key, a wrong secret, another key's session token: each is refused."""
    keys = _issued(cognito)
    unsigned = boto3.client("s3", config=Config(signature_version=UNSIGNED))

    assert _code(unsigned, storage) == "AccessDenied"
    assert _code(_client(access_key_id="AKIA0", secret_access_key="x", session_token="y"), storage) == (
        "InvalidAccessKeyId"
    )
    assert _code(_client(**{**keys, "secret_access_key": "x"}), storage) == "SignatureDoesNotMatch"
    others = _issued(cognito)["session_token"]
    assert _code(_client(**{**keys, "session_token": others}), storage) == "InvalidAccessKeyId"
    assert storage.signers == []


def test_an_expired_key_is_refused(cognito: Cognito, storage: Storage) -> None:
    """An hour later by the service's clock the key is refused as expired."""
    client = _client(**_issued(cognito))
    client.list_objects_v2(Bucket=storage.bucket)
    cognito.emulator.move_clock(3600)

    assert _code(client, storage) == "ExpiredToken"


@pytest.mark.parametrize("short", [False, True])
def test_a_renewal_is_seen(cognito: Cognito, storage: Storage, short: bool) -> None:
    """When the credentials are due, the next request is signed by another key; before, the key stays."""
    if short:
        cognito.short_lived()
    client = Session(identity_pool_id=cognito.pool_id).client("s3")
    for _ in range(3):
        client.list_objects_v2(Bucket=storage.bucket)
        client.list_objects_v2(Bucket=storage.bucket)
        cognito.make_due()

    assert storage.renewals == 2
    assert len(storage.signers) == 6
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 3"
