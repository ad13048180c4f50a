"""Settings: where they come from, what they must look like, and the cache keys made of them."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cognito_credentials.errors import CacheError, ConfigurationError
from cognito_credentials.settings.load import NAMES, cache_directory, check_arguments, is_configured, load
from cognito_credentials.settings.settings import ConfiguredLogins, Settings

GUID = "0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
POOL = f"us-east-1:{GUID}"
ROLE = "arn:aws:iam::123456789012:role/app/Reader"
CANARY = "CANARY-pass-1234567890"
HOME = {"HOME": "/home/ann", "USERPROFILE": "/home/ann"}


def _load(
    arguments: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    profile_settings: dict[str, Any] | None = None,
    **more: Any,
) -> Settings:
    config = {"profiles": {"app": profile_settings or {}}, **more}
    return load(arguments or {}, environ={**HOME, **(environ or {})}, config=config, profile="app")


def _guest(arguments: dict[str, Any] | None = None, **places: Any) -> Settings:
    return _load({"identity_pool_id": POOL, **(arguments or {})}, **places)


# Where settings come from


def test_a_pool_id_alone_is_enough() -> None:
    """A guest script gives the pool id; everything else has a default."""
    found = _guest()

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
    """Each setting is taken from the first place that has it, and remembers which it was."""
    names = NAMES[name]
    assert names.environment is not None
    assert names.profile_key is not None
    basic = name in ("role_arn", "role_session_name", "duration_seconds", "policy")
    common = {"cognito_flow": "basic", "cognito_role_arn": ROLE} if basic else {}
    argument, variable, key = VALUES[name]
    profile = {"cognito_identity_pool_id": POOL, **common, names.profile_key: key}

    def found(arguments: dict[str, str], environ: dict[str, str]) -> tuple[str, str]:
        resolved = _load(arguments, environ, profile)
        return str(getattr(resolved, name)), resolved.origins[name]

    assert found({name: argument}, {names.environment: variable}) == (argument, "argument")
    assert found({}, {names.environment: f" {variable}\n"}) == (variable, names.environment)
    assert found({}, {names.environment: " "}) == (key, "profile 'app'")


def test_names_are_those_of_the_design() -> None:
    """The names users type are fixed: AWS_COGNITO_X and cognito_x but for the two that AWS has already."""
    for name, names in NAMES.items():
        if names.environment and name != "account_id":
            assert names.environment == f"AWS_COGNITO_{name.upper()}"
            assert names.profile_key == f"cognito_{name}"
    assert NAMES["account_id"] == ("AWS_ACCOUNT_ID", "aws_account_id")
    assert NAMES["logins"] == (None, "cognito_logins")


def test_not_configured_is_no_error() -> None:
    """Without a pool id nobody asked for us, whatever else is set."""
    config: dict[str, Any] = {"profiles": {"app": {}}}
    assert not is_configured(environ=HOME, config=config, profile="app")
    assert not is_configured(environ={**HOME, "AWS_COGNITO_CACHE": "nonsense"}, config=config)
    assert is_configured(environ={**HOME, "AWS_COGNITO_IDENTITY_POOL_ID": "nonsense"}, config=config)
    config["profiles"]["app"]["cognito_identity_pool_id"] = POOL
    assert is_configured(environ=HOME, config=config, profile="app")
    with pytest.raises(ConfigurationError, match="'missing' does not exist"):
        is_configured(environ=HOME, config=config, profile="missing")


def test_require_says_what_to_set() -> None:
    """Where a pool is needed, the error names the three places for it, and what was set in vain."""
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
    """Who types is told the option, who programs the argument."""
    with pytest.raises(ConfigurationError, match="give --identity-pool-id"):
        load({}, environ=HOME, config={}, origin="the command line")


def test_require_names_the_profiles_that_have_a_pool() -> None:
    """Somebody with a profile has mostly forgotten to name it."""
    config = {"profiles": {"guest": {"cognito_identity_pool_id": POOL}, "other": {}}}

    with pytest.raises(ConfigurationError, match=r"Profile 'guest' has one: .* profile_name='guest'$"):
        load({}, environ=HOME, config=config)
    with pytest.raises(ConfigurationError, match=r"choose it with --profile 'guest'$"):
        load({}, environ=HOME, config=config, origin="the command line")


def test_several_profiles_that_have_a_pool_are_listed() -> None:
    """Of several profiles each is named, as a list is written."""
    config = {"profiles": {name: {"cognito_identity_pool_id": POOL} for name in ("app", "guest", "up")}}

    with pytest.raises(ConfigurationError) as caught:
        load({}, environ=HOME, config=config, origin="the command line")
    assert (
        caught.value.hint == "Profiles 'app', 'guest' and 'up' have one: choose one, as with --profile 'app'"
    )
    del config["profiles"]["up"]
    with pytest.raises(ConfigurationError, match=r"(?i)profiles 'app' and 'guest' have one"):
        load({}, environ=HOME, config=config)


def test_a_mistyped_variable_is_named_where_it_was_needed() -> None:
    """A variable that is almost ours is why there is no pool."""
    environ = {**HOME, "AWS_COGNITO_IDENTITY_POOLID": POOL}

    with pytest.raises(
        ConfigurationError,
        match="Did you mean AWS_COGNITO_IDENTITY_POOL_ID by AWS_COGNITO_IDENTITY_POOLID",
    ):
        load({}, environ=environ, config={})


def test_a_mistyped_variable_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It may be another program's, so nothing is refused; those of user pools are not meant at all."""
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
    """Classic is AWS's other name of the basic flow."""
    with pytest.raises(ConfigurationError, match=f"Did you mean '{meant}'"):
        _guest({"flow": given})


def test_require_sees_a_misspelt_pool() -> None:
    """A key that is almost the pool's is named instead."""
    config = {"profiles": {"default": {"cognito_identity_pool": POOL}}}
    with pytest.raises(ConfigurationError, match="Did you mean cognito_identity_pool_id"):
        load({}, environ=HOME, config=config)


def test_arguments_can_be_called_otherwise() -> None:
    """The command line names itself as the origin."""
    with pytest.raises(ConfigurationError, match=r"^flow from the command line is neither"):
        load({"identity_pool_id": POOL, "flow": "x"}, environ=HOME, config={}, origin="the command line")


def test_a_missing_environment_profile_does_not_stop_an_explicit_pool() -> None:
    """AWS_PROFILE may name what it likes when the program names its pool; not when the environment does."""
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
        _load({"identity_pool": POOL})


def test_load_settings_reads_the_file(tmp_path: Any) -> None:
    """The whole way: a config file on disk becomes settings, nested logins and all."""
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


# Bad input


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"identity_pool_id": ""}, ["identity_pool_id from argument is empty"]),
    ({"identity_pool_id": b"x"}, ["identity_pool_id from argument is bytes, not text"]),
    ({"identity_pool_id": f"us-east1:{GUID}"}, ["begins with 'us-east1', which is no region", "us-east-1"]),
    ({"identity_pool_id": f":{GUID}"}, ["begins with '', which is no region"]),
    ({"identity_pool_id": "us-east-1_AbCdEf123"}, ["is the id of a user pool", "REGION:GUID"]),
    ({"identity_pool_id": GUID}, ["is not REGION:GUID", GUID]),
    ({"identity_pool_id": f"us-east-1:{GUID.upper()}"}, ["is not REGION:GUID", "all in lower case"]),
    ({"identity_pool_id": POOL + "0" * 20}, ["is not REGION:GUID"]),
    ({"identity_pool_id": f"{POOL}\n"}, ["is not REGION:GUID"]),
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
    ({"cache": f"redis://u:{CANARY}@h/0"}, ["'redis' is not available in this version"]),
    ({"cache": f"https://u:{CANARY}@h/0"}, ["is not a cache: 'https'"]),
    ({"endpoint_url": 1}, ["endpoint_url from argument is int"]),
]


@pytest.mark.parametrize(("arguments", "parts"), BAD)
def test_bad_input_is_one_clear_line(arguments: dict[str, Any], parts: list[str]) -> None:
    """A wrong setting is a ConfigurationError naming it, its origin, what is expected, and no secret."""
    with pytest.raises(ConfigurationError) as caught:
        _guest(arguments)

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
        _load({}, {str(names.environment): bad}, common)
    with pytest.raises(ConfigurationError, match=rf"^{name} from profile 'app' "):
        _load({}, {}, {**common, str(names.profile_key): bad})


@pytest.mark.parametrize("value", ["", {"nested": "x"}])
def test_an_empty_or_nested_profile_key_is_an_error(value: object) -> None:
    """A key that is there says something; empty or indented it says nothing that can be followed."""
    with pytest.raises(ConfigurationError, match=r"^user from profile 'app' is "):
        _load({}, {}, {"cognito_identity_pool_id": POOL, "cognito_user": value})


@pytest.mark.parametrize(
    "region",
    [
        *("us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1", "ap-southeast-7"),
        *("us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "xx-new-12"),
    ],
)
def test_regions_of_every_partition_are_taken(region: str) -> None:
    """Regions are judged by shape, so that those opened tomorrow work today."""
    found = _guest({"identity_pool_id": f"{region}:{GUID}", "identity_id": f"{region}:{GUID}"})
    assert found.region == region


def test_any_layout_of_the_guid_is_taken() -> None:
    """The service promises hexadecimal digits and hyphens, no layout."""
    assert _guest({"identity_pool_id": "us-east-1:0-a"}).identity_pool_id == "us-east-1:0-a"


def test_basic_flow_takes_all_of_its_settings() -> None:
    """Role, session name, duration and policy arrive as given; the duration as a number."""
    found = _guest(
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
    assert _guest({"flow": "basic", "role_arn": ROLE}).role_session_name == "cognito-credentials"


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
        _load({}, {}, {"cognito_identity_pool_id": POOL, key: "x"})


def test_foreign_profile_keys_are_left_alone() -> None:
    """Keys of others, also those that begin with cognito, are not ours to judge."""
    found = _guest(profile_settings={"cognito_team": "x", "output": "json", "ca_bundle": "/x"})
    assert found.profile_settings["ca_bundle"] == "/x"


@pytest.mark.parametrize("empty", ["", {}])
def test_empty_profile_logins_are_an_error(empty: object) -> None:
    """cognito_logins without a login is a mistake, while logins={} of a program means a guest."""
    with pytest.raises(ConfigurationError, match="cognito_logins from profile 'app' is empty"):
        _guest(profile_settings={"cognito_logins": empty})
    # Of a program: `IdentityPool` takes them in place of what the profile says.
    assert _guest({"logins": {}}, profile_settings={"cognito_logins": empty}).logins is None


# The cache directory


def test_the_cache_directory() -> None:
    """AWS_COGNITO_CACHE_DIR, else ~/.aws/cognito/cache, on Windows in LOCALAPPDATA; None without a home."""
    assert cache_directory({"AWS_COGNITO_CACHE_DIR": "/x", **HOME}) == "/x"
    assert cache_directory({"AWS_COGNITO_CACHE_DIR": "~/x", **HOME}) == "/home/ann/x"
    assert cache_directory({"HOME": "/h"}, is_windows=False) == "/h/.aws/cognito/cache"
    assert (
        cache_directory({"LOCALAPPDATA": r"C:\Users\a\AppData\Local"}, is_windows=True)
        == r"C:\Users\a\AppData\Local\cognito-credentials\cache"
    )
    for environ in ({}, {"HOME": ""}, {"HOME": "."}):
        assert cache_directory(environ, is_windows=False) is None
    assert cache_directory({"LOCALAPPDATA": "x"}, is_windows=True) is None


def test_a_relative_cache_directory_becomes_absolute() -> None:
    """A later change of the working directory does not move the cache."""
    assert str(cache_directory({"AWS_COGNITO_CACHE_DIR": "here"})).startswith("/")


def test_a_place_that_was_asked_for_is_marked() -> None:
    """Naming the cache or its directory makes it explicit, and its origin is remembered."""
    by_directory = _guest(environ={"AWS_COGNITO_CACHE_DIR": "/x"})
    assert (by_directory.cache_is_explicit, by_directory.origins["cache_dir"]) == (
        True,
        "AWS_COGNITO_CACHE_DIR",
    )
    assert _guest({"cache": "file"}).cache_is_explicit
    assert not _guest().cache_is_explicit


def test_the_file_cache_without_a_home() -> None:
    """Without a home there is no directory; that is an error only where the file cache was asked for."""
    found = load({"identity_pool_id": POOL}, environ={}, config={})
    assert (found.cache, found.cache_dir) == ("file", None)
    with pytest.raises(CacheError, match="cache from argument is 'file', but there is no home") as caught:
        load({"identity_pool_id": POOL, "cache": "file"}, environ={}, config={})
    assert caught.value.exit_code == 7


# Endpoints


SERVICES = {"local": {"cognito_identity": {"endpoint_url": "https://section"}, "sts": {"x": "y"}}}


@pytest.mark.parametrize(
    ("arguments", "environ", "profile", "expected"),
    [
        (
            {"endpoint_url": "https://argument"},
            {"AWS_ENDPOINT_URL": "https://b"},
            {},
            ("https://argument", "argument"),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b", "AWS_ENDPOINT_URL_COGNITO_IDENTITY": "https://a/"},
            {"services": "local"},
            ("https://a", "AWS_ENDPOINT_URL_COGNITO_IDENTITY"),
        ),
        ({}, {"AWS_ENDPOINT_URL": "https://b"}, {"services": "local"}, ("https://b", "AWS_ENDPOINT_URL")),
        (
            {},
            {"AWS_ENDPOINT_URL": ""},
            {"services": "local", "endpoint_url": "https://c"},
            ("https://section", "section 'services local'"),
        ),
        ({}, {}, {"endpoint_url": "https://c"}, ("https://c", "profile 'app'")),
        (
            {},
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True", "AWS_ENDPOINT_URL": "https://b"},
            {},
            (None, None),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b"},
            {"ignore_configured_endpoint_urls": "true"},
            (None, None),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
            {"ignore_configured_endpoint_urls": "true"},
            ("https://b", "AWS_ENDPOINT_URL"),
        ),
        (
            {"endpoint_url": "https://argument"},
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            {},
            ("https://argument", "argument"),
        ),
    ],
)
def test_endpoints_follow_botocore(
    arguments: dict[str, str],
    environ: dict[str, str],
    profile: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    """Argument, service variable, general variable, services section, profile; or none when ignored."""
    found = _guest(arguments, environ=environ, profile_settings=profile, services=SERVICES)
    assert (found.endpoint_url, found.origins.get("endpoint_url")) == expected


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize("profile", [{}, {"services": "local"}, {"endpoint_url": "https://p"}])
def test_endpoints_agree_with_botocore_itself(variable: str, profile: dict[str, str]) -> None:
    """Botocore's own look-up, given the same places, finds the same address."""
    from botocore.configprovider import ConfiguredEndpointProvider

    for environ in ({}, {variable: "https://e"}):
        theirs = ConfiguredEndpointProvider(
            full_config={"services": SERVICES},
            scoped_config=profile,
            client_name="cognito-identity",
            environ=environ,
        ).provide()
        ours = _guest(environ=environ, profile_settings=profile, services=SERVICES)
        assert ours.endpoint_url == theirs


def test_sts_has_its_own_endpoint() -> None:
    """STS is configured apart, asked for in the basic flow only, and by an argument always."""
    environ = {"AWS_ENDPOINT_URL_STS": "https://sts"}
    basic = {"flow": "basic", "role_arn": ROLE}
    assert _guest(basic, environ=environ).sts_endpoint_url == "https://sts"
    assert _guest(basic, environ=environ).endpoint_url is None
    assert _guest(environ={"AWS_ENDPOINT_URL_STS": "http://elsewhere"}).sts_endpoint_url is None
    assert _guest({"sts_endpoint_url": "http://127.0.0.1:1"}).sts_endpoint_url == "http://127.0.0.1:1"
    with pytest.raises(ConfigurationError, match="sts_endpoint_url from AWS_ENDPOINT_URL_STS is plain http"):
        _guest(basic, environ={"AWS_ENDPOINT_URL_STS": "http://elsewhere"})


def test_a_services_section_that_is_missing_is_named() -> None:
    """As in botocore, a profile cannot name a services section that is not there."""
    with pytest.raises(ConfigurationError, match=r"services from profile 'app' names a section .*'nope'"):
        _guest(profile_settings={"services": "nope"}, services=SERVICES)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://example.com",
            "https://example.com:8443/base",
            "http://127.0.0.1:4566",
            "http://127.9.9.9",
        ),
        *("http://localhost:1", "http://[::1]:1", "HTTP://LOCALHOST:1", "https://[2001:db8::1]"),
    ],
)
def test_https_and_loopback_are_taken(url: str) -> None:
    """Https to anywhere; plain http to this machine."""
    assert _guest({"endpoint_url": url}).endpoint_url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
        ),
        *(
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://[::ffff:127.0.0.1]",
            "http://127.1",
            "http://2130706433",
        ),
        *("http://localhost.", "http://[fe80::1]", "http://LOCALHOST.localdomain", "http://[::1%25eth0]"),
        *(
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "https://",
            "https:///x",
            "https://a b",
            "https://a\nb",
            "//host",
        ),
        *("https://a\\b", "https://h/?q=1", "https://h/#f", "https://h:99999", "https://h:x", "https://h:0"),
        *(
            "https://é.example",
            "https://[::1",
            "http://127.0.0.1\\@example.com",
            "http://127.0.0.1%2f.example.com",
        ),
        *("https://-h", "", " "),
    ],
)
def test_other_endpoints_are_refused(url: str) -> None:
    """Plain http to another machine, and whatever two parsers could read differently, gets no token."""
    with pytest.raises(ConfigurationError, match=r"^endpoint_url from argument ") as caught:
        _guest({"endpoint_url": url})
    assert str(caught.value).isprintable()


def test_passwords_in_endpoints_are_refused_and_not_shown() -> None:
    """An address with a password in it is an error that does not repeat it."""
    with pytest.raises(ConfigurationError, match="holds a user name or password") as caught:
        _guest(environ={"AWS_ENDPOINT_URL": f"https://u:{CANARY}@example.com"})
    assert "AWS_ENDPOINT_URL" in str(caught.value)
    assert CANARY not in str(caught.value)


# check_arguments


def test_arguments_are_checked_without_any_file() -> None:
    """A malformed argument is found at once; what depends on the profile is left for later."""
    for arguments, parts in BAD:
        alone = not {"flow", "role_arn", "policy", "duration_seconds", "role_session_name"} & set(arguments)
        if alone and "is in eu-west-1" not in parts[0]:
            with pytest.raises(ConfigurationError, match=re.escape(parts[0].split(" from ")[0])):
                check_arguments({"identity_pool_id": POOL, **arguments}, environ={"AWS_PROFILE": "missing"})
    assert check_arguments({"role_arn": ROLE, "user": None}, environ={}) == {"role_arn": ROLE}
    with pytest.raises(ConfigurationError, match="partition aws,"):
        check_arguments({"role_arn": ROLE}, environ={"AWS_COGNITO_IDENTITY_POOL_ID": f"cn-north-1:{GUID}"})


# Keys


def _base() -> Settings:
    return Settings(identity_pool_id=POOL, region="us-east-1")


TEXTS = st.text(st.characters(codec=None), max_size=12)
OPTIONAL = st.none() | TEXTS
FIELDS = {
    "identity_pool_id": TEXTS,
    "endpoint_url": OPTIONAL,
    "identity_id": OPTIONAL,
    "account_id": OPTIONAL,
    "flow": TEXTS,
    "custom_role_arn": OPTIONAL,
    "role_arn": OPTIONAL,
    "role_session_name": TEXTS,
    "duration_seconds": st.none() | st.integers(),
    "policy": OPTIONAL,
    "sts_endpoint_url": OPTIONAL,
}
IN_IDENTITY_KEY = ("identity_pool_id", "endpoint_url")


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries(FIELDS), st.fixed_dictionaries(FIELDS), TEXTS, TEXTS)
def test_distinct_inputs_have_distinct_keys(
    one: dict[str, Any], other: dict[str, Any], principal: str, another: str
) -> None:
    """Two sets of inputs share a key exactly when they are the same."""
    first, second = dataclasses.replace(_base(), **one), dataclasses.replace(_base(), **other)

    same_credentials = (one, principal) == (other, another)
    assert (first.credentials_key(principal) == second.credentials_key(another)) is same_credentials
    same_identity = principal == another and all(one[n] == other[n] for n in IN_IDENTITY_KEY)
    assert (first.identity_key(principal) == second.identity_key(another)) is same_identity
    assert first.identity_key(principal) != first.credentials_key(principal)


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FIELDS)), st.data())
def test_each_input_counts(name: str, data: st.DataObject) -> None:
    """Changing one input alone changes the credentials key; equal inputs have equal keys."""
    before, after = data.draw(FIELDS[name]), data.draw(FIELDS[name])
    first, second = (
        dataclasses.replace(_base(), **{name: before}),
        dataclasses.replace(_base(), **{name: after}),
    )
    assert (first.credentials_key("p") == second.credentials_key("p")) is (before == after)
    assert first.credentials_key("p") == dataclasses.replace(_base(), **{name: before}).credentials_key("p")


def test_separators_and_surrogates_do_not_collide() -> None:
    """Moving a boundary, a NUL or a quote, or splitting a character into surrogates, changes the key."""
    pairs = [
        ({"role_arn": "a\0b"}, {"role_arn": "a", "policy": "b"}),
        ({"role_arn": 'a","b'}, {"role_arn": "a", "policy": "b"}),
        ({"policy": None}, {"policy": "null"}),
        ({"policy": None}, {"policy": ""}),
        ({"custom_role_arn": ROLE}, {"role_arn": ROLE}),
        ({"policy": "\U0001f600"}, {"policy": "\ud83d\ude00"}),
    ]
    for one, other in pairs:
        keys = {dataclasses.replace(_base(), **values).credentials_key("p") for values in (one, other)}
        assert len(keys) == 2


def test_provider_names_count() -> None:
    """The same principal under other login providers has other credentials, and the same in any order."""

    def key(*providers: str) -> str:
        return _base().credentials_key("user:x", providers)

    assert len({key(), key("a.b"), key("a.c"), key("a.b", "a.c"), key("a.b,a.c")}) == 5
    assert key("a.b", "a.c") == key("a.c", "a.b")


HOSTILE = [
    *(
        "../" * 10 + "etc/passwd",
        "..\\..\\x",
        "CON",
        "nul",
        "a\0b",
        "x" * 300,
        "a:b",
        "C:\\x",
        "\u202eevil",
        "~",
        "-",
    ),
    *(f"{prefix}{index}" for index in range(500) for prefix in ("../", "\x00", "%2e%2e/")),
]


def test_keys_are_safe_file_names() -> None:
    """Whatever users, profiles and principals are called, a key is 40 hexadecimal characters, and its own."""
    keys = {key for name in HOSTILE for key in (_base().identity_key(name), _base().credentials_key(name))}
    assert all(re.fullmatch("[0-9a-f]{40}", key) for key in keys)
    assert len(keys) == 2 * len(HOSTILE)


def test_keys_do_not_change_between_versions() -> None:
    """A changed key orphans every identity on every disk: these must stay as they are."""
    assert _base().identity_key("guest") == "526b747f92d524a4f5d1f419f8313083abdda67d"
    assert _base().credentials_key("guest") == "dcd7ef2f0f7472ffb809ba2dd56b1feac1d13f4b"


# The value


def test_settings_are_frozen_and_show_no_secret() -> None:
    """They cannot be changed, and their repr holds neither tokens nor the profile's other keys."""
    profile = {"cognito_logins": {"a.b": f"command:get {CANARY}"}, "x": CANARY + "2"}
    found = _guest(profile_settings=profile)
    assert found.logins is not None
    assert CANARY not in repr(found.logins)
    assert CANARY not in repr(found)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.flow = "basic"  # type: ignore[misc]


def test_a_policy_is_kept_as_it_was_written() -> None:
    """The policy is sent byte for byte as given."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []}, indent=2)
    assert _guest({"flow": "basic", "role_arn": ROLE, "policy": policy}).policy == policy


def test_the_logins_of_one_pool_are_not_for_another() -> None:
    """A pool named in code or environment takes nothing of a profile that is about another pool."""
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
