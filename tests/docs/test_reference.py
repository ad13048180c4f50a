"""The reference is complete and true: its pages have every public name, setting, command and exit code."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.cache import FORMER_KINDS, KINDS
from cognito_credentials.cli.command import Options
from cognito_credentials.cli.failures import EXIT_CODES
from cognito_credentials.cli.parser import Parser
from cognito_credentials.cli.pool_options import add_pool_options
from cognito_credentials.emulator import Emulator
from cognito_credentials.errors import CognitoCredentialsError
from cognito_credentials.home import CACHE_VARIABLE
from cognito_credentials.logins.providers import ALIASES
from cognito_credentials.settings.load import NAMES, PASSWORD_VARIABLE, SIGN_IN_KEYS
from cognito_credentials.settings.settings import DEFAULT_SESSION_NAME, DEFAULT_USERS_IN_MEMORY
from cognito_credentials.sign_in.kept.place import KINDS as SIGN_IN_KINDS
from tests.docs import commands_page
from tests.docs.pages import ROOT

REFERENCE = ROOT / ".github" / "docs" / "reference"
ADAPTERS = ROOT / "cognito_credentials" / "adapters"
MODULES = ("", ".sign_in", ".back_end", ".administer", ".emulator")


def text(page: str) -> str:
    """Return the text of a page of the reference."""
    return (REFERENCE / page).read_text("utf-8")


def tables(page: str, head: str) -> list[list[str]]:
    """Return the rows of all tables of *page* whose first line begins with *head*, as lists of cells."""
    found = re.findall(rf"^\| {re.escape(head)}.*\n\|[-:| ]+\|\n((?:\|.*\n)+)", text(page), re.MULTILINE)
    assert found, head
    lines = [line for lines in found for line in lines.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def described() -> set[str]:
    """Return the full names that the page of the API has docstrings of."""
    return set(re.findall(r"^\.\. auto\w+:: ([\w.]+)$", text("api.md"), re.MULTILINE))


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_api(module: str) -> None:
    """The page has the docstring of each name in a public module's `__all__`, and names it in a table."""
    name = f"cognito_credentials{module}"
    public = importlib.import_module(name).__all__
    has = described()

    # ChallengeRequired is public in two modules, and described once.
    missing = [each for each in public if f"{name}.{each}" not in has | {f"{name}.ChallengeRequired"}]
    assert not missing
    tabled = set(re.findall(r"`([\w.]+)`", "\n".join(re.findall(r"^\|.*$", text("api.md"), re.MULTILINE))))
    assert not [each for each in public if each not in tabled and module != ".back_end"]


def test_every_name_of_an_adapter_is_in_the_api() -> None:
    """The page has the docstring of each class and function of an adapter that does not begin with `_`."""
    internal = ("__init__", "extra", "aws_sdk_v4_chain")
    for_chain = {"cognito_credentials.adapters.aws_sdk_v4.resolver_of"}
    public = {
        f"cognito_credentials.adapters.{file.stem}.{node.name}"
        for file in ADAPTERS.glob("*.py")
        if file.stem not in internal
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_")
    }

    assert public
    assert not sorted(public - for_chain - described())


def test_what_the_api_describes_exists() -> None:
    """Each name on the page can be imported; what needs a library that is missing here is in the source."""
    for name in described():
        module, _, last = name.rpartition(".")
        if module.startswith("cognito_credentials.adapters."):
            source = (ADAPTERS / f"{module.rpartition('.')[2]}.py").read_text("utf-8")
            assert re.search(rf"^(?:class|def) {last}\b", source, re.MULTILINE), name
        else:
            assert inspect.getdoc(getattr(importlib.import_module(module), last)), name


def test_the_public_methods_have_docstrings() -> None:
    """Nothing public of a described class is without words."""
    silent = []
    for name in described():
        module, _, last = name.rpartition(".")
        if ".adapters." in name:
            continue
        thing = getattr(importlib.import_module(module), last)
        for each, member in vars(thing).items() if inspect.isclass(thing) else ():
            function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if not each.startswith("_") and inspect.isfunction(function) and not inspect.getdoc(function):
                silent.append(f"{name}.{each}")

    assert not silent


def test_errors_have_their_exit_codes() -> None:
    """The table of errors has the exit code of each class."""
    import cognito_credentials

    rows = {row[0].strip("`"): int(row[2]) for row in tables("api.md", "error | what to do")}
    errors = {
        name: getattr(cognito_credentials, name).exit_code
        for name in cognito_credentials.__all__
        if inspect.isclass(getattr(cognito_credentials, name))
        and issubclass(getattr(cognito_credentials, name), CognitoCredentialsError)
    }

    assert rows == errors


def settings() -> dict[str, list[str]]:
    """Return the rows of all settings by argument: variable, profile key, default, meaning."""
    rows = tables("settings.md", "argument, variable, profile key")
    names = [[name.strip("`") for name in row[0].split("<br>")] for row in rows]
    return {name[0]: [*name[1:], *row[1:]] for name, row in zip(names, rows, strict=True)}


def test_every_setting_is_listed() -> None:
    """The tables of settings have each setting, its variable and its profile key."""
    rows = settings()

    assert rows.keys() == NAMES.keys()
    for name, names in NAMES.items():
        if not name.endswith("endpoint_url"):  # botocore's names; tests/settings/test_settings.py has them
            assert rows[name][:2] == [names.environment or "-", names.profile_key or "-"]


def test_defaults_of_settings_are_the_codes() -> None:
    """Defaults that are values are those of the code."""
    default = {name: row[2].strip("`") for name, row in settings().items()}

    assert default["role_session_name"] == DEFAULT_SESSION_NAME
    assert default["users_in_memory"] == str(DEFAULT_USERS_IN_MEMORY)
    assert (default["flow"], default["cache"]) == ("enhanced", "file")


def test_every_argument_of_a_pool_is_listed() -> None:
    """What `IdentityPool` takes is among the settings, or among what only Python has."""
    only_in_python = re.findall(
        r"`(\w+)`", " ".join(row[0] for row in tables("settings.md", "argument | of"))
    )
    taken = set(inspect.signature(IdentityPool).parameters)

    assert taken - NAMES.keys() <= set(only_in_python)
    assert set(only_in_python) - taken == {"pool"}  # of Session and install


def test_every_option_that_selects_a_pool_is_a_setting() -> None:
    """Each option is a setting by its name with hyphens, but --login, which is one of the logins."""
    options = Options(Parser())
    add_pool_options(options)
    shown = {option.dest for option in options.actions if option.help != argparse.SUPPRESS}

    assert shown - {"login"} <= NAMES.keys()


def test_every_key_of_signing_in_is_listed() -> None:
    """The table of signing in has each of its profile keys, in any order."""
    assert {row[0].strip("`") for row in tables("settings.md", "profile key | default")} == set(SIGN_IN_KEYS)


def test_other_names_of_settings_are_listed() -> None:
    """Variables beside those of settings, and short names of login providers, are on the page."""
    page = text("settings.md")

    assert f"`{CACHE_VARIABLE}`" in page
    assert f"`{PASSWORD_VARIABLE}`" in page
    assert all(f"`{alias}`" in page for alias in ALIASES)


def test_commands_are_those_of_the_parser() -> None:
    """The page is what the parser's texts make."""
    if text("commands.md") != commands_page.page():
        pytest.fail("reference/commands.md is old. Run: python -m tests.docs.commands_page")


def test_every_exit_code_is_listed() -> None:
    """The table has each exit code with the words of the help, and the classes that lead to it."""
    rows = tables("exit-codes.md", "code | meaning")

    assert [(int(row[0]), row[1]) for row in rows] == list(EXIT_CODES)
    import cognito_credentials

    for row in rows:
        for name in re.findall(r"`(\w+Error)`", row[2]):
            assert getattr(cognito_credentials, name).exit_code == int(row[0])


def test_every_kind_of_file_is_listed() -> None:
    """The tables have each kind of file of the cache and of sign-ins."""
    names = " ".join(row[0] for row in tables("files.md", "file | holds"))

    assert not [kind for kind in KINDS if f"`{kind}-v2-" not in names]
    assert "`identity-v1-" in names
    assert FORMER_KINDS
    assert not [kind for kind in SIGN_IN_KINDS if f"`{kind}-v1-" not in names]


def test_every_file_that_a_pool_writes_is_listed(emulator: Emulator, tmp_path: Path) -> None:
    """Each file of a pool that got credentials is in a table, and so is one of an older version."""
    pool = IdentityPool(emulator.create_pool(), directory=tmp_path, endpoint_url=emulator.url, environ={})
    pool.credentials()
    (tmp_path / "cache" / "credentials-v1-0.json").touch()

    cells = [row[0].removeprefix("other ").strip("`") for row in tables("files.md", "file | holds")]
    patterns = [".+".join(re.escape(part) for part in cell.split("…")) for cell in cells]
    found = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) > 3
    assert not [name for name in found if not any(re.fullmatch(one, name) for one in patterns)]


def test_links_from_this_repository_lead_to_the_reference() -> None:
    """No file names a page by where it was before the site."""
    moved = re.compile(r"\b(?:EMULATOR|SERVICE)\.md\b")
    folders = (".github", "cognito_credentials", "examples", "tests", "scripts", ".ci")
    files = [ROOT / "README.md", *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    found = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.suffix in (".md", ".py", ".toml", ".yaml") and path != Path(__file__)
        if moved.search(path.read_text("utf-8"))
    ]

    assert not found
