"""A whole pipeline on a source and a store of the test's choice."""

import asyncio
from pathlib import Path

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import ZTF
from ampeld.channel.channel import Channel
from ampeld.channel.passall import PassAll
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.pipeline import Listener, Pipeline
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.ports import Provenance
from ampeld.stages.reader import Reader

PROVENANCE = Provenance(run="run-1", version="0", config="c0ffee", instance="main")


def channel(name="all", filter_=None, *, access=("ZTF_PUB",), on_known="off", version=None, features=()):
    """Return a channel, by default one that accepts everything it may see."""
    return Channel(
        name=name,
        filter=filter_ or PassAll(),
        contact="nobody@example.org",
        access=frozenset(access),
        on_known=on_known,
        version=version or f"version-of-{name}",
        path=Path(f"{name}.toml"),
        features=features,
    )


def pipeline(
    source,
    store,
    channels,
    *,
    max_records=256,
    group="test",
    on_flushed=lambda *_: None,
    reader=None,
    measuring=None,
):
    """Return the pipeline that the daemon would make of these; by default for ZTF's alerts."""
    return Pipeline(
        source=source,
        flusher=Flusher(store, PROVENANCE, group, measuring),
        reader=reader or Reader(Decoder(2 * 2**20, ZTF)),
        judge=ThreadJudge(20, Path("no-catalogs"), channels),
        max_records=max_records,
        listener=Listener(on_flushed, on_trouble=lambda _: None, on_schema=lambda *_: None),
    )


async def run(source, store, channels, **options):
    """Run a pipeline until its source ends."""
    await pipeline(source, store, channels, **options).run(asyncio.Event())
