"""Measures in the flow: beside the daemon, within a budget of time, whatever the units do there."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import structlog

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.loading import Loaded
from ampeld.daemon.measuring.crew import Crew, crew_here, crew_of
from ampeld.daemon.measuring.hand import Lost
from ampeld.daemon.measuring.opening import Key
from ampeld.daemon.measuring.rest import to_measure
from ampeld.daemon.measuring.tally import Tally, contacts_of
from ampeld.feature.work import Case, Measurement
from ampeld.flow.trace import Trace

BENCH_S: Final = 600.0
"""For so long a unit that cost a worker in the flow is measured behind it only."""
PART: Final = 0.25
"""Of the budget: how long the job may take that is under way when the budget is spent."""
FORMER_S: Final = 120.0
"""For so long after a reload there may be batches on their way that the former channels have judged."""

Measured = list[list[Measurement | None]]

log = structlog.get_logger("ampeld.measuring")


class FlowMeasurer:
    """The port `ampeld.stages.ports.Measurer`, and what tickets are measured by; to be closed.

    It follows the judge: `follow` is told of channels in processes, `load` of those in this one.

    Parameters
    ----------
    tally
        Told of what was measured.
    """

    def __init__(self, tally: Tally) -> None:
        self.traces: Mapping[Key, int] = {}
        """By unit, of all that were in force: the number of the trace that its results name."""
        self.benched: dict[Key, float] = {}
        """The units that are not measured in the flow, and until when, on the clock `time.monotonic`."""
        self.crew: Crew | None = None
        """Who measures for the channels in force; None when they want nothing."""
        self._tally = tally
        self._origins: Mapping[Key, Trace] = {}
        self._former: Crew | None = None
        self._changed_s = 0.0
        self._lost = 0

    @property
    def lost(self) -> int:
        """Return how many workers the flow has lost."""
        return self._lost + sum(crew.inline.lost for crew in (self.crew, self._former) if crew is not None)

    def all_traces(self) -> list[Trace]:
        """Return where the values of all units come from that were in force."""
        return list(self._origins.values())

    async def follow(self, cradle: Cradle, channels: Sequence[Channel]) -> None:
        """Measure for these channels from now on; what the former ones still want is measured by the former crew.

        Raises
        ------
        ChannelsRefusedError
            If a unit cannot open what it needs.
        """
        await self._change(await crew_of(cradle, channels))

    async def load(self, loaded: Loaded) -> None:
        """Do as `follow` for channels of this process.

        Raises
        ------
        ChannelsRefusedError
            If a unit cannot open what it needs.
        """
        await self._change(await asyncio.to_thread(crew_here, loaded))

    async def measure(self, cases: Sequence[Case], *, budget_s: float) -> Measured:
        """Return by case and job what was measured; None: it was not done in time, or not at all.

        A unit that has cost a worker is left out for ten minutes.

        Parameters
        ----------
        cases
            What is to be measured.
        budget_s
            How long that may take [s].
        """
        until = time.monotonic() + budget_s
        traces = self.traces
        # A batch that was judged before a reload wants what only the former crew knows.
        for crew in (self.crew, self._former):
            if crew is not None and all(_key(case, i) in crew.recipes for case in cases for i in to_measure(case)):
                mine = {key for key, trace in crew.traces.items() if traces.get(key) == trace.id}
                return await self._measure(crew, cases, mine, until, budget_s)
        return _nothing(cases)

    async def retire(self) -> None:
        """Let go of the former crew, once no batch can need it any more."""
        if self._former is not None and time.monotonic() - self._changed_s > FORMER_S:
            former, self._former = self._former, None
            await self._end(former)

    async def close(self) -> None:
        """End the processes."""
        crews, self.crew, self._former = (self.crew, self._former), None, None
        for crew in crews:
            if crew is not None:
                await self._end(crew)

    async def _change(self, crew: Crew | None) -> None:
        gone, self._former, self.crew = self._former, self.crew, crew
        self._changed_s = time.monotonic()
        self._tally.channels = () if crew is None else crew.channels
        if crew is not None:
            self._origins = {**self._origins, **crew.traces}
            self.traces = {key: trace.id for key, trace in self._origins.items()}
            self.benched = {}
        if gone is not None:
            await self._end(gone)

    async def _end(self, crew: Crew) -> None:
        self._lost += crew.inline.lost
        await crew.close()

    async def _measure(
        self, crew: Crew, cases: Sequence[Case], mine: AbstractSet[Key], until: float, budget_s: float
    ) -> Measured:
        try:
            async with asyncio.timeout(budget_s):
                await crew.turn.acquire()
        except TimeoutError:
            return _nothing(cases)
        try:
            results = await crew.inline.work(
                cases,
                deadline_s=budget_s,
                until=until,
                grace_s=PART * budget_s,
                # What the former crew has opened is not what the results would name.
                left_out=lambda key: key not in mine or self._is_benched(key),
            )
        finally:
            crew.turn.release()
        for case, of_case in zip(cases, results, strict=True):
            for position, result in enumerate(of_case):
                if isinstance(result, Lost):
                    self._bench(_key(case, position), result, crew.channels)
                elif result is not None:
                    self._tally.measured(case.jobs[position].unit, result, in_flow=True)
        return [[one if isinstance(one, Measurement) else None for one in of_case] for of_case in results]

    def _is_benched(self, key: Key) -> bool:
        until = self.benched.get(key)
        if until is not None and time.monotonic() >= until:
            del self.benched[key]
            return False
        return until is not None

    def _bench(self, key: Key, lost: Lost, channels: Sequence[Channel]) -> None:
        self.benched[key] = time.monotonic() + BENCH_S
        log.error(
            "feature.benched",
            unit=key[0],
            config=key[1],
            contact=contacts_of(key, channels),
            error=lost.error,
            meaning=f"for {BENCH_S / 60:g} minutes it is measured behind the flow only, from tickets",
        )


def _key(case: Case, position: int) -> Key:
    job = case.jobs[position]
    return job.unit, job.config


def _nothing(cases: Sequence[Case]) -> Measured:
    return [[None] * len(case.jobs) for case in cases]
