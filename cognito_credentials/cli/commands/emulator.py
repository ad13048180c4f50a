"""``emulator``: run Cognito Identity and STS on this machine until a signal ends it."""

from __future__ import annotations

import argparse
import io
import sys
from typing import TextIO, cast

from ...errors import clean
from ..command import PROGRAM, Command, Invocation, Options
from ..parser import port_number
from ..terminal import CLOSED, ClosedOutputError, Terminal, UnwritableOutputError


def add_options(options: Options) -> None:
    options.add("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1 by default")
    options.add("--port", type=port_number, default=0, help="port to listen on; by default a free one")
    options.add("--data", metavar="FILE", help="SQLite file that keeps the state; else it is forgotten")
    options.add(
        "--seed",
        metavar="FILE",
        help="what a new state holds: TOML, a CloudFormation template, a Terraform state or plan",
    )
    options.add("--tls", action="store_true", help="https, with a certificate of its own")
    options.add(
        "--certificate", metavar="FILE", help="where to write the certificate of --tls; else a temporary file"
    )
    options.add(
        "--tls-name",
        metavar="NAME",
        type=_host_name,
        action="append",
        default=[],
        help="a further name in the certificate, also one of AWS; may be repeated; turns --tls on",
    )
    options.add(
        "--allow-host",
        metavar="NAME",
        type=_host_name,
        action="append",
        default=[],
        help="a further name that the emulator is called by; may be repeated",
    )
    options.add("--offline", action="store_true", help="never fetch keys from another machine")
    options.add(
        "--strict-auth",
        action="store_true",
        help="refuse access keys that it did not issue or read from --seed",
    )
    options.add("--strict-roles", action="store_true", help="refuse roles that --seed does not describe")


def _host_name(text: str) -> str:
    from cognito_credentials.emulator.wire.hosts import is_host_name

    if not is_host_name(text):
        raise argparse.ArgumentTypeError(
            f"'{clean(text, 60)}' is no host name: write it without https:// and port"
        )
    return text


def run(invocation: Invocation) -> int:
    """Serve until a signal comes."""
    with invocation.terminal.working("starting the emulator"):
        from cognito_credentials.emulator.command import serve

    options = invocation.options
    if sys.stdout is None:
        raise UnwritableOutputError(CLOSED)  # the address could not be printed
    try:
        return serve(
            host=options.host,
            port=options.port,
            data=options.data,
            seed=options.seed,
            tls=options.tls,
            certificate_file=options.certificate,
            tls_names=options.tls_name,
            allow_hosts=options.allow_host,
            offline=options.offline,
            strict_auth=options.strict_auth,
            strict_roles=options.strict_roles,
            out=sys.stdout,
            err=cast("TextIO", _Log(invocation.terminal)),  # nothing but write() is used
        )
    except BrokenPipeError:
        raise ClosedOutputError from None


class _Log(io.TextIOBase):
    """The emulator's stderr: errors always, the line of each request unless quiet."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Take one line."""
        line = text.rstrip("\n")
        if line.startswith(PROGRAM):
            self._terminal.say(line)
        elif line:
            self._terminal.notice(line)
        return len(text)


COMMAND = Command(
    details="""
Prints where it listens as its first line, then one line a request on stderr. Ctrl-C ends it. It needs the
'emulator' extra; without it, it says what to install.""",
    example="""
$ cognito-credentials emulator --port 8080
listening on http://127.0.0.1:8080
$ export AWS_ENDPOINT_URL_COGNITO_IDENTITY=http://127.0.0.1:8080 AWS_ENDPOINT_URL_STS=http://127.0.0.1:8080""",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
