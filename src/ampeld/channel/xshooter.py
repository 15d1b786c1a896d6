"""Very new transients that can be seen from the south."""

from ampeld.channel.columns import Columns
from ampeld.channel.decent import DecentFilter
from ampeld.channel.filter import Cuts


class XShooterFilter(DecentFilter):
    """AMPEL's XShooterFilter: detected now, not detected a little earlier though looked for, and decent.

    Notes
    -----
    Corrected: where a field of the new cuts is missing, AMPEL's fails; here the alert does not pass.
    """

    max_dec: float  # declination [deg]
    det_within: float  # detected within this time before the alert ... [d], exclusive
    ul_within: float  # ... and, within this one, not detected but looked for [d], exclusive
    max_chipsf: float = 4.0  # reduced chi-square of the PSF fit
    max_seeratio: float = 2.0  # width of the difference by that of the science image
    min_sumrat: float = 0.6  # sum of the pixels by sum of their absolute values

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order, DecentFilter's last."""
        yield "max_dec", a.dec <= self.max_dec
        yield "chipsf", a.chipsf <= self.max_chipsf
        yield "seeratio", a.seeratio <= self.max_seeratio
        yield "sumrat", a.sumrat >= self.min_sumrat
        now, detected, looked = a.jd - self.det_within, a.detections.jd, a.limits.jd
        begin = a.jd - self.ul_within
        yield "detected", (detected > now).any()
        yield "limit", (looked > begin).any()
        yield "between", ~((detected <= now) & (detected > begin)).any()
        yield from super().cuts(a)
