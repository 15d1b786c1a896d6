"""The cuts that AMPEL's filters for transients share, so that each is written, and evaluated, once."""

from typing import Any

import numpy as np

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.filter import Cuts, Filter
from ampeld.channel.sharing import all_present, shared

NEEDED = (
    "fwhm",
    "elong",
    "magdiff",
    "nbad",
    "distpsnr1",
    "sgscore1",
    "distpsnr2",
    "sgscore2",
    "distpsnr3",
    "sgscore3",
    "isdiffpos",
    "ra",
    "dec",
    "rb",
    "ssdistnr",
)


class DecentCuts(Filter):
    """Detections over a time, real and round, away from asteroids, the Galactic plane and the stars of PS1."""

    min_ndet: int  # detections, the alert's own among them
    min_tspan: float  # between first and last detection of the alert's history [d]
    max_tspan: float  # [d]
    min_archive_tspan: float = 0.0  # between first and last detection in the survey's archive [d], exclusive
    max_archive_tspan: float = 1e5  # [d], exclusive
    min_rb: float  # real-bogus score, 0 to 1
    min_drb: float = 0.0  # deep-learning real-bogus score, 0 to 1; 0 does not look at it
    max_fwhm: float  # full width at half maximum [pix]
    max_elong: float  # elongation: major by minor axis
    max_magdiff: float  # aperture less PSF magnitude, either sign [mag]
    max_nbad: int  # bad pixels in a 5 x 5 stamp; not applied
    min_sso_dist: float  # to the nearest known solar system object [arcsec]
    min_gal_lat: float  # from the Galactic plane, either side [deg]; negative allows all
    ps1_sgveto_rad: float  # a star of PS1 nearer than this ... [arcsec]
    ps1_sgveto_th: float  # ... with a star-galaxy score above this is a veto, 0 to 1
    ps1_confusion_rad: float  # three PS1 sources nearer than this ... [arcsec]
    ps1_confusion_sg_tol: float  # ... all with scores nearer to 0.5 than this are a veto

    def prepare(self) -> None:
        """Decide what is looked at."""
        self._scored = self.min_drb > 0

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order."""
        yield "ndet", a.detections.count() >= self.min_ndet
        yield "tspan", detection_span(a).between(self.min_tspan, self.max_tspan)
        yield "complete", complete(a)
        yield from self.quality(a)
        yield from self.surroundings(a)
        yield "gal_lat", height(a) >= self.min_gal_lat
        yield "ps1_star", self.no_ps1_star(a)
        yield "ps1_confusion", self.no_ps1_confusion(a)

    def quality(self, a: Columns) -> Cuts:
        """Yield what the difference image and the archive say of the detection."""
        yield "isdiffpos", a.isdiffpos
        yield "rb", a.rb >= self.min_rb
        yield "drb", a.drb.missing | ((a.drb >= self.min_drb) if self._scored else a.drb.present)
        yield "fwhm", a.fwhm <= self.max_fwhm
        yield "elong", a.elong <= self.max_elong
        yield "magdiff", size_of_magdiff(a) <= self.max_magdiff
        span = archive_tspan(a)
        inside = (span > self.min_archive_tspan) & (span < self.max_archive_tspan)
        yield "archive_tspan", span.missing | inside

    def surroundings(self, a: Columns) -> Cuts:
        """Yield that no asteroid is known here."""
        yield "ssdistnr", (a.ssdistnr < 0) | (a.ssdistnr >= self.min_sso_dist)

    def no_ps1_star(self, a: Columns) -> Condition:
        """Return where the nearest source of PS1 is far away or no star."""
        return (a.distpsnr1 >= self.ps1_sgveto_rad) | (a.sgscore1 <= self.ps1_sgveto_th)

    def no_ps1_confusion(self, a: Columns) -> Condition:
        """Return where the three sources of PS1 are not all near, or one of them is clearly a star or a galaxy."""
        return (farthest_ps1(a) >= self.ps1_confusion_rad) | (clearest_ps1(a) >= self.ps1_confusion_sg_tol)


@shared
def complete(a: Columns) -> Condition:
    """Return for which alerts all is there that the cuts look at."""
    return all_present(a, *NEEDED)


@shared
def detection_span(a: Columns) -> Column:
    """Return the time between the first and the last detection that the alert brings [d]."""
    return a.detections.jd.span()


@shared
def archive_tspan(a: Columns) -> Column:
    """Return the time between the first and the last detection in the survey's archive [d]."""
    return a.jdendhist - a.jdstarthist


@shared
def size_of_magdiff(a: Columns) -> Column:
    """Return the difference of aperture and PSF magnitude without its sign [mag]."""
    return abs(a.magdiff)


@shared
def height(a: Columns) -> Column:
    """Return the distance from the Galactic plane [deg]."""
    return abs(a.gal_lat)


@shared
def farthest_ps1(a: Columns) -> Column:
    """Return the distance of the farthest of the three nearest PS1 sources [arcsec]."""
    return _greatest(a.distpsnr1, a.distpsnr2, a.distpsnr3)


@shared
def clearest_ps1(a: Columns) -> Column:
    """Return how far from 0.5 the star-galaxy score is of that of the three PS1 sources which is clearest."""
    return _greatest(abs(a.sgscore1 - 0.5), abs(a.sgscore2 - 0.5), abs(a.sgscore3 - 0.5))


def _greatest(one: Column, two: Column, three: Column) -> Column:
    greatest: Any = np.maximum(np.maximum(one, two), three)  # numpy does not know that columns come of columns
    return greatest  # type: ignore[no-any-return]
