"""Transients of LSST: an example with the names that mean the same in every survey, and some of LSST's own."""

from itertools import pairwise

from ampeld.channel import Alert, Columns, Cuts, Filter

BLUE = 1
RED = 2
ONE_BAND = 3
BANDS = "ugrizy"


class LsstTransients(Filter):
    """Sources that a template does not have, seen more than once, and for not too long.

    Accepted alerts come in groups by the newest detections in two neighbouring bands: 1 where the bluer band is the
    brighter one, 2 where it is not, 3 where there are no two bands.
    """

    min_reliability: float = 0.6  # score of the real-bogus classifier, 0 to 1
    min_snr: float = 7.0  # signal-to-noise ratio of the alert
    max_mag: float = 23.0  # of the difference [mag, AB]
    min_gal_lat: float = 15.0  # from the Galactic plane, either side [deg]
    min_detections: int = 2  # positive and significant, the alert's own among them
    min_days: float = 0.02  # between the first and the last of them: half an hour rules out asteroids [d]
    max_days: float = 100.0  # what is seen for longer is a star or an active nucleus [d]
    max_apart_days: float = 2.0  # between the two bands of a colour [d]

    def cuts(self, a: Columns) -> Cuts:
        """Yield what can be said of all alerts at once."""
        yield "positive", a.flux > 0
        yield "reliable", a.reliability >= self.min_reliability
        yield "significant", a.snr >= self.min_snr
        yield "bright", a.mag <= self.max_mag
        yield "no dipole", ~a.isDipole | a.isDipole.missing  # a flag that was never looked at is no reason
        yield "no edge", ~a.pixelFlags_edge | a.pixelFlags_edge.missing
        yield "plane", abs(a.gal_lat) >= self.min_gal_lat
        good = a.detections[(a.detections.flux > 0) & (a.detections.snr >= self.min_snr)]
        yield "again", good.count() >= self.min_detections
        yield "lasting", good.jd.span().between(self.min_days, self.max_days)

    def accept(self, alert: Alert) -> int:
        """Sort by colour."""
        newest = {point.band: point for point in alert.detections if point.mag is not None}
        for blue, red in pairwise([newest[band] for band in BANDS if band in newest]):
            if abs(blue.jd - red.jd) <= self.max_apart_days:
                return BLUE if blue.mag <= red.mag else RED
        return ONE_BAND
