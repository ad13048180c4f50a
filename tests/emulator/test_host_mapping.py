"""The guide's recipe for clients without an endpoint setting: AWS's own names lead to the emulator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.real_parts import NODE, missing, need

from .test_guide import TEXT, blocks

NAMESPACE = ["unshare", "--map-root-user", "--net", "--mount", "bash", "-euo", "pipefail", "-c"]
"""A host of its own: port 443 is free, /etc/hosts is ours, and there is no network but loopback."""
NODE_PROGRAM = """
const answer = await fetch('https://cognito-identity.us-east-1.amazonaws.com/', {
  method: 'POST',
  headers: { 'X-Amz-Target': 'AWSCognitoIdentityService.GetId' },
  body: JSON.stringify({ IdentityPoolId: process.argv[2] }),
})
console.log('node', answer.status, (await answer.json()).IdentityId)
"""


def script():
    """The recipe: hosts, the emulator, and its clients, with Node and curl beside them."""
    (hosts,) = (block for block in blocks("sh") if "/etc/hosts" in block)
    (clients,) = (block for block in blocks("sh") if "AWS_CA_BUNDLE" in block and "exec" in block)
    (command,) = re.findall(r"^(?:\$ )?(cognito-credentials emulator --port 443 .*)$", TEXT, re.MULTILINE)
    return f"""
ip link set lo up
cp /etc/hosts hosts
mount --bind hosts /etc/hosts
{hosts}
exec 3< <(exec {command} --quiet)
emulator=$!
trap 'kill $emulator' EXIT
read -r line <&3
echo "$line"
{clients}
node guest.mjs "$pool"
curl -sf --cacert ca.pem https://sts.us-east-1.amazonaws.com/_emulator/requests
"""


def test_recipe(tmp_path):
    """The AWS CLI, this package, Node and curl reach the emulator under AWS's names, without any address."""
    need(NODE)
    if (
        shutil.which("unshare") is None
        or subprocess.run([*NAMESPACE, "mount --bind /etc /etc"], capture_output=True).returncode
    ):
        missing("no namespace of its own for network and mounts is allowed here")
    (seed,) = blocks("toml")
    (tmp_path / "pools.toml").write_text(seed)
    (tmp_path / "guest.mjs").write_text(NODE_PROGRAM)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and "proxy" not in name.lower()
    }
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    done = subprocess.run(
        [*NAMESPACE, script()],
        env={**environment, **keys, "PATH": path, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "listening on https://127.0.0.1:443"
    assert re.fullmatch('"us-east-1:[0-9a-f-]{36}"', lines[1])
    assert lines[2] == '"arn:aws:sts::123456789012:assumed-role/guest/CognitoIdentityCredentials"'
    assert re.fullmatch("node 200 us-east-1:[0-9a-f-]{36}", lines[3])
    assert lines[4] == '{"GetId": 3, "GetCredentialsForIdentity": 2, "GetCallerIdentity": 1}'
