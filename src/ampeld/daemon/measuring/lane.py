"""A lane: claims tickets, has them measured and writes what came of it, each while the others do the same.

While one batch is measured the next one is loaded, the one behind it claimed, and the last one is written. A lane
survives a store that does not do its part: it waits, and what it cannot finish before its lease ends is somebody
else's.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from ampeld.daemon.measuring.conclude import Concluder
from ampeld.daemon.measuring.crew import AnySlot, Crew
from ampeld.daemon.measuring.hand import Lost
from ampeld.daemon.measuring.load import Load, Loader
from ampeld.daemon.measuring.opening import Key
from ampeld.daemon.measuring.rota import Rota
from ampeld.daemon.measuring.slot import Results
from ampeld.errors import InvariantError, RetryableError
from ampeld.feature.work import Measurement
from ampeld.flow.codes import ERROR
from ampeld.flow.pipe import Receiver, Sender, open_pipe
from ampeld.flow.together import together
from ampeld.store.errors import UnstorableError
from ampeld.store.tickets import Ending, Group, Ticket, Tickets, Token, new_token

IDLE_S: Final = 1.0
"""How often an idle lane asks whether there are tickets."""
FIRST_WAIT_S: Final = 0.5
MAX_WAIT_S: Final = 15.0

log = structlog.get_logger("ampeld.tickets")


class Batch(msgspec.Struct, frozen=True, eq=False):
    """Tickets on their way."""

    token: Token
    crew: Crew
    tickets: Sequence[Ticket]


class Loaded(msgspec.Struct, frozen=True, eq=False):
    """Tickets with what they are measured from."""

    batch: Batch
    load: Load


class Ended(msgspec.Struct, frozen=True, eq=False):
    """Tickets with what became of them."""

    batch: Batch
    endings: Sequence[Ending]


class Office(msgspec.Struct, frozen=True, eq=False):
    """What lanes of one daemon share."""

    tickets: Tickets
    loader: Loader
    concluder: Concluder
    crew: Callable[[], Crew | None]
    """Returns who measures for the channels in force."""
    held: dict[Token, Sequence[str]]
    """The ids of all that is on its way, by token."""
    lease_s: float
    deadline_s: float
    on_result: Callable[[Load, Results], None]
    """Told of what was measured, before it is written."""
    on_written: Callable[[Sequence[Ending], int], None]
    """Told of what was written, and of how many endings were refused."""
    on_trouble: Callable[[RetryableError], None]


class Lane:
    """A lane.

    Parameters
    ----------
    office
        What it shares with others.
    name
        For the log.
    rota
        Whose turn it is.
    groups
        Returns the groups that it serves, of a crew.
    slots
        How many places measure at once.
    most
        Returns how many tickets a batch may have, and how long it may take [ms].
    left_out
        Which units are not measured, though they are claimed: they have cost a worker meanwhile.
    """

    def __init__(
        self,
        office: Office,
        name: str,
        *,
        rota: Rota,
        groups: Callable[[Crew], Sequence[Group]],
        slots: int,
        most: Callable[[], tuple[int, float]],
        left_out: Callable[[Key], bool],
    ) -> None:
        self.wake = asyncio.Event()
        """Set where there are new tickets: it looks at once."""
        self.idle = asyncio.Event()
        """Set where it has found no ticket, and has none on its way."""
        self.lost = 0
        """Workers that were lost."""
        self._office = office
        self._name = name
        self._rota = rota
        self._groups = groups
        self._slots_wanted = slots
        self._most = most
        self._left_out = left_out
        self._slots: list[AnySlot] = []
        self._crew: Crew | None = None
        self._on_their_way = 0

    @property
    def withheld(self) -> frozenset[Key]:
        """Return the units that no place here may measure until a reload: their tickets are not claimed."""
        if not self._slots or self._crew is not self._office.crew():
            return frozenset()
        return frozenset.intersection(*(slot.strangers for slot in self._slots))

    async def run(self) -> None:
        """Work for ever; cancelled by who calls it."""
        claimed: tuple[Sender[Batch], Receiver[Batch]] = open_pipe("claimed", 1)
        loaded: tuple[Sender[Loaded], Receiver[Loaded]] = open_pipe("loaded", 1)
        measured: tuple[Sender[Ended], Receiver[Ended]] = open_pipe("measured", 1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._claim(claimed[0]), name=f"{self._name}-claim")
                tasks.create_task(self._load(claimed[1], loaded[0]), name=f"{self._name}-load")
                tasks.create_task(self._measure(loaded[1], measured[0]), name=f"{self._name}-measure")
                tasks.create_task(self._write(measured[1]), name=f"{self._name}-write")
        finally:
            await self._let_go()

    async def _claim(self, outbox: Sender[Batch]) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            await outbox.wait_for_room()
            try:
                batch = await self._next()
            except RetryableError as error:
                self._office.on_trouble(error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, MAX_WAIT_S)
                continue
            wait_s = FIRST_WAIT_S
            if batch is not None:
                self._on_their_way += 1
                self.idle.clear()
                await outbox.send(batch)
            elif self._rota.is_through:
                if not self._on_their_way:
                    self.idle.set()
                await self._rest()

    async def _rest(self) -> None:
        """Wait for news, or for a moment."""
        try:
            async with asyncio.timeout(IDLE_S):
                await self.wake.wait()
        except TimeoutError:
            return
        self.wake.clear()

    async def _next(self) -> Batch | None:
        office, crew = self._office, self._office.crew()
        most, most_ms = self._most()
        groups = [] if crew is None else self._groups(crew)
        withheld = self.withheld
        groups = [group for group in groups if (group.unit, group.config) not in withheld]
        ids = await self._rota.look(groups, most=most, most_ms=most_ms)
        if crew is None or not ids:
            return None
        token = new_token()
        office.held[token] = ids  # before they are claimed: who is stopped in the midst of it gives them back
        try:
            tickets = await office.tickets.claim(token, ids, office.lease_s)
        except RetryableError:
            del office.held[token]
            raise
        if len(tickets) < len(ids):  # others were faster
            self._rota.look_anew()
        if not tickets:
            del office.held[token]
            return None
        office.held[token] = [ticket.id for ticket in tickets]
        return Batch(token, crew, tickets)

    async def _load(self, inbox: Receiver[Batch], outbox: Sender[Loaded]) -> None:
        with inbox, outbox:
            async for batch in inbox:
                try:
                    load = await self._office.loader.load(batch.tickets, batch.crew.recipes)
                except RetryableError as error:
                    self._office.on_trouble(error)
                    self._forget(batch)  # the lease will end
                    await asyncio.sleep(FIRST_WAIT_S)
                else:
                    await outbox.send(Loaded(batch, load))

    async def _measure(self, inbox: Receiver[Loaded], outbox: Sender[Ended]) -> None:
        with inbox, outbox:
            async for loaded in inbox:
                slots = await self._slots_of(loaded.batch.crew)
                load, n = loaded.load, len(slots)
                shares = [
                    slot.work(load.cases[i::n], deadline_s=self._office.deadline_s, left_out=self._left_out)
                    for i, slot in enumerate(slots)
                ]
                results: Results = [[] for _ in load.cases]
                for i, some in enumerate(await together("measure", shares)):
                    results[i::n] = some
                self._office.on_result(load, results)
                await outbox.send(Ended(loaded.batch, self._endings(loaded, results)))

    def _endings(self, loaded: Loaded, results: Results) -> list[Ending]:
        concluder, now, load = self._office.concluder, datetime.now(UTC).timestamp(), loaded.load
        # A reload meanwhile has opened the same units anew: these results are of the former ones.
        traces = {key: trace.id for key, trace in loaded.batch.crew.traces.items()}
        endings = [concluder.refusal(ticket, refusal, now) for ticket, refusal in load.refused]
        for case, posed, of_case in zip(load.cases, load.posed, results, strict=True):
            endings += concluder.endings(case, posed, of_case, traces, now)
        return endings

    async def _write(self, inbox: Receiver[Ended]) -> None:
        with inbox:
            async for ended in inbox:
                await self._finish(ended)
                self._forget(ended.batch)

    def _forget(self, batch: Batch) -> None:
        del self._office.held[batch.token]
        self._on_their_way -= 1

    async def _finish(self, ended: Ended) -> None:
        """Write, for as long as the lease lasts."""
        office, endings = self._office, list(ended.endings)
        until, wait_s = time.monotonic() + office.lease_s, FIRST_WAIT_S
        while True:
            try:
                refused = await office.tickets.finish(ended.batch.token, endings)
            except UnstorableError as error:
                if all(one.id != error.document for one in endings):
                    raise InvariantError(f"no ticket is what cannot be stored: {error}") from error
                refuse = office.concluder.refuse
                endings = [refuse(e, ERROR, str(error)) if e.id == error.document else e for e in endings]
            except RetryableError as error:
                office.on_trouble(error)
                if time.monotonic() >= until:
                    return
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, MAX_WAIT_S)
            else:
                office.on_written(endings, refused)
                return

    async def _slots_of(self, crew: Crew) -> Sequence[AnySlot]:
        if self._crew is not crew:
            await self._let_go()
            self._crew = crew
            self._slots = [crew.make_slot(f"{self._name}-{i}") for i in range(self._slots_wanted)]
        return self._slots

    async def _let_go(self) -> None:
        slots, self._slots, self._crew = self._slots, [], None
        for slot in slots:
            self.lost += slot.lost
            await slot.close()


def lost_in(load: Load, results: Results) -> list[tuple[Key, Lost]]:
    """Return the units that have cost a worker, and how."""
    return [
        ((job.unit, job.config), result)
        for case, of_case in zip(load.cases, results, strict=True)
        for job, result in zip(case.jobs, of_case, strict=True)
        if isinstance(result, Lost)
    ]


def measured_in(load: Load, results: Results) -> list[tuple[Key, Measurement]]:
    """Return what was measured, with its unit."""
    return [
        ((job.unit, job.config), result)
        for case, of_case in zip(load.cases, results, strict=True)
        for job, result in zip(case.jobs, of_case, strict=True)
        if isinstance(result, Measurement)
    ]
