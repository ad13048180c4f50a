"""Claims are read strictly, for hints only, and without ever raising."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.digest import digest
from cognito_credentials.logins.claims import (
    TOKEN_LIMIT,
    unverified_claims,
    unverified_expiry,
    unverified_issuer,
    unverified_subject,
)

from .tokens import encoded, jwt

EMPTY = encoded({})
NAN, INFINITE = encoded(b'{"exp": NaN}'), encoded(b'{"exp": Infinity}')


def test_claims_are_read_whatever_the_signature_says() -> None:
    """Neither the algorithm nor the signature is looked at."""
    for token in (jwt(), jwt(header={"alg": "none"}, signature=""), jwt(header={}), jwt(signature="!")):
        claims = unverified_claims(token)
        assert claims is not None
        assert claims["sub"] == "ann"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "Atza|opaque",
        jwt() + ".x",
        "x" * TOKEN_LIMIT,
        jwt(filler="x" * TOKEN_LIMIT),
        f" {jwt()}",
        f"{EMPTY}=.{EMPTY}.x",
        f"{EMPTY}.{EMPTY}==.x",
        f"{EMPTY}.{EMPTY}+.x",
        f"{EMPTY}.{encoded([])}.x",
        f"{encoded([])}.{EMPTY}.x",
        f"{EMPTY}.{encoded(b'{')}.x",
        f"{EMPTY}.{encoded(bytes([0xFF]))}.x",
        f"{EMPTY}.{encoded(b'[' * 30_000)}.x",
        f"{EMPTY}.{NAN}.x",
        f"{EMPTY}.{INFINITE}.x",
        f"{EMPTY}.e31.x",  # spare bits set: e30 is {}
        f"{EMPTY}.e.x",
        f"{EMPTY}..x",
    ],
)
def test_what_is_not_strictly_a_jwt_has_no_claims(token: str) -> None:
    """Text that is not strictly a JWT has no claims, and raises nothing."""
    assert unverified_claims(token) is None


@given(st.text(max_size=200) | st.text("eyJ.-_A0", max_size=60))
def test_reading_never_raises(text: str) -> None:
    """Any text has claims or None."""
    assert unverified_claims(text) is None or isinstance(unverified_claims(text), dict)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5)
)
def test_claims_of_any_type_are_survived(value: object) -> None:
    """A claim of the wrong type is None, and raises nothing."""
    claims = {"iss": value, "sub": value, "exp": value}
    assert isinstance(unverified_issuer(claims), str | None)
    assert isinstance(unverified_expiry(claims), float | None)
    subject = unverified_subject(claims)
    assert subject is None or all(isinstance(part, str) for part in subject)


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://a.example/x/", "a.example/x/"),
        ("HTTPS://a.example", "a.example"),
        ("http://127.0.0.1:1", "127.0.0.1:1"),
        ("accounts.google.com", "accounts.google.com"),
        ("", None),
        (["https://a.example"], None),
    ],
)
def test_the_issuer_is_named_like_a_provider(issuer: object, expected: str | None) -> None:
    """A login provider name is the issuer without its scheme."""
    assert unverified_issuer({"iss": issuer}) == expected


@pytest.mark.parametrize(
    "expiry", [True, "1800000000", None, 10**400, -(10**13), 1e300, float("nan"), float("inf")]
)
def test_senseless_expiries_are_unknown(expiry: object) -> None:
    """An expiry that is no number, or out of range, is None."""
    assert unverified_expiry({"exp": expiry}) is None


@given(st.lists(st.none() | st.text(st.characters(codec=None), max_size=6), max_size=4), st.data())
def test_digests_of_different_lists_differ(one: list[str | None], data: st.DataObject) -> None:
    """Two lists of parts share a digest exactly when they are the same list."""
    other = data.draw(st.lists(st.none() | st.text(st.characters(codec=None), max_size=6), max_size=4))
    assert (digest(*one) == digest(*other)) is (one == other)
    assert len(digest(*one)) == 64
