"""The present worker of those that judge with a set of channels, replaced where it is lost."""

from collections.abc import Sequence

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.answers import NumberedCuts
from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.ending import WorkerLostError
from ampeld.daemon.isolation.hand import Hand
from ampeld.daemon.isolation.leaks import Leaks
from ampeld.daemon.isolation.messages import Task


class Processes:
    """The worker that judges.

    Parameters
    ----------
    cradle
        Where workers come from; let go of by `close`.
    channels
        As the daemon knows them.
    segments
        Descriptors of the memory in which batches lie.
    """

    def __init__(self, cradle: Cradle, channels: Sequence[Channel], segments: Sequence[int]) -> None:
        self.channels = channels
        self.cuts: list[NumberedCuts] = []
        self.leaks = Leaks(cradle.setup.limits.memory_mb * 1024)
        self._cradle = cradle
        self._segments = segments
        self._hand: Hand | None = None
        self._serial = 0

    async def refresh(self) -> None:
        """Take a new worker in the place of the present one."""
        if self._hand is not None:
            await self._hand.end()
            self._hand = None
        self._hand = await self._cradle.take(lambda nursery: Hand.take(nursery, self._segments))
        self.leaks = Leaks(self._cradle.setup.limits.memory_mb * 1024)
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
        await self._cradle.close()
