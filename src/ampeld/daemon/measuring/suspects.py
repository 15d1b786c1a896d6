"""Units that have cost a worker lately: their tickets are measured in a place of their own, so that nobody waits."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from ampeld.daemon.measuring.opening import Key

SUSPECT_S: Final = 600.0
"""For so long after its last offence."""
IN_SUCCESSION: Final = 3
"""Offences without a measurement between them, after which nobody waits for a unit."""


class Suspects:
    """The units.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[Key, float] = {}
        self._offences: dict[Key, int] = {}
        self._news = asyncio.Event()

    def blame(self, key: Key) -> None:
        """Suspect a unit from now on."""
        self._until[key] = self._clock() + SUSPECT_S
        self._offences[key] = self._offences.get(key, 0) + 1
        self._news.set()

    def praise(self, key: Key) -> None:
        """Take note that a unit has measured something."""
        self._offences.pop(key, None)

    def is_hopeless(self, key: Key) -> bool:
        """Tell whether a suspect has cost one worker after the other."""
        return key in self and self._offences.get(key, 0) >= IN_SUCCESSION

    def __contains__(self, key: Key) -> bool:
        until = self._until.get(key)
        if until is not None and self._clock() >= until:
            del self._until[key]
        return key in self._until

    async def wait(self) -> None:
        """Wait until there is one."""
        while not any(key in self for key in list(self._until)):
            self._news.clear()
            await self._news.wait()
