"""Code on the pages is right: Python passes mypy, our command lines and configuration are accepted."""

from __future__ import annotations

import ast
import builtins
import configparser
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cognito_credentials.settings.aws_config import read_config
from cognito_credentials.settings.load import load
from tests.docs import your_own
from tests.docs.command_lines import own_command_lines, parsed
from tests.docs.pages import (
    FOR_GITHUB,
    PAGES,
    README,
    ROOT,
    Block,
    blocks,
    blocks_of,
    code_in_lines,
    name_of,
    tokens,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHELLS = ("sh", "console", "powershell", "bat")
LANGUAGES = {
    *("python", "ini", "toml", "yaml", "json", "hcl", "dockerfile", "js", "ts", "go", "java", "rust", "html"),
    *("text", "diff", "css", "xml", "systemd", "cron", *SHELLS),
}
ALL_PAGES = [README, *FOR_GITHUB, *PAGES]
OF_SITE = [README, *PAGES]
_MYPY = """
[mypy]
check_untyped_defs = True
ignore_missing_imports = True
allow_redefinition = True
# `session.identity_pool` is None where only a profile names the pool, which the programs on the pages know.
disable_error_code = union-attr
[mypy-cognito_credentials.*]
ignore_missing_imports = False
"""


def test_every_block_says_its_language() -> None:
    """A block has a fence, which names a language that is known here or one of MyST's directives."""
    wrong = [
        f"{block.where}: {block.language!r}"
        for block in blocks_of(OF_SITE)
        if block.language not in LANGUAGES and not block.language.startswith("{")
    ]

    wrong += [
        f"{name_of(page)}:{token.map[0] + 1}: indented, without a fence"
        for page in OF_SITE
        for token in tokens(page)
        if token.type == "code_block" and token.map is not None
    ]

    assert not wrong


def test_python_passes_mypy(tmp_path: Path) -> None:
    """mypy accepts all Python on the pages; what only the reader has is in your_own.py."""
    files: dict[str, tuple[str, int]] = {}
    for page in OF_SITE:
        earlier: list[Block] = []
        for block in blocks(page, "python"):
            name = f"block_{len(files)}.py"
            code = _module(block, earlier)
            files[name] = block.where, code[: code.rindex(_whole(block.code))].count("\n")
            (tmp_path / name).write_text(code, "utf-8")
            earlier.append(block)
    (tmp_path / "mypy.ini").write_text(_MYPY)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(tmp_path / "mypy.ini"), *sorted(files)],
        cwd=tmp_path,
        env={"MYPYPATH": f"{ROOT}", "PATH": "", "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "docs")},
        capture_output=True,
        text=True,
    )

    def at(found: re.Match[str]) -> str:
        where, before = files[found[1]]
        page, _, line = where.rpartition(":")
        return f"{page}:{int(line) + int(found[2]) - before - 1}:"

    assert files
    assert done.returncode == 0, re.sub(r"(?m)^(block_\d+\.py):(\d+):", at, done.stdout) + done.stderr


def _module(block: Block, earlier: list[Block]) -> str:
    """Return the code of a block as a module that has what it takes from the page and from the reader."""
    code = _whole(block.code)
    missing = _undefined(code)
    before = ""
    for other in reversed(earlier):
        needed = missing & _bound(ast.parse(_whole(other.code)))
        if needed:
            before = _whole(other.code) + "\n" + before
            missing = (missing - needed) | _undefined(_whole(other.code))
    from_reader = sorted(missing & set(vars(your_own)))
    imports = f"from tests.docs.your_own import {', '.join(from_reader)}\n" if from_reader else ""
    return f"{imports}{before}{code}"


def _whole(code: str) -> str:
    """Return code that may use ``await`` outside of a function as code that does not."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, "block", "exec", flags)
    try:
        compile(code, "block", "exec")
    except SyntaxError:
        return f"async def _block() -> None:\n{textwrap.indent(code, '    ')}"
    return code if tree else ""


def _bound(tree: ast.AST) -> set[str]:
    """Return the names that code binds anywhere."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _undefined(code: str) -> set[str]:
    """Return the names that code uses and binds nowhere."""
    tree = ast.parse(code)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return used - _bound(tree) - set(vars(builtins)) - {"__file__", "__name__"}


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_our_command_lines_are_accepted(page: Path) -> None:
    """The program's own parser accepts each of its command lines, in blocks and in lines of the page."""
    for block in blocks(page, *SHELLS):
        for argv in own_command_lines(block.code, is_session=block.language == "console"):
            parsed(argv, block.where)
    for line, code in code_in_lines(page):
        for argv in own_command_lines(code):
            parsed(argv, f"{name_of(page)}:{line}", is_whole=False)


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_profiles_are_accepted(page: Path, tmp_path: Path) -> None:
    """Our settings accept each profile with a pool, and our parser its credential_process."""
    for number, block in enumerate(blocks(page, "ini")):
        parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
        parser.read_string(block.code, block.where)
        config = tmp_path / f"config-{number}"
        config.write_text(block.code, "utf-8")
        environ = {"AWS_CONFIG_FILE": str(config), "HOME": str(tmp_path)}
        for section in parser.sections():
            for argv in own_command_lines(parser[section].get("credential_process", "")):
                parsed(argv, block.where)
            if "cognito_identity_pool_id" in parser[section]:
                profile = section.removeprefix("profile ")
                load({}, environ=environ, profile=profile, config=read_config(environ))


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_data_is_well_formed(page: Path) -> None:
    """TOML, YAML and JSON on the page are read by their parsers."""
    for block in blocks(page, *_READERS):
        _check_data(block)


def _check_data(block: Block) -> None:
    try:
        _READERS[block.language](block.code)
    except (ValueError, yaml.YAMLError) as error:
        pytest.fail(f"{block.where}: {error}")


class Yaml(yaml.SafeLoader):
    """YAML with the short functions of CloudFormation, as ``!Sub``."""


Yaml.add_multi_constructor("!", lambda _, suffix, node: f"!{suffix} {node.value}")
_READERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "json": json.loads,
    "yaml": lambda code: list(yaml.load_all(code, Yaml)),
}
