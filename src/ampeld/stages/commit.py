"""Settle what is durable and commit what may be committed: the last word of the pipeline, and the only committer."""

import asyncio
import contextlib

from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver
from ampeld.stages.ports import Source
from ampeld.stages.values import Flushed

COMMIT_INTERVAL_S = 0.25


async def commit(inbox: Receiver[Flushed], source: Source) -> None:
    """Settle all that is flushed; commit every 250 ms, and behind the stream's end until nothing is due.

    A broker that is away is waited for, for as long as the caller lets us.
    """
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_commit_regularly(source, ended), name="commit-regularly")
        with inbox:
            async for flushed in inbox:
                settle(flushed)
        ended.set()


def settle(flushed: Flushed) -> None:
    """Note in each record's ledger that its outcome is durable."""
    for ledger, offsets in flushed.offsets.items():
        ledger.settle(*offsets)


async def commit_due(source: Source) -> None:
    """Commit the watermark of every partition where it has risen."""
    due = {ledger: offset for ledger in source.ledgers() if (offset := ledger.due) is not None}
    if due:
        reach("before_commit")
        await source.commit(due)
        reach("after_commit")


async def _commit_regularly(source: Source, ended: asyncio.Event) -> None:
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COMMIT_INTERVAL_S):
                await ended.wait()
        await commit_due(source)
    while any(ledger.due is not None for ledger in source.ledgers()):
        await asyncio.sleep(COMMIT_INTERVAL_S)
        await commit_due(source)
