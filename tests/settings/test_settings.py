"""The settings as a value, and the cache keys made of them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cognito_credentials.settings.settings import Settings
from tests.settings.loading import CANARY, POOL, ROLE, load_guest


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
    """Any name of a principal makes a key of 40 hexadecimal characters, and no two names the same."""
    keys = {key for name in HOSTILE for key in (_base().identity_key(name), _base().credentials_key(name))}
    assert all(re.fullmatch("[0-9a-f]{40}", key) for key in keys)
    assert len(keys) == 2 * len(HOSTILE)


def test_keys_do_not_change_between_versions() -> None:
    """A changed key would lose every identity on every disk."""
    assert _base().identity_key("guest") == "526b747f92d524a4f5d1f419f8313083abdda67d"
    assert _base().credentials_key("guest") == "dcd7ef2f0f7472ffb809ba2dd56b1feac1d13f4b"


# The value


def test_settings_are_frozen_and_show_no_secret() -> None:
    """Settings are frozen, and their repr holds neither logins nor the profile's other keys."""
    profile = {"cognito_logins": {"a.b": f"command:get {CANARY}"}, "x": CANARY + "2"}
    found = load_guest(profile_settings=profile)
    assert found.logins is not None
    assert CANARY not in repr(found.logins)
    assert CANARY not in repr(found)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.flow = "basic"  # type: ignore[misc]
