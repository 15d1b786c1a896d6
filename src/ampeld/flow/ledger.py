"""Which offsets of a partition may be committed: only those with nothing open before them.

One ledger is made for each assignment of a partition, and its batches refer to it: the object is the epoch.
Rules, each guarded by a property test:

- an offset is opened once, rising, before anything is done with it, and settled once, when its outcome is durable;
- the watermark is the lowest open offset, or what follows the last one opened when nothing is open;
- the watermark never falls, and a retired ledger yields no commit: its offsets belong to somebody else by now.
"""

from collections import deque

from ampeld.errors import InvariantError


class PartitionLedger:
    """The open and settled offsets of one partition during one assignment.

    Parameters
    ----------
    topic, partition
        The partition; for a file, its path and 0.
    start : int
        The first offset that will be delivered: the committed position at the assignment.
    """

    def __init__(self, topic: str, partition: int, start: int) -> None:
        self.topic = topic
        self.partition = partition
        self.committed = start
        self.retired = False
        self._next = start
        self._order: deque[int] = deque()  # rising; the head is always open, settled ones behind it wait
        self._open: set[int] = set()

    def __repr__(self) -> str:
        return f"<PartitionLedger {self.topic}/{self.partition} {self.watermark}..{self._next} {self.in_flight} open>"

    @property
    def position(self) -> int:
        """Return the offset after the last one opened."""
        return self._next

    @property
    def watermark(self) -> int:
        """Return the first offset whose outcome is not durable: what may be committed."""
        return self._order[0] if self._order else self._next

    @property
    def in_flight(self) -> int:
        """Return how many offsets are open."""
        return len(self._open)

    @property
    def due(self) -> int | None:
        """Return the offset to commit, or None when there is nothing new or the assignment is over."""
        return None if self.retired or self.watermark <= self.committed else self.watermark

    def open(self, offset: int, through: int | None = None) -> int:
        """Open one record, before anything is done with it, and return the first offset that it accounts for.

        Parameters
        ----------
        offset
            Not below ``position``: offsets the broker never delivers are passed over.
        through
            The last offset that the record stands for (a refused batch is one record), by default its own.

        Raises
        ------
        InvariantError
            If the offset lies before the position: it was opened already.
        """
        last = offset if through is None else through
        if offset < self._next or last < offset:
            raise InvariantError(f"{self!r}: cannot open {offset}..{last}")
        after = self._next
        self._order.append(offset)
        self._open.add(offset)
        self._next = last + 1
        return after

    def settle(self, *offsets: int) -> None:
        """Note that the outcomes of open offsets are durable.

        Raises
        ------
        InvariantError
            If one of them is not open; none is settled then.
        """
        settled = set(offsets)
        if len(settled) != len(offsets) or not settled <= self._open:
            raise InvariantError(f"{self!r}: not all open, or settled twice: {offsets[:5]}")
        self._open -= settled
        while self._order and self._order[0] not in self._open:
            self._order.popleft()

    def skip_to(self, offset: int) -> None:
        """Move the position over offsets that the broker will never deliver (control records, a recorded gap).

        Raises
        ------
        InvariantError
            If that would go back.
        """
        if offset < self._next:
            raise InvariantError(f"{self!r}: cannot skip back to {offset}")
        self._next = offset

    def committed_to(self, offset: int) -> None:
        """Note that the broker acknowledged a commit of this offset."""
        self.committed = max(self.committed, offset)

    def retire(self) -> None:
        """End the assignment: nothing may be committed through this ledger any more."""
        self.retired = True
