"""One batch before the channels: asks the worker, and keeps the books of what that costs."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.answers import Believed, NonsenseAnswerError, believe
from ampeld.daemon.isolation.costs import Costs
from ampeld.daemon.isolation.ending import Loss, WorkerLostError
from ampeld.daemon.isolation.hand import NOBODY, Hand
from ampeld.daemon.isolation.messages import Answer, Result, Task
from ampeld.daemon.isolation.processes import Processes
from ampeld.daemon.isolation.sanctions import Sanctions
from ampeld.errors import InvariantError
from ampeld.stages.values import Decoded

_TRIES: Final = 3  # a worker may die of what a filter did to it before, but a new one does not

log = structlog.get_logger("ampeld.isolation")


class Bench:
    """One batch before the channels: what `ampeld.daemon.isolation.trial.Trial` works with.

    Parameters
    ----------
    processes
        Who judges.
    decoded
        The batch.
    seen : shape (channels, alerts), bool
        Which alerts each channel may see.
    place
        The segment in which the batch lies, and the sizes of its parts.
    deadline_s
        How long each channel may take [s].
    offices
        Who counts errors, and who counts costs.
    """

    def __init__(
        self,
        processes: Processes,
        decoded: Decoded,
        seen: NDArray[np.bool_],
        *,
        place: tuple[int, list[int]],
        deadline_s: float,
        offices: tuple[Sanctions, Costs],
    ) -> None:
        self._processes = processes
        self._decoded = decoded
        self._seen = seen
        self._place = place
        self._deadline_s = deadline_s
        self._sanctions, self._costs = offices

    async def ask(self, channels: Sequence[int], rows: Sequence[int] | None) -> tuple[Answer, Believed]:
        """Return a worker's answer on the batch; WorkerLostError when there is none."""
        for again in reversed(range(_TRIES)):
            try:
                return await self._ask(list(channels), None if rows is None else list(rows))
            except WorkerLostError as error:
                loss = error.loss
                self._processes.drop()
                self._costs.lost += 1
                log.warning("channels.worker_lost", channel=self._name(loss), error=loss.error)
                if not loss.innocent:
                    raise
                if not again:
                    raise InvariantError(f"no filter process begins to judge: {loss.error}\n{loss.traceback}") from None
        raise AssertionError

    async def refresh(self) -> None:
        """Take a new worker."""
        await self._processes.refresh()

    async def settle(self) -> None:
        """Replace a worker that has taken too much memory; the channel that keeps it pays."""
        leaks = self._processes.leaks
        if not leaks.is_full:
            return
        culprit = leaks.culprit
        log.info("channels.worker_replaced", reason="memory", memory_mb=leaks.kb // 1024)
        await self._processes.refresh()
        if culprit is not None:
            number, kept_kb = culprit
            channel = self._processes.channels[number]
            self._costs.of(channel).deaths += 1
            self._sanctions.charge_death(channel, f"keeps memory from batch to batch: {kept_kb // 1024} MiB by now")

    def charge(self, channel: Channel, errors: int, error: str) -> None:
        """Count errors of a channel's code, and suspend it when its budget is spent."""
        self._costs.of(channel).errors += errors
        self._sanctions.charge(channel, errors, error)

    def charge_death(self, channel: Channel, error: str) -> None:
        """Count a worker that was lost to a channel, and suspend it when its budget is spent."""
        self._costs.of(channel).deaths += 1
        self._sanctions.charge_death(channel, error)

    def is_suspended(self, channel: Channel) -> bool:
        """Tell whether the channel is suspended."""
        return channel.name in self._sanctions.suspended

    def note(self, channel: Channel, result: Result, alerts: int) -> None:
        """Take what a channel's judging has cost, and what it has printed."""
        cost = self._costs.of(channel)
        cost.alerts += alerts
        cost.ns += max(result.ns, 0)
        if result.printed:
            log.warning(
                "channel.output",
                channel=channel.name,
                contact=channel.contact,
                text=result.printed,
                characters=result.printed_characters,
            )

    async def _ask(self, channels: list[int], rows: list[int] | None) -> tuple[Answer, Believed]:
        processes, (number, sizes) = self._processes, self._place
        hand = await processes.hand()
        task = Task(processes.next_serial(), channels, number, sizes, rows)
        answer = await hand.ask(task, self._deadline_s, self._cutout)
        believed = await self._believe(hand, task, answer)
        if answer.asked:
            self._decoded.table.ask(answer.asked)
        processes.leaks.note(answer)
        self._costs.memory_kb = answer.memory_kb
        return answer, believed

    async def _believe(self, hand: Hand, task: Task, answer: Answer) -> Believed:
        cuts = [self._processes.cuts[channel] for channel in task.channels]
        seen = self._seen[task.channels]
        if task.rows is not None:
            asked = np.zeros(seen.shape[1], dtype=np.bool_)
            asked[task.rows] = True
            seen = seen & asked
        try:
            return believe(answer, task.channels, seen, cuts)
        except NonsenseAnswerError as error:
            raise await hand.lose(task, f"nonsense: {error}", NOBODY) from None

    def _cutout(self, candid: int, name: str) -> bytes | None:
        rows = np.flatnonzero(self._decoded.table.candid == candid)
        try:
            return self._decoded.table.cutout(int(rows[0]), name) if rows.size else None
        except LookupError:
            return None

    def _name(self, loss: Loss) -> str | None:
        return None if loss.channel is None else self._processes.channels[loss.channel].name
