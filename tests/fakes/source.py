"""A source in memory: scripted records over partitions, with rebalances and faults on demand."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ampeld.flow.deadline import Deadline
from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch, Record

Partition = tuple[str, int]
Message = tuple[int, bytes, bytes | None, str | None, int]  # offset, value, key, refusal, through

Drain = Callable[[Sequence[PartitionLedger], float], Awaitable[None]]


async def _no_drain(_ledgers: Sequence[PartitionLedger], _deadline_s: float) -> None:
    """Wait for nothing: what is open is delivered again."""


class MemorySource:
    """One group with one member; assigned to everything at first.

    Parameters
    ----------
    values
        The payloads of each partition, at offsets 0, 1, 2 ...
    ends : bool
        Whether `fetch` returns None when everything assigned is read; else it waits for `append`.
    drain
        Awaited at `revoke` with the ledgers that go, as the pipeline is by Kafka.
    """

    def __init__(
        self, values: Mapping[Partition, Sequence[bytes]] | None = None, *, ends: bool = True, drain: Drain = _no_drain
    ) -> None:
        self.ends = ends
        self.drain = drain
        self.committed: dict[Partition, int] = {}
        self.commits: list[dict[Partition, int]] = []
        self.kept_alive = 0
        self.fetch_errors: list[Exception] = []
        """Raised by the next fetches, one each."""
        self.commit_errors: list[Exception] = []
        """Raised by the next commits, one each."""
        self._log: dict[Partition, list[Message]] = {}
        self._ledgers: dict[Partition, PartitionLedger] = {}
        self._news = asyncio.Event()
        for (topic, partition), payloads in (values or {}).items():
            self._log[topic, partition] = []
            for value in payloads:
                self.append(topic, partition, value)
        self.assign(*self._log)

    def append(
        self,
        topic: str,
        partition: int,
        value: bytes,
        *,
        key: bytes | None = None,
        refusal: str | None = None,
        skip: int = 0,
        count: int = 1,
    ) -> int:
        """Add a record after ``skip`` offsets that are never delivered, and return its offset.

        ``count`` above 1 makes a refused batch that stands for so many offsets.
        """
        log = self._log.setdefault((topic, partition), [])
        offset = (log[-1][4] + 1 if log else 0) + skip
        log.append((offset, value, key, refusal, offset + count - 1))
        self._news.set()
        return offset

    def assign(self, *partitions: Partition) -> None:
        """Give partitions to this member: each gets a new ledger that begins at its committed offset."""
        for key in partitions:
            assert key not in self._ledgers, f"{key} is assigned already"
            self._ledgers[key] = PartitionLedger(*key, self.committed.get(key, 0))
        self._news.set()

    async def revoke(self, *partitions: Partition, deadline_s: float = 5.0) -> None:
        """Take partitions away as Kafka does: drain, commit what is due, retire."""
        gone = [self._ledgers[key] for key in partitions or tuple(self._ledgers)]
        await self.drain(gone, deadline_s)
        await self.commit({ledger: ledger.due for ledger in gone if ledger.due is not None})
        for ledger in gone:
            ledger.retire()
            del self._ledgers[ledger.topic, ledger.partition]
        self._news.set()

    async def rebalance(self) -> None:
        """Take everything away and give it back: what was open or not committed is delivered again."""
        partitions = tuple(self._ledgers)
        await self.revoke(*partitions)
        self.assign(*partitions)

    def finish(self) -> None:
        """Let `fetch` return None once everything is read."""
        self.ends = True
        self._news.set()

    async def fetch(self, *, max_records: int, timeout_s: float) -> Batch | None:
        """Return what is there, waiting up to ``timeout_s`` for the first record; None at the end."""
        if self.fetch_errors:
            raise self.fetch_errors.pop(0)
        deadline = Deadline(timeout_s)
        while True:
            self._news.clear()
            batch = self._take(max_records)
            if batch.records:
                return batch
            if self.ends:
                return None
            try:
                async with asyncio.timeout(deadline.remaining_s):
                    await self._news.wait()
            except TimeoutError:
                return batch

    def _take(self, max_records: int) -> Batch:
        batch = Batch([], [], time.monotonic())
        for key, ledger in self._ledgers.items():
            for offset, value, message_key, refusal, through in self._log.get(key, ()):
                if offset < ledger.position or len(batch.records) == max_records:
                    continue
                after = ledger.open(offset, through)
                batch.records.append(
                    Record(
                        topic=ledger.topic,
                        partition=ledger.partition,
                        offset=offset,
                        value=value,
                        after=after,
                        through=through,
                        key=message_key,
                        timestamp_ms=0,
                        refusal=refusal,
                    )
                )
                batch.ledgers.append(ledger)
        return batch

    async def keep_alive(self) -> None:
        """Count the calls."""
        self.kept_alive += 1

    def ledgers(self) -> Sequence[PartitionLedger]:
        """Return the ledgers of the present assignment."""
        return list(self._ledgers.values())

    async def commit(self, due: Mapping[PartitionLedger, int]) -> None:
        """Commit for the ledgers that are still assigned; pass over the others."""
        if self.commit_errors:
            raise self.commit_errors.pop(0)
        accepted: dict[Partition, int] = {}
        for ledger, offset in due.items():
            key = (ledger.topic, ledger.partition)
            if ledger.retired or self._ledgers.get(key) is not ledger:
                continue
            accepted[key] = self.committed[key] = offset
            ledger.committed_to(offset)
        if accepted:
            self.commits.append(accepted)
