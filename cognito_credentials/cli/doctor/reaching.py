"""
The ways to the services: name, proxy, TLS and certificate authorities. A connection is opened as for a
request, nothing is sent, and it is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ...errors import CognitoCredentialsError, clean
from ...exchange.actions import Failure
from ...exchange.deadline import with_deadline
from ...exchange.facts import facts
from ...exchange.failures import classify
from ...exchange.proxies import proxy_for
from ...exchange.service import Service
from ...exchange.transport import Transport
from ...regions import own_token_provider
from .check import Result, error, ok

if TYPE_CHECKING:
    from .setup import Setup

_SECONDS: Final = 4.0
"""For the connections of one check, so that an error of its own is reported before the check is given up."""


def cognito(setup: Setup) -> Iterator[Result]:
    """Cognito Identity can be reached."""
    yield _reached(setup, "Cognito Identity", _address(setup, "cognito-identity"))


def sts(setup: Setup) -> Iterator[Result]:
    """STS can be reached, where the flow uses it."""
    if setup.settings.flow == "basic":
        yield _reached(setup, "STS", _address(setup, "sts"))
    else:
        yield ok("the enhanced flow does not use STS")


def login_hosts(setup: Setup) -> Iterator[Result]:
    """What login sources ask can be reached: issuers, user pools, and an app's own back end."""
    urls = {
        address: clean(source.description, 120)
        for _, source in setup.parts.logins.sources
        for address in source.addresses()
    }
    for url, name in urls.items():
        yield _reached(setup, name, url, _SECONDS / len(urls))
    if not urls:
        yield ok("no login source asks a host of its own")


def _address(setup: Setup, service: str) -> str:
    """Return the address of *service*, by the settings of the profile."""
    return Service(setup.settings, setup.clock, setup.environ, setup.rng).url(service)


def _reached(setup: Setup, name: str, url: str, seconds: float = _SECONDS) -> Result:
    """
    Open a connection, and say in the words of a failed request why there is none.

    Args:
        name: What is there, for people.
    """
    settings, host = setup.settings, urlsplit(url).netloc.rpartition("@")[2]
    transport = Transport(setup.clock, settings, setup.environ)
    try:
        with_deadline(lambda: transport.reach(url), seconds)
    except Failure as late:
        problem = late.error
    except CognitoCredentialsError as wrong:
        problem = wrong
    except Exception as failed:  # noqa: BLE001  (what it is, the table says)
        own = own_token_provider(settings.region)
        known = facts(settings, {}, own, is_guest=setup.parts.logins.is_guest, host=host)
        problem = classify("connecting", failed, is_guest=False, facts=known).error
    else:
        proxy = proxy_for(url)
        way = f" through the proxy {proxy.shown}" if proxy else ""
        return ok(f"{name} can be reached at {clean(host, 120)}{way}")
    return error(f"{name} at {clean(host, 120)}: {problem.message}", problem.hint or "Check the network")
