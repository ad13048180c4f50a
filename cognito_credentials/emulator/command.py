"""``cognito-credentials emulator``: runs the emulator until a signal ends it."""

from __future__ import annotations

import contextlib
import os
import signal
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TextIO

from cognito_credentials.emulator.extra import MissingExtraError
from cognito_credentials.emulator.wire.log import LineWriter

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
    strict_auth: bool = False,
    strict_roles: bool = False,
    out: TextIO,
    err: TextIO,
) -> int:
    """
    Run the emulator until SIGTERM or SIGINT. Call it from the main thread.

    Args:
        data: SQLite file that keeps the state.
        seed: TOML file with the content of a new state.
        certificate_file: The file to write the certificate to; implies *tls*.
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
    from cognito_credentials.emulator.seed.file import SeedError
    from cognito_credentials.emulator.stored.state import DataFileError
    from cognito_credentials.emulator.wire.certificates import CertificateFileError

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
            if seed is not None and not emulator.service.uses_seed:
                log.write(f"{_NAME}: {data} holds a state already, so the seed {seed} is not used")
            _wait_for(ended)
        return _OK
    except SeedError as error:
        exists = os.path.isfile(seed or "")
        hint = "Correct it there, then start again" if exists else "Name a file that is there with --seed"
        return fail(str(error), hint, _CONFIGURATION)
    except DataFileError as error:
        return fail(str(error), "Name another file with --data", _STORAGE)
    except CertificateFileError as error:
        return fail(str(error.strerror), "Name another file with --certificate", _CONFIGURATION)
    except OSError as error:
        return fail(error.strerror or str(error), "Choose another --host or --port", _CONFIGURATION)
    finally:
        log.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


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
