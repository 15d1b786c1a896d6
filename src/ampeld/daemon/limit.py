"""How many lines a log may have: the thousandth line of a fault says nothing that the fifth did not."""

import time
from collections import deque
from collections.abc import Callable

Key = tuple[str, str]
"""Which logger said which message, before its values are filled in."""

REPEATS = 5
WINDOW_S = 30.0
PER_SECOND = 20
MOST_KEYS = 1000


class LineLimiter:
    """Allows each message 5 lines in 30 s, and all together 20 in any second; counts the others.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.suppressed = 0
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=PER_SECOND)
        self._seen: dict[Key, list[float]] = {}
        self._left_out: dict[Key, tuple[float, int]] = {}

    def allows(self, key: Key, *, repeats: bool = False) -> bool:
        """Tell whether the line may be written, and count it if not.

        Parameters
        ----------
        key
            Which message it is.
        repeats
            Whether it may come more often than 5 times in 30 s: an event of normal work, not of a fault.
        """
        now = self._clock()
        if (repeats or self._is_news(key, now)) and self._has_room(now):
            return True
        self.suppressed += 1
        since, count = self._left_out.get(key, (now, 0))
        if key in self._left_out or len(self._left_out) < MOST_KEYS:
            self._left_out[key] = (since, count + 1)
        return False

    def take_suppressed(self) -> list[tuple[Key, int]]:
        """Return each message of which lines were left out for 30 s, with their number, as far as there is room."""
        now = self._clock()
        ripe = [key for key, (since, _) in self._left_out.items() if now - since >= WINDOW_S]
        return [(key, self._left_out.pop(key)[1]) for key in ripe if self._has_room(now)]

    def _is_news(self, key: Key, now: float) -> bool:
        times = self._seen.setdefault(key, [])
        times[:] = [time for time in times if now - time < WINDOW_S]
        if len(self._seen) > MOST_KEYS:
            self._forget(now)
        if len(times) >= REPEATS:
            return False
        times.append(now)
        return True

    def _forget(self, now: float) -> None:
        self._seen = {key: times for key, times in self._seen.items() if times and now - times[-1] < WINDOW_S}
        while len(self._seen) > MOST_KEYS:
            self._seen.pop(next(iter(self._seen)))

    def _has_room(self, now: float) -> bool:
        if len(self._recent) == PER_SECOND and now - self._recent[0] < 1.0:
            return False
        self._recent.append(now)
        return True
