"""The AWS SDK for JavaScript v3 in Node.js, as a yardstick: it gets a guest's credentials, whole process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from .process import cache_home

PACKAGE = "@aws-sdk/credential-providers"
INSTALL_SECONDS = 300
_PROGRAM = """\
import { fromCognitoIdentityPool } from "@aws-sdk/credential-providers";
const [identityPoolId, region, endpoint] = process.argv.slice(2);
const provider = fromCognitoIdentityPool({ identityPoolId, clientConfig: { region, endpoint } });
const found = await provider();
console.log(JSON.stringify({ Version: 1, AccessKeyId: found.accessKeyId,
  SecretAccessKey: found.secretAccessKey, SessionToken: found.sessionToken, Expiration: found.expiration }));
"""


class NoNodeError(Exception):
    """Node.js, npm or the SDK is not there."""


@dataclass(frozen=True)
class Node:
    """Node.js with the SDK; `command` runs the program."""

    program: str
    script: str
    versions: str

    def command(self, pool_id: str, url: str) -> list[str]:
        """Return the command that prints credentials of *pool_id* from the service at *url*."""
        return [self.program, self.script, pool_id, pool_id.partition(":")[0], url]


def find_node() -> Node:
    """
    Find Node.js, and install the SDK by npm where that has not been done before.

    Raises:
        NoNodeError: One of them is not there, and cannot be had.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise NoNodeError("node or npm is not on the PATH")
    folder = os.path.join(cache_home(), "node")
    manifest = os.path.join(folder, "node_modules", PACKAGE, "package.json")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(manifest):
        _install(npm, folder)
    script = os.path.join(folder, "guest.mjs")
    with open(script, "w", encoding="utf-8") as file:
        file.write(_PROGRAM)
    with open(manifest, encoding="utf-8") as file:
        sdk = json.load(file)["version"]
    node = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return Node(program, script, f"Node.js {node}, SDK {sdk}")


def _install(npm: str, folder: str) -> None:
    command = [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", PACKAGE]
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(os.path.join(folder, "node_modules"), ignore_errors=True)
        raise NoNodeError(f"npm could not install {PACKAGE}") from None
