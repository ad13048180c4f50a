"""Seed files: the state that a valid file makes, and the line that reports each mistake and its place."""

from __future__ import annotations

import io
import json
import os

import pytest

from cognito_credentials.emulator import Emulator, Seed
from cognito_credentials.emulator.command import serve
from cognito_credentials.emulator.logins.keys import TEST_ISSUER
from cognito_credentials.emulator.seed.file import SeedError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.state import State

from ..conftest import OIDC, Api, get_id
from .seeds import ACCEPTED, POOL_ID, WHOLE, WRONG, changed, named, places, whole_seed

TABLES = ("pools", "roles", "role_uses", "issuers", "saml_providers", "users", "developers")
POOL = 'IdentityPoolName = "p"\nAllowUnauthenticatedIdentities = true\n'
ROLE = '[[roles]]\narn = "arn:aws:iam::123456789012:role/r"\n'
USER_POOL = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a"
HOST = "cognito-identity.amazonaws.com"
AUD = f'{{ StringEquals = {{ "{HOST}:aud" = "eu-west-1:0" }} }}'


@pytest.fixture
def whole(tmp_path, emulator_keys):
    """The content of a valid seed, and the files that it names."""
    pytest.importorskip("signxml")
    return whole_seed(emulator_keys, tmp_path)


@pytest.fixture
def add_content(tmp_path, emulator_keys):
    """A function that adds a content to a new state, and returns the number of rows or the error."""

    def call(content):
        state = State()
        try:
            Service(state, keys=emulator_keys, add_seed=Seed(str(tmp_path / "seed.toml"), content).add_to)
        except SeedError as mistake:
            assert not any(state.rows(f"SELECT 1 FROM {table}") for table in TABLES), "half loaded"
            return str(mistake)
        else:
            return sum(len(state.rows(f"SELECT 1 FROM {table}")) for table in TABLES)
        finally:
            state.close()

    return call


@pytest.fixture
def mistake_in(tmp_path, emulator_keys):
    """A function from the text of a seed file to the error that it causes, without the file's name."""

    def call(text):
        file = tmp_path / "seed.toml"
        file.write_text(text)
        with pytest.raises(SeedError) as caught:
            Emulator(seed=Seed.load(file), keys=emulator_keys).start()
        mistake = str(caught.value)
        assert mistake.isprintable(), "more than one line"
        assert mistake.startswith(f"seed file {file}: ")
        return mistake.removeprefix(f"seed file {file}: ")

    return call


def test_seed(tmp_path, whole, boto_session, emulator_keys, refused):
    """A seeded pool works with its id, roles, trust policies and client ids, also after a reset."""
    del whole  # writes the files that the seed names
    file = tmp_path / "seed.toml"
    file.write_text(WHOLE.replace("MODULUS", emulator_keys.jwk("test-issuer", "k", "RS256")["n"]))
    with Emulator(keys=emulator_keys, seed=Seed.load(file), strict_roles=True) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity", region_name="eu-west-1")
        for _ in range(2):
            identity_id = get_id(api, POOL_ID)
            assert identity_id.startswith("eu-west-1:")
            assert api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
            ann = api.login()
            user = get_id(api, POOL_ID, ann)
            assert api.public.get_credentials_for_identity(IdentityId=user, Logins=ann)["Credentials"]
            assert get_id(api, POOL_ID, api.login(subject="x")) != user
            assert refused(api.public.get_id, IdentityPoolId=POOL_ID, Logins=api.login(audience="other"))[
                1
            ].endswith("Incorrect token audience")
            user_pool = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
            assert emulator.service.logins.is_signed_out(user_pool, "ann")
            api.control("POST", "reset")
        api.close()


@pytest.mark.thorough
def test_every_small_mistake(whole, add_content, tmp_path):
    """A member that is missing, of a wrong kind, empty or huge is either valid or named in the error."""
    accepted = set()
    for path in places(whole):
        for name, value in {**WRONG, "missing": ...}.items():
            result = add_content(changed(whole, path, value))
            if isinstance(result, int):
                accepted.add((named(path), name))
                continue
            assert result.isprintable(), result
            assert len(result) < 700
            prefix = f"seed file {tmp_path / 'seed.toml'}: {path[0]}"
            assert result.startswith(prefix), result
            assert named(path[:2]) in result, (path, name, result)
            if name == "number":  # every place that does not accept this reports a wrong kind
                assert all(named((part,)) in result for part in path[2:3]), (path, result)

    expected = {
        (place, name)
        for line in ACCEPTED.strip().splitlines()
        for place, _, names in [line.rpartition(" = ")]
        for name in names.split(", ")
    }
    assert accepted == expected


def test_everything_twice(whole, add_content):
    """Two descriptions of the same thing are a mistake."""
    for table in whole:
        for number, entry in enumerate(whole[table]):
            result = add_content({**whole, table: [*whole[table], entry]})

            assert f": {table}[{len(whole[table]) + 1}]: '" in result
            assert result.endswith("' exists already"), (table, number)


def test_unknown_members(whole, add_content):
    """An unknown member is named, in every table and in the tables inside it."""
    free = ("claims", "IdentityPoolTags", "Roles", "SupportedLoginProviders", "RoleMappings", "keys[1]")
    tables = [path for path in places(whole) if isinstance(changed_value(whole, path), dict)]
    for path in tables:
        if named(path).endswith(free) or {"Condition", "PrincipalTags"} & {*path} or path[-1] == "jwks":
            continue
        result = add_content(changed(whole, (*path, "Colour"), "red"))
        assert "Colour" in str(result), path
        assert named(path[:2]) in result


def changed_value(content, path):
    for key in path:
        content = content[key]
    return content


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("[[pools]]\nIdentityPoolName =", "not TOML: Invalid value (at line 2, the end of the file)"),
        ("[[pools]\n", "not TOML: Expected ']]' at the end of an array declaration (at line 1, column 8)"),
        ("[pools]\n", "pools: write it as [[pools]]"),
        ("[[pool]]\n", "pool: unknown table; there are: roles, issuers, "),
        (f"[[pools]]\n{POOL}IdentityPoolId = 'r:0'\n" * 2, "pools[2]: 'r:0' exists already"),
        ('[[pools]]\nIdentityPoolId = "x"\n', "pools[1].IdentityPoolId: 'x' is not region:guid"),
        ('[[pools]]\nIdentityPoolId = "EU:0"\n', "pools[1].IdentityPoolId: 'EU:0' is not region:guid"),
        (
            '[[pools]]\nIdentityPoolName = "p"\n',
            "pools[1]: AllowUnauthenticatedIdentities is missing; it is true or false",
        ),
        (
            f'[[pools]]\n{POOL}IdentityPoolTags = {{ "aws:a" = "b" }}\n',
            "pools[1].IdentityPoolTags: The tag 'aws:a' is not valid.",
        ),
        (
            f'[[pools]]\n{POOL}Roles = {{ admin = "arn:aws:iam::123456789012:role/r" }}\n',
            "pools[1].Roles: 1 validation error detected: Value",
        ),
        (
            f'[[pools]]\n{POOL}Roles = {{ authenticated = "arn:aws-cn:iam::123456789012:role/r" }}\n',
            "pools[1].Roles.authenticated: 'arn:aws-cn:iam::123456789012:role/r' is not the ARN of a role",
        ),
        (
            f'[[pools]]\n{POOL}[pools.RoleMappings.a]\nType = "Rules"\n',
            "pools[1].RoleMappings.a: (a) is not a valid RoleMapping ProviderName or is not a configured",
        ),
        (
            f'[[pools]]\n{POOL}SupportedLoginProviders = {{ "account.google.com" = "a" }}\n',
            "pools[1].SupportedLoginProviders.account.google.com: unknown provider; there are: accounts.g",
        ),
        *(
            (f"[[pools]]\n{POOL}{member} = ['arn:aws:iam::123456789012:role/r']\n", f"{member}[1]: 'arn:")
            for member in ("OpenIdConnectProviderARNs", "SamlProviderARNs")
        ),
        (
            f"[[pools]]\n{POOL}CognitoIdentityProviders = [{{ ProviderName = 'a' }}]\n",
            "pools[1].CognitoIdentityProviders[1]: ClientId is missing",
        ),
        (
            f"[[pools]]\n{POOL}CognitoIdentityProviders = [{{ ProviderName = 'a', ClientId = 'b' }}]\n",
            "pools[1].CognitoIdentityProviders: Invalid Cognito Identity Provider",
        ),
        (
            f"[[pools]]\n{POOL}"
            + "".join(
                f"[[pools.CognitoIdentityProviders]]\nProviderName = '{USER_POOL}{number}'\nClientId = 'b'\n"
                for number in range(51)
            ),
            "pools[1].CognitoIdentityProviders: User pool limit exceeded.",
        ),
        (f"{ROLE}trust_policy = '{{'\n", "roles[1].trust_policy: not JSON"),
        (f"{ROLE}trust_policy = '{{\"a\": 1, \"a\": 2}}'\n", "not JSON: 'a' is given twice"),
        (f"{ROLE}trust_policy = '{{\"a\": NaN}}'\n", "not JSON: NaN is not a JSON value"),
        (f"{ROLE}trust_policy = '{'[' * 100_000}'\n", "roles[1]: nested too deeply"),
        (f"{ROLE}max_session_seconds = 5\ntrust_policy = 5\n", "expected 3600 to 43200"),
        ("[[roles]]\narn = 'oops'\n", "roles[1].arn: 'oops' is not the ARN of a role"),
        ("[[roles]]\narn = 'arn:aws:iam::12:role/r'\n", "is not the ARN of a role"),
        ("[[roles]]\narn = 'arn:aws-mars:iam::123456789012:role/r'\n", "is not the ARN of a role"),
        ("[[issuers]]\nprovider = 'https://p'\n", "issuers[1].provider: write it without https://"),
        ("[[issuers]]\nprovider = 'p:99999'\n", "issuers[1].provider: 'p:99999' is not an address"),
        ("[[issuers]]\nprovider = 'www.amazon.com'\n", "www.amazon.com are not verified with"),
        (f"[[issuers]]\nprovider = '{HOST}'\n", f"{HOST} are not verified with"),
        ("[[issuers]]\nprovider = 'p'\nclient_ids = [1]\n", "client_ids: expected a list of texts"),
        ("[[issuers]]\nprovider = 'p'\njwks_file = 'no'\n", "issuers[1].jwks_file: no: No such file"),
        ("[[issuers]]\nprovider = 'p'\njwks_file = '.'\n", "issuers[1].jwks_file: .: Is a directory"),
        ("[[issuers]]\nprovider = 'p'\njwks = {}\njwks_uri = 'https://p'\n", "give one of jwks_uri, jwks"),
        *(
            (f"[[issuers]]\nprovider = 'p'\njwks_uri = '{uri}'\n", "issuers[1].jwks_uri: expected an https")
            for uri in ("http://a.example", "ftp://a", "https://", "https:///a", "https://a:0", "https://a b")
        ),
        *(
            (f"[[issuers]]\nprovider = 'p'\njwks = {{ keys = {keys} }}\n", f"issuers[1].jwks: {error}")
            for keys, error in [
                ("5", 'expected {"keys": [{...}]}'),
                ("[]", 'expected {"keys": [{...}]}'),
                ("[1]", 'expected {"keys": [{...}]}'),
                ("[{}]", "keys[1]: kty is missing"),
                ("[{kty=1}]", "keys[1].kty: expected a text"),
                ("[{kty='EC'}]", "it has no RSA key that signs"),
                ("[{kty='RSA', use='enc'}]", "it has no RSA key that signs"),
                ("[{kty='RSA', alg='RS1'}]", "it has no RSA key that signs"),
                ("[{kty='RSA'}]", "keys[1]: n is missing"),
                ("[{kty='RSA', n='AQAB'}]", "keys[1]: e is missing"),
                ("[{kty='RSA', n='AQAB', e='AQAB'}]", "keys[1]: no RSA key: "),
                ("[{kty='EC'}, {kty='RSA', n='!', e='AQAB'}]", "keys[2]: no RSA key: "),
                ("[{kty='RSA', n='AQAB', e='AQAB', d='hushhush'}]", "keys[1].d: it is part of a private key"),
                ("[{kty='oct', k='hushhush'}]", "keys[1].k: it is part of a private key"),
            ]
        ),
        ("[[saml_providers]]\narn = 'a'\nmetadata_file = 'b'\n", "saml_providers[1].arn: 'a' is not the ARN"),
        ("[[users]]\nprovider = 'p'\n", "users[1]: subject is missing; it is a text"),
        ("[[users]]\nprovider = 'p'\nsubject = 's'\n", "users[1].provider: the users of 'p' are never"),
        (
            "[[users]]\nprovider = 'cognito-idp.r.amazonaws.com/r_a'\nsubject = 's'\ntoken = 'hushhush'\n",
            "users[1].token: only for opaque tokens",
        ),
        (
            "[[users]]\nprovider = 'api.twitter.com'\nsubject = 's'\napp_id = 'a; hushhush'\n",
            "users[1].app_id: expected an app id as SupportedLoginProviders of a pool may have it",
        ),
        (
            "[[users]]\nprovider = 'www.amazon.com'\nsubject = 's'\nsigned_out = true\n",
            "users[1].signed_out: only for user pools",
        ),
        ("[[users]]\nprovider = 'p'\nsubject = 's'\nclaims = { a = 2020-01-01 }\n", "users[1].claims: a "),
        (
            "".join(f"[[users]]\nprovider='www.amazon.com'\nsubject='{n}'\ntoken='hush'\n" for n in "ab"),
            "users[2].token: it is already the token of 'a'",
        ),
        ("[[developers]]\naccess_key_id = 'a/b'\nsecret_access_key = 'hushhush'\n", "developers[1].access"),
    ],
)  # fmt: skip
def test_mistakes(mistake_in, content, error):
    """A mistake in a seed file is one line with the file, the place and the reason, and without secrets."""
    mistake = mistake_in(content)

    assert error in mistake
    assert "hush" not in mistake


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("5", "expected a table"),
        ("{ Like = { a = 'b' } }", "Like is not an operator that is evaluated"),
        ("{ 'Some:StringLike' = { a = 'b' } }", "Some:StringLike is not an operator that is evaluated"),
        ("{ NullIfExists = { a = 'b' } }", "NullIfExists is not an operator that is evaluated"),
        ("{ 'ForAnyValue:Null' = { a = 'b' } }", "ForAnyValue:Null is not an operator that is evaluated"),
        ("{ StringLike = 5 }", "StringLike: expected a table"),
        ("{ StringLike = {} }", "StringLike: expected a table"),
        ("{ StringLike = { a = [[1]] } }", "StringLike: a: expected a text"),
        ("{ StringLike = { a = [] } }", "StringLike: a: expected a text"),
        ("{ StringLike = { a = 5 } }", "StringLike: a: expected a text, not 5"),
        ("{ StringLike = { a = '${aws:username}' } }", "variables of policies are not evaluated"),
        ("{ StringLike = { 'aws:SourceIp' = '*' } }", "aws:SourceIp is not a key that is evaluated"),
        (f"{{ StringLike = {{ '{HOST}:audience' = '*' }} }}", f"{HOST}:audience is not a key that is"),
        (f"{{ StringLike = {{ '{HOST}:aud' = 'a pool' }} }}", "'a pool' is not region:guid"),
        ("{ NumericEquals = { a = 'five' } }", "NumericEquals: a: expected a number, not 'five'"),
        ("{ NumericEquals = { a = '5e3' } }", "expected a number, not '5e3'"),
        ("{ NumericEqualsIfExists = { a = true } }", "expected a number, not 'true'"),
        ("{ DateLessThan = { a = 'tomorrow' } }", "expected a date like 2030-01-31T00:00:00Z, or seconds "),
        ("{ DateLessThan = { a = '2026-13-01' } }", "not '2026-13-01'"),
        ("{ DateLessThan = { a = '2026-01-01T25:00Z' } }", "not '2026-01-01T25:00Z'"),
        ("{ DateLessThan = { a = '2026-01-01T00:00:00' } }", "not '2026-01-01T00:00:00'"),
        ("{ DateLessThan = { a = '01/02/2026' } }", "not '01/02/2026'"),
        ("{ Bool = { a = 'yes' } }", "expected true or false, not 'yes'"),
        ("{ Null = { a = 'maybe' } }", "expected true or false, not 'maybe'"),
        ("{ Null = { a = ['true', 'false'] } }", "Null: a: expected true or false, not several values"),
    ],
)  # fmt: skip
def test_mistakes_in_conditions(mistake_in, condition, error):
    """A Condition of a trust policy that can never hold is refused at the start."""
    policy = (
        f"{{ Statement = {{ Effect = 'Deny', Principal = '*', Action = '*', Condition = {condition} }} }}"
    )

    mistake = mistake_in(f"{ROLE}trust_policy = {policy}\n")

    assert mistake.startswith("roles[1].trust_policy: Statement 1: Condition: ")
    assert error in mistake


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("5", "expected a table"),
        ("{ Effect = 'May' }", "Effect: expected Allow or Deny"),
        ("{ Efect = 'Deny' }", "Efect is not evaluated"),
        ("{ Effect = 'Deny', NotAction = 'a' }", "NotAction is not evaluated"),
        ("{ Effect = 'Deny', Principal = 1 }", "Principal: expected"),
        ("{ Effect = 'Deny', Principal = {} }", "Principal: expected"),
        ("{ Effect = 'Deny', Principal = { Federation = 'a' } }", "Federation is no kind of principal"),
        ("{ Effect = 'Deny', Principal = { Federated = 'oops' } }", "'oops' is neither Cognito's name nor"),
        ("{ Effect = 'Deny', Principal = '*' }", "Action: expected a text"),
        ("{ Effect = 'Deny', Principal = '*', Action = 'sts:AssumeRoleWithWebidentiy' }", "is none by which"),
        ("{ Effect = 'Deny', Principal = '*', Action = ['s3:*'] }", "Action: 's3:*' is none by which"),
        (
            "{ Effect = 'Deny', Principal = { AWS = '*' }, Action = '*', Condition = { IpAddress = {} } }",
            "Condition: IpAddress is not an operator that is evaluated",
        ),
    ],
)
def test_mistakes_in_statements(mistake_in, statement, error):
    """A statement of a trust policy is refused if IAM refuses it, or if the emulator does not evaluate it."""
    mistake = mistake_in(f"{ROLE}trust_policy = {{ Statement = {statement} }}\n")

    assert mistake.startswith("roles[1].trust_policy: Statement 1: ")
    assert error in mistake


def trusting(principal, condition="{}", effect="Allow", action="sts:AssumeRoleWithWebIdentity"):
    return f"""trust_policy = {{ Statement = {{ Effect = "{effect}", Principal = {principal},
        Action = "{action}", Condition = {condition} }} }}\n""".replace("\n        ", " ")


@pytest.mark.parametrize(
    "principal",
    ["'*'", "{ AWS = '*' }", f"{{ Federated = '{HOST}' }}", f"{{ Federated = ['{HOST}'] }}"],
)
@pytest.mark.parametrize(
    "condition",
    [
        "{}",
        f"{{ StringNotEquals = {{ '{HOST}:aud' = 'eu-west-1:0' }} }}",
        f"{{ StringLike = {{ '{HOST}:aud' = '*' }} }}",
        f"{{ StringLike = {{ '{HOST}:aud' = ['eu-west-1:0', '*'] }} }}",
        f"{{ StringEquals = {{ '{HOST}:amr' = 'authenticated' }} }}",
        f"{{ Null = {{ '{HOST}:aud' = false }} }}",
    ],
)
def test_trust_in_every_pool(mistake_in, principal, condition):
    """A trust policy that trusts the users of every identity pool is refused, as IAM refuses it."""
    mistake = mistake_in(ROLE + trusting(principal, condition))

    assert mistake == (
        f"roles[1].trust_policy: Statement 1: it trusts every identity pool; "
        f"add a Condition on {HOST}:aud, as IAM demands"
    )


@pytest.mark.parametrize(
    "policy",
    [
        trusting(f"{{ Federated = '{HOST}' }}", AUD),
        trusting(f"{{ Federated = '{HOST}' }}", f"{{ StringLike = {{ '{HOST}:SUB' = 'eu-west-1:*' }} }}"),
        trusting(f"{{ Federated = '{HOST}' }}", effect="Deny"),
        trusting(f"{{ Federated = '{HOST}' }}", action="sts:TagSession"),
        trusting("{ Federated = 'arn:aws:iam::123456789012:oidc-provider/login.example.com' }"),
        trusting("{ AWS = 'arn:aws:iam::123456789012:root' }"),
        trusting(
            "{ AWS = '*' }", "{ StringEquals = { 'aws:PrincipalOrgID' = 'o-a' } }", action="sts:AssumeRole"
        ),
        trusting("{ Service = 'ec2.amazonaws.com' }", "{ IpAddress = { 'aws:SourceIp' = '10.0.0.0/8' } }"),
        trusting(
            "{ Federated = 'arn:aws:iam::123456789012:saml-provider/corp' }",
            "{ StringEquals = { 'SAML:iss' = 'https://idp.example.com' } }",
        ),
        trusting("{ Federated = 'cognito-identity-us-gov.amazonaws.com' }").replace(
            "{}", "{ StringEquals = { 'cognito-identity-us-gov.amazonaws.com:aud' = 'us-gov-west-1:0' } }"
        ),
    ],
)
def test_trust_that_is_limited(add_content, tmp_path, policy):
    """A trust policy that names a pool, denies, or trusts another principal is accepted."""
    file = tmp_path / "seed.toml"
    file.write_text(ROLE + policy)

    assert add_content(Seed.load(file).content) == 1


def test_role_of_another_account(mistake_in):
    """A role of another account must name the pool. Naming an identity is not enough."""
    other = ROLE.replace("123456789012", "999999999999")

    mistake = mistake_in(
        other
        + trusting(f"{{ Federated = '{HOST}' }}", f"{{ StringLike = {{ '{HOST}:sub' = 'eu-west-1:*' }} }}")
    )

    assert mistake.endswith(f"add a Condition on {HOST}:aud, as IAM demands")


def test_seed_that_nests_too_deeply(mistake_in):
    """A file that nests too deeply is a mistake, reported in one line that names the file."""
    assert mistake_in("a = " + "[" * 100_000) == "nested too deeply"


def test_seed_that_is_no_text(tmp_path):
    """The error names a file that is not UTF-8, that is a directory, or whose name has a line break."""
    file = tmp_path / "a\nb.toml"
    file.write_bytes(b"\xff")

    for path in (file, tmp_path, tmp_path / "missing"):
        with pytest.raises(SeedError, match=r"^seed file /") as caught:
            Seed.load(path)
        assert str(caught.value).isprintable()


def test_command_with_a_bad_seed(tmp_path):
    """The command reports a wrong seed in one line with exit code 4, and starts with a valid one."""
    seed, data = tmp_path / "seed.toml", tmp_path / "state.db"
    seed.write_text(f"[[pools]]\n{POOL}[[users]]\nprovider = 5\n")
    out, err = io.StringIO(), io.StringIO()

    code = serve(seed=str(seed), data=str(data), out=out, err=err)
    seed.write_text(f"[[pools]]\n{POOL}IdentityPoolId = '{POOL_ID}'\n")
    with Emulator(data=data, seed=Seed.load(seed)) as emulator:
        pools = emulator.service.state.rows("SELECT id FROM pools")

    assert (code, out.getvalue()) == (4, "")
    assert err.getvalue() == (
        f"cognito-credentials: seed file {seed}: users[1].provider: expected a text. "
        "Correct it there, then start again.\n"
    )
    assert [pool["id"] for pool in pools] == [POOL_ID]


@pytest.mark.parametrize("begin", ["\ufeff", ""])
def test_byte_order_mark(tmp_path, emulator_keys, begin):
    """A seed, and a key set that it names, may begin with the byte order mark that PowerShell writes."""
    (tmp_path / "seed.toml").write_text(f"{begin}[[issuers]]\nprovider = '{OIDC}'\njwks_file = 'keys.json'\n")
    (tmp_path / "keys.json").write_text(
        begin + json.dumps({"keys": [emulator_keys.jwk(TEST_ISSUER, "k", "RS256")]})
    )

    with Emulator(seed=tmp_path / "seed.toml", keys=emulator_keys) as emulator:
        assert emulator.service.issuers.is_known(OIDC)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "latin-1"])
def test_seed_of_another_encoding(tmp_path, encoding):
    """A seed that is not UTF-8 is reported with what to do."""
    file = tmp_path / "seed.toml"
    file.write_bytes(f"\ufeff# ä\n[[pools]]\n{POOL}".encode(encoding) if encoding != "latin-1" else b"# \xe4")

    with pytest.raises(SeedError, match=r"it is (UTF-16|not UTF-8); save it as UTF-8$"):
        Seed.load(file)


def code_and_error(seed):
    """The exit code and the error of the command with *seed*."""
    err = io.StringIO()
    code = serve(seed=str(seed), out=io.StringIO(), err=err)
    return code, err.getvalue()


@pytest.mark.parametrize("text", ["[[pools]\n", "[[pools]]\n", "nonsense = 1\n", "pools = 1\n", "\x00"])
def test_seed_with_wrong_contents(text):
    """Wrong contents are to be corrected, also in a seed that is no regular file: `--seed <(generate)`."""
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)

    code, error = code_and_error(f"/dev/fd/{reader}")

    os.close(reader)
    assert code == 4
    assert error.endswith(". Correct it there, then start again.\n")


@pytest.mark.parametrize("seed", ["missing", ".", "a\0b"])
def test_seed_that_cannot_be_read(tmp_path, seed):
    """Where the file itself cannot be read, the hint asks for another one."""
    code, error = code_and_error(tmp_path / seed)

    assert code == 4
    assert error.endswith(". Name a file that can be read with --seed.\n")


def test_pool_without_an_issuer_of_the_seed(api, add_content):
    """A pool may name an OIDC provider that the seed does not describe. Its keys are found by discovery."""
    assert add_content({"pools": [json.loads(json.dumps(minimal_pool()))]}) == 1
    assert get_id(api, api.oidc_pool(), api.login(provider=OIDC))


def minimal_pool():
    return {
        "IdentityPoolName": "p",
        "AllowUnauthenticatedIdentities": True,
        "OpenIdConnectProviderARNs": [f"arn:aws:iam::123456789012:oidc-provider/{OIDC}"],
    }
