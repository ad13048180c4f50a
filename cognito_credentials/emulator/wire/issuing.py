"""
What only tests ask for: login tokens, SAML responses, and what a session may do.

The same for ``/_emulator/`` and for Python: each function takes the members of the control call.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.sts.session_policies import Decision, decide
from cognito_credentials.emulator.wire.answers import NOT_IN_XML

_LOGIN_SECONDS = 3600


def login_token(service: Service, members: Any) -> str:
    """
    A login token of a provider, signed by the emulator's test issuer.

    Args:
        members: ``provider``, and perhaps ``audience``, ``subject``, ``expires_in`` in seconds from now by
            the emulator's clock, and ``claims``, which win over the usual ones and with None take one away.

    Raises:
        ControlError: A member is not good.
    """
    given = read_members(members, _LOGIN_TOKEN, required=("provider",))
    _check_provider(given["provider"])
    claims = json_value("claims", given.get("claims") or {})
    now = int(service.clock.now())
    content: dict[str, Any] = {
        "iss": f"https://{given['provider']}",
        "sub": given.get("subject", "user"),
        "aud": given.get("audience", "app"),
        "iat": now,
        "exp": now + int(given.get("expires_in", _LOGIN_SECONDS)),
    }
    if service.minted is not None:
        content["marker"] = "CANARYlogin"
    content.update(claims)
    content = {name: value for name, value in content.items() if value is not None}
    header = {"kid": TEST_ISSUER_KEY_ID, "typ": "JWT", "alg": "RS256"}
    token = sign_jwt(service.keys, TEST_ISSUER, header, content)
    service.note_secret(token)
    return token


def saml_response(service: Service, members: Any) -> str:
    """
    A SAML response that the emulator accepts for a provider, signed by its test issuer.

    Args:
        members: ``provider``, an ARN, and perhaps ``subject``, ``roles``, ``attributes`` (name to list of
            texts) and ``expires_in`` in seconds from now by the emulator's clock.

    Raises:
        ControlError: A member is not good, or the ``saml`` extra is missing.
    """
    given = read_members(members, _SAML_RESPONSE, required=("provider",))
    try:
        from cognito_credentials.emulator.logins.saml_issuer import sign_response

        response = sign_response(
            service.keys,
            given["provider"],
            given.get("subject", "user"),
            given.get("roles", ()),
            given.get("attributes") or {},
            service.clock.now(),
            given.get("expires_in", _LOGIN_SECONDS),
        )
    except ModuleNotFoundError as error:
        raise ControlError(str(MissingExtraError(error.name, "emulator,saml"))) from None
    service.note_secret(response)
    return response


def allowed(service: Service, members: Any) -> Decision:
    """
    Whether the session policies of issued credentials leave room for an action.

    Args:
        members: ``access_key_id``, ``action``, and perhaps ``resource``, and ``session_token``: with
            it the answer holds for every session, without it for the last ones of this process.

    Raises:
        ControlError: A member is not good, or the credentials are not known.
    """
    given = read_members(members, _ALLOWED, required=("access_key_id", "action"))
    key, token = given["access_key_id"], given.get("session_token")
    if token is None:
        session = service.mint.recent(key)
        if session is None:
            expected = (
                "expected one that was given out since the start, lately; for others give session_token"
            )
            raise ControlError(f"access_key_id: {expected}")
    else:
        opened = service.mint.open(key, token)
        if opened is None:
            raise ControlError("session_token: expected the one that came with the access_key_id")
        session = opened[0]
    return decide(session, given["action"], given.get("resource", "*"), service.clock.now())


def _check_provider(provider: str) -> None:
    """Refuse a provider for which no token of ours could ever be accepted."""
    if "://" in provider:
        raise ControlError("provider: write it without https://, as in Logins")
    if provider in OPAQUE:
        raise ControlError(
            f"provider: the tokens of {provider} are opaque: choose one, and say whose it is with "
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
