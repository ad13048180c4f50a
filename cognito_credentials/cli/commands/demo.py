"""
``demo``: an identity pool becomes AWS credentials on the emulator, step by step, and each step is checked.

It calls the emulator over HTTP like any program, in a separate environment: it reads nothing of the user's
home or AWS settings, and what it keeps is in a directory that it removes at the end. A sign-in is kept in
memory alone. Only the browser that it opens has the user's own environment.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import CognitoCredentialsError, ConfigurationError, LoginRequiredError
from ..command import PROGRAM, Command, Invocation, Options
from ..looks import BOLD, FULL, GREEN, MAGENTA
from ..tables import indented
from ..terminal import Terminal, printable
from .whoami import caller_identity

if TYPE_CHECKING:
    from ...pool.pool import IdentityPool
    from ...secret import Secret

T = TypeVar("T")
_REGION = "us-east-1"
_INDENT = 3
_BAR = 40
_ISSUER_PATH = "/_emulator"
"""Where the emulator's own issuer is, at which any made-up user signs in."""


class DemoError(CognitoCredentialsError):
    """A step had another result than it announced."""


def add_options(options: Options) -> None:
    options.add(
        "--login",
        action="store_true",
        help="sign a made-up user in with the browser, and link the guest; needs the extra 'login'",
    )


def run(invocation: Invocation) -> int:
    """Run all steps."""
    from cognito_credentials.emulator import MissingExtraError

    of_user = dict(invocation.environ)  # a copy: it may be that of the process, which is changed below
    way = _way_to_sign_in(of_user) if invocation.options.login else None

    try:
        from cognito_credentials.emulator import Emulator
    except MissingExtraError as error:
        raise ConfigurationError(
            f"the demo needs {error.library}", hint=f"Run: {error.install}", topic="E-NOT-INSTALLED"
        ) from None
    terminal = invocation.terminal
    directory = tempfile.mkdtemp(prefix="cognito-credentials-demo-")
    try:
        with Emulator() as emulator:
            terminal.write(f"The emulator of Amazon Cognito Identity and STS runs at {emulator.url}.\n")
            stage = _Stage(terminal, emulator.url, os.path.join(directory, "cache"))
            with _swapped(_environment(directory, emulator.url)):
                if way is None:
                    _play(stage)
                else:
                    _play_login(stage, way, of_user)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    held = terminal.look.paint("All of it held.", BOLD)
    terminal.write(f"\n{held} Nothing is left behind; your own AWS settings were not touched.\n")
    terminal.notice(f"Next: '{PROGRAM} configure' writes a profile for your own pool.")
    return 0


@dataclass(slots=True)
class _Stage:
    """Runs the steps, and prints for each what was called, what was kept and how long it took."""

    terminal: Terminal
    url: str
    cache: str
    seconds: list[float] = field(default_factory=list)
    """How long each step took."""

    def step(self, title: str, act: Callable[[], T], calls: dict[str, int], show: Callable[[T], str]) -> T:
        """
        Do one step and print it.

        Args:
            calls: Operations that it must call, and how often.

        Raises:
            DemoError: It called something else.
        """
        before = self._calls()
        started = time.perf_counter()
        result = act()
        spent = time.perf_counter() - started
        counts = {name: count - before.get(name, 0) for name, count in self._calls().items()}
        made = {name: count for name, count in counts.items() if count}
        self.seconds.append(spent)
        asked = ", ".join(f"{name} x {count}" for name, count in made.items()) or "nothing"
        lines = [
            *show(result).split("\n"),
            f"asked the service for: {asked}",
            f"kept: {self._kept()}",
            f"took: {_shown(spent)}",
        ]
        look, number = self.terminal.look, len(self.seconds)
        margin = " " * _INDENT
        text = "".join(f"{margin}{indented(line, _INDENT, look.width)}\n" for line in lines)
        self.terminal.write(f"\n{look.paint(f'{number}. {title}', BOLD)}\n{text}")
        if made != calls:
            raise DemoError(f"step {number} should have asked for {calls or 'nothing'}")
        return result

    def compare(self, network: int, cache: int) -> None:
        """Draw how long two steps took: one that asked the service, and one that the cache answered."""
        look = self.terminal.look
        slow, fast = self.seconds[network - 1], self.seconds[cache - 1]
        lines = [look.paint("What the cache saves:", BOLD)]
        for name, spent, colour in (("network", slow, MAGENTA), ("cache", fast, GREEN)):
            width = max(round(_BAR * spent / max(slow, fast)), 1)
            bar = look.bar([(1, FULL, colour)], width) + " " * (_BAR - width)
            lines.append(f"   {name:7}  {bar}  {_shown(spent)}")
        lines.append(f"   Step {cache} was {slow / fast:.0f} times as fast as step {network}.")
        lines.append("   Here the service is on this machine: over the internet it is further away.")
        self.terminal.write("\n" + "\n".join(lines) + "\n")

    def _calls(self) -> dict[str, int]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/_emulator/requests", timeout=10) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts

    def _kept(self) -> str:
        names = os.listdir(self.cache) if os.path.isdir(self.cache) else []
        kinds = {name.partition("-")[0] for name in names if name.endswith(".txt")}
        return ", ".join(sorted(kinds)) or "nothing"


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _play(stage: _Stage) -> None:
    from ...pool.pool import IdentityPool

    pool_id = stage.step(
        "Make an identity pool that admits guests.",
        lambda: _make_pool(stage.url),
        {"CreateIdentityPool": 1, "SetIdentityPoolRoles": 1},
        lambda made: f"identity pool {made}",
    )
    exchange = {"GetId": 1, "GetCredentialsForIdentity": 1}
    # A new IdentityPool for each step: like a new process, it has nothing but the cache.
    first = stage.step(
        "Get credentials as a guest: the service makes an identity.",
        lambda: IdentityPool(pool_id).credentials(),
        exchange,
        lambda got: f"access key {got.access_key_id} until {got.expiration:%H:%M:%S} UTC",
    )
    again = stage.step(
        "Get them again, as another process would: the cache has them.",
        lambda: IdentityPool(pool_id).credentials(),
        {},
        lambda got: f"access key {got.access_key_id}",
    )
    _hold(again == first, "the cache gave other credentials")
    renewed = stage.step(
        "Get new ones before these expire: the identity stays.",
        lambda: IdentityPool(pool_id).refresh(),
        {"GetCredentialsForIdentity": 1},
        lambda got: f"access key {got.access_key_id}",
    )
    _hold(renewed != first, "the refresh gave the same credentials")
    _recover(stage, IdentityPool(pool_id))
    answer = stage.step(
        "Ask STS whose credentials these are.",
        lambda: caller_identity(IdentityPool(pool_id), _REGION, os.environ),
        {"GetCallerIdentity": 1},
        lambda got: str(got["Arn"]),
    )
    _hold("CognitoIdentityCredentials" in answer["Arn"], "STS knows us by another name")
    stage.compare(network=4, cache=3)


def _recover(stage: _Stage, pool: IdentityPool) -> None:
    old = pool.identity_id()
    stage.step(
        "Delete the identity, as an administrator may.",
        lambda: _client(stage.url).delete_identities(IdentityIdsToDelete=[old]),
        {"DeleteIdentities": 1},
        lambda _: f"identity {old} is gone",
    )
    heard: list[tuple[str | None, str, str]] = []
    pool.on_identity_changed(lambda *news: heard.append(news))
    stage.step(
        "Get new ones all the same: a new identity takes its place.",
        pool.refresh,
        {"GetCredentialsForIdentity": 2, "GetId": 1},
        lambda got: f"identity {pool.identity_id()},\naccess key {got.access_key_id}",
    )
    _hold(heard == [(old, pool.identity_id(), "recovered")], "the new identity was not announced")


def _way_to_sign_in(environ: Mapping[str, str]) -> str:
    """Choose the browser, or a code to type in where none can be opened; neither asks on the terminal."""
    from ...sign_in.extra import check_extra

    check_extra("browser")  # before the import below, which needs the libraries
    from ...sign_in.ways.browser import why_no_browser

    way = "browser" if why_no_browser(environ) is None else "device"
    check_extra(way)
    return way


class _Prompt:
    """Shows what a sign-in says. Nobody has to answer, and the demo has no option for the way."""

    can_ask = False
    can_choose_way = False

    def __init__(self, terminal: Terminal) -> None:
        self.say = terminal.say

    def ask(self, question: str) -> str:
        raise EOFError(question)

    def ask_secret(self, question: str) -> Secret:
        raise EOFError(question)


def _play_login(stage: _Stage, way: str, environ: Mapping[str, str]) -> None:
    from ...pool.pool import IdentityPool
    from ...sign_in.sources import OidcLogin
    from ...sign_in.ways.browser import open_default_browser

    issuer = f"{stage.url}{_ISSUER_PATH}"
    pool_id = stage.step(
        "Make an identity pool that admits guests and users.",
        lambda: _make_pool(stage.url, issuer),
        {"CreateIdentityPool": 1, "SetIdentityPoolRoles": 1},
        lambda made: f"identity pool {made}",
    )
    guest = IdentityPool(pool_id)
    stage.step(
        "Get credentials as a guest.",
        guest.credentials,
        {"GetId": 1, "GetCredentialsForIdentity": 1},
        lambda got: f"identity {guest.identity_id()},\naccess key {got.access_key_id}",
    )
    before = guest.identity_id()
    pool = IdentityPool(pool_id, logins=OidcLogin(issuer, "demo", store="memory"))

    def open_browser(url: str) -> bool:
        with _swapped(environ):
            return open_default_browser(url)

    stage.terminal.write("\nNow sign in: any name will do, since the user is made up.\n")
    stage.step(
        "Sign in: the guest becomes this user.",
        lambda: pool.sign_in(
            link_guest=True, way=way, prompt=_Prompt(stage.terminal), open_browser=open_browser
        ),
        {"GetCredentialsForIdentity": 1},
        lambda name: f"signed in as {printable(name)}",
    )
    stage.step(
        "Get credentials as this user: the identity is the guest's.",
        pool.credentials,
        {},
        lambda got: f"identity {pool.identity_id()},\naccess key {got.access_key_id}",
    )
    _hold(pool.identity_id() == before, "the user got another identity than the guest had")
    answer = stage.step(
        "Ask STS whose credentials these are.",
        lambda: caller_identity(pool, _REGION, os.environ),
        {"GetCallerIdentity": 1},
        lambda got: str(got["Arn"]),
    )
    _hold("/demo-user/" in answer["Arn"], "STS knows us by another name")
    done = stage.step(
        "Sign out: the issuer revokes the sign-in.",
        pool.sign_out,
        {},
        lambda _: "signed out",
    )
    _hold(done.revoked is True, "the issuer did not revoke the sign-in")
    _hold(_needs_login(pool), "there were credentials after the sign-out")


def _needs_login(pool: IdentityPool) -> bool:
    try:
        pool.credentials()
    except LoginRequiredError:
        return True
    return False


def _make_pool(url: str, issuer: str | None = None) -> str:
    client = _client(url)
    providers = {}
    if issuer is not None:
        arn = f"arn:aws:iam::123456789012:oidc-provider/{issuer.partition('://')[2]}"
        providers = {"OpenIdConnectProviderARNs": [arn]}
    made = client.create_identity_pool(
        IdentityPoolName="demo", AllowUnauthenticatedIdentities=True, **providers
    )
    pool_id = str(made["IdentityPoolId"])
    roles = {
        "unauthenticated": "arn:aws:iam::123456789012:role/demo-guest",
        "authenticated": "arn:aws:iam::123456789012:role/demo-user",
    }
    client.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=roles)
    return pool_id


def _client(url: str) -> Any:
    """Return a client of the pool's owner, whose keys the emulator takes unseen."""
    import botocore.session

    return botocore.session.Session().create_client(
        "cognito-identity",
        region_name=_REGION,
        endpoint_url=url,
        aws_access_key_id="AKIADEMODEVELOPER000",
        aws_secret_access_key="demo",  # noqa: S106  (the emulator takes any)
    )


def _hold(claim: bool, otherwise: str) -> None:
    if not claim:
        raise DemoError(otherwise)


def _environment(directory: str, url: str) -> dict[str, str]:
    """Return variables with which boto3 and this package find the emulator and nothing else."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "BOTO_")) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "HOME": directory,
        "USERPROFILE": directory,
        "AWS_CONFIG_FILE": os.path.join(directory, "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.path.join(directory, "credentials"),
        "AWS_COGNITO_CACHE_DIR": os.path.join(directory, "cache"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": url,
        "AWS_ENDPOINT_URL_STS": url,
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def _swapped(environ: Mapping[str, str]) -> Iterator[None]:
    """Within the ``with`` block, the process has the variables of *environ* and no others."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


COMMAND = Command(
    details="""
Starts the emulator, gets credentials from the network and from the cache, renews them, recovers from a
deleted identity, and asks STS who we are. With --login it signs a made-up user in, links the guest and signs
out. Exits with 0 only if every step held. It needs the 'emulator' extra, and for --login the 'login' extra;
without them, it says what to install.""",
    example="""
$ cognito-credentials demo
The emulator of Amazon Cognito Identity and STS runs at http://127.0.0.1:40321.

1. Make an identity pool that admits guests.
   …""",
    run=run,
    doing="running the steps",
    add_options=add_options,
    takes_profile=False,
)
