"""
``demo``: an identity pool becomes AWS credentials on the emulator, step by step, and each step is checked.

It calls the emulator over HTTP like any program, in a separate environment: it reads nothing of the user's
home or AWS settings, and what it keeps is in a directory that it removes at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import CognitoCredentialsError, ConfigurationError
from ..command import PROGRAM, Command, Invocation
from ..terminal import Terminal
from .whoami import caller_identity

if TYPE_CHECKING:
    from ...pool.pool import IdentityPool

T = TypeVar("T")
_REGION = "us-east-1"


class DemoError(CognitoCredentialsError):
    """A step had another result than it announced."""


def run(invocation: Invocation) -> int:
    """Run all steps."""
    from cognito_credentials.emulator import MissingExtraError

    try:
        from cognito_credentials.emulator import Emulator
    except MissingExtraError as error:
        raise ConfigurationError(f"the demo needs {error.library}", hint=f"Run: {error.install}") from None
    terminal = invocation.terminal
    directory = tempfile.mkdtemp(prefix="cognito-credentials-demo-")
    try:
        with Emulator() as emulator:
            terminal.write(f"The emulator of Amazon Cognito Identity and STS runs at {emulator.url}.\n")
            with _environment(directory, emulator.url):
                _play(_Stage(terminal, emulator.url, os.path.join(directory, "cache")))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    terminal.write("\nAll of it held. Nothing is left behind; your own AWS settings were not touched.\n")
    terminal.notice(f"Next: '{PROGRAM} configure' writes a profile for an identity pool of yours.")
    return 0


@dataclass(slots=True)
class _Stage:
    """Runs the steps, and prints for each what was called, what was kept and how long it took."""

    terminal: Terminal
    url: str
    cache: str
    steps: int = 0

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
        self.steps += 1
        asked = ", ".join(f"{name} x {count}" for name, count in made.items()) or "nothing"
        self.terminal.write(
            f"\n{self.steps}. {title}\n   {show(result)}\n   asked the service for: {asked}\n"
            f"   kept: {self._kept()}\n   took: {spent * 1000:.1f} ms\n"
        )
        if made != calls:
            raise DemoError(f"step {self.steps} should have asked for {calls or 'nothing'}")
        return result

    def _calls(self) -> dict[str, int]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/_emulator/requests", timeout=10) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts

    def _kept(self) -> str:
        names = sorted(os.listdir(self.cache)) if os.path.isdir(self.cache) else []
        shown = [name[:24] + "….txt" for name in names if name.endswith(".txt")]
        return ", ".join(shown) or "nothing"


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
        "Get credentials as a guest, for the first time.",
        lambda: IdentityPool(pool_id).credentials(),
        exchange,
        lambda got: f"access key {got.access_key_id} until {got.expiration:%H:%M:%S} UTC",
    )
    again = stage.step(
        "Get them again, as another process would: from the cache.",
        lambda: IdentityPool(pool_id).credentials(),
        {},
        lambda got: f"access key {got.access_key_id}",
    )
    _hold(again == first, "the cache gave other credentials")
    renewed = stage.step(
        "Ask for new ones before these expire: the identity stays.",
        lambda: IdentityPool(pool_id).refresh(),
        {"GetCredentialsForIdentity": 1},
        lambda got: f"access key {got.access_key_id}",
    )
    _hold(renewed != first, "the refresh gave the same credentials")
    _recover(stage, IdentityPool(pool_id))
    answer = stage.step(
        "Ask STS who we are, with boto3's machinery.",
        lambda: caller_identity(IdentityPool(pool_id), _REGION, os.environ),
        {"GetCallerIdentity": 1},
        lambda got: str(got["Arn"]),
    )
    _hold("CognitoIdentityCredentials" in answer["Arn"], "STS knows us by another name")


def _recover(stage: _Stage, pool: IdentityPool) -> None:
    old = pool.identity_id()
    stage.step(
        "Delete that identity behind our back.",
        lambda: _client(stage.url).delete_identities(IdentityIdsToDelete=[old]),
        {"DeleteIdentities": 1},
        lambda _: f"identity {old} is gone",
    )
    heard: list[tuple[str | None, str, str]] = []
    pool.on_identity_changed(lambda *news: heard.append(news))
    stage.step(
        "Refresh all the same: the service refuses the old identity, a new one is made and announced.",
        pool.refresh,
        {"GetCredentialsForIdentity": 2, "GetId": 1},
        lambda got: f"identity {pool.identity_id()}, access key {got.access_key_id}",
    )
    _hold(heard == [(old, pool.identity_id(), "recovered")], "the new identity was not announced")


def _make_pool(url: str) -> str:
    client = _client(url)
    made = client.create_identity_pool(IdentityPoolName="demo", AllowUnauthenticatedIdentities=True)
    pool_id = str(made["IdentityPoolId"])
    roles = {"unauthenticated": "arn:aws:iam::123456789012:role/demo-guest"}
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


@contextmanager
def _environment(directory: str, url: str) -> Iterator[None]:
    """Within the ``with`` block, boto3 and this package find the emulator and nothing else."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(
        HOME=directory,
        USERPROFILE=directory,
        AWS_CONFIG_FILE=os.path.join(directory, "config"),
        AWS_SHARED_CREDENTIALS_FILE=os.path.join(directory, "credentials"),
        AWS_COGNITO_CACHE_DIR=os.path.join(directory, "cache"),
        AWS_EC2_METADATA_DISABLED="true",
        AWS_ENDPOINT_URL_COGNITO_IDENTITY=url,
        AWS_ENDPOINT_URL_STS=url,
        NO_PROXY="127.0.0.1",
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


COMMAND = Command(
    details="""
Starts the emulator, gets credentials from the network and from the cache, renews them, recovers from a
deleted identity, and asks STS who we are. Exits with 0 only if every step held. It needs the 'emulator'
extra; without it, it says what to install.""",
    example="""
$ cognito-credentials demo
The emulator of Amazon Cognito Identity and STS runs at http://127.0.0.1:40321.

1. Make an identity pool that admits guests.
   …""",
    run=run,
    takes_profile=False,
)
