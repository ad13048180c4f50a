"""Certificates that are as they should be, or out of time, or of another host."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextlib.contextmanager
def tls_server_of_nobody(name: str = "127.0.0.1", *, last_day: int = -1) -> Iterator[tuple[str, str]]:
    """
    Yield its URL and its certificate's path. It speaks no HTTP: every client stops at the certificate.

    Args:
        name: Whose certificate it is.
        last_day: When that ends, in days from now; by default it has expired.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "expired.pem")
        path.write_bytes(certificate(name, first_day=-9, last_day=last_day))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=_shake_hands, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}", str(path)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            listener.close()


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()


def certificate(*names: str, first_day: int = -1, last_day: int = 1) -> bytes:
    """
    Make a self-signed certificate of host names and addresses, with its private key.

    Args:
        first_day: When it begins, in days from now.
        last_day: When it ends.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=first_day))
        .not_valid_after(now + dt.timedelta(days=last_day))
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
