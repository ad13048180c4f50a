"""What a process counts by itself, until its next call of the script takes it along."""

from __future__ import annotations

from .script import OF_PROCESSES


class Counts:
    """
    How requests for credentials were answered.

    Two threads may lose a count between them, which these figures can bear: a lock would cost more than the
    answer that it counts.
    """

    __slots__ = OF_PROCESSES

    hits: int
    """From this process's memory."""
    adopted: int
    """From the store, where another process had put them."""
    exchanged: int
    """By the service."""
    failed: int
    """With an error, or with those that were held because of one."""

    def __init__(self) -> None:
        self.hits = self.adopted = self.exchanged = self.failed = 0

    def take(self) -> list[int]:
        """Return all counts, in the order of `script.OF_PROCESSES`, and begin at zero."""
        taken = [self.hits, self.adopted, self.exchanged, self.failed]
        self.hits = self.adopted = self.exchanged = self.failed = 0
        return taken

    def give_back(self, taken: list[int]) -> None:
        """Add what was taken, and could not be told."""
        for name, count in zip(OF_PROCESSES, taken, strict=True):
            setattr(self, name, getattr(self, name) + count)
