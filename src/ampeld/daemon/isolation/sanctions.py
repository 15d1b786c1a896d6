"""Errors and what follows from them: a channel that has spent its budget is suspended until it is resumed."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from ampeld.channel.channel import Channel
from ampeld.daemon.isolation.budget import WINDOW_S, Budget
from ampeld.daemon.isolation.costs import Costs
from ampeld.daemon.isolation.follower import Follower, Nobody

log = structlog.get_logger("ampeld.isolation")


def _nobody(_channel: Channel, _reason: str) -> None:
    """Hear nothing."""


class Sanctions:
    """Who may judge.

    Parameters
    ----------
    budget
        Counts the errors.
    """

    def __init__(self, budget: Budget) -> None:
        self.suspended: set[str] = set()
        """The channels whose alerts are skipped."""
        self.on_suspend: Callable[[Channel, str], None] = _nobody
        """Told of each channel that is suspended for its errors, and why."""
        self._budget = budget

    def charge(self, channel: Channel, errors: int, error: str) -> None:
        """Count errors of a channel's code, and suspend it when its budget is spent."""
        log.warning(
            "channel.errors",
            channel=channel.name,
            version=channel.version,
            contact=channel.contact,
            errors=errors,
            last=error,
        )
        if self._budget.charge(channel.name, errors):
            self._punish(channel, error)

    def charge_death(self, channel: Channel, error: str) -> None:
        """Count a filter process that was lost to a channel, and suspend it when its budget is spent."""
        log.error(
            "channel.process_lost",
            channel=channel.name,
            version=channel.version,
            contact=channel.contact,
            error=error,
        )
        if self._budget.charge_death(channel.name):
            self._punish(channel, error)

    def suspend(self, name: str) -> None:
        """Skip a channel's alerts from the next batch on."""
        self.suspended.add(name)

    def resume(self, name: str) -> None:
        """Judge again for a channel, with its errors forgotten."""
        self.suspended.discard(name)
        self._budget.forgive(name)

    def _punish(self, channel: Channel, error: str) -> None:
        if channel.name in self.suspended:
            return
        self.suspended.add(channel.name)
        spent = self._budget.spent(channel.name)
        reason = f"{spent} errors within {WINDOW_S / 60:g} minutes; the last one: {error}"
        log.error(
            "channel.suspended",
            channel=channel.name,
            version=channel.version,
            contact=channel.contact,
            reason=reason,
            meaning="its alerts are skipped until it is resumed",
            advice=f"ampeld channel resume {channel.name} --replay",
        )
        self.on_suspend(channel, reason)


def tell_suspicious(channels: Sequence[Channel], suspicious: Mapping[str, str]) -> None:
    """Log which filters fail on an empty batch."""
    for channel in channels:
        if channel.name in suspicious:
            error = suspicious[channel.name]
            log.warning("channel.suspicious", channel=channel.name, contact=channel.contact, on_empty_batch=error)


class Sanctioning:
    """What a judge has beside its way of judging: books, sanctions, and who works with the channels too.

    Parameters
    ----------
    error_budget
        Errors that suspend a channel.
    """

    def __init__(self, error_budget: int) -> None:
        self.costs = Costs()
        self.sanctions = Sanctions(Budget(error_budget))
        self.follower: Follower = Nobody()
        """Who works with the channels, or with their processes, too."""

    @property
    def suspended(self) -> set[str]:
        """Return the channels whose alerts are skipped."""
        return self.sanctions.suspended

    def suspend(self, name: str) -> None:
        """Skip a channel's alerts from the next batch on."""
        self.sanctions.suspend(name)

    def resume(self, name: str) -> None:
        """Judge again for a channel, with its errors forgotten."""
        self.sanctions.resume(name)
