"""DecentFilter for those who have no catalogue and want to begin at once: every parameter has a default."""

from typing import ClassVar

from ampeld.channel.decentcuts import DecentCuts


class SimpleDecentFilter(DecentCuts):
    """AMPEL's SimpleDecentFilter: DecentFilter's cuts but for Gaia, in the same order, with its defaults.

    Notes
    -----
    Corrected: AMPEL lets a deep-learning score of exactly 0 through whatever ``min_drb`` is.
    As there, ``max_nbad`` is not applied.
    """

    in_families: ClassVar[bool] = True

    min_ndet: int = 2  # detections, the alert's own among them
    min_tspan: float = 0.02  # between first and last detection of the alert's history [d]
    max_tspan: float = 25.0  # [d]
    min_archive_tspan: float = 0.0  # between first and last detection in the survey's archive [d], exclusive
    max_archive_tspan: float = 1e5  # [d], exclusive
    min_rb: float = 0.3  # real-bogus score, 0 to 1
    min_drb: float = 0.0  # deep-learning real-bogus score, 0 to 1; 0 does not look at it
    max_fwhm: float = 5.0  # full width at half maximum [pix]
    max_elong: float = 1.4  # elongation: major by minor axis
    max_magdiff: float = 0.4  # aperture less PSF magnitude, either sign [mag]
    max_nbad: int = 0  # bad pixels in a 5 x 5 stamp; not applied
    min_sso_dist: float = 20.0  # to the nearest known solar system object [arcsec]
    min_gal_lat: float = 0.0  # from the Galactic plane, either side [deg]; negative allows all
    ps1_sgveto_rad: float = 2.0  # a star of PS1 nearer than this ... [arcsec]
    ps1_sgveto_th: float = 0.8  # ... with a star-galaxy score above this is a veto, 0 to 1
    ps1_confusion_rad: float = 1.0  # three PS1 sources nearer than this ... [arcsec]
    ps1_confusion_sg_tol: float = 0.5  # ... all with scores nearer to 0.5 than this are a veto
