"""A certificate of the emulator's own, for ``--tls``."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
import tempfile
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 30


_OURS = b"# The certificate of a cognito-credentials emulator\n"
"""The first line of each file, by which a later start knows that it may replace it."""


class CertificateFileError(OSError):
    """The certificate cannot be written where it was asked for; ``strerror`` names the file."""


@dataclass(frozen=True)
class CertificateFiles:
    """
    A self-signed certificate and its key, in a directory of their own.

    Attributes:
        certificate: PEM file; clients trust it through ``AWS_CA_BUNDLE``.
        content: What was written to it.
    """

    directory: tempfile.TemporaryDirectory[str]
    certificate: str
    key: str
    content: bytes

    def remove(self) -> None:
        """Remove both files, unless another emulator has put its certificate in the place of this one."""
        with contextlib.suppress(OSError):  # somebody else has done so
            if _starts_with(self.certificate, self.content):
                os.unlink(self.certificate)
        self.directory.cleanup()


def make_certificate(host: str, file: str | os.PathLike[str] | None = None) -> CertificateFiles:
    """
    Make a certificate for *host*, localhost, the loopback addresses and this machine's name.

    Args:
        file: Where to write it; None is a file in a private temporary directory, where the key is, too.

    Raises:
        CertificateFileError: It cannot be written there.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cognito-credentials emulator")])
    now = dt.datetime.now(dt.timezone.utc)
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names.extend(_addresses(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory = tempfile.TemporaryDirectory(prefix="cognito-emulator-")
    path = os.path.join(directory.name, "certificate.pem") if file is None else os.path.abspath(file)
    content = _OURS + certificate.public_bytes(serialization.Encoding.PEM)
    files = CertificateFiles(directory, path, os.path.join(directory.name, "key.pem"), content)
    try:
        _make_way(path)
        _write(path, content, 0o644)
    except OSError as error:
        directory.cleanup()
        raise CertificateFileError(
            error.errno, f"cannot write the certificate to {file}: {error.strerror}"
        ) from None
    _write(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        0o600,
    )
    return files


def _addresses(host: str) -> list[x509.GeneralName]:
    # Where all addresses are listened on, other machines, or containers, know this one by its name.
    names = ("127.0.0.1", "::1", host, socket.gethostname())
    return [_general_name(text) for text in dict.fromkeys(names) if text.isascii()]


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _make_way(path: str) -> None:
    """Remove the certificate of an emulator that was killed; any other file is in the way."""
    with contextlib.suppress(FileNotFoundError):
        if _starts_with(path, _OURS):
            os.unlink(path)


def _starts_with(path: str, content: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(content)) == content


def _write(path: str, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(content)
