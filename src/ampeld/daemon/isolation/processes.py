"""The nursery of a set of channels and its present worker, each replaced where it is lost."""

import asyncio
from collections.abc import Sequence

import structlog

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.answers import NumberedCuts
from ampeld.daemon.isolation.ending import WorkerLostError
from ampeld.daemon.isolation.hand import Hand
from ampeld.daemon.isolation.leaks import Leaks
from ampeld.daemon.isolation.messages import Setup, Task
from ampeld.daemon.isolation.nursery import AGAIN_S, Nursery, NurseryLostError, open_nursery

log = structlog.get_logger("ampeld.isolation")


class Processes:
    """The nursery of a set of channels and its present worker.

    Parameters
    ----------
    nursery
        With the channels loaded.
    setup
        What it was loaded from, should it have to be done again.
    channels
        As the daemon knows them.
    segments
        Descriptors of the memory in which batches lie.
    """

    def __init__(self, nursery: Nursery, setup: Setup, channels: Sequence[Channel], segments: Sequence[int]) -> None:
        self.channels = channels
        self.cuts: list[NumberedCuts] = []
        self.leaks = Leaks(setup.limits.memory_mb * 1024)
        self._nursery = nursery
        self._setup = setup
        self._segments = segments
        self._hand: Hand | None = None
        self._serial = 0

    async def refresh(self) -> None:
        """Take a new worker in the place of the present one."""
        if self._hand is not None:
            await self._hand.end()
            self._hand = None
        while self._hand is None:
            try:
                self._hand = await Hand.take(self._nursery, self._segments)
            except NurseryLostError as error:
                log.error("channels.nursery_lost", error=str(error))  # noqa: TRY400  the line says all
                await self._replace_nursery()
        self.leaks = Leaks(self._setup.limits.memory_mb * 1024)
        self.cuts = [NumberedCuts(channel.cut_names) for channel in self.channels]

    async def learn(self, deadline_s: float) -> dict[str, str]:
        """Let the filters teach their cut names on an empty batch; return by channel why that failed."""
        failed: dict[str, str] = {}
        pending = list(range(len(self.channels)))
        while pending:
            task = Task(self.next_serial(), pending)
            try:
                answer = await (await self.hand()).ask(task, deadline_s, lambda _candid, _name: None)
            except WorkerLostError as lost:
                self._hand = None
                if lost.loss.channel is None:
                    break  # they teach them with their first verdicts
                failed[self.channels[lost.loss.channel].name] = lost.loss.error
                pending.remove(lost.loss.channel)
                continue
            for number, result in zip(pending, answer.results, strict=False):
                try:
                    self.cuts[number].learn(result.cuts)
                except ValueError as error:
                    failed[self.channels[number].name] = str(error)
                for failure in result.failures:
                    failed[self.channels[number].name] = failure.error
            break
        return failed

    async def hand(self) -> Hand:
        """Return the worker, a new one where the last one was lost."""
        if self._hand is None:
            await self.refresh()
        assert self._hand is not None
        return self._hand

    def drop(self) -> None:
        """Forget a worker that is buried."""
        self._hand = None

    def next_serial(self) -> int:
        """Return a number that no task had before."""
        self._serial += 1
        return self._serial

    async def close(self) -> None:
        """End them."""
        if self._hand is not None:
            await self._hand.end()
        await self._nursery.close()

    async def _replace_nursery(self) -> None:
        """Load the same channels again, for as long as it takes: they could be loaded before."""
        await self._nursery.close()
        while True:
            try:
                self._nursery = await open_nursery(self._setup)
            except ChannelsRefusedError as error:
                log.error("channels.not_loaded_again", problems=error.problems, again_in_s=AGAIN_S)  # noqa: TRY400
                await asyncio.sleep(AGAIN_S)
            else:
                return
