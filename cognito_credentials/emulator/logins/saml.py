"""
SAML responses as logins: the signature, the conditions, the subject and its attributes.

Everything is read from the element that signxml returns as signed, never from the document that was
sent. So an assertion that is wrapped around, beside or inside a signed one is not read. signxml, of the
``saml`` extra, does the canonicalisation and the XML signatures.

Source: reference/service.md#5.1.6 to #5.1.14 and #8.3.7;
https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.logins import refusals

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from lxml.etree import _Element

AUDIENCE = "urn:amazon:webservices"
ROLE_ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/Role"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
NAMESPACES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_RESPONSE = f"{{{NAMESPACES['samlp']}}}Response"
_ASSERTION = f"{{{NAMESPACES['saml']}}}Assertion"


@dataclass(frozen=True)
class SamlProvider:
    """
    A SAML provider of IAM.

    Attributes:
        entity_id: The issuer that its responses must name.
        certificates: One of them must have signed.
    """

    entity_id: str
    certificates: Sequence[Certificate]


@dataclass(frozen=True)
class Assertion:
    """The content of a verified response."""

    subject: str
    issuer: str
    attributes: Mapping[str, Sequence[str]]

    def roles(self, provider_arn: str) -> list[str]:
        """The roles that the Role attribute pairs with *provider_arn*, in either order."""
        roles = []
        for pair in self.attributes.get(ROLE_ATTRIBUTE, ()):
            first, _, second = (part.strip() for part in pair.partition(","))
            if provider_arn in (first, second):
                roles.append(second if first == provider_arn else first)
        return [role for role in roles if role]  # A pair may lack its role.


def issuer_of(text: str) -> str:
    """
    The issuer that a response names. Nothing is verified.

    Raises:
        ServiceError: The text is not a SAML response.
    """
    found = _parse(text).find("saml:Assertion/saml:Issuer", NAMESPACES)
    return _text(found)


def read_response(text: str, provider: SamlProvider, now: float) -> Assertion:
    """
    Verify a response and read it.

    Args:
        text: Base64, as in Logins.
        now: Seconds since the epoch.

    Raises:
        ServiceError: NotAuthorizedException.
    """
    root = _parse(text)
    status = root.find("samlp:Status/samlp:StatusCode", NAMESPACES)
    if status is not None and status.get("Value") != SUCCESS:
        raise assumed.not_a_saml_response()
    assertion = _signed_assertion(root, provider.certificates, now)
    issuer = _text(assertion.find("saml:Issuer", NAMESPACES))
    if issuer != provider.entity_id:
        raise refusals.another_issuer()
    _check_conditions(assertion, now)
    subject = _text(assertion.find("saml:Subject/saml:NameID", NAMESPACES))
    if not subject:
        raise refusals.missing_claim("NameID")
    return Assertion(subject, issuer, _attributes(assertion))


def _parse(text: str) -> _Element:
    from lxml import etree

    try:
        root = etree.fromstring(base64.b64decode("".join(text.split()), validate=True), _parser())
    except (ValueError, etree.XMLSyntaxError):
        raise assumed.not_a_saml_response() from None
    if root.tag != _RESPONSE or root.getroottree().docinfo.doctype:
        raise assumed.not_a_saml_response()
    return root


def _parser() -> object:
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _signed_assertion(root: _Element, certificates: Sequence[Certificate], now: float) -> _Element:
    """The one assertion of the response in its signed form. It, or the whole response, must be signed."""
    assertions = root.findall("saml:Assertion", NAMESPACES)
    if len(assertions) != 1 or root.find("saml:EncryptedAssertion", NAMESPACES) is not None:
        raise assumed.not_a_saml_response()
    if root.find("ds:Signature", NAMESPACES) is not None:
        signed = _verified(root, "./", root, certificates, now)
        # Only the signed form is trusted: the document that was sent may have another assertion.
        return next(signed.iterfind("saml:Assertion", NAMESPACES))
    return _verified(root, f"./{_ASSERTION}/", assertions[0], certificates, now)


def _verified(
    root: _Element, location: str, holder: _Element, certificates: Sequence[Certificate], now: float
) -> _Element:
    """The signed form of *holder*, the element that contains the signature at *location*."""
    from cryptography.exceptions import InvalidSignature
    from lxml import etree
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    config = SignatureConfiguration(
        location=location, verification_time=dt.datetime.fromtimestamp(now, dt.timezone.utc)
    )
    for certificate in certificates:
        try:
            result = XMLVerifier().verify(
                etree.tostring(root), x509_cert=certificate, parser=_parser(), expect_config=config
            )
        except (SignXMLException, InvalidSignature, ValueError, TypeError, etree.LxmlError):
            continue
        signed = None if isinstance(result, list) else result.signed_xml
        # A signature may cover another element than the one that contains it. It then proves nothing here.
        if signed is not None and signed.tag == holder.tag and signed.get("ID") == holder.get("ID"):
            return signed
    raise refusals.signature_not_verified()


def _check_conditions(assertion: _Element, now: float) -> None:
    places = "saml:Conditions", "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
    for place in places:
        for element in assertion.iterfind(place, NAMESPACES):
            end, start = _moment(element, "NotOnOrAfter"), _moment(element, "NotBefore")
            if end is not None and now >= end + assumed.SAML_GRACE_SECONDS:
                raise refusals.token_expired(now, end)
            if start is not None and now < start - assumed.SAML_GRACE_SECONDS:
                raise assumed.saml_not_yet_valid()
    for restriction in assertion.iterfind("saml:Conditions/saml:AudienceRestriction", NAMESPACES):
        audiences = [_text(audience) for audience in restriction.iterfind("saml:Audience", NAMESPACES)]
        if AUDIENCE not in audiences:
            raise assumed.wrong_audience()


def _moment(element: _Element, name: str) -> float | None:
    value = element.get(name)
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise assumed.not_a_saml_response() from None
    return moment.replace(tzinfo=moment.tzinfo or dt.timezone.utc).timestamp()


def _attributes(assertion: _Element) -> dict[str, list[str]]:
    attributes: dict[str, list[str]] = {}
    for attribute in assertion.iterfind("saml:AttributeStatement/saml:Attribute", NAMESPACES):
        values = [_text(value) for value in attribute.iterfind("saml:AttributeValue", NAMESPACES)]
        attributes.setdefault(attribute.get("Name", ""), []).extend(values)
    return attributes


def _text(element: _Element | None) -> str:
    """The whole text. `.text` would end at a comment, which an attacker may put into a NameID."""
    return "" if element is None else str(element.xpath("string()")).strip()


def read_metadata(content: bytes) -> tuple[str, list[str]]:
    """
    The entity id and the signing certificates (base64) in a provider's metadata document.

    Raises:
        ValueError: The document is not SAML metadata; the text says why.
    """
    from lxml import etree

    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error.msg}") from None
    found = root.xpath(
        "//md:IDPSSODescriptor/md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate/text()",
        namespaces=NAMESPACES,
    )
    certificates = ["".join(str(text).split()) for text in found]
    for certificate in certificates:
        load_certificate(certificate)
    if not root.get("entityID") or not certificates:
        raise ValueError("no identity provider with an entityID and a signing certificate")
    return str(root.get("entityID")), certificates


def load_certificate(text: str) -> Certificate:
    """
    Read a certificate from base64.

    Raises:
        ValueError: The text is not a certificate.
    """
    from cryptography import x509

    return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
