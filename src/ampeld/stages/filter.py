"""Ask every channel for its verdict on every alert that it may see, in a thread."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from ampeld.alert.history import PRIVATE_PROGRAM
from ampeld.channel.channel import Channel
from ampeld.channel.judge import judge
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver, Sender
from ampeld.flow.verdict import SKIPPED
from ampeld.stages.values import Decoded, Judged
from ampeld.store.documents import ChannelFailure


async def filter_alerts(
    inbox: Receiver[Decoded],
    outbox: Sender[Judged],
    *,
    channels: Sequence[Channel],
    executor: Executor,
) -> None:
    """Judge every batch."""
    loop = asyncio.get_running_loop()
    with inbox, outbox:
        async for decoded in inbox:
            judged = await loop.run_in_executor(executor, judge_batch, channels, decoded)
            reach("after_filter")
            await outbox.send(judged)


def judge_batch(channels: Sequence[Channel], decoded: Decoded) -> Judged:
    """Return the verdicts of all channels on the alerts of a batch."""
    codes = np.full((len(channels), len(decoded.table)), SKIPPED, dtype=np.uint16)
    failures = [_judge(channel, decoded, codes[i]) for i, channel in enumerate(channels)]
    return Judged(decoded, tuple(channels), codes, failures)


def _judge(
    channel: Channel, decoded: Decoded, codes: "np.ndarray[tuple[int], np.dtype[np.uint16]]"
) -> list[ChannelFailure | None]:
    """Fill one channel's codes; return its failures by alert, or an empty list."""
    table = decoded.table
    private = "ZTF_PRIV" in channel.access
    visible = np.flatnonzero(private | (table.programid != PRIVATE_PROGRAM))
    if not visible.size:
        return []
    judgement = judge(channel.filter, table, channel.cut_names, rows=visible)
    codes[visible] = judgement.codes[visible]
    if not judgement.failures:
        return []
    failures: list[ChannelFailure | None] = [None] * len(table)
    for failure in judgement.failures:
        failures[failure.row] = ChannelFailure(
            channel=channel.name,
            version=channel.version,
            contact=channel.contact,
            coordinates=decoded.batch.records[decoded.rows[failure.row]].coordinates,
            candid=int(table.candid[failure.row]),
            object=table.object[failure.row],
            error=failure.error,
            traceback=failure.traceback,
        )
    return failures
