"""Reads the batches of one partition so that one which cannot be read becomes a record, not an exception.

An exception from here would lose data: aiokafka throws away what it took from this and other partitions before,
and has moved their positions.
"""

import logging
import struct
from collections.abc import Iterator
from typing import Any, ClassVar

import google_crc32c
import msgspec
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

CRC_TRIES = 5
"""How often a batch with a wrong check sum is asked for again: the wire may have done it."""

# Where things stand in a batch: https://kafka.apache.org/documentation/#recordbatch
_BASE = struct.Struct(">q")
_LENGTH = struct.Struct(">i")
_CRC = struct.Struct(">I")
_LENGTH_AT = 8
_OVERHEAD = 12
_MAGIC_AT = 16
_CRC_AT = 17
_CHECKED_AT = 21
_DELTA_AT = 23
_COUNT_AT = 57
_HEADER = 61

_log = logging.getLogger("aiokafka.ampeld")


class RefusedBatch(msgspec.Struct, frozen=True):
    """A batch that could not be read: its bytes as they came, and the offsets that it stands for."""

    offset: int
    through: int
    value: bytes
    reason: str
    key: None = None
    headers: tuple[()] = ()
    timestamp: int | None = None


class RawRecords:
    """Aiokafka's records of one fetch, beside the bytes of the batch read last."""

    def __init__(self, raw: bytes) -> None:
        self._inner = MemoryRecords(raw)
        self._raw = raw
        self._start = 0
        self._end = 0

    def has_next(self) -> bool:
        """Tell whether a whole batch is left."""
        return bool(self._inner.has_next())

    def size_in_bytes(self) -> int:
        """Return the size of everything."""
        return len(self._raw)

    def next_batch(self) -> Any:
        """Return the next batch and remember where it lies."""
        self._start = self._end
        (length,) = _LENGTH.unpack_from(self._raw, self._start + _LENGTH_AT)
        self._end = self._start + _OVERHEAD + length
        return self._inner.next_batch()

    @property
    def batch_bytes(self) -> bytes:
        """Return the bytes of the batch read last, its header included."""
        return bytes(self._raw[self._start : self._end])

    def crc_is_right(self, batch: Any) -> bool:
        """Tell whether the check sum of the batch read last is that of its bytes."""
        if self._raw[self._start + _MAGIC_AT] < 2:  # an old format, with a check sum of its own for each message
            return bool(batch.validate_crc())
        # By the processor's own instruction: a tenth of what aiokafka's tables take, which is half of a fetch.
        (stated,) = _CRC.unpack_from(self._raw, self._start + _CRC_AT)
        return bool(google_crc32c.value(bytes(self._raw[self._start + _CHECKED_AT : self._end])) == stated)

    def last_offset(self, position: int) -> int:
        """Return the last offset of the batch read last, as far as a header may be trusted whose check sum is wrong.

        The offset of a batch is the broker's own and outside the check sum; how many follow it is inside.
        """
        if self.has_next():
            (following,) = _BASE.unpack_from(self._raw, self._end)
            return max(position, int(following) - 1)
        batch = self.batch_bytes
        if len(batch) >= _HEADER:
            (base,) = _BASE.unpack_from(batch)
            (delta,) = _LENGTH.unpack_from(batch, _DELTA_AT)
            (count,) = _LENGTH.unpack_from(batch, _COUNT_AT)
            if delta >= 0 and count == delta + 1:
                return max(position, int(base + delta))
        return position


class GuardedRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Takes the place of aiokafka's reader of one partition's part of a fetch."""

    crc_tries: ClassVar[dict[tuple[Any, int], int]] = {}
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        records: RawRecords = self._records
        while records.has_next():
            try:
                batch = records.next_batch()
                crc_is_right = not self._check_crcs or records.crc_is_right(batch)
            except Exception as error:  # noqa: BLE001  any error here would lose other partitions' records
                yield self._refuse(records, self.next_fetch_offset, error)
                return  # where the next batch begins is not known; it is fetched again
            if not crc_is_right:
                if not self._tried_enough(self.next_fetch_offset):
                    return  # the position stays, and the batch is fetched again
                through = records.last_offset(self.next_fetch_offset)
                yield self._refuse(records, through, "its check sum (CRC-32C) is wrong")
                continue
            if self._is_passed_over(batch):
                self.next_fetch_offset = batch.next_offset
                continue
            try:
                for record in batch:
                    if record.offset < self.next_fetch_offset:
                        continue
                    consumed = self._consumer_record(self._tp, record)
                    self.next_fetch_offset = record.offset + 1
                    yield consumed
            except Exception as error:  # noqa: BLE001  any error here would lose other partitions' records
                yield self._refuse(records, batch.next_offset - 1, error)
            else:
                self.next_fetch_offset = max(self.next_fetch_offset, batch.next_offset)

    def _is_passed_over(self, batch: Any) -> bool:
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)

    def _tried_enough(self, base: int) -> bool:
        tries = self.crc_tries.get((self._tp, base), 0) + 1
        self.crc_tries[self._tp, base] = tries
        _log.warning("wrong check sum in %s at %d, try %d of %d", self._tp, base, tries, CRC_TRIES)
        if tries < CRC_TRIES:
            return False
        del self.crc_tries[self._tp, base]
        return True

    def _refuse(self, records: RawRecords, through: int, reason: Exception | str) -> RefusedBatch:
        offset = self.next_fetch_offset
        last = max(offset, through)
        self.next_fetch_offset = last + 1
        told = reason if isinstance(reason, str) else (str(reason) or type(reason).__name__)
        return RefusedBatch(offset, last, records.batch_bytes, f"batch of offsets {offset} to {last}: {told}")
