"""
What is left over in the environment: endpoints of a test, or of a server that has ended. And versions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ...errors import clean
from ...settings.endpoints import configured_endpoint
from ..terminal import printable
from .check import Result, error, ok, warning
from .ports import has_ended

if TYPE_CHECKING:
    from .setup import Setup

_ENDPOINT: Final = "AWS_ENDPOINT_URL"
_FULL, _RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_TOKEN_FILE: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105  (a variable's name)

TESTED: Final[dict[str, tuple[str, str]]] = {
    "Python": ("3.10", "3.14"),
    "botocore": ("1.37", "1.44"),
    "boto3": ("1.37", "1.44"),
    "filelock": ("3.30.3", "4.3"),
}
"""
The oldest and the newest version that the tests run with, the newest without its last number.

``tests/cli/doctor/test_surroundings.py`` compares them with pyproject.toml and with .ci/.
"""


def endpoint(setup: Setup) -> Iterator[Result]:
    """No address of a service is that of a test server that has ended."""
    if _are_ignored(setup):
        yield from _ignored(setup)
        return
    addresses = _endpoints(setup)
    by_address: dict[str, list[str]] = {}
    for address, origin in addresses.values():
        if has_ended(address):
            by_address.setdefault(address, []).append(origin)
    ours = {addresses[name][0] for name in ("cognito_identity", "sts") if name in addresses}
    for address, origins in by_address.items():
        names = list(dict.fromkeys(origins))
        where, lead = " and ".join(names), "leads" if len(names) == 1 else "lead"
        make = error if address in ours else warning
        yield make(
            f"{where} {lead} to {_shown(address)}, where nothing listens: perhaps left over from a test",
            f"Remove {_setting(origins)}, or start that service",
        )
    said = ", ".join(f"{_shown(address)} (from {origin})" for address, origin in addresses.values())
    yield ok(f"services at {said}" if said else "every service is AWS's own")


def _setting(origins: list[str]) -> str:
    """Name what to remove: of a profile or a section its endpoint_url, and never all of it."""
    return " and ".join(
        origin if origin.startswith(_ENDPOINT) else f"endpoint_url from {origin}"
        for origin in dict.fromkeys(origins)
    )


def _shown(address: str) -> str:
    """Show host and port of an address; what is before and behind them may be secret."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return clean(f"{parts.scheme}://{parts.hostname or ''}{port}", 120)


_IGNORE: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"


def _are_ignored(setup: Setup) -> bool:
    given = setup.environ.get(_IGNORE)
    if given is None:
        given = setup.chosen[1].get(_IGNORE.removeprefix("AWS_").lower())
    return str(given).lower() == "true"


def _ignored(setup: Setup) -> Iterator[Result]:
    """Whoever sets an endpoint beside the order to ignore it believes to talk to that."""
    names = sorted(name for name in setup.environ if name.startswith(_ENDPOINT) and setup.environ[name])
    if names:
        listed = " and ".join(names)
        yield warning(
            f"{listed} {'do' if len(names) > 1 else 'does'} nothing, since configured endpoints are to be "
            "ignored: requests go to AWS",
            f"Unset {listed}, or {_IGNORE}",
        )
    yield ok("every service is AWS's own")


def _endpoints(setup: Setup) -> dict[str, tuple[str, str]]:
    """Return the configured address of each service that has one, and where it was set."""
    names = {"cognito_identity", "sts"}
    names |= {
        name.removeprefix(f"{_ENDPOINT}_").lower()
        for name in setup.environ
        if name.startswith(f"{_ENDPOINT}_")
    }
    profile, values = setup.chosen
    section = setup.config["services"].get(str(values.get("services")), {})
    names |= {name for name, of_service in section.items() if isinstance(of_service, dict)}
    found = {
        name: configured_endpoint(
            name, environ=setup.environ, config=setup.config, profile=profile, profile_settings=values
        )
        for name in sorted(names)
    }
    return {name: one for name, one in found.items() if one is not None}


def container(setup: Setup) -> Iterator[Result]:
    """What SDKs ask last, an endpoint for credentials, is not one that has ended."""
    full, relative = setup.environ.get(_FULL, ""), setup.environ.get(_RELATIVE, "")
    token_file = setup.environ.get(_TOKEN_FILE, "")
    if full and relative:
        yield warning(
            f"{_FULL} and {_RELATIVE} are set: SDKs use the second alone", "Unset the one that is not meant"
        )
    elif full and has_ended(full):
        yield warning(
            f"{_FULL} leads to a port of this machine where nothing listens: left over from a 'serve' or "
            "another server that has ended",
            f"Unset {_FULL}, or start that server",
        )
    elif (full or relative) and token_file and not os.path.isfile(token_file):
        yield warning(
            f"{_TOKEN_FILE} names {printable(token_file)}, which is not there: SDKs fail on that",
            f"Unset {_TOKEN_FILE}, or start the server that writes it",
        )
    elif full or relative:
        yield ok("SDKs may ask the endpoint for credentials that the environment names")
    else:
        yield ok("the environment names no endpoint for credentials")


def versions(setup: Setup) -> Iterator[Result]:  # noqa: ARG001  (every check is given it)
    """Python and the libraries are of versions that we test with."""
    from importlib.metadata import version

    for name, (oldest, newest) in TESTED.items():
        installed = "{}.{}.{}".format(*sys.version_info) if name == "Python" else version(name)
        have, least, most = (_numbers(text) for text in (installed, oldest, newest))
        if have < least:
            yield error(f"{name} {installed} is older than the oldest that works, {oldest}", _upgrade(name))
        elif have[: len(most)] > most:
            yield warning(
                f"{name} {installed} is newer than what this version is tested with, {newest}",
                "Upgrade cognito-credentials if something fails",
            )
    yield ok("Python, botocore, boto3 and filelock are of versions that are tested")


def _upgrade(name: str) -> str:
    return "Install a newer Python" if name == "Python" else f"Run: pip install --upgrade {name}"


def _numbers(version: str) -> tuple[int, ...]:
    """Take the numbers of a version; what is not a number ends them."""
    found = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)
