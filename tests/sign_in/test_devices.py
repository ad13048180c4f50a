"""User pools that remember devices: the refresh token works only together with the device it was given to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from cognito_credentials.errors import LoginRequiredError, RefusedError, ServiceError
from cognito_credentials.sign_in.issuers.tokens import Device
from cognito_credentials.sign_in.issuers.user_pool_api import UserPoolApi
from cognito_credentials.sign_in.sources import UserPool

from ..conftest import locals_of
from .conftest import Person
from .emulated_pool import CLIENT, POOL, EmulatedPool

PASSWORD = "CANARY correct horse"
pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own
HAS_ROTATION = (
    "GetTokensFromRefreshToken"
    in botocore.session.get_session().get_service_model("cognito-idp").operation_names
)


@pytest.fixture(params=["rotating", "lasting", "older"] if HAS_ROTATION else ["older"])
def user_pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    """A pool that remembers every device; "older" is without GetTokensFromRefreshToken."""
    rotates, is_older = request.param == "rotating", request.param == "older"
    server = EmulatedPool(rotates=rotates, has_new_refresh=not is_older, remembers=True)
    server.add("ann", PASSWORD, "SOFTWARE_TOKEN_MFA")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


@pytest.fixture
def one_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool(remembers=True)
    server.add("ann", PASSWORD, "SOFTWARE_TOKEN_MFA")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


def _source(**options: Any) -> UserPool:
    return UserPool(POOL, CLIENT, **{"store": "file", "sign_in": "password", **options})


def _sign_in(pool: EmulatedPool, name: str = "ann") -> Person:
    person = Person(name, PASSWORD, pool.code)
    assert _source().sign_in(person).subject == f"sub-{name}"
    return person


def _secret(home: Path) -> dict[str, Any]:
    (found,) = home.rglob("secret-v1-*")
    return dict(json.loads(found.read_text()))


def _sent(server: EmulatedPool, operation: str) -> list[dict[str, Any]]:
    return [body for name, body in server.requests if name == operation]


def test_the_device_is_confirmed_and_refreshed_with(user_pool: EmulatedPool, isolation: Path) -> None:
    """The device that the pool names is confirmed with a verifier, stored, and sent with each refresh."""
    _sign_in(user_pool)

    (key,) = user_pool.users["ann"].devices
    kept = _secret(isolation)
    assert kept["device"]["key"] == key
    for _ in range(3):
        assert _source().token()
    assert _secret(isolation)["device"] == kept["device"]
    # What the device proves itself with stays here.
    assert kept["device"]["password"] not in str(user_pool.requests)


def test_a_known_device_proves_itself_and_needs_no_code(user_pool: EmulatedPool, isolation: Path) -> None:
    """At the next sign-in the device proves itself by SRP, in place of the second factor."""
    _sign_in(user_pool)
    before = _secret(isolation)["device"]
    user_pool.revoke_all()
    with pytest.raises(LoginRequiredError):
        _source().token()

    person = _sign_in(user_pool)

    assert person.answers == [user_pool.code]  # nobody asked for it
    assert _secret(isolation)["device"] == before
    assert list(user_pool.users["ann"].devices) == [before["key"]]
    assert _source().token()


def test_signing_out_forgets_the_device(user_pool: EmulatedPool, isolation: Path) -> None:
    """The pool forgets the device, and none of its refresh tokens works."""
    _sign_in(user_pool)

    assert _source().sign_out().revoked
    assert user_pool.users["ann"].devices == {}
    assert user_pool.refresh_tokens == {}
    assert list(isolation.rglob("secret-v1-*")) == []


def test_somebody_else_is_not_taken_for_the_devices_user(one_pool: EmulatedPool, isolation: Path) -> None:
    """Each user has another device; the device of a replaced user is forgotten at the pool."""
    one_pool.add("bob", PASSWORD, "SOFTWARE_TOKEN_MFA")
    _sign_in(one_pool)
    ann = _secret(isolation)["device"]["key"]
    one_pool.requests.clear()

    person = _sign_in(one_pool, "bob")

    assert person.answers == []  # the code was asked for
    assert ann not in str(_sent(one_pool, "RespondToAuthChallenge"))
    assert list(one_pool.users["bob"].devices) == [_secret(isolation)["device"]["key"]]
    assert one_pool.users["ann"].devices == {}
    assert _source().token()


@pytest.mark.parametrize("how", ["forgotten", "another's password"])
def test_a_device_that_the_pool_does_not_take_is_a_new_one(
    one_pool: EmulatedPool, isolation: Path, how: str
) -> None:
    """Where the pool has forgotten the device or refuses its proof, the user signs in as on a new machine."""
    _sign_in(one_pool)
    user = one_pool.users["ann"]
    (old,) = user.devices
    if how == "forgotten":
        user.forget_devices()
    else:
        user.spoil_device(old)

    person = _sign_in(one_pool)

    assert person.answers == []  # the code was asked for
    new = _secret(isolation)["device"]["key"]
    assert new != old
    assert new in user.devices
    assert _source().token()


@pytest.mark.quick
def test_a_device_that_cannot_be_confirmed(one_pool: EmulatedPool, isolation: Path) -> None:
    """The sign-in is stored, with a message that it will not last."""
    one_pool.fail("ConfirmDevice", "NotAuthorizedException", "Access Token does not have required scopes")

    person = _sign_in(one_pool)

    assert "may end within the hour" in person.shown[-1]
    assert "required scopes" in person.shown[-1]
    assert "device" not in _secret(isolation)
    with pytest.raises(LoginRequiredError, match="Invalid Refresh Token"):
        _source().token()


def test_a_pool_that_does_not_answer_when_a_device_is_confirmed(
    one_pool: EmulatedPool, isolation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens are stored, with a message that they may not last."""
    call = UserPoolApi.call

    def hangs(self: UserPoolApi, operation: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        if operation == "ConfirmDevice":
            raise ServiceError("cognito-idp.us-east-1.amazonaws.com cannot be reached (ReadTimeoutError)")
        return call(self, operation, *arguments, **options)

    monkeypatch.setattr(UserPoolApi, "call", hangs)

    person = _sign_in(one_pool)

    assert "ReadTimeoutError" in person.shown[-1]
    assert "may end within the hour" in person.shown[-1]
    assert _secret(isolation)["refresh_token"] in one_pool.refresh_tokens


@pytest.mark.parametrize("key", ["\ud800", "x\ud800_y"])
def test_a_device_whose_name_makes_no_sense(one_pool: EmulatedPool, key: str) -> None:
    """Whatever the pool calls the device: one of our errors, with neither input nor tokens in its frames."""

    def odd(given: dict[str, Any]) -> dict[str, Any]:
        if "AuthenticationResult" in given:
            given["AuthenticationResult"]["NewDeviceMetadata"]["DeviceKey"] = key
        return given

    one_pool.lies["RespondToAuthChallenge"] = odd

    with pytest.raises(RefusedError, match=r"makes no sense \(UnicodeEncodeError\)") as caught:
        _sign_in(one_pool)
    assert "CANARY" not in locals_of(caught.value)
    assert "eyJ" not in locals_of(caught.value)


def test_a_device_that_cannot_be_forgotten_does_not_keep_the_token_alive(one_pool: EmulatedPool) -> None:
    """Where ForgetDevice fails, the newest refresh token is still revoked."""
    one_pool.change(rotate_refresh_tokens=HAS_ROTATION)
    _sign_in(one_pool)
    one_pool.fail("ForgetDevice", "InternalErrorException", "not now")

    assert _source().sign_out().revoked
    assert one_pool.refresh_tokens == {}


def test_a_sign_in_of_an_earlier_version_still_loads(one_pool: EmulatedPool, isolation: Path) -> None:
    """A secret of a version without devices and principals refreshes, and has its principal from then on."""
    one_pool.change(devices="off")
    one_pool.change(rotate_refresh_tokens=HAS_ROTATION)
    _sign_in(one_pool)
    (place,) = isolation.rglob("secret-v1-*")
    kept = _secret(isolation)
    place.write_text(json.dumps({"v": 1, "refresh_token": kept["refresh_token"]}))

    assert _source().token()
    if HAS_ROTATION:
        assert _secret(isolation)["principal"] == kept["principal"]
    assert _source().token()


def test_an_earlier_versions_secret_of_somebody_else_is_not_taken(
    one_pool: EmulatedPool, isolation: Path
) -> None:
    """A secret without a principal must give a token of the user who is signed in."""
    one_pool.change(devices="off")
    _sign_in(one_pool)
    one_pool.add("bob", PASSWORD)
    bobs = one_pool.new_refresh_token("bob")
    (place,) = isolation.rglob("secret-v1-*")
    place.write_text(json.dumps({"v": 1, "refresh_token": bobs}))

    with pytest.raises(Exception, match="another user's token"):
        _source().token()


@pytest.mark.parametrize("device", [7, {}, {"key": "x"}, dict.fromkeys(Device._fields, 1)])
def test_half_a_device_is_none(one_pool: EmulatedPool, isolation: Path, device: object) -> None:
    """A device with a missing part is read as none; the pool then refuses the refresh."""
    _sign_in(one_pool)
    (place,) = isolation.rglob("secret-v1-*")
    place.write_text(json.dumps({**_secret(isolation), "device": device}))

    with pytest.raises(LoginRequiredError, match="Invalid Refresh Token"):
        _source().token()


def test_a_keyring_that_cannot_be_read_makes_a_new_device(
    one_pool: EmulatedPool, isolation: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The remembered device is read before signing in; a failure of that keeps nobody out."""
    _sign_in(one_pool)
    (place,) = isolation.rglob("secret-v1-*")
    place.write_text("CANARY, cut off")

    with caplog.at_level(logging.DEBUG):
        _sign_in(one_pool)

    assert "the device that the user pool remembers cannot be read" in caplog.text
    assert len(one_pool.users["ann"].devices) == 2
