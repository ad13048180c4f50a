"""
Whom TLS connections trust: the CA bundle where botocore looks for it, and its context for this process.

As strict as botocore: TLS 1.2 or newer, the certificate checked against the bundle, and the host against the
names in the certificate, never against its common name.
"""

from __future__ import annotations

import importlib.util
import os
import ssl
import sys
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from ..errors import ConfigurationError
from ..importing import IMPORTING

_CONTEXTS_LIMIT: Final = 8


class Bundle(NamedTuple):
    """A file of trusted certificates."""

    path: str
    origin: str
    """The setting that names it; empty for the usual one."""
    version: tuple[int, int]
    """When it was changed and how long it is: a new one gets new connections."""


class BundleSettings(Protocol):
    """What says where a CA bundle is; `settings.Settings` has it."""

    @property
    def profile(self) -> str | None: ...
    @property
    def profile_settings(self) -> Mapping[str, Any]: ...


def ca_bundle(settings: BundleSettings, environ: Mapping[str, str]) -> Bundle:
    """
    Find the CA bundle where botocore looks for it; else its own, which is certifi's where that is installed.

    Raises:
        ConfigurationError: It is not there.
    """
    for origin, path in (
        ("AWS_CA_BUNDLE", environ.get("AWS_CA_BUNDLE")),
        (f"profile '{settings.profile}'", settings.profile_settings.get("ca_bundle")),
        ("REQUESTS_CA_BUNDLE", environ.get("REQUESTS_CA_BUNDLE")),
    ):
        if path:
            return _bundle(os.path.expanduser(path), origin, path)
    return _bundle(_usual(), "", "")


def _bundle(path: str, origin: str, given: str) -> Bundle:
    try:
        found = os.stat(path)
    except OSError:
        pass
    else:
        return Bundle(path, origin, (found.st_mtime_ns, found.st_size))
    raise ConfigurationError(
        f"the CA bundle '{given or path}' from {origin or 'this installation'} does not exist",
        hint="Correct the path, or remove the setting to use the usual authorities",
        topic="E-TLS",
    )


def _usual() -> str:
    if "certifi" not in sys.modules:
        # Importing it takes as long as `ssl`. Distributions that put their own bundle in its place take this
        # file out of it, and are asked.
        spec = importlib.util.find_spec("certifi")
        if spec is None or not spec.submodule_search_locations:
            return _of_botocore()
        path = os.path.join(spec.submodule_search_locations[0], "cacert.pem")
        if os.path.isfile(path) and not os.path.islink(path):
            return path
    with IMPORTING:
        import certifi

    return certifi.where()


def _of_botocore() -> str:
    spec = importlib.util.find_spec("botocore")
    places = (spec.submodule_search_locations if spec else None) or [""]
    return os.path.join(places[0], "cacert.pem")


_contexts: dict[Bundle, ssl.SSLContext] = {}


def context(bundle: Bundle) -> ssl.SSLContext:
    """
    Return the context that trusts *bundle*, from memory or new.

    Raises:
        ConfigurationError: It holds no certificates.
    """
    with IMPORTING:  # OpenSSL begins here, with locks that would stay locked in a forked child
        known = _contexts.get(bundle)
        if known is None:
            if len(_contexts) >= _CONTEXTS_LIMIT:
                _contexts.clear()
            known = _contexts[bundle] = _made_context(bundle)
    return known


def _made_context(bundle: Bundle) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    made.set_alpn_protocols(["http/1.1"])
    _log_keys(made)
    try:
        made.load_verify_locations(cafile=bundle.path)
        problem = ""
    except OSError as error:  # an ssl.SSLError is one
        problem = "holds no certificates" if isinstance(error, ssl.SSLError) else "cannot be read"
    if problem:
        raise ConfigurationError(
            f"the CA bundle '{bundle.path}' from {bundle.origin or 'this installation'} {problem}",
            hint="Name a file of certificates in PEM, or remove the setting to use the usual authorities",
            topic="E-TLS",
        )
    return made


def forget_contexts() -> None:
    """
    Have the next connections make new contexts.

    A context has locks. If a thread of a parent process held one at the moment of a fork, it stays locked.
    """
    _contexts.clear()


def _log_keys(made: ssl.SSLContext) -> None:
    """Let whoever debugs this process decrypt its traffic, as every TLS library allows."""
    path = os.environ.get("SSLKEYLOGFILE")
    if not path or sys.flags.ignore_environment:
        return
    try:
        made.keylog_filename = path
        problem = None
    except OSError as error:
        problem = error.strerror
    if problem:
        raise ConfigurationError(
            f"the file '{path}' from SSLKEYLOGFILE cannot be written ({problem})",
            hint="Correct the path, or remove the variable",
            topic="E-TLS",
        )
