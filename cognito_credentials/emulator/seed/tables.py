"""
The tables of a seed other than ``[[pools]]``, one function for each.

Each function returns a key of the row that it added, so that two descriptions of the same thing are found.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cognito_credentials.emulator.logins.issuers import may_be_fetched
from cognito_credentials.emulator.logins.key_set import key_set_mistake
from cognito_credentials.emulator.logins.verifier import OPAQUE
from cognito_credentials.emulator.model.names import is_role, is_service_host, is_user_pool, user_pool_of
from cognito_credentials.emulator.seed.entry import Entry, text_of
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.roles import DEFAULT_MAX_SESSION_SECONDS, Role, save_role
from cognito_credentials.emulator.sts.trust_policy import policy_mistake
from cognito_credentials.extras import install_command

_MAX_SESSION_SECONDS = 43_200
_MAX_PROVIDER = 128
_MAX_CLIENT_ID = 255
_MAX_TOKEN = 50_000
_PROVIDER = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[\w.~:%/-]*)?", re.ASCII)
_SAML_PROVIDER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/[\w.-]+", re.ASCII)
_APP_ID = re.compile(r"[\w.;/-]{1,128}", re.ASCII)
_ACCESS_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)


def add_role(service: Service, entry: Entry) -> str:
    """Add a role: its trust policy and its longest session."""
    arn: str = entry.take("arn", str)
    seconds = entry.take("max_session_seconds", int, DEFAULT_MAX_SESSION_SECONDS)
    policy = entry.take_any("trust_policy")
    entry.finish()
    if not is_role(arn):
        raise entry.mistake("arn", f"'{arn}' is not the ARN of a role")
    if not DEFAULT_MAX_SESSION_SECONDS <= seconds <= _MAX_SESSION_SECONDS:
        raise entry.mistake("max_session_seconds", "expected 3600 to 43200, as IAM takes them")
    if isinstance(policy, str):
        policy = _json(entry, "trust_policy", policy)
    wrong = policy_mistake(policy, arn.split(":")[4])
    if wrong is not None:
        raise entry.mistake("trust_policy", wrong)
    save_role(service.state, Role(arn, json.dumps(policy), seconds, {"CreateDate": int(service.clock.now())}))
    return arn


def add_issuer(service: Service, entry: Entry) -> str:
    """Add an OIDC provider: its client ids and the source of its keys."""
    provider: str = entry.take("provider", str)
    client_ids = entry.take_texts("client_ids")
    uri = entry.take("jwks_uri", str, None)
    jwks = entry.take("jwks", dict, None)
    file = entry.take("jwks_file", str, None)
    entry.finish()
    _check_issuer(entry, provider)
    for number, client_id in enumerate(client_ids, start=1):
        if not client_id.isprintable() or len(client_id) > _MAX_CLIENT_ID:
            raise entry.mistake(
                f"client_ids[{number}]",
                f"'{client_id}' is not a client id: expected up to 255 printable characters",
            )
    if [uri, jwks, file].count(None) < 2:
        raise entry.mistake("", "give one of jwks_uri, jwks and jwks_file, or none for discovery")
    if uri is not None and not may_be_fetched(uri):
        raise entry.mistake("jwks_uri", "expected an https:// address, or http:// on this machine")
    if file is not None:
        jwks = _json(entry, "jwks_file", _read(entry, "jwks_file", file))
    wrong = key_set_mistake(jwks) if jwks is not None or file is not None else None
    if wrong is not None:
        raise entry.mistake("jwks" if file is None else "jwks_file", wrong)
    service.state.execute(
        "INSERT OR REPLACE INTO issuers VALUES (?, ?, ?, ?)",
        provider,
        json.dumps(client_ids),
        json.dumps(jwks) if jwks is not None else None,
        uri,
    )
    return provider


def _check_issuer(entry: Entry, provider: str) -> None:
    if "://" in provider:
        raise entry.mistake("provider", "write it without https://, as in Logins")
    if is_service_host(provider) or provider in OPAQUE:
        raise entry.mistake("provider", f"the tokens of {provider} are not verified with an issuer's keys")
    try:
        good = _PROVIDER.fullmatch(provider) and urlsplit(f"//{provider}").port != 0
    except ValueError:  # a wrong port
        good = False
    if not good or len(provider) > _MAX_PROVIDER:
        raise entry.mistake("provider", f"'{provider}' is not an address without https://, as in Logins")


def add_saml_provider(service: Service, entry: Entry) -> str:
    """Add a SAML provider: the entity that signs responses, and its certificates."""
    arn: str = entry.take("arn", str)
    text = entry.take("metadata", str, None)
    file = entry.take("metadata_file", str, ... if text is None else None)
    entry.finish()
    if _SAML_PROVIDER.fullmatch(arn) is None:
        raise entry.mistake("arn", f"'{arn}' is not the ARN of a SAML provider")
    try:
        from cognito_credentials.emulator.logins.saml import read_metadata

        entity_id, certificates = read_metadata((text or _read(entry, "metadata_file", file)).encode())
    except ModuleNotFoundError as error:
        missing = f"needs {error.name}; run: {install_command('emulator,saml')}"
        raise entry.mistake("", missing) from None
    except ValueError as error:
        member, name = ("metadata_file", f"{file}: ") if text is None else ("metadata", "")
        raise entry.mistake(member, f"{name}{error}") from None
    service.state.execute(
        "INSERT OR REPLACE INTO saml_providers VALUES (?, ?, ?)", arn, entity_id, json.dumps(certificates)
    )
    return arn


def add_user(service: Service, entry: Entry) -> str:
    """
    Add a user of a provider: an opaque token, or whether the user was signed out.

    Replaces an earlier description of the user.
    """
    provider, subject = entry.take("provider", str), entry.take("subject", str)
    token: str | None = entry.take("token", str, None)
    app_id: str | None = entry.take("app_id", str, None)
    claims = entry.take("claims", dict, {})
    signed_out = entry.take("signed_out", bool, False)
    entry.finish()
    opaque = provider in OPAQUE
    if not opaque and not is_user_pool(provider):
        expected = f"a user pool, cognito-idp.REGION.amazonaws.com/ID, or one of {', '.join(OPAQUE)}"
        raise entry.mistake("provider", f"the users of '{provider}' are never looked up; expected {expected}")
    for member, value in (("token", token), ("app_id", app_id), ("claims", claims)):
        if value and not opaque:
            raise entry.mistake(member, "only for opaque tokens: the tokens of a user pool contain it")
    if signed_out and opaque:
        raise entry.mistake("signed_out", "only for user pools; to sign out others, leave out the token")
    if app_id is not None and _APP_ID.fullmatch(app_id) is None:
        # The value is not shown: the app id of Twitter contains a secret.
        raise entry.mistake("app_id", "expected an app id as SupportedLoginProviders of a pool may have it")
    if token is not None:
        _check_token(service, entry, provider, subject, token)
    provider = user_pool_of(provider) or provider
    row: Sequence[Any] = (provider, subject, token, app_id, json.dumps(claims), signed_out)
    service.state.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)", *row)
    return f"{provider} {subject}"


def _check_token(service: Service, entry: Entry, provider: str, subject: str, token: str) -> None:
    """Refuse a token that is too long, or that another user has."""
    if len(token) > _MAX_TOKEN:
        raise entry.mistake("token", f"expected at most {_MAX_TOKEN} characters")
    other = service.state.row(
        "SELECT subject FROM users WHERE provider = ? AND opaque_token = ? AND subject != ?",
        provider,
        token,
        subject,
    )
    if other is not None:
        raise entry.mistake("token", f"it is already the token of '{other['subject']}'")


def add_developer(service: Service, entry: Entry) -> str:
    """Add an access key of the account's developer."""
    access_key_id: str = entry.take("access_key_id", str)
    secret_access_key = entry.take("secret_access_key", str)
    entry.finish()
    if _ACCESS_KEY_ID.fullmatch(access_key_id) is None:
        raise entry.mistake(
            "access_key_id", f"'{access_key_id}' is not an access key id: expected letters and digits"
        )
    service.state.execute("INSERT OR REPLACE INTO developers VALUES (?, ?)", access_key_id, secret_access_key)
    return access_key_id


def _read(entry: Entry, member: str, name: str) -> str:
    """The text of a file, whose name is relative to the seed file."""
    try:
        with open(os.path.join(os.path.dirname(entry.path), name), "rb") as file:
            return text_of(file.read())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise entry.mistake(member, f"{name}: {reason}") from None


def _json(entry: Entry, member: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except ValueError as error:
        raise entry.mistake(member, f"not JSON: {error}") from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated member: json would silently drop the first value."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is given twice")
    return dict(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")
