"""Young, rising transients: an example of a filter with cuts and code of its own."""

import numpy as np

from ampeld.channel import Alert, Columns, Cuts, Filter

RISING = 1
FAST = 2
NO_LIMIT = -1
LATE = -2
FADING = -3


class Rapid(Filter):
    """Transients that were not there a few days ago and have brightened since.

    Accepted alerts come in groups: 1 rising, 2 rising fast.
    Survivors of the cuts are rejected with code -1 (no upper limit before the first detection),
    -2 (the last one is too long ago or too shallow) or -3 (not rising).
    """

    min_rb: float = 0.5  # real-bogus score, 0 to 1
    min_drb: float = 0.5  # deep-learning real-bogus score, 0 to 1
    max_fwhm: float = 5.5  # full width at half maximum [pix]
    max_elong: float = 1.4  # major by minor axis
    min_sso_dist: float = 12.0  # to the nearest known asteroid [arcsec]
    min_gal_lat: float = 10.0  # from the Galactic plane, either side [deg]
    star_radius: float = 1.5  # a star of PS1 nearer than this is a veto [arcsec]
    star_score: float = 0.8  # what is a star, 0 to 1
    max_age_days: float = 10.0  # since the first detection [d]
    max_gap_days: float = 6.0  # from the last upper limit to the first detection [d]
    min_limit: float = 19.0  # depth of that limit [mag]
    min_rise: float = 0.03  # brightening since then [mag/d]
    fast_rise: float = 0.3  # [mag/d]

    def prepare(self) -> None:
        """Look at the parameters.

        Raises
        ------
        ValueError
            If something fast would not be rising.
        """
        if self.fast_rise < self.min_rise:
            raise ValueError("fast_rise: lies below min_rise")

    def cuts(self, a: Columns) -> Cuts:
        """Yield what can be said of all alerts at once."""
        yield "positive", a.isdiffpos
        yield "real", (a.rb >= self.min_rb) & (a.drb.missing | (a.drb >= self.min_drb))
        yield "round", (a.fwhm <= self.max_fwhm) & (a.elong <= self.max_elong)
        yield "twice", a.detections.jd.span() > 0.01  # a quarter of an hour: no asteroid
        yield "asteroid", ~a.ssdistnr.between(0, self.min_sso_dist)
        yield "plane", abs(a.gal_lat) >= self.min_gal_lat
        yield "star", ~((a.distpsnr1 < self.star_radius) & (a.sgscore1 > self.star_score))
        yield "young", (a.jd - a.jdstarthist <= self.max_age_days) & (a.detections.jd.span() <= self.max_age_days)
        yield "constant", a.detections.isdiffpos.all()

    def accept(self, alert: Alert) -> int:
        """Judge the history of one alert: how long ago it was not there, and whether it has brightened since."""
        limit = alert.history.last_limit_before
        if limit is None:
            return NO_LIMIT
        if limit.age_days - alert.history.age_days > self.max_gap_days or limit.diffmaglim < self.min_limit:
            return LATE
        rise = max(self._rises(alert), default=0.0)
        if rise < self.min_rise:
            return FADING
        return FAST if rise >= self.fast_rise else RISING

    def _rises(self, alert: Alert) -> list[float]:
        """Return the brightening in each band [mag/d]: a line through its detections, or from the limit before them."""
        points = alert.detections
        rises = []
        for fid in np.unique(points.fid):
            here = points.fid == fid
            jd, mag = points.jd[here], points.magpsf[here]
            limits = [limit for limit in alert.limits if limit.fid == fid and limit.jd < jd[0]]
            if np.ptp(jd) > 0.5:
                rises.append(-float(np.polyfit(jd - jd[0], mag, 1)[0]))
            elif limits:
                rises.append((limits[-1].diffmaglim - float(mag[-1])) / float(jd[-1] - limits[-1].jd))
        return rises
