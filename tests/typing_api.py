"""
The public API as a caller's type checker sees it. `.ci/run` checks this file with mypy; nothing runs it.

A wrong line carries a ``type: ignore``, which mypy reports as unused if the line is accepted.
"""

from __future__ import annotations

import datetime as dt
import webbrowser
from pathlib import Path

from cognito_credentials import (
    AsyncIdentityPool,
    ChallengeRequired,
    CognitoCredentialsError,
    IdentityPool,
    IdentityPoolProvider,
    LoginRequiredError,
    Secret,
    ServiceError,
    Session,
    TemporaryCredentials,
    administer,
    install,
)
from cognito_credentials.adapters.awscrt import credentials_provider
from cognito_credentials.adapters.iot import websocket_url
from cognito_credentials.clock import Clock
from cognito_credentials.sign_in import (
    AsyncChallengeRequired,
    LoginTokens,
    OidcLogin,
    SignedIn,
    SignInStore,
    UserPool,
)
from cognito_credentials.sign_in.ways.prompt import TerminalPrompt

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"


def sign_in() -> str:
    """Stand for an application's function that returns a login token."""
    return "token"


async def sign_in_async() -> str:
    """Stand for one that is asynchronous."""
    return "token"


class Source:
    """A login source of an application needs no parent class."""

    def token(self) -> Secret:
        """Return a token."""
        return Secret("token")


def changed(old: str | None, new: str, reason: str) -> None:
    """Take a change of identity."""


async def changed_async(old: str | None, new: str, reason: str) -> None:
    """Take it on an event loop."""


def pools() -> None:
    """Build pools with every kind of argument."""
    IdentityPool()
    IdentityPool(POOL_ID, logins={"accounts.google.com": sign_in})
    IdentityPool(POOL_ID, logins=Source(), user="ann")
    IdentityPool(profile_name="app", flow="basic", duration_seconds=900)
    IdentityPool(POOL_ID, logins=sign_in, outage=KeyError)
    IdentityPool(POOL_ID, logins=sign_in, outage=(KeyError, OSError))
    Session(identity_pool_id=POOL_ID, logins=sign_in, outage=KeyError)
    IdentityPool(POOL_ID, outage="KeyError")  # type: ignore[arg-type]
    IdentityPool(5)  # type: ignore[arg-type]
    IdentityPool(POOL_ID, lgoins=sign_in)  # type: ignore[call-arg]
    IdentityPool(POOL_ID, flow=5)  # type: ignore[arg-type]


def results(pool: IdentityPool) -> None:
    """Use what the methods of a pool return."""
    credentials: TemporaryCredentials = pool.credentials()
    key: str = credentials.access_key_id
    secret: str = credentials.secret_access_key.reveal()
    until: dt.datetime = credentials.expiration
    account: str | None = credentials.account_id
    plain: str = credentials.secret_access_key  # type: ignore[assignment]
    identity: str = pool.identity_id()
    token: Secret = pool.open_id_token()
    removed: int = pool.clear(identities=True)
    left: int | None = pool.status().seconds_left
    pool.on_identity_changed(changed)
    pool.on_identity_changed(sign_in)  # type: ignore[arg-type]
    pool.invalidate(key)
    del secret, until, account, plain, identity, token, removed, left


def sign_ins(pool: IdentityPool) -> None:
    """Have a person sign in and out."""
    name: str = pool.sign_in(link_guest=True, way="password", store="file", username="ann")
    pool.sign_in(prompt=TerminalPrompt(), open_browser=webbrowser.open)
    pool.sign_in(open_browswer=print)  # type: ignore[call-arg]
    pool.sign_in(way=5)  # type: ignore[arg-type]
    pool.sign_in(prompt="terminal")  # type: ignore[arg-type]
    pool.sign_out("login", revoke=False)
    del name


def forms(pool: IdentityPool, clock: Clock) -> None:
    """Sign in from a form of an app."""
    account: SignedIn = pool.sign_in_with_password("ann", "password", link_guest=True, store="file")
    names: tuple[str, str, str, str] = (account.subject, account.username, account.email, str(account))
    pool.sign_in_with_password("ann", Secret("password"), provider="login.example.com")
    pool.sign_in_with_password("ann", first_factor="email")
    pool.sign_in_with_password()  # type: ignore[call-arg]
    pool.sign_in_with_password("ann", b"password")  # type: ignore[arg-type]
    pool.sign_in_with_password("ann", "password", way="browser")  # type: ignore[call-arg]
    UserPool("us-east-1_Ab1Cd2Ef3", "client", first_factor="choice", redirect_ports=[8400], clock=clock)
    UserPool("us-east-1_Ab1Cd2Ef3", "client", firstfactor="sms")  # type: ignore[call-arg]
    UserPool("us-east-1_Ab1Cd2Ef3", "client", sign_in=5)  # type: ignore[arg-type]
    OidcLogin("https://login.example.com", "client", sign_in="device", store="file", profile_name="app")
    OidcLogin("https://login.example.com", "client", sing_in="device")  # type: ignore[call-arg]
    OidcLogin("https://login.example.com", "client", redirect_ports="8400")  # type: ignore[arg-type]
    del names


def questions(question: ChallengeRequired) -> SignedIn:
    """Answer what a user pool asks."""
    kind: str = question.kind
    sent_to: str | None = question.sent_to
    choices: tuple[str, ...] = question.choices
    more: tuple[str, ...] = question.attributes
    is_open: bool = question.is_open
    question.answer(5)  # type: ignore[arg-type]
    del kind, sent_to, choices, more, is_open
    return question.answer("314159", attributes={"name": "Ann"})


async def awaited_questions(pool: AsyncIdentityPool, question: AsyncChallengeRequired) -> None:
    """Do the same on an event loop."""
    account: SignedIn = await pool.sign_in_with_password("ann", "password")
    account = await question.answer(Secret("314159"))
    await pool.sign_in_with_password("ann", pasword="password")  # type: ignore[call-arg]
    del account


class Entry:
    """A store of an application."""

    def load(self) -> str | None:
        """Return the text."""
        return None

    def save(self, text: str) -> None:
        """Store the text."""

    def delete(self) -> None:
        """Remove the text."""


class AsyncEntry:
    """A store of an application on an event loop."""

    async def load(self) -> str | None:
        """Return the text."""
        return None

    async def save(self, text: str) -> None:
        """Store the text."""

    async def delete(self) -> None:
        """Remove the text."""


class Half:
    """A store that lacks a method."""

    def load(self) -> str | None:
        """Return the text."""
        return None

    def save(self, text: str) -> None:
        """Store the text."""


async def stores(pool: IdentityPool, loop: AsyncIdentityPool) -> None:
    """Keep a sign-in in the application's own place; use its tokens."""
    store: SignInStore = Entry()
    login = UserPool("us-east-1_Ab1Cd2Ef3", "client", store=store, directory=Path("/var/lib/app"))
    OidcLogin("https://login.example.com", "client", store=AsyncEntry())
    OidcLogin("https://login.example.com", "client", store="memory", directory="/var/lib/app")
    OidcLogin("https://login.example.com", "client", store=Half())  # type: ignore[arg-type]
    UserPool("us-east-1_Ab1Cd2Ef3", "client", stoer=Entry())  # type: ignore[call-arg]
    IdentityPool(POOL_ID, directory="/var/lib/app")
    IdentityPool(POOL_ID, directory=5)  # type: ignore[arg-type]
    AsyncIdentityPool(POOL_ID, directory=Path("/var/lib/app"))
    Session(identity_pool_id=POOL_ID, directory=Path("/var/lib/app"))
    account: SignedIn = pool.sign_in_with_refresh_token("token", provider="login.example.com")
    account = await loop.sign_in_with_refresh_token(Secret("token"), link_guest=True)
    pool.sign_in_with_refresh_token(5)  # type: ignore[arg-type]
    tokens: LoginTokens = login.tokens()
    tokens = pool.tokens()
    tokens = await loop.tokens("login.example.com")
    bearer: str = tokens.access_token.reveal()
    until: dt.datetime = tokens.expiration
    tokens.id_token = Secret("")  # type: ignore[misc]
    del account, bearer, until


async def tasks(pool: IdentityPool) -> None:
    """Use a pool on an event loop."""
    async with AsyncIdentityPool(POOL_ID, logins=sign_in_async, flow="enhanced") as made:
        credentials: TemporaryCredentials = await made.credentials()
        held: TemporaryCredentials | None = made.current()
        identity: str = await made.identity_id()
        token: Secret = await made.open_id_token()
        removed: int = await made.clear(identities=True)
        left: int | None = (await made.status()).seconds_left
        name: str = await made.sign_in(way="password", username="ann")
        ann: AsyncIdentityPool = made.for_user("ann", logins={"accounts.google.com": sign_in_async})
        threads: IdentityPool = ann.pool
        made.on_identity_changed(changed)
        made.on_identity_changed(changed_async)
        made.on_identity_changed(sign_in)  # type: ignore[arg-type]
        await made.invalidate(credentials.access_key_id)
        await made.sign_in(wya="password")  # type: ignore[call-arg]
        await made.link()  # type: ignore[call-arg]
        plain: TemporaryCredentials = made.credentials()  # type: ignore[assignment]
    AsyncIdentityPool.of(pool)
    AsyncIdentityPool.of(POOL_ID)  # type: ignore[arg-type]
    AsyncIdentityPool(POOL_ID, lgoins=sign_in)  # type: ignore[call-arg]
    AsyncIdentityPool(POOL_ID, flow=5)  # type: ignore[arg-type]
    del held, identity, token, removed, left, name, threads, plain


def later(error: ServiceError) -> float | None:
    """Ask when another try makes sense."""
    return error.retry_after


def users(pool: IdentityPool) -> None:
    """Have many users in one process."""
    with pool:
        ann: IdentityPool = pool.for_user("ann", logins={"accounts.google.com": sign_in})
    ann.close()
    pool.for_user("ann", login=sign_in)  # type: ignore[call-arg]
    pool.for_user()  # type: ignore[call-arg]


def sessions() -> None:
    """Use `Session` and `install`; boto3 and botocore have no types."""
    session = Session(identity_pool_id=POOL_ID, region_name="eu-west-1")
    pool: IdentityPool | None = session.identity_pool
    provider: IdentityPoolProvider = install(session._session, identity_pool_id=POOL_ID)
    Session(None, None, None, "eu-west-1", logins=sign_in, cache="memory", profile_name="app")
    ann = IdentityPool(POOL_ID).for_user("ann", logins=sign_in)
    Session(pool=ann, region_name="eu-west-1")
    install(session._session, ann)
    install(session._session, pool=ann)
    install(session._session, AsyncIdentityPool.of(ann))  # an aiobotocore session
    Session(pool=AsyncIdentityPool.of(ann))  # type: ignore[arg-type]
    Session(pool=POOL_ID)  # type: ignore[arg-type]
    install(session._session, POOL_ID)  # type: ignore[arg-type]
    Session(identity_pool=POOL_ID)  # type: ignore[call-arg]
    install(session._session, lgoins=sign_in)  # type: ignore[call-arg]
    IdentityPoolProvider(pol=pool)  # type: ignore[call-arg]
    del pool, provider


def errors(error: CognitoCredentialsError) -> None:
    """Use what each error has."""
    hint: str = error.hint
    code: int = error.exit_code
    again: bool = error.retryable
    if isinstance(error, LoginRequiredError):
        raise error
    del hint, code, again


def iot(pool: IdentityPool, of_a_loop: AsyncIdentityPool) -> list[str]:
    """AWS IoT Core, for any client and for AWS's own."""
    credentials_provider(pool)
    credentials_provider(of_a_loop)  # type: ignore[arg-type]
    websocket_url(pool, b"mqtt.example.com")  # type: ignore[arg-type]
    return [
        websocket_url(pool, "mqtt.example.com"),
        websocket_url(of_a_loop, "mqtt.example.com", region="eu-west-1"),
    ]


def operating(session: object) -> None:
    """Operate pools, identities and developer users."""
    plan: administer.Plan = administer.plan(Path("pools.toml"), session, region="eu-west-1")
    administer.apply(plan, session, delete=True, progress=print)
    text: str = administer.export(POOL_ID)
    name: str = next(administer.list_pools(region="eu-west-1")).name
    identity: administer.Identity = next(administer.list_identities(POOL_ID, hide_disabled=True))
    left: list[administer.Unprocessed] = administer.delete_identities([identity.identity_id])
    found: administer.DeveloperIdentity = administer.lookup_developer(POOL_ID, user="ann")
    administer.lookup_developer(POOL_ID, usr="ann")  # type: ignore[call-arg]
    administer.plan(5)  # type: ignore[arg-type]
    del text, name, left, found
