"""
The service and the pool, asked by calls that cannot make an identity.

The time tells an answer about an identity that does not exist.
Whether the pool exists tells an identity of it that is known here. Without one, it tells a GetId whose login
nobody can have: the service looks for the provider in the list of the pool first, and refuses the token in
any case. Source: reference/service.md#5.2.14b.
Whether it lists the provider of a login tells a GetId with that token and a signature that is none.
Whether it gives credentials tells only a request for an identity that is known already.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from ...cache import InDoubt, record_name
from ...cache.directory import ON_WINDOWS
from ...cache.records import RECORD_LIMIT, decode_identity
from ...clock import span
from ...errors import clean
from ...exchange.actions import Action, Failure
from ...exchange.flows import Flows
from ...logins.claims import unverified_claims
from ...logins.providers import is_saml
from ...regions import own_token_provider
from ...secret import Secret
from .check import Result, error, ok, skipped, warning

if TYPE_CHECKING:
    from ...cache.records import Kind
    from ...settings.settings import Settings
    from .setup import Setup

_WARN_SECONDS: Final = 60
_REFUSED_SECONDS: Final = 300
"""How far a clock may be off before AWS refuses signatures. Source: reference/service.md#W27a."""
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_NOT_FOUND: Final = "ResourceNotFoundException"
_NOBODYS_LOGIN: Final = {"graph.facebook.com": Secret("token-of-nobody")}
"""A provider whose tokens only that provider can read, and a token that it never gave."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_EXISTS: Final = ("NotAuthorizedException", "ExternalServiceException")
_NO_PROVIDERS: Final = ("does not have identity providers configured", "Logins don't match")
_UNSIGNED: Final = "Couldn't verify signed token"
_GUEST_POLICY: Final = (
    "https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html"
    "#access-policies-scope-down-services"
)


def service(setup: Setup) -> Iterator[Result]:
    """What answers is Cognito Identity, and it works."""
    identity_id = f"{setup.settings.region}:{_NO_GUID}"
    failure = _failure(setup, lambda: setup.client.get_credentials_for_identity(identity_id, {}))
    if failure is None:
        yield _not_aws(f"what answers for Cognito Identity in {setup.settings.region} knows any identity")
    elif failure.error.code != _NOT_FOUND:
        yield _error_of(failure)
    else:
        yield ok(f"Cognito Identity answers in {setup.settings.region}")


def clock(setup: Setup) -> Iterator[Result]:
    """This machine's clock agrees with the service's."""
    seen = setup.client.seen
    if seen is None:
        yield ok("the service's answers do not tell its time")
        return
    off = -seen.offset
    said = f"this machine's clock is {span(abs(off))} {'ahead of' if off > 0 else 'behind'} the service's"
    fix = "Set this machine's clock, and have it set by NTP"
    if abs(off) >= _REFUSED_SECONDS:
        yield error(f"{said}: AWS refuses what is signed by it", fix)
    elif abs(off) >= _WARN_SECONDS:
        yield warning(f"{said}: AWS refuses what is signed more than 5 minutes off", fix)
    else:
        yield ok("this machine's clock agrees with the service's")


def pool(setup: Setup) -> Iterator[Result]:
    """The pool exists in its region, and has login providers where there are logins."""
    settings, logins = setup.settings, setup.parts.logins
    shown = f"identity pool {settings.identity_pool_id}"
    if _identity(setup) is not None and not _is_not_found(_exchanged(setup)):
        answers = _exchanged(setup) is None
        yield ok(
            f"{shown} answers for the identity that is known" if answers else "'role' says what it answers"
        )
        return
    failure = _failure(setup, lambda: setup.client.get_id(_NOBODYS_LOGIN))
    if failure is None:
        yield _not_aws(f"what answers for {shown} takes a login token that is none")
    elif failure.error.code not in _EXISTS:
        yield _error_of(failure)
    elif not logins.is_guest and any(text in failure.error.message for text in _NO_PROVIDERS):
        yield error(
            f"{shown} has no login provider, so none of the logins from {logins.origin} counts",
            "Its owner must add the login provider to the pool, with this app client id or audience",
        )
    else:
        yield ok(f"{shown} exists in {settings.region}")


def providers(setup: Setup) -> Iterator[Result]:
    """The pool lists the provider of each login; told by what it says first of a token that is not signed."""
    tokens = _tokens(setup)
    if tokens is None:
        yield ok("the credentials that are kept show that the pool lists the sign-in")
        return
    if not tokens:
        yield ok("no login is sent")
        return
    if _identity(setup) is not None:
        yield ok("'role' sends the logins")
        return
    for provider, token in tokens.items():
        yield _listed(setup, provider, token)


def _listed(setup: Setup, provider: str, token: Secret) -> Result:
    shown = clean(provider, 120)
    if is_saml(provider) or unverified_claims(token.reveal()) is None:
        return ok(f"whether the pool lists {shown} is only told where its token is sent whole")
    failure = _failure(setup, lambda: setup.client.get_id({provider: _unsigned(token)}))
    if failure is None:
        return _not_aws(f"what answers takes a token for {shown} without a signature")
    if _UNSIGNED in failure.error.message:
        return ok(f"the pool lists {shown}")
    return _error_of(failure)


def _unsigned(token: Secret) -> Secret:
    """Replace the signature by zeros, which no key makes."""
    signed, _, signature = token.reveal().rpartition(".")
    return Secret(f"{signed}.{'A' * len(signature)}")


def role(setup: Setup) -> Iterator[Result]:
    """The identity that is known gets credentials: its logins, the flow, and the role's trust policy fit."""
    is_guest, flow = setup.parts.logins.is_guest, setup.settings.flow
    if _tokens(setup) is None:
        yield ok("the credentials that are kept show that the sign-in gets a role")
        return
    if _identity(setup) is None:
        guests = ", and whether guests are allowed," if is_guest else ""
        yield skipped(
            f"no identity is kept, and the role{guests} is told only to one: --pool-details says it, or "
            "credentials do"
        )
        return
    failure = _exchanged(setup)
    if failure is None:
        said = f"the {flow} flow gives credentials to the identity that is known"
        if is_guest and flow == "enhanced":
            said += f"; as a guest's, they are for the services in {_GUEST_POLICY} alone"
        yield ok(said)
    elif failure.action is Action.DROP_IDENTITY:  # the next request replaces it
        yield warning(failure.error.message, failure.error.hint)
    else:
        yield _error_of(failure)


def _failure(setup: Setup, ask: Callable[[], object]) -> Failure | None:
    """Return how *ask* has failed; None where it has not."""
    try:
        setup.bounded(ask)
    except Failure as failure:
        return failure
    return None


def _error_of(failure: Failure) -> Result:
    return error(failure.error.message, failure.error.hint or "Try again later")


def _not_aws(what: str) -> Result:
    return warning(
        f"{what}: it is not AWS's service",
        "Remove the endpoint that is configured, or use this package's emulator",
    )


def _is_not_found(failure: Failure | None) -> bool:
    return failure is not None and failure.error.code == _NOT_FOUND


def _exchanged(setup: Setup) -> Failure | None:
    """Ask for credentials of the identity that is known, once; they are dropped."""
    if setup.exchanged is None:
        flows, identity_id, tokens = Flows(setup.client, setup.settings), _identity(setup), _tokens(setup)
        ask = partial(flows.credentials, identity_id, tokens or {}, lambda _: None)
        setup.exchanged = (_failure(setup, ask),)
    return setup.exchanged[0]


def _tokens(setup: Setup) -> Mapping[str, Secret] | None:
    """Return the tokens that `tokens` has asked for, none for a guest; None where it has got none."""
    if setup.parts.logins.is_guest:
        return {}
    resolved = setup.__dict__.get("resolved")
    return None if resolved is None else resolved.tokens


def _identity(setup: Setup) -> str | None:
    """
    Return the identity that the next request would ask with; None where asking could change something.

    Logins with an identity that somebody else named could be linked to it.
    """
    settings, tokens = setup.settings, _tokens(setup)
    if tokens is None:
        return None
    if tokens.keys() == {own_token_provider(settings.region)}:
        return setup.resolved.identity_id
    if settings.identity_id is not None:
        return None if tokens else settings.identity_id
    principal = setup.resolved.principal if tokens else setup.parts.logins.principal()
    key = settings.identity_key(principal or "")
    data = own_record(settings, "identity", key)
    if settings.shared_cache is not None and setup.parts.store.problem() is None:
        with contextlib.suppress(InDoubt):
            data = setup.parts.store.load("identity", key)
    record = None if data is None else decode_identity(key, data)
    return None if record is None else record.identity_id


def own_record(settings: Settings, kind: Kind, key: str) -> bytes | None:
    """
    Read a record that nobody else can have written; None for any other.

    Not by the store, which removes what it does not trust and sets aside what is damaged.
    """
    if settings.cache != "file" or settings.cache_dir is None:
        return None
    path = os.path.join(settings.cache_dir, record_name(kind, key))
    try:
        found = os.lstat(path)
        is_mine = ON_WINDOWS or (found.st_uid == os.geteuid() and not found.st_mode & _OTHERS)
        if not (stat.S_ISREG(found.st_mode) and is_mine):
            return None
        with open(path, "rb") as file:
            return file.read(RECORD_LIMIT + 1)
    except OSError:
        return None
