"""Judges batches in a filter process, and outlives whatever the channels do to it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.channel.channel import Channel
from ampeld.channel.panel import may_see_private, visible
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.bench import Bench
from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.elsewhere import channels_of
from ampeld.daemon.isolation.messages import Limits, Setup
from ampeld.daemon.isolation.processes import Processes
from ampeld.daemon.isolation.sanctions import Sanctioning, tell_suspicious
from ampeld.daemon.isolation.segment import Segment
from ampeld.daemon.isolation.trial import Trial
from ampeld.stages.values import Decoded, Judged

SEGMENTS: Final = 2
"""Batches in shared memory at once: one is judged while the next one is put there."""


class Rules(msgspec.Struct, frozen=True):
    """What channels may take: from the section ``[channels]`` of the configuration."""

    deadline_s: float
    memory_mb: int
    error_budget: int
    measuring_mb: int | None = None
    """What a process may take that measures features, from the section ``[features]``; None: there is none."""


class ProcessJudge(Sanctioning):
    """The port `ampeld.stages.ports.Judge` by way of a filter process, to be closed.

    Parameters
    ----------
    rules
        What channels may take.
    catalogs
        The catalogues' directory; it need not exist.
    """

    def __init__(self, rules: Rules, catalogs: Path) -> None:
        super().__init__(rules.error_budget)
        self.channels: tuple[Channel, ...] = ()
        """The channels in force."""
        measuring = None if rules.measuring_mb is None else Limits(rules.measuring_mb)
        self._setup = Setup([], Limits(rules.memory_mb), str(catalogs), measuring)
        self._rules = rules
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="shared-memory")
        self._segments = [Segment() for _ in range(SEGMENTS)]
        self._room = asyncio.Semaphore(SEGMENTS)
        self._free = list(range(SEGMENTS))
        self._turn = asyncio.Lock()
        self._processes: Processes | None = None

    async def swap(self, files: Sequence[ChannelFiles]) -> None:
        """Let these channels judge from the next batch on.

        Raises
        ------
        ChannelsRefusedError
            If some cannot be loaded; the former ones go on.
        """
        setup = msgspec.structs.replace(self._setup, files=list(files))
        cradle = await Cradle.open(setup)
        channels = channels_of(cradle.facts)
        processes = Processes(cradle, channels, [segment.shared for segment in self._segments])
        try:
            await processes.refresh()
            tell_suspicious(channels, await processes.learn(self._rules.deadline_s))
            await self.follower.follow(cradle, channels)
        except BaseException:
            await processes.close()
            raise
        async with self._turn:
            former, self._processes = self._processes, processes
            self.channels = channels
        if former is not None:
            await former.close()

    async def judge(self, decoded: Decoded) -> Judged:
        """Return the verdicts of the channels in force; several batches may be given, they wait for each other."""
        if not len(decoded.table):
            codes = np.zeros((len(self.channels), 0), dtype=np.uint16)
            return Judged(decoded, self.channels, codes, [[] for _ in self.channels])
        async with self._room:
            number = self._free.pop()
            try:
                loop = asyncio.get_running_loop()
                sizes = await loop.run_in_executor(self._copier, self._segments[number].put, decoded.table)
                async with self._turn:
                    return await self._judge(decoded, number, sizes)
            finally:
                self._free.append(number)

    async def close(self) -> None:
        """End the processes, those of the follower first."""
        await self.follower.close()
        async with self._turn:
            if self._processes is not None:
                await self._processes.close()
                self._processes = None
        self._copier.shutdown(wait=False, cancel_futures=True)
        for segment in self._segments:
            segment.close()

    async def _judge(self, decoded: Decoded, number: int, sizes: list[int]) -> Judged:
        channels = self.channels
        seen = _seen(channels, decoded)
        if self._processes is None:
            return Judged(decoded, channels, np.zeros(seen.shape, dtype=np.uint16), [])  # there are none
        bench = Bench(
            self._processes,
            decoded,
            seen,
            place=(number, sizes),
            deadline_s=self._rules.deadline_s,
            offices=(self.sanctions, self.costs),
        )
        trial = Trial(decoded, channels, seen, bench)
        await trial.run()
        await bench.settle()
        return Judged(decoded, channels, trial.codes, trial.failures)


def _seen(channels: Sequence[Channel], decoded: Decoded) -> NDArray[np.bool_]:
    """Return which alerts each channel may see, shape (channels, alerts)."""
    by_right = np.array([visible(decoded.table, private=private) for private in (False, True)])
    seen: NDArray[np.bool_] = by_right[[int(may_see_private(channel)) for channel in channels]]
    return seen
