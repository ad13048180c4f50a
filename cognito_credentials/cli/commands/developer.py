"""``developer``: the users of an app's own back end: a token for tests, lookup, merge, unlink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import span
from ...errors import ConfigurationError, clean
from ..command import Action, Command, Invocation, Options
from ..confirmation import confirm
from ..signing import signing_session
from ..tables import as_line, listing
from ..terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...administer import Identity


def _add_pool(options: Options) -> None:
    options.add("pool", metavar="POOL", help="the identity pool, REGION:GUID")


def _add_provider(options: Options) -> None:
    options.add(
        "--provider", metavar="NAME", help="developer provider name; the pool is asked where it is not given"
    )


def _add_json(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, one object a line, for programs")


def _add_token(options: Options) -> None:
    _add_pool(options)
    options.add("--user", metavar="USER", required=True, help="the app's own name of the user")
    options.add("--duration", metavar="SECONDS", help="how long the token works: 1 to 86400; 900 by default")
    _add_provider(options)
    _add_json(options)


def _add_lookup(options: Options) -> None:
    _add_pool(options)
    either = options.exclusive(required=True)
    either.add("--user", metavar="USER", help="the app's own name of the user, to find the identity")
    either.add("--identity", metavar="ID", help="the identity, to find its users")
    _add_json(options)


def _add_merge(options: Options) -> None:
    _add_pool(options)
    options.add(
        "--from", metavar="USER", dest="source", required=True, help="the user whose identity ends, for ever"
    )
    options.add(
        "--into", metavar="USER", dest="destination", required=True, help="the user whose identity survives"
    )
    _add_provider(options)
    options.add("--yes", action="store_true", help="do not ask first")
    _add_json(options)


def _add_unlink(options: Options) -> None:
    _add_pool(options)
    options.add("--identity", metavar="ID", required=True, help="the identity that the user has")
    options.add("--user", metavar="USER", required=True, help="the app's own name of the user")
    _add_provider(options)
    options.add("--yes", action="store_true", help="do not ask first")
    _add_json(options)


def _token(invocation: Invocation) -> int:
    """Print a token of a developer user, and nothing else on stdout."""
    from ...administer import developer_token
    from ...administer.developers import DURATION

    options, terminal = invocation.options, invocation.terminal
    duration = None if options.duration is None else _seconds(options.duration)
    found = developer_token(
        options.pool,
        options.user,
        signing_session(invocation, invocation.options.pool),
        provider=options.provider,
        duration_seconds=duration,
    )
    given = found.to_json()
    terminal.write(as_line(given) if options.json else given["Token"] + "\n")
    terminal.notice(
        f"The token is a secret: for {span(duration or DURATION)} whoever has it is this user, identity "
        f"{found.identity_id}, and nothing can take it back."
    )
    return 0


def _seconds(text: str) -> int:
    from ...developer.back_end import LONGEST_DURATION

    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if not 1 <= seconds <= LONGEST_DURATION:
        raise ConfigurationError(
            f"--duration is '{clean(text, 20)}'",
            hint=f"Give seconds, 1 to {LONGEST_DURATION}",
            topic="E-DEVELOPER",
        )
    return seconds


def _lookup(invocation: Invocation) -> int:
    """Print an identity and its developer users."""
    from ...administer import lookup_developer

    options, terminal = invocation.options, invocation.terminal
    found = lookup_developer(
        options.pool,
        signing_session(invocation, invocation.options.pool),
        user=options.user,
        identity_id=options.identity,
    )
    if options.json:
        users = list(found.users)
        terminal.write(as_line({"IdentityId": found.identity_id, "DeveloperUserIdentifierList": users}))
        return 0
    rows: list[tuple[str, object]] = [("identity", found.identity_id)]
    rows += [("user", user) for user in found.users]
    terminal.write(listing(rows, terminal.look.width))
    if not found.users:
        terminal.notice("The identity has no developer user.")
    return 0


def _merge(invocation: Invocation) -> int:
    """Show what a merge does, ask, and do it."""
    from ...administer import developer_provider, merge_developers, plan_merge

    options, terminal = invocation.options, invocation.terminal
    session = signing_session(invocation, invocation.options.pool)
    provider = options.provider or developer_provider(options.pool, session)
    merge = plan_merge(options.pool, options.source, options.destination, session)
    source, destination = printable(options.source), printable(options.destination)
    if merge.is_done:
        terminal.notice(
            f"Nothing to do: '{source}' and '{destination}' have one identity, {merge.survives.identity_id}."
        )
        survivor = merge.survives.identity_id
    else:
        terminal.say(f"survives: {_described(merge.survives, merge.surviving_users)}")
        terminal.say(f"ends:     {_described(merge.ends, merge.ending_users)}")
        public = set(merge.ends.logins) & set(merge.survives.logins) - {provider}
        if public:
            names = printable(", ".join(sorted(public)))
            terminal.say(f"Both have a login of {names}: the service refuses where these are two users.")
        confirm(
            invocation,
            f"merge '{source}' into '{destination}'",
            "All logins and users move to the identity that survives. The other one is disabled for ever.",
        )
        survivor = merge_developers(
            options.pool, options.source, options.destination, session, provider=provider
        )
    if options.json:
        ended = None if merge.is_done else merge.ends.identity_id
        terminal.write(as_line({"IdentityId": survivor, "DisabledIdentityId": ended}))
    elif not merge.is_done:
        terminal.write(f"Merged '{source}' into '{destination}', identity {survivor}.\n")
    return 0


def _described(identity: Identity, users: Sequence[str]) -> str:
    whose = ", ".join(f"'{printable(user)}'" for user in users)
    logins = printable(", ".join(identity.logins), 2000)
    return f"{identity.identity_id} of {whose}, logins: {logins or 'none'}"


def _unlink(invocation: Invocation) -> int:
    """Ask, and take a developer user off an identity."""
    from ...administer import developer_provider, unlink_developer

    options, terminal = invocation.options, invocation.terminal
    session = signing_session(invocation, invocation.options.pool)
    provider = options.provider or developer_provider(options.pool, session)
    user = printable(options.user)
    if not options.yes:
        confirm(
            invocation,
            f"take the user '{user}' off the identity {options.identity}",
            f"The user gets a new identity next time. {_what_is_left(invocation, session, provider)}",
        )
    unlink_developer(options.pool, options.identity, options.user, session, provider=provider)
    if options.json:
        terminal.write(
            as_line(
                {
                    "IdentityId": options.identity,
                    "DeveloperProviderName": provider,
                    "DeveloperUserIdentifier": options.user,
                }
            )
        )
    else:
        terminal.write(f"Took the user '{user}' off the identity {options.identity}.\n")
    return 0


def _what_is_left(invocation: Invocation, session: Any, provider: str) -> str:
    """Say what becomes of the identity."""
    from ...administer import describe_identity, lookup_developer

    options = invocation.options
    users = lookup_developer(options.pool, session, identity_id=options.identity).users
    logins = describe_identity(options.identity, session).logins
    left = [*(each for each in logins if each != provider), *(each for each in users if each != options.user)]
    if left:
        return f"The identity keeps {printable(', '.join(left), 2000)}."
    return "The identity has no other login: it is disabled for ever."


COMMAND = Command(
    details="""
Developer users are people whom an app's own back end authenticates, under the pool's developer provider name.
The requests are signed with boto3's own credentials; --profile names whose.""",
    example="""
$ cognito-credentials developer lookup us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --user ann
$ TOKEN=$(cognito-credentials developer token us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --user ann)""",
    actions=(
        Action(
            "token",
            "print a token of a developer user, for tests",
            Command(
                details="""
The token is a secret, and the only thing on stdout. Whoever has it is the user until it ends: nothing can
take it back. A user who is new gets an identity.""",
                example="""
$ TOKEN=$(cognito-credentials developer token us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --user ann)""",
                arguments=" POOL --user USER",
                run=_token,
                doing="asking for a token",
                add_options=_add_token,
            ),
        ),
        Action(
            "lookup",
            "find the identity of a user, or the users of an identity",
            Command(
                example="""
$ cognito-credentials developer lookup us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --user ann
identity  us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
user      ann""",
                arguments=" POOL --user USER | --identity ID",
                run=_lookup,
                doing="looking up the user",
                add_options=_add_lookup,
            ),
        ),
        Action(
            "merge",
            "give the identity of one user to another one, for ever",
            Command(
                details="""
Shows both identities first, and asks. All logins and users of the one that ends move to the one that
survives.""",
                example="""
$ cognito-credentials developer merge us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --from bob --into ann
survives: us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3 of 'ann', logins: login.example
ends:     us-east-1:2f6e8a34-62f0-4a0a-9d53-0c1de4b2a9f3 of 'bob', logins: login.example
Merged 'bob' into 'ann', identity us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3.""",
                arguments=" POOL --from USER --into USER",
                run=_merge,
                doing="merging the users",
                add_options=_add_merge,
            ),
        ),
        Action(
            "unlink",
            "take a user off an identity",
            Command(
                details="""
The user gets a new identity next time. An identity without any login left is disabled for ever.""",
                example="""
$ cognito-credentials developer unlink us-east-1:0b8d4f1c-0000-4000-8000-000000000001 \\
    --identity us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3 --user ann --yes
Took the user 'ann' off the identity us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3.""",
                arguments=" POOL --identity ID --user USER",
                run=_unlink,
                doing="unlinking the user",
                add_options=_add_unlink,
            ),
        ),
    ),
)
