"""Answers that nothing proves to be this sign-in's: no code is taken by them; what they report is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import LoginRejectedError, LoginRequiredError
from cognito_credentials.exchange.http import Network
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.sources import OidcLogin
from cognito_credentials.sign_in.ways.browser import sign_in_here

from .conftest import Person
from .hostile_issuer import CLIENT, HostileIssuer
from .test_attacks import Visit, _get, _query, goal_of

SAML = "Invalid SAML response received: SAML Assertion signature is invalid."
REFUSED = {"error": "server_error", "error_description": SAML}
UNPROVEN = "without proof that it is the answer to this sign-in"
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    made = HostileIssuer()
    yield made
    made.close()


class Waiting:
    """A sign-in in the browser: what its person is told, and the addresses that are opened meanwhile."""

    def __init__(
        self, issuer: HostileIssuer, person: Person, *queries: Any, wait_seconds: float = 60
    ) -> None:
        self.pages: list[tuple[int, str]] = []
        self._queries = list(queries)
        self._issuer = issuer
        self.person = person
        self.wait_seconds = wait_seconds

    def _opened(self, url: str) -> bool:
        address = goal_of(url)
        asked = _query(address)
        self.person.address = address  # type: ignore[attr-defined]  # only one of them looks
        self._issuer.nonce = asked["nonce"]
        for query in self._queries:
            filled = {name: value.replace("{state}", asked["state"]) for name, value in query.items()}
            self.pages.append(_get(asked["redirect_uri"], filled))
        return True

    def run(self) -> Any:
        issuer = OidcIssuer(Network(), self._issuer.url, CLIENT)
        return sign_in_here(
            issuer,
            self.person,
            scope="openid",
            ports=(),
            keep=lambda verified: verified,
            open_browser=self._opened,
            wait_seconds=self.wait_seconds,
        )


def test_what_is_reported_without_a_state_is_told_at_once_and_named_at_the_end(issuer: HostileIssuer) -> None:
    """A failed SAML sign-in is told in terminal and browser, as unproven, and again when time runs out."""
    person = Person()
    waiting = Waiting(issuer, person, REFUSED, wait_seconds=0.01)

    with pytest.raises(LoginRequiredError) as caught:
        waiting.run()

    ((status, page),) = waiting.pages
    assert status == 400
    for shown in (page, person.shown[-1], caught.value.message):
        assert UNPROVEN in shown
        assert SAML.rstrip(".") in shown
    for shown in (page, person.shown[-1]):
        assert "goes on waiting" in shown
        assert caught.value.hint not in shown  # what to do instead would be a made-up refusal's advice
    assert caught.value.message.startswith("nobody signed in")
    assert "the identity provider behind it" in caught.value.hint
    assert "/token" not in [path for _, path, _ in issuer.requests]


class Answers(Person):
    """A person who signs in properly as soon as a refusal is told."""

    address = ""

    def say(self, text: str) -> None:
        super().say(text)
        if UNPROVEN in text:
            asked = _query(self.address)
            right = {"code": "CANARY-code", "state": asked["state"]}
            threading.Thread(target=_get, args=(asked["redirect_uri"], right), daemon=True).start()


def test_it_is_told_while_the_sign_in_waits(issuer: HostileIssuer) -> None:
    """The person reads of the refusal before the time runs out, and can still sign in."""
    person = Answers()
    waiting = Waiting(issuer, person, REFUSED)

    assert waiting.run().claims["sub"] == "ann"


def test_the_sign_in_goes_on_after_an_unproven_refusal(issuer: HostileIssuer) -> None:
    """Attack: any page can make a refusal up. The right answer still signs in."""
    visit = Visit(OidcLogin(issuer.url, CLIENT, store="file", profile_name="app"), issuer)

    status, _ = visit.knock(REFUSED)

    assert status == 400
    assert visit.finish().subject == "ann"


@pytest.mark.parametrize(
    "query", [{"code": "evil"}, {"code": "evil", "state": "wrong"}, {**REFUSED, "state": "x"}]
)
def test_an_ignored_answer_is_told_without_its_content(issuer: HostileIssuer, query: dict[str, str]) -> None:
    """A code without a state and an answer to another sign-in are said to be ignored, without their words."""
    person = Person()
    waiting = Waiting(issuer, person, query, wait_seconds=0.01)

    with pytest.raises(
        LoginRequiredError, match=r"^nobody signed in within \d+ minutes\. Sign in again \(see E-BROWSER\)$"
    ):
        waiting.run()

    assert person.shown[-1].startswith("An answer in the browser was ignored: it")
    assert "evil" not in person.shown[-1] + waiting.pages[0][1]
    assert SAML not in person.shown[-1] + waiting.pages[0][1]


def test_a_page_cannot_fill_the_terminal(issuer: HostileIssuer) -> None:
    """Attack: of many made-up refusals three are told, without escapes and in one line each."""
    many = [{"error": f"e{number}", "error_description": "\x1b[2J\n" + "x" * 900} for number in range(5)]
    person = Person()

    with pytest.raises(LoginRequiredError):
        Waiting(issuer, person, *many, *many, wait_seconds=0.01).run()

    told = [text for text in person.shown if UNPROVEN in text]
    assert len(told) == 3
    assert not any("\x1b" in text or "\n" in text for text in told)
    assert max(map(len, told)) < 600


def test_an_error_that_names_no_issuer_is_told(issuer: HostileIssuer) -> None:
    """An issuer that always names itself, but not in this refusal (RFC 9207): told, and not believed."""
    issuer.metadata = {"authorization_response_iss_parameter_supported": True}
    person = Person()

    with pytest.raises(LoginRequiredError, match=SAML.rstrip(".")):
        Waiting(issuer, person, {**REFUSED, "state": "{state}"}, wait_seconds=0.01).run()


def test_pasted_by_hand_it_is_the_answer(issuer: HostileIssuer) -> None:
    """No page can paste: whoever began the sign-in has this refusal, and it ends there."""
    source = OidcLogin(issuer.url, CLIENT, store="file", redirect_ports=[8400])
    address = "http://127.0.0.1:8400/callback?error=server_error&error_description=" + SAML.replace(" ", "+")

    with pytest.raises(LoginRejectedError, match=SAML.rstrip(".")) as caught:
        source.sign_in(Person(address, address), way="no-browser")
    assert "the identity provider behind it" in caught.value.hint


def test_pasted_from_another_sign_in_it_is_not(issuer: HostileIssuer) -> None:
    """The state of another sign-in proves that it is not this one's: the address is asked for again."""
    source = OidcLogin(issuer.url, CLIENT, store="file", redirect_ports=[8400])
    person = Person(*["http://127.0.0.1:8400/callback?error=access_denied&state=other"] * 3)

    with pytest.raises(LoginRequiredError, match="no address was pasted"):
        source.sign_in(person, way="no-browser")
    assert person.answers == []
