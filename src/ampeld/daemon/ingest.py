"""Feed the pipeline from files: the same stages, store and account as the daemon's, and an end."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from ampeld.daemon.assembly import Assembly, assemble
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.judges import make_judge
from ampeld.daemon.pipeline import Listener, Pipeline
from ampeld.daemon.reload_keeper import ChannelKeeper
from ampeld.daemon.schemas import on_schema
from ampeld.daemon.settings import Settings
from ampeld.daemon.shutdown import Stop, run_process
from ampeld.errors import RetryableError
from ampeld.source.archive import DamagedFileError, check_paths
from ampeld.source.files import FileProgress, FileSource
from ampeld.stages.values import Judged
from ampeld.store.documents import Account, Begun
from ampeld.store.reader import AccountReader
from ampeld.store.report import LedgerReport

GROUP = "files"
"""The group that verdict blocks of files are kept under."""

PROGRESS_S = 0.2

log = structlog.get_logger("ampeld.ingest")


class Ingestion:
    """One call of ``ampeld ingest``.

    Parameters
    ----------
    settings, channels
        The configuration.
    paths
        Files, directories and archives, read in this order.
    instance
        The name under which this process writes.
    progress
        Told several times a second how far the reading is.
    """

    def __init__(
        self,
        settings: Settings,
        channels: Sequence[ChannelFiles],
        paths: Sequence[Path],
        *,
        instance: str,
        progress: Callable[[FileProgress], None],
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._channels = channels
        self._source = FileSource(paths, max_message_bytes=settings.source.max_message_bytes)
        self._instance = instance
        self._progress = progress
        self._ends: dict[str, int] = {}
        self.report: LedgerReport | None = None
        self.damage: str | None = None
        """What could not be read to its end; everything before it was processed."""

    def run(self) -> int:
        """Process every record once; return the exit code, with `report` filled in when the end was reached.

        Raises
        ------
        ConfigError
            If a path is missing, unreadable or of no known kind.
        """
        check_paths(self._paths)
        code = run_process(self._work, grace_s=self._settings.daemon.grace_s)
        if code == ExitCode.OK and self.report is None:
            return ExitCode.UNFINISHED
        return code

    async def _work(self, stop: Stop) -> None:
        parts = assemble(self._settings, self._channels, instance=self._instance, group=GROUP)
        self._judge = make_judge(self._settings, parts.measurer)
        parts.tickets.on_trouble = _warn
        keeper = ChannelKeeper(
            self._settings,
            self._judge,
            parts.store,
            provenance=parts.provenance,
            traces=parts.measurer.all_traces,
            on_trouble=_warn,
        )
        try:
            await keeper.load(self._channels)
            await parts.prepare()
            await keeper.begin()
            stop.working = True
            async with self._source:
                await self._process(parts, stop)
            await keeper.settle()
            if not stop.wanted.is_set():
                ends = [Begun(topic, 0, 0, end) for topic, end in self._ends.items()]
                await parts.store.record_begun(GROUP, ends)
                self.report = await AccountReader(parts.store.connection).report(run=parts.provenance.run)
        finally:
            await self._judge.close()
            await parts.store.close()

    async def _process(self, parts: Assembly, stop: Stop) -> None:
        pipeline = Pipeline(
            source=self._source,
            flusher=parts.flusher,
            reader=parts.reader,
            judge=self._judge,
            max_records=self._settings.source.max_batch,
            listener=Listener(
                on_flushed=self._on_flushed,
                on_trouble=_warn,
                on_schema=on_schema,
            ),
        )
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell(done), name="progress")
            measuring = tasks.create_task(parts.tickets.run(), name="tickets")
            try:
                await pipeline.run(stop.wanted)
                await parts.tickets.drain(stop.wanted)
            except* DamagedFileError as errors:
                self.damage = "\n".join(str(error) for error in errors.exceptions)
            finally:
                measuring.cancel()
                done.set()

    def _on_flushed(self, account: Account, _batches: Sequence[Judged]) -> None:
        self._ends |= {part.topic: part.end for part in account.rows.parts}

    async def _tell(self, done: asyncio.Event) -> None:
        while not done.is_set():
            self._progress(self._source.progress)
            try:
                async with asyncio.timeout(PROGRESS_S):
                    await done.wait()
            except TimeoutError:
                continue
        self._progress(self._source.progress)


def _warn(error: RetryableError) -> None:
    log.warning("store.unavailable", error=str(error))
