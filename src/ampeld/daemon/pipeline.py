"""The pipeline on one page: every stage, in the order of the flow."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from ampeld.errors import RetryableError
from ampeld.flow.pipe import PipeStatistics, Receiver, Sender, open_pipe
from ampeld.flow.record import Batch
from ampeld.stages.commit import commit
from ampeld.stages.consume import consume
from ampeld.stages.decode import decode
from ampeld.stages.deduplicate import Flusher, deduplicate
from ampeld.stages.filter import filter_alerts
from ampeld.stages.ports import Judge, Source
from ampeld.stages.reader import Reader
from ampeld.stages.values import Decoded, Flushed, Judged
from ampeld.store.documents import Account

CAPACITY = 2  # batches in a pipe: two ready while one is worked on
HEAVY = 1  # where they still have their payloads, 65 kB an alert


def _nobody(_: object) -> None:
    """Hear nothing."""


class Listener(msgspec.Struct, frozen=True):
    """Whom the stages tell of what happens."""

    on_flushed: Callable[[Account, Sequence[Judged]], None]
    """Of every account that has become durable, with the batches that it speaks of."""
    on_trouble: Callable[[RetryableError], None]
    """Of every try to write that failed."""
    on_schema: Callable[[str, str, Sequence[str]], None]
    """Once of the fingerprint and version of each schema, and of its fields that are new to the survey's tables."""
    on_fetched: Callable[[Batch], None] = _nobody
    """Of every batch, before anything is done with it."""
    on_decoded: Callable[[float], None] = _nobody
    """Of the seconds that each batch took to decode."""
    on_written: Callable[[float], None] = _nobody
    """Of the seconds that each flush took to become durable."""


class Pipeline:
    """Consume → decode → filter → deduplicate → commit, joined by bounded pipes.

    Parameters
    ----------
    source, flusher, reader, judge
        What the stages work with.
    max_records : int
        Records in one fetch and, roughly, in one flush.
    listener
        Told of what happens on the way.
    """

    def __init__(
        self,
        *,
        source: Source,
        flusher: Flusher,
        reader: Reader,
        judge: Judge,
        max_records: int,
        listener: Listener,
    ) -> None:
        self._source = source
        self._flusher = flusher
        self._reader = reader
        self._judge = judge
        self._max_records = max_records
        self._listener = listener
        self._fetched: tuple[Sender[Batch], Receiver[Batch]] = open_pipe("fetched", HEAVY)
        self._decoded: tuple[Sender[Decoded], Receiver[Decoded]] = open_pipe("decoded", HEAVY)
        self._judged: tuple[Sender[Judged], Receiver[Judged]] = open_pipe("judged", CAPACITY)
        self._flushed: tuple[Sender[Flushed], Receiver[Flushed]] = open_pipe("flushed", CAPACITY)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until the source ends or ``stopping`` is set and everything on its way is durable and committed."""
        executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="science")
        fetched, to_decode = self._fetched
        decoded, to_filter = self._decoded
        judged, to_deduplicate = self._judged
        flushed, to_commit = self._flushed
        listener = self._listener
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(
                    consume(
                        self._source,
                        fetched,
                        stopping=stopping,
                        max_records=self._max_records,
                        on_fetched=listener.on_fetched,
                    ),
                    name="consume",
                )
                stages.create_task(
                    decode(
                        to_decode,
                        decoded,
                        reader=self._reader,
                        executor=executor,
                        on_schema=listener.on_schema,
                        on_decoded=listener.on_decoded,
                    ),
                    name="decode",
                )
                stages.create_task(filter_alerts(to_filter, judged, judge=self._judge), name="filter")
                stages.create_task(
                    deduplicate(
                        to_deduplicate,
                        flushed,
                        flusher=self._flusher,
                        max_records=self._max_records,
                        on_flushed=listener.on_flushed,
                        on_trouble=listener.on_trouble,
                        on_written=listener.on_written,
                    ),
                    name="deduplicate",
                )
                stages.create_task(commit(to_commit, self._source), name="commit")
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def statistics(self) -> list[PipeStatistics]:
        """Return how full each pipe is and has been."""
        return [pipe[0].statistics for pipe in (self._fetched, self._decoded, self._judged, self._flushed)]
