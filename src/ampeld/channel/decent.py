"""The classic first filter for transients: real, round, star-free, away from asteroids and the Galactic plane."""

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.filter import Cuts, Filter

_NEEDED = (
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


class DecentFilter(Filter):
    """AMPEL's DecentFilter: the same parameters, cuts, order and strictness.

    Notes
    -----
    ``max_nbad`` is demanded and never applied, and with the default of ``min_archive_tspan`` an object's very first
    detection, whose archive span is 0, is rejected: both as in AMPEL.
    """

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
    gaia_rs: float  # radius of the search for Gaia stars [arcsec]; <= 0 does not search
    gaia_pm_signif: float  # proper motion of a star [sigma]
    gaia_plx_signif: float  # parallax of a star [sigma]
    gaia_veto_gmag_min: float  # [mag]
    gaia_veto_gmag_max: float  # [mag]
    gaia_excessnoise_sig_max: float  # [sigma]

    def prepare(self) -> None:
        """Refuse the search for Gaia stars.

        Raises
        ------
        ValueError
            If it is asked for: there is no catalogue to search in.
        """
        if self.gaia_rs > 0:
            raise ValueError("gaia_rs: no Gaia catalogue is at hand to search in; 0 or less leaves the search out")

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order."""
        yield "ndet", a.detections.count() >= self.min_ndet
        yield "tspan", a.detections.jd.span().between(self.min_tspan, self.max_tspan)
        yield "complete", _complete(a)
        yield "isdiffpos", a.isdiffpos
        yield "rb", a.rb >= self.min_rb
        yield "drb", a.drb.missing | (a.drb >= self.min_drb) | (self.min_drb <= 0)
        yield "fwhm", a.fwhm <= self.max_fwhm
        yield "elong", a.elong <= self.max_elong
        yield "magdiff", abs(a.magdiff) <= self.max_magdiff
        archive_tspan = a.jdendhist - a.jdstarthist
        inside = (self.min_archive_tspan < archive_tspan) & (archive_tspan < self.max_archive_tspan)
        yield "archive_tspan", archive_tspan.missing | inside
        yield "ssdistnr", (a.ssdistnr < 0) | (a.ssdistnr >= self.min_sso_dist)
        yield "gal_lat", abs(a.gal_lat) >= self.min_gal_lat
        yield "ps1_star", (a.distpsnr1 >= self.ps1_sgveto_rad) | (a.sgscore1 <= self.ps1_sgveto_th)
        near = _each_below((a.distpsnr1, a.distpsnr2, a.distpsnr3), self.ps1_confusion_rad)
        doubt = (abs(a.sgscore1 - 0.5), abs(a.sgscore2 - 0.5), abs(a.sgscore3 - 0.5))
        yield "ps1_confusion", ~(near & _each_below(doubt, self.ps1_confusion_sg_tol))


def _each_below(columns: tuple[Column, Column, Column], limit: float) -> Condition:
    one, two, three = columns
    return (one < limit) & (two < limit) & (three < limit)


def _complete(a: Columns) -> Condition:
    present: Condition = a.isdiffpos.present
    for name in _NEEDED:
        present = present & getattr(a, name).present
    return present
