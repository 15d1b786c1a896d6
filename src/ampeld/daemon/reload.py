"""Which version of each channel runs: chosen from the files, the gates and what runs already, and swapped in between.

A channel whose new files are wrong keeps its old version; one whose file is gone goes; nothing stops for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.files import ChannelFiles, read_each
from ampeld.daemon.reload_choice import Candidates, Choice, choose
from ampeld.errors import ConfigError

NONE_MAY = "no channel would run: none has passed its gate"

log = structlog.get_logger("ampeld.channels")


class Swapping(Protocol):
    """What a judge must be able to do."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels in force."""

    async def swap(self, files: Sequence[ChannelFiles]) -> None:
        """Let other channels judge from the next batch on; ChannelsRefusedError when some cannot be loaded."""


class GateKeeper(Protocol):
    """Who knows what has passed its gate (`ampeld.daemon.reload_gates`)."""

    required: bool
    """Whether a version that has not passed must not run."""

    async def opened(self, files: Sequence[ChannelFiles]) -> frozenset[tuple[str, str]]:
        """Return the (name, version) of those that have passed, or were forced."""

    async def former(self, files: ChannelFiles) -> ChannelFiles | None:
        """Return the newest version of this channel that may run in place of these files."""


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What one reload has changed."""

    number: int
    """The reloads of this process, from 1."""
    at: str
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    kept: dict[str, list[str]] = {}
    """By channel: why its new files were refused; its former version goes on, where it had one."""
    waiting: list[str] = []
    """Channels whose version has not passed its gate."""

    @property
    def changes(self) -> int:
        """Return how many channels are not what they were."""
        return len(self.added) + len(self.changed) + len(self.removed)


class Reloader:
    """Keeps the channels that run in step with the files.

    Parameters
    ----------
    directory
        The channels' directory.
    survey
        Whose alerts this daemon reads; channels of another survey are passed over.
    judge
        What runs the channels.
    gates
        What may run.
    register
        ``await register(files, channels)`` keeps the texts of new versions (channels is None), before they judge,
        and what is known of them, when they are loaded.
    catalogs
        Returns the digests of the catalogues that there are, by name: others than those that the channels were loaded
        with are a reason to load them anew.
    """

    def __init__(
        self,
        directory: Path,
        survey: str,
        *,
        judge: Swapping,
        gates: GateKeeper,
        register: Callable[[Sequence[ChannelFiles], Sequence[Channel] | None], Awaitable[None]],
        catalogs: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._directory = directory
        self._survey = survey
        self._judge = judge
        self._gates = gates
        self._register = register
        self._catalogs = catalogs
        self._searched: Mapping[str, str] = {}
        self._loaded: list[ChannelFiles] = []
        self._running: dict[str, ChannelFiles] = {}
        self._lock = asyncio.Lock()
        self._number = 0
        self.choice = Choice()
        """What runs, and what does not and why."""

    async def load(self, files: Sequence[ChannelFiles]) -> None:
        """Load what a daemon starts with; what of it may run is told by `begin`.

        Raises
        ------
        ConfigError
            If one of the files cannot be loaded: who starts a daemon is there to mend it.
        """
        self._searched = await asyncio.to_thread(self._catalogs)
        await self._judge.swap(files)
        self._loaded = list(files)
        self._tell_catalogs()

    async def begin(self) -> None:
        """Let the channels run that may: all that were loaded, or former versions of those that have not passed.

        May be repeated when the store did not do its part.

        Raises
        ------
        ConfigError
            If none may: all alerts would pass by unjudged.
        """
        async with self._lock:
            choice = await self._choose(Candidates({one.name: one for one in self._loaded}))
            if not choice.files:
                raise ConfigError([f"{self._directory}: {NONE_MAY} (channels.gate = 'required')"])
            await self._register(choice.files, None)
            if choice.files != self._loaded:
                choice = await self._try(choice)
            await self._accept(choice)
            self._tell_waiting()

    async def reload(self) -> Reloaded:
        """Read the files, and let what has changed and is right judge from the next batch on."""
        async with self._lock:
            before = self._running
            choice = await self._choose(await self._read())
            if not choice.files:
                choice = Choice(list(before.values()), {name: [NONE_MAY] for name in before}, choice.waiting)
            catalogs = await asyncio.to_thread(self._catalogs)
            if choice.files != list(before.values()) or catalogs != self._searched:
                await self._register(choice.files, None)
                choice = await self._try(choice)
            if catalogs != self._searched:
                self._searched = catalogs
                self._tell_catalogs()
            await self._accept(choice)
            self._number += 1
            done = self._difference(before)
            self._tell(done, before)
            return done

    @property
    def is_waiting(self) -> bool:
        """Tell whether a version waits for its gate, so that it is worth looking whether it has passed."""
        return bool(self.choice.waiting)

    async def look_at_gates(self) -> None:
        """Let versions in that have passed their gate since: on any daemon, or by a command."""
        waiting = list(self.choice.waiting.values())
        opened = await self._gates.opened(waiting)
        if not opened:
            return
        if self._gates.required:
            await self.reload()
            return
        for one in waiting:
            if (one.name, one.version) in opened:
                log.info("channel.gate_passed", channel=one.name, version=one.version)
        still = {name: one for name, one in self.choice.waiting.items() if (name, one.version) not in opened}
        self.choice = msgspec.structs.replace(self.choice, waiting=still)

    async def _read(self) -> Candidates:
        try:
            found, problems = await asyncio.to_thread(read_each, self._directory)
        except ConfigError as error:
            return Candidates(dict(self._running), dict.fromkeys(self._running, error.problems))
        if not found and not problems:
            why = [f"{self._directory}: no channels: there is no *.toml file; an empty directory changes nothing"]
            return Candidates(dict(self._running), dict.fromkeys(self._running, why))
        # Whose alerts a file means that is no TOML cannot be told: every daemon refuses it.
        return Candidates({one.name: one for one in found if one.survey == self._survey or not one.table}, problems)

    async def _choose(self, candidates: Candidates) -> Choice:
        files = list(candidates.files.values())
        opened = await self._gates.opened(files)
        closed = [one for one in files if (one.name, one.version) not in opened]
        former = {}
        if self._gates.required:
            for one in closed:
                former[one.name] = self._running.get(one.name) or await self._gates.former(one)
        return choose(candidates, self._running, opened, former=former if self._gates.required else None)

    async def _try(self, choice: Choice) -> Choice:
        """Swap, with the running version in place of each new one that is refused, until no new one is."""
        while True:
            try:
                await self._judge.swap(choice.files)
            except ChannelsRefusedError as error:
                new = {one.name for one in choice.files if self._running.get(one.name) != one}
                refused = {name: why for name, why in error.by_channel.items() if name in new}
                if not refused:  # what runs cannot be loaded a second time: let it run
                    kept = {**choice.refused, **error.by_channel}
                    return Choice(list(self._running.values()), kept, choice.waiting)
                choice = choice.without(refused, self._running)
            else:
                return choice

    async def _accept(self, choice: Choice) -> None:
        self.choice = choice
        self._running = {one.name: one for one in choice.files}
        await self._register(choice.files, self._judge.channels)

    def _difference(self, before: Mapping[str, ChannelFiles]) -> Reloaded:
        now = self._running
        return Reloaded(
            number=self._number,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            added=sorted(now.keys() - before.keys()),
            changed=sorted(name for name in now.keys() & before.keys() if now[name].version != before[name].version),
            removed=sorted(before.keys() - now.keys()),
            kept=dict(self.choice.refused),
            waiting=sorted(self.choice.waiting),
        )

    def _tell(self, done: Reloaded, before: Mapping[str, ChannelFiles]) -> None:
        for name in done.added:
            log.info("channel.added", channel=name, version=self._running[name].version)
        for name in done.changed:
            log.info("channel.changed", channel=name, former=before[name].version, version=self._running[name].version)
        for name in done.removed:
            log.info("channel.removed", channel=name, version=before[name].version)
        for name, problems in done.kept.items():
            goes_on = self._running[name].version if name in self._running else None
            log.error("channel.refused", channel=name, goes_on=goes_on, problems=problems)
        self._tell_waiting()
        log.info("channels.reloaded", number=done.number, changes=done.changes, refused=len(done.kept))

    def _tell_catalogs(self) -> None:
        if self._searched:
            log.info("catalogs.opened", catalogs=[f"{name}@{digest}" for name, digest in self._searched.items()])

    def _tell_waiting(self) -> None:
        if not self.choice.waiting:
            return
        runs = {name: one.version for name, one in self._running.items()}
        log.warning(
            "channels.gate_not_passed",
            channels=[f"{name}@{one.version}" for name, one in self.choice.waiting.items()],
            instead=[
                f"{n}@{runs[n]}"
                for n, one in self.choice.waiting.items()
                if runs.get(n, "") != one.version and n in runs
            ],
            off=sorted(self.choice.waiting.keys() - runs.keys()),
            advice="ampeld channel gate NAME",
        )
