"""The daemon: one member of a consumer group from its start to its last commit."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import stamina
import structlog

from ampeld.alert.decode import DECODER, WITHOUT_KERNEL
from ampeld.daemon.assembly import Assembly, assemble
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.judges import make_judge
from ampeld.daemon.lock import hold_lock, lock_path
from ampeld.daemon.notify import Notifier
from ampeld.daemon.pipeline import Listener, Pipeline
from ampeld.daemon.reload_keeper import ChannelKeeper
from ampeld.daemon.schemas import on_schema
from ampeld.daemon.settings import Settings
from ampeld.daemon.shutdown import Stop, run_process
from ampeld.daemon.sources import kafka_settings
from ampeld.daemon.status import Pages, serve_status
from ampeld.daemon.storms import StormGuard
from ampeld.daemon.telemetry import DEGRADED, LIVE, Telemetry, watch_loop
from ampeld.errors import AccessDeniedError, RetryableError
from ampeld.source.kafka import KafkaSource
from ampeld.stages.values import Judged
from ampeld.store.documents import Account, Begun
from ampeld.store.errors import StoreUnavailableError

SUMMARY_S = 10.0
OBSERVE_S = 1.0
LEAVE_S = 3.0
COLLECT = (200_000, 20, 50)
"""Objects after which cycles are looked for. What comes from a store is thousands of small dicts without any: at
Python's own 700 a quarter of the time for tickets went into looking through them again and again."""
START_WAIT_S = 5.0

log = structlog.get_logger("ampeld.daemon")


def run_daemon(settings: Settings, channels: Sequence[ChannelFiles], *, instance: str, until_end: bool) -> int:
    """Run until a signal, or with ``until_end`` until everything that was there at the start is done.

    Returns
    -------
    int
        The exit code (`ampeld.daemon.exits`).
    """
    daemon = Daemon(settings, channels, instance=instance, until_end=until_end)
    gc.set_threshold(*COLLECT)
    with hold_lock(lock_path(instance, os.environ)):
        return run_process(daemon.work, grace_s=settings.daemon.grace_s)


class Daemon:
    """The parts of the running daemon and what is known of them."""

    def __init__(self, settings: Settings, channels: Sequence[ChannelFiles], *, instance: str, until_end: bool) -> None:
        self._settings = settings
        self._files = channels
        self._parts = assemble(settings, channels, instance=instance, group=settings.source.group)
        provenance = self._parts.provenance
        self._telemetry = Telemetry(version=provenance.version, instance=instance, run=provenance.run)
        self._notifier = Notifier(os.environ)
        self._until_end = until_end
        self._stop: Stop | None = None
        self._source = KafkaSource(
            kafka_settings(settings, instance=instance, until_end=until_end),
            covered_to=self._covered_to,
            on_gap=self._on_gap,
            on_begin=self._on_begin,
        )
        self._storms = StormGuard(self._source.hold)
        self._parts.reader.on_trouble = self._on_registry
        self._judge = make_judge(settings, self._parts.measurer)
        self._parts.tickets.on_trouble = self._on_trouble
        self._channels = ChannelKeeper(
            settings,
            self._judge,
            self._parts.store,
            provenance=provenance,
            traces=self._parts.measurer.all_traces,
            on_trouble=self._on_trouble,
        )
        self._pipeline = Pipeline(
            source=self._source,
            flusher=self._parts.flusher,
            reader=self._parts.reader,
            judge=self._judge,
            max_records=settings.source.max_batch,
            listener=Listener(
                on_flushed=self._on_flushed,
                on_trouble=self._on_trouble,
                on_schema=self._on_schema,
                on_fetched=self._telemetry.fetched,
                on_decoded=self._telemetry.decoded,
                on_written=self._telemetry.written,
            ),
        )

    async def work(self, stop: Stop) -> None:
        """Start, run the pipeline to its end, and let go of everything."""
        self._stop = stop
        stop.told.append(self._notifier.stopping)
        settings, parts = self._settings, self._parts
        provenance = parts.provenance
        log.info(
            "daemon.starting",
            run=provenance.run,
            version=provenance.version,
            config=provenance.config,
            instance=provenance.instance,
            group=settings.source.group,
            channels=[f"{one.name}@{one.version}" for one in self._files],
            decoder=DECODER,
        )
        if WITHOUT_KERNEL:
            log.warning("decode.without_kernel", meaning=WITHOUT_KERNEL)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(parts.store.close)
            stack.push_async_callback(self._judge.close)
            await self._channels.load(self._files)
            stop.listen_for_reload(self._channels.ask_reload)
            pages = Pages(
                live=lambda: True,
                ready=self._is_ready,
                status=self._status,
                metrics=self._telemetry.metrics.page,
            )
            await stack.enter_async_context(serve_status(settings.status.listen, provenance.instance, pages))
            await stack.enter_async_context(self._observed(stop))
            await self._patiently("store", parts)
            await self._patiently("source", parts)
            await stack.enter_async_context(self._beside(self._channels.run, name="channels"))
            await stack.enter_async_context(self._beside(parts.tickets.run, name="tickets"))
            stack.push_async_callback(self._source.stop, LEAVE_S)
            stop.working = True
            self._notifier.ready()
            await self._pipeline.run(stop.wanted)
            if self._until_end:
                await parts.tickets.drain(stop.wanted)
            if not stop.wanted.is_set():
                self._notifier.stopping()
        log.info("daemon.drained", **self._telemetry.status()["outcomes"])

    async def _patiently(self, part: str, parts: Assembly) -> None:
        """Prepare the store or start the source, for as long as the servers need."""
        async for attempt in stamina.retry_context(
            on=RetryableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=START_WAIT_S
        ):
            with attempt:
                try:
                    if part == "store":
                        await parts.prepare()
                        await self._channels.begin()
                    else:
                        await self._source.start()
                except RetryableError as error:
                    if isinstance(error, StoreUnavailableError) and error.refused:
                        raise AccessDeniedError(str(error)) from error
                    self._telemetry.part(part, "degraded", str(error))
                    log.warning("daemon.waiting", part=part, error=str(error))
                    raise
        self._telemetry.part(part, "live")

    def _is_ready(self) -> bool:
        stopping = self._stop is None or self._stop.wanted.is_set() or not self._stop.working
        return not stopping and self._telemetry.state == "live"

    async def _covered_to(self, topic: str, partition: int) -> int | None:
        return await self._parts.store.covered_to(self._settings.source.group, topic, partition)

    async def _on_begin(self, begun: Mapping[tuple[str, int], int]) -> None:
        places = [Begun(topic, partition, first) for (topic, partition), first in begun.items()]
        await self._parts.store.record_begun(self._settings.source.group, places)

    async def _on_gap(self, topic: str, partition: int, first: int, end: int) -> None:
        provenance = self._parts.provenance
        gap = {"topic": topic, "partition": partition, "first": first, "end": end}
        await self._parts.store.record_gap(
            {**gap, "group": self._settings.source.group, "run": provenance.run, "instance": provenance.instance}
        )
        self._telemetry.lost(end - first)

    def _on_flushed(self, account: Account, batches: Sequence[Judged]) -> None:
        self._telemetry.flushed(account, [judged.decoded.batch for judged in batches])
        log.debug("deduplicate.flushed", records=len(account.rows), dead_letters=len(account.dead_letters))
        if not self._until_end:  # a drain has an end, and somebody who waits for it
            self._storms.note(batches, asyncio.get_running_loop().time())

    def _on_trouble(self, error: RetryableError) -> None:
        kind = error.kind if isinstance(error, StoreUnavailableError) else "unknown"
        self._telemetry.store_failed(kind, str(error))
        log.warning("store.unavailable", kind=kind, error=str(error))

    def _on_schema(self, fingerprint: str, version: str, additions: Sequence[str]) -> None:
        on_schema(fingerprint, version, additions)
        self._telemetry.schema(fingerprint, version, additions)

    def _on_registry(self, trouble: str | None) -> None:
        self._telemetry.part("schemas", LIVE if trouble is None else DEGRADED, trouble)

    def _status(self) -> dict[str, Any]:
        lock = lock_path(self._parts.provenance.instance, os.environ).absolute()
        held = [f"{topic}/{partition}" for topic, partition in self._storms.held]
        process = {"pid": os.getpid(), "lock": str(lock), "held": held}
        features = {"features": self._parts.tickets.status()}
        return self._telemetry.status() | process | self._channels.status() | features

    @asynccontextmanager
    async def _beside(self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str) -> AsyncIterator[None]:
        """Do something without an end while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work(), name=name)
            try:
                yield
            finally:
                task.cancel()

    @asynccontextmanager
    async def _observed(self, stop: Stop) -> AsyncIterator[None]:
        """Measure, summarise and tell systemd while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            watchers = [
                tasks.create_task(watch_loop(self._telemetry), name="loop-lag"),
                tasks.create_task(self._observe(stop), name="observe"),
                tasks.create_task(self._summarise(stop), name="summary"),
            ]
            if self._notifier.watchdog_s is not None:
                watchers.append(tasks.create_task(self._reassure(self._notifier.watchdog_s), name="watchdog"))
            try:
                yield
            finally:
                for watcher in watchers:
                    watcher.cancel()

    async def _observe(self, stop: Stop) -> None:
        while True:
            await asyncio.sleep(OBSERVE_S)
            if stop.working:  # before, there is no source that might not answer
                self._telemetry.source(self._source.statistics())
            self._storms.look(asyncio.get_running_loop().time())
            self._telemetry.metrics.held.set(len(self._storms.held))
            in_flight = sum(ledger.in_flight for ledger in self._source.ledgers())
            self._telemetry.flow(self._pipeline.statistics(), in_flight)
            self._telemetry.metrics.raise_to(self._telemetry.metrics.processes_lost, self._judge.costs.lost)
            self._telemetry.metrics.fill_features(
                self._parts.tally, self._parts.measurer.lost + self._parts.tickets.lost
            )
            for state, number in self._channels.states().items():
                self._telemetry.metrics.channels.labels(state).set(number)

    async def _summarise(self, stop: Stop) -> None:
        while True:
            await asyncio.sleep(SUMMARY_S)
            log.info("daemon.summary", **self._telemetry.summary())
            self._notifier.status(("stopping: " if stop.wanted.is_set() else "") + self._telemetry.line())

    async def _reassure(self, interval_s: float) -> None:
        while True:  # a loop that is stuck says nothing, and systemd starts the daemon anew
            self._notifier.alive()
            await asyncio.sleep(interval_s)
