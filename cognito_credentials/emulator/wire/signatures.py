"""
Who signed a request: signature version 4, verified with botocore's own signer.

Keys that the emulator issued are verified in full: session token, expiry, signature and clock.
A key that it does not know is the account's developer, whose signature cannot be verified, unless
authentication is strict. Source: service.md 1.3 (W25 to W27) and 9.6.
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

# Kind of refusal -> code and status, for the JSON protocol and for STS's query protocol.
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
    """The parts of an HTTP request that a signature covers; header names are lower case."""

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
    Find out who signed *request*.

    Args:
        service_name: ``cognito-identity`` or ``sts``.

    Raises:
        ServiceError: The request is not signed, or not well.
    """
    try:
        return _authenticate(service, request, service_name)
    except _RefusedError as refused:
        codes = _QUERY_CODES if service_name == "sts" else _JSON_CODES
        code, status = codes[refused.kind]
        unsigned_sts = service_name == "sts" and refused.kind == "missing"
        message = assumed.MISSING_AUTHENTICATION_STS if unsigned_sts else refused.message
        raise ServiceError(code, message, status) from None


def _authenticate(service: Service, request: SignedRequest, service_name: str) -> Caller:
    given = _read_signature(request)
    region = given.region or DEFAULT_REGION
    if _REGION.fullmatch(region) is None:  # it becomes part of the ids of pools
        raise _RefusedError("mismatch", assumed.SIGNATURE_REGION)
    if service.mint.issued(given.access_key_id):
        opened = service.mint.open(given.access_key_id, given.session_token)
        if opened is None:
            raise _RefusedError("unknown", _INVALID_TOKEN)
        session, secret = opened
        if service.clock.now() >= session.expires_at:
            raise _RefusedError("expired", _EXPIRED_TOKEN)
        _check_scope(given, service_name)
        _verify(request, given, secret, service.clock)
        return Caller(session.arn, session.account, session.user_id, region, session)
    found = service.state.row(
        "SELECT secret_access_key FROM developers WHERE access_key_id = ?", given.access_key_id
    )
    if found is not None:
        _check_scope(given, service_name)
        _verify(request, given, found["secret_access_key"], service.clock)
    elif service.strict_auth:
        raise _RefusedError("unknown", _INVALID_TOKEN)
    return DEVELOPER.in_region(region)


def signed_region(request: SignedRequest) -> str | None:
    """The region that *request* says it was signed for; None when it is not signed."""
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
    """The Date header as what is signed has it; empty when it is no date."""
    parts = parsedate_tz(date)
    try:
        return time.strftime(_AMZ_DATE, time.gmtime(mktime_tz(parts))) if parts else ""
    except (ValueError, OverflowError):
        return ""


def _read_query(request: SignedRequest) -> _Signature:
    """A presigned URL, the other way to sign a request."""
    given = parse_qsl(request.query, keep_blank_values=True)
    fields = {name.removeprefix("X-Amz-"): value for name, value in given if name.startswith("X-Amz-")}
    lifetime = fields.get("Expires", "")
    if not re.fullmatch(r"[0-9]{1,6}", lifetime) or int(lifetime) > _MOST_LIFETIME:
        raise _RefusedError("incomplete", assumed.SIGNATURE_INCOMPLETE)
    kept = [part for part in request.query.split("&") if not part.startswith("X-Amz-Signature=")]
    return _signature(
        fields.get("Algorithm", ""),
        fields,
        timestamp=fields.get("Date", ""),
        session_token=fields.get("Security-Token", ""),
        query="&".join(kept),
        lifetime=int(lifetime),
    )


def _signature(algorithm: str, fields: Mapping[str, str], *, timestamp: str, **others: Any) -> _Signature:
    """The parts of a signature, which have the same names in a header and in a query."""
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


def _check_scope(given: _Signature, service_name: str) -> None:
    """Refuse a signature for another service, day or host: without that it could be carried there."""
    scope = (given.date, given.service, given.terminator)
    expected = (given.timestamp[:8], service_name, "aws4_request")
    if scope != expected or "host" not in given.signed_headers:
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH)


def _verify(request: SignedRequest, given: _Signature, secret: str, clock: Clock) -> None:
    """Refuse a wrong signature, then one that is too old or not yet good."""
    try:
        expected = _expected_signature(request, given, secret)
    except ValueError:  # a host that can be none
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH) from None
    if not hmac.compare_digest(expected.encode(), given.signature.encode()):
        raise _RefusedError("mismatch", assumed.SIGNATURE_MISMATCH)
    try:
        signed_at = calendar.timegm(time.strptime(given.timestamp, _AMZ_DATE))
    except ValueError:
        raise _RefusedError("incomplete", assumed.SIGNATURE_INCOMPLETE) from None
    _check_time(given, signed_at, clock)


def _check_time(given: _Signature, signed_at: int, clock: Clock) -> None:
    """
    Refuse what was signed too long ago or ahead, by the emulator's clock and by the machine's.

    A test that moves the emulator's clock does not move that of the client, whose own is right all the
    same. A presigned URL has a lifetime, which is over by the emulator's clock, like that of credentials.
    """
    now, window = clock.now(), assumed.SIGNATURE_WINDOW_SECONDS
    lifetime = window if given.lifetime is None else given.lifetime
    is_good_here = signed_at - window <= clock.of_clients() <= signed_at + lifetime
    if signed_at + lifetime < now and not (is_good_here and given.lifetime is None):
        raise _RefusedError("mismatch", assumed.signature_expired(given.timestamp, now, lifetime))
    if signed_at - window > now and not is_good_here:
        raise _RefusedError("mismatch", assumed.signature_not_current(given.timestamp, now, window))


def _expected_signature(request: SignedRequest, given: _Signature, secret: str) -> str:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.compat import HTTPHeaders
    from botocore.credentials import Credentials

    class Signer(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
        """botocore's signer, made to sign the headers that the caller says it signed."""

        def headers_to_sign(self, request: AWSRequest) -> Any:
            headers = HTTPHeaders()
            for name in given.signed_headers:
                headers[name] = request.headers.get(name, "")
            return headers

    headers = dict(request.headers)
    if _BODY_HASH in headers:  # the signer would believe it, as S3 does; all other services hash the body
        headers[_BODY_HASH] = hashlib.sha256(request.body).hexdigest()
    url = f"http://{headers.get('host', '')}{request.path}"
    signed = AWSRequest(
        method=request.method,
        url=f"{url}?{given.query}" if given.query else url,
        data=request.body,
        headers=headers,
    )
    signed.context["timestamp"] = given.timestamp
    credentials = Credentials(given.access_key_id, secret)
    signer = Signer(credentials, given.service, given.region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    expected: str = signer.signature(text, signed)
    return expected
