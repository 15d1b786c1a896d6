"""Who works with the processes of the channels in force beside the judge, and is told of every change of them."""

from collections.abc import Sequence
from typing import Protocol

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.loading import Loaded


class Follower(Protocol):
    """Who is told."""

    async def follow(self, cradle: Cradle, channels: Sequence[Channel]) -> None:
        """Work with these channels from now on, and let go of the former ones when nobody needs them any more.

        Raises
        ------
        ChannelsRefusedError
            If that cannot be done: then the former channels go on, here and elsewhere.
        """

    async def load(self, loaded: Loaded) -> None:
        """Do as `follow` for channels whose code runs in this process.

        Raises
        ------
        ChannelsRefusedError
            If that cannot be done.
        """

    async def close(self) -> None:
        """Let go of all."""


class Nobody:
    """Nobody does."""

    async def follow(self, cradle: Cradle, channels: Sequence[Channel]) -> None:
        """Do nothing."""

    async def load(self, loaded: Loaded) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""
