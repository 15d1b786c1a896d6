"""Stops a partition that brings little but poison: a changed format must not move a survey into the dead letters.

It trips on 100 dead letters in a row, or on more than 100 among the last 200 records of a partition, and lets the
partition through again after a minute, to see. The first records of such a try decide: one dead letter among them is
enough to stop again.
"""

from collections import deque
from collections.abc import Sequence

IN_A_ROW = 100
WINDOW = 200
AMONG = 100
PROBE_S = 60.0

Partition = tuple[str, int]


class _Seen:
    """What came of the last records of a partition."""

    def __init__(self) -> None:
        self._count = 0
        self._dead: deque[int] = deque()  # the numbers of the dead ones among the last WINDOW

    def add(self, dead: Sequence[bool]) -> bool:
        """Take note of records in their order; return whether they are too bad to go on."""
        tripped = False
        for is_dead in dead:
            self._count += 1
            if is_dead:
                self._dead.append(self._count)
            while self._dead and self._dead[0] <= self._count - WINDOW:
                self._dead.popleft()
            in_a_row = len(self._dead) >= IN_A_ROW and self._dead[-IN_A_ROW] == self._count - IN_A_ROW + 1
            tripped = tripped or in_a_row or len(self._dead) > AMONG
        return tripped

    @property
    def is_clean(self) -> bool:
        return not self._dead


class Breaker:
    """Knows which partitions are stopped, and when each is to be tried again."""

    def __init__(self) -> None:
        self._seen: dict[Partition, _Seen] = {}
        self._stopped: dict[Partition, float] = {}
        self._probing: set[Partition] = set()

    @property
    def is_calm(self) -> bool:
        """Tell whether good records are no news."""
        return not (self._seen or self._stopped or self._probing)

    @property
    def stopped(self) -> Sequence[Partition]:
        """Return the partitions that are stopped, in order."""
        return sorted(self._stopped)

    def note(self, partition: Partition, dead: Sequence[bool], now_s: float) -> bool:
        """Take note of how records of a partition ended.

        Parameters
        ----------
        partition
            Topic and number.
        dead
            For each record, in the order of the offsets, whether it became a dead letter.
        now_s
            A time that only rises [s].

        Returns
        -------
        bool
            Whether the partition is to be stopped now.
        """
        if partition in self._stopped:  # what was on its way when it was stopped
            return False
        if partition in self._probing:
            self._probing.discard(partition)
            tripped = any(dead)
        elif partition in self._seen or any(dead):
            seen = self._seen.setdefault(partition, _Seen())
            tripped = seen.add(dead)
            if seen.is_clean:
                del self._seen[partition]
        else:
            tripped = False
        if tripped:
            self._seen.pop(partition, None)
            self._stopped[partition] = now_s + PROBE_S
        return tripped

    def due(self, now_s: float) -> Sequence[Partition]:
        """Return the partitions to be tried again; from now on they count as going."""
        due = sorted(partition for partition, at in self._stopped.items() if at <= now_s)
        for partition in due:
            del self._stopped[partition]
            self._probing.add(partition)
        return due
