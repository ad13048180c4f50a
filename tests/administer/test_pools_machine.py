"""Random pools: export and plan agree, and apply leads to the file from any state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_credentials import administer
from cognito_credentials.emulator import Emulator
from tests.administer.conftest import KEYS, role

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SOCIAL = ("accounts.google.com", "graph.facebook.com", "www.amazon.com")
OIDC = tuple(f"arn:aws:iam::123456789012:oidc-provider/{name}.example.com" for name in "ab")
SAML = tuple(f"arn:aws:iam::123456789012:saml-provider/{name}" for name in "ab")
USER_POOLS = tuple(f"cognito-idp.us-east-1.amazonaws.com/us-east-1_{name}" for name in "ab")
ROLES = st.sampled_from([role(name) for name in ("one", "two", "path/three")])
TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x3FF, categories=("L", "N", "P")), min_size=1, max_size=8
)
TAG_TEXTS = st.text("abÄé09 _.:/=+@-", max_size=6)
RULES = st.fixed_dictionaries(
    {
        "Claim": st.sampled_from(["sub", "cognito:groups", 'a"\\b', "ü"]),
        "MatchType": st.sampled_from(["Equals", "NotEqual", "Contains", "StartsWith"]),
        "Value": st.text(min_size=1, max_size=6, alphabet='ab"\\\n\t\x7f ü'),
        "RoleARN": ROLES,
    }
)


@st.composite
def pools(draw: Any) -> dict[str, Any]:
    """Make a ``[[pools]]`` table without its id."""
    clients = [
        {"ProviderName": name, "ClientId": client, "ServerSideTokenCheck": draw(st.booleans())}
        for name in draw(st.lists(st.sampled_from(USER_POOLS), unique=True))
        for client in draw(st.lists(st.sampled_from(["c1", "c2"]), min_size=1, unique=True))
    ]
    social = draw(st.dictionaries(st.sampled_from(SOCIAL), st.sampled_from(["app", "1.2;x"])))
    oidc = draw(st.lists(st.sampled_from(OIDC), unique=True))
    saml = draw(st.lists(st.sampled_from(SAML), unique=True))
    plain = [*social, *oidc, *saml]
    mapping_keys = [*plain, *(f"{each['ProviderName']}:{each['ClientId']}" for each in clients)]
    tag_keys = [*plain, *{each["ProviderName"]: None for each in clients}]
    mappings = {}
    # The service takes ten at most, of the pool and the file together.
    for key in draw(st.lists(st.sampled_from(mapping_keys), unique=True, max_size=5)) if mapping_keys else ():
        by_token = key.startswith("cognito-idp.") and draw(st.booleans())
        resolution = draw(st.sampled_from(["Deny", "AuthenticatedRole"]))
        mappings[key] = {"Type": "Token" if by_token else "Rules", "AmbiguousRoleResolution": resolution}
        if not by_token:
            rules = draw(st.lists(RULES, min_size=1, max_size=5))
            mappings[key]["RulesConfiguration"] = {"Rules": rules}
    maps: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(tag_keys), unique=True)) if tag_keys else ():
        own = st.dictionaries(TEXTS, TEXTS, max_size=3)
        maps[key] = draw(
            st.one_of(st.just({"UseDefaults": True}), own, own.map(lambda one: {"PrincipalTags": one}))
        )
    table = {
        "IdentityPoolName": draw(st.sampled_from(["app", "other name", "a@b"])),
        "AllowUnauthenticatedIdentities": draw(st.booleans()),
        **draw(st.one_of(st.just({}), st.booleans().map(lambda one: {"AllowClassicFlow": one}))),
        **draw(st.one_of(st.just({}), st.just({"DeveloperProviderName": "dev.app"}))),
        "SupportedLoginProviders": social,
        "OpenIdConnectProviderARNs": oidc,
        "SamlProviderARNs": saml,
        "CognitoIdentityProviders": clients,
        "IdentityPoolTags": draw(st.dictionaries(TAG_TEXTS.filter(bool), TAG_TEXTS, max_size=3)),
        "Roles": draw(st.dictionaries(st.sampled_from(["authenticated", "unauthenticated"]), ROLES)),
        "RoleMappings": mappings,
        "PrincipalTags": maps,
    }
    return {name: value for name, value in table.items() if value not in ({}, []) or draw(st.booleans())}


@pytest.fixture(scope="module")
def service(emulator_keys: Any) -> Iterator[tuple[Emulator, Any]]:
    """One emulator for all examples, and a session that leads to it."""
    with Emulator(keys=emulator_keys) as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, "AWS_ACCOUNT_ID": "123456789012"}.items():
            patch.setenv(name, value)
        session = boto3.Session(
            aws_access_key_id="AKIADEVELOPERDEVELOP",
            aws_secret_access_key="developer",
            aws_account_id="123456789012",
            region_name="us-east-1",
        )
        yield emulator, session


@pytest.fixture(autouse=True)
def at_the_emulator(service: tuple[Emulator, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", service[0].url)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(before=pools(), wanted=pools(), delete=st.booleans())
def test_apply_leads_to_the_file_from_any_state(
    service: tuple[Emulator, Any], before: dict[str, Any], wanted: dict[str, Any], *, delete: bool
) -> None:
    """After apply a plan is empty; export is the pool whole; nothing unnamed is dropped without delete."""
    emulator, session = service
    emulator.reset()
    (made,) = administer.apply({"pools": [before]}, session).pools
    (first,) = _exported(made.pool_id, session)["pools"]
    wanted = {**wanted, "IdentityPoolId": made.pool_id}
    if "DeveloperProviderName" in before:
        wanted["DeveloperProviderName"] = before["DeveloperProviderName"]
    too_many = any(
        len(_rules(before, key)) + len(_rules(wanted, key)) > 25 for key in wanted.get("RoleMappings", ())
    )
    assert not too_many
    steps: list[str] = []
    administer.apply({"pools": [wanted]}, session, delete=delete)
    administer.apply({"pools": [wanted]}, session, delete=delete, progress=steps.append)
    now = _exported(made.pool_id, session)

    assert steps == []
    assert not administer.plan({"pools": [wanted]}, session, delete=delete).has_changes
    assert not administer.plan(now, session, delete=True).has_changes
    if not delete:
        assert _names(first) <= _names(now["pools"][0])


def _exported(pool_id: str | None, session: Any) -> dict[str, Any]:
    assert pool_id is not None
    return dict(tomllib.loads(administer.export(pool_id, session)))


def _rules(table: dict[str, Any], key: str) -> list[Any]:
    rules: list[Any] = (
        table.get("RoleMappings", {}).get(key, {}).get("RulesConfiguration", {}).get("Rules", [])
    )
    return rules


def _names(table: dict[str, Any]) -> set[str]:
    """Name each member, provider, role, mapping and tag of a pool, without its value."""
    found = set(table)
    for name, value in table.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}" for key in value}
        if isinstance(value, list):
            found |= {
                f"{name} {each['ProviderName']} {each['ClientId']}"
                if isinstance(each, dict)
                else f"{name} {each}"
                for each in value
            }
    return found
