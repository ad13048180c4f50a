"""What is done when the service refuses an identity or a login: one recovery, and then its answer."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cognito_credentials import CognitoCredentialsError, LoginRequiredError, RefusedError, ServiceError
from cognito_credentials.cache.memory import MemoryStore
from cognito_credentials.cache.records import Records
from cognito_credentials.exchange.client import CognitoClient
from cognito_credentials.logins import Logins
from cognito_credentials.refresh.exchanger import Exchanger
from cognito_credentials.refresh.identities import Identities, Principal
from cognito_credentials.secret import Secret
from cognito_credentials.settings.load import load
from tests.conftest import ManualClock
from tests.world import World

PROVIDER = "login.example.com"
NOT_AUTHORIZED = {"code": "NotAuthorizedException"}
EXPIRED = {"operation": "*", "message": "Invalid login token. Token expired: 1 >= 0", **NOT_AUTHORIZED}
MISMATCH = {"operation": "*", "message": "Logins don't match. Please include at least one.", **NOT_AUTHORIZED}


@pytest.fixture
def world(emulator: Any) -> World:
    world = World(emulator, dict(os.environ))
    arn = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    world.pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    return world


class Source:
    """A login source that is asked, and told that its token was refused, as often as the test counts."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.asked = 0
        self.rejected: list[Secret] = []

    def principal(self) -> str:
        return "ann"

    def token(self) -> str:
        self.asked += 1
        return self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]

    def reject(self, token: Secret) -> None:
        self.rejected.append(token)


class TestLogins:
    def test_a_token_that_the_service_calls_expired_is_asked_for_again(self, world: World) -> None:
        """A source that has a newer token is asked once more, and the refresh succeeds."""
        source = Source(world.token("ann"), world.token("ann", claims={"n": "2"}))
        world.faults(EXPIRED)

        assert world.pool(logins={PROVIDER: source}).credentials()

        assert source.asked == 2
        assert len(source.rejected) == 1
        assert world.counts() == {"GetId": 2, "GetCredentialsForIdentity": 1}

    def test_the_same_token_again_is_not_sent_again(self, world: World) -> None:
        """A source that has no newer token makes no second request: a person must sign in."""
        source = Source(world.token("ann"))
        world.faults(EXPIRED)

        with pytest.raises(LoginRequiredError, match="has expired"):
            world.pool(logins={PROVIDER: source}).credentials()

        assert source.asked == 2
        assert world.counts() == {"GetId": 1}

    def test_a_given_token_is_not_asked_for_again(self, world: World) -> None:
        """A token that the program handed over cannot be another one: its refusal is the answer."""
        world.faults(EXPIRED)

        with pytest.raises(LoginRequiredError, match="has expired"):
            world.pool(logins={PROVIDER: world.token("ann")}, user="ann").credentials()

        assert world.counts() == {"GetId": 1}

    def test_a_second_refusal_is_the_answer(self, world: World) -> None:
        """However many tokens a source has, one refresh tries two."""
        source = Source(*(world.token("ann", claims={"n": str(n)}) for n in range(5)))
        world.faults({**EXPIRED, "times": -1})

        with pytest.raises(LoginRequiredError):
            world.pool(logins={PROVIDER: source}).credentials()

        assert source.asked == 2
        assert world.counts() == {"GetId": 2}


class TestIdentities:
    @pytest.mark.parametrize("is_given", [True, False], ids=["a given token", "a source"])
    def test_an_identity_of_other_logins_is_replaced(self, world: World, is_given: bool) -> None:
        """An identity that is not of these logins any more is dropped once, and the user gets another one."""
        login: Any = world.token("ann") if is_given else Source(world.token("ann"))
        pool = world.pool(logins={PROVIDER: login}, user="ann")
        pool.credentials()
        world.faults({**MISMATCH, "operation": "GetCredentialsForIdentity"})

        assert pool.refresh()

        assert world.counts() == {"GetId": 2, "GetCredentialsForIdentity": 3}

    def test_an_identity_that_a_back_end_names_is_not_replaced(self, world: World) -> None:
        """Where the login itself is for one identity, the refusal is the answer."""
        identity = world.pool(logins={PROVIDER: world.token("ann")}).identity_id()
        world.faults({**MISMATCH, "times": -1})

        with pytest.raises(RefusedError):
            world.pool(logins={PROVIDER: world.token("ann")}, identity_id=identity).credentials()

        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}

    def test_what_cannot_be_recovered_is_the_answer(self, world: World) -> None:
        """A failure of the network costs no second attempt with other tokens."""
        source = Source(world.token("ann"))
        world.outage()

        with pytest.raises(ServiceError):
            world.pool(logins={PROVIDER: source}).credentials()

        assert source.asked == 1


class TestLateAnswers:
    """An answer that comes after its deadline, when nobody waits for it any more."""

    LATE, SINCE = "us-east-1:00000000-0000-4000-8000-00000000000a", "us-east-1:0000-since"

    @pytest.fixture
    def parts(self, world: World, clock: ManualClock) -> tuple[Exchanger, Identities, Principal]:
        settings = load({"identity_pool_id": world.pool_id}, environ=world.environ, config={})
        identities = Identities(settings, Records(MemoryStore(), clock), clock)
        client = CognitoClient(settings, clock, world.environ, rng=random.Random(1))
        exchanger = Exchanger(settings, Logins(), client, identities, clock)
        return exchanger, identities, exchanger.identify()

    def _answer_late(self, exchanger: Exchanger, principal: Principal, before: Callable[[], None]) -> None:
        """Make a call that notes an identity after its deadline, and after *before* was called."""
        go_on, noted = threading.Event(), threading.Event()

        def call(_: str | None, __: Mapping[str, Secret], note: Callable[[str], None]) -> None:
            go_on.wait(20)
            note(self.LATE)
            noted.set()

        with pytest.raises(CognitoCredentialsError, match="no complete answer"):
            exchanger._recovering(principal, 0.1, call)
        before()
        go_on.set()
        assert noted.wait(20)

    def test_a_late_identity_is_kept_where_there_is_none(
        self, parts: tuple[Exchanger, Identities, Principal]
    ) -> None:
        """An identity that the service made is not lost because its answer was slow."""
        exchanger, identities, principal = parts

        self._answer_late(exchanger, principal, lambda: None)

        assert identities.known(principal) == self.LATE

    def test_a_late_identity_replaces_none_that_was_found_since(
        self, parts: tuple[Exchanger, Identities, Principal]
    ) -> None:
        """What was found after the deadline stays."""
        exchanger, identities, principal = parts

        self._answer_late(exchanger, principal, lambda: identities.adopt(principal, self.SINCE))

        assert identities.known(principal) == self.SINCE
