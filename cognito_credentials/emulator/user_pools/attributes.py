"""The attributes that a user may have: the standard ones of OpenID Connect, and custom ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.user_pools import refusals

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE_NUMBER = re.compile(r"\+[0-9]{1,15}")

WRITABLE_ATTRIBUTES = (
    *(
        "address",
        "birthdate",
        "email",
        "family_name",
        "gender",
        "given_name",
        "locale",
        "middle_name",
        "name",
    ),
    *("nickname", "phone_number", "picture", "preferred_username", "profile", "updated_at", "website"),
    "zoneinfo",
)
"""The standard attributes that a user may set; reference/service.md#12.1."""


def check_attributes(attributes: Mapping[str, str]) -> None:
    """
    Check attributes that a user gives.

    Raises:
        ServiceError: InvalidParameterException.
    """
    for name, value in attributes.items():
        is_custom = (
            name.startswith(("custom:", "dev:custom:")) and len(name) <= assumed.LONGEST_ATTRIBUTE_NAME
        )
        if name not in WRITABLE_ATTRIBUTES and not is_custom:
            raise assumed.not_an_attribute(name)
        if len(value) > assumed.LONGEST_ATTRIBUTE:
            raise assumed.attribute_too_long(name)
        if name == "email" and _EMAIL.fullmatch(value) is None:
            raise refusals.bad_email()
        if name == "phone_number" and _PHONE_NUMBER.fullmatch(value) is None:
            raise refusals.bad_phone_number()
    if len(attributes) > assumed.MOST_ATTRIBUTES:
        raise assumed.too_many_attributes()
