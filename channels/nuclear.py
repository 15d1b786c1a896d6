"""Flares in the nuclei of galaxies: an example of lists selected by a condition, and of groups by colour."""

import numpy as np

from ampeld.channel import Alert, Columns, Cuts, Filter

BLUE = 1
NOT_BLUE = 2
ONE_BAND = 3
G, R = 1, 2  # ZTF's numbers of the bands
PIXEL = 1.012  # of ZTF [arcsec]


class Nuclear(Filter):
    """Galaxies whose nuclei have become brighter, and do not merely vary as active ones do.

    The numbers are those of AMPEL's search for tidal disruption events where it has them.
    Accepted alerts come in groups: 1 blue, 2 not blue, 3 seen in one band only.
    """

    min_rb: float = 0.3  # real-bogus score, 0 to 1
    min_drb: float = 0.5  # deep-learning real-bogus score, 0 to 1
    min_gal_lat: float = 5.0  # from the Galactic plane, either side [deg]
    min_sso_dist: float = 12.0  # to the nearest known asteroid [arcsec]
    max_ps1_dist: float = 1.0  # to the nearest source of PS1 [arcsec]
    max_star_score: float = 0.3  # of that source, 0: a galaxy, 1: a star
    max_brightness: float = 12.0  # sources brighter than this leave residuals [mag]
    max_limit_mag: float = 20.0  # fainter detections do not count [mag]
    min_per_band: int = 3  # detections in one band that count
    max_offset: float = 0.5  # of the flare from the nucleus in the reference image, in the median [arcsec]
    max_contrast: float = 2.5  # by how much the flare may be fainter than the nucleus [mag]
    max_archive_days: float = 200.0  # what has varied for longer is an active nucleus [d]
    max_blue: float = 0.0  # g - r of what counts as blue [mag]
    max_apart_days: float = 3.0  # between the two bands of a colour [d]

    def cuts(self, a: Columns) -> Cuts:
        """Yield what can be said of all alerts at once."""
        yield "positive", a.isdiffpos
        yield "real", (a.rb >= self.min_rb) & (a.drb.missing | (a.drb >= self.min_drb))
        yield "plane", abs(a.gal_lat) >= self.min_gal_lat
        yield "asteroid", (a.ssdistnr < 0) | (a.ssdistnr >= self.min_sso_dist)
        yield "galaxy", a.distpsnr1.between(0, self.max_ps1_dist) & (a.sgscore1 <= self.max_star_score)
        yield "faint", (a.magnr > self.max_brightness) & ~a.srmag1.between(0, self.max_brightness)
        yield "young", a.jd - a.jdstarthist <= self.max_archive_days
        yield "constant", a.detections.isdiffpos.all()
        good = a.detections[a.detections.magpsf <= self.max_limit_mag]
        in_g, in_r = good[good.fid == G].count(), good[good.fid == R].count()
        yield "often", (in_g >= self.min_per_band) | (in_r >= self.min_per_band)
        yield "offset", good.distnr.median() * PIXEL <= self.max_offset
        yield "contrast", a.magpsf - a.magnr <= self.max_contrast

    def accept(self, alert: Alert) -> int:
        """Sort by colour: the newest detections in g and r."""
        points = alert.detections
        g, r = np.flatnonzero(points.fid == G), np.flatnonzero(points.fid == R)
        if not g.size or not r.size or abs(points.jd[g[-1]] - points.jd[r[-1]]) > self.max_apart_days:
            return ONE_BAND
        return BLUE if points.magpsf[g[-1]] - points.magpsf[r[-1]] <= self.max_blue else NOT_BLUE
