"""Holds a partition that brings little but dead letters, and tries it again each minute (`ampeld.flow.breaker`)."""

from collections.abc import Callable, Sequence

import structlog

from ampeld.flow.breaker import Breaker, Partition
from ampeld.stages.values import Judged

Hold = Callable[[Sequence[Partition]], None]

log = structlog.get_logger("ampeld.daemon")


class StormGuard:
    """Watches what became of the records of each partition.

    Parameters
    ----------
    hold
        Told of the partitions that are not to be read, all of them at each change.
    """

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._breaker = Breaker()

    @property
    def held(self) -> Sequence[Partition]:
        """Return the partitions that are held, in order."""
        return self._breaker.stopped

    def note(self, batches: Sequence[Judged], now_s: float) -> None:
        """Take note of batches that have become durable."""
        for judged in batches:
            letters = judged.decoded.dead_letters
            if not letters and self._breaker.is_calm:
                continue
            reasons = {(r.topic, r.partition, r.offset): letter.reason for letter in letters for r in (letter.record,)}
            ends: dict[Partition, list[bool]] = {}
            for record in judged.decoded.batch.records:
                dead = (record.topic, record.partition, record.offset) in reasons
                ends.setdefault((record.topic, record.partition), []).append(dead)
            for partition, dead_ones in ends.items():
                if self._breaker.note(partition, dead_ones, now_s):
                    newest = next((r for (t, p, _), r in reversed(reasons.items()) if (t, p) == partition), "")
                    self._stop(partition, newest)

    def look(self, now_s: float) -> None:
        """Let those through that are to be tried again."""
        for partition in self._breaker.due(now_s):
            log.warning("source.tried_again", topic=partition[0], partition=partition[1])
            self._hold(self._breaker.stopped)

    def _stop(self, partition: Partition, newest: str) -> None:
        self._hold(self._breaker.stopped)
        topic, number = partition
        log.error("source.held", topic=topic, partition=number, why="nearly all are dead letters", newest=newest)
