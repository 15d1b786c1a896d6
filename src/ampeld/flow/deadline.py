"""One budget of time, shared by every step that has to fit into it."""

import asyncio


class Deadline:
    """A moment on the loop's monotonic clock; ``None`` seconds means never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else asyncio.get_running_loop().time() + seconds

    @property
    def remaining_s(self) -> float | None:
        """Return the seconds left, at least 0, or None when there is no end."""
        return None if self._at is None else max(0.0, self._at - asyncio.get_running_loop().time())

    @property
    def passed(self) -> bool:
        """Tell whether the budget is spent."""
        return self.remaining_s == 0.0
