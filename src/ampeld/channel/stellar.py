"""The opposite of DecentFilter: stars that have brightened."""

from collections.abc import Collection, Mapping

from ampeld.channel.columns import Columns
from ampeld.channel.decentcuts import DecentCuts, detection_span, height
from ampeld.channel.filter import Cuts
from ampeld.channel.gaia import COLUMNS, StarRule, stars


class StellarFilter(DecentCuts):
    """AMPEL's StellarFilter, its "IndecentFilter": detections at a star, brighter than they were some days ago.

    Notes
    -----
    The flare is the mean magnitude of the detections older than ``peak_time_limit`` less that of the newer ones, all
    bands together, as in AMPEL; an object without older ones is rejected.

    Corrected: AMPEL rejects Gaia's stars where ``require_gaia_star`` asks for them, and its ``peak_time_limit = 0``,
    which is said to leave the flare out, compares the alert with everything before it.
    As there, ``max_nbad`` is not applied.
    """

    max_ndet: int  # detections, the alert's own among them
    max_mag: float = 30.0  # PSF magnitude of the alert [mag]
    peak_time_limit: float = 10.0  # detections younger than this make up the flare [d]; 0 does not look for one
    min_peak_diff: float = 1.0  # by how much they are brighter than those before, in the mean [mag]
    max_fwhm: float = 5.5  # full width at half maximum [pix]
    max_elong: float = 1.4  # elongation: major by minor axis
    max_magdiff: float = 1.0  # aperture less PSF magnitude, either sign [mag]
    max_nbad: int = 0  # bad pixels in a 5 x 5 stamp; not applied
    min_sso_dist: float = 20.0  # to the nearest known solar system object [arcsec]
    min_gal_lat: float = -1.0  # from the Galactic plane, either side [deg]; negative allows all
    max_gal_lat: float = 999.0  # from the Galactic plane, either side [deg]
    require_ps_star: bool  # whether a star of PS1 must be there
    avoid_ps_confusion: bool = False  # whether three near sources of PS1 that are hard to tell are a veto
    ps1_sgveto_rad: float = 1.0  # a star of PS1 is nearer than this ... [arcsec]
    ps1_sgveto_th: float = 0.8  # ... with a star-galaxy score above this, 0 to 1
    ps1_confusion_rad: float = 1.0  # confusion: three PS1 sources nearer than this ... [arcsec]
    ps1_confusion_sg_tol: float = 0.1  # ... all with scores nearer to 0.5 than this
    require_gaia_star: bool  # whether a star of Gaia must be there
    gaia_rs: float = 20.0  # radius of the search for it [arcsec]
    gaia_pm_signif: float = 3.0  # proper motion of a star [sigma]
    gaia_plx_signif: float = 3.0  # parallax of a star [sigma]
    gaia_veto_gmag_min: float = 9.0  # [mag]
    gaia_veto_gmag_max: float = 20.0  # [mag]
    gaia_excessnoise_sig_max: float = 999.0  # [sigma]
    gaia_catalog: str = "gaia"  # the local catalogue's name; its columns are named as in Gaia's archive

    def prepare(self) -> None:
        """Put the rule for stars together.

        Raises
        ------
        ValueError
            If a star of Gaia is asked for and none is searched for.
        """
        super().prepare()
        if self.require_gaia_star and self.gaia_rs <= 0:
            raise ValueError("gaia_rs: a star that is required must be searched for: above 0")
        self._star = StarRule(
            pm_signif=self.gaia_pm_signif,
            plx_signif=self.gaia_plx_signif,
            gmag_min=self.gaia_veto_gmag_min,
            gmag_max=self.gaia_veto_gmag_max,
            excessnoise_sig_max=self.gaia_excessnoise_sig_max,
        )

    def catalogs(self) -> Mapping[str, Collection[str]]:
        """Return that Gaia is needed, if it is."""
        return {self.gaia_catalog: COLUMNS} if self.require_gaia_star else {}

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order."""
        yield "ndet", a.detections.count().between(self.min_ndet, self.max_ndet)
        yield "tspan", detection_span(a).between(self.min_tspan, self.max_tspan)
        yield from self.quality(a)
        yield "max_mag", a.magpsf <= self.max_mag
        if self.peak_time_limit > 0:
            points, since = a.detections, a.detections.jd - a.jd
            before = points.magpsf[since < -self.peak_time_limit].mean()
            flare = points.magpsf[since >= -self.peak_time_limit].mean()
            yield "flare", before - flare >= self.min_peak_diff
        yield from self.surroundings(a)
        yield "gal_lat", height(a).between(self.min_gal_lat, self.max_gal_lat)
        if self.require_ps_star:
            yield "ps1_star", ~self.no_ps1_star(a)
        if self.avoid_ps_confusion:
            yield "ps1_confusion", self.no_ps1_confusion(a)
        if self.require_gaia_star:
            yield "gaia_star", stars(a.near(self.gaia_catalog, self.gaia_rs), self._star).any()
