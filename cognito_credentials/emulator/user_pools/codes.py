"""
Codes by SMS and e-mail: sent to nobody, and shown by ``GET /_emulator/codes``.

A challenge for the code of an authenticator app is listed, too, with the code that is good when it is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.service import SentCode, Service
from cognito_credentials.emulator.stored.user_pools import User, find_user_by_sub
from cognito_credentials.emulator.user_pools.totp import code_at

_DIGITS = 6
DELIVERY = {"SMS": "phone_number", "EMAIL": "email", "TOTP": ""}
"""Medium to the attribute that has the destination."""


def new_code() -> str:
    """A new code of six digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def send(service: Service, user: User, purpose: str, medium: str, code: str = "") -> dict[str, str]:
    """
    Send *code* to the user: list it.

    Args:
        purpose: The name of the challenge, or of the operation.
        medium: ``SMS`` or ``EMAIL``, or ``TOTP`` for an authenticator app, whose codes nobody sends.

    Returns:
        CodeDeliveryDetails, or what a challenge says of the delivery.
    """
    attribute = DELIVERY[medium]
    destination = user.attributes.get(attribute, "")
    sent = SentCode(
        user.pool_id, user.sub, user.name, purpose, medium, destination, code, service.clock.now()
    )
    service.sent_codes.append(sent)
    return {"AttributeName": attribute, "DeliveryMedium": medium, "Destination": masked(destination)}


def list_codes(service: Service) -> list[Mapping[str, Any]]:
    """The codes of ``GET /_emulator/codes``, the newest last."""
    return [
        {
            "user_pool_id": sent.user_pool_id,
            "username": sent.username,
            "purpose": sent.purpose,
            "medium": sent.medium,
            "destination": sent.destination,
            "code": sent.code or _totp_code(service, sent),
            "sent_at": sent.sent_at,
        }
        for sent in list(service.sent_codes)
    ]


def _totp_code(service: Service, sent: SentCode) -> str:
    user = find_user_by_sub(service.state, sent.user_pool_id, sent.sub)
    return code_at(user.totp_secret, service.clock.now()) if user and user.totp_secret else ""


def masked(destination: str) -> str:
    """An address as a user pool shows it: ``a***@e***``, ``+*******4567``; reference/service.md#12.4."""
    name, at, host = destination.partition("@")
    if at:
        return f"{name[:1]}***@{host[:1]}***"
    return f"+*******{destination[-4:]}" if destination else ""


def contact_of(user: User, *, verified: bool = True) -> str | None:
    """The medium of a verification code: SMS if the user has a number, else EMAIL; None for none."""
    for medium, attribute in DELIVERY.items():
        is_verified = user.attributes.get(f"{attribute}_verified") == "true"
        if user.attributes.get(attribute) and (is_verified or not verified):
            return medium
    return None
