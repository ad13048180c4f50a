"""
A link of the chain of credentials of the AWS SDK for Python v4: the pool that a profile names.

The SDK finds it by the entry-point group ``smithy_aws_core.identity.chain_providers`` wherever this package
is installed beside it, for every client of every program. So nothing that takes time is imported or done
until the client's profile or the environment names a pool.

Source: https://github.com/smithy-lang/smithy-python/tree/develop/packages/smithy-aws-core
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final

from ..importing import IMPORTING
from .extra import needs

with needs("smithy_aws_core", "sdk-v4"):
    from smithy_aws_core.identity import AWSCredentialsIdentity
    from smithy_aws_core.identity.chain import Before, ChainSetup, StandardProvider

_PROFILE_KEY: Final = "cognito_identity_pool_id"
_VARIABLE: Final = "AWS_COGNITO_IDENTITY_POOL_ID"


class IdentityPoolChainProvider:
    """
    The pool that the client's profile, or else the environment, names.

    It stands before ``credential_process``, so that no process starts for a profile that has both. Keys in
    the environment or the profile come first.
    """

    name = "CognitoIdentityPool"

    @property
    def ordering(self) -> Before:
        """Where this stands in the chain."""
        return Before(slot=StandardProvider.PROFILE_CREDENTIAL_PROCESS)

    async def setup(self, identity_type: type[Any], setup: ChainSetup) -> None:
        """
        End the chain with a resolver of ours where a pool is named.

        Args:
            identity_type: What the client signs with.
            setup: The chain so far, which knows the client's profile and its config files.
        """
        if identity_type is not AWSCredentialsIdentity:
            return
        profile, config_file, named = setup.profile_name, setup.config_file, None
        if config_file is None or profile is None or config_file.get_profile(profile) is None:
            profile = None  # one that does not exist is the SDK's to report
        else:
            named = config_file.get(profile, _PROFILE_KEY)
        if not named and not os.environ.get(_VARIABLE):
            return
        with IMPORTING:
            from .aws_sdk_v4 import resolver_of

        resolver = await asyncio.to_thread(resolver_of, profile, named)
        if resolver is not None:
            setup.add_terminal_resolver(resolver)
