"""Put the parts of a run together: what the daemon, the ingestion of files and the retry of dead letters share."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from ampeld import __version__
from ampeld.alert.decode import Decoder
from ampeld.channel.channel import Channel
from ampeld.channel.judge import learn_cuts
from ampeld.daemon.settings import Settings, config_hash
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.ports import Provenance
from ampeld.store.documents import ChannelVersion
from ampeld.store.mongodb import MongoStore

log = structlog.get_logger("ampeld.assembly")


class Assembly(msgspec.Struct, frozen=True, eq=False):
    """The parts of one run."""

    settings: Settings
    channels: Sequence[Channel]
    provenance: Provenance
    store: MongoStore
    decoder: Decoder
    flusher: Flusher

    async def prepare(self) -> None:
        """Create what is missing in the database and register the channels' versions."""
        await self.store.prepare(keep_days=self.settings.ledger.keep_days)
        if "setName" not in (hello := await self.store.connection.command("hello")) and "msg" not in hello:
            log.warning("store.standalone", meaning="no replica set: a write may be lost with the server's disk")
        for channel in self.channels:
            await self.store.register_version(channel.version, describe(channel))
            await self.store.cut_numbers(channel.version, channel.cut_names.names)


def assemble(settings: Settings, channels: Sequence[Channel], *, instance: str, group: str) -> Assembly:
    """Return the parts of a new run, none of them connected yet."""
    provenance = Provenance(
        run=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}",
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
    for channel in channels:
        if error := learn_cuts(channel.filter, channel.cut_names):
            log.warning("channel.suspicious", channel=channel.name, contact=channel.contact, on_empty_batch=error)
    return Assembly(
        settings=settings,
        channels=channels,
        provenance=provenance,
        store=store,
        decoder=Decoder(settings.source.max_message_bytes),
        flusher=Flusher(store, provenance, group),
    )


def describe(channel: Channel) -> dict[str, object]:
    """Return what is kept of a channel's version."""
    return {
        "name": channel.name,
        "filter": f"{type(channel.filter).__module__}:{type(channel.filter).__qualname__}",
        "contact": channel.contact,
        "access": sorted(channel.access),
        "on_known": channel.on_known,
    }
