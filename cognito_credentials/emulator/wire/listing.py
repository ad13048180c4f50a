"""
The lists of ``/_emulator/``: what the emulator has, in pages, for people and tests that look.

Every list takes the same members and answers with ``{"items", "next", "total"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from cognito_credentials.emulator.model.members import NUMBER, ControlError, Kind, read_members
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored import listing
from cognito_credentials.emulator.stored.listing import Page, Wanted
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.stored.user_pools import (
    UserPool,
    count_users,
    list_clients,
    list_user_pools,
)

_MOST_ITEMS = 500
_MOST_LETTERS = 1000  # SQLite refuses patterns of 50,000 bytes
_TEXT = Kind(lambda value: isinstance(value, str), "a text")
_MEMBERS: Mapping[str, Kind] = {"find": _TEXT, "after": _TEXT, "limit": NUMBER}

List = Callable[[Any], Mapping[str, Any]]


def lists(service: Service) -> Mapping[str, List]:
    """The lists of one emulator by name, each a function of the members of the call."""

    def stored(list_page: Callable[[State, Wanted], Page], owner: str = "") -> List:
        def give(content: Any) -> Mapping[str, Any]:
            with service.state.alone():
                return asdict(list_page(service.state, _wanted(content, owner)))

        return give

    return {
        "pools": stored(listing.list_pools),
        "identities": stored(listing.list_identities, "pool"),
        "roles": stored(listing.list_roles),
        "sessions": lambda content: asdict(_sessions(service, _wanted(content))),
        "user-pools": lambda content: asdict(_user_pools(service, _wanted(content))),
        "users": stored(listing.list_users, "user_pool"),
    }


def _wanted(content: Any, owner: str = "") -> Wanted:
    """
    Read which page is wanted.

    Args:
        owner: The name of the member that names a pool; empty for a list that has none.
    """
    kinds = {**_MEMBERS, owner: _TEXT} if owner else _MEMBERS
    members = read_members(content, kinds)
    limit = int(members.get("limit", Wanted.limit))
    if not 1 <= limit <= _MOST_ITEMS:
        raise ControlError(f"limit: expected 1 to {_MOST_ITEMS}")
    find = members.get("find", "")
    if len(find) > _MOST_LETTERS:
        raise ControlError(f"find: expected at most {_MOST_LETTERS} characters")
    return Wanted(members.get("after", ""), find, members.get(owner, ""), limit)


def _sessions(service: Service, wanted: Wanted) -> Page:
    """Issued keys, the newest first, as far as this process remembers them."""
    sessions = service.mint.sessions()
    keys = [key for key, session in sessions.items() if wanted.find in key or wanted.find in session.arn]
    items = [
        {"access_key_id": key, "arn": sessions[key].arn, **asdict(sessions[key])}
        for key in _part(keys[::-1], wanted)
    ]
    return _page_of(items, wanted, len(sessions))


def _user_pools(service: Service, wanted: Wanted) -> Page:
    with service.state.alone():
        pools = {pool.id: pool for pool in list_user_pools(service.state) if wanted.find in pool.id}
        items = [_user_pool(service, pools[key]) for key in _part(list(pools), wanted)]
        return _page_of(items, wanted, len(pools))


def _user_pool(service: Service, pool: UserPool) -> dict[str, Any]:
    clients = list_clients(service.state, pool.id)
    return {
        **asdict(pool),
        "issuer_url": pool.issuer_url,
        "users": count_users(service.state, pool.id),
        "clients": [{**asdict(client), "secret": client.secret is not None} for client in clients],
    }


def _part(names: list[str], wanted: Wanted) -> list[str]:
    """The *names* of one page, and the first of the next."""
    start = names.index(wanted.after) + 1 if wanted.after in names else 0
    return names[start : start + wanted.limit + 1]


def _page_of(items: list[dict[str, Any]], wanted: Wanted, total: int) -> Page:
    shown = items[: wanted.limit]
    name = "access_key_id" if shown and "access_key_id" in shown[-1] else "id"
    following = shown[-1][name] if len(items) > wanted.limit else None
    return Page(shown, following, None if wanted.find else total)
