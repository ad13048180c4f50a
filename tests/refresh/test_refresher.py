"""The refresh policy, through IdentityPool and HTTP, with both clocks in the test's hand."""

from __future__ import annotations

import logging
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import (
    ConfigurationError,
    CredentialsExpiredError,
    IdentityPool,
    LoginRequiredError,
    RefusedError,
    ServiceError,
)
from cognito_credentials.clock import Clock
from cognito_credentials.logins import FileSource
from cognito_credentials.pool.pool import parts_of
from tests.world import World

MINUTE = 60
SLACK = 30
"""Seconds that the emulator's clock, which runs, may be ahead of the test's, which stands still."""


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


def refreshes(world: World) -> int:
    return world.counts().get("GetCredentialsForIdentity", 0)


class TestFreshness:
    def test_a_thousand_reads_make_one_exchange(self, world: World) -> None:
        """Fresh credentials cost no request."""
        pool = world.pool()

        keys = {pool.credentials().access_key_id for _ in range(1000)}

        assert len(keys) == 1
        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}

    def test_another_process_needs_no_request(self, world: World) -> None:
        """The credentials that one process got are found by the next."""
        first = world.pool().credentials()

        assert world.pool().credentials() == first
        assert refreshes(world) == 1

    def test_refreshes_between_20_and_16_minutes_before_the_end(self, world: World) -> None:
        """One-hour credentials are renewed while botocore's 15-minute window is still ahead."""
        pool = world.pool()
        first = pool.credentials()
        world.move(39 * MINUTE)
        assert pool.credentials() == first

        world.move(5 * MINUTE + 1)

        assert pool.credentials() != first
        assert refreshes(world) == 2

    def test_all_processes_agree_on_the_moment(self, world: World) -> None:
        """The process that gets credentials chooses when all of them refresh."""
        pools = [world.pool() for _ in range(5)]
        for pool in pools:
            pool.credentials()

        assert len({pool.status().refresh_at for pool in pools}) == 1

    def test_fifteen_minute_credentials_do_not_storm(self, world: World) -> None:
        """Credentials of 15 minutes are used for at least eight of them."""
        world.settings(credential_lifetime=900)
        pool = world.pool()
        pool.credentials()
        for _ in range(8):
            world.move(MINUTE)
            for _ in range(50):
                pool.credentials()

        assert refreshes(world) == 1

    def test_the_expiration_is_the_services_own(self, world: World) -> None:
        """An expiration is never rewritten, in memory, on disk or in an outage."""
        given = world.pool().credentials().expires_at
        world.move(50 * MINUTE)
        world.outage()

        assert world.pool().credentials().expires_at == given


class TestOutage:
    def test_valid_credentials_survive_any_outage(self, world: World) -> None:
        """From 14 minutes before the end, nothing is raised and at most three requests are made."""
        pool = world.pool()
        first = pool.credentials()
        world.move(46 * MINUTE)
        world.outage()
        before = refreshes(world)
        for _ in range(14 * 60 - 1):
            world.clock.advance(1)
            assert pool.credentials() == first

        assert refreshes(world) - before <= 3

    def test_all_processes_share_the_back_off(self, world: World) -> None:
        """Fifty processes in an outage ask the service as often as one does."""
        world.pool().credentials()
        world.move(46 * MINUTE)
        world.outage()
        before = refreshes(world)

        for _ in range(50):
            world.pool().credentials()

        assert refreshes(world) - before == 1

    def test_expired_credentials_are_never_served(self, world: World) -> None:
        """Once they have expired there is a retryable error, which names the moment and the cause."""
        pool = world.pool()
        pool.credentials()
        world.move(46 * MINUTE)
        world.outage()
        pool.credentials()
        world.clock.advance(14 * MINUTE + SLACK)

        with pytest.raises(
            CredentialsExpiredError, match=r"expired at .*Z and could not be refreshed"
        ) as caught:
            pool.credentials()

        assert caught.value.retryable
        assert caught.value.exit_code == 6

    def test_recovers_without_a_restart(self, world: World) -> None:
        """After an outage the same pool gets new credentials within the back-off."""
        pool = world.pool()
        first = pool.credentials()
        world.move(46 * MINUTE)
        world.outage()
        pool.credentials()
        world.recover()
        world.move(10 * MINUTE + 1)

        assert pool.credentials() != first

    def test_a_cold_start_fails_fast_for_all_processes(self, world: World) -> None:
        """Twenty processes without credentials learn of the outage from the first one, and do not ask."""
        world.outage()
        for _ in range(20):
            with pytest.raises(ServiceError):
                world.pool().credentials()

        assert world.counts()["GetId"] <= 3

    def test_the_remembered_error_is_forgotten_in_seconds(self, world: World) -> None:
        """A failure is answered from memory for at most a few seconds."""
        pool = world.pool()
        world.outage()
        with pytest.raises(ServiceError):
            pool.credentials()
        world.recover()
        with pytest.raises(ServiceError):
            pool.credentials()
        world.move(6)

        assert pool.credentials()

    def test_a_remembered_error_does_not_grow(self, world: World) -> None:
        """However often a failure is answered from memory, its traceback is that of the last call alone."""
        pool = world.pool()
        world.outage()
        lengths = set()
        for _ in range(100):
            with pytest.raises(ServiceError) as caught:
                pool.credentials()
            lengths.add(len(caught.traceback))

        assert len(lengths) <= 2
        assert max(lengths) < 20

    @pytest.mark.parametrize("lifetime", [1, -1, 30, 10 * 365 * 86400])
    def test_an_absurd_expiration_is_a_failed_refresh(self, world: World, lifetime: int) -> None:
        """Credentials that end now, in the past or in years are refused, and those that are held stay."""
        pool = world.pool()
        first = pool.credentials()
        world.move(46 * MINUTE)
        world.settings(credential_lifetime=lifetime)

        assert pool.credentials() == first

    @pytest.mark.thorough
    def test_an_identity_is_never_lost_to_the_network(self, world: World) -> None:
        """Errors of transport and throttling do not change a guest's identity."""
        identity = world.pool().identity_id()
        for fault in (
            {"status": 500},
            {"status": 503},
            {"code": "TooManyRequestsException"},
            {"code": "InternalErrorException"},
            {"drop": True},
            {"status": 200, "body": "<html>"},
        ):
            world.faults({"operation": "*", "times": -1, **fault})
            with pytest.raises(ServiceError):
                world.pool(cache="memory", identity_id=None).credentials()
            with pytest.raises(ServiceError):
                world.pool().credentials()
            world.clock.advance(60)
        world.recover()

        assert world.pool().identity_id() == identity


class TestClock:
    @pytest.mark.parametrize("hours", [-5, -1, 1, 5])
    def test_a_wrong_clock_keeps_its_credentials_straight(
        self, world: World, hours: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A device whose clock is hours off refreshes at the right moment, and warns of the clock."""
        world.clock.set_wall(world.clock.wall() + hours * 3600)
        pool = world.pool()
        with caplog.at_level(logging.WARNING, logger="cognito_credentials"):
            first = pool.credentials()
        world.move(39 * MINUTE)
        kept = pool.credentials()
        world.move(6 * MINUTE)
        renewed = pool.credentials()

        assert kept == first
        assert renewed != first
        assert f"{abs(hours)} h 0 min {'ahead of' if hours > 0 else 'behind'}" in caplog.text

    def test_correcting_the_clock_keeps_the_credentials(self, world: World) -> None:
        """When the clock is corrected in the same boot, valid credentials are kept."""
        right = world.clock.wall()
        world.clock.set_wall(right + 3 * 3600)
        first = world.pool().credentials()
        world.clock.set_wall(right)

        assert world.pool().credentials() == first

    def test_after_sleep_the_wall_clock_counts(self, world: World) -> None:
        """Where the elapsed clock stops during sleep, eight hours on the wall still end credentials."""
        pool = world.pool()
        first = pool.credentials()
        world.settings(clock_offset=8 * 3600)
        world.clock.set_wall(world.clock.wall() + 8 * 3600)

        assert pool.credentials() != first

    def test_setting_the_clock_back_does_not_revive(self, world: World) -> None:
        """Where the wall clock is set back, the elapsed clock still ends credentials."""
        pool = world.pool()
        first = pool.credentials()
        world.move(2 * 3600)
        world.clock.set_wall(world.clock.wall() - 2 * 3600)

        assert pool.credentials() != first
        assert world.pool().credentials() != first

    def test_a_record_of_another_boot_from_the_future_is_not_trusted(self, world: World) -> None:
        """After a reboot with the clock set back, the age of a record is unknown, so it is not used."""
        first = world.pool().credentials()
        world.clock.boot = "boot-2"
        world.clock.set_wall(world.clock.wall() - 3600)

        assert world.pool().credentials() != first

    def test_a_reboot_alone_costs_nothing(self, world: World) -> None:
        """After a reboot with a right clock the record is used."""
        first = world.pool().credentials()
        world.clock.boot = "boot-2"
        world.clock.mono = 5.0

        assert world.pool().credentials() == first

    def test_a_slow_clock_set_right_in_an_outage_keeps_what_is_valid(self, world: World) -> None:
        """Correcting a clock that was behind does not end credentials that have an hour left."""
        right = world.clock.wall()
        world.clock.set_wall(right - 3 * 3600)
        first = world.pool().credentials()
        world.clock.set_wall(right)
        world.outage()

        assert world.pool().credentials() == first


class TestInvalidate:
    def test_only_those_held_are_replaced(self, world: World) -> None:
        """A rejection of older credentials that comes late does not touch their successors."""
        pool = world.pool()
        first = pool.credentials()

        pool.invalidate("ASIAOTHEROTHEROTHER1")

        assert pool.credentials() == first

    def test_rejected_credentials_are_replaced_for_all(self, world: World) -> None:
        """After a rejection the next call gets new credentials, in this process and in others."""
        pool, other = world.pool(), world.pool()
        first = pool.credentials()
        pool.invalidate(first.access_key_id)

        second = pool.credentials()

        assert second != first
        assert other.credentials() == second
        assert refreshes(world) == 2

    def test_another_process_does_not_hand_out_the_rejected(self, world: World) -> None:
        """A rejection is on disk at once, before there is a replacement."""
        pool = world.pool()
        first = pool.credentials()
        pool.invalidate(first.access_key_id)

        assert world.pool().credentials() != first

    def test_a_rejection_is_kept_whoever_is_at_work(self, world: World) -> None:
        """A rejection counts also while another call of the same process has its turn."""
        pool = world.pool()
        first = pool.credentials()
        flight = parts_of(pool).refresher._memory.flight
        has_turn, may_end = threading.Event(), threading.Event()

        def work() -> None:
            with flight.turn(5):
                has_turn.set()
                may_end.wait()

        working = threading.Thread(target=work)
        working.start()
        has_turn.wait()
        pool.invalidate(first.access_key_id)
        may_end.set()
        working.join()

        assert pool.credentials() != first

    def test_an_earlier_rejection_hides_no_later_one(self, world: World) -> None:
        """Credentials that another process rejected are replaced, whatever was rejected here before."""
        pool, other = world.pool(), world.pool()
        first = pool.credentials()
        pool.invalidate(first.access_key_id)
        second = pool.credentials()
        assert other.credentials() == second
        other.invalidate(second.access_key_id)
        parts_of(pool).refresher._memory.held = None  # as after a change of the person who is signed in

        assert pool.credentials() not in (first, second)

    def test_it_does_not_bypass_the_back_off(self, world: World) -> None:
        """Rejections in an outage cause no requests, and valid credentials are still returned."""
        pool = world.pool()
        first = pool.credentials()
        world.move(46 * MINUTE)
        world.outage()
        pool.credentials()
        before = refreshes(world)
        for _ in range(20):
            pool.invalidate(first.access_key_id)
            assert pool.credentials() == first

        assert refreshes(world) == before


class TestLogins:
    @pytest.fixture
    def world(self, world: World, emulator: Any) -> World:
        world.pool_id = emulator.create_pool(
            OpenIdConnectProviderARNs=["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
        )
        return world

    def test_the_source_is_asked_once_a_refresh(self, world: World) -> None:
        """A callable is called when credentials are needed, and not for each read or thread."""
        calls: list[int] = []

        def login() -> str:
            calls.append(1)
            return world.token()

        pool = world.pool(logins={"login.example.com": login})
        threads = [threading.Thread(target=pool.credentials) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pool.credentials()
        assert len(calls) == 1

        world.move(45 * MINUTE)
        pool.credentials()

        assert len(calls) == 2

    def test_a_rotated_token_keeps_the_identity_without_asking(self, world: World) -> None:
        """A new token of the same subject costs no GetId in the same process."""
        pool = world.pool(logins={"login.example.com": world.token})
        first = pool.credentials()
        world.move(45 * MINUTE)

        assert pool.credentials() != first
        assert world.counts()["GetId"] == 1

    @pytest.mark.parametrize("is_another", [False, True], ids=["same process", "another process"])
    def test_rejected_credentials_of_an_ended_sign_in_ask_for_a_sign_in(
        self, world: World, is_another: bool
    ) -> None:
        """What a service has rejected is not used on where only the person can get more."""
        signed_in = [True]

        def tell() -> str:
            if not signed_in[0]:
                raise LoginRequiredError("the sign-in has ended")
            return world.token()

        logins = {"login.example.com": tell}
        pool = world.pool(logins=logins, user="ann")
        first = pool.credentials()
        signed_in[0] = False
        pool.invalidate(first.access_key_id)
        asking = world.pool(logins=logins, user="ann") if is_another else pool

        for _ in range(2):  # the second from memory
            with pytest.raises(LoginRequiredError, match="the sign-in has ended"):
                asking.credentials()

        signed_in[0] = True
        world.move(6)
        assert asking.credentials() != first

    def test_rejected_credentials_are_used_in_an_outage_of_the_issuer(self, world: World) -> None:
        """An issuer that cannot be reached does not say that the sign-in has ended."""
        calls: list[int] = []

        def login() -> str:
            calls.append(1)
            if len(calls) > 1:
                raise ConnectionError
            return world.token()

        pool = world.pool(logins={"login.example.com": login}, user="ann")
        first = pool.credentials()
        pool.invalidate(first.access_key_id)

        assert pool.credentials() == first
        assert len(calls) == 2

    def test_an_outage_with_a_rotated_token_keeps_what_is_valid(self, world: World) -> None:
        """A token that has changed does not take valid credentials away."""
        pool = world.pool(logins={"login.example.com": world.token})
        first = pool.credentials()
        world.move(45 * MINUTE)
        world.outage()

        assert pool.credentials() == first

    def test_another_user_never_gets_the_earlier_ones_credentials(self, world: World) -> None:
        """When the source gives another subject's token, the first subject's credentials are not used."""
        who = ["user-1"]
        pool = world.pool(logins={"login.example.com": lambda: world.token(subject=who[0])})
        first, identity = pool.credentials(), pool.status().identity_id
        world.move(45 * MINUTE)
        who[0] = "user-2"
        world.outage()
        with pytest.raises(ServiceError):
            pool.credentials()
        world.recover()
        world.move(10)

        assert pool.credentials() != first
        assert pool.status().identity_id != identity

    @pytest.mark.writes_secrets  # the token file
    def test_a_token_file_of_another_user_is_another_user(self, world: World, tmp_path: Path) -> None:
        """Once a token file is about another person, the credentials of the first are not used."""
        file = tmp_path / "token"
        file.write_text(world.token("ann"))
        pool = world.pool(logins={"login.example.com": FileSource(str(file))})
        anns, anns_id = pool.credentials().access_key_id, pool.identity_id()

        file.unlink()
        world.move(1)
        while_missing = pool.credentials().access_key_id
        file.write_text(world.token("bob"))
        world.move(1)

        assert while_missing == anns
        assert pool.credentials().access_key_id != anns
        assert pool.identity_id() != anns_id

    @pytest.mark.writes_secrets  # the token file
    def test_the_identity_of_another_user_comes_with_other_credentials(
        self, world: World, tmp_path: Path
    ) -> None:
        """Once `identity_id` is another user's, `credentials` are no longer the first user's."""
        file = tmp_path / "token"
        file.write_text(world.token("ann"))
        pool = world.pool(logins={"login.example.com": FileSource(str(file))})
        anns, anns_id = pool.credentials(), pool.identity_id()
        file.write_text(world.token("bob"))

        assert pool.identity_id() != anns_id
        assert pool.credentials() != anns

    def test_what_only_a_token_can_tell_is_not_in_the_status(self, world: World) -> None:
        """Before a token was asked for, `status` says why identity and credentials are unknown."""
        pool = world.pool(logins={"login.example.com": world.token})
        before = pool.status()
        credentials = pool.credentials()
        after = pool.status()

        assert (before.identity_id, before.expiration) == (None, None)
        assert before.unknown_because is not None
        assert "only a login token" in before.unknown_because
        assert (after.identity_id, after.expiration) == (pool.identity_id(), credentials.expiration)

    def test_a_user_switched_under_our_hands_is_noticed(self, world: World) -> None:
        """When another user's token appears between two looks, nothing is stored for the first user."""

        class Switching:
            def __init__(self) -> None:
                self.asked = 0

            def principal(self) -> str:
                self.asked += 1
                return "ada" if self.asked == 1 else "bob"

            def token(self) -> str:
                return world.token("bob")

        pool = world.pool(logins={"login.example.com": Switching()})
        with pytest.raises(ServiceError, match="another user"):
            pool.credentials()

        assert world.counts() == {}

    def test_an_expired_login_does_not_take_valid_credentials(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Credentials are used until they expire; then the error says to sign in."""
        pool = world.pool(logins={"login.example.com": world.token(expires_in=600)}, user="ada")
        first = pool.credentials()
        world.move(50 * MINUTE)
        assert pool.credentials() == first
        assert re.search(r"used until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: ", caplog.text)
        world.move(10 * MINUTE + SLACK)

        with pytest.raises(LoginRequiredError, match="expired"):
            pool.credentials()

        assert world.counts()["GetCredentialsForIdentity"] == 1

    @pytest.mark.parametrize("hours", [-3, 3])
    def test_a_clock_set_right_does_not_lock_the_user_out(self, world: World, hours: int) -> None:
        """Once a wrong clock is corrected, tokens that are good are taken at once."""
        right = world.clock.wall()
        world.clock.set_wall(right + hours * 3600)
        pool = world.pool(logins={"login.example.com": world.token(expires_in=4 * 3600)}, user="ada")
        first = pool.credentials()
        world.clock.set_wall(right)
        world.move(45 * MINUTE)

        assert pool.credentials() != first

    def test_a_slow_login_works(self, world: World) -> None:
        """The time that a login takes does not count against the service's budget."""

        def login() -> str:
            world.clock.advance(25)
            return world.token()

        pool = world.pool(logins={"login.example.com": login})
        first = pool.credentials()
        world.move(45 * MINUTE)

        assert pool.credentials() != first

    def test_a_login_is_not_asked_while_another_process_refreshes(self, world: World) -> None:
        """A process with good credentials asks for no token while another process refreshes."""
        calls: list[int] = []

        def login() -> str:
            calls.append(1)
            return token

        token = world.token()
        pool, other = (world.pool(logins={"login.example.com": login}) for _ in range(2))
        pool.credentials()
        other.credentials()
        before = len(calls)
        world.move(45 * MINUTE)
        principal = parts_of(pool).refresher.principal()
        assert principal is not None
        lock = parts_of(pool).store.lock(principal.identity_key)
        assert lock.acquire()
        before = len(calls)
        for _ in range(20):
            world.clock.advance(2)
            other.credentials()
        lock.release()

        assert len(calls) == before

    def test_better_credentials_on_disk_end_a_back_off(self, world: World) -> None:
        """A process that failed takes the credentials that another one got, within two seconds."""
        pool, other = world.pool(), world.pool()
        pool.credentials()
        other.credentials()
        world.move(45 * MINUTE)
        world.outage()
        pool.credentials()
        world.recover()
        renewed = other.refresh()
        world.clock.advance(2)

        assert pool.credentials() == renewed

    def test_never_from_a_user_to_a_guest(self, world: World) -> None:
        """Logins without a token are an error, and no request is made."""
        pool = world.pool(logins={"login.example.com": lambda: None})

        with pytest.raises(LoginRequiredError):
            pool.credentials()

        assert world.counts() == {}

    @pytest.mark.thorough
    def test_a_failing_login_is_not_hammered(self, world: World) -> None:
        """A thousand reads ask a source that fails once; seconds later it is asked again."""
        calls: list[int] = []

        def login() -> str | None:
            calls.append(1)
            return None if len(calls) == 1 else world.token()

        pool = world.pool(logins={"login.example.com": login})
        for _ in range(1000):
            with pytest.raises(LoginRequiredError):
                pool.credentials()
        assert len(calls) == 1
        world.move(6)

        assert pool.credentials()

    def test_a_source_that_asks_its_own_pool_gets_an_error(self, world: World) -> None:
        """A login that needs credentials of the same pool is an error, not a hang."""
        pool: IdentityPool = world.pool(
            logins={"login.example.com": lambda: pool.credentials().access_key_id}
        )

        with pytest.raises(ConfigurationError, match="asked the same identity pool"):
            pool.credentials()

    def test_a_clock_that_is_ahead_does_not_hide_good_tokens(self, world: World) -> None:
        """Where even new tokens look expired they are sent: the service decides, and tells the time."""
        world.clock.set_wall(world.clock.wall() + 5 * 3600)
        pool = world.pool(
            logins={"login.example.com": lambda: world.token(claims={"n": os.urandom(4).hex()})}
        )

        assert pool.credentials()
        assert pool.status().clock_offset == pytest.approx(-5 * 3600, abs=5)


class TestIdentity:
    def test_a_deleted_identity_is_replaced_once(self, world: World) -> None:
        """One GetId and one exchange later the guest has a new identity, which is announced."""
        pool = world.pool()
        news: list[tuple[str | None, str, str]] = []
        pool.on_identity_changed(lambda *change: news.append(change))
        old = pool.identity_id()
        pool.credentials()
        world.delete_identity(old)
        world.move(45 * MINUTE)
        before = world.counts()

        pool.credentials()

        new = pool.identity_id()
        assert new != old
        assert news == [(None, old, "created"), (old, new, "recovered")]
        after = world.counts()
        assert after["GetId"] - before["GetId"] == 1
        assert after["GetCredentialsForIdentity"] - before["GetCredentialsForIdentity"] == 2

    def test_a_deleted_pool_is_an_error_without_a_loop(self, world: World) -> None:
        """When the pool is gone, one recovery is tried, and its failure is the error."""
        pool = world.pool()
        pool.credentials()
        world.faults(
            {
                "operation": "*",
                "times": -1,
                "code": "ResourceNotFoundException",
                "message": "IdentityPool 'x' not found.",
            }
        )
        with pytest.raises(RefusedError):
            pool.refresh()

        assert world.counts()["GetId"] == 1

    def test_a_pinned_identity_skips_getid_and_is_never_dropped(self, world: World) -> None:
        """An identity that the user named is used, and its refusal is an error."""
        identity = world.pool().identity_id()
        pool = world.pool(identity_id=identity)
        pool.credentials()
        world.delete_identity(identity)

        with pytest.raises(RefusedError, match=r"identity_id|not found"):
            pool.refresh()

        assert world.counts()["GetId"] == 1

    def test_the_identity_is_known_offline(self, world: World) -> None:
        """A known identity id needs no network, in this process or the next."""
        identity = world.pool().identity_id()
        world.outage()

        assert world.pool().identity_id() == identity

    def test_a_callback_may_use_the_pool_and_may_fail(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Callbacks run outside all locks, and their errors hide nothing."""
        pool = world.pool()
        seen: list[str] = []

        def ask_again(*_: object) -> None:
            seen.append(pool.credentials().access_key_id)
            raise RuntimeError("theirs")

        pool.on_identity_changed(ask_again)

        assert pool.credentials().access_key_id == seen[0]
        assert "a callback of on_identity_changed failed" in caplog.text

    def test_what_another_process_recovered_is_announced_here(self, world: World) -> None:
        """Credentials and identity id are always of one identity, whichever process got it."""
        one, other = world.pool(), world.pool()
        news: list[tuple[str | None, str, str]] = []
        one.on_identity_changed(lambda *change: news.append(change))
        old = one.identity_id()
        one.credentials()
        world.delete_identity(old)
        world.move(45 * MINUTE)
        renewed = other.credentials()

        assert one.credentials() == renewed
        assert one.identity_id() == other.identity_id() != old
        assert news[-1] == (old, other.identity_id(), "adopted")

    def test_a_lost_record_of_a_guest_is_written_again(self, world: World) -> None:
        """A guest whose identity record is gone keeps its identity, here and after a restart."""
        pool = world.pool()
        identity = pool.identity_id()
        pool.credentials()
        cache = Path(world.environ["HOME"]) / ".aws/cognito/cache"
        for record in cache.glob("identity-*"):
            record.unlink()
        assert world.pool().identity_id() == identity
        for record in cache.glob("*.txt"):
            record.unlink()
        pool.refresh()

        assert world.pool().identity_id() == identity
        assert list(cache.glob("identity-*"))

    def test_an_open_id_token_makes_one_guest(self, world: World) -> None:
        """Pools that ask for a token at once, with nothing in the cache, become one guest."""
        pools = [world.pool(clock=Clock()) for _ in range(6)]
        threads = [threading.Thread(target=pool.open_id_token) for pool in pools]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert world.counts()["GetId"] == 1
        assert len({pool.identity_id() for pool in pools}) == 1

    def test_an_open_id_token_of_a_known_identity_takes_one_request(self, world: World) -> None:
        """Where the identity is known, only the token is asked for; it names the identity."""
        pool = world.pool()
        identity = pool.identity_id()

        pool.open_id_token()
        pool.open_id_token()

        assert pool.identity_id() == identity
        assert world.counts() == {"GetId": 1, "GetOpenIdToken": 2}

    def test_the_status_of_another_process_is_that_of_the_disk(self, world: World) -> None:
        """A process that holds nothing shows the credentials and the back-off that are on disk."""
        world.pool().credentials()
        world.move(46 * MINUTE)
        world.outage()
        world.pool().credentials()

        status = world.pool().status()

        assert status.seconds_left == pytest.approx(14 * MINUTE, abs=SLACK)
        assert status.retry_in is not None
        assert 400 <= status.retry_in <= 600

    def test_asking_for_the_identity_backs_off(self, world: World) -> None:
        """In an outage, asking for the identity does not hammer the service."""
        world.outage()
        for _ in range(10):
            with pytest.raises(ServiceError):
                world.pool().identity_id()

        assert world.counts()["GetId"] <= 3

    def test_clear_waits_for_a_refresh(self, world: World) -> None:
        """Records that are cleared while a refresh runs do not come back afterwards."""
        pool, other = world.pool(clock=Clock()), world.pool(clock=Clock())
        pool.credentials()
        world.faults({"operation": "GetCredentialsForIdentity", "delay": 1.0})
        thread = threading.Thread(target=pool.refresh)
        thread.start()
        while refreshes(world) < 2:
            pass
        other.clear(identities=True)
        thread.join()

        assert not list((Path(world.environ["HOME"]) / ".aws/cognito/cache").glob("credentials-*"))


class TestThreads:
    def test_nobody_waits_for_an_advisory_refresh(self, world: World) -> None:
        """While one thread waits for a slow service, the others get their credentials without waiting."""
        pool = world.pool()
        first = pool.credentials()
        world.move(45 * MINUTE)
        world.faults({"operation": "GetCredentialsForIdentity", "delay": 2.0})
        started = threading.Event()
        got: list[Any] = []

        def refresh() -> None:
            started.set()
            got.append(pool.credentials())

        thread = threading.Thread(target=refresh)
        thread.start()
        started.wait()
        while world.counts()["GetCredentialsForIdentity"] < 2:
            pass
        others = [pool.credentials() for _ in range(100)]
        still_running = thread.is_alive()
        thread.join()

        assert still_running
        assert all(other == first for other in others)
        assert got[0] != first

    def test_a_forked_child_goes_on_by_itself(self, world: World) -> None:
        """A child that is forked while its parent refreshes can get credentials itself."""
        pool = world.pool()
        pool.credentials()
        flight = parts_of(pool).refresher._memory.flight
        with flight.turn(1):
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    world.clock.advance(45 * MINUTE)
                    os.write(write, pool.credentials().access_key_id.encode())
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
        os.close(write)
        answer = os.read(read, 100)
        os.close(read)

        assert answer.startswith(b"ASIA")
