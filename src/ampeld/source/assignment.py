"""The partitions of one assignment with their ledgers: a new object after every rebalance, the old one retired."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.structs import TopicPartition

from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch, Record
from ampeld.source.positions import Position
from ampeld.source.refused import RefusedBatch


class Assignment:
    """What one generation of the group gave to this member.

    Parameters
    ----------
    generation : int
        The group's generation; commits under another one are not ours to make.
    partitions
        All of them; each is pending until it has a position.
    """

    def __init__(self, generation: int = -1, partitions: Iterable[TopicPartition] = ()) -> None:
        self.generation = generation
        self.pending = set(partitions)
        self.ledgers: dict[TopicPartition, PartitionLedger] = {}
        self.timestamps_ms: dict[TopicPartition, int] = {}
        self.retired = False
        self._accounted: dict[TopicPartition, int] = {}

    def begin(self, partition: TopicPartition, position: Position) -> None:
        """Give a partition its ledger; an earlier one of the same partition is retired."""
        if (old := self.ledgers.get(partition)) is not None:
            old.retire()
        ledger = PartitionLedger(partition.topic, partition.partition, position.start)
        ledger.skip_to(position.deliver)
        self.ledgers[partition] = ledger
        self._accounted[partition] = position.deliver
        self.pending.discard(partition)

    def pass_gap(self, partition: TopicPartition, offset: int) -> None:
        """Go on behind a gap that was recorded."""
        self.ledgers[partition].skip_to(offset)
        self._accounted[partition] = offset

    def owns(self, ledger: PartitionLedger) -> bool:
        """Tell whether a ledger belongs to this assignment and lives."""
        return not ledger.retired and self.ledgers.get(TopicPartition(ledger.topic, ledger.partition)) is ledger

    def retire(self) -> None:
        """End the assignment."""
        self.retired = True
        for ledger in self.ledgers.values():
            ledger.retire()

    def batch(self, taken: Mapping[TopicPartition, list[Any]], max_message_bytes: int) -> Batch:
        """Open every record in its ledger and return them as a batch."""
        batch = Batch([], [], time.monotonic())
        for partition, messages in taken.items():
            ledger = self.ledgers[partition]
            for message in messages:
                batch.records.append(self._open(partition, ledger, message, max_message_bytes))
                batch.ledgers.append(ledger)
        return batch

    def _open(self, partition: TopicPartition, ledger: PartitionLedger, message: Any, max_message_bytes: int) -> Record:
        refused = isinstance(message, RefusedBatch)
        through = message.through if refused else message.offset
        ledger.open(message.offset, through)
        # Control records and compacted ones are passed over here, with the record that follows them, and nowhere else:
        # so the verdict blocks cover every offset that is ever committed.
        after, self._accounted[partition] = self._accounted[partition], through + 1
        if message.timestamp is not None and message.timestamp >= 0:
            self.timestamps_ms[partition] = message.timestamp
        value = message.value or b""
        refusal = message.reason if refused else None
        if refusal is None and len(value) > max_message_bytes:
            refusal = f"message of {len(value)} bytes above source.max_message_bytes = {max_message_bytes}"
        return Record(
            topic=partition.topic,
            partition=partition.partition,
            offset=message.offset,
            value=value,
            after=after,
            through=through,
            key=message.key,
            headers=tuple((name, content or b"") for name, content in message.headers),
            timestamp_ms=message.timestamp,
            refusal=refusal,
        )
