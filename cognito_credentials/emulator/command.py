"""``cognito-credentials emulator``: runs the emulator until a signal ends it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from cognito_credentials.emulator.extra import MissingExtraError
from cognito_credentials.emulator.wire.log import LineWriter

if TYPE_CHECKING:
    from cognito_credentials.emulator.emulator import Emulator

_NAME = "cognito-credentials"
_OK = 0
_WAKE_SECONDS = 0.5
_CONFIGURATION = 4
_STORAGE = 7


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: str | None = None,
    seed: str | None = None,
    tls: bool = False,
    certificate_file: str | None = None,
    tls_names: Sequence[str] = (),
    allow_hosts: Sequence[str] = (),
    offline: bool = False,
    strict_auth: bool = False,
    strict_roles: bool = False,
    out: TextIO,
    err: TextIO,
) -> int:
    """
    Run the emulator until SIGTERM or SIGINT. Call it from the main thread.

    Args:
        data: SQLite file that keeps the state.
        seed: File with the content of a new state, as of `Seed.load`.
        certificate_file: The file to write the certificate to; implies *tls*.
        tls_names: Further names in the certificate; they imply *tls*.
        allow_hosts: Further names that the emulator is called by.
        offline: Fetch no keys from other machines.
        out: Receives ``listening on http://127.0.0.1:PORT`` once requests are answered, and with TLS a second
            line, ``certificate: FILE``.
        err: Receives one line for each request, or one line that says why the emulator cannot run. Lines are
            left out when nobody reads them.

    Returns:
        The exit code.
    """

    def fail(message: str, hint: str, code: int) -> int:
        line = " ".join(f"{message.rstrip('.')}. {hint}.".splitlines())  # one line, whatever a path contains
        print(f"{_NAME}: {line}", file=err, flush=True)
        return code

    try:
        from cognito_credentials.emulator.emulator import Emulator
    except ModuleNotFoundError as error:
        missing = MissingExtraError(error.name)
        return fail(f"the emulator needs {missing.library}", f"Run: {missing.install}", _CONFIGURATION)
    from cognito_credentials.emulator.model.members import ControlError
    from cognito_credentials.emulator.seed.entry import one_line
    from cognito_credentials.emulator.seed.file import SeedError
    from cognito_credentials.emulator.stored.state import DataFileError

    log = LineWriter(err)
    # A signal handler must not set an Event: the code that it interrupts may hold the Event's lock.
    # SimpleQueue.put is reentrant.
    ended: SimpleQueue[int] = SimpleQueue()
    previous = end_on_signals(ended)
    try:
        emulator = Emulator(
            host=host,
            port=port,
            data=data,
            seed=seed,
            tls=tls,
            certificate_file=certificate_file,
            tls_names=tls_names,
            allow_hosts=allow_hosts,
            offline=offline,
            strict_auth=strict_auth,
            strict_roles=strict_roles,
            log=log.write,
        )
        with emulator:
            print(f"listening on {emulator.url}", file=out, flush=True)
            if emulator.certificate is not None:
                print(f"certificate: {emulator.certificate}", file=out, flush=True)
            if not emulator.is_local:
                log.write(f"{_NAME}: whoever can reach {host} may use, change and read this emulator")
            for line in emulator.seed.ids_said():
                log.write(line)
            tables = (emulator.seed.content or {}).get("pools", [])
            if emulator.service.uses_seed and any("IdentityPoolId" not in table for table in tables):
                for pool in _pools(emulator):  # one without an id gets a new one each time
                    log.write(one_line(f"seed {emulator.seed.path}: pool {pool['name']} is {pool['id']}"))
            for line in emulator.seed.left_out_said():
                log.write(f"{_NAME}: {line}")  # also with --quiet
            if seed is not None and not emulator.service.uses_seed:
                log.write(f"{_NAME}: {data} holds a state already, so the seed {seed} is not used")
            _wait_for(ended)
        return _OK
    except (SeedError, DataFileError, ControlError, OSError) as error:
        return fail(getattr(error, "strerror", None) or str(error), *_way_out(error))
    finally:
        log.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _pools(emulator: Emulator) -> list[Mapping[str, Any]]:
    """All identity pools, in the order in which they were made."""
    pools: list[Mapping[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = emulator.listed("pools", after=after)
        pools += page["items"]
        after = page["next"]
    return pools[::-1]


def _way_out(error: Exception) -> tuple[str, int]:
    """What to do about an *error* of the start, and the exit code."""
    from cognito_credentials.emulator.model.members import ControlError
    from cognito_credentials.emulator.seed.file import SeedError, SeedFileError
    from cognito_credentials.emulator.stored.state import DataFileError
    from cognito_credentials.emulator.wire.certificates import CertificateFileError

    ways: Mapping[type[Exception], tuple[str, int]] = {
        SeedFileError: ("Name a file that can be read with --seed", _CONFIGURATION),
        SeedError: ("Correct it there, then start again", _CONFIGURATION),
        DataFileError: ("Name another file with --data", _STORAGE),
        ControlError: ("Correct --tls-name or --allow-host", _CONFIGURATION),
        CertificateFileError: ("Name another file with --certificate", _CONFIGURATION),
        OSError: ("Choose another --host or --port", _CONFIGURATION),
    }
    return next(way for kind, way in ways.items() if isinstance(error, kind))


def _wait_for(ended: SimpleQueue[int]) -> None:
    """
    Wait for a signal.

    A signal that arrives just before the wait begins does not interrupt it, and Python runs the handler only
    between two steps of the main thread. So the wait ends every half second and begins again.
    """
    while True:
        with contextlib.suppress(Empty):
            ended.get(timeout=_WAKE_SECONDS)
            return


def end_on_signals(ended: SimpleQueue[int]) -> dict[signal.Signals, signal._HANDLER]:
    """Put the number of each SIGINT and SIGTERM into *ended*. Returns the former handlers."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        ended.put(number)

    return {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
