"""The emulator's test issuer for SAML: it signs responses for tests, as `login_token` signs ID tokens."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from cognito_credentials.emulator.logins.keys import TEST_ISSUER, SigningKeys
from cognito_credentials.emulator.logins.saml import (
    AUDIENCE,
    NAMESPACES,
    ROLE_ATTRIBUTE,
    SUCCESS,
    SamlProvider,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

TEST_ENTITY_ID = "urn:cognito-emulator:test-issuer"
_DAYS = 100 * 365


def certificate(keys: SigningKeys) -> x509.Certificate:
    """The certificate of the test issuer, valid from 1980 for a hundred years: tests set clocks."""
    key = keys.get(TEST_ISSUER)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TEST_ENTITY_ID)])
    start = dt.datetime(1980, 1, 1, tzinfo=dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=_DAYS))
        .sign(key, hashes.SHA256())
    )


def provider(keys: SigningKeys) -> SamlProvider:
    """The test issuer as a provider. It has no certificate until it has signed something."""
    return SamlProvider(TEST_ENTITY_ID, [certificate(keys)] if keys.find(TEST_ISSUER) else [])


def sign_response(
    keys: SigningKeys,
    provider_arn: str,
    subject: str,
    roles: Sequence[str],
    attributes: Mapping[str, Sequence[str]],
    now: float,
    expires_in: float,
) -> str:
    """
    A base64 response of the test issuer, with one signed assertion.

    Args:
        roles: Role ARNs for the Role attribute, each paired with *provider_arn*.
        attributes: Further attributes, name to values.
        now: Seconds since the epoch.
        expires_in: Seconds; negative for a response that has expired.
    """
    from lxml import etree
    from signxml.signer import XMLSigner

    response = etree.Element(_name("samlp", "Response"), nsmap={"samlp": NAMESPACES["samlp"]}, **_head(now))
    status = etree.SubElement(response, _name("samlp", "Status"))
    etree.SubElement(status, _name("samlp", "StatusCode"), Value=SUCCESS)
    pairs = [f"{role},{provider_arn}" for role in roles]
    assertion = _assertion(subject, {ROLE_ATTRIBUTE: pairs, **attributes}, now, expires_in)
    signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
    signed = signer.sign(
        assertion, key=keys.get(TEST_ISSUER), cert=[certificate(keys)], reference_uri=assertion.get("ID")
    )
    response.append(signed)
    return base64.b64encode(etree.tostring(response)).decode()


def _assertion(
    subject: str, attributes: Mapping[str, Sequence[str]], now: float, expires_in: float
) -> _Element:
    from lxml import etree

    assertion = etree.Element(_name("saml", "Assertion"), nsmap={"saml": NAMESPACES["saml"]}, **_head(now))
    etree.SubElement(assertion, _name("saml", "Issuer")).text = TEST_ENTITY_ID
    # signxml puts the signature here, under the prefix that it signs with.
    etree.SubElement(assertion, _name("ds", "Signature"), nsmap={"ds": NAMESPACES["ds"]}, Id="placeholder")
    holder = etree.SubElement(assertion, _name("saml", "Subject"))
    etree.SubElement(holder, _name("saml", "NameID")).text = subject
    window = {"NotBefore": _instant(now), "NotOnOrAfter": _instant(now + expires_in)}
    conditions = etree.SubElement(assertion, _name("saml", "Conditions"), **window)
    restriction = etree.SubElement(conditions, _name("saml", "AudienceRestriction"))
    etree.SubElement(restriction, _name("saml", "Audience")).text = AUDIENCE
    statement = etree.SubElement(assertion, _name("saml", "AttributeStatement"))
    for name, values in attributes.items():
        attribute = etree.SubElement(statement, _name("saml", "Attribute"), Name=name)
        for value in values:
            etree.SubElement(attribute, _name("saml", "AttributeValue")).text = value
    return assertion


def _head(now: float) -> dict[str, str]:
    return {"ID": f"_{secrets.token_hex(16)}", "Version": "2.0", "IssueInstant": _instant(now)}


def _name(prefix: str, local: str) -> str:
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(int(seconds), dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
