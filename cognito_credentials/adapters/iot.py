"""
MQTT over WebSocket to AWS IoT Core, for any MQTT client: a URL that is signed with the pool's credentials.

The signature is AWS's version 4, in the query. Unlike in the presigned URLs of other services, the session
token is added after the signature and is not signed. All of AWS's own clients do so for AWS IoT Core:

- https://github.com/aws/aws-iot-device-sdk-js/blob/master/device/index.js (`signUrl`)
- https://github.com/aws/aws-iot-device-sdk-python/blob/master/AWSIoTPythonSDK/core/protocol/connection/cores.py
  (`createWebsocketEndpoint`)
- https://github.com/aws/aws-iot-device-sdk-python-v2/blob/main/awsiot/mqtt_connection_builder.py
  (`omit_session_token`)
- https://github.com/aws-amplify/amplify-js/blob/main/packages/core/src/Signer/Signer.ts
  (`sessionTokenRequiredInSigning`)
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from ..errors import ConfigurationError, clean, replaced
from ..pool.pool import IdentityPool, held_by
from ..regions import is_region, near_regions
from ..settings.endpoints import checked_endpoint

if TYPE_CHECKING:
    from ..credentials import TemporaryCredentials
    from ..pool.async_pool import AsyncIdentityPool

_PATH: Final = "/mqtt"
_SERVICE: Final = "iotdevicegateway"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_EXPIRES: Final = 300
"""
Seconds in which a client must have connected. A connection that is open is not ended by this.

It is short, so that a URL in a log is soon worth nothing. Each reconnect needs a new one anyway, since the
credentials end, too.
"""
_DEFAULT_PORTS: Final = {"ws": 80, "wss": 443}
_SCHEMES: Final = {"wss": "https", "ws": "http"}
_WHERE: Final = "endpoint from argument"
_HINT: Final = "Give the host that `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints"


def websocket_url(pool: IdentityPool | AsyncIdentityPool, endpoint: str, region: str | None = None) -> str:
    """
    Return a URL for MQTT over WebSocket, signed at this moment with credentials that are valid now.

    Call it before each connect: the URL is good for five minutes. AWS IoT Core closes each connection after
    24 hours, and a network may do so at any time.

    The URL holds the session token, and lets whoever has it connect as this identity for these five minutes.
    It is a plain `str`, since MQTT clients need one: do not log it. Nothing here does.

    Args:
        pool: Whose credentials sign. They are refreshed by its policy if that is due. This function is no
            coroutine: before each call for an AsyncIdentityPool, await its `credentials`.
        endpoint: The account's data endpoint: a host, ``host:port``, or a URL with the path ``/mqtt`` or
            none. ``ws://`` and ``http://`` are for tests, and only for this machine.
        region: By default that in the endpoint's name, or else that of the pool.

    Returns:
        ``wss://HOST/mqtt?…``; its host is what the client has to send in the header ``Host``.

    Raises:
        ConfigurationError: *endpoint* or *region* are malformed, or contradict each other; *pool* is
            something else; or an AsyncIdentityPool holds nothing that is valid.
        CognitoCredentialsError: There are no valid credentials.

    Source: https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws, and for the 24 hours
    https://docs.aws.amazon.com/general/latest/gr/iot-core.html#iot-protocol-limits.
    """
    scheme, host, name = _address(endpoint)
    region = _region(region, name)
    pool, credentials = _credentials(pool)
    region = region or pool.settings.region
    held, clock = held_by(pool)
    # The service's time, as far as it is known: AWS refuses what is signed by a clock that is wrong.
    now = clock.wall() if held is None else held.record.seen.now(clock)
    return f"{scheme}://{host}{_PATH}?{_signed_query(credentials, host, region, now)}"


def _credentials(pool: IdentityPool | AsyncIdentityPool) -> tuple[IdentityPool, TemporaryCredentials]:
    if isinstance(pool, IdentityPool):
        return pool, pool.credentials()
    inner = getattr(pool, "pool", None)
    if not isinstance(inner, IdentityPool):
        raise ConfigurationError(
            f"websocket_url needs an identity pool, not {type(pool).__name__}",
            hint="Write websocket_url(IdentityPool(…), endpoint)",
            topic="E-ARGUMENT",
        )
    held = inner.current()  # it must not wait on the thread of an event loop
    if held is None:
        raise ConfigurationError(
            "the AsyncIdentityPool holds no valid credentials to sign a URL with",
            hint="Write `await pool.credentials()` before each websocket_url()",
            topic="E-ARGUMENT",
        )
    return inner, held


def _address(endpoint: object) -> tuple[str, str, str]:
    """Return scheme, host as in the header ``Host``, and the host's name alone."""
    if isinstance(endpoint, str):
        scheme, _, rest = endpoint.rpartition("://")
        endpoint = f"{_SCHEMES.get(scheme.lower(), scheme) or 'https'}://{rest}"
    with replaced(
        ConfigurationError, by=lambda error: ConfigurationError(error.message, hint=_HINT, topic=error.topic)
    ):
        parts = urlsplit(checked_endpoint(endpoint, _WHERE))
    if parts.path not in ("", _PATH):
        raise ConfigurationError(
            f"{_WHERE} has the path '{clean(parts.path, 80)}'", hint=_HINT, topic="E-ARGUMENT"
        )
    scheme = "wss" if parts.scheme == "https" else "ws"
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    is_default = parts.port in (None, _DEFAULT_PORTS[scheme])
    return scheme, host if is_default else f"{host}:{parts.port}", name


def _region(given: object, name: str) -> str | None:
    """Return the region that is given or that is in the endpoint's name; None if neither is."""
    in_name = next((label for label in name.split(".") if is_region(label)), None)
    if given is None:
        return in_name
    if not isinstance(given, str) or not is_region(given):
        near = near_regions(given) if isinstance(given, str) else []
        raise ConfigurationError(
            f"region from argument is no region: '{clean(str(given), 40)}'",
            hint=f"Did you mean {' or '.join(near)}?" if near else "It is like us-east-1",
            topic="E-ARGUMENT",
        )
    if in_name not in (None, given):
        raise ConfigurationError(
            f"region from argument is {given}, and the endpoint is in {in_name}",
            hint="Leave the region out: it is in the endpoint's name",
            topic="E-ARGUMENT",
        )
    return given


def _signed_query(credentials: TemporaryCredentials, host: str, region: str, now: float) -> str:
    """
    Return the query of a signed GET request.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = (stamp[:8], region, _SERVICE, "aws4_request")
    query = urlencode(
        {  # in the order of names, as they are signed
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": "/".join((credentials.access_key_id, *scope)),
            "X-Amz-Date": stamp,
            "X-Amz-Expires": _EXPIRES,
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=quote,
        safe="",
    )
    no_body = hashlib.sha256(b"").hexdigest()
    request = f"GET\n{_PATH}\n{query}\nhost:{host}\n\nhost\n{no_body}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret_access_key.reveal()}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    signed = "\n".join((_ALGORITHM, stamp, "/".join(scope), digest))
    signature = hmac.digest(key, signed.encode(), "sha256").hex()
    token = quote(credentials.session_token.reveal(), safe="")
    return f"{query}&X-Amz-Signature={signature}&X-Amz-Security-Token={token}"
