"""The lists of pools, identities, roles, sessions, user pools and users, in pages."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest

from ..conftest import GOOGLE, OIDC, ROLE, get_id

LISTS = ("pools", "identities", "roles", "sessions", "user-pools", "users")


def listed(api, name, **query):
    text = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in query.items())
    answer = api.control("GET", f"{name}?{text}")
    assert answer.status == 200, answer.body
    return answer.json


def all_pages(api, name, **query):
    """The items of all pages."""
    page = listed(api, name, **query)
    items = page["items"]
    while page["next"] is not None:
        page = listed(api, name, **query, after=page["next"])
        items += page["items"]
    return items


def test_what_is_there(api):
    """Each list has what the emulator has, with what belongs together."""
    pool_id = api.oidc_pool(
        IdentityPoolName="shop", SupportedLoginProviders={GOOGLE: "app", "api.twitter.com": "key;CANARYpair"}
    )
    identity_id = get_id(api, pool_id, api.login())
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=api.login())["Credentials"]
    api.control(
        "PUT",
        "user-pools",
        [
            {
                "id": "us-east-1_Ab1Cd2Ef3",
                "clients": [{"id": "4ab1cd2ef3", "secret": "CANARYclient"}],
                "users": [{"name": "Ann", "password": "CANARY-password-1", "groups": ["staff"]}],
            }
        ],
    )

    (pool,) = listed(api, "pools")["items"]
    assert (pool["id"], pool["name"], pool["identities"]) == (pool_id, "shop", 1)
    assert pool["settings"]["SupportedLoginProviders"] == {GOOGLE: "app", "api.twitter.com": "key"}
    (identity,) = listed(api, "identities", pool=pool_id)["items"]
    assert (identity["id"], identity["pool"], identity["authenticated"]) == (identity_id, pool_id, True)
    assert identity["logins"] == [{"provider": OIDC, "subject": "ann", "developer": False}]
    role = listed(api, "roles")["items"][0]
    assert (role["arn"], role["trust_policy"]) == (f"{ROLE}authenticated", None)
    assert role["uses"] == [{"pool": pool_id, "as": "authenticated"}]
    (session,) = listed(api, "sessions")["items"]
    assert (session["access_key_id"], session["identity_id"]) == (keys["AccessKeyId"], identity_id)
    (user_pool,) = listed(api, "user-pools")["items"]
    assert (user_pool["users"], user_pool["clients"][0]["secret"]) == (1, True)
    (user,) = listed(api, "users", user_pool="us-east-1_Ab1Cd2Ef3")["items"]
    assert (user["name"], user["groups"]) == ("Ann", ["staff"])
    everything = b"".join(api.control("GET", name).body for name in LISTS)
    assert b"CANARY" not in everything
    assert keys["SessionToken"].encode() not in everything


def test_pages(api):
    """All pages together have each thing once, the newest first, and each page has the length of the list."""
    pool_id, other = api.oidc_pool(), api.oidc_pool()
    made = [get_id(api, pool_id, api.login(f"user{number}")) for number in range(7)]
    get_id(api, other, api.login())

    first = listed(api, "identities", pool=pool_id, limit=3)
    assert (first["total"], len(first["items"])) == (7, 3)
    items = all_pages(api, "identities", pool=pool_id, limit=3)
    assert [identity["id"] for identity in items] == made[::-1]
    assert len(all_pages(api, "identities", limit=1)) == 8
    assert [pool["id"] for pool in all_pages(api, "pools", limit=1)] == [other, pool_id]
    assert len({role["arn"] for role in all_pages(api, "roles", limit=1)}) == 2


def test_sessions_in_pages(api):
    """Keys are listed the newest first, across pages."""
    guest = get_id(api, api.emulator.create_pool())
    ask = api.public.get_credentials_for_identity
    keys = [ask(IdentityId=guest)["Credentials"]["AccessKeyId"] for _ in range(5)]

    items = all_pages(api, "sessions", limit=2)

    assert [session["access_key_id"] for session in items] == keys[::-1]


def test_finding(api):
    """A text is found anywhere in a name, and its % and _ stand for themselves."""
    pool_id = api.oidc_pool()
    subjects = ("ann@example.com", "a%b", "a_b", "axb", "back\\slash")
    ids = {subject: get_id(api, pool_id, api.login(subject)) for subject in subjects}

    def found(text, **query):
        return [identity["id"] for identity in listed(api, "identities", find=text, **query)["items"]]

    assert found("ann@ex") == [ids["ann@example.com"]]
    assert found("a%") == [ids["a%b"]]
    assert found("a_b") == [ids["a_b"]]
    assert found("\\") == [ids["back\\slash"]]
    assert found(ids["axb"][12:], pool=pool_id) == [ids["axb"]]
    assert found(OIDC, pool="us-east-1:another") == []
    assert [pool["id"] for pool in listed(api, "pools", find=pool_id[-9:])["items"]] == [pool_id]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=-1", "limit=x", "everything=1", "pool="])
def test_wrong_members(api, name, query):
    """A member that a list does not have, or a wrong number, is refused with one line."""
    if (name, query) == ("identities", "pool="):
        return
    answer = api.control("GET", f"{name}?{query}")

    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["error"]


@pytest.mark.parametrize("name", LISTS)
def test_a_long_text_to_find(api, name):
    """A text that SQLite would not search for is refused with one line, not by an error of the emulator."""
    api.oidc_pool()

    answer = api.control("GET", f"{name}?find={'x' * 50_000}")

    assert (answer.status, answer.json["error"]) == (400, "find: expected at most 1000 characters")


@pytest.mark.parametrize("name", LISTS)
def test_odd_positions(api, name):
    """A position that no page gave is answered with a page, and never with an error of the emulator."""
    for after in ("x", "-1", "9" * 30, "\u00b2", "\x00", "' OR 1=1 --"):
        assert listed(api, name, after=after)["next"] is None


@pytest.mark.thorough
def test_large_lists(api):
    """100,000 identities and 10,000 users are listed and searched in a tenth of a second."""
    state, pool_id = api.emulator.service.state, api.oidc_pool()
    with state.transaction():
        for number in range(100_000):
            identity_id = f"us-east-1:{number:08x}-0000-4000-8000-000000000000"
            state.execute(
                "INSERT INTO identities (id, pool_id, created_ms, modified_ms, authenticated)"
                " VALUES (?, ?, 0, 0, 1)",
                identity_id,
                pool_id,
            )
            state.execute(
                "INSERT INTO logins (pool_id, provider, subject, developer, identity_id)"
                " VALUES (?, ?, ?, 0, ?)",
                *(pool_id, OIDC, f"user{number}", identity_id),
            )
        for number in range(10_000):
            content = json.dumps({"name": f"user{number}"})
            state.execute(
                "INSERT INTO user_pool_users (pool_id, folded_name, sub, content) VALUES (?, ?, ?, ?)",
                *("us-east-1_a", f"user{number}", f"sub{number}", content),
            )
    calls = (
        "pools",
        "identities",
        f"identities?pool={pool_id}",
        "identities?find=user99999",
        "users?find=9999",
    )
    for call in calls:
        took = []
        for _ in range(3):
            started = time.process_time()  # of client and server; other processes do not count
            assert api.control("GET", call).json["items"]
            took.append(time.process_time() - started)
        assert min(took) < 0.1, call
