"""A channel: a filter, whom to tell about it, and what it may see."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.flow.wanted import Wanted

OnKnown = Literal["off", "bypass", "overrule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What a channel's version must keep within on the reference night; None: no limit."""

    max_pass_fraction: float | None = None
    """Accepted alerts by alerts judged, 0 to 1."""
    max_us_per_alert: float | None = None
    """Time of the filter by alerts judged [us]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channel:
    """What a channel file says, with the filter made."""

    name: str
    filter: Filter
    contact: str
    """Whom to tell when the filter fails."""
    access: frozenset[str]
    """Of ZTF, ZTF_PUB, ZTF_PRIV; without ZTF_PRIV the partnership's own data are kept from the channel."""
    on_known: OnKnown
    """What happens to an object that the filter accepted at an earlier jd."""
    version: str
    """16 hexadecimal digits that change with the channel file and with the source of its filter."""
    path: Path
    """The channel file."""
    survey: str = "ztf"
    """Whose alerts it judges: ``ztf`` or ``lsst``."""
    limits: GateLimits = GateLimits()
    """What its gate asks of it."""
    features: tuple[Wanted, ...] = ()
    """What is to be measured of what it accepts."""
    cut_names: CutNames = field(default_factory=CutNames)
    """The names of the cuts seen so far, by their number in this process's verdicts."""
