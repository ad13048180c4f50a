"""Records in the form of the version before: identities in JSON, under names with ``v1``."""

from __future__ import annotations

import json
from pathlib import Path

from cognito_credentials.cache import record_name
from cognito_credentials.cache.records import IdentityRecord, decode_identity
from cognito_credentials.digest import sha256


def json_identity(record: IdentityRecord) -> bytes:
    """Write *record* as the version before did."""
    names = ("identity_id", "identity_pool_id", "principal", "obtained_at")
    values = {"v": 1, "kind": "identity", "key": record.key, **{n: getattr(record, n) for n in names}}
    body = json.dumps(values, separators=(",", ":"))[:-1].encode()
    return body + f',"sum":"{sha256(body).hexdigest()}"}}\n'.encode()


def downgrade(cache: Path) -> dict[str, bytes]:
    """
    Make *cache*, where one guest has credentials, look as if the version before had written it.

    Returns:
        The content of each file of a record, by its name.
    """
    (path,) = cache.glob("identity-v2-*.txt")
    key = path.stem[-40:]
    record = decode_identity(key, path.read_bytes())
    assert record is not None
    (credentials,) = cache.glob("credentials-v2-*.txt")
    credentials_key = credentials.stem[-40:]
    for file in list(cache.iterdir()):  # PyPy 7.3.19 finds nothing by "*-v2-*.txt"
        if "-v2-" in file.name:
            file.unlink()
    contents = {
        record_name("identity-v1", key): json_identity(record),
        record_name("credentials-v1", credentials_key): b'{"v":1,"secret_access_key":"CANARY"}\n',
        record_name("state-v1", credentials_key): b'{"v":1}\n',
    }
    for name, content in contents.items():
        (cache / name).write_bytes(content)
        (cache / name).chmod(0o600)
    return contents
