"""The rules of linking, upgrading, merging and unlinking hold in any order of calls."""

from __future__ import annotations

import functools

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.operations.linking import (
    identity_for_logins,
    merge_identities,
    resolve_identity,
)
from cognito_credentials.emulator.stored.identities import (
    LinkedLogin,
    create_identity,
    delete_identity,
    load_identity,
    owner_of,
    unlink_logins,
)
from cognito_credentials.emulator.stored.pools import IdentityPool, insert_pool
from cognito_credentials.emulator.stored.state import State

POOL = "us-east-1:0"
LOGINS = st.lists(
    st.builds(LinkedLogin, st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"]))
    | st.builds(
        LinkedLogin, st.just("dev"), st.sampled_from([str(user) for user in range(24)]), st.just(True)
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda login: login.provider,  # as in the keys of Logins
)


class Linking(RuleBasedStateMachine):
    """Identities of one pool, under any sequence of the calls that change them."""

    identities = Bundle("identities")

    def __init__(self):
        super().__init__()
        self.state = State()
        insert_pool(self.state, IdentityPool(POOL, {}, {}))
        self.now = 0
        self.signed_in = set()
        self.disabled = set()

    def teardown(self):
        self.state.close()

    def dump(self):
        return [
            tuple(row)
            for table in ("identities", "logins")
            for row in self.state.rows(f"SELECT * FROM {table} ORDER BY number")
        ]

    def attempt(self, function, *arguments):
        """The result; None for a refusal, which must change nothing."""
        self.now += 1
        before = self.dump()
        try:
            with self.state.transaction():
                return function(self.state, *arguments, self.now)
        except ServiceError:
            assert self.dump() == before
            return None

    @rule(target=identities)
    def guest(self):
        return create_identity(self.state, POOL, self.now).id

    @rule(target=identities, logins=LOGINS)
    def get_id(self, logins):
        known = [owner_of(self.state, POOL, login) for login in logins]
        first = next((owner.id for owner in known if owner), None)
        result = self.attempt(identity_for_logins, POOL, logins)
        if result is None:
            return self.guest_id()
        assert first in (None, result)
        self.check_owned(result, logins)
        return result

    def guest_id(self):
        return create_identity(self.state, POOL, self.now).id

    @rule(identity_id=identities, logins=LOGINS)
    def resolve(self, identity_id, logins):
        identity = load_identity(self.state, identity_id)
        owners = {owner.id for login in logins if (owner := owner_of(self.state, POOL, login))}
        result = self.attempt(resolve_identity, identity, logins)
        if result is None:
            return
        self.check_owned(result, logins)
        if identity.enabled and identity.authenticated:
            assert identity_id in owners
            assert result == identity_id
        else:
            assert result in (owners or {identity_id})
        assert result == identity_id or not load_identity(self.state, identity_id).enabled

    @rule(identity_id=identities, logins=LOGINS | st.just([]))
    def resolve_with_own_token(self, identity_id, logins):
        """A call with a service token, which only a signed-in user has, and further logins."""
        identity = load_identity(self.state, identity_id)
        if not identity.authenticated:
            return
        owners = {owner.id for login in logins if (owner := owner_of(self.state, POOL, login))}
        result = self.attempt(functools.partial(resolve_identity, proven=True), identity, logins)
        if result is None:
            assert logins or not identity.enabled, "the token alone was refused"
            return
        assert result == identity_id if identity.enabled else result in owners
        self.check_owned(result, logins)

    @rule(users=st.lists(st.integers(0, 23), min_size=8, max_size=24, unique=True))
    def gather(self, users):
        """Merge enough developer users into one identity to reach the limit of logins."""
        for user in users:
            self.get_id([LinkedLogin("dev", str(user), True)])
            self.merge(user, users[0])

    @rule(source=st.integers(0, 23), destination=st.integers(0, 23))
    def merge(self, source, destination):
        found = [
            owner_of(self.state, POOL, LinkedLogin("dev", str(user), True)) for user in (destination, source)
        ]
        if None in found or found[0].id == found[1].id:
            return
        moved = {login for identity in found for login in identity.logins}
        result = self.attempt(merge_identities, found)
        if result is not None:
            assert result == found[0].id
            assert set(load_identity(self.state, result).logins) == moved
            assert not load_identity(self.state, found[1].id).enabled

    @rule(identity_id=identities, number=st.integers(0, 3))
    def unlink(self, identity_id, number):
        identity = load_identity(self.state, identity_id)
        removed = identity.logins[number : number + 1]
        if removed:
            with self.state.transaction():
                unlink_logins(self.state, identity, removed, self.now)
            assert owner_of(self.state, POOL, removed[0]) is None

    @rule(identity_id=consumes(identities))
    def delete(self, identity_id):
        with self.state.transaction():
            delete_identity(self.state, identity_id)
        self.signed_in.discard(identity_id)
        self.disabled.discard(identity_id)
        rows = self.state.rows("SELECT id FROM identities")
        assert identity_id not in [row["id"] for row in rows]
        # The bundle may have the same id twice: put it back for the second one.
        self.state.execute(
            "INSERT INTO identities (id, pool_id, created_ms, modified_ms, enabled) VALUES (?, ?, 0, 0, 1)",
            identity_id,
            POOL,
        )

    def check_owned(self, identity_id, logins):
        owned = load_identity(self.state, identity_id)
        assert owned.enabled
        assert set(logins) <= set(owned.logins)

    @invariant()
    def rules_hold(self):
        for row in self.state.rows("SELECT id FROM identities"):
            identity = load_identity(self.state, row["id"])
            public = [login.provider for login in identity.logins if not login.developer]
            assert len(public) == len(set(public)), "two users of one provider"
            assert len(identity.logins) <= 20
            if identity.authenticated:
                self.signed_in.add(identity.id)
            if not identity.enabled:
                self.disabled.add(identity.id)
            assert identity.authenticated or identity.id not in self.signed_in, "signed in, and a guest again"
            assert not identity.enabled or identity.id not in self.disabled, "disabled, and back again"
            if not identity.enabled:
                assert not identity.logins, "a disabled identity keeps a login"
            if identity.enabled and identity.authenticated:
                assert identity.logins, "a signed-in identity without login"
        rows = self.state.rows("SELECT identity_id FROM logins")
        users = self.state.rows("SELECT DISTINCT pool_id, provider, subject FROM logins")
        assert len(users) == len(rows), "one user of one provider has two identities"
        for row in rows:
            assert load_identity(self.state, row["identity_id"]).enabled


TestLinking = Linking.TestCase
TestLinking.settings = settings(
    database=None,
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate],  # shrinking would take longer than the test's timeout
    suppress_health_check=list(HealthCheck),
)
