"""A guest's first credentials by a whole ``credential-process`` command, beside others that get the same."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

from tests.processes.conftest import Machine
from tests.processes.crowd import COMMAND

from .figures import Figure, Scale, at_most
from .machine import new_machine, of_profile
from .node import Node, NoNodeError, find_node
from .process import Process, Race
from .quota import twentieth_of_a_core

NODE_HTTP, NODE_HTTPS = 0.8, 1.0
SMALL_CORE_SECONDS = 2.5
"""Some SDKs in Rust give up a ``credential_process`` after about 5 s."""
_SDK = "AWS SDK for JavaScript v3"
_BOTOCORE = """
import json, sys
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
pool_id, url = sys.argv[1:]
config = Config(region_name=pool_id.partition(":")[0], signature_version=UNSIGNED)
client = botocore.session.Session().create_client("cognito-identity", endpoint_url=url, config=config)
identity_id = client.get_id(IdentityPoolId=pool_id)["IdentityId"]
print(json.dumps(client.get_credentials_for_identity(IdentityId=identity_id)["Credentials"], default=str))
"""


def cold(scale: Scale) -> Iterator[Figure]:
    """Time first credentials over http and https, beside the SDK for JavaScript and botocore's client."""
    node = _node()
    yield Figure(f"  {_SDK}", node.versions if isinstance(node, Node) else f"not measured: {node}")
    for scheme, bar in (("http", NODE_HTTP), ("https", NODE_HTTPS)):
        title = f"credential-process, nothing cached, {scheme}"
        with new_machine(tls=scheme == "https") as machine:
            racers = _racers(machine, node, ())
            racers["pass"] = Process([sys.executable, "-c", "pass"], machine.environ())
            race = Race(racers, max(5, scale.repetitions // 5))
        if isinstance(node, Node):
            yield race.ratio(f"{title} : {_SDK}", "ours", "node", bar)
        yield race.ratio(f"  {title} : botocore's client", "ours", "botocore")
        yield race.ratio(f"  {title} : python -c pass", "ours", "pass")


def small_core(scale: Scale) -> Iterator[Figure]:
    """Time first credentials on a twentieth of a core."""
    title = "credential-process, nothing cached, a twentieth of a core"
    node = _node()
    with new_machine() as machine, twentieth_of_a_core() as quota:
        racers = _racers(machine, node, quota.prefix)
        race = Race(racers, max(3, scale.repetitions // 30))
    detail = f"(CPU {racers['ours'].cpu * 1000:.0f} ms; by {quota.name})"
    yield at_most(title, race.medians["ours"], SMALL_CORE_SECONDS, " s", detail)
    for name, what in (("node", _SDK), ("botocore", "botocore's client")):
        if name in racers:
            yield Figure(f"  {what}, the same", f"{race.medians[name]:.2f} s")


def _racers(machine: Machine, node: Node | str, prefix: Sequence[str]) -> dict[str, Process]:
    """Return each that gets a guest's credentials from nothing; *prefix* comes before its command."""
    pool_id, url = machine.pool_id, machine.emulator.url
    ours, environ = of_profile(machine, *COMMAND)
    commands = {"ours": ours, "botocore": [sys.executable, "-c", _BOTOCORE, pool_id, url]}
    if isinstance(node, Node):
        commands["node"] = node.command(pool_id, url)

    def forget() -> None:
        shutil.rmtree(machine.cache, ignore_errors=True)

    return {
        name: Process([*prefix, *command], environ, before=forget, prints="AccessKeyId")
        for name, command in commands.items()
    }


def _node() -> Node | str:
    """Return Node.js with the SDK, or why there is none."""
    try:
        return find_node()
    except NoNodeError as error:
        return str(error)
