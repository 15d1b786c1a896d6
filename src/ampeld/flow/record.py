"""What a source delivers: one record with its coordinates, and a batch of them."""

import msgspec

from ampeld.flow.ledger import PartitionLedger


class Coordinates(msgspec.Struct, frozen=True, order=True):
    """Where a record stands: a topic's partition and offset, or a file and its record number."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came, undecoded.

    ``after`` is the first offset that this record accounts for: the broker delivered nothing in ``[after, offset)``.
    ``through`` is the last one: equal to ``offset`` but for a refused batch, which stands for a whole range.
    ``refusal`` says why the source itself refused the payload (an oversized message, a decompression bomb).
    """

    topic: str
    partition: int
    offset: int
    value: bytes
    after: int
    through: int
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int | None = None
    refusal: str | None = None

    @property
    def coordinates(self) -> Coordinates:
        """Return the coordinates of the record."""
        return Coordinates(self.topic, self.partition, self.offset)


class Batch(msgspec.Struct, frozen=True, eq=False):
    """What one fetch returned over all partitions: the unit of flow.

    ``ledgers[i]`` is the ledger of the assignment under which ``records[i]`` was fetched.
    ``received_s`` is the monotonic time of the fetch.
    Once its payload is needed no more, a record may be replaced in its place by itself without the payload.
    """

    records: list[Record]
    ledgers: list[PartitionLedger]
    received_s: float
