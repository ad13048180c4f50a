"""``refresh``: get new credentials now, even if those that are held are fresh."""

from __future__ import annotations

from ..command import Command, Invocation
from ..failures import UsageError
from ..pool_options import open_pool
from ..tables import moment


def run(invocation: Invocation) -> int:
    """Get new credentials and say until when they last."""
    pool = open_pool(invocation)
    if pool.settings.cache == "memory":
        raise UsageError(
            f"with cache=memory (from {pool.settings.origins['cache']}) they would be gone at once",
            "Leave it out, or choose the file cache",
        )
    credentials = pool.refresh()
    invocation.terminal.write(
        f"New credentials for {pool.identity_id()} until {moment(credentials.expiration)}.\n"
    )
    return 0


COMMAND = Command(
    details="""
Usually not needed: credentials are renewed before they expire. If it fails, those that are held stay in
use.""",
    example="""
$ cognito-credentials refresh --profile guest
New credentials for us-east-1:7c0d… until 2026-01-31T12:00:00Z.""",
    run=run,
    doing="getting new credentials",
    takes_pool=True,
)
