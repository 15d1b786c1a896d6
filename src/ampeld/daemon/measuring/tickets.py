"""Measures what the flow has put off: tickets of all daemons' making, side by side with ingest and never in its way.

Most tickets go through one lane. Those of units that have cost a worker lately go through another one, few at a time
and in a place of their own, so that a unit which loops for ever holds up nobody but itself.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import structlog

from ampeld.daemon.measuring.conclude import Concluder
from ampeld.daemon.measuring.crew import Crew
from ampeld.daemon.measuring.lane import Lane, Office, lost_in, measured_in
from ampeld.daemon.measuring.load import Load, Loader
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.opening import Key
from ampeld.daemon.measuring.rota import Costs, Rota, groups_of
from ampeld.daemon.measuring.slot import Results
from ampeld.daemon.measuring.suspects import Suspects
from ampeld.daemon.measuring.tally import Tally
from ampeld.errors import RetryableError
from ampeld.flow.wanted import closure
from ampeld.stages.ports import Provenance
from ampeld.store.mongodb import MongoStore
from ampeld.store.tickets import Ending, Group, Postponed, Tickets

MOST: Final = 512
"""Tickets of a batch."""
BATCH_MS: Final = 2000.0
"""How long a place may take for its part of a batch: newer tickets wait for no longer, if no single one does."""
MOST_SUSPECT: Final = 16
COUNT_S: Final = 15.0
"""How often the queue is counted, and leases are looked at that have ended."""
LEAVE_S: Final = 2.0
SOON_S: Final = 15.0
"""Who waits for the last ticket waits for none that is tried again later than that."""
LOOK_S: Final = 0.2
_HOPELESS: Final = "it costs one worker after the other: its tickets wait for a daemon that runs on"

log = structlog.get_logger("ampeld.tickets")


class Rules(msgspec.Struct, frozen=True):
    """From the section ``[features]`` of the configuration."""

    deadline_s: float
    processes: int
    lease_s: float
    max_trials: int


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _nobody(_: RetryableError) -> None:
    """Hear nothing."""


class TicketRunner:
    """Measures tickets.

    Parameters
    ----------
    store
        Where everything lies.
    measurer
        Who knows the units in force.
    rules
        How long, and how often.
    provenance
        Who we are.
    tally
        Told of what became of them.
    """

    def __init__(
        self,
        store: MongoStore,
        measurer: FlowMeasurer,
        *,
        rules: Rules,
        provenance: Provenance,
        tally: Tally,
    ) -> None:
        self._tally = tally
        self._tickets = Tickets(store.connection, provenance.instance)
        self._measurer = measurer
        self._rules = rules
        self.on_trouble: Callable[[RetryableError], None] = _nobody
        """Told of every try that failed because the store did not do its part."""
        self._suspects = Suspects()
        self._costs = Costs()
        self._office = Office(
            tickets=self._tickets,
            loader=Loader(store, self._tickets),
            concluder=Concluder(provenance, deadline_s=rules.deadline_s, max_trials=rules.max_trials),
            crew=lambda: measurer.crew,
            held={},
            lease_s=rules.lease_s,
            deadline_s=rules.deadline_s,
            on_result=self._on_result,
            on_written=self._on_written,
            on_trouble=self._tell_trouble,
        )
        self._most_suspect = 1
        self._main = self._lane("tickets", suspect=False, slots=rules.processes)
        self._aside = self._lane("suspects", suspect=True, slots=1)

    @property
    def lost(self) -> int:
        """Return how many workers were lost to tickets."""
        return self._main.lost + self._aside.lost

    def wake(self) -> None:
        """Look for tickets at once: there are new ones."""
        self._main.wake.set()

    async def run(self) -> None:
        """Work for ever; cancelled by who calls it. Then what is not done is given back."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._main.run(), name="tickets")
                tasks.create_task(self._run_aside(), name="tickets-aside")
                tasks.create_task(self._renew(), name="tickets-renew")
                tasks.create_task(self._look_after(), name="tickets-look-after")
        finally:
            with contextlib.suppress(RetryableError, TimeoutError):
                async with asyncio.timeout(LEAVE_S):
                    for token, ids in self._office.held.items():
                        await self._tickets.give_back(token, ids)

    async def drain(self, stopping: asyncio.Event) -> None:
        """Return when no ticket is left that this daemon knows how to measure and that is due soon, or when told to.

        Nobody waits for a unit that costs one worker after the other: a deadline for each of its tickets.
        """
        async with asyncio.TaskGroup() as tasks:
            ways = {
                tasks.create_task(self._drain(), name="tickets-drain"),
                tasks.create_task(_wait(stopping), name="tickets-stop"),
            }
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()

    async def _drain(self) -> None:
        while (crew := self._measurer.crew) is not None:
            for lane in (self._main, self._aside):
                lane.idle.clear()
                lane.wake.set()
            await self._main.idle.wait()
            while self._is_any_suspect_waited_for(crew) and not self._aside.idle.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._aside.idle.wait()
            hopeless = [key for key in crew.recipes if self._suspects.is_hopeless(key)]
            try:
                measurable = [key for key in crew.recipes if key not in self._withheld and key not in hopeless]
                if not await self._tickets.is_any_due(measurable, within_s=SOON_S):
                    for unit, config in hopeless:
                        log.warning("tickets.left", unit=unit, config=config, meaning=_HOPELESS)
                    return
            except RetryableError as error:
                self.on_trouble(error)
            await asyncio.sleep(LOOK_S)

    def _is_any_suspect_waited_for(self, crew: Crew) -> bool:
        return any(key in self._suspects and not self._suspects.is_hopeless(key) for key in crew.recipes)

    def status(self) -> dict[str, Any]:
        """Return what the status page tells of features."""
        crew = self._measurer.crew
        return {
            "units": self._tally.status(),
            "in_force": sorted({unit for unit, _ in crew.recipes}) if crew is not None else [],
            "behind_the_flow_only": sorted({unit for unit, _ in self._measurer.benched}),
            "withheld": sorted({unit for unit, _ in self._withheld}),
            "results_refused": self._tally.refused,
        }

    @property
    def _withheld(self) -> frozenset[Key]:
        """Return the units whose tickets wait for a reload."""
        aside = self._aside.withheld
        return frozenset(
            {key for key in self._main.withheld if key not in self._suspects}
            | {key for key in aside if key in self._suspects}
        )

    def _lane(self, name: str, *, suspect: bool, slots: int) -> Lane:
        def groups(crew: Crew) -> Sequence[Group]:
            self._costs.expect(key for key, recipe in crew.recipes.items() if recipe.slow)
            keys = [key for key in crew.recipes if (key in self._suspects) is suspect]
            asking = {c.name: [r.key for r in closure(w.recipe for w in c.features)] for c in crew.channels}
            return groups_of(keys, asking)

        return Lane(
            self._office,
            name,
            rota=Rota(self._tickets, self._costs.of),
            groups=groups,
            slots=slots,
            most=lambda: (self._most_suspect if suspect else MOST, BATCH_MS * slots),
            left_out=lambda key: not suspect and key in self._suspects,
        )

    async def _run_aside(self) -> None:
        await self._suspects.wait()
        await self._aside.run()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._rules.lease_s / 3)
            try:
                for token, ids in list(self._office.held.items()):
                    await self._tickets.renew(token, ids, self._rules.lease_s)
            except RetryableError as error:
                self.on_trouble(error)

    async def _look_after(self) -> None:
        """Free what dead daemons held, count what waits, and let go of what a reload has left."""
        while True:
            if (crew := self._measurer.crew) is not None:
                try:
                    await self._free_and_count(crew)
                except RetryableError as error:
                    self.on_trouble(error)
            await self._measurer.retire()
            await asyncio.sleep(min(COUNT_S, self._rules.lease_s / 2))

    async def _free_and_count(self, crew: Crew) -> None:
        freed = await self._tickets.free_expired(list(crew.recipes))
        if freed:
            log.warning("tickets.freed", tickets=freed, meaning="the lease of their daemon had ended")
            self.wake()
        self._tally.waiting(await self._tickets.lengths())

    def _tell_trouble(self, error: RetryableError) -> None:
        self.on_trouble(error)

    def _on_result(self, load: Load, results: Results) -> None:
        lost = lost_in(load, results)
        for key, one in lost:
            self._suspects.blame(key)
            self._costs.note(key, one.ms)
        measured = measured_in(load, results)
        for key, measurement in measured:
            self._suspects.praise(key)
            self._costs.note(key, measurement.ms)
            self._tally.measured(key[0], measurement, in_flow=False)
        if any(key in self._suspects for key, _ in [*lost, *measured]):
            self._most_suspect = 1 if lost else min(2 * self._most_suspect, MOST_SUSPECT)

    def _on_written(self, endings: Sequence[Ending], refused: int) -> None:
        if refused:
            self._tally.refused += refused
            log.warning("tickets.refused", results=refused, meaning="their lease had ended: others measure them")
        for ending in endings:
            what = ending.what
            meta, trial = what.meta, None
            if isinstance(what, Postponed) and meta is not None:
                self._tally.of(ending.key.unit).retried += 1
                trial = what.trials, self._rules.max_trials
            if meta is not None and "error" in meta:
                self._tally.tell(ending.key, meta["channel"], code=meta["code"], error=meta["error"], trial=trial)
