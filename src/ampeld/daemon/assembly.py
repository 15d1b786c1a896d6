"""Put the parts of a run together: what the daemon, the ingestion of files and the retry of dead letters share."""

from collections.abc import Iterable
from typing import Protocol

import msgspec
import structlog

from ampeld import __version__
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally
from ampeld.daemon.measuring.tickets import Rules, TicketRunner
from ampeld.daemon.runs import new_run
from ampeld.daemon.schemas import make_reader
from ampeld.daemon.settings import Settings, config_hash
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.measure import Measuring
from ampeld.stages.ports import Provenance
from ampeld.stages.reader import Reader
from ampeld.store.documents import ChannelVersion
from ampeld.store.mongodb import MongoStore

log = structlog.get_logger("ampeld.assembly")


class Assembly(msgspec.Struct, frozen=True, eq=False):
    """The parts of one run."""

    settings: Settings
    provenance: Provenance
    store: MongoStore
    reader: Reader
    flusher: Flusher
    tally: Tally
    measurer: FlowMeasurer
    """Follows the judge (`ampeld.daemon.judges.make_judge`); without one it measures nothing."""
    tickets: TicketRunner

    async def prepare(self) -> None:
        """Create what is missing in the database."""
        await self.store.prepare(keep_days=self.settings.ledger.keep_days)
        if "setName" not in (hello := await self.store.connection.command("hello")) and "msg" not in hello:
            log.warning("store.standalone", meaning="no replica set: a write may be lost with the server's disk")


class Named(Protocol):
    """A channel, loaded or not."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def version(self) -> str:
        """Return its version."""


def assemble(settings: Settings, channels: Iterable[Named], *, instance: str, group: str) -> Assembly:
    """Return the parts of a new run, none of them connected yet.

    Parameters
    ----------
    settings
        The configuration.
    channels
        Those that the run begins with: the hash of the configuration covers their versions.
    instance, group
        Under which name, and for which consumer group, verdict blocks are written.
    """
    provenance = Provenance(
        run=new_run(),
        version=__version__,
        config=config_hash(settings, [ChannelVersion(c.name, c.version) for c in channels]),
        instance=instance,
    )
    store = MongoStore(
        settings.store.uri.reveal(),
        settings.store.database,
        timeout_s=settings.store.timeout_s,
        app_name=f"ampeld-{instance}",
        dead_letter_directory=settings.store.dead_letter_directory,
    )
    tally = Tally(settings.source.survey)
    measurer = FlowMeasurer(tally)
    tickets = _tickets(settings, store, measurer, provenance=provenance, tally=tally)
    measuring = Measuring(
        store,
        measurer,
        budget_s=settings.features.inline_s,
        on_failure=tally.failed_in_flow,
        on_tickets=tickets.wake,
    )
    return Assembly(
        settings=settings,
        provenance=provenance,
        store=store,
        reader=make_reader(settings),
        flusher=Flusher(store, provenance, group, measuring),
        tally=tally,
        measurer=measurer,
        tickets=tickets,
    )


def _tickets(
    settings: Settings, store: MongoStore, measurer: FlowMeasurer, *, provenance: Provenance, tally: Tally
) -> TicketRunner:
    section = settings.features
    rules = Rules(section.deadline_s, section.processes, section.lease_s, section.max_trials)
    return TicketRunner(store, measurer, rules=rules, provenance=provenance, tally=tally)
