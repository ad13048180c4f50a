"""Templates, states and plans that are damaged anywhere: a seed, or one line that names the file."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from cognito_credentials.emulator import Seed
from cognito_credentials.emulator.seed.file import SeedError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.state import State

from .seeds import WRONG, changed, places

FILES = Path(__file__).with_name("files")
FUNCTIONS = [
    {"Ref": "Nothing"},
    {"Ref": ["x"]},
    {"Fn::GetAtt": ["Identities"]},
    {"Fn::GetAtt": "UsersA1B2C3D4.Arn"},
    {"Fn::Sub": "${Identities} ${AWS::Region} ${Nothing.Arn}"},
    {"Fn::If": ["IsProduction", {"Ref": "AWS::NoValue"}, {"Ref": "Stage"}]},
    {"Fn::Join": ["", [["a"]]]},
    {"Fn::ImportValue": "x"},
    {"references": ["var.x", "module.auth.endpoint", "a.b.c", ""]},
    None,
]


def outcome(file, content, keys):
    """Load *content* and start a service with it. Returns the error, or None."""
    file.write_bytes(content)
    state = State()
    try:
        Service(state, keys=keys, add_seed=Seed.load(file).add_to)
    except SeedError as mistake:
        return str(mistake)
    finally:
        state.close()
    return None


@pytest.mark.parametrize("name", ["app.template.json", "terraform.tfstate", "plan.json"])
def test_every_place(tmp_path, emulator_keys, name):
    """A value of any kind in any place is accepted, or is one line that names the file."""
    whole, file = json.loads((FILES / name).read_text()), tmp_path / name
    values = [value for what, value in WRONG.items() if what != "nan"] + [...]
    random_ = random.Random(name)
    for path in places(whole):
        for value in random_.sample(values, 3) + random_.sample(FUNCTIONS, 2):
            error = outcome(file, json.dumps(changed(whole, path, value)).encode(), emulator_keys)

            assert error is None or (error.startswith(f"seed file {file}: ") and error.isprintable()), path
            assert error is None or len(error) < 700


@pytest.mark.parametrize("name", ["app.template.json", "pool.yaml", "terraform.tfstate", "plan.json"])
def test_any_bytes(tmp_path, emulator_keys, name):
    """A file with bytes that are lost, doubled or changed is accepted, or is one line that names the file."""
    whole, file = (FILES / name).read_bytes(), tmp_path / name
    random_ = random.Random(name)
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(random_.choice([1, 1, 3, 10])):
            at = random_.randrange(len(content))
            end = at + random_.choice([1, 1, 5, 200])
            kind = random_.randrange(4)
            if kind == 0:
                del content[at:end]
            elif kind == 1:
                content[at:at] = content[at:end]
            elif kind == 2:
                content[at] = random_.randrange(256)
            else:
                content[at:at] = random_.choice(
                    [b"*role", b"&a ", b"!Sub ", b"{", b"[", b"- ", b": ", b"\n  ", b"\\ud800"]
                )
        began = time.process_time()

        error = outcome(file, bytes(content), emulator_keys)

        assert error is None or (error.startswith(f"seed file {file}: ") and error.isprintable())
        assert time.process_time() - began < 5
