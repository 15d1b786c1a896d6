"""What each channel has cost and done since this process began, for the status page."""

import msgspec

from ampeld.channel.channel import Channel


class Cost(msgspec.Struct):
    """The sums of one channel."""

    version: str
    alerts: int = 0
    ns: int = 0
    errors: int = 0
    deaths: int = 0

    @property
    def us_per_alert(self) -> float | None:
        """Return the time of its filter by alerts judged [us]."""
        return round(self.ns / 1000 / self.alerts, 3) if self.alerts else None


class Costs:
    """The sums of all channels, by name; a new version begins anew."""

    def __init__(self) -> None:
        self.by_channel: dict[str, Cost] = {}
        self.lost = 0
        """Filter processes that were lost, to whomever."""
        self.memory_kb = 0
        """What the filter process has taken beyond what it began with [KiB]."""

    def of(self, channel: Channel) -> Cost:
        """Return the sums of a channel, to be added to."""
        cost = self.by_channel.get(channel.name)
        if cost is None or cost.version != channel.version:
            cost = self.by_channel[channel.name] = Cost(channel.version)
        return cost
