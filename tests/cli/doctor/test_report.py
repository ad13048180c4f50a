"""What `doctor` prints: findings for people, everything for programs, and the exit code."""

from __future__ import annotations

import json
import re

import pytest

from cognito_credentials.cli.doctor.checks import CHECKS
from tests.cli.conftest import ROOT, Cli
from tests.cli.doctor.conftest import Home


def test_a_report_for_people(home: Home) -> None:
    """Errors come first, then warnings, a line each; then a count of what is all right. stderr is empty."""
    home.set(AWS_REGION="virginia")
    home.edit(home.line, "/nowhere/cognito-credentials credential-process --profile guest")

    done = home.call("doctor", "--profile", "guest", "--offline")

    first, second, last = done.out.splitlines()
    assert first == (
        "error: credential_process: credential_process of profile 'guest' runs /nowhere/cognito-credentials, "
        "which is not there. Run 'cognito-credentials configure --profile guest'."
    )
    assert second.startswith("warning: region: AWS_REGION is 'virginia', which is no region. ")
    assert re.search(r" left out \(network, .*\); --json shows all\.$", last), "what is left out is named"
    assert re.match(r"1 error, 1 warning, \d+ checks are all right, ", last)
    assert (done.code, done.err) == (1, "")


def test_a_warning_alone_is_no_failure(home: Home) -> None:
    """Scripts go by the exit code: what works in spite of a warning exits with 0."""
    home.set(AWS_REGION="virginia")

    done = home.call("doctor", "--profile", "guest", "--offline", "--json")

    assert done.code == 0
    assert "warning" in {check["status"] for check in json.loads(done.out)["checks"]}


def test_a_profile_that_does_not_exist_is_a_finding(home: Home) -> None:
    """Not an error on stderr with exit code 4, as of other commands: the report says what is wrong."""
    done = home.call("doctor", "--profile", "gest")

    assert done.code == 1
    assert done.out.startswith("error: profile: profile 'gest' does not exist. Did you mean 'guest'?\n")
    assert done.err == ""


def test_one_is_not_many(home: Home) -> None:
    """What is kept is counted in words that fit one as well as several."""
    home.call("refresh", "--profile", "guest")

    done = home.call("doctor", "--profile", "guest", "--offline", "--json")

    said = [check["what"] for check in json.loads(done.out)["checks"]]
    assert any(what.startswith("kept are 1 identity and 1 set of credentials, the newest") for what in said)


def test_without_any_configuration(cli: Cli) -> None:
    """On a new machine the one finding is that there is no pool, and what makes one known."""
    done = cli("doctor", "--json", "--offline")

    assert (done.code, done.err) == (1, "")
    findings = [check for check in json.loads(done.out)["checks"] if check["fix"]]
    assert [check["name"] for check in findings] == ["settings"]
    assert findings[0]["what"] == "no identity pool is configured"


@pytest.mark.parametrize("closed", ["HOME", "PATH"])
def test_an_environment_without_it(cli: Cli, home: Home, closed: str) -> None:
    """A service manager may start a program with hardly any environment; that is no bug of a check."""
    cli.environ.pop(closed)
    cli.environ["AWS_CONFIG_FILE"] = str(home.config)

    done = cli("doctor", "--profile", "guest", "--offline", "--json")

    assert "bug" not in done.out
    assert done.err == ""


def test_the_guide_names_every_check() -> None:
    """The table of the guide has a row for each check, in their order."""
    guide = (
        (ROOT / ".github" / "docs" / "guides" / "operating.md")
        .read_text("utf-8")
        .partition("`doctor`\n")[2]
        .partition("\n## ")[0]
    )
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]

    assert [name for row in rows for name in re.findall(r"`([\w-]+)`", row)] == [each.name for each in CHECKS]
