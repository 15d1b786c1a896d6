"""Tells when a consumer has died silently: a lag, brokers that answer, and no record for minutes."""

from collections import deque

STALL_S = 120.0
REBUILDS_PER_HOUR = 3


class StallDetector:
    """Watches progress; pure but for the times that it is told.

    Parameters
    ----------
    now : float
        Monotonic time [s].
    """

    def __init__(self, now: float) -> None:
        self._progress = now
        self._rebuilds: deque[float] = deque()

    def progressed(self, now: float) -> None:
        """Note that something came, or that nothing was asked for or could come."""
        self._progress = now

    def is_stalled(self, now: float) -> bool:
        """Tell whether nothing came for too long."""
        return now - self._progress > STALL_S

    def may_rebuild(self, now: float) -> bool:
        """Note an attempt at a new consumer; False if there were too many within the last hour."""
        while self._rebuilds and now - self._rebuilds[0] > 3600:
            self._rebuilds.popleft()
        if len(self._rebuilds) >= REBUILDS_PER_HOUR:
            return False
        self._rebuilds.append(now)
        self._progress = now
        return True
