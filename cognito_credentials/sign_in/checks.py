"""
Checks of the settings of signing in. Each returns the value in its normal form, or raises ConfigurationError.

``where`` is the name of the setting and its origin, for messages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ..errors import ConfigurationError, LoginRejectedError, clean, near
from ..home import own_directory
from ..logins.program import source_of_object
from ..logins.providers import check_provider
from ..logins.source import Source
from ..regions import is_user_pool_id
from ..secret import Secret
from ..settings.checks import text

if TYPE_CHECKING:
    from ..clock import Clock
    from .store import SignInStore

WAYS: Final = ("browser", "device", "password")
NO_BROWSER: Final = "no-browser"
"""A way that is never configured: a browser on another machine, by copying addresses there and back."""
FIRST_FACTORS: Final = ("password", "sms", "email", "choice")
STORES: Final = ("keyring", "file")
MEMORY: Final = "memory"
"""A store that only a program may choose: a command ends, and its memory with it."""
_METHODS: Final = ("load", "save", "delete")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PREFIX: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")
"""Source: RFC 6749, 3.3, scope-token."""
_CLIENT_ID_LIMIT: Final = 255
_MOST_PORTS: Final = 20


class Options(TypedDict, total=False):
    """The arguments that `UserPool` and `OidcLogin` share; these say what each means. None is not given."""

    sign_in: str | None
    redirect_ports: Sequence[int]
    store: SignInStore | str | None
    directory: str | os.PathLike[str] | None
    login_provider: str | None
    profile_name: str | None
    environ: Mapping[str, str] | None
    clock: Clock | None
    profile_settings: Mapping[str, Any] | None


def user_pool_id(value: object, where: str) -> str:
    """Check the id of a user pool: ``REGION_name``."""
    given = text(value, where)
    if is_user_pool_id(given):
        return given
    hint = "It is REGION_NAME, such as us-east-1_Ab1Cd2Ef3"
    if ":" in given:
        hint = f"That looks like the id of an identity pool. {hint}"
    raise ConfigurationError(
        f"{where} is not the id of a user pool: '{clean(given, 80)}'", hint=hint, topic="E-SIGN-IN-SETTING"
    )


def client_id(value: object, where: str) -> str:
    """Check a client id: up to 255 printable ASCII characters without spaces."""
    given = text(value, where)
    if len(given) > _CLIENT_ID_LIMIT or not given.isascii() or not given.isprintable() or " " in given:
        raise ConfigurationError(
            f"{where} is not a client id",
            hint="It is printable ASCII without spaces, as the issuer shows it",
            topic="E-SIGN-IN-SETTING",
        )
    return given


def client_secret(value: object, where: str) -> Secret | Source | None:
    """Check a client's secret, or a login source that gives it; None for a client without a secret."""
    if value is None or isinstance(value, Secret):
        return value
    if isinstance(value, str) and value:
        return Secret(value)
    source = source_of_object(value)
    if source is not None:
        return source
    raise ConfigurationError(
        f"{where} is {type(value).__name__}, and no secret" if value != "" else f"{where} is empty",
        hint="Give text, a Secret or a login source; or nothing, for a client without a secret",
        topic="E-SIGN-IN-SETTING",
    )


def refresh_token(value: object, where: str) -> Secret:
    """Check a refresh token; no message repeats it."""
    given = Secret(value.strip()) if isinstance(value, str) else value
    if isinstance(given, Secret) and given and _is_encodable(given):
        return given
    what = f"is {type(value).__name__}, and no token"
    if isinstance(given, Secret):
        what = "is not valid Unicode text" if given else "is empty"
    raise ConfigurationError(
        f"{where} {what}", hint="Give the refresh token, as text or a Secret", topic="E-SIGN-IN-SETTING"
    )


def domain(value: object, where: str, region: str) -> str:
    """Check the domain of a hosted UI, and return its host; a prefix is one of Cognito's own domains."""
    given = text(value, where).removeprefix("https://").rstrip("/").lower()
    if _PREFIX.fullmatch(given):
        return f"{given}.auth.{region}.amazoncognito.com"
    if _HOST.fullmatch(given):
        return given
    raise ConfigurationError(
        f"{where} is not a domain: '{clean(given, 80)}'",
        hint="It is a prefix such as my-app, or a host such as auth.example.com",
        topic="E-SIGN-IN-SETTING",
    )


def scopes(value: object, where: str) -> str:
    """Check scopes: text with spaces or commas, or a list. Return them with spaces, ``openid`` first."""
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(given, Sequence) or not all(isinstance(s, str) and _SCOPE.fullmatch(s) for s in given):
        raise ConfigurationError(
            f"{where} is no list of scopes",
            hint="Write: openid email offline_access",
            topic="E-SIGN-IN-SETTING",
        )
    return " ".join(dict.fromkeys(("openid", *given)))


def ports(value: object, where: str) -> tuple[int, ...]:
    """Check ports: text separated by commas or spaces, a list, or one."""
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    if isinstance(given, int):
        given = [given]
    found = [_port(item) for item in given] if isinstance(given, Sequence) else [None]
    if not found or None in found or len(found) > _MOST_PORTS:
        raise ConfigurationError(
            f"{where} is no list of ports",
            hint="Write up to 20 numbers from 1024 to 65535: 8400,8401",
            topic="E-SIGN-IN-SETTING",
        )
    return tuple(dict.fromkeys(port for port in found if port is not None))


def way(value: object, where: str, ways: Sequence[str]) -> str:
    """Check the way to sign in: one of *ways*."""
    given = text(value, where)
    if given not in ways:
        raise ConfigurationError(
            f"{where} is '{clean(given, 40)}', which this issuer does not have",
            hint=f"Use {', '.join(ways[:-1])} or {ways[-1]}",
            topic="E-SIGN-IN-SETTING",
        )
    return given


def check_username(name: str | None, way: str) -> None:
    """Refuse a user name for any other way than ``password``: an issuer's own page asks for it."""
    if name is not None and way != "password":
        raise ConfigurationError(
            f"a user name goes with a password, and the way to sign in here is '{clean(way, 40)}'",
            hint="Leave username out, or choose way='password' (--password on the command line)",
            topic="E-SIGN-IN-SETTING",
        )


def typed(value: object, what: str) -> Secret:
    """
    Check what a person has typed into a form of an app; it may be a secret, and no message repeats it.

    Args:
        what: What it is, for messages.

    Raises:
        LoginRejectedError: It is empty; that is the person's to correct.
        ConfigurationError: It is no text; that is the app's.
    """
    given = Secret(value) if isinstance(value, str) else value
    if not isinstance(given, Secret):
        raise ConfigurationError(
            f"{what} is {type(value).__name__}, and no text",
            hint="Give text or a Secret",
            topic="E-SIGN-IN-SETTING",
        )
    if not given.reveal().strip():
        raise LoginRejectedError(f"{what} is empty", hint="Fill it in", topic="E-PASSWORD")
    if not _is_encodable(given):
        raise LoginRejectedError(
            f"{what} is not valid Unicode text",
            hint="Type it again; the input must be in UTF-8",
            topic="E-PASSWORD",
        )
    return given


def _is_encodable(given: Secret) -> bool:
    """Tell whether UTF-8 can write it: Python may read other bytes as halves of surrogate pairs."""
    try:
        given.reveal().encode("utf-8")
    except UnicodeEncodeError:  # it has the text, and is dropped here
        return False
    return True


def typed_name(value: object) -> str:
    """Check a user name that a person has typed into a form; raises the errors of `typed`."""
    return typed(value, "the user name").reveal().strip()


def first_factor(value: object, where: str) -> str:
    """Check what a person proves first who they are with, where a user pool has a choice."""
    given = text(value, where)
    if given not in FIRST_FACTORS:
        raise ConfigurationError(
            f"{where} is '{clean(given, 40)}'",
            hint=f"Use {', '.join(FIRST_FACTORS[:-1])} or {FIRST_FACTORS[-1]}",
            topic="E-SIGN-IN-SETTING",
        )
    return given


def store(value: object, where: str) -> str:
    """Check the store of the refresh token: one of `STORES`."""
    given = text(value, where)
    if given not in STORES:
        raise ConfigurationError(
            f"{where} is '{clean(given, 40)}'",
            hint="Use keyring, or file for a plain file that only you can read",
            topic="E-SIGN-IN-SETTING",
        )
    return given


def own_store(value: object, where: str) -> object:
    """Check the store that a program gives: one of `STORES`, ``memory``, or an object of its own."""
    if isinstance(value, str) and value == MEMORY:
        return value
    if isinstance(value, str):
        try:
            return store(value, where)
        except ConfigurationError as error:
            problem = ConfigurationError(
                error.message, hint=f"{error.hint}; memory, or an object of your own", topic=error.topic
            )
        raise problem
    if isinstance(value, type):
        raise ConfigurationError(
            f"{where} is the class {value.__name__}", hint="Give an object of it", topic="E-SIGN-IN-STORE"
        )
    lacks = [name for name in _METHODS if not callable(getattr(value, name, None))]
    if lacks:
        raise ConfigurationError(
            f"{where} is {type(value).__name__}, which has no method {lacks[0]}",
            hint="It needs load(), save(text) and delete(), sync or async; lock() is optional",
            topic="E-SIGN-IN-STORE",
        )
    lock = getattr(value, "lock", None)
    if lock is not None and not callable(lock):
        raise ConfigurationError(
            f"{where} is {type(value).__name__}, whose lock is no method",
            hint="Have lock() return a context manager that keeps other processes out, or leave it out",
            topic="E-SIGN-IN-STORE",
        )
    return value


def options(
    given: Mapping[str, Any], ways: Sequence[str], where: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """
    Check the arguments that `UserPool` and `OidcLogin` share; those that are None are left out.

    Args:
        ways: The ways to sign in that the issuer has.
        where: The origin of an argument by its name, for messages; by default the name itself.

    Raises:
        TypeError: No argument has that name.
        ConfigurationError: An argument is malformed.
    """
    unknown = sorted(given.keys() - Options.__annotations__.keys())
    if unknown:
        meant = near(unknown[0], Options.__annotations__)
        hint = f"; did you mean {meant[0]!r}?" if meant else ""
        raise TypeError(f"there is no option {unknown[0]!r}{hint}")
    found = {
        name: value
        for name, value in given.items()
        if value is not None and not (isinstance(value, tuple) and not value)
    }
    by_name: dict[str, Callable[[Any, str], object]] = {
        "sign_in": lambda value, origin: way(value, origin, ways),
        "redirect_ports": ports,
        "store": own_store if where is None else store,
        "login_provider": check_provider,
        "directory": lambda value, origin: own_directory(value, origin, found.get("environ") or os.environ),
    }
    for name in found.keys() & by_name.keys():
        found[name] = by_name[name](found[name], (where or {}).get(name, name))
    return found


def _port(item: object) -> int | None:
    if isinstance(item, str) and item.isascii() and item.isdigit() and len(item) <= 5:
        item = int(item)
    is_number = isinstance(item, int) and not isinstance(item, bool)
    return item if is_number and 1024 <= item <= 65535 else None  # type: ignore[return-value,operator]  # just checked
