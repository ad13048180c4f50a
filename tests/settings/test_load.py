"""Loading settings: where each is found, what it must look like, and how they go together."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cognito_credentials.errors import CacheError, ConfigurationError
from cognito_credentials.settings.load import NAMES, check_arguments, is_configured, load
from cognito_credentials.settings.settings import ConfiguredLogins
from tests.settings.loading import CANARY, GUID, HOME, POOL, ROLE, load_app, load_guest

# The place of each setting


def test_a_pool_id_alone_is_enough() -> None:
    """A guest script gives the pool id; everything else has a default."""
    found = load_guest()

    assert (found.identity_pool_id, found.region) == (POOL, "us-east-1")
    assert (found.flow, found.cache, found.cache_dir) == ("enhanced", "file", "/home/ann/.aws/cognito/cache")
    assert (found.logins, found.cache_is_explicit, found.endpoint_url) == (ConfiguredLogins(), False, None)
    assert found.origins == {"identity_pool_id": "argument"}


VALUES: dict[str, tuple[str, str, str]] = {
    "identity_pool_id": (POOL, f"eu-west-1:{GUID}", f"eu-west-2:{GUID}"),
    "identity_id": (f"us-east-1:{GUID[:-1]}1", f"us-east-1:{GUID[:-1]}2", f"us-east-1:{GUID[:-1]}3"),
    "account_id": ("123456789012", "000000000001", "000000000002"),
    "user": ("ann", "bob", "eve"),
    "flow": ("enhanced", "enhanced", "enhanced"),
    "custom_role_arn": (ROLE, ROLE + "2", ROLE + "3"),
    "role_arn": (ROLE, ROLE + "2", ROLE + "3"),
    "role_session_name": ("one", "two", "three"),
    "duration_seconds": ("900", "901", "902"),
    "policy": ('{"a": 1}', '{"a": 2}', '{"a": 3}'),
    "cache": ("memory", "file", "memory"),
}


@pytest.mark.parametrize("name", VALUES)
def test_argument_wins_over_environment_over_profile(name: str) -> None:
    """Each setting is taken from the first place that has it, and keeps that origin."""
    names = NAMES[name]
    assert names.environment is not None
    assert names.profile_key is not None
    basic = name in ("role_arn", "role_session_name", "duration_seconds", "policy")
    common = {"cognito_flow": "basic", "cognito_role_arn": ROLE} if basic else {}
    argument, variable, key = VALUES[name]
    profile = {"cognito_identity_pool_id": POOL, **common, names.profile_key: key}

    def found(arguments: dict[str, str], environ: dict[str, str]) -> tuple[str, str]:
        resolved = load_app(arguments, environ, profile)
        return str(getattr(resolved, name)), resolved.origins[name]

    assert found({name: argument}, {names.environment: variable}) == (argument, "argument")
    assert found({}, {names.environment: f" {variable}\n"}) == (variable, names.environment)
    assert found({}, {names.environment: " "}) == (key, "profile 'app'")


def test_names_do_not_change() -> None:
    """The names that users type do not change: AWS_COGNITO_X and cognito_x, and two of AWS's own."""
    for name, names in NAMES.items():
        if names.environment and name != "account_id":
            assert names.environment == f"AWS_COGNITO_{name.upper()}"
            assert names.profile_key == f"cognito_{name}"
    assert NAMES["account_id"] == ("AWS_ACCOUNT_ID", "aws_account_id")
    assert NAMES["logins"] == (None, "cognito_logins")


def test_not_configured_is_no_error() -> None:
    """Only a pool id counts, whatever else is set."""
    config: dict[str, Any] = {"profiles": {"app": {}}}
    assert not is_configured(environ=HOME, config=config, profile="app")
    assert not is_configured(environ={**HOME, "AWS_COGNITO_CACHE": "nonsense"}, config=config)
    assert is_configured(environ={**HOME, "AWS_COGNITO_IDENTITY_POOL_ID": "nonsense"}, config=config)
    config["profiles"]["app"]["cognito_identity_pool_id"] = POOL
    assert is_configured(environ=HOME, config=config, profile="app")
    with pytest.raises(ConfigurationError, match="'missing' does not exist"):
        is_configured(environ=HOME, config=config, profile="missing")


def test_require_says_what_to_set() -> None:
    """The error names the three places for a pool id, and a setting that is there in vain."""
    with pytest.raises(ConfigurationError) as caught:
        load({}, environ=HOME, config={"profiles": {"app": {"cognito_flow": "basic"}}}, profile="app")

    text = str(caught.value)
    assert text.startswith("no identity pool is configured, though there is flow from profile 'app'. ")
    for part in (
        "AWS_COGNITO_IDENTITY_POOL_ID",
        "cognito_identity_pool_id in profile 'app'",
        "or give identity_pool_id",
    ):
        assert part in text
    assert "--" not in text
    assert caught.value.exit_code == 4


def test_require_speaks_of_options_on_the_command_line() -> None:
    """The command line reads of its option, a program of the argument."""
    with pytest.raises(ConfigurationError, match="give --identity-pool-id"):
        load({}, environ=HOME, config={}, origin="the command line")


def test_require_names_the_profiles_that_have_a_pool() -> None:
    """Where a profile has a pool, the error names that profile."""
    config = {"profiles": {"guest": {"cognito_identity_pool_id": POOL}, "other": {}}}

    with pytest.raises(
        ConfigurationError, match=r"Profile 'guest' has one: .* profile_name='guest' \(see E-NO-POOL\)$"
    ):
        load({}, environ=HOME, config=config)
    with pytest.raises(ConfigurationError, match=r"choose it with --profile guest \(see E-NO-POOL\)$"):
        load({}, environ=HOME, config=config, origin="the command line")


def test_several_profiles_that_have_a_pool_are_listed() -> None:
    """Several profiles with a pool are listed."""
    config = {"profiles": {name: {"cognito_identity_pool_id": POOL} for name in ("app", "guest", "up")}}

    with pytest.raises(ConfigurationError) as caught:
        load({}, environ=HOME, config=config, origin="the command line")
    assert caught.value.hint == "Profiles 'app', 'guest' and 'up' have one: choose one, as with --profile app"
    del config["profiles"]["up"]
    with pytest.raises(ConfigurationError, match=r"(?i)profiles 'app' and 'guest' have one"):
        load({}, environ=HOME, config=config)


def test_a_mistyped_variable_is_named_where_it_was_needed() -> None:
    """A variable that is almost ours is named as the cause."""
    environ = {**HOME, "AWS_COGNITO_IDENTITY_POOLID": POOL}

    with pytest.raises(
        ConfigurationError,
        match="Did you mean AWS_COGNITO_IDENTITY_POOL_ID by AWS_COGNITO_IDENTITY_POOLID",
    ):
        load({}, environ=environ, config={})


def test_a_mistyped_variable_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A variable that is almost ours is a warning, since it may be another program's."""
    environ = {
        **HOME,
        "AWS_COGNITO_FLOWS": "basic",
        "AWS_COGNITO_USER_POOL_ID": "us-east-1_x",
        "AWS_COGNITO_CACHE_DIR": "/x",
    }

    load({"identity_pool_id": POOL}, environ=environ)

    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["AWS_COGNITO_FLOWS is not a setting; did you mean AWS_COGNITO_FLOW?"]


@pytest.mark.parametrize(
    ("given", "meant"), [("clasic", "basic"), ("Classic", "basic"), ("enhansed", "enhanced")]
)
def test_a_near_flow_is_named(given: str, meant: str) -> None:
    """A misspelt flow is met with the near one; classic is AWS's other name of the basic flow."""
    with pytest.raises(ConfigurationError, match=f"Did you mean '{meant}'"):
        load_guest({"flow": given})


def test_require_sees_a_misspelt_pool() -> None:
    """A misspelt key of the pool id is named as the cause."""
    config = {"profiles": {"default": {"cognito_identity_pool": POOL}}}
    with pytest.raises(ConfigurationError, match="Did you mean cognito_identity_pool_id"):
        load({}, environ=HOME, config=config)


def test_arguments_can_be_called_otherwise() -> None:
    """The command line names itself as the origin."""
    with pytest.raises(ConfigurationError, match=r"^flow from the command line is neither"):
        load({"identity_pool_id": POOL, "flow": "x"}, environ=HOME, config={}, origin="the command line")


def test_a_missing_environment_profile_does_not_stop_an_explicit_pool() -> None:
    """AWS_PROFILE may name a missing profile only where a program names its pool."""
    environ = {**HOME, "AWS_PROFILE": "missing"}
    found = load({"identity_pool_id": POOL}, environ=environ, config={})
    assert found.profile is None

    with pytest.raises(ConfigurationError, match=r"'missing' \(from AWS_PROFILE\) does not exist"):
        load({}, environ={**environ, "AWS_COGNITO_IDENTITY_POOL_ID": POOL}, config={})
    with pytest.raises(ConfigurationError, match="'missing' does not exist"):
        load({"identity_pool_id": POOL}, environ=HOME, config={}, profile="missing")


def test_an_unknown_argument_is_a_programming_error() -> None:
    """A misspelt keyword is a TypeError, as for any Python function."""
    with pytest.raises(TypeError, match="no setting 'identity_pool'"):
        load_app({"identity_pool": POOL})


def test_load_settings_reads_the_file(tmp_path: Any) -> None:
    """A config file on disk becomes settings, with nested logins."""
    (tmp_path / "config").write_text(
        f"[profile app]\ncognito_identity_pool_id = {POOL}\n"
        "cognito_logins =\n  accounts.google.com = file:/run/token\n"
    )
    environ = {**HOME, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "app"}

    found = load({}, environ=environ)

    assert found.profile == "app"
    assert found.logins is not None
    assert found.logins.sources == {"accounts.google.com": "file:/run/token"}
    assert found.origins["logins"] == "profile 'app'"


def test_a_policy_is_kept_as_it_was_written() -> None:
    """The policy is sent byte for byte as given."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []}, indent=2)
    assert load_guest({"flow": "basic", "role_arn": ROLE, "policy": policy}).policy == policy


def test_the_logins_of_one_pool_are_not_for_another() -> None:
    """A pool of an argument or a variable takes no setting of a profile with another pool."""
    other = "eu-west-1:ffffffff-1234-1234-1234-123456789abc"
    config = {
        "profiles": {
            "app": {
                "cognito_identity_pool_id": other,
                "cognito_logins": {"accounts.google.com": "env:TOKEN"},
                "cognito_user": "ada",
                "region": "eu-west-1",
            }
        }
    }
    mine = "eu-west-1:0b8d4f1c-1234-1234-1234-123456789abc"

    by_argument = load({"identity_pool_id": mine}, environ={"AWS_PROFILE": "app"}, config=config)
    by_environment = load(
        {}, environ={"AWS_PROFILE": "app", "AWS_COGNITO_IDENTITY_POOL_ID": mine}, config=config
    )
    same = load({"identity_pool_id": other}, environ={"AWS_PROFILE": "app"}, config=config)

    for settings in (by_argument, by_environment):
        assert settings.logins == ConfiguredLogins()
        assert settings.user is None
    assert same.user == "ada"


# Bad input


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"identity_pool_id": ""}, ["identity_pool_id from argument is empty"]),
    ({"identity_pool_id": b"x"}, ["identity_pool_id from argument is bytes, not text"]),
    ({"identity_pool_id": f"us-east1:{GUID}"}, ["begins with 'us-east1', which is no region", "us-east-1"]),
    ({"identity_pool_id": f":{GUID}"}, ["is not REGION:GUID"]),
    ({"identity_pool_id": "us-east-1_AbCdEf123"}, ["is the id of a user pool", "REGION:GUID"]),
    ({"identity_pool_id": GUID}, ["is not REGION:GUID", GUID]),
    ({"identity_pool_id": f"us-east-1:{GUID.upper()}"}, ["is not REGION:GUID", "all in lower case"]),
    ({"identity_pool_id": POOL + "0" * 20}, ["is not REGION:GUID"]),
    ({"identity_pool_id": f"{POOL}\n"}, ["has white space around it", f"Write '{POOL}'"]),
    ({"identity_pool_id": "us-east-1:\x1b]0;x\x07"}, ["'us-east-1:?]0;x?'"]),
    ({"identity_id": f"eu-west-1:{GUID}"}, ["identity_id from argument is in eu-west-1", "is in us-east-1"]),
    ({"identity_id": "us-east-1:xyz"}, ["identity_id from argument is not REGION:GUID"]),
    ({"account_id": "1234-5678-9012"}, ["account_id from argument is not an AWS account id", "12 digits"]),
    ({"account_id": "١٢٣٤٥٦٧٨٩٠١٢"}, ["is not an AWS account id"]),
    ({"account_id": 123456789012}, ["account_id from argument is int, not text"]),
    ({"user": " "}, ["user from argument is empty"]),
    ({"user": "x" * 1025}, ["user from argument is 1025 characters long"]),
    ({"flow": "classic"}, ["flow from argument is neither", "'classic'", "Did you mean 'basic'"]),
    ({"flow": "basic"}, ["flow from argument is basic, which needs role_arn"]),
    ({"role_arn": ROLE}, ["role_arn from argument is of the basic flow", "use custom_role_arn"]),
    ({"duration_seconds": 900}, ["duration_seconds from argument is of the basic flow", "set flow=basic"]),
    ({"policy": "{}"}, ["policy from argument is of the basic flow"]),
    ({"role_session_name": "me"}, ["role_session_name from argument is of the basic flow"]),
    (
        {"flow": "basic", "role_arn": ROLE, "custom_role_arn": ROLE},
        ["custom_role_arn from argument is of the enhanced flow"],
    ),
    ({"custom_role_arn": "Reader"}, ["custom_role_arn from argument is not the ARN", "arn:aws:iam::ACCOUNT"]),
    ({"custom_role_arn": "arn:aws:iam::1:role/x"}, ["is not the ARN of an IAM role", "12 digits"]),
    ({"custom_role_arn": "arn:aws:iam::123456789012:user/x"}, ["is not the ARN of an IAM role"]),
    ({"custom_role_arn": ROLE + "/"}, ["is not the ARN of an IAM role"]),
    ({"custom_role_arn": ROLE + "x" * 2048}, ["is not the ARN of an IAM role"]),
    ({"custom_role_arn": ROLE.replace("aws:", "aws-cn:", 1)}, ["partition aws-cn", "us-east-1"]),
    *(
        (
            {"flow": "basic", "role_arn": ROLE, "duration_seconds": value},
            ["duration_seconds from argument is not a whole number of seconds from 900 to 43200"],
        )
        for value in (899, 43_201, "1h", "1e3", "9_00", "\u0663\u0666\u0660\u0660", "9" * 5000, "-900")
    ),
    (
        {"flow": "basic", "role_arn": ROLE, "duration_seconds": True},
        ["duration_seconds from argument is bool, not text"],
    ),
    *(
        (
            {"flow": "basic", "role_arn": ROLE, "role_session_name": value},
            ["is not a session name", "2 to 64"],
        )
        for value in ("x", "x" * 65, "a b", "é" * 4)
    ),
    (
        {"flow": "basic", "role_arn": ROLE, "policy": "[" * 2000},
        ["policy from argument is not a JSON object"],
    ),
    ({"flow": "basic", "role_arn": ROLE, "policy": "[]"}, ["policy from argument is not a JSON object"]),
    ({"flow": "basic", "role_arn": ROLE, "policy": {"a": 1}}, ["policy from argument is dict", "json.dumps"]),
    ({"flow": "basic", "role_arn": ROLE, "policy": "x" * 2049}, ["2049 characters", "at most 2048"]),
    ({"cache": "flie"}, ["cache from argument is not a cache: 'flie'", "Did you mean 'file'"]),
    ({"cache": "keyring"}, ["'keyring' is not available in this version", "'file' or 'memory'"]),
    ({"cache": f"valkey://u:{CANARY}@h/0"}, ["is not a cache: 'valkey'", "Did you mean 'redis://'?"]),
    ({"cache": f"https://u:{CANARY}@h/0"}, ["is not a cache: 'https'"]),
    ({"endpoint_url": 1}, ["endpoint_url from argument is int"]),
]


@pytest.mark.parametrize(("arguments", "parts"), BAD)
def test_bad_input_is_one_clear_line(arguments: dict[str, Any], parts: list[str]) -> None:
    """A wrong setting is a ConfigurationError naming it, its origin, what is expected, and no secret."""
    with pytest.raises(ConfigurationError) as caught:
        load_guest(arguments)

    text = str(caught.value)
    for part in parts:
        assert part.lower() in text.lower()
    assert caught.value.hint
    assert text.isprintable()
    assert len(text) < 600
    assert CANARY not in text
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("name", VALUES)
def test_bad_input_names_its_variable_and_profile(name: str) -> None:
    """The same error names whichever place the value came from."""
    names = NAMES[name]
    bad = "\x1b" * 2 if name != "user" else "x" * 2000
    common = {} if name in ("flow", "identity_pool_id") else {"cognito_identity_pool_id": POOL}
    if name in ("role_arn", "role_session_name", "duration_seconds", "policy"):
        common |= {"cognito_flow": "basic", "cognito_role_arn": ROLE}
    common.setdefault("cognito_identity_pool_id", POOL)
    with pytest.raises(ConfigurationError, match=rf"^{name} from {names.environment} "):
        load_app({}, {str(names.environment): bad}, common)
    with pytest.raises(ConfigurationError, match=rf"^{name} from profile 'app' "):
        load_app({}, {}, {**common, str(names.profile_key): bad})


@pytest.mark.parametrize("value", ["", {"nested": "x"}])
def test_an_empty_or_nested_profile_key_is_an_error(value: object) -> None:
    """A setting that is empty, or has nested lines, is an error."""
    with pytest.raises(ConfigurationError, match=r"^user from profile 'app' is "):
        load_app({}, {}, {"cognito_identity_pool_id": POOL, "cognito_user": value})


@pytest.mark.parametrize(
    "region",
    [
        *("us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1", "ap-southeast-7"),
        *("us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "xx-south-12"),
    ],
)
def test_regions_of_every_partition_are_taken(region: str) -> None:
    """A region is checked by its shape, so that regions opened later work."""
    found = load_guest({"identity_pool_id": f"{region}:{GUID}", "identity_id": f"{region}:{GUID}"})
    assert found.region == region


def test_any_layout_of_the_guid_is_taken() -> None:
    """The service promises hexadecimal digits and hyphens, no layout."""
    assert load_guest({"identity_pool_id": "us-east-1:0-a"}).identity_pool_id == "us-east-1:0-a"


def test_basic_flow_takes_all_of_its_settings() -> None:
    """Role, session name, duration and policy arrive as given; the duration as a number."""
    found = load_guest(
        {
            "flow": "basic",
            "role_arn": ROLE,
            "role_session_name": "a@b",
            "duration_seconds": "43200",
            "policy": "{}",
        }
    )
    assert (found.role_arn, found.role_session_name, found.duration_seconds, found.policy) == (
        ROLE,
        "a@b",
        43_200,
        "{}",
    )
    assert load_guest({"flow": "basic", "role_arn": ROLE}).role_session_name == "cognito-credentials"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("cognito_login", "cognito_logins"),
        ("cognito_customrole_arn", "cognito_custom_role_arn"),
        ("cognito_users", "cognito_user"),
    ],
)
def test_a_misspelt_profile_key_is_an_error(key: str, meant: str) -> None:
    """A misspelt cognito_logins must not make a guest of a user."""
    with pytest.raises(ConfigurationError, match=f"{key} from profile 'app' is not a setting.*{meant}"):
        load_app({}, {}, {"cognito_identity_pool_id": POOL, key: "x"})


def test_foreign_profile_keys_are_left_alone() -> None:
    """Keys of other programs are let through, also those that begin with cognito."""
    found = load_guest(profile_settings={"cognito_team": "x", "output": "json", "ca_bundle": "/x"})
    assert found.profile_settings["ca_bundle"] == "/x"


@pytest.mark.parametrize("empty", ["", {}])
def test_empty_profile_logins_are_an_error(empty: object) -> None:
    """cognito_logins without a login is an error; logins={} of a program means a guest."""
    with pytest.raises(ConfigurationError, match="cognito_logins from profile 'app' is empty"):
        load_guest(profile_settings={"cognito_logins": empty})
    # Of a program: `IdentityPool` takes them in place of what the profile says.
    assert load_guest({"logins": {}}, profile_settings={"cognito_logins": empty}).logins is None


# The cache


def test_a_cache_that_the_user_set_is_marked() -> None:
    """Setting the cache or its directory makes it explicit, and keeps its origin."""
    by_directory = load_guest(environ={"AWS_COGNITO_CACHE_DIR": "/x"})
    assert (by_directory.cache_is_explicit, by_directory.origins["cache_dir"]) == (
        True,
        "AWS_COGNITO_CACHE_DIR",
    )
    assert load_guest({"cache": "file"}).cache_is_explicit
    assert not load_guest().cache_is_explicit


def test_the_file_cache_without_a_home() -> None:
    """Without a home there is no directory; that is an error only if the user set the file cache."""
    found = load({"identity_pool_id": POOL}, environ={}, config={})
    assert (found.cache, found.cache_dir) == ("file", None)
    with pytest.raises(CacheError, match="cache from argument is 'file', but there is no home") as caught:
        load({"identity_pool_id": POOL, "cache": "file"}, environ={}, config={})
    assert caught.value.exit_code == 7


# Arguments alone


def test_arguments_are_checked_without_any_file() -> None:
    """A malformed argument is an error without any file; what depends on the profile is not checked."""
    for arguments, parts in BAD:
        alone = not {"flow", "role_arn", "policy", "duration_seconds", "role_session_name"} & set(arguments)
        if alone and "is in eu-west-1" not in parts[0]:
            with pytest.raises(ConfigurationError, match=re.escape(parts[0].split(" from ")[0])):
                check_arguments({"identity_pool_id": POOL, **arguments}, environ={"AWS_PROFILE": "missing"})
    assert check_arguments({"role_arn": ROLE, "user": None}, environ={}) == {"role_arn": ROLE}
    with pytest.raises(ConfigurationError, match="partition aws,"):
        check_arguments({"role_arn": ROLE}, environ={"AWS_COGNITO_IDENTITY_POOL_ID": f"cn-north-1:{GUID}"})


@pytest.mark.parametrize(
    "settings",
    [
        {"cognito_identity_pool_id": POOL},
        {"cognito_identity_pool_id": POOL, "cognito_identity_id": POOL},
        {"cognito_identity_pool_id": POOL, "aws_account_id": "123456789012"},
        {"cognito_identity_pool_id": POOL, "cognito_flow": "enhanced"},
        {"cognito_identity_pool_id": POOL, "cognito_custom_role_arn": ROLE},
        {"cognito_identity_pool_id": POOL, "cognito_cache": "memory"},
    ],
    ids=lambda settings: list(settings)[-1],
)
@pytest.mark.parametrize("mark", ["#", ";"])
def test_a_comment_behind_a_value_is_named(settings: dict[str, str], mark: str) -> None:
    """To every AWS tool a comment behind a value is part of it, which the error of a wrong value says."""
    (*_, last) = settings
    with pytest.raises(ConfigurationError) as caught:
        load_app(profile_settings={**settings, last: f"{settings[last]}  {mark} mine"})

    assert caught.value.message.startswith(f"{NAMES_OF_KEYS[last]} from profile 'app'")
    assert f"What follows '{mark}' is part of the value: a comment has a line of its own" in caught.value.hint


def test_a_mark_in_an_argument_is_no_comment() -> None:
    """What stands in no file has no comments."""
    with pytest.raises(ConfigurationError) as caught:
        load_app({"identity_pool_id": f"{POOL} # mine"})

    assert "comment" not in str(caught.value)


NAMES_OF_KEYS = {names.profile_key: name for name, names in NAMES.items()}
