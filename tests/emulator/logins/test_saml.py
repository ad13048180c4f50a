"""SAML responses as logins: their users, their roles, and ways to forge them."""

from __future__ import annotations

import base64
import sys

import pytest
from lxml import etree

from cognito_credentials.emulator import Emulator, Seed, SigningKeys
from cognito_credentials.emulator.logins.saml import NAMESPACES
from cognito_credentials.emulator.logins.saml_issuer import certificate, sign_response
from cognito_credentials.emulator.seed.file import SeedError

from ..conftest import ROLE, Api

CORP = "arn:aws:iam::123456789012:saml-provider/corp"
FORGED = "Invalid login token. Couldn't verify signed token."
NO_RESPONSE = "Invalid login token. Not a valid SAML response."
SAML = f"{{{NAMESPACES['saml']}}}"
SAMLP = f"{{{NAMESPACES['samlp']}}}"
DS = f"{{{NAMESPACES['ds']}}}"


@pytest.fixture
def pool_id(api):
    return api.emulator.create_pool(SamlProviderARNs=[CORP])


def get_id(api, pool_id, response):
    return api.public.get_id(IdentityPoolId=pool_id, Logins={CORP: response})["IdentityId"]


def changed(response, change):
    """*response* with a changed tree and the same signature."""
    root = etree.fromstring(base64.b64decode(response))
    change(root)
    return base64.b64encode(etree.tostring(root)).decode()


def test_name_id_is_the_user(api, pool_id):
    """One NameID of one provider is one identity."""
    ann = get_id(api, pool_id, api.emulator.saml_response(CORP, subject="ann@corp"))

    assert get_id(api, pool_id, api.emulator.saml_response(CORP, subject="ann@corp")) == ann
    assert get_id(api, pool_id, api.emulator.saml_response(CORP, subject="bob@corp")) != ann
    described = api.developer.describe_identity(IdentityId=ann)
    assert described["Logins"] == [CORP]


def assumed_role(api, identity_id, response, **options):
    keys = api.public.get_credentials_for_identity(
        IdentityId=identity_id, Logins={CORP: response}, **options
    )["Credentials"]
    return api.client("sts", keys).get_caller_identity()["Arn"].split("/")[1]


def test_roles_of_the_response(api, refused):
    """The only role of the response is assumed. Of several the caller chooses one. The pool needs no role."""
    pool_id = api.emulator.create_pool(SamlProviderARNs=[CORP], roles={})
    one = api.emulator.saml_response(CORP, roles=[ROLE + "one"])
    two = api.emulator.saml_response(CORP, roles=[ROLE + "one", ROLE + "two"])
    identity_id = get_id(api, pool_id, one)
    call = {"IdentityId": identity_id, "Logins": {CORP: two}}

    assert assumed_role(api, identity_id, one) == "one"
    assert assumed_role(api, identity_id, two, CustomRoleArn=ROLE + "two") == "two"
    code, message, _ = refused(api.public.get_credentials_for_identity, **call)
    assert (code, message) == (
        "NotAuthorizedException",
        f"The ambiguous role mapping rules for: {CORP} denied this request.",
    )
    refusal = refused(api.public.get_credentials_for_identity, **call, CustomRoleArn=ROLE + "three")
    assert refusal[1] == f"Access to Role '{ROLE}three' is forbidden."


def test_roles_for_other_providers_do_not_count(api, pool_id):
    """A role that the response pairs with another provider is ignored. The pool's role is assumed."""
    pairs = [f"arn:aws:iam::123456789012:saml-provider/other,{ROLE}admin"]
    response = api.emulator.saml_response(
        CORP, attributes={"https://aws.amazon.com/SAML/Attributes/Role": pairs}
    )

    assert assumed_role(api, get_id(api, pool_id, response), response) == "authenticated"


@pytest.mark.parametrize("pair", [CORP, f"{CORP},", f" , {CORP}"])
def test_half_a_pair(api, pool_id, pair):
    """A pair without a role is ignored. The pool's role is assumed."""
    response = api.emulator.saml_response(
        CORP, attributes={"https://aws.amazon.com/SAML/Attributes/Role": [pair]}
    )

    assert assumed_role(api, get_id(api, pool_id, response), response) == "authenticated"


def test_pair_in_either_order(api, pool_id):
    """The role and the provider ARN of a pair may have either order."""
    response = api.emulator.saml_response(
        CORP, attributes={"https://aws.amazon.com/SAML/Attributes/Role": [f"{CORP} , {ROLE}staff"]}
    )

    assert assumed_role(api, get_id(api, pool_id, response), response) == "staff"


def test_role_of_another_account(api, pool_id, refused):
    """In the enhanced flow a role of another account is an invalid pool configuration."""
    response = api.emulator.saml_response(CORP, roles=["arn:aws:iam::999999999999:role/theirs"])
    identity_id = get_id(api, pool_id, response)

    code, _, _ = refused(
        api.public.get_credentials_for_identity, IdentityId=identity_id, Logins={CORP: response}
    )
    assert code == "InvalidIdentityPoolConfigurationException"


def test_rules_on_attributes(api, pool_id):
    """A role mapping of the provider comes before the response's roles. Its rules see the attributes."""
    rule = {"Claim": "team", "MatchType": "Equals", "Value": "ops", "RoleARN": ROLE + "ops"}
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": [rule]},
    }
    api.developer.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={}, RoleMappings={CORP: mapping})
    response = api.emulator.saml_response(CORP, roles=[ROLE + "one"], attributes={"team": ["ops"]})

    assert assumed_role(api, get_id(api, pool_id, response), response) == "ops"


def test_basic_flow_is_not_supported(api, pool_id, refused):
    """GetOpenIdToken refuses SAML logins."""
    response = api.emulator.saml_response(CORP)
    identity_id = get_id(api, pool_id, response)

    code, message, _ = refused(api.public.get_open_id_token, IdentityId=identity_id, Logins={CORP: response})
    assert code == "InvalidParameterException"
    assert message == "Basic (classic) flow is not enabled, please use enhanced flow."


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (3600 + 301, "Invalid login token. Token expired: "),
        (-360, "Invalid login token. Token is not valid yet."),
    ],
)
def test_outside_its_time(api, pool_id, refused, seconds, message):
    """A response is accepted from NotBefore to NotOnOrAfter, with the grace of other tokens."""
    response = api.emulator.saml_response(CORP)
    api.emulator.move_clock(seconds)

    assert refused(get_id, api=api, pool_id=pool_id, response=response)[1].startswith(message)


def test_unknown_provider(api, pool_id, refused):
    """A response of a provider that no seed describes is an ExternalServiceException."""
    other = SigningKeys()
    response = changed(
        sign_response(other, CORP, "ann", [], {}, api.emulator.service.clock.now(), 60),
        lambda root: root.find(f"{SAML}Assertion/{SAML}Issuer").__setattr__(
            "text", "https://idp.example.com"
        ),
    )

    assert refused(get_id, api=api, pool_id=pool_id, response=response)[0] == "ExternalServiceException"


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        base64.b64encode(b"no xml").decode(),
        base64.b64encode(b"<a/>").decode(),
        base64.b64encode(f'<r:Response xmlns:r="{NAMESPACES["samlp"]}"/>'.encode()).decode(),
    ],
)
def test_no_response(api, pool_id, refused, text):
    """The value must be base64 of a Response in XML with an assertion."""
    code, message, _ = refused(get_id, api=api, pool_id=pool_id, response=text)

    assert code in ("NotAuthorizedException", "ExternalServiceException")
    assert code == "ExternalServiceException" or message == NO_RESPONSE


def test_no_document_type(api, pool_id, refused):
    """A response with a document type is refused, so no entity is read."""
    text = base64.b64decode(api.emulator.saml_response(CORP))
    bomb = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>' + text

    refusal = refused(get_id, api=api, pool_id=pool_id, response=base64.b64encode(bomb).decode())
    assert refusal[1] == NO_RESPONSE


def test_encrypted_assertion(api, pool_id, refused):
    """A response with an encrypted assertion is refused, even if it has a signed one, too."""
    response = changed(
        api.emulator.saml_response(CORP), lambda root: etree.SubElement(root, f"{SAML}EncryptedAssertion")
    )

    assert refused(get_id, api=api, pool_id=pool_id, response=response)[1] == NO_RESPONSE


def test_failed_status(api, pool_id, refused):
    """A response with another status than success is refused."""
    response = changed(
        api.emulator.saml_response(CORP),
        lambda root: root.find(f"{SAMLP}Status/{SAMLP}StatusCode").set("Value", "urn:denied"),
    )

    assert refused(get_id, api=api, pool_id=pool_id, response=response)[1] == NO_RESPONSE


def rename(root):
    root.find(f"{SAML}Assertion/{SAML}Subject/{SAML}NameID").text = "admin"


def other_time(root):
    root.find(f"{SAML}Assertion/{SAML}Conditions").set("NotOnOrAfter", "2100-01-01T00:00:00Z")


def unsign(root):
    assertion = root.find(f"{SAML}Assertion")
    assertion.remove(assertion.find(f"{DS}Signature"))


def forge_beside(root):
    """XSW: a forged assertion first, the signed one after it."""
    evil = etree.fromstring(etree.tostring(root.find(f"{SAML}Assertion")))
    evil.set("ID", "_evil")
    evil.remove(evil.find(f"{DS}Signature"))
    evil.find(f"{SAML}Subject/{SAML}NameID").text = "admin"
    root.insert(1, evil)


def forge_around(root):
    """XSW: a forged assertion holds the signature, and the signed assertion inside of it."""
    good = root.find(f"{SAML}Assertion")
    evil = etree.fromstring(etree.tostring(good))
    evil.set("ID", "_evil")
    evil.find(f"{SAML}Subject/{SAML}NameID").text = "admin"
    root.remove(good)
    root.append(evil)
    signature = evil.find(f"{DS}Signature")
    good.remove(good.find(f"{DS}Signature"))
    etree.SubElement(signature, f"{DS}Object").append(good)


def forge_same_id(root):
    """XSW: as before, but the forged assertion has the signed one's ID."""
    forge_around(root)
    good = root.find(f".//{DS}Object/{SAML}Assertion")
    root.find(f"{SAML}Assertion").set("ID", good.get("ID"))


def forge_in_extensions(root):
    """XSW: the signed assertion hides in an Extensions element, a forged one takes its place."""
    good = root.find(f"{SAML}Assertion")
    evil = etree.fromstring(etree.tostring(good))
    evil.set("ID", "_evil")
    evil.find(f"{SAML}Subject/{SAML}NameID").text = "admin"
    etree.SubElement(root, f"{SAMLP}Extensions").append(good)
    root.append(evil)


def sign_the_response_instead(root):
    """The assertion's signature moves up to the response, which it does not cover."""
    forge = root.find(f"{SAML}Assertion")
    signature = forge.find(f"{DS}Signature")
    root.insert(0, signature)
    forge.find(f"{SAML}Subject/{SAML}NameID").text = "admin"


@pytest.mark.parametrize(
    "forge",
    [rename, other_time, unsign, forge_beside, forge_around, forge_same_id, forge_in_extensions,
     sign_the_response_instead],
)  # fmt: skip
def test_forged_responses(api, pool_id, refused, forge):
    """A change in, beside or around the signed element is refused."""
    good = api.emulator.saml_response(CORP, subject="ann")
    get_id(api, pool_id, good)

    code, message, _ = refused(get_id, api=api, pool_id=pool_id, response=changed(good, forge))

    assert (code, message) in [("NotAuthorizedException", text) for text in (FORGED, NO_RESPONSE)]
    listed = api.developer.list_identities(IdentityPoolId=pool_id, MaxResults=10)["Identities"]
    assert len(listed) == 1


def test_comment_in_a_name(api, pool_id):
    """A comment in the NameID, which canonicalisation drops, does not cut the name short."""
    good = api.emulator.saml_response(CORP, subject="admin@corp.evil")
    text = base64.b64decode(good).replace(b"admin@corp.evil", b"admin@corp<!-- x -->.evil")
    evil = get_id(api, pool_id, base64.b64encode(text).decode())

    assert evil == get_id(api, pool_id, good)
    assert evil != get_id(api, pool_id, api.emulator.saml_response(CORP, subject="admin@corp"))


def test_key_of_the_response_is_not_trusted(api, pool_id, refused):
    """The certificate inside a response is not trusted."""
    forged = sign_response(SigningKeys(), CORP, "admin", [], {}, api.emulator.service.clock.now(), 60)

    assert refused(get_id, api=api, pool_id=pool_id, response=forged)[1] == FORGED


METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
</md:IDPSSODescriptor></md:EntityDescriptor>"""
SEED = f"""
[[saml_providers]]
arn = "{CORP}"
metadata_file = "metadata.xml"
"""


def seed_with(tmp_path, metadata):
    (tmp_path / "metadata.xml").write_text(metadata)
    (tmp_path / "seed.toml").write_text(SEED)
    return Seed.load(tmp_path / "seed.toml")


def test_provider_of_the_seed(tmp_path, boto_session, emulator_keys, monkeypatch, refused):
    """A provider's responses verify only with the certificates of its metadata."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from cognito_credentials.emulator.logins import saml_issuer

    theirs, entity_id = SigningKeys(), "https://idp.example.com/metadata"
    der = base64.b64encode(certificate(theirs).public_bytes(Encoding.DER)).decode()
    seed = seed_with(tmp_path, METADATA.format(entity_id=entity_id, certificate=der))
    with Emulator(keys=emulator_keys, seed=seed) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity")
        pool_id = emulator.create_pool(SamlProviderARNs=[CORP])
        with monkeypatch.context() as patch:
            patch.setattr(saml_issuer, "TEST_ENTITY_ID", entity_id)  # signs in the name of another issuer
            now = emulator.service.clock.now()
            good = sign_response(theirs, CORP, "ann", [], {}, now, 60)
            forged = sign_response(SigningKeys(), CORP, "ann", [], {}, now, 60)
        assert get_id(api, pool_id, good)
        assert refused(get_id, api=api, pool_id=pool_id, response=forged)[1] == FORGED
        api.close()


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("<a", "metadata.xml: not XML: "),
        ("<a/>", "metadata.xml: no identity provider with an entityID and a signing certificate"),
        (METADATA.format(entity_id="a", certificate="AAAA"), "metadata.xml: "),
    ],
)
def test_mistakes_in_metadata(tmp_path, metadata, error):
    """A mistake in metadata is one line, which names the place in the seed and the file."""
    seed = seed_with(tmp_path, metadata)

    with pytest.raises(SeedError) as caught:
        Emulator(seed=seed).start()

    assert "saml_providers[1].metadata_file: " in str(caught.value)
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_control_call(api, pool_id):
    """A program in another language gets responses by a control call."""
    made = api.control("POST", "saml-response", {"provider": CORP, "roles": [ROLE + "r"]}).json["response"]

    assert assumed_role(api, get_id(api, pool_id, made), made) == "r"
    for wrong in ({}, {"provider": CORP, "roles": "r"}, {"provider": CORP, "attributes": {"a": 1}}):
        assert api.control("POST", "saml-response", wrong).status == 400
    assert api.control("POST", "saml-response", {"provider": CORP, "subject": "\x00"}).status == 400


def signed_as_a_whole(api, subject="ann"):
    """A response that is signed as a whole, as some providers do."""
    from signxml import XMLSigner

    keys = api.emulator.service.keys
    root = etree.fromstring(base64.b64decode(api.emulator.saml_response(CORP, subject=subject)))
    unsign(root)
    place = etree.Element(f"{DS}Signature", nsmap={"ds": NAMESPACES["ds"]}, Id="placeholder")
    root.insert(0, place)
    signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
    signed = signer.sign(
        root, key=keys.get("test-issuer"), cert=[certificate(keys)], reference_uri=root.get("ID")
    )
    return base64.b64encode(etree.tostring(signed)).decode()


def wrap_whole(root):
    """XSW: a new response around the signed one, with a forged assertion and the signature moved up."""
    good = etree.fromstring(etree.tostring(root))
    rename(root)
    root.set("ID", "_evil")
    signature = root.find(f"{DS}Signature")
    etree.SubElement(signature, f"{DS}Object").append(good)
    good.remove(good.find(f"{DS}Signature"))


def add_assertion(root):
    """A second assertion in a response that is signed as a whole."""
    evil = etree.fromstring(etree.tostring(root.find(f"{SAML}Assertion")))
    evil.set("ID", "_evil")
    root.append(evil)


@pytest.mark.parametrize("forge", [rename, other_time, wrap_whole, add_assertion])
def test_response_signed_as_a_whole(api, pool_id, refused, forge):
    """A response that is signed as a whole is accepted, and changes to it are refused."""
    good = signed_as_a_whole(api)
    ann = get_id(api, pool_id, good)
    assert ann == get_id(api, pool_id, api.emulator.saml_response(CORP, subject="ann"))

    refusal = refused(get_id, api=api, pool_id=pool_id, response=changed(good, forge))

    assert refusal[1] in (FORGED, NO_RESPONSE)


def test_default_tags(api, pool_id):
    """The default principal tags of a SAML provider are the name identifier and the name."""
    api.developer.set_principal_tag_attribute_map(
        IdentityPoolId=pool_id, IdentityProviderName=CORP, UseDefaults=True
    )
    name = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
    response = api.emulator.saml_response(CORP, subject="ann@corp", attributes={name: ["Ann"]})
    identity_id = get_id(api, pool_id, response)

    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins={CORP: response})

    session = api.emulator.service.mint.recent(keys["Credentials"]["AccessKeyId"])
    assert session.tags == {"client": "ann@corp", "username": "Ann"}


def test_audience(api, pool_id, refused, emulator_keys, monkeypatch):
    """A response for another audience than AWS is refused."""
    from cognito_credentials.emulator.logins import saml_issuer

    with monkeypatch.context() as patch:
        patch.setattr(saml_issuer, "AUDIENCE", "urn:somebody:else")
        response = api.emulator.saml_response(CORP)

    refusal = refused(get_id, api=api, pool_id=pool_id, response=response)
    assert refusal[1] == "Invalid login token. Incorrect token audience"


def test_without_the_extra(api, pool_id, tmp_path, monkeypatch):
    """Without the saml extra, a seed, a control call and a login with SAML say what to install."""
    response = api.emulator.saml_response(CORP)
    for name in ("lxml", "lxml.etree", "signxml"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SeedError, match=r"saml_providers\[1\]: needs lxml; run: .*pip install .*,saml"):
        Emulator(seed=seed_with(tmp_path, "<a/>")).start()
    answer = api.control("POST", "saml-response", {"provider": CORP})
    assert (answer.status, "pip install" in answer.json["error"]) == (400, True)
    answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {CORP: response}})
    assert (answer.status, "pip install" in answer.json["message"]) == (500, True)
