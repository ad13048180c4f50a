"""
The caller of a signed request. Signatures of version 4 are verified with botocore's signer.

For an access key that the emulator issued, session token, expiry, signature and date are verified. An unknown
access key counts as the developer of the account, without a check of the signature, unless ``strict_auth`` is
on. Keys with the session token of another emulator are refused, as AWS refuses keys that it does not know.

Source: `reference/service.md#W25` to `reference/service.md#W27`, `reference/service.md#9.6`.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.names import DEFAULT_REGION
from cognito_credentials.emulator.operations.query import VERSIONS
from cognito_credentials.emulator.service import DEVELOPER, Caller, Service

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest


_ALGORITHM = "AWS4-HMAC-SHA256"
_REGION = re.compile("[a-z0-9-]{1,18}")
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_BODY_HASH = "x-amz-content-sha256"
_MOST_LIFETIME = 7 * 24 * 3600
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a text
_EXPIRED_TOKEN = "The security token included in the request is expired"  # noqa: S105 - a text

# Kind of refusal -> code and status, for the JSON protocol and for the query protocol.
_JSON_CODES = {
    "missing": ("MissingAuthenticationTokenException", 400),
    "incomplete": ("IncompleteSignatureException", 400),
    "unknown": ("UnrecognizedClientException", 400),
    "expired": ("ExpiredTokenException", 400),
    "mismatch": ("InvalidSignatureException", 400),
}
_QUERY_CODES = {
    "missing": ("MissingAuthenticationToken", 403),
    "incomplete": ("IncompleteSignature", 400),
    "unknown": ("InvalidClientTokenId", 403),
    "expired": ("ExpiredToken", 403),
    "mismatch": ("SignatureDoesNotMatch", 403),
}


@dataclass(frozen=True)
class SignedRequest:
    """The parts of an HTTP request that a signature covers. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Signature:
    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    session_token: str
    lifetime: int | None = None
    query: str = ""


class _RefusedError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


def authenticate(service: Service, request: SignedRequest, service_name: str) -> Caller:
    """
    The caller who signed *request*.

    Args:
        service_name: The service that the signature must be for, e.g. ``cognito-identity``.

    Raises:
        ServiceError: The request is unsigned, or its signature is wrong or too old.
    """
    try:
        return _authenticate(service, request, service_name)
    except _RefusedError as refused:
        is_query = service_name in VERSIONS
        code, status = (_QUERY_CODES if is_query else _JSON_CODES)[refused.kind]
        unsigned = is_query and refused.kind == "missing"
        message = assumed.MISSING_AUTHENTICATION_QUERY if unsigned else refused.message
        raise ServiceError(code, message, status) from None


def _authenticate(service: Service, request: SignedRequest, service_name: str) -> Caller:
    signature = _read_signature(request)
    region = signature.region or DEFAULT_REGION
    if _REGION.fullmatch(region) is None:  # it becomes part of pool ids
        raise _RefusedError("mismatch", assumed.SIGNATURE_REGION)
    if service.mint.issued(signature.access_key_id):
        session_and_secret = service.mint.open(signature.access_key_id, signature.session_token)
        if session_and_secret is None:
            raise _RefusedError("unknown", _INVALID_TOKEN)
        session, secret = session_and_secret
        if service.clock.now() >= session.expires_at:
            raise _RefusedError("expired", _EXPIRED_TOKEN)
        _check_scope(signature, service_name)
        _verify(request, signature, secret, service.clock)
        return Caller(session.arn, session.account, session.user_id, region, session)
    developer = service.state.row(
        "SELECT secret_access_key FROM developers WHERE access_key_id = ?", signature.access_key_id
    )
    if developer is not None:
        _check_scope(signature, service_name)
        _verify(request, signature, developer["secret_access_key"], service.clock)
    elif service.strict_auth or service.mint.is_of_another(signature.session_token):
        # Keys of an emulator that was stopped: as the developer's they would let a guest do everything.
        raise _RefusedError("unknown", _INVALID_TOKEN)
    return DEVELOPER.in_region(region)


def signed_region(request: SignedRequest) -> str | None:
    """The region in the signature of *request*, which is not verified here; None for an unsigned request."""
    try:
        return _read_signature(request).region or None
    except _RefusedError:
        return None


def _read_signature(request: SignedRequest) -> _Signature:
    header = request.headers.get("authorization")
    if header is not None:
        return _read_header(request, header)
    if "X-Amz-Signature=" in request.query:
        return _read_query(request)
    raise _RefusedError("missing", assumed.MISSING_AUTHENTICATION)


def _read_header(request: SignedRequest, header: str) -> _Signature:
    algorithm, _, parameters = header.partition(" ")
    return _signature(
        algorithm,
        dict(re.findall(r"(\w+)=([^,\s]+)", parameters)),
        timestamp=request.headers.get("x-amz-date") or _amz_date(request.headers.get("date", "")),
        session_token=request.headers.get("x-amz-security-token", ""),
        query=request.query,
    )


def _amz_date(date: str) -> str:
    """The Date header in the format of X-Amz-Date; empty when it is not a date."""
    parts = parsedate_tz(date)
    try:
        return time.strftime(_AMZ_DATE, time.gmtime(mktime_tz(parts))) if parts else ""
    except (ValueError, OverflowError):
        return ""


def _read_query(request: SignedRequest) -> _Signature:
    """The signature of a presigned URL."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    fields = {name.removeprefix("X-Amz-"): value for name, value in pairs if name.startswith("X-Amz-")}
    lifetime = fields.get("Expires", "")
    if not re.fullmatch(r"[0-9]{1,6}", lifetime) or int(lifetime) > _MOST_LIFETIME:
        raise _RefusedError("incomplete", assumed.SIGNATURE_INCOMPLETE)
    signed = [part for part in request.query.split("&") if not part.startswith("X-Amz-Signature=")]
    return _signature(
        fields.get("Algorithm", ""),
        fields,
        timestamp=fields.get("Date", ""),
        session_token=fields.get("Security-Token", ""),
        query="&".join(signed),
        lifetime=int(lifetime),
    )


def _signature(algorithm: str, fields: Mapping[str, str], *, timestamp: str, **others: Any) -> _Signature:
    """A signature from its fields, which have the same names in a header and in a query."""
    scope = fields.get("Credential", "").split("/")
    complete = len(scope) == 5 and {"SignedHeaders", "Signature"} <= fields.keys() and timestamp
    if algorithm != _ALGORITHM or not complete:
        raise _RefusedError("incomplete", assumed.SIGNATURE_INCOMPLETE)
    access_key_id, date, region, service, terminator = scope
    return _Signature(
        access_key_id=access_key_id,
        date=date,
        region=region,
        service=service,
        terminator=terminator,
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=timestamp,
        **others,
    )


def _check_scope(signature: _Signature, service_name: str) -> None:
    """Refuse a signature for another service, day or host: it could be replayed here otherwise."""
    scope = (signature.date, signature.service, signature.terminator)
    expected = (signature.timestamp[:8], service_name, "aws4_request")
    if scope != expected or "host" not in signature.signed_headers:
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH)


def _verify(request: SignedRequest, signature: _Signature, secret: str, clock: Clock) -> None:
    """Refuse a wrong signature first, then one that is too old or too far in the future."""
    try:
        expected = _expected_signature(request, signature, secret)
    except ValueError:  # the Host header is not a host name
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH) from None
    if not hmac.compare_digest(expected.encode(), signature.signature.encode()):
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH)
    try:
        signed_at = calendar.timegm(time.strptime(signature.timestamp, _AMZ_DATE))
    except ValueError:
        raise _RefusedError("incomplete", assumed.SIGNATURE_INCOMPLETE) from None
    _check_time(signature, signed_at, clock)


def _check_time(signature: _Signature, signed_at: int, clock: Clock) -> None:
    """
    Refuse a signature that is too old or too far in the future.

    A test that lets time pass at the service does not move the clock of the client. So it is enough that the
    signature is current by the clients' clock. A presigned URL, like credentials, expires by the service's
    clock.
    """
    now, window = clock.now(), assumed.SIGNATURE_WINDOW_SECONDS
    lifetime = window if signature.lifetime is None else signature.lifetime
    is_current_for_clients = signed_at - window <= clock.of_clients() <= signed_at + lifetime
    if signed_at + lifetime < now and not (is_current_for_clients and signature.lifetime is None):
        raise _RefusedError("mismatch", assumed.signature_expired(signature.timestamp, now, lifetime))
    if signed_at - window > now and not is_current_for_clients:
        raise _RefusedError("mismatch", assumed.signature_not_current(signature.timestamp, now, window))


def _expected_signature(request: SignedRequest, signature: _Signature, secret: str) -> str:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.compat import HTTPHeaders
    from botocore.credentials import Credentials

    class Signer(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
        """botocore's signer, for the headers that the client has signed."""

        def headers_to_sign(self, request: AWSRequest) -> Any:
            headers = HTTPHeaders()
            for name in signature.signed_headers:
                headers[name] = request.headers.get(name, "")
            return headers

    headers = dict(request.headers)
    if _BODY_HASH in headers:  # the signer would take its value; services other than S3 hash the body
        headers[_BODY_HASH] = hashlib.sha256(request.body).hexdigest()
    url = f"http://{headers.get('host', '')}{request.path}"
    signed = AWSRequest(
        method=request.method,
        url=f"{url}?{signature.query}" if signature.query else url,
        data=request.body,
        headers=headers,
    )
    signed.context["timestamp"] = signature.timestamp
    credentials = Credentials(signature.access_key_id, secret)
    signer = Signer(credentials, signature.service, signature.region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    expected: str = signer.signature(text, signed)
    return expected
