"""
The fast path: find credentials in the cache without resolving any settings.

SDKs start this program once a session or, near expiry, once a request, so an answer from the cache must cost
little more than starting Python. Finding out which credentials a command line selects takes the config
parser, botocore and the rules of the settings. So the slow path does that once and stores a *shortcut*. The
key of this record is a hash of everything that the selection came from: the arguments, the AWS variables of
the environment, and the bytes of both config files. The record has the key of the credentials, the hashes
of the token files and variables that the logins read, and what other commands show of the settings.

If any of it changes in any bit, the shortcut is not found or does not hold, and the slow path runs again. It
also runs when anything here is in doubt: this module refreshes nothing, and reports nothing.

At its top it imports only what starting Python has loaded already, and modules of this package that do the
same.
"""

from __future__ import annotations

import os

from ..cache.file import FileStore
from ..cache.records import ShortcutRecord, decode_credentials, decode_shortcut, decode_state, encode
from ..clock import Clock
from ..digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..cache.records import CredentialsRecord
    from ..pool.pool import IdentityPool

_VERSION = "2"
_INPUT_LIMIT = 1 << 20
"""Bytes of a config or token file; larger ones are left to the slow path."""
_NEVER = frozenset({"--debug", "--help", "-h"})
"""Arguments that only the slow path serves."""


class Hit:
    """
    What the cache has for a command line.

    Args:
        store: The cache.
        record: Fresh credentials.
        facts: What `remember` was given.
    """

    __slots__ = ("facts", "record", "store")

    def __init__(self, store: FileStore, record: CredentialsRecord, facts: dict[str, str]) -> None:
        self.store = store
        self.record = record
        self.facts = facts


def answer(argv: list[str], environ: Mapping[str, str], clock: Clock | None = None) -> str | None:
    """
    Return the line to print for *argv*, if the credentials are in the cache and fresh.

    Args:
        argv: The command line without the program's name.

    Returns:
        One JSON object in one line; None to take the slow path.
    """
    hit = find(argv, environ, clock)
    return None if hit is None else hit.record.credentials.to_process()


def find(argv: list[str], environ: Mapping[str, str], clock: Clock | None = None) -> Hit | None:
    """
    Find what *argv* selects, if the credentials are in the cache and fresh.

    Args:
        argv: The command line without the program's name.
    """
    directory = _directory(environ)
    key = None if directory is None else inputs(argv, environ)
    if directory is None or key is None:
        return None
    store = FileStore(directory, explicit=False, warn=_say_nothing)
    data = store.load("shortcut", key)
    shortcut = None if data is None else decode_shortcut(key, data)
    if shortcut is None or not _still_holds(shortcut.depends, environ):
        return None
    record = _fresh(store, shortcut.credentials_key, clock or Clock())
    if record is None:
        return None
    parts = [line.partition(" ") for line in shortcut.facts.split("\n")]
    return Hit(store, record, {name: value for name, _, value in parts if name})


def _fresh(store: FileStore, key: str, clock: Clock) -> CredentialsRecord | None:
    """Load the credentials of *key*; None where the slow path has to look at them."""
    try:
        data = store.load("credentials", key)
    except ValueError:
        return None  # it is no key here: a version with other keys wrote the shortcut
    record = None if data is None else decode_credentials(key, data)
    if record is None:
        return None
    if record.seen.is_from_the_future(clock) or record.seen.now(clock) >= record.refresh_at:
        return None
    if clock.wall() >= record.credentials.expires_at:
        return None  # this machine's clock is wrong; the slow path says so
    data = store.load("state", key)
    state = None if data is None else decode_state(key, data)
    if state is not None and state.rejected_access_key_id == record.credentials.access_key_id:
        return None
    return record


def depends(pool: IdentityPool, environ: Mapping[str, str]) -> str | None:
    """
    Hash the token files and variables that the logins of *pool* read.

    Taken before the credentials are asked for, and given to `remember`.

    Returns:
        A line for each, ``kind hash name``; None where a login comes from elsewhere, such as a program.
    """
    from ..pool.pool import parts_of

    found = parts_of(pool).logins.depends()
    if found is None:
        return None
    lines = []
    for kind, name in found:
        content = _content(kind, name, environ)
        if not content or "\n" in name or (kind == "file" and not os.path.isabs(name)):
            return None
        lines.append(f"{kind} {content} {name}")
    return "\n".join(lines)


def remember(
    argv: list[str],
    environ: Mapping[str, str],
    pool: IdentityPool,
    facts: Mapping[str, str],
    *,
    key: str | None,
    lines: str | None,
) -> None:
    """
    Store the shortcut from *argv* to the credentials of *pool*.

    Nothing is stored if a config or token file has changed since *key* and *lines* were taken: the
    credentials came from what it was before.

    Args:
        argv: The command line without the program's name.
        pool: The pool that *argv* selects.
        facts: What the command shows beside the credentials; names have no spaces.
        key: `inputs`, taken before the settings were read.
        lines: `depends`, taken before the credentials were asked for.
    """
    from ..pool.pool import parts_of

    directory, found = _directory(environ), parts_of(pool).place_on_disk()
    if key is None or lines is None or directory is None or found is None:
        return
    if any("\n" in value for value in facts.values()):
        return
    used, credentials_key = found
    if os.path.abspath(used) != directory:
        return
    if inputs(argv, environ) != key or depends(pool, environ) != lines:
        return
    record = ShortcutRecord(
        key=key,
        credentials_key=credentials_key,
        depends=lines,
        facts="\n".join(f"{name} {value}" for name, value in facts.items()),
    )
    FileStore(directory, explicit=False, warn=_say_nothing).store("shortcut", key, encode(record))


def inputs(argv: list[str], environ: Mapping[str, str]) -> str | None:
    """
    Hash everything that settings come from, unambiguously.

    Returns:
        40 hexadecimal digits; None where the settings depend on more than is hashed here.
    """
    # Without HOME, the config file is where the user database says.
    if not _NEVER.isdisjoint(argv) or not os.path.isabs(environ.get("HOME", "")):
        return None
    parts = [_VERSION, str(len(argv)), *argv]
    for name in sorted(environ):
        if name.startswith("AWS_") or name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
            parts += (name, environ[name])
    for variable, default in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        path = environ.get(variable) or f"{environ.get('HOME', '')}/.aws/{default}"
        if not os.path.isabs(path) or "$" in path:
            return None
        content = _file(path)
        if content is None:
            return None
        parts.append(content)
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _directory(environ: Mapping[str, str]) -> str | None:
    if os.name == "nt":
        return None  # the rules for directories on Windows are left to the settings
    path = environ.get("AWS_COGNITO_CACHE_DIR") or f"{environ.get('HOME', '')}/.aws/cognito/cache"
    return os.path.abspath(path) if os.path.isabs(path) else None


def _still_holds(depends: str, environ: Mapping[str, str]) -> bool:
    for line in depends.split("\n") if depends else ():
        kind, _, rest = line.partition(" ")
        content, _, name = rest.partition(" ")
        if _content(kind, name, environ) != content:
            return False
    return True


def _content(kind: str, name: str, environ: Mapping[str, str]) -> str | None:
    if kind == "file":
        return _file(name)
    value = environ.get(name) if kind == "env" else None
    return None if value is None else sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _file(path: str) -> str | None:
    """Hash a file's bytes; empty when it is missing, None when it is too large or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            content = os.read(descriptor, _INPUT_LIMIT)
            return None if len(content) == _INPUT_LIMIT else sha256(content).hexdigest()
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        return None


def _say_nothing(_: str) -> None:
    """Drop a warning: the slow path, which runs at least once an hour, shows it."""
