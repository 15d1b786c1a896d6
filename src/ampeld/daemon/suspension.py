"""Suspended channels: what this daemon suspends is told to all, and what any of them knows is followed here."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog

from ampeld.channel.channel import Channel
from ampeld.errors import RetryableError
from ampeld.stages.ports import Provenance
from ampeld.store.gates import now
from ampeld.store.suspensions import Suspension, Suspensions

LOOK_S = 2.0
"""How often the store is asked: so long after a word of one daemon at most, all of them follow it."""

log = structlog.get_logger("ampeld.suspension")


def suspension_of(channel: Channel, reason: str, provenance: Provenance) -> Suspension:
    """Return the news that a channel is suspended from now on."""
    return Suspension(
        channel=channel.name,
        suspended=True,
        version=channel.version,
        since=now(),
        reason=reason,
        contact=channel.contact,
        run=provenance.run,
        by=provenance.instance,
    )


class Suspending(Protocol):
    """What a judge must be able to do."""

    @property
    def suspended(self) -> set[str]:
        """Return the channels whose alerts are skipped."""

    def suspend(self, name: str) -> None:
        """Skip a channel's alerts from the next batch on."""

    def resume(self, name: str) -> None:
        """Judge again for a channel, with its errors forgotten."""


class SuspensionKeeper:
    """Stands between the judge, which suspends, and the store, where all daemons look.

    Parameters
    ----------
    store
        The collection.
    judge
        What skips.
    provenance
        Who we are.
    """

    def __init__(self, store: Suspensions, judge: Suspending, provenance: Provenance) -> None:
        self._store = store
        self._judge = judge
        self._provenance = provenance
        self._untold: list[Suspension] = []
        self._news = asyncio.Event()
        self.known: dict[str, Suspension] = {}
        """The suspended channels by name."""

    def on_suspend(self, channel: Channel, reason: str) -> None:
        """Take note of what the judge has done by itself; the store is told as soon as it listens."""
        suspension = suspension_of(channel, reason, self._provenance)
        self.known[channel.name] = suspension
        self._untold.append(suspension)
        self._news.set()

    async def look(self) -> None:
        """Tell the store what is new here, and follow what is new there.

        Raises
        ------
        RetryableError
            If the store does not do its part; nothing is forgotten by that.
        """
        self._news.clear()
        while self._untold:
            await self._store.suspend(self._untold[0])
            del self._untold[0]
        found = await self._store.suspended()
        untold = {suspension.channel for suspension in self._untold}  # suspended while we asked
        for name in sorted(found.keys() - self._judge.suspended):
            self._judge.suspend(name)
            told = found[name]
            log.error(
                "channel.suspended",
                channel=name,
                version=told.version,
                reason=told.reason,
                contact=told.contact,
                by=told.by,
                advice=f"ampeld channel resume {name} --replay",
            )
        for name in sorted(self._judge.suspended - found.keys() - untold):
            self._judge.resume(name)
            log.info("channel.resumed", channel=name)
        self.known = found | {name: self.known[name] for name in untold}

    async def run(self, on_trouble: Callable[[RetryableError], None]) -> None:
        """Look for ever, at once where there is news."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            try:
                await self.look()
            except RetryableError as error:
                on_trouble(error)
