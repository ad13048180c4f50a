"""
Who signed a request, by AWS's Signature Version 4. Any service; only keys of the emulator are accepted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cognito_credentials.emulator import Emulator

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class Request:
    """A request as it came in: ``target`` is path and query, not decoded; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Signer:
    """The key that signed, and the session that Cognito issued it for."""

    access_key_id: str
    identity_id: str
    role_name: str


class RefusedError(Exception):
    """The request is not signed by a key that is valid now; ``code`` is the error code of S3."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Gate:
    """
    Lets requests to *service* in that a key of the emulator has signed.

    Attributes:
        signers: Who signed the requests that were let in, one for each request.
        refused: The error codes of the others.
    """

    def __init__(self, emulator: Emulator, service: str) -> None:
        self._emulator = emulator
        self._service = service
        self.signers: list[Signer] = []
        self.refused: list[str] = []

    @property
    def keys(self) -> list[str]:
        """The access key ids that have signed, each once, in the order of their first use."""
        return list(dict.fromkeys(signer.access_key_id for signer in self.signers))

    @property
    def renewals(self) -> int:
        """How often the consumer went on with other keys than those that it began with."""
        return max(len(self.keys) - 1, 0)

    def let_in(self, request: Request) -> Signer:
        """Return who signed *request*, and note it. Raises RefusedError."""
        try:
            signer = signer_of(request, self._emulator, self._service)
        except RefusedError as refused:
            self.refused.append(refused.code)
            raise
        self.signers.append(signer)
        return signer


def signer_of(request: Request, emulator: Emulator, service: str) -> Signer:
    """
    Return who signed *request* for *service*, such as ``s3`` or ``execute-api``.

    Raises:
        RefusedError: It is unsigned, signed wrongly or for another service; or the emulator did not issue the
            key, or not with this session token; or the key has expired by the emulator's clock.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise RefusedError("AccessDenied", "the request is not signed")
    match = _HEADER.fullmatch(header)
    if match is None:
        raise RefusedError("AuthorizationHeaderMalformed", "no signature of version 4", 400)
    access_key_id, date, region, signed_for, names, signature = match.groups()
    if signed_for != service:
        raise RefusedError("AuthorizationHeaderMalformed", f"signed for {signed_for}, sent to {service}", 400)
    opened = emulator.service.mint.open(access_key_id, request.headers.get("x-amz-security-token", ""))
    if opened is None:
        raise RefusedError("InvalidAccessKeyId", "no key of the emulator, or not with this session token")
    session, secret = opened
    if emulator.service.clock.now() >= session.expires_at:
        raise RefusedError("ExpiredToken", "The provided token has expired.", 400)
    scope = f"{date}/{region}/{service}/aws4_request"
    lines = _canonical(request, names.split(";"), service)
    if not hmac.compare_digest(_signature(secret, scope, request.headers["x-amz-date"], lines), signature):
        raise RefusedError("SignatureDoesNotMatch", "the signature is wrong")
    return Signer(access_key_id, session.identity_id, session.role_name)


def _canonical(request: Request, signed: list[str], service: str) -> str:
    """The canonical request."""
    for name in ("host", "x-amz-date", "x-amz-security-token"):
        if name not in signed:
            raise RefusedError("AccessDenied", f"the header {name} is not signed")
    path, _, query = request.target.partition("?")
    if service != "s3":
        path = quote(path, safe=f"/{_UNRESERVED}")  # every service but S3 encodes twice
    fields = [part.partition("=") for part in query.split("&") if part]
    pairs = sorted((_encoded(name), _encoded(value)) for name, _, value in fields)
    return "\n".join(
        (
            request.method,
            path,
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed),
            "",
            ";".join(signed),
            _payload(request, service),
        )
    )


def _encoded(text: str) -> str:
    return quote(unquote(text), safe=_UNRESERVED)


def _payload(request: Request, service: str) -> str:
    digest = hashlib.sha256(request.body).hexdigest()
    said = request.headers.get("x-amz-content-sha256", "" if service == "s3" else digest)
    if not said:
        raise RefusedError("InvalidRequest", "S3 needs the header x-amz-content-sha256", 400)
    if re.fullmatch("[0-9a-f]{64}", said) and said != digest:
        raise RefusedError("XAmzContentSHA256Mismatch", "the body is not the one that was signed", 400)
    return said


def _signature(secret: str, scope: str, timestamp: str, canonical: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashed}"
    return hmac.new(key, text.encode(), "sha256").hexdigest()
