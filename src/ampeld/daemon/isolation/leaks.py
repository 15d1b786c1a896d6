"""Who of the channels keeps memory: what a worker has more from batch to batch, shared out by where it grew."""

from typing import Final

from ampeld.daemon.isolation.messages import Answer

PART: Final = 0.5
"""The part of the memory limit at which a worker is replaced, so that a leak ends before others run short."""


class Leaks:
    """The tally of one worker's memory.

    Parameters
    ----------
    limit_kb
        What it may take [KiB].
    """

    def __init__(self, limit_kb: int) -> None:
        self._limit_kb = limit_kb
        self._kept: dict[int, float] = {}
        self._grew: dict[int, int] = {}
        self._before_kb = 0
        self.kb = 0
        """What the worker had before its last batch [KiB]."""

    def note(self, answer: Answer) -> None:
        """Take the numbers of a batch.

        What a channel takes during a batch says little: shared columns are made by the first who asks for them, and
        are gone after it. So what is still there at the next batch is shared out among those that grew.
        """
        stayed = answer.memory_kb - self._before_kb
        total = sum(self._grew.values())
        if stayed > 0 and total > 0:
            for channel, grown in self._grew.items():
                self._kept[channel] = self._kept.get(channel, 0.0) + stayed * grown / total
        self._grew = {result.channel: result.grown_kb for result in answer.results if result.grown_kb > 0}
        self._before_kb = self.kb = answer.memory_kb

    @property
    def is_full(self) -> bool:
        """Tell whether the worker should be replaced."""
        return self.kb > PART * self._limit_kb

    @property
    def culprit(self) -> tuple[int, int] | None:
        """Return the channel that keeps most of the memory and how much [KiB]; None when none keeps the half of it."""
        if not self._kept:
            return None
        channel, kept = max(self._kept.items(), key=lambda item: item[1])
        return (channel, int(kept)) if 2 * kept >= self.kb else None
