"""A real store, channels in processes or threads, and what measures their tickets."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from support.tickets import PROVENANCE, documents

from ampeld.daemon.isolation.judge import ProcessJudge
from ampeld.daemon.isolation.judge import Rules as JudgeRules
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally
from ampeld.daemon.measuring.tickets import Rules, TicketRunner

RULES = Rules(deadline_s=0.5, processes=1, lease_s=30.0, max_trials=2)


def process_judge():
    """Return a judge whose channels run beside this process."""
    return ProcessJudge(JudgeRules(deadline_s=2.0, memory_mb=64, error_budget=20, measuring_mb=64), Path("no-catalogs"))


class Site:
    """A store, channels, and what measures their tickets."""

    def __init__(self, store, judge, rules=RULES):
        self.store = store
        self.judge = judge
        self.tally = Tally()
        self.measurer = judge.follower = FlowMeasurer(self.tally)
        self.runner = TicketRunner(store, self.measurer, rules=rules, provenance=PROVENANCE, tally=self.tally)
        self.runner.on_trouble = self._trouble

    @staticmethod
    def _trouble(error):
        raise error

    def recipe(self, unit):
        """Return the recipe of a unit of the file beside the channel."""
        (found,) = [one for one in self.measurer.crew.recipes.values() if one.unit.endswith(f":{unit}")]
        return found

    @asynccontextmanager
    async def running(self):
        """Measure tickets meanwhile."""
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.runner.run())
            yield
            running.cancel()

    async def drain(self):
        """Measure what is due, until nothing is."""
        async with self.running():
            await self.runner.drain(asyncio.Event())
        return await documents(self.store)


@asynccontextmanager
async def open_site(store, judge):
    """Make a site, and end its processes."""
    made = Site(store, judge)
    try:
        yield made
    finally:
        await judge.close()
