"""SAML responses and short provider names."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest

from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import ConfigurationError, LoginRejectedError
from cognito_credentials.logins import FileSource, Logins
from cognito_credentials.logins.providers import ALIASES, check_provider
from tests.world import World

__all__ = ["emulator", "emulator_keys"]

ARN = "arn:aws:iam::123456789012:saml-provider/corp"
XML = b"<samlp:Response>CANARY</samlp:Response>"


@pytest.fixture
def world(emulator, isolation: Path) -> World:
    """A pool that takes SAML."""
    pytest.importorskip("signxml", reason="SAML in the emulator needs the extra 'saml'")
    made = World(emulator, {"HOME": str(isolation)})
    made.pool_id = emulator.create_pool(SamlProviderARNs=[ARN], AllowUnauthenticatedIdentities=False)
    return made


@pytest.mark.writes_secrets
def test_a_response_in_a_file_becomes_credentials(world: World, tmp_path: Path) -> None:
    """A SAML response from a file, in lines as base64 writes it, is a login like any other."""
    response = tmp_path / "response"
    response.write_text("\n".join(textwrap.wrap(world.emulator.saml_response(ARN, subject="ann"), 76)) + "\n")
    pool = world.pool(logins={ARN: FileSource(response)})

    first = pool.identity_id()
    assert pool.credentials().access_key_id.startswith("ASIA")
    response.write_text(world.emulator.saml_response(ARN, subject="ann"))

    assert world.pool(logins={ARN: FileSource(response)}).identity_id() == first


@pytest.mark.writes_secrets
def test_nothing_is_kept_for_the_subject_of_a_response(world: World, tmp_path: Path) -> None:
    """The principal of an unverified response is a hash of all of it, not of the user that it names."""
    response = tmp_path / "response"
    response.write_text(world.emulator.saml_response(ARN, subject="ann"))
    pool = world.pool(logins={ARN: FileSource(response)})
    pool.credentials()
    raw = base64.b64decode(response.read_text()).replace(b"SignatureValue>", b"SignatureValue>A", 1)
    response.write_text(base64.b64encode(raw).decode())

    with pytest.raises(LoginRejectedError):
        world.pool(logins={ARN: FileSource(response)}).credentials()


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (XML.decode(), "is the XML itself"),
        ("SAMLResponse=" + base64.b64encode(XML).decode(), "is no SAML response"),
        (base64.b64encode(b"{}").decode(), "is no SAML response"),
        ("CANARY", "is no SAML response"),
    ],
)
def test_what_is_given_in_place_of_a_response(token: str, says: str) -> None:
    """A token that is no response is refused before it is sent, and not shown."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        Logins.of({ARN: token}).resolve(0)

    assert "CANARY" not in str(caught.value)


def test_a_response_is_not_taken_for_a_token_with_claims() -> None:
    """Issuer and expiry of a response are not read."""
    response = base64.b64encode(XML).decode()

    resolved = Logins.of({ARN: response}).resolve(1e12)

    assert list(resolved.tokens) == [ARN]
    assert resolved.tokens[ARN].reveal() == response
    assert (resolved.identity_id, resolved.subject) == (None, None)


@pytest.mark.parametrize(("short", "name"), ALIASES.items())
def test_short_names_are_cognitos_names(short: str, name: str) -> None:
    """`google` is accounts.google.com, wherever a login provider is named."""
    assert check_provider(short, "argument") == name
    assert Logins.of({short: "t"}).providers == (name,)
    assert Logins.parse({short: "env:T"}, origin="profile 'app'").providers == (name,)


def test_one_provider_by_two_names_is_refused() -> None:
    """Short and long name of one provider would be two tokens for it."""
    with pytest.raises(ConfigurationError, match=r"accounts\.google\.com is there twice"):
        Logins.of({"google": "a", "accounts.google.com": "b"})
