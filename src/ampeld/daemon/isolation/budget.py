"""How many errors a channel may make before it is suspended."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 600.0
"""Errors are forgotten after ten minutes."""
DEATHS: Final = 3
"""So many lost processes spend the whole budget."""


class Budget:
    """The errors of each channel within the last ten minutes.

    Parameters
    ----------
    allowed
        Errors that suspend a channel.
    clock
        Monotonic seconds.
    """

    def __init__(self, allowed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._clock = clock
        self._errors: dict[str, deque[tuple[float, int]]] = {}

    def charge(self, channel: str, errors: int = 1) -> bool:
        """Count errors of a channel's code; return whether its budget is spent."""
        now = self._clock()
        entries = self._errors.setdefault(channel, deque())
        entries.append((now, errors))
        while now - entries[0][0] > WINDOW_S:
            entries.popleft()
        return self.spent(channel) >= self._allowed

    def charge_death(self, channel: str) -> bool:
        """Count a filter process that was lost to a channel; return whether its budget is spent."""
        return self.charge(channel, math.ceil(self._allowed / DEATHS))

    def spent(self, channel: str) -> int:
        """Return the errors of a channel that are not forgotten."""
        return sum(errors for _, errors in self._errors.get(channel, ()))

    def forgive(self, channel: str) -> None:
        """Forget the errors of a channel: it is resumed."""
        self._errors.pop(channel, None)
