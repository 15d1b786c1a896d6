"""The channels of a running daemon: what it begins with, what it is told by signal, by files and by other daemons."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import stamina
import structlog

from ampeld.channel.channel import Channel
from ampeld.daemon.catalogs import digests_in
from ampeld.daemon.channels_register import register_channels, register_texts, register_traces
from ampeld.daemon.features_changes import changed_files
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.elsewhere import words_of
from ampeld.daemon.judges import ChannelJudge
from ampeld.daemon.reload import Reloaded, Reloader
from ampeld.daemon.reload_gates import StoredGates
from ampeld.daemon.settings import Settings
from ampeld.daemon.suspension import SuspensionKeeper
from ampeld.errors import RetryableError
from ampeld.flow.trace import Trace
from ampeld.stages.ports import Provenance
from ampeld.store.gates import Gates
from ampeld.store.mongodb import MongoStore
from ampeld.store.suspensions import Suspensions
from ampeld.store.versions import ChannelVersions

GATES_S = 30.0
"""How often it is looked whether a version that waits for its gate has passed."""
MAX_WAIT_S = 10.0

RUNNING, SUSPENDED, OFF = "running", "suspended", "off"

log = structlog.get_logger("ampeld.channels")


class ChannelKeeper:
    """Reloads channels, follows gates and suspensions.

    Parameters
    ----------
    settings
        The configuration.
    judge
        Who runs the channels.
    store
        Where all daemons look.
    provenance
        Who we are.
    traces
        Returns where the values of features come from that the channels want.
    on_trouble
        Told of every try that failed because the store did not do its part.
    """

    def __init__(
        self,
        settings: Settings,
        judge: ChannelJudge,
        store: MongoStore,
        *,
        provenance: Provenance,
        traces: Callable[[], Sequence[Trace]] = tuple,
        on_trouble: Callable[[RetryableError], None],
    ) -> None:
        connection = store.connection
        required = settings.channels.gate == "required"
        self._judge = judge
        self._store = store
        self._traces = traces
        self._on_trouble = on_trouble
        self._wanted = asyncio.Event()
        self._begun = False
        self._asked: Reloaded | None = None
        self._suspensions = SuspensionKeeper(Suspensions(connection), judge, provenance)
        judge.sanctions.on_suspend = self._suspensions.on_suspend
        self._reloader = Reloader(
            settings.channels.directory,
            settings.source.survey,
            judge=judge,
            gates=StoredGates(Gates(connection), ChannelVersions(connection), required=required),
            register=self._register,
            catalogs=partial(self._measured_with, settings.catalogs.directory, settings.channels.directory),
        )

    async def load(self, files: Sequence[ChannelFiles]) -> None:
        """Load the channels that the daemon starts with; needs no store.

        Raises
        ------
        ConfigError
            If one of them cannot be loaded.
        """
        await self._reloader.load(files)

    async def begin(self) -> None:
        """Let those run that may, and skip those that are suspended; may be repeated.

        Raises
        ------
        RetryableError
            If the store does not do its part.
        """
        await self._suspensions.look()
        await self._reloader.begin()
        self._begun = True

    def ask_reload(self) -> None:
        """Reload as soon as may be: what a signal does."""
        log.info("channels.reload_asked")
        self._wanted.set()

    async def run(self) -> None:
        """Keep the channels for ever; cancelled by who calls it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._suspensions.run(self._on_trouble), name="suspensions")
            tasks.create_task(self._reload_when_asked(), name="reload")

    async def settle(self) -> None:
        """Tell the store what it has not been told yet, at the end."""
        await self._suspensions.look()

    def states(self) -> dict[str, int]:
        """Return how many channels run, are suspended, and are off though they have a file."""
        states = Counter(row["state"] for row in self._rows())
        return {state: states[state] for state in (RUNNING, SUSPENDED, OFF)}

    def status(self) -> dict[str, Any]:
        """Return what the status page tells: each channel, and the last reload that was asked for."""
        return {"channels": self._rows(), "reload": msgspec.to_builtins(self._asked)}

    def _rows(self) -> list[dict[str, Any]]:
        choice, suspended = self._reloader.choice, self._suspensions.known
        running = {channel.name: channel for channel in self._judge.channels} if self._begun else {}
        rows: list[dict[str, Any]] = []
        for name in sorted({*running, *choice.refused, *choice.waiting}):
            notes = [*choice.refused.get(name, ())]
            if (waiting := choice.waiting.get(name)) is not None:
                notes.append(f"version {waiting.version} has not passed its gate: ampeld channel gate {name}")
            if name in suspended:
                notes.append(f"suspended since {suspended[name].since:%Y-%m-%d %H:%M:%S} UTC: {suspended[name].reason}")
            channel = running.get(name)
            cost = None if channel is None else self._judge.costs.of(channel)
            rows.append(
                {
                    "channel": name,
                    "version": None if channel is None else channel.version,
                    "state": OFF if channel is None else SUSPENDED if name in suspended else RUNNING,
                    "alerts": 0 if cost is None else cost.alerts,
                    "us_per_alert": None if cost is None else cost.us_per_alert,
                    "errors": 0 if cost is None else cost.errors,
                    "notes": notes,
                }
            )
        return rows

    async def _reload_when_asked(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATES_S):
                    await self._wanted.wait()
            if self._wanted.is_set():
                self._wanted.clear()
                await self._patiently(self._reload)
            elif self._reloader.is_waiting:
                await self._patiently(self._reloader.look_at_gates)

    async def _reload(self) -> None:
        self._asked = await self._reloader.reload()

    def _measured_with(self, catalogs: Path, channels: Path) -> dict[str, str]:
        """Return the digests of the catalogues, and those of units' files that have changed since they were opened."""
        return digests_in(catalogs) | changed_files(self._traces(), channels)

    async def _register(self, files: Sequence[ChannelFiles], channels: Sequence[Channel] | None) -> None:
        async def write() -> None:
            if channels is None:
                await register_texts(self._store, files)
            else:
                await register_channels(self._store, channels, [words_of(channel.filter) for channel in channels])
                await register_traces(self._store, self._traces())

        await (self._patiently(write) if self._begun else write())

    async def _patiently(self, step: Callable[[], Any]) -> None:
        """Carry out a step, for as long as the store needs."""
        async for attempt in stamina.retry_context(
            on=RetryableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=MAX_WAIT_S
        ):
            with attempt:
                try:
                    await step()
                except RetryableError as error:
                    self._on_trouble(error)
                    raise
