"""
The session whose credentials sign what operates a pool: boto3's own, of the profile that is given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .command import Invocation


def signing_session(invocation: Invocation, *ids: str) -> Any:
    """
    Return boto3's session with the profile of ``--profile``, else by boto3's own rules, and ``--region``.

    Args:
        ids: Of what the command is about, each ``REGION:GUID``.

    Raises:
        ConfigurationError: There is no such profile, or the region is another than that of an id.
    """
    import boto3

    from ..administer.failures import worded
    from ..errors import ConfigurationError, clean, replaced

    options = invocation.options
    for each in ids:
        region = each.partition(":")[0]
        if options.region not in (None, region):
            raise ConfigurationError(
                f"--region is {clean(options.region, 40)}, and '{clean(each, 80)}' is of {clean(region, 40)}",
                hint="Leave --region out: the id names its region",
            )
    # A `credential_process` of that profile may ask something on the terminal, such as an MFA code.
    with replaced(Exception, by=worded), invocation.terminal.aside():
        session = boto3.Session(profile_name=options.profile, region_name=options.region)
        session.get_credentials()
    return session
