"""One batch before all channels, whatever they do to the worker: what is lost is judged again, and who lost it pays.

A channel that costs a worker is set aside, and the others are judged again without it. Then it is asked alone about
one alert after the other, in a worker of its own, so that only the alerts that it fails on are errors; it goes on so
until its budget is spent, and is suspended then.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.answers import Believed, Codes
from ampeld.daemon.isolation.bench import Bench
from ampeld.daemon.isolation.ending import Loss, WorkerLostError
from ampeld.daemon.isolation.messages import Answer, Result
from ampeld.flow.verdict import ERRORED, SKIPPED
from ampeld.stages.filter import failure_of
from ampeld.stages.values import Decoded
from ampeld.store.documents import ChannelFailure

MOST_PRINTED: Final = 100_000
"""Characters that a channel may print on one batch; more is an error."""
_STRANGE: Final = 2  # workers lost to nobody, after which each channel is asked for itself

AGAIN: Final = "; judged again by itself, alert by alert, the batch came to its end"


class Trial:
    """The verdicts on one batch, as they come in.

    Parameters
    ----------
    decoded
        The batch.
    channels
        Those in force.
    seen : shape (channels, alerts), bool
        Which alerts each channel may see.
    bench
        Who asks the workers.
    """

    def __init__(self, decoded: Decoded, channels: Sequence[Channel], seen: NDArray[np.bool_], bench: Bench) -> None:
        self._decoded = decoded
        self._channels = channels
        self._seen = seen
        self._bench = bench
        self.codes: Codes = np.full(seen.shape, SKIPPED, dtype=np.uint16)
        self.failures: list[list[ChannelFailure | None]] = [[] for _ in channels]

    async def run(self) -> None:
        """Judge the batch to its end."""
        awake = [i for i, channel in enumerate(self._channels) if not self._bench.is_suspended(channel)]
        groups = [awake] if awake else []
        aside: dict[int, Loss | None] = {}
        strange = 0
        while groups:
            group = groups.pop(0)
            try:
                answer, believed = await self._bench.ask(group, None)
            except WorkerLostError as lost:
                blamed = group[0] if len(group) == 1 else lost.loss.channel
                if blamed is None:
                    strange += 1
                    groups = ([[each] for each in group] if strange >= _STRANGE else [group]) + groups
                else:
                    aside[blamed] = lost.loss if lost.loss.channel is not None else None
                    rest = [each for each in group if each != blamed]
                    groups = [rest, *groups] if rest else groups
            else:
                aside |= self._take(group, answer, believed)
        if aside:
            await self._bench.refresh()
        for channel, loss in aside.items():
            await self._alone(channel, loss)

    def _take(self, asked: Sequence[int], answer: Answer, believed: Believed) -> dict[int, Loss | None]:
        """Take over the verdicts that can be believed; return the channels that must be asked by themselves."""
        aside: dict[int, Loss | None] = {}
        self.codes[asked] = believed.codes
        judged = np.count_nonzero(believed.codes != SKIPPED, axis=1).tolist()
        for place, (index, result) in enumerate(zip(asked, answer.results, strict=True)):
            if place in believed.doubted:
                aside[index] = Loss(index, None, False, f"nonsense: {believed.doubted[place]}", "")
            elif any(_is_short_of_memory(failed.error) for failed in result.failures):
                aside[index] = None  # another channel may have eaten it
            else:
                self._note(index, result, answer.texts, judged[place])
        self.codes[list(aside)] = SKIPPED
        return aside

    def _note(self, index: int, result: Result, texts: Sequence[str], judged: int) -> None:
        channel = self._channels[index]
        self._bench.note(channel, result, judged)
        for failed in result.failures:
            self._fail(index, failed.row, failed.error, texts[failed.text])
        if result.failures:
            self._bench.charge(channel, len(result.failures), result.failures[-1].error)
        if result.printed_characters > MOST_PRINTED and judged:
            error = f"printed {result.printed_characters} characters on {judged} alerts"
            self._fail(index, int(np.flatnonzero(self.codes[index] != SKIPPED)[0]), error, result.printed)
            self._bench.charge(channel, 1, error)

    async def _alone(self, index: int, loss: Loss | None) -> None:
        """Ask one channel about one alert after the other; ``loss`` is what it has cost already."""
        channel = self._channels[index]
        every: list[int] = np.flatnonzero(self._seen[index]).tolist()
        groups = [every] if every else []
        while groups and not self._bench.is_suspended(channel):
            rows = groups.pop(0)
            try:
                answer, believed = await self._bench.ask([index], rows)
            except WorkerLostError as lost:
                again = lost.loss
            else:
                if not believed.doubted:
                    self.codes[index, rows] = believed.codes[0, rows]
                    self._note(index, answer.results[0], answer.texts, len(rows))
                    continue
                again = Loss(index, None, False, f"nonsense: {believed.doubted[0]}", "")
            row = rows[0] if len(rows) == 1 else again.row
            if row is None:  # it did not say at which: then each is a question of its own
                groups = [[each] for each in rows] + groups
                loss = loss or again
                continue
            rows.remove(row)
            groups = [rows, *groups] if rows else groups
            loss = None  # it happened again, and that is what counts
            self.codes[index, row] = ERRORED
            self._fail(index, row, again.error, again.traceback)
            self._bench.charge_death(channel, again.error)
        if loss is not None and every:
            self._fail(index, every[0], loss.error + AGAIN, loss.traceback)
            self._bench.charge_death(channel, loss.error)

    def _fail(self, index: int, row: int, error: str, traceback: str) -> None:
        channel, failures = self._channels[index], self.failures[index]
        if not failures:
            failures += [None] * len(self._decoded.table)
        failures[row] = failures[row] or failure_of(channel, self._decoded, row, error, traceback)


def _is_short_of_memory(error: str) -> bool:
    return "MemoryError" in error.partition(":")[0]
