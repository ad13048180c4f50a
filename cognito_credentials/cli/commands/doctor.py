"""``doctor``: what is wrong with a profile and its surroundings, and what to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..command import Command, Invocation, Options
from ..failures import UNEXPECTED
from ..looks import BOLD, MAGENTA, RED
from ..tables import as_json, indented

if TYPE_CHECKING:
    from ..doctor.check import Finding
    from ..looks import Look

_INDENT = 2


def add_options(options: Options) -> None:
    options.add("--offline", action="store_true", help="ask nobody: neither the network nor another program")
    options.add(
        "--pool-details",
        action="store_true",
        help="also read the pool and its roles, with boto3's own credentials: those of the pool's developer",
    )
    options.add("--json", action="store_true", help="print JSON, for programs")


def run(invocation: Invocation) -> int:
    """Run all checks, and report what they found."""
    from ..doctor.check import ERROR, run_checks
    from ..doctor.checks import CHECKS, DETAILS
    from ..doctor.setup import Setup

    options = invocation.options
    if not options.debug:
        # What the library warns of while it is looked at is what the checks find, in other words.
        logging.getLogger("cognito_credentials").setLevel(logging.CRITICAL)
    checks = [check for check in CHECKS if check.name != DETAILS or options.pool_details]
    setup = Setup(invocation.environ, options.profile, details=options.pool_details)
    findings = run_checks(checks, setup, offline=options.offline, begun=invocation.terminal.progress)
    if options.json:
        invocation.terminal.write(as_json({"checks": [each._asdict() for each in findings]}))
    else:
        invocation.terminal.write(_report(findings, invocation.terminal.look))
    return UNEXPECTED if any(each.status == ERROR for each in findings) else 0


def _report(findings: list[Finding], look: Look) -> str:
    from ..doctor.check import ERROR, OK, SKIPPED, WARNING
    from ..doctor.checks import DETAILS

    by_status = {
        status: [each for each in findings if each.status == status]
        for status in (ERROR, WARNING, SKIPPED, OK)
    }
    # What the details are was asked for, also where nothing is wrong.
    asked_for = [each for each in by_status[OK] if each.name == DETAILS]
    lines = [_drawn(each, look) for each in (*by_status[ERROR], *by_status[WARNING], *asked_for)]
    right, left_out = len(by_status[OK]), by_status[SKIPPED]
    found = [
        f"{count} {status}{'s' if count != 1 else ''}, "
        for status in (ERROR, WARNING)
        if (count := len(by_status[status]))
    ]
    counted = "".join(found) + f"{right} check{'s are' if right != 1 else ' is'} all right"
    if left_out:
        names = ", ".join(dict.fromkeys(each.name for each in left_out))
        counted += f", {len(left_out)} left out ({names})"
    lines.append(indented(f"{counted}; --json shows all.", _INDENT, look.width))
    return "\n".join(lines) + "\n"


def _drawn(finding: Finding, look: Look) -> str:
    """Write a finding in one line, wrapped on a screen, and its status in colour."""
    from ..doctor.check import ERROR, WARNING, line_of

    colours = {ERROR: (BOLD, RED), WARNING: (BOLD, MAGENTA)}.get(finding.status, ())
    text = indented(line_of(finding), _INDENT, look.width)
    return look.paint(finding.status, *colours) + text[len(finding.status) :]


COMMAND = Command(
    details="""
Each line of the report says what is wrong, where it was set, and the one thing to do. Nothing in it is
secret, so it can be pasted. It never makes an identity, and changes nothing
but a sign-in that is due, which it renews. A login command of the profile is run once. --offline asks nobody.
--pool-details reads the pool with boto3's own credentials (AWS_PROFILE), and says which role a login gets.
Exits with 1 if there is an error, with 0 if there are at most warnings.""",
    example="""
$ cognito-credentials doctor --profile guest
warning: precedence: profile 'guest' has keys in /home/ada/.aws/credentials: boto3, the AWS CLI and other SDKs
use those keys and not the identity pool. Remove them there.
1 warning, 22 checks are all right, 3 left out (locks, records, role); --json shows all.""",
    run=run,
    doing="checking",
    add_options=add_options,
)
