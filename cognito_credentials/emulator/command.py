"""``cognito-credentials emulator``: the emulator until a signal ends it."""

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
_LOOK_SECONDS = 0.5
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
    Run the emulator until SIGTERM or SIGINT; call it from the main thread.

    Args:
        data: SQLite file that keeps the state.
        seed: TOML file with what a new state holds.
        certificate_file: Where to write the certificate; implies *tls*.
        out: Gets one line once requests are answered: ``listening on http://127.0.0.1:PORT``, and with
            TLS another: ``certificate: FILE``.
        err: Gets one line for each request, or what is wrong. Lines that nobody reads are left out.

    Returns:
        The exit code.
    """

    def fail(message: str, hint: str, code: int) -> int:
        line = " ".join(f"{message.rstrip('.')}. {hint}.".splitlines())  # a path may have more of them
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
    # An Event could not be set here: its lock may be held by what the signal interrupts. A SimpleQueue can.
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
        is_there = os.path.isfile(seed or "")
        hint = "Correct it there, then start again" if is_there else "Name a file that is there with --seed"
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

    One that comes just before the waiting begins does not interrupt it, and its handler runs only between two
    steps of the main thread: so there is one every half second.
    """
    while True:
        with contextlib.suppress(Empty):
            ended.get(timeout=_LOOK_SECONDS)
            return


def end_on_signals(ended: SimpleQueue[int]) -> dict[signal.Signals, signal._HANDLER]:
    """Put the number of each signal that ends a program into *ended*; gives the handlers of before."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        ended.put(number)

    return {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
