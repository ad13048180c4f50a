"""
A ``[[user_pools]]`` table of a seed: a user pool with its app clients, groups and users.

    [[user_pools]]
    id = "us-east-1_Ab1Cd2Ef3"
    mfa = "optional"
    clients = [{ id = "4ab1cd2ef3", callback_urls = ["http://127.0.0.1:8400/callback"] }]
    users = [{ name = "ann", password = "...", attributes = { email = "ann@example.com" } }]

A pool that is described again is as it is described then. Users who are named again keep what they have done:
their sub, devices and sign-ins.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.names import is_role
from cognito_credentials.emulator.seed.entry import Entry
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    User,
    UserPool,
    add_user_to_pool,
    delete_user,
    find_client,
    find_user,
    find_user_by_sub,
    folded,
    keep_only_clients,
    list_users,
    save_client,
    save_user,
    save_user_pool,
)
from cognito_credentials.emulator.user_pools.attributes import check_attributes
from cognito_credentials.emulator.user_pools.passwords import PASSWORD_NEEDS
from cognito_credentials.emulator.user_pools.steps import SECOND_FACTORS
from cognito_credentials.emulator.user_pools.tokens import API_SCOPE
from cognito_credentials.emulator.user_pools.totp import is_secret, new_secret

_POOL_ID = re.compile(r"[a-z0-9-]{2,20}_[0-9A-Za-z]{1,55}", re.ASCII)
_CLIENT_ID = re.compile(r"[\w+]{1,128}", re.ASCII)
_CLIENT_SECRET = re.compile(r"[!-~]{1,128}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
_FLOWS = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "USER_AUTH", "REFRESH_TOKEN_AUTH")
_SCOPES = ("openid", "email", "phone", "profile", API_SCOPE)
_FIRST_FACTORS = ("PASSWORD", "EMAIL_OTP", "SMS_OTP")
_STATUSES = ("CONFIRMED", "UNCONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED")
_MOST_NAME = 128
_MOST_PASSWORD = 256
_NAME = f"expected up to {_MOST_NAME} letters, digits and signs, without spaces"
_PAGE = 1000


def add_user_pool(service: Service, entry: Entry) -> str:
    """Add a user pool, in place of an earlier description. Returns its id."""
    pool_id: str = entry.take("id", str)
    if _POOL_ID.fullmatch(pool_id) is None:
        raise entry.mistake("id", f"'{pool_id}' is not the id of a user pool: expected REGION_LETTERS")
    pool = UserPool(
        id=pool_id,
        issuer=_take_one(entry, "issuer", ("original", "updated")),
        mfa=_take_one(entry, "mfa", ("off", "optional", "on")),
        devices=_take_one(entry, "devices", ("off", "always", "ask")),
        rotate_refresh_tokens=entry.take("rotate_refresh_tokens", bool, False),
        rotation_grace_seconds=_take_number(entry, "rotation_grace_seconds", 0, 0, 60),
        id_token_minutes=_take_number(entry, "id_token_minutes", 60, 5, 1440),
        access_token_minutes=_take_number(entry, "access_token_minutes", 60, 5, 1440),
        refresh_token_days=_take_number(entry, "refresh_token_days", 30, 1, 3650),
        session_minutes=_take_number(entry, "session_minutes", 3, 3, 15),
        repeats_challenge=entry.take("repeats_challenge", bool, False),
        first_factors=_take_some(entry, "first_factors", _FIRST_FACTORS, ("PASSWORD",)),
        sign_up=entry.take("sign_up", bool, True),
        shortest_password=_take_number(entry, "shortest_password", 8, 1, 99),
        password_needs=_take_some(entry, "password_needs", PASSWORD_NEEDS, PASSWORD_NEEDS),
        required_attributes=tuple(entry.take_texts("required_attributes")),
        groups=_take_groups(entry),
    )
    clients: list[Any] = entry.take("clients", list, [])
    users: list[Any] = entry.take("users", list, [])
    entry.finish()
    _check_attributes(entry, "required_attributes", dict.fromkeys(pool.required_attributes, ""))
    save_user_pool(service.state, pool)
    _add_clients(service, entry, pool, clients)
    _add_users(service, entry, pool, users)
    return pool_id


def _add_clients(service: Service, entry: Entry, pool: UserPool, clients: list[Any]) -> None:
    described: list[str] = []
    for number, values in enumerate(clients, start=1):
        place = Entry(entry.path, f"{entry.place}.clients[{number}]", values)
        client = _client(place, pool)
        known = find_client(service.state, client.id)
        if client.id in described or (known is not None and known.pool_id != pool.id):
            raise place.mistake("id", f"'{client.id}' exists already")
        save_client(service.state, client)
        described.append(client.id)
    keep_only_clients(service.state, pool.id, described)


def _client(entry: Entry, pool: UserPool) -> AppClient:
    # With rotation, the old way to refresh is off: reference/service.md#12.4.
    usual_flows = [flow for flow in _FLOWS if flow != "REFRESH_TOKEN_AUTH" or not pool.rotate_refresh_tokens]
    client = AppClient(
        id=entry.take("id", str),
        pool_id=pool.id,
        secret=entry.take("secret", str, None),
        flows=_take_some(entry, "flows", _FLOWS, usual_flows),
        scopes=tuple(entry.take_texts("scopes") or _SCOPES),
        callback_urls=tuple(entry.take_texts("callback_urls")),
        logout_urls=tuple(entry.take_texts("logout_urls")),
        hides_users=entry.take("hides_users", bool, True),
    )
    entry.finish()
    if _CLIENT_ID.fullmatch(client.id) is None:
        raise entry.mistake("id", f"'{client.id}' is not a client id: expected letters and digits")
    if client.secret is not None and _CLIENT_SECRET.fullmatch(client.secret) is None:
        raise entry.mistake("secret", "expected up to 128 letters, digits and signs")
    for member, urls in (("callback_urls", client.callback_urls), ("logout_urls", client.logout_urls)):
        for url in urls:
            if not _is_callback(url):
                raise entry.mistake(member, f"'{url}' is not an absolute address without a fragment")
    for scope in client.scopes:
        if _SCOPE.fullmatch(scope) is None:
            raise entry.mistake("scopes", f"'{scope}' is not a scope")
    return client


def _is_callback(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url and not parts.fragment
    return bool(parts.scheme) and ":" in url and is_plain and parts.scheme not in ("javascript", "data")


def _add_users(service: Service, entry: Entry, pool: UserPool, users: list[Any]) -> None:
    described: set[str] = set()
    for number, values in enumerate(users, start=1):
        place = Entry(entry.path, f"{entry.place}.users[{number}]", values)
        user = describe_user(service, place, pool)
        if user.sub in described:
            raise place.mistake("name", f"'{user.name}' exists already")
        described.add(user.sub)
    for user in _all_users(service, pool):
        if user.sub not in described:
            delete_user(service.state, user)


def _all_users(service: Service, pool: UserPool) -> Iterable[User]:
    last = 0
    while page := list_users(service.state, pool.id, last, _PAGE):
        last = page[-1][0]
        yield from (user for _, user in page)


def describe_user(service: Service, entry: Entry, pool: UserPool) -> User:
    """Store a user of a pool, in place of an earlier description. Returns the user."""
    name: str = entry.take("name", str)
    if not _is_name(name):
        raise entry.mistake("name", _NAME)
    known = find_user(service.state, pool.id, name)
    now_ms = service.clock.now_ms()
    password: str | None = entry.take("password", str, None)
    secret: str | None = entry.take("totp_secret", str, None)
    mfa = _take_some(entry, "mfa", tuple(SECOND_FACTORS), ())
    user = User(
        pool_id=pool.id,
        name=name,
        sub=entry.take("sub", str, known.sub if known else _usual_sub(pool, name)),
        status=_take_one(entry, "status", _STATUSES),
        enabled=entry.take("enabled", bool, True),
        attributes=_attributes(entry),
        groups=tuple(entry.take_texts("groups")),
        mfa=mfa,
        preferred_mfa=entry.take("preferred_mfa", str, None),
        created_ms=known.created_ms if known else now_ms,
        modified_ms=now_ms,
    )
    entry.finish()
    _check_user(entry, user, password, secret)
    kept_secret = known.totp_secret if known else ""
    if secret is not None or "totp" in mfa:
        user = replace(user, totp_secret=secret or kept_secret or new_secret())
    if password is not None:
        user = replace(user, password={"text": password})
    _save(service, entry, user, known)
    return user


def _save(service: Service, entry: Entry, user: User, known: User | None) -> None:
    other = find_user_by_sub(service.state, user.pool_id, user.sub)
    if other is not None and folded(other.name) != folded(user.name):
        raise entry.mistake("sub", f"it is already the sub of '{other.name}'")
    if known is not None and known.sub == user.sub and known.name == user.name:
        save_user(service.state, user)
        return
    if known is not None:
        delete_user(service.state, known)
    add_user_to_pool(service.state, user)


def _check_user(entry: Entry, user: User, password: str | None, secret: str | None) -> None:
    if password is not None and len(password) > _MOST_PASSWORD:
        raise entry.mistake("password", f"expected at most {_MOST_PASSWORD} letters")
    if len(user.sub) > _MOST_NAME or not user.sub.isprintable():
        raise entry.mistake("sub", f"expected at most {_MOST_NAME} printable letters")
    if secret is not None and not is_secret(secret):
        raise entry.mistake("totp_secret", "expected 16 to 204 letters of base32")
    for number, name in enumerate(user.groups, start=1):
        if not _is_name(name):
            raise entry.mistake(f"groups[{number}]", _NAME)
    if user.preferred_mfa is not None and user.preferred_mfa not in user.mfa:
        raise entry.mistake("preferred_mfa", "expected one of mfa")
    for factor, attribute in (("sms", "phone_number"), ("email", "email")):
        if factor in user.mfa and attribute not in user.attributes:
            raise entry.mistake("mfa", f"'{factor}' needs the attribute {attribute}")


def _attributes(entry: Entry) -> dict[str, str]:
    """The attributes of a user. An address counts as verified unless the seed says otherwise."""
    attributes: dict[str, Any] = dict(entry.take("attributes", dict, {}))  # the seed stays as it is
    for name, value in attributes.items():
        if not isinstance(value, str):
            raise entry.mistake(f"attributes.{name}", "expected a text")
    verified = ("email_verified", "phone_number_verified")
    _check_attributes(
        entry, "attributes", {name: value for name, value in attributes.items() if name not in verified}
    )
    for name in verified:
        if name.removesuffix("_verified") in attributes:
            attributes.setdefault(name, "true")
        if attributes.get(name, "true") not in ("true", "false"):
            raise entry.mistake(f"attributes.{name}", 'expected "true" or "false"')
    return attributes


def _check_attributes(entry: Entry, member: str, attributes: Mapping[str, str]) -> None:
    try:
        check_attributes(attributes)
    except ServiceError as error:
        raise entry.mistake(member, error.message or error.code) from None


def _is_name(name: str) -> bool:
    return len(name) <= _MOST_NAME and not any(
        letter.isspace() or not letter.isprintable() for letter in name
    )


def _usual_sub(pool: UserPool, name: str) -> str:
    """A sub that is the same after each start, so that a user keeps the identity."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{pool.issuer_url}/{folded(name)}"))


def _take_groups(entry: Entry) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for number, values in enumerate(entry.take("groups", list, []), start=1):
        place = Entry(entry.path, f"{entry.place}.groups[{number}]", values)
        name = place.take("name", str)
        role = place.take("role", str, None)
        precedence = place.take("precedence", int, None)
        place.finish()
        if role is not None and not is_role(role):
            raise place.mistake("role", f"'{role}' is not the ARN of a role")
        if not _is_name(name):
            raise place.mistake("name", _NAME)
        if name in groups:
            raise place.mistake("name", f"'{name}' exists already")
        groups[name] = {"role": role, "precedence": precedence}
    return groups


def _take_one(entry: Entry, member: str, values: Collection[str]) -> Any:
    """Take one of *values*; the first is the default."""
    value = entry.take(member, str, next(iter(values)))
    if value not in values:
        raise entry.mistake(member, f"expected {' or '.join(repr(one) for one in values)}")
    return value


def _take_some(
    entry: Entry, member: str, values: Collection[str], default: Collection[str]
) -> tuple[str, ...]:
    """Take a list of *values*."""
    if member not in entry.values:
        entry.take(member, list, None)
        return tuple(default)
    taken = entry.take_texts(member)
    for value in taken:
        if value not in values or taken.count(value) > 1:
            raise entry.mistake(member, f"expected some of {', '.join(values)}, each once")
    return tuple(taken)


def _take_number(entry: Entry, member: str, default: int, least: int, most: int) -> int:
    number: int = entry.take(member, int, default)
    if not least <= number <= most:
        raise entry.mistake(member, f"expected {least} to {most}")
    return number
