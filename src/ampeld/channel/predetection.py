"""Transients that began after a trigger: counterparts of gravitational waves and the like."""

from ampeld.channel.columns import Columns
from ampeld.channel.decent import DecentFilter
from ampeld.channel.filter import Cuts


class PredetectionFilter(DecentFilter):
    """AMPEL's PredetectionFilter: no detection before the trigger, and decent.

    Notes
    -----
    AMPEL's may take the time from a sky map; here it is written out.
    """

    trigger_jd: float = 0.0  # Julian date of the trigger [d]; 0 leaves DecentFilter alone

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order, DecentFilter's last."""
        yield "predetection", a.detections.jd.min() >= self.trigger_jd
        yield from super().cuts(a)
