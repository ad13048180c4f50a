"""GetId, linking, guest upgrade, merging, unlinking, deleting."""

from __future__ import annotations

import pytest

from ..conftest import GOOGLE, OIDC, credentials_id, get_id

MISMATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."


def forbidden(identity_id):
    return ("NotAuthorizedException", f"Access to Identity '{identity_id}' is forbidden.", 400)


def test_every_guest_is_new(api):
    """Every guest call makes a new identity. A call with empty Logins is a guest call."""
    pool_id = api.emulator.create_pool()

    ids = {get_id(api, pool_id), get_id(api, pool_id), get_id(api, pool_id, {})}

    assert len(ids) == 3
    assert all(identity_id.startswith("us-east-1:") for identity_id in ids)


def test_guests_not_allowed(api, refused):
    """A pool without guests refuses a guest call with the exact text."""
    pool_id = api.emulator.create_pool(AllowUnauthenticatedIdentities=False)

    assert refused(api.public.get_id, IdentityPoolId=pool_id) == (
        "NotAuthorizedException",
        "Unauthenticated access is not supported for this identity pool.",
        400,
    )


def test_another_account(api, refused):
    """With a wrong AccountId the pool is not found."""
    pool_id = api.emulator.create_pool()

    code, _, _ = refused(api.public.get_id, IdentityPoolId=pool_id, AccountId="999999999999")

    assert code == "ResourceNotFoundException"


def test_one_login_is_one_identity(api):
    """A user gets the same identity at each sign-in, and another one in each pool."""
    pool_id, other_pool = api.oidc_pool(), api.oidc_pool()

    first = get_id(api, pool_id, api.login("ann"))

    assert get_id(api, pool_id, api.login("ann")) == first
    assert get_id(api, pool_id, api.login("bob")) != first
    assert get_id(api, other_pool, api.login("ann")) != first


def test_several_unknown_logins_are_linked(api):
    """GetId with two logins links both to one identity."""
    pool_id = api.oidc_pool()

    both = get_id(api, pool_id, {**api.login("ann"), **api.login("ann@g", GOOGLE)})

    assert get_id(api, pool_id, api.login("ann")) == both
    assert get_id(api, pool_id, api.login("ann@g", GOOGLE)) == both


def test_unknown_login_joins_the_known_one(api):
    """GetId with a known and an unknown login links the unknown one."""
    pool_id = api.oidc_pool()
    known = get_id(api, pool_id, api.login("ann"))

    assert get_id(api, pool_id, {**api.login("ann@g", GOOGLE), **api.login("ann")}) == known
    assert get_id(api, pool_id, api.login("ann@g", GOOGLE)) == known


def test_get_id_merges_two_identities(api, refused):
    """GetId with logins of two identities keeps one and disables the other."""
    pool_id = api.oidc_pool()
    first, second = (
        get_id(api, pool_id, api.login("ann")),
        get_id(api, pool_id, api.login("ann@g", GOOGLE)),
    )

    merged = get_id(api, pool_id, {**api.login("ann"), **api.login("ann@g", GOOGLE)})

    assert merged == first
    assert get_id(api, pool_id, api.login("ann@g", GOOGLE)) == first
    assert refused(api.public.get_open_id_token, IdentityId=second) == forbidden(second)


def test_guest_upgrade_keeps_the_id(api, refused):
    """A guest who signs in for the first time keeps the identity, which is no longer a guest's."""
    pool_id = api.oidc_pool()
    guest = get_id(api, pool_id)
    before = api.developer.describe_identity(IdentityId=guest)

    assert credentials_id(api, guest, api.login("ann")) == guest
    assert get_id(api, pool_id, api.login("ann")) == guest
    after = api.developer.describe_identity(IdentityId=guest)
    assert "Logins" not in before
    assert (after["Logins"], after["CreationDate"]) == ([OIDC], before["CreationDate"])
    assert refused(api.public.get_credentials_for_identity, IdentityId=guest) == forbidden(guest)


def test_guest_who_is_known_gets_the_old_identity(api, refused):
    """A guest who signs in as a known user gets that user's identity. The guest identity is disabled."""
    pool_id = api.oidc_pool()
    known = get_id(api, pool_id, api.login("ann"))
    guest = get_id(api, pool_id)

    assert credentials_id(api, guest, api.login("ann")) == known
    assert refused(api.public.get_credentials_for_identity, IdentityId=guest) == forbidden(guest)
    assert credentials_id(api, guest, api.login("ann")) == known


def test_disabled_identity_with_an_unknown_login(api, refused):
    """A login that no identity has gives no access to a disabled identity."""
    pool_id = api.oidc_pool()
    get_id(api, pool_id, api.login("ann"))
    guest = get_id(api, pool_id)
    credentials_id(api, guest, api.login("ann"))

    code = refused(api.public.get_credentials_for_identity, IdentityId=guest, Logins=api.login("bob"))

    assert code == forbidden(guest)


def test_foreign_login(api, refused):
    """An unknown login, or one of another identity, gives no access to a signed-in identity."""
    pool_id = api.oidc_pool()
    ann = get_id(api, pool_id, api.login("ann"))
    get_id(api, pool_id, api.login("bob"))

    for subject in ("bob", "new"):
        assert refused(
            api.public.get_credentials_for_identity, IdentityId=ann, Logins=api.login(subject)
        ) == ("NotAuthorizedException", MISMATCH, 400)


def test_merge_of_two_identities(api, refused):
    """Logins of two identities merge these into the identity that the call names."""
    pool_id = api.oidc_pool()
    first = get_id(api, pool_id, api.login("ann"))
    second = get_id(api, pool_id, api.login("ann@g", GOOGLE))
    both = {**api.login("ann"), **api.login("ann@g", GOOGLE)}

    assert credentials_id(api, second, both) == second
    assert get_id(api, pool_id, api.login("ann")) == second
    assert refused(api.public.get_credentials_for_identity, IdentityId=first) == forbidden(first)


def test_two_users_of_one_provider_never_merge(api, refused):
    """A merge that would give an identity two users of one provider is refused and changes nothing."""
    pool_id = api.oidc_pool()
    first = get_id(api, pool_id, {**api.login("ann"), **api.login("ann@g", GOOGLE)})
    second = get_id(api, pool_id, api.login("bob"))

    code, _, _ = refused(
        api.public.get_credentials_for_identity,
        IdentityId=second,
        Logins={**api.login("bob"), **api.login("ann@g", GOOGLE)},
    )

    assert code == "ResourceConflictException"
    assert get_id(api, pool_id, api.login("ann@g", GOOGLE)) == first
    assert get_id(api, pool_id, api.login("bob")) == second


def modified(api, identity_id):
    return api.developer.describe_identity(IdentityId=identity_id)["LastModifiedDate"]


@pytest.mark.parametrize("merge", ["guest", "user", "get_id"])
def test_merge_sets_the_dates(api, merge):
    """A merge updates the dates of the identity that remains and of the one that is disabled."""
    pool_id = api.oidc_pool()
    ann, google = api.login("ann"), api.login("ann@g", GOOGLE)
    remaining = get_id(api, pool_id, ann)
    other = get_id(api, pool_id, {} if merge == "guest" else google)
    before = modified(api, remaining)
    api.emulator.move_clock(60)

    if merge == "guest":
        assert credentials_id(api, other, ann) == remaining
    elif merge == "user":
        assert credentials_id(api, remaining, {**ann, **google}) == remaining
    else:
        assert get_id(api, pool_id, {**ann, **google}) == remaining

    assert modified(api, remaining) == modified(api, other)
    assert 59 < (modified(api, remaining) - before).total_seconds() < 70


def test_unlinking_sets_the_date(api):
    """Unlinking a login updates the date of the identity."""
    identity_id = get_id(api, api.oidc_pool(), {**api.login("ann"), **api.login("ann@g", GOOGLE)})
    before = modified(api, identity_id)
    api.emulator.move_clock(60)

    api.public.unlink_identity(IdentityId=identity_id, Logins=api.login("ann"), LoginsToRemove=[GOOGLE])

    assert 59 < (modified(api, identity_id) - before).total_seconds() < 70


def test_one_bad_token_links_nothing(api, refused):
    """If one token of a call is wrong, nothing is linked and no identity is made."""
    pool_id = api.oidc_pool()
    bad = api.login("ann@g", GOOGLE, audience="other")

    refused(api.public.get_id, IdentityPoolId=pool_id, Logins={**api.login("ann"), **bad})

    rows = api.emulator.service.state.rows("SELECT 1 FROM identities UNION ALL SELECT 1 FROM logins")
    assert rows == []


def test_failed_role_links_nothing(api, refused):
    """A call that fails after its tokens were verified leaves the guest's identity as it was."""
    pool_id = api.oidc_pool(roles={"unauthenticated": "arn:aws:iam::123456789012:role/guest"})
    guest = get_id(api, pool_id)

    code, _, _ = refused(api.public.get_credentials_for_identity, IdentityId=guest, Logins=api.login("ann"))

    assert code == "InvalidIdentityPoolConfigurationException"
    assert credentials_id(api, guest) == guest


def test_unlink_one_of_two(api, refused):
    """An unlinked login gets a new identity, and the other login still works."""
    pool_id = api.oidc_pool()
    both = {**api.login("ann"), **api.login("ann@g", GOOGLE)}
    identity_id = get_id(api, pool_id, both)

    api.public.unlink_identity(IdentityId=identity_id, Logins=api.login("ann"), LoginsToRemove=[GOOGLE])

    assert get_id(api, pool_id, api.login("ann")) == identity_id
    assert get_id(api, pool_id, api.login("ann@g", GOOGLE)) != identity_id


def test_unlink_answers_with_an_empty_body(api):
    """UnlinkIdentity has no output: the answer is 200 with an empty body."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))

    answer = api.post(
        "UnlinkIdentity",
        {"IdentityId": identity_id, "Logins": api.login("ann"), "LoginsToRemove": [OIDC]},
    )

    assert (answer.status, answer.body) == (200, b"")


def test_unlink_the_last_login(api, refused):
    """An identity without its last login is inaccessible, also to guests. The user gets a new one."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))

    api.public.unlink_identity(IdentityId=identity_id, Logins=api.login("ann"), LoginsToRemove=[OIDC])

    assert refused(api.public.get_credentials_for_identity, IdentityId=identity_id) == forbidden(identity_id)
    assert get_id(api, pool_id, api.login("ann")) != identity_id


def test_unlink_needs_a_login_of_the_identity(api, refused):
    """Unlinking needs a login of the identity, and removes only logins that are linked."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))

    foreign = refused(
        api.public.unlink_identity,
        IdentityId=identity_id,
        Logins=api.login("bob"),
        LoginsToRemove=[OIDC],
    )
    unlinked, _, _ = refused(
        api.public.unlink_identity,
        IdentityId=identity_id,
        Logins=api.login("ann"),
        LoginsToRemove=[GOOGLE],
    )

    assert foreign == ("NotAuthorizedException", MISMATCH, 400)
    assert unlinked == "InvalidParameterException"
    assert get_id(api, pool_id, api.login("ann")) == identity_id


def test_deleted_identities(api, refused):
    """A deleted identity is not found, with the exact text. Its logins can be linked again."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))

    answer = api.developer.delete_identities(IdentityIdsToDelete=[identity_id, "us-east-1:0000"])

    assert answer["UnprocessedIdentityIds"] == []
    assert refused(
        api.public.get_credentials_for_identity, IdentityId=identity_id, Logins=api.login("ann")
    ) == ("ResourceNotFoundException", f"Identity '{identity_id}' not found.", 400)
    assert get_id(api, pool_id, api.login("ann")) != identity_id


def test_unlink_nothing_from_an_identity_without_logins(api):
    """Removing no login does not disable an identity that has none."""
    from cognito_credentials.emulator.stored.identities import load_identity, unlink_logins

    identity_id = get_id(api, api.emulator.create_pool())
    state = api.emulator.service.state

    unlink_logins(state, load_identity(state, identity_id), [], 0)

    assert credentials_id(api, identity_id) == identity_id
