"""Files that are wrong: one line, exit 4, and no request about any pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials.administer.client import Clients
from cognito_credentials.administer.pools.file import load
from cognito_credentials.errors import ConfigurationError
from tests.administer.conftest import Done, role
from tests.administer.test_pools import GOOGLE, HEAD
from tests.cli.conftest import Cli

Call = Callable[..., Done]
Write = Callable[[str], str]
OTHER = "999999999999"
MANY = ", ".join(f't{n} = ""' for n in range(51))
RULE = f'{{ Claim = "sub", MatchType = "Equals", Value = "%d", RoleARN = "{role("r")}" }},\n'


def google(mapping: str) -> str:
    """Return a pool with Google, and a role mapping of it."""
    with_google = f'{HEAD}SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}\n'
    return f'{with_google}[pools.RoleMappings."{GOOGLE}"]\n{mapping}\n'


def rules(number: int) -> str:
    """Return a role mapping with a number of rules."""
    listed = "".join(RULE % n for n in range(number))
    return f'Type = "Rules"\nAmbiguousRoleResolution = "Deny"\nRulesConfiguration.Rules = [\n{listed}]\n'


WRONG = {
    "x = [": "it is not TOML: ",
    "\x00": "it is not TOML: ",
    "": "there is no [[pools]] table. Add a [[pools]] table",
    "[[pool]]\n": "there is no [[pools]] table. Did you mean [[pools]] by 'pool'?",
    "pools = 5\n": "pools: write it as [[pools]]",
    "pools = [1]\n": "pools[1]: expected a table",
    "[[pools]]\nIdentityPoolName = 'a'\n": "pools[1]: AllowUnauthenticatedIdentities is missing",
    f"{HEAD}AllowClasicFlow = true\n": "unknown member. Did you mean 'AllowClassicFlow'?",
    f"{HEAD}AllowClassicFlow = 'yes'\n": "pools[1].AllowClassicFlow: expected true or false",
    f"{HEAD}AllowClassicFlow = 2030-01-01\n": "expected true or false, not a date",
    f"{HEAD}Roles = {{ authentcated = 'x' }}\n": "unknown state. Did you mean 'authenticated'?",
    f"{HEAD}Roles = {{ authenticated = 'role/x' }}\n": "'role/x' is not the ARN of a role",
    f"{HEAD}Roles = {{ authenticated = '{role('a')}', unauthenticated = '{role('b', OTHER)}' }}\n": (
        f"Roles.unauthenticated: a role of account {OTHER}, while Roles.authenticated"
    ),
    f"{HEAD}Roles = {{ authenticated = '{role('a').replace('aws', 'aws-cn')}' }}\n": (
        "is a role in aws-cn; the pool is in aws"
    ),
    f"{HEAD}OpenIdConnectProviderARNs = ['login.example.com']\n": "is not the ARN of an OIDC provider",
    f"{HEAD}SamlProviderARNs = ['{role('a')}']\n": "SamlProviderARNs[1]: 'arn:aws:iam:",
    f"{HEAD}SupportedLoginProviders = {{ 'account.google.com' = 'a' }}\n": "Did you mean 'accounts.google",
    google(rules(26)): "26 rules; a provider has at most 25",
    google('Type = "Rule"\nAmbiguousRoleResolution = "Deny"'): "none of Token, Rules. Did you mean 'Rules'?",
    google('Type = "Token"\nAmbiguousRoleResolution = "Deny"'): "Type is Token, which only user pools have",
    google('Type = "Rules"\nAmbiguousRoleResolution = "Deny"'): "RulesConfiguration is missing",
    google(
        rules(1).replace("Ambiguous", "Ambigous")
    ): "unknown member. Did you mean 'AmbiguousRoleResolution'?",
    google(
        rules(1).replace("Equals", "Equal")
    ): "MatchType: it is none of Equals, Contains, StartsWith, NotEqual",
    f"{HEAD}{HEAD}": "pools[2]: 'app' is described by pools[1] already",
    f"{HEAD}IdentityPoolId = '0b8d4f1c'\n": "pools[1].IdentityPoolId: '0b8d4f1c' is not REGION:GUID",
    f"{HEAD}IdentityPoolId = 'us-est-1:0b8d4f1c-0000-4000-8000-000000000001'\n": "Did you mean 'us-west-1'?",
    f"{HEAD}IdentityPoolTags = {{ 'aws:x' = 'y' }}\n": "IdentityPoolTags.aws:x: a tag that AWS does not take",
    f"{HEAD}DeveloperProviderName = ''\n": "DeveloperProviderName: it is empty",
    f"{HEAD}PrincipalTags = {{ '{GOOGLE}' = {{ a = 5 }} }}\n": f"PrincipalTags.{GOOGLE}.a: expected a text",
    f"{HEAD}IdentityPoolTags = {{ t = 1 }}\n": "IdentityPoolTags.t: expected a text",
    f"{HEAD}IdentityPoolTags = {{ {MANY} }}\n": "51 tags; a pool has at most 50",
}
"""The whole file, and words of the line about it."""


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_wrong_file_is_one_line_before_any_request(
    signed: Cli, call: Call, write: Write, emulator: Any, text: str
) -> None:
    """The line names file, place and mistake, and what was probably meant; the service hears nothing."""
    path = write(text)
    done = call("pool", "apply", path, "--yes")

    assert (done.code, done.out) == (4, "")
    assert done.line.startswith(f"cognito-credentials: {path}: ")
    assert WRONG[text] in done.line
    assert emulator.requests() == {}


def test_a_role_of_another_account_is_refused_before_any_request_about_pools(
    signed: Cli, call: Call, write: Write, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS says whose the credentials are; where they know it themselves, nobody is asked."""
    path = write(f"{HEAD}Roles = {{ authenticated = '{role('a', OTHER)}' }}\n")
    asked = call("pool", "apply", path, "--yes")
    requests = emulator.requests()
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    known = call("pool", "apply", path, "--yes")

    assert asked == known
    assert asked.code == 4
    assert (
        f"'{role('a', OTHER)}' is a role of another account: these credentials are of 123456789012"
        in asked.line
    )
    assert requests == emulator.requests() == {"GetCallerIdentity": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (google(rules(1)).replace(f'"{GOOGLE}"]', '"accounts.googel.com"]'), f"Did you mean '{GOOGLE}'?"),
        (f'{HEAD}PrincipalTags = {{ "{GOOGLE}" = {{ a = "sub" }} }}\n', "the pool has no such provider"),
    ],
)
def test_a_provider_that_the_pool_does_not_have_is_refused_before_anything_is_changed(
    signed: Cli, call: Call, write: Write, emulator: Any, text: str, said: str
) -> None:
    """The pool may have providers that the file does not name, so it is asked for them first."""
    done = call("pool", "apply", write(text), "--yes")

    assert done.code == 4
    assert said in done.line
    assert "CreateIdentityPool" not in emulator.requests()


def test_files_that_cannot_be_read(call: Call, write: Write, tmp_path: Any) -> None:
    """The line names the file and the reason; a byte order mark is no mistake."""
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"[[pools]]\nIdentityPoolName = '\xe4'\n")

    assert load(marked).tables[0].name == "app"
    for path, said in (
        (tmp_path / "nothing.toml", "No such file"),
        (tmp_path, "Is a directory"),
        (latin, "it is not UTF-8"),
    ):
        done = call("pool", "plan", str(path))
        assert (done.code, said in done.line) == (4, True)


def test_nested_too_deeply(write: Write) -> None:
    """A file that would exhaust the stack is an error like others."""
    with pytest.raises(ConfigurationError):
        load(write(f"[[pools]]\nx = {'[' * 5000}{']' * 5000}\n"))


def test_where_cognito_is_on_this_machine_aws_is_not_asked_beside_it(
    signed: Cli, session: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the endpoint of the emulator for Cognito alone, neither IAM nor STS of AWS hears of its pools."""
    del session
    import boto3

    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
    clients = Clients(boto3.Session())

    assert clients.beside("iam", "us-east-1") is None
    assert clients.account("us-east-1") is None
