"""The examples of the emulator's pages work without changes, and the tables agree with the code."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.emulator import Emulator, pytest_plugin
from cognito_credentials.emulator.operations.query import OPERATIONS as QUERY_OPERATIONS
from cognito_credentials.emulator.pages.document import STYLE_PATH
from cognito_credentials.emulator.settings import Settings
from cognito_credentials.emulator.user_pool import RunningUserPool
from cognito_credentials.emulator.wire.faults import Fault
from cognito_credentials.emulator.wire.hosts import Hosts
from cognito_credentials.emulator.wire.issuer import issuer_routes
from cognito_credentials.emulator.wire.issuing import KeyOwner
from cognito_credentials.emulator.wire.managed_login import managed_login_routes
from tests.docs import pages

DOCS = Path(__file__).parents[2] / ".github" / "docs"
PAGES = [DOCS / "reference" / "emulator.md", *(DOCS / "guides").glob("testing.*")]
"""The reference, and the guide with worked examples."""
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)


def blocks(language):
    """The code blocks in *language*, without the indentation of a step that they stand in."""
    return [block.code for page in PAGES for block in pages.blocks(page, language)]


TESTS = [block for block in blocks("python") if "def test_" in block]
PROGRAMS = [block for block in blocks("python") if "def test_" not in block]

READERS_OWN = """
def my_app(identity_pool_id):
    from cognito_credentials import Session
    Session(identity_pool_id=identity_pool_id).client("sts").get_caller_identity()
"""


def table(head):
    """The rows of the table whose first line begins with *head*, as lists of cells."""
    (after,) = TEXT.split(f"\n| {head} |")[1:]
    lines = after.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names(head):
    """The first cells of a table, without their quotes."""
    return [row[0].strip("`") for row in table(head)]


@pytest.fixture
def seeded(tmp_path, emulator_keys):
    """An emulator with the guide's seed file."""
    file = tmp_path / "pools.toml"
    (text,) = blocks("toml")
    file.write_text(text)
    with Emulator(seed=file, keys=emulator_keys) as running:
        yield running


def run(arguments, url="", **options):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        arguments,
        env={**os.environ, "URL": url, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(TESTS)))
def test_pytest_examples(tmp_path, number):
    """The examples for pytest pass with the fixtures of the installed plugin."""
    if "from moto" in TESTS[number]:
        pytest.importorskip("moto", reason="moto is not installed")
    (tmp_path / "test_my_app.py").write_text(READERS_OWN + TESTS[number])
    (seed,) = blocks("toml")
    (tmp_path / "pools.toml").write_text(seed)

    out = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path)

    assert re.search(rf"\b{TESTS[number].count('def test_')} passed\b", out)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_programs(tmp_path, number):
    """The examples without pytest run and print their results."""
    out = run([sys.executable, "-c", PROGRAMS[number]], cwd=tmp_path)

    assert "eu-west-1:00000000-0000-4000-8000-000000000009\n" in out
    assert "'drop': True" in out
    assert "'time_passed': 60" in out


def test_aws_cli_example(emulator):
    """The example for the AWS CLI makes a pool, and lists it."""
    (code,) = (block for block in blocks("sh") if "aws cognito-identity list-identity-pools" in block)

    out = run(["bash", "-euc", code], emulator.url)

    assert out.count('"IdentityPoolName": "test"') == 2


def test_roles_example(emulator):
    """The example for roles makes one with the AWS CLI, assumes it, and deletes it."""
    (code,) = (block for block in blocks("sh") if "aws iam create-role" in block)

    out = run(["bash", "-euc", code], emulator.url)

    assert '"Arn": "arn:aws:iam::123456789012:role/reader"' in out
    assert out.endswith('"arn:aws:sts::123456789012:assumed-role/reader/me"\n')
    assert emulator.requests() == {"CreateRole": 1, "AssumeRole": 1, "DeleteRole": 1}


def test_operations_of_queries_are_in_the_guide():
    """The guide's table has every operation of IAM and STS that is served."""
    rows = {row[0]: row[1].split(", ") for row in table("service")}

    assert {name.lower(): sorted(operations) for name, operations in rows.items()} == {
        name: sorted(operations) for name, operations in QUERY_OPERATIONS.items()
    }


def test_members_of_whose_key_are_in_the_guide():
    """The guide's table has every member of the answer of whose-key."""
    listed = [name for row in table("answered") for name in re.findall(r"`(\w+)`", row[0])]

    assert listed == [field.name for field in dataclasses.fields(KeyOwner)]


@pytest.mark.quick
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_device_example(emulator):
    """The example for the issuer gets a code for a device, and the page to type it in on."""
    (code,) = (block for block in blocks("sh") if "device_authorization" in block)

    out = json.loads(run(["bash", "-euc", code], emulator.url))

    assert out["verification_uri"] == f"{emulator.url}/_emulator/device"


def test_pages_for_signing_in_are_in_the_guide(emulator):
    """The guide's tables have every page and endpoint for signing in."""
    service = emulator.service

    listed = re.findall(r"`(/[^`]+)`", " ".join(row[0] for row in table("page or endpoint")))
    assert set(listed) == {route.path for route in managed_login_routes(service)}
    issuers = {route.path for route in issuer_routes(service, Hosts())}
    assert set(names("page or endpoint of the issuer")) == issuers - {STYLE_PATH}


@pytest.mark.quick
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_example(seeded):
    """The example for curl makes a pool, login tokens and a fault, moves the clock, and resets."""
    (code,) = (block for block in blocks("sh") if "call()" in block)
    out = run(["bash", "-euc", code], seeded.url)

    assert json.loads(out[: out.index("}") + 2])["IdentityPoolName"] == "test"
    assert out.count('{"token": "') == 2
    assert '[{"operation": "GetId", "times": 1, "status": 503}]' in out
    assert '{"CreateIdentityPool": 1, "ListIdentityPools": 1}' in out
    assert seeded.requests() == {}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_node_example(seeded, tmp_path):
    """The example for Node signs a user in to the seed's pool and asks what the session may do."""
    (code,) = (block for block in blocks("js") if "GetId" in block)
    (name,) = re.findall(r"saved as `([^`]+)`", TEXT)
    file = tmp_path / name
    file.write_text(code)

    out = run(["node", str(file)], seeded.url)

    assert re.fullmatch(r"us-east-1:[0-9a-f-]{36} true\n", out)


@pytest.mark.quick
def test_seed_example(seeded):
    """The seed file of the guide is valid."""
    assert seeded.service.state.row("SELECT count(*) AS n FROM pools")["n"] == 1


def test_every_fixture_is_in_the_guide():
    """The guide's table has every fixture of the plugin, and its examples use them."""
    tree = ast.parse(Path(pytest_plugin.__file__).read_text("utf-8"))
    fixtures = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("pytest.fixture" in ast.unparse(one) for one in node.decorator_list)
    ]

    assert sorted(names("fixture")) == sorted(fixtures)
    for name in {*fixtures} - {"emulator_keys", "emulator_options"}:
        assert re.search(rf"def test_.*\b{name}\b", "".join(TESTS)), name


def test_signature_of_emulator_login(emulator_login):
    """The guide has the signature of emulator_login."""
    assert f"`emulator_login{bare(emulator_login)}`" in TEXT


def bare(function):
    """The signature of *function* without types."""
    signature = inspect.signature(function)
    kept = [
        parameter.replace(annotation=parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    return str(signature.replace(parameters=kept, return_annotation=signature.empty))


def test_every_method_is_in_the_guide():
    """The guide's table has every method and property of Emulator, with its signature."""
    listed = []
    for name in (name for name in dir(Emulator) if not name.startswith("_")):
        member = inspect.getattr_static(Emulator, name)
        listed.append(name if isinstance(member, property) else f"{name}{bare(member)}")

    assert sorted(names("method or property")) == sorted(listed)


def test_every_function_of_a_user_pool_is_in_the_guide():
    """The guide's table has every function of RunningUserPool, with its signature."""
    functions = {
        name: member
        for name, member in vars(RunningUserPool).items()
        if inspect.isfunction(member) and name[0] != "_"
    }

    assert names("function") == [f"{name}{bare(member)}" for name, member in functions.items()]


def test_every_argument_is_in_the_guide():
    """The guide's table has every argument of Emulator with its default, and every flag of the command."""
    rows = {row[0].strip("`"): [cell.strip("`") for cell in row] for row in table("argument")}
    parameters = inspect.signature(Emulator).parameters
    (command,) = (command for command in COMMANDS if command.name == "emulator")
    flags = Flags()
    command.load().add_options(flags)

    assert {name: row[2] for name, row in rows.items()} == {
        name: repr(parameter.default) for name, parameter in parameters.items()
    }
    assert sorted(row[1] for row in rows.values() if row[1] != "-") == sorted(flags.names)


class Flags:
    """Collects the names of the options that a command adds."""

    def __init__(self):
        self.names = []

    def add(self, name, **options):
        self.names.append(name)


def test_every_control_call_is_in_the_guide(api):
    """The guide's table has every call under /_emulator/ with all its members."""
    calls = api.control("GET", "no-such-call").json["error"].partition("there are: ")[2].split(", ")
    rows = {row[0].strip("`"): row[1] for row in table("call")}

    assert [call.replace("/_emulator/", "") for call in rows] == calls
    for call in ("login-token", "saml-response", "allowed", "whose-key"):
        assert members(api.control("POST", call, {"": 1})) == listed_members(rows[f"POST /_emulator/{call}"])
    of_users = listed_members(rows["PUT /_emulator/users"])
    user = {"provider": "graph.facebook.com", "subject": "s", "": 1}
    assert members(api.control("PUT", "users", [user])) == of_users


def test_what_a_page_cannot_call(api):
    """The guide names the calls that no web page can make: those with a preflight request."""
    calls = [row[0].strip("`").split(" /_emulator/") for row in table("call")]
    origin = {"Origin": "http://localhost:3000"}

    asked = {
        method
        for method, name in calls
        if method not in ("GET", "POST")  # the methods that need no preflight
        and "access-control-allow-methods" not in api.raw("OPTIONS", f"/_emulator/{name}", "", origin).headers
    }

    assert asked == set(re.findall(r"no\s+page\s+can\s+make\s+a\s+`(\w+)`", TEXT))


def members(refused):
    """The members that the error for an unknown member lists."""
    return refused.json["error"].partition("there are: ")[2].split(", ")


def listed_members(cell):
    """The members of the first object in a cell."""
    return re.findall(r'"(\w+)"', re.search(r"\{(.*?)\}", cell)[1])


def test_every_fault_is_in_the_guide(api):
    """The guide's table has every member of a fault, its default, and a valid example."""
    fields = {field.name: field for field in dataclasses.fields(Fault)}
    usual = dataclasses.asdict(Fault("*"))

    assert names("fault") == list(fields)
    for name, default, _, example in table("fault"):
        given = json.loads(example.strip("`"))
        assert default == ("required" if "operation" in name else f"`{json.dumps(usual[name.strip('`')])}`")
        assert name.strip("`") in given
        assert api.control("PUT", "faults", [given]).status == 200, example


def test_every_operation_of_user_pools_is_in_the_guide():
    """The guide's tables have every operation of user pools that is served, and every member of the seed."""
    from cognito_credentials.emulator.user_pools.operations import OPERATIONS

    assert names("operation of user pools") == list(OPERATIONS)


def test_every_member_of_a_user_pool_is_in_the_guide(api):
    """The guide has every member of [[user_pools]], and every member of its clients and users."""
    rows = {row[0]: row[2] for row in table("member of `[[user_pools]]`")}
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    def known(**described):
        return members(api.control("PUT", "user-pools", [{"id": "us-east-1_a", **described}]))

    assert sorted(known(**{"": 1})) == sorted(listed)
    for member in ("clients", "users"):
        of_entry = known(**{member: [{"id": "a", "name": "a", "": 1}]})
        text = re.sub(
            r"\(.*?\)", lambda match: match[0] if "default" in match[0] else "", rows[f"`{member}`"]
        )
        assert sorted(of_entry) == sorted(re.findall(r"`(\w+)`", text))


def test_every_setting_is_in_the_guide(api):
    """The guide's table has every setting, its default, and a valid example."""
    usual = {**dataclasses.asdict(Settings()), "clock_offset": 0.0, "time_passed": 0.0}

    assert sorted(names("setting")) == sorted(usual)
    assert api.control("GET", "settings").json == usual
    for name, default, _, example in table("setting"):
        given = json.loads(example.strip("`"))
        assert default == f"`{json.dumps(usual[name.strip('`')])}`"
        assert api.control("PUT", "settings", given).json[name.strip("`")] == given[name.strip("`")]
