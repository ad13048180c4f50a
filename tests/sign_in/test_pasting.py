"""The address that a person pastes: accepted as browsers copy it, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from cognito_credentials.exchange.http import Network
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.ways.authorization import AnswerRefused, Authorization

from .hostile_issuer import CLIENT, HostileIssuer

HERE = "http://127.0.0.1:8400/callback"


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    """An issuer that names itself in its answers (RFC 9207)."""
    made = HostileIssuer()
    made.metadata = {"authorization_response_iss_parameter_supported": True}
    yield made
    made.close()


@pytest.fixture
def asked(issuer: HostileIssuer) -> Authorization:
    """A request whose answer is pasted."""
    return Authorization(OidcIssuer(Network(), issuer.url, CLIENT, None), HERE, "openid")


def _answer(asked: Authorization, issuer: HostileIssuer) -> str:
    state = parse_qs(urlsplit(asked.url).query)["state"][0]
    return f"{HERE}?code=CANARY-code&state={state}&iss={quote(issuer.url, safe='')}"


@pytest.mark.parametrize("around", ["{}", "'{}'", '"{}"', "<{}>", " {}\n", "bare"])
def test_an_address_is_taken_as_people_copy_it(
    asked: Authorization, issuer: HostileIssuer, around: str
) -> None:
    """Quotes around the address, and a missing http:// (which browsers do not show), are accepted."""
    text = _answer(asked, issuer)
    text = text.removeprefix("http://") if around == "bare" else around.format(text)

    assert asked.accept(asked.read_pasted(Secret(text))) == Secret("CANARY-code")


@pytest.mark.parametrize("left_out", [3, "iss"])
def test_an_address_that_is_cut_off(asked: Authorization, issuer: HostileIssuer, left_out: int | str) -> None:
    """A partly copied address is called that, and not the answer of another issuer; the next try works."""
    whole = _answer(asked, issuer)
    cut = whole[:-left_out] if isinstance(left_out, int) else whole.partition("&iss=")[0]

    with pytest.raises(AnswerRefused, match="cut off at its end"):
        asked.accept(asked.read_pasted(Secret(cut)))
    assert asked.accept(asked.read_pasted(Secret(whole))) == Secret("CANARY-code")


@pytest.mark.parametrize("named", ["https://evil.example", "http://127.0.0.1:8400.evil.example/"])
def test_another_issuer_is_called_that(asked: Authorization, issuer: HostileIssuer, named: str) -> None:
    """An answer that names another issuer is refused for that reason."""
    text = _answer(asked, issuer).partition("&iss=")[0] + "&iss=" + quote(named, safe="")

    with pytest.raises(AnswerRefused, match="from another issuer"):
        asked.accept(asked.read_pasted(Secret(text)))


@pytest.mark.parametrize(
    "text", ["https://127.0.0.1:8400/callback?code=x", "evil.example/callback?code=x", "'"]
)
def test_what_is_no_address_of_ours(asked: Authorization, text: str) -> None:
    """With quotes or a missing scheme, an address of another server is still refused."""
    with pytest.raises(AnswerRefused, match="does not begin with"):
        asked.read_pasted(Secret(text))
