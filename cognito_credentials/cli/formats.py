"""
Credentials to environment variables, and to text for shells and other tools.

Every value here is printable ASCII without quotes, spaces, backslashes or dollar signs
(`credentials.is_plain`), or a region or time that we wrote; so the quoting below has little to do.
"""

from __future__ import annotations

import re
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..credentials import TemporaryCredentials

FORMATS: Final = ("process", "env", "env-no-export", "fish", "powershell", "windows-cmd", "ini")
"""``ini`` is what saml2aws and shell prompts read; the others are the AWS CLI's. Source:
https://awscli.amazonaws.com/v2/documentation/api/latest/reference/configure/export-credentials.html"""
VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
"""Variables that an export may set, and that `removal` removes."""

_WORD: Final = re.compile(r"[A-Za-z0-9+/=_.:,@-]*")
"""Characters that mean nothing to cmd.exe; AWS is not known to send others."""


def environment(credentials: TemporaryCredentials, region: str | None) -> dict[str, str]:
    """Return the variables that hand *credentials* and *region* to the SDKs."""
    return {**credentials.to_environment(), **region_variables(region)}


def region_variables(region: str | None) -> dict[str, str]:
    """Return the variables for *region*: boto3 reads the second, all other SDKs the first."""
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}


def export(credentials: TemporaryCredentials, style: str, *, region: str | None, profile: str) -> str:
    """
    Write *credentials* in one of `FORMATS`.

    Args:
        style: One of `FORMATS`.
        region: Goes into the region variables.
        profile: Name of the section for ``ini``.
    """
    if style == "process":
        return credentials.to_process() + "\n"
    variables = environment(credentials, region)
    if style == "ini":
        return _ini(variables, profile)
    return "".join(_set(style, name, value) + "\n" for name, value in variables.items())


def removal(style: str) -> str | None:
    """Write the lines that remove an export; None for the formats that no shell runs."""
    lines = {
        "env": "unset {name}",
        "fish": "set -e {name}",
        "powershell": "Remove-Item -ErrorAction Ignore Env:{name}",
        "windows-cmd": "set {name}=",
    }
    line = lines.get(style)
    return None if line is None else "".join(line.format(name=name) + "\n" for name in VARIABLES)


def _set(style: str, name: str, value: str) -> str:
    if style == "env":
        return f"export {name}={shlex.quote(value)}"
    if style == "fish":
        return f"set -gx {name} '{value}'"
    if style == "powershell":
        return f'$Env:{name}="{value}"'
    if style == "windows-cmd":
        # Quotes around both name and value keep cmd.exe from obeying & and |, and are not part of the value.
        return f"set {name}={value}" if _WORD.fullmatch(value) else f'set "{name}={value}"'
    # env-no-export, for files that are read verbatim, such as docker's --env-file.
    return f"{name}={value}"


def _ini(variables: Mapping[str, str], profile: str) -> str:
    names = {
        "aws_access_key_id": "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "aws_session_token": "AWS_SESSION_TOKEN",
        "aws_account_id": "AWS_ACCOUNT_ID",
        "region": "AWS_REGION",
        # The first name is what the AWS tools write, the second what saml2aws writes.
        "aws_credential_expiration": "AWS_CREDENTIAL_EXPIRATION",
        "x_security_token_expires": "AWS_CREDENTIAL_EXPIRATION",
    }
    lines = [f"{key} = {variables[name]}" for key, name in names.items() if name in variables]
    return "\n".join([f"[{profile}]", *lines]) + "\n"
