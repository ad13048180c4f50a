"""The emulator as Python code uses it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.for_tests import ForTests
from cognito_credentials.emulator.logins.keys import SigningKeys
from cognito_credentials.emulator.seed.file import Seed
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.state import DataFileError, State
from cognito_credentials.emulator.wire.control import Control
from cognito_credentials.emulator.wire.server import RunningServer, listen

if TYPE_CHECKING:
    from typing_extensions import Self


class Emulator(ForTests):
    """
    Amazon Cognito Identity and STS on this machine, for as long as a ``with`` block.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        data: SQLite file that keeps the state; None keeps it in memory.
        seed: What a new or reset state holds: a TOML file, or what `Seed.load` made of one.
        strict_auth: Refuse access keys that neither the emulator issued nor the seed names.
        strict_roles: Refuse roles that the seed does not describe.
        marker: Mint secrets that contain ``CANARYsecret`` and ``CANARYtoken``, and keep a list.
        keys: RSA keys to use instead of new ones; making them is slow.
        tls: Speak https, with a certificate of its own.
        certificate_file: Where to write the certificate, for clients to trust; implies *tls*. A file that is
            there is replaced if an emulator wrote it. None is a file in a temporary directory.
        log: Takes one readable line for each request.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: str | os.PathLike[str] | None = None,
        seed: Seed | str | os.PathLike[str] | None = None,
        strict_auth: bool = False,
        strict_roles: bool = False,
        marker: bool = False,
        keys: SigningKeys | None = None,
        tls: bool = False,
        certificate_file: str | os.PathLike[str] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._data = data
        self._seed = seed
        self._service_options: dict[str, Any] = {
            "strict_auth": strict_auth,
            "strict_roles": strict_roles,
            "marker": marker,
            "keys": keys,
        }
        self._log = log
        self._tls = tls or certificate_file is not None
        self._certificate_file = certificate_file
        self._running: RunningServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Listen, and return once requests are answered.

        Raises:
            OSError: The address cannot be listened on, or the certificate cannot be written.
            SeedError: The seed file cannot be read, or something in it is wrong.
            DataFileError: The data file cannot be used.
            RuntimeError: It is running already.
        """
        if self._running is not None:
            raise RuntimeError("the emulator is running already; make another Emulator for another one")
        seed = self._seed if isinstance(self._seed, Seed | None) else Seed.load(self._seed)
        listener = listen(*self._address)
        try:
            state = State(self._data)
            try:
                service = Service(state, plant_seed=seed.plant if seed else None, **self._service_options)
                self._running = RunningServer(service, listener, self._log, self._tls, self._certificate_file)
            except sqlite3.Error as error:
                state.close()
                raise DataFileError(f"cannot use data file {self._data}: {error}") from None
            except BaseException:
                state.close()
                raise
        except BaseException:
            listener.close()
            raise

    def stop(self) -> None:
        """Close all connections and stop; the state in memory is gone."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()

    @property
    def url(self) -> str:
        """Where the emulator listens, e.g. ``http://127.0.0.1:8080``."""
        return self._started.url

    @property
    def certificate(self) -> str | None:
        """The PEM file that clients must trust, or None without TLS."""
        files = self._started.certificate
        return files.certificate if files else None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self._started.is_local

    @property
    def service(self) -> Service:
        """The emulated service, without HTTP."""
        return self._started.service

    @property
    def _control(self) -> Control:
        return self._started.application.control

    @property
    def _started(self) -> RunningServer:
        if self._running is None:
            raise RuntimeError("the emulator is not running; use it as a context manager")
        return self._running
