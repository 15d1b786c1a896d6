"""Bright transients whose spectra are all to be taken: ZTF's sample for the completeness of redshifts."""

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.decentcuts import NEEDED, archive_tspan, height
from ampeld.channel.filter import Cuts, Filter
from ampeld.channel.rcfrules import bright_star, not_real, star_under, unless, variable_star
from ampeld.channel.sharing import all_present, shared


class RcfFilter(Filter):
    """AMPEL's RcfFilter, with its rejection codes: each is the number in the name of its cut.

    Notes
    -----
    The rules for what lies beneath, residuals of bright stars and variables (cuts -9 to -12) are fixed, see
    `ampeld.channel.rcfrules`. A magnitude or distance that is missing there speaks for no rule; AMPEL's fails on it.

    Corrected: AMPEL counts upper limits among ``min_ndet``, and never looks at ``min_rb`` and ``min_drb``; here these
    belong to the cut -10.
    """

    min_ndet: int = 1  # detections, the alert's own among them
    min_dist_to_sso: float  # to the nearest known solar system object [arcsec]
    min_gal_lat: float  # from the Galactic plane, either side [deg]; negative allows all
    min_age: float  # since the first detection in the survey's archive [d]
    max_ipac_age: float  # between first and last detection in the archive [d]; 0 or less does not look at it
    max_magpsf: float  # PSF magnitude [mag]
    min_rb: float = 0.0  # real-bogus score, 0 to 1
    min_drb: float = 0.0  # deep-learning real-bogus score, 0 to 1

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order."""
        yield "min_ndet (-1)", a.detections.count() >= self.min_ndet
        yield "has_keys (-2)", _complete(a)
        yield "isdiffpos (-3)", a.isdiffpos
        yield "max_magpsf (-4)", a.magpsf <= self.max_magpsf
        yield "min_gal_lat (-5)", height(a) >= self.min_gal_lat
        yield "min_ssdistnr (-6)", (a.ssdistnr < 0) | (a.ssdistnr >= self.min_dist_to_sso)
        yield "min_age (-7)", a.jd - a.jdstarthist >= self.min_age
        if self.max_ipac_age > 0:
            span = archive_tspan(a)
            yield "max_ipac_age (-8)", span.missing | (span <= self.max_ipac_age)
        yield "star_under (-9)", unless(star_under(a), "free", a.sgscore1, a.distpsnr1, a.srmag1)
        real = unless(not_real(a), "real", a.rb, a.drb, a.distpsnr1)
        yield "is_not_real (-10)", real & (a.rb >= self.min_rb) & (a.drb >= self.min_drb)
        undisturbed = unless(bright_star(a), "undisturbed", a.neargaiabright, a.maggaiabright, a.distpsnr1)
        yield "is_bright_star (-11)", undisturbed
        variable = variable_star(a, self.max_magpsf)
        yield "is_variable_star (-12)", unless(variable, "new", a.magnr, a.distnr, a.neargaia, a.maggaia)


@shared
def _complete(a: Columns) -> Condition:
    return all_present(a, *NEEDED, "drb", "jdstarthist")
