"""The number of requests for credentials, counted by the emulator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from cognito_credentials.emulator import Emulator
from tests.world import World

from .figures import Figure, Scale, counted


def requests(scale: Scale) -> Iterator[Figure]:
    """Count the requests for first credentials, for later ones and for cached ones."""
    del scale
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        world = World(emulator, {"HOME": home})

        def spent() -> int:
            total = sum(world.counts().values())
            used, seen[0] = total - seen[0], total
            return used

        seen = [0]
        spent()
        world.pool().credentials()
        yield counted("requests, first credentials, empty cache, enhanced flow", spent(), 2)
        world.pool().credentials()
        yield counted("requests, a valid record", spent(), 0)
        world.move(3600)
        world.pool().credentials()
        yield counted("requests, a known identity", spent(), 1)
        role = "arn:aws:iam::123456789012:role/unauthenticated"
        world.pool(user="another", flow="basic", role_arn=role).credentials()
        yield counted("requests, first credentials, basic flow", spent(), 3)
