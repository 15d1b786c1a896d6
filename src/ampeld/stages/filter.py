"""Ask every channel for its verdict on every alert that it may see."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from time import perf_counter_ns
from types import MappingProxyType
from typing import Final

import numpy as np

from ampeld.channel.channel import Channel
from ampeld.channel.matches import Catalogs
from ampeld.channel.panel import Panel
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver, Sender, open_pipe
from ampeld.flow.verdict import SKIPPED
from ampeld.stages.light import lighten
from ampeld.stages.ports import Judge
from ampeld.stages.values import Decoded, Judged
from ampeld.store.documents import ChannelFailure

AHEAD: Final = 1
"""Batches that wait for the judge beside the one that it judges, so that it need not wait for us."""


async def filter_alerts(inbox: Receiver[Decoded], outbox: Sender[Judged], *, judge: Judge) -> None:
    """Judge every batch, and pass them on in their order."""
    begun: tuple[Sender[asyncio.Task[Judged]], Receiver[asyncio.Task[Judged]]] = open_pipe("judging", AHEAD)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_begin(inbox, begun[0], judge, tasks), name="filter-begin")
        tasks.create_task(_pass_on(begun[1], outbox), name="filter-pass-on")


async def _begin(
    inbox: Receiver[Decoded], begun: Sender[asyncio.Task[Judged]], judge: Judge, tasks: asyncio.TaskGroup
) -> None:
    with inbox, begun:
        async for decoded in inbox:
            await begun.wait_for_room()
            await begun.send(tasks.create_task(judge.judge(decoded), name="judge"))


async def _pass_on(begun: Receiver[asyncio.Task[Judged]], outbox: Sender[Judged]) -> None:
    with begun, outbox:
        async for task in begun:
            judged = await task
            lighten(judged)
            reach("after_filter")
            await outbox.send(judged)


def judge_batch(
    channels: Sequence[Channel],
    decoded: Decoded,
    catalogs: Catalogs = MappingProxyType({}),
    *,
    skipped: Collection[str] = (),
    on_judged: Callable[[Channel, int], None] = lambda _channel, _ns: None,
) -> Judged:
    """Return the verdicts of all channels on the alerts of a batch; their code runs here and now.

    Parameters
    ----------
    channels
        Those in force.
    decoded
        The batch.
    catalogs
        By name, for ``a.near``.
    skipped
        Names of channels that are not asked.
    on_judged
        Told of each channel that was asked how long it took [ns].
    """
    panel = Panel(decoded.table, catalogs)
    codes = np.full((len(channels), len(decoded.table)), SKIPPED, dtype=np.uint16)
    failures: list[list[ChannelFailure | None]] = [[] for _ in channels]
    for place, channel in enumerate(channels):
        if channel.name in skipped:
            continue
        began = perf_counter_ns()
        judgement = panel.judge(channel)
        codes[place] = judgement.codes
        if judgement.failures:
            failures[place] += [None] * len(decoded.table)
        for found in judgement.failures:
            failures[place][found.row] = failure_of(channel, decoded, found.row, found.error, found.traceback)
        on_judged(channel, perf_counter_ns() - began)
    return Judged(decoded, tuple(channels), codes, failures)


def failure_of(channel: Channel, decoded: Decoded, row: int, error: str, traceback: str) -> ChannelFailure:
    """Return the document of a channel's error on an alert."""
    return ChannelFailure(
        channel=channel.name,
        version=channel.version,
        contact=channel.contact,
        coordinates=decoded.batch.records[decoded.rows[row]].coordinates,
        candid=int(decoded.table.candid[row]),
        object=decoded.table.object[row],
        error=error,
        traceback=traceback,
    )
