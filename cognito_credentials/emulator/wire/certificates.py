"""A self-signed certificate for ``--tls``."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 30


_FIRST_LINE = b"# The certificate of a cognito-credentials emulator\n"
"""The first line of each certificate file. A later start replaces only files that begin with it."""


class CertificateFileError(OSError):
    """The certificate file cannot be written; ``strerror`` names it."""


@dataclass(frozen=True)
class CertificateFiles:
    """
    A self-signed certificate and its key.

    Attributes:
        directory: Holds the key, and the certificate too if no file was named for it.
        certificate: The path of the PEM file; clients trust it through ``AWS_CA_BUNDLE``.
        key: The path of the key's PEM file.
        content: The bytes of the certificate file.
    """

    directory: tempfile.TemporaryDirectory[str]
    certificate: str
    key: str
    content: bytes

    def remove(self) -> None:
        """Remove both files, but not a certificate that another emulator has written to the same path."""
        with contextlib.suppress(OSError):  # it has been removed already
            if _starts_with(self.certificate, self.content):
                os.unlink(self.certificate)
        self.directory.cleanup()


def make_certificate(
    host: str, file: str | os.PathLike[str] | None = None, further: Sequence[str] = ()
) -> CertificateFiles:
    """
    Make a certificate for *host*, localhost, the loopback addresses and the name of this machine.

    Args:
        file: The file to write the certificate to. None is a file in a private temporary directory. The key
            is always in such a directory.
        further: More names and addresses.

    Raises:
        CertificateFileError: The file cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cognito-credentials emulator")])
    now = dt.datetime.now(dt.timezone.utc)
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names.extend(_addresses(host, further))
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
    content = _FIRST_LINE + certificate.public_bytes(serialization.Encoding.PEM)
    files = CertificateFiles(directory, path, os.path.join(directory.name, "key.pem"), content)
    try:
        _remove_former(path)
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


def _addresses(host: str, further: Sequence[str]) -> list[x509.GeneralName]:
    # Other machines and containers reach this one by its name, if the emulator listens on all addresses.
    names = ("127.0.0.1", "::1", host, socket.gethostname(), *further)
    return [_general_name(text) for text in dict.fromkeys(names) if text.isascii() and text != "localhost"]


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _remove_former(path: str) -> None:
    """Remove the certificate of an emulator that was killed. Any other file stays, and makes writing fail."""
    with contextlib.suppress(FileNotFoundError):
        if _starts_with(path, _FIRST_LINE):
            os.unlink(path)


def _starts_with(path: str, content: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(content)) == content


def _write(path: str, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(content)
