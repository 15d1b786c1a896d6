"""Corrects aiokafka where it loses data or can be made to; the limit (3) is tried out at every start.

1. An exception through ``getmany`` leaks the count of running fetches: the guard of ``max_poll_interval`` is dead.
2. The error of a whole OffsetFetch is ignored: "the coordinator is loading" is read as "nothing committed".
3. A batch may inflate without limit.
4. A batch that cannot be read raises, and with it everything is lost that was taken for the same call.
5. A member of a group's generation 0, the first one on Tansu, does not leave: the group waits for its session to end.
6. Where a broker has just gone, uvloop refuses to write with a `RuntimeError` that nobody expects: the task that wrote
   ends, and where it was the one that keeps the brokers' addresses, they are never looked up again (aiokafka #1038).

And where it spends half of its time for nothing: see `ampeld.source.frames`.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import aiokafka
from aiokafka import conn, errors
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.record import _crecords, default_records
from aiokafka.record._crecords import default_records as fast_default_records
from aiokafka.record._crecords import legacy_records as fast_legacy_records
from aiokafka.record.memory_records import MemoryRecords

from ampeld.errors import InvariantError
from ampeld.source import bounded, frames
from ampeld.source.refused import GuardedRecords, RawRecords

SUPPORTED = "0.14."

_CODECS = ("gzip_decode", "snappy_decode", "lz4_decode", "zstd_decode")
_send_req = GroupCoordinator._send_req  # noqa: SLF001
_maybe_leave_group = GroupCoordinator._maybe_leave_group  # noqa: SLF001
_send = conn.AIOKafkaConnection.send
_send_sasl_token = conn.AIOKafkaConnection._send_sasl_token  # noqa: SLF001


@contextlib.contextmanager
def _fetch_context(self: Any) -> Iterator[None]:
    self._fetch_count += 1
    try:
        yield
    finally:
        self._fetch_count -= 1
        if self._fetch_count == 0:
            self._last_fetch_ended = time.monotonic()


async def _send_req_and_look(self: Any, request: Any) -> Any:
    response = await _send_req(self, request)
    code = getattr(response, "error_code", 0) if isinstance(request, OffsetFetchRequest) else 0
    if code:
        error = errors.for_code(code)
        if error in (errors.NotCoordinatorForGroupError, errors.GroupCoordinatorNotAvailableError):
            self.coordinator_dead()
        raise error(self.group_id)
    return response


async def _leave_group(self: Any) -> None:
    if self.generation == 0:
        self.generation = 1  # the request names only the member, and the answer resets the generation
    await _maybe_leave_group(self)


def _where_open(send: Callable[..., Any]) -> Callable[..., Any]:
    def send_where_open(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return send(self, *args, **options)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN, exc=error)
            raise errors.KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error

    return send_where_open


def install() -> None:
    """Put every correction in its place, and see that the limit works; again and again does no harm.

    Raises
    ------
    InvariantError
        If this aiokafka is not the one that the corrections were made for.
    """
    if not aiokafka.__version__.startswith(SUPPORTED):
        raise InvariantError(f"the corrections are for aiokafka {SUPPORTED}x, not {aiokafka.__version__}")
    SubscriptionState.fetch_context = _fetch_context
    GroupCoordinator._send_req = _send_req_and_look  # noqa: SLF001
    GroupCoordinator._maybe_leave_group = _leave_group  # noqa: SLF001
    conn.AIOKafkaConnection.send = _where_open(_send)
    conn.AIOKafkaConnection._send_sasl_token = _where_open(_send_sasl_token)  # noqa: SLF001
    for module in (default_records, fast_default_records, fast_legacy_records):
        for codec in _CODECS:
            if hasattr(module, codec):
                setattr(module, codec, getattr(bounded, codec))
    fetcher.MemoryRecords = RawRecords
    fetcher.PartitionRecords = GuardedRecords
    frames.install(conn)
    _test_limit()


def _test_limit() -> None:
    if not MemoryRecords.__module__.startswith(_crecords.__name__):
        raise InvariantError("aiokafka's C extension is missing: its check sums in Python cost 600 ms per megabyte")
    limit, bounded.LIMIT_BYTES = bounded.LIMIT_BYTES, 1000
    try:
        unbounded = [codec for number, codec in enumerate(_CODECS, start=1) if not _is_refused(_bomb(number))]
    finally:
        bounded.LIMIT_BYTES = limit
    if unbounded:
        raise InvariantError(f"aiokafka does not use the bounded {', '.join(unbounded)}")


def _bomb(codec: int) -> bytes:
    builder = default_records.DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 2**20)
    builder.append(0, 0, None, bytes(bounded.LIMIT_BYTES + 1), [])
    return bytes(builder.build())


def _is_refused(batch: bytes) -> bool:
    try:
        next(iter(MemoryRecords(batch).next_batch()))
    except bounded.TooLargeError:
        return True
    return False
