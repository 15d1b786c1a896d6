"""A nursery that is there for as long as anybody uses it: loaded again where it is lost, ended with its last user."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.messages import Facts, Setup
from ampeld.daemon.isolation.nursery import AGAIN_S, Nursery, NurseryLostError, open_nursery
from ampeld.errors import InvariantError

T = TypeVar("T")

log = structlog.get_logger("ampeld.isolation")


class Cradle:
    """Where the workers of one set of channels come from, those that judge and those that measure.

    Made by `Cradle.open`; each further user calls `hold`, and every user `close`.

    Parameters
    ----------
    nursery
        With the channels loaded.
    setup
        What it was loaded from, should it have to be done again.
    """

    def __init__(self, nursery: Nursery, setup: Setup) -> None:
        self.setup = setup
        self._nursery = nursery
        self._users = 1
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, setup: Setup) -> "Cradle":
        """Load channels.

        Raises
        ------
        ChannelsRefusedError
            If one of them cannot be loaded.
        """
        return cls(await open_nursery(setup), setup)

    @property
    def facts(self) -> list[Facts]:
        """Return what the loaded channels are."""
        return self._nursery.facts

    def hold(self) -> "Cradle":
        """Be one user more."""
        self._users += 1
        return self

    async def close(self) -> None:
        """Be one user less; the last one ends it, and every worker that came from it."""
        self._users -= 1
        if not self._users:
            await self._nursery.close()

    async def take(self, take: Callable[[Nursery], Awaitable[T]]) -> T:
        """Return a worker, however often the nursery has to be replaced for that.

        Parameters
        ----------
        take
            Forks one from a nursery; raises NurseryLostError where that cannot be done.
        """
        while True:
            nursery = self._nursery
            try:
                return await take(nursery)
            except NurseryLostError as error:
                log.error("channels.nursery_lost", error=str(error))  # noqa: TRY400  the line says all
                async with self._turn:
                    if self._nursery is nursery:
                        await self._replace()

    async def _replace(self) -> None:
        """Load the same channels again, for as long as it takes: they could be loaded before."""
        await self._nursery.close()
        while True:
            if not self._users:
                raise InvariantError("a worker is wanted of channels that nobody uses any more")
            try:
                self._nursery = await open_nursery(self.setup)
            except ChannelsRefusedError as error:
                log.error("channels.not_loaded_again", problems=error.problems, again_in_s=AGAIN_S)  # noqa: TRY400
                await asyncio.sleep(AGAIN_S)
            else:
                return
