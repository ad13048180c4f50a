"""
The session whose credentials sign what operates a pool: boto3's own, of the profile that is given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .command import Invocation


def signing_session(invocation: Invocation) -> Any:
    """
    Return boto3's session with the profile of ``--profile``, else by boto3's own rules, and ``--region``.

    Raises:
        ConfigurationError: There is no such profile.
    """
    import boto3

    from ..administer.failures import worded
    from ..errors import replaced

    options = invocation.options
    with replaced(Exception, by=worded):
        return boto3.Session(profile_name=options.profile, region_name=options.region)
