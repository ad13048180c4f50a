"""
Login tokens and SAML responses for tests, whose a key is, and decisions about what a session may do.

Each function takes the members of the control call of the same name. `Emulator` has methods for the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.extra import MissingExtraError
from cognito_credentials.emulator.logins.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.logins.tokens import sign_jwt
from cognito_credentials.emulator.logins.verifier import OPAQUE
from cognito_credentials.emulator.model.members import (
    SIGNED_SECONDS,
    TEXT,
    ControlError,
    Kind,
    is_text,
    is_texts,
    json_value,
    read_members,
)
from cognito_credentials.emulator.model.names import is_user_pool
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.sts.session_policies import Decision, decide
from cognito_credentials.emulator.sts.sessions import AssumedRole, UserSession
from cognito_credentials.emulator.wire.answers import NOT_IN_XML

_LOGIN_SECONDS = 3600


def login_token(service: Service, content: Any) -> str:
    """
    A login token of a provider, signed by the emulator's test issuer.

    Args:
        content: ``provider``, and optionally ``audience``, ``subject``, ``expires_in`` in seconds from now by
            the emulator's clock, and ``claims``. These replace the usual claims, and None removes one.

    Raises:
        ControlError: A member is wrong.
    """
    members = read_members(content, _LOGIN_TOKEN, required=("provider",))
    _check_provider(members["provider"])
    custom_claims = json_value("claims", members.get("claims") or {})
    now = int(service.clock.now())
    claims: dict[str, Any] = {
        "iss": f"https://{members['provider']}",
        "sub": members.get("subject", "user"),
        "aud": members.get("audience", "app"),
        "iat": now,
        "exp": now + int(members.get("expires_in", _LOGIN_SECONDS)),
    }
    header = {"kid": TEST_ISSUER_KEY_ID, "typ": "JWT", "alg": "RS256"}
    if is_user_pool(members["provider"]):
        del header["typ"]  # reference/service.md#7.3.1
        claims.update(_claims_of_user_pools(claims["sub"], now))
    if service.minted is not None:
        claims["marker"] = "CANARYlogin"
    claims.update(custom_claims)
    claims = {name: value for name, value in claims.items() if value is not None}
    token = sign_jwt(service.keys, TEST_ISSUER, header, claims)
    service.note_secret(token)
    return token


def _claims_of_user_pools(subject: str, now: int) -> Mapping[str, Any]:
    """The claims that every ID token of a user pool has beside the usual ones; reference/service.md#7.3.2."""
    return {
        "cognito:username": subject,
        "origin_jti": str(uuid.uuid4()),
        "event_id": str(uuid.uuid4()),
        "token_use": "id",
        "auth_time": now,
        "jti": str(uuid.uuid4()),
    }


def saml_response(service: Service, content: Any) -> str:
    """
    A SAML response that the emulator accepts for a provider, signed by its test issuer.

    Args:
        content: ``provider``, an ARN, and optionally ``subject``, ``roles``, ``attributes`` (name to list of
            strings) and ``expires_in`` in seconds from now by the emulator's clock.

    Raises:
        ControlError: A member is wrong, or the ``saml`` extra is missing.
    """
    members = read_members(content, _SAML_RESPONSE, required=("provider",))
    try:
        from cognito_credentials.emulator.logins.saml_issuer import sign_response

        response = sign_response(
            service.keys,
            members["provider"],
            members.get("subject", "user"),
            members.get("roles", ()),
            members.get("attributes") or {},
            service.clock.now(),
            members.get("expires_in", _LOGIN_SECONDS),
        )
    except ModuleNotFoundError as error:
        raise ControlError(str(MissingExtraError(error.name, "emulator,saml"))) from None
    service.note_secret(response)
    return response


def allowed(service: Service, content: Any) -> Decision:
    """
    Whether the session policies of issued credentials permit an action.

    Args:
        content: ``access_key_id``, ``action``, and optionally ``resource`` and ``session_token``. Without the
            token, only the last sessions of this process are found.

    Raises:
        ControlError: A member is wrong, or the credentials are unknown.
    """
    members = read_members(content, _ALLOWED, required=("access_key_id", "action"))
    session = _session(service, members)
    return decide(session, members["action"], members.get("resource", "*"), service.clock.now())


@dataclass(frozen=True)
class KeyOwner:
    """
    Whose an issued access key is.

    Attributes:
        arn: The ARN of the session, or of the user for keys of GetSessionToken.
        role_arn: None for keys of GetSessionToken.
        expires_at: Whole seconds since the epoch.
        identity_id: The identity of an identity pool; None for keys that are not of one.
        amr: How the identity was authenticated: the claim that trust policies test.
        authentication_type: ``authenticated`` or ``unauthenticated``, as API Gateway shows it.
        authentication_provider: The text that API Gateway shows; None for a guest.
        assumed_by: For keys of AssumeRole: ``arn`` of the caller; ``identity_id`` and ``identity_pool_id`` of
            the identity that began the chain.
    """

    arn: str
    account: str
    role_arn: str | None
    expires_at: int
    identity_id: str | None = None
    identity_pool_id: str | None = None
    amr: Sequence[str] = ()
    authentication_type: str | None = None
    authentication_provider: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    source_identity: str | None = None
    assumed_by: Mapping[str, str] | None = None


def whose_key(service: Service, content: Any) -> KeyOwner:
    """
    Whose an issued access key is. Source: `reference/service.md#14.4`.

    Args:
        content: ``access_key_id``, and optionally ``session_token``. Without the token, only the last
            sessions of this process are found.

    Raises:
        ControlError: A member is wrong, or the credentials are unknown.
    """
    session = _session(service, read_members(content, _WHOSE_KEY, required=("access_key_id",)))
    if isinstance(session, UserSession):
        return KeyOwner(session.arn, session.account, None, session.expires_at)
    by = session.assumed_by
    renamed = {name: by[key] for key, name in _ASSUMED_BY.items() if key in by}
    return KeyOwner(
        session.arn,
        session.account,
        session.role_arn,
        session.expires_at,
        session.identity_id or None,
        session.pool_id or None,
        list(session.amr),
        session.amr[0] if session.amr else None,
        ",".join(session.amr[1:]) or None,
        session.tags,
        session.source_identity or None,
        renamed or None,
    )


def _session(service: Service, members: Mapping[str, Any]) -> AssumedRole | UserSession:
    """
    The session of the ``access_key_id``, with the ``session_token`` or by memory.

    Raises:
        ControlError: The credentials are unknown.
    """
    key, token = members["access_key_id"], members.get("session_token")
    if token is None:
        session = service.mint.recent(key)
        if session is None:
            expected = "expected one that was given out since the start, and lately; else give session_token"
            raise ControlError(f"access_key_id: {expected}")
        return session
    session_and_secret = service.mint.open(key, token)
    if session_and_secret is None:
        raise ControlError("session_token: expected the one that came with the access_key_id")
    return session_and_secret[0]


def _check_provider(provider: str) -> None:
    """Refuse a provider whose tokens the emulator cannot issue."""
    if "://" in provider:
        raise ControlError("provider: write it without https://, as in Logins")
    if provider in OPAQUE:
        raise ControlError(
            f"provider: the tokens of {provider} are opaque: choose any text, and give it to a user with "
            "PUT /_emulator/users, Emulator.set_user or [[users]] in the seed"
        )


def _is_audience(value: Any) -> bool:
    return value is None or is_text(value) or is_texts(value)


def _is_xml_text(value: Any) -> bool:
    return is_text(value) and NOT_IN_XML.search(value) is None


def _are_xml_texts(value: Any) -> bool:
    return is_texts(value) and all(map(_is_xml_text, value))


def _are_attributes(value: Any) -> bool:
    return value is None or (
        isinstance(value, Mapping)
        and all(_is_xml_text(name) and _are_xml_texts(texts) for name, texts in value.items())
    )


def _is_saml_provider(value: Any) -> bool:
    return _is_xml_text(value) and value.startswith("arn:") and ":saml-provider/" in value


_OPTIONAL_TEXT = Kind(is_text, TEXT.name, or_null=True)
_XML_TEXT = Kind(_is_xml_text, "a text that is not empty, of characters that XML has", or_null=True)
_EXPIRES_IN = Kind(SIGNED_SECONDS.accepts, SIGNED_SECONDS.name, or_null=True)
_LOGIN_TOKEN: Mapping[str, Kind] = {
    "provider": Kind(is_text, "a key of Logins, e.g. accounts.google.com"),
    "audience": Kind(_is_audience, "a text, a list of texts, or null"),
    "subject": _OPTIONAL_TEXT,
    "expires_in": _EXPIRES_IN,
    "claims": Kind(lambda value: value is None or isinstance(value, dict), "an object, or null"),
}
_SAML_RESPONSE: Mapping[str, Kind] = {
    "provider": Kind(_is_saml_provider, "the ARN of a SAML provider"),
    "subject": _XML_TEXT,
    "roles": Kind(_are_xml_texts, "a list of role ARNs", or_null=True),
    "attributes": Kind(_are_attributes, "an object of lists of texts, or null"),
    "expires_in": _EXPIRES_IN,
}
_ALLOWED: Mapping[str, Kind] = {
    "access_key_id": TEXT,
    "action": Kind(is_text, "an action, e.g. s3:GetObject"),
    "session_token": _OPTIONAL_TEXT,
    "resource": Kind(is_text, "an ARN, or *", or_null=True),
}
_WHOSE_KEY: Mapping[str, Kind] = {"access_key_id": TEXT, "session_token": _OPTIONAL_TEXT}
_ASSUMED_BY = {"arn": "arn", "identity_id": "identity_id", "pool_id": "identity_pool_id"}
