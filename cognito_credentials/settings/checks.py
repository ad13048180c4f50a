"""
What each setting must look like, and the error where it does not.

One function a setting. It takes the value as it was given, and *where*: name and origin in words
("identity_pool_id from profile 'dev'"). It returns the value or raises. An error shows a value only where it
cannot be secret, and cleaned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from ..errors import ConfigurationError, clean, near
from ..regions import is_pool_id, is_region, near_regions, partition_of
from ..secret import Secret
from .shared_cache import SCHEMES, cache_key, is_redis_url, redis_url, requests_per_second

ID_LIMIT = 55
"""Source: Cognito Identity API, IdentityPoolId and IdentityId."""
POLICY_LIMIT = 2048
"""Source: STS API, AssumeRoleWithWebIdentity."""
USER_LIMIT = 1024
SHORTEST_SECONDS, LONGEST_SECONDS = 900, 43_200
MOST_USERS_IN_MEMORY = 10_000_000
"""Source: STS API, AssumeRoleWithWebIdentity, DurationSeconds."""
FLOWS = ("enhanced", "basic")
CACHES = ("file", "memory")

_ID = re.compile(r"[a-z0-9-]+:[0-9a-f-]+")
_USER_POOL_ID = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}_[A-Za-z0-9]+")
_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:role/[!-~]*[\w+=,.@-]+", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXAMPLE = "such as us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"


def text(value: object, where: str) -> str:
    """Take *value* as text that is not empty."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{where} is {type(value).__name__}, not text", hint="Give a str")
    if not value.strip():
        raise ConfigurationError(f"{where} is empty", hint="Give it a value, or leave it out")
    return value


def pool_id(value: object, where: str) -> str:
    """Take an identity pool id or an identity id: ``REGION:GUID``, both in lower case."""
    given = text(value, where)
    region, _, rest = given.partition(":")
    if len(given) > ID_LIMIT or not _ID.fullmatch(given) or not is_region(region):
        raise _no_pool_id(given, region if rest else "", where)
    return given


def _no_pool_id(given: str, region: str, where: str) -> ConfigurationError:
    """Say what *given* is instead of an identity pool's id."""
    shown, hint = f"'{clean(given, 80)}'", f"It is REGION:GUID, {_EXAMPLE}"
    if given.startswith("arn:"):
        return _arn(given, where)
    user_pool = _USER_POOL_ID.search(given)
    if user_pool:
        hint = hint.replace("It", "An identity pool's id")
        if user_pool[0] == given:
            return ConfigurationError(
                f"{where} is the id of a user pool: {shown}", hint=hint, topic="E-POOL-ID"
            )
        return ConfigurationError(f"{where} names a user pool: {shown}", hint=hint, topic="E-POOL-ID")
    tidy = given.strip().lower()
    if is_pool_id(tidy) and is_region(tidy.partition(":")[0]):
        what = (
            "is not REGION:GUID all in lower case" if tidy == given.lower() else "has white space around it"
        )
        return ConfigurationError(f"{where} {what}: {shown}", hint=f"Write '{tidy}'")
    if region and not is_region(region):
        near = near_regions(region)
        return ConfigurationError(
            f"{where} begins with '{clean(region, 40)}', which is no region",
            hint=f"Did you mean {' or '.join(near)}?" if near else hint,
            topic="E-POOL-ID",
        )
    if is_pool_id(f"us-east-1:{given}"):
        hint = f"Write its region before it, as in us-east-1:{given}"
    elif where.startswith("identity_pool_id from") and re.fullmatch(r"[\w.-]{1,40}", given, re.ASCII):
        profile = f"; for a profile write profile_name='{given}'" if where.endswith("argument") else ""
        profile = f"; for a profile write --profile {given}" if where.endswith("command line") else profile
        hint += profile
    return ConfigurationError(f"{where} is not REGION:GUID: {shown}", hint=hint, topic="E-POOL-ID")


def _arn(given: str, where: str) -> ConfigurationError:
    # arn:PARTITION:SERVICE:REGION:ACCOUNT:KIND/NAME
    kind, _, name = given.split(":", 5)[-1].partition("/")
    what = {"userpool": "the ARN of a user pool", "role": "the ARN of a role"}.get(kind, "an ARN")
    hint = f"An identity pool's id is REGION:GUID, {_EXAMPLE}"
    if kind == "identitypool" and is_pool_id(name):
        hint = f"Write what follows 'identitypool/': '{name}'"
    elif kind == "role":
        hint += "; for a role there are custom_role_arn and role_arn"
    return ConfigurationError(f"{where} is {what}: '{clean(given, 120)}'", hint=hint)


def account_id(value: object, where: str) -> str:
    """Take an AWS account id."""
    given = text(value, where)
    if len(given) != 12 or not (given.isascii() and given.isdigit()):
        raise ConfigurationError(
            f"{where} is not an AWS account id: '{clean(given, 40)}'", hint="It is 12 digits, without hyphens"
        )
    return given


def callback(given: object) -> None:
    """
    Check a callback when it is given, since a change of identity may come much later.

    Raises:
        ConfigurationError: It cannot be called.
    """
    if not callable(given):
        raise ConfigurationError(
            f"on_identity_changed got {type(given).__name__}, which cannot be called",
            hint="Give a function of three arguments: the old identity id or None, the new one, the reason",
        )


def user(value: object, where: str) -> str:
    """Take the user's name."""
    given = text(value, where)
    if len(given) > USER_LIMIT:
        raise ConfigurationError(
            f"{where} is {len(given)} characters long", hint=f"At most {USER_LIMIT}; any stable name will do"
        )
    return given


def outage(value: object, where: str) -> tuple[type[BaseException], ...]:
    """Take a class of errors, or several."""
    given = value if isinstance(value, (tuple, list)) else () if value is None else (value,)
    for kind in given:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise ConfigurationError(
                f"{where} has {type(kind).__name__}, which is no class of errors",
                hint="Give the classes of what a login function raises offline: outage=(TunnelError,)",
            )
    return tuple(given)


def flow(value: object, where: str) -> str:
    """Take ``enhanced`` or ``basic``."""
    given = text(value, where)
    if given not in FLOWS:
        # AWS calls the basic flow classic, too.
        meant = near(given.lower(), (*FLOWS, "classic"), cutoff=0.5)
        right = "enhanced" if meant in ([], ["enhanced"]) else "basic"
        raise ConfigurationError(
            f"{where} is neither 'enhanced' nor 'basic': '{clean(given, 40)}'",
            hint=f"Did you mean '{right}'?",
            topic="E-FLOW",
        )
    return given


def role_arn(value: object, where: str, region: str | None) -> str:
    """Take the ARN of a role, in the partition of *region* if that is known."""
    given = text(value, where)
    match = _ROLE_ARN.fullmatch(given) if len(given) <= 2048 else None
    partition = partition_of(region) if region else "aws"
    if match is None:
        raise ConfigurationError(
            f"{where} is not the ARN of an IAM role: '{clean(given, 80)}'",
            hint=f"It is arn:{partition}:iam::ACCOUNT:role/NAME, with 12 digits for ACCOUNT",
        )
    if region and match[1] != partition:
        raise ConfigurationError(
            f"{where} is a role of partition {match[1]}, but the identity pool is in {region}",
            hint=f"Use a role of the pool's account: arn:{partition}:iam::…",
        )
    return given


def role_session_name(value: object, where: str) -> str:
    """Take a session name as STS takes it."""
    given = text(value, where)
    if not _SESSION_NAME.fullmatch(given):
        raise ConfigurationError(
            f"{where} is not a session name: '{clean(given, 80)}'",
            hint="It has 2 to 64 letters, digits, or any of _+=,.@-",
        )
    return given


def duration_seconds(value: object, where: str) -> int:
    """Take the lifetime of the basic flow's credentials, in seconds."""
    seconds = _whole_number(value, where)
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise ConfigurationError(
            f"{where} is not a whole number of seconds from {SHORTEST_SECONDS} to {LONGEST_SECONDS}: "
            f"'{clean(str(value)[:40], 40)}'",
            hint="The role's own maximum session duration limits it too",
        )
    return seconds


def users_in_memory(value: object, where: str) -> int:
    """Take the number of users whose credentials a process holds."""
    users = _whole_number(value, where)
    if not 1 <= users <= MOST_USERS_IN_MEMORY:
        raise ConfigurationError(
            f"{where} is not a whole number from 1 to {MOST_USERS_IN_MEMORY}: '{clean(str(value)[:40], 40)}'",
            hint="Each user takes 4 KiB of the process's memory at most",
        )
    return users


def _whole_number(value: object, where: str) -> int:
    """Read a whole number, or its digits; -1 for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    given = text(value, where)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


def policy(value: object, where: str) -> str:
    """Take an inline session policy: the text of a JSON object."""
    if isinstance(value, dict):
        raise ConfigurationError(f"{where} is dict, not text", hint="Give json.dumps(policy)")
    given = text(value, where)
    if len(given) > POLICY_LIMIT:
        raise ConfigurationError(
            f"{where} is {len(given)} characters long", hint=f"STS takes at most {POLICY_LIMIT}"
        )
    try:
        parsed = json.loads(given)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ConfigurationError(
            f"{where} is not a JSON object",
            hint='It is a policy document: {"Version": "2012-10-17", "Statement": […]}',
        )
    return given


def cache(value: object, where: str) -> str:
    """Take the kind of cache: one of `CACHES`, or ``redis`` for a URL of a Redis or Valkey."""
    given = value.reveal() if isinstance(value, Secret) else text(value, where)
    scheme, is_url, _ = given.partition("://")
    kind = scheme if is_url else given
    if given in CACHES:
        return given
    if is_redis_url(given):
        redis_url(Secret(given), where)
        return "redis"
    choices = " or ".join(f"'{name}'" for name in CACHES)
    if given == "keyring":
        raise ConfigurationError(f"{where}: '{kind}' is not available in this version", hint=f"Use {choices}")
    if kind.lower() in ("valkey", "valkeys"):
        meant = ["redis://" if kind.lower() == "valkey" else "rediss://"]
    else:
        meant = near(kind.lower(), (*CACHES, *SCHEMES))
    # Of a URL the scheme alone: the rest may hold a password.
    raise ConfigurationError(
        f"{where} is not a cache: '{clean(kind, 40)}'",
        hint=f"Did you mean '{meant[0]}'?" if meant else f"Use {choices}, or redis://HOST:PORT",
    )


def cache_has_password(value: object) -> bool:
    """Tell whether *value*, which `cache` has taken, is a URL with a password in it."""
    return (
        isinstance(value, str) and is_redis_url(value) and redis_url(Secret(value), "").password is not None
    )


CHECKS: Final[Mapping[str, Callable[[object, str], object]]] = {
    "identity_pool_id": pool_id,
    "identity_id": pool_id,
    "account_id": account_id,
    "user": user,
    "flow": flow,
    "role_session_name": role_session_name,
    "duration_seconds": duration_seconds,
    "policy": policy,
    "cache": cache,
    "cache_key": cache_key,
    "requests_per_second": requests_per_second,
    "users_in_memory": users_in_memory,
}
"""The check of each setting that can be checked by itself."""
