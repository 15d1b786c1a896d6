"""A judge that runs nothing: it says which channels are in force, and refuses those that a test names."""

from collections.abc import Sequence

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError, load_each
from ampeld.daemon.files import ChannelFiles


class FakeJudge:
    """What the reloader and the keeper of suspensions ask of a judge."""

    def __init__(self) -> None:
        self.channels: tuple[Channel, ...] = ()
        self.swaps: list[list[str]] = []
        self.suspended: set[str] = set()
        self.resumed: list[str] = []

    async def swap(self, files: Sequence[ChannelFiles]) -> None:
        channels, problems = load_each(files)
        if problems:
            raise ChannelsRefusedError(problems)
        self.channels = tuple(channels)
        self.swaps.append([f"{channel.name}@{channel.version}" for channel in channels])

    def suspend(self, name: str) -> None:
        self.suspended.add(name)

    def resume(self, name: str) -> None:
        self.suspended.discard(name)
        self.resumed.append(name)
