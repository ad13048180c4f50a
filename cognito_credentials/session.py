"""
The ways into botocore and boto3: a drop-in boto3 Session, and `install`, also for aiobotocore's sessions.

`botocore_chain.py` has the provider and its place in a session; `botocore_credentials.py` has the credentials
that it gives, and the errors.
"""

from __future__ import annotations

import os
from collections import ChainMap
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.exceptions import ConfigParseError

from .botocore_chain import (
    IdentityPoolProvider,
    check_session,
    check_unused,
    checked_pool,
    extend_chain,
    is_asynchronous,
    replace_chain,
)
from .botocore_credentials import METHOD, as_botocore_error
from .errors import ConfigurationError, replaced
from .exchange.interruption import drops_frames_on_error
from .importing import IMPORTING
from .pool.pool import IdentityPool
from .regions import is_pool_id
from .settings import checks
from .settings.aws_config import read_config
from .settings.load import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack  # of the type checker; typing has it since Python 3.11

    from .botocore_chain import Outage
    from .pool.async_pool import AsyncIdentityPool
    from .settings.settings import Arguments

    class _SessionArguments(Arguments, total=False):
        aws_access_key_id: str | None
        aws_secret_access_key: str | None
        aws_session_token: str | None
        aws_account_id: str | None
        region_name: str | None
        botocore_session: botocore.session.Session | None
        profile_name: str | None
        pool: IdentityPool | None


_BOTO3S: Final = (
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
    *("region_name", "botocore_session", "profile_name", "aws_account_id"),
)
"""The arguments of boto3.Session, in its order."""


class Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """
    A boto3 Session whose credentials come from an identity pool.

    With an identity pool among the arguments, credentials come from that pool alone. Without one, the profile
    or the environment may name a pool; access keys among the arguments win over it. Where nothing names a
    pool, this is boto3's own Session. Where no region is configured, the pool's is the default.

    Sessions share the cache on disk. With ``cache="memory"`` each session is another guest: make one
    session, and use it throughout. Like boto3's, a session needs no closing; ``identity_pool.close()`` closes
    idle connections to Cognito, and each client's ``close()`` its own.

    Args:
        args: boto3.Session's own arguments, in its order.
        kwargs: boto3.Session's own arguments; and either any setting of `IdentityPool`, or ``pool=`` with an
            `IdentityPool`, such as one user's of `IdentityPool.for_user`.

    Raises:
        ConfigurationError: An argument is missing or malformed, or stands in another one's place.
    """

    @drops_frames_on_error
    def __init__(self, *args: Any, **kwargs: Unpack[_SessionArguments]) -> None:
        others: dict[str, Any] = {**kwargs}
        settings = {name: others.pop(name) for name in (NAMES.keys() | {"outage"}) & others.keys()}
        pool = checked_pool(others.pop("pool", None), settings, "Session", IdentityPoolProvider)
        given, outage = _without_outage(settings)
        has_keys = _check_boto3s(args, others, has_pool=bool(given) or pool is not None)
        self.identity_pool: IdentityPool | None = None
        with replaced(ConfigParseError, by=_mistake_in_config):
            super().__init__(*args, **others)
            if given or pool is not None:
                provider = replace_chain(self._session, IdentityPoolProvider, given, outage, pool)
                self.identity_pool = provider.pool
            elif not has_keys:
                extend_chain(self._session, IdentityPoolProvider, outage)


def _mistake_in_config(error: ConfigParseError) -> Exception | None:
    """Say what is wrong in the config file, and in which line: botocore says only that it cannot parse it."""
    try:
        read_config(ChainMap({"AWS_CONFIG_FILE": str(error.kwargs.get("path") or "")}, os.environ))
    except ConfigurationError as mistake:
        return as_botocore_error(mistake)
    return None


@drops_frames_on_error
def install(
    session: botocore.session.Session,
    pool: IdentityPool | AsyncIdentityPool | None = None,
    **settings: Unpack[Arguments],
) -> IdentityPoolProvider:
    """
    Put the provider into *session*'s chain; call it before the session's first use.

    Where no region is configured, the pool's is the default.

    Args:
        session: A botocore session; boto3's takes it as ``boto3.Session(botocore_session=session)``. Or one
            of aiobotocore: aioboto3's takes it in the same way, s3fs as ``S3FileSystem(session=session)``.
        pool: The pool, such as one user's of `IdentityPool.for_user`; then no setting may be given. An
            `AsyncIdentityPool` is for an aiobotocore session only, which takes both.
        settings: Settings of `IdentityPool`. With a pool, or any but ``outage``, that is the only source of
            credentials. With none, the provider reads profile and environment, and stands before
            ``credential_process`` in the chain.

    Returns:
        The provider.

    Raises:
        ConfigurationError: *session* or *pool* is of another kind, *session* has been used, a setting is
            malformed, or botocore cannot parse the config file, which it would say in fewer words later.
    """
    check_session(session, "install()")
    kind = _provider_of(session)
    with replaced(ConfigParseError, by=_mistake_in_config):
        _ = session.full_config
    checked = checked_pool(pool, settings, "install()", kind)
    given, outage = _without_outage(settings)
    if given or checked is not None:
        return replace_chain(session, kind, given, outage, checked)
    check_unused(session, but=("explicit", METHOD))
    return extend_chain(session, kind, outage)


def _provider_of(session: botocore.session.Session) -> type[IdentityPoolProvider]:
    """Return the class of provider that *session* takes; aiobotocore is imported only for its own."""
    if not is_asynchronous(session):
        return IdentityPoolProvider
    with IMPORTING:
        from .adapters.aiobotocore import AioIdentityPoolProvider
    return AioIdentityPoolProvider


def _without_outage(settings: Mapping[str, Any]) -> tuple[dict[str, Any], Outage]:
    """Return what is given of *settings*, and ``outage`` apart: it goes with any pool and names none."""
    given = {name: value for name, value in settings.items() if value is not None}
    return given, checks.outage(given.pop("outage", None), "outage from argument")


def _check_boto3s(args: tuple[Any, ...], kwargs: Mapping[str, Any], *, has_pool: bool) -> bool:
    """Check boto3.Session's own arguments for what stands in the wrong place; tell whether keys are given."""
    given = {**dict(zip(_BOTO3S, args, strict=False)), **kwargs}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, IdentityPool):
            raise ConfigurationError(
                f"{name} of Session is an IdentityPool",
                hint="Write Session(pool=…) for an IdentityPool",
                topic="E-ARGUMENT",
            )
        if isinstance(value, str) and is_pool_id(value):
            first = "the first argument of Session, as of boto3's, is aws_access_key_id, and it"
            raise ConfigurationError(
                f"{name if name in kwargs else first} is the id of an identity pool: '{value}'",
                hint=f"Write Session(identity_pool_id='{value}')",
                topic="E-ARGUMENT",
            )
    if "botocore_session" in given:
        check_session(given["botocore_session"], "botocore_session of Session", is_async=False)
    keys = [name for name in _BOTO3S[:3] if name in given]
    if keys and has_pool:
        raise ConfigurationError(
            "both access keys and identity pool settings are given",
            hint="Give one or the other",
            topic="E-ARGUMENT",
        )
    if keys and not {"aws_access_key_id", "aws_secret_access_key"} <= given.keys():
        raise ConfigurationError(
            f"{' and '.join(keys)} of Session {'is' if len(keys) == 1 else 'are'} not a whole access key",
            hint="Write identity_pool_id= for an identity pool, profile_name= for a profile, or give both "
            "aws_access_key_id and aws_secret_access_key",
            topic="E-ARGUMENT",
        )
    if has_pool and "aws_account_id" in given:
        raise ConfigurationError(
            "aws_account_id of Session goes with access keys, and none are given",
            hint="Write account_id= for the account of an identity pool",
            topic="E-ARGUMENT",
        )
    return bool(keys)
