"""Whether an object is fit to be reported to the Transient Name Server, and what its report would hold."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from ampeld.feature.body import UNDEFINED
from ampeld.feature.light_curve import LightCurve
from ampeld.feature.point_filter import PointFilters, check_filters
from ampeld.feature.unit import Dependency, Input, Measured, StateUnit, Value
from ampeld.feature.units.catalogmatch import CatalogSearch
from ampeld.feature.units.eval_catalogs import match_in, number_in
from ampeld.feature.units.eval_cuts import CUTS, Cuts
from ampeld.feature.units.eval_points import (
    ABOVE_LIMIT,
    PUBLIC,
    READS,
    SHARP,
    choose,
    galactic_latitude,
    latest_limit,
    median_of,
    nearest_known_mover,
    star_score,
)
from ampeld.feature.units.eval_tns import at_report

POOR: Final = "Poor lightcurve."
CATALOG: Final = "Catalog match rejection."
GOOD: Final = "Good"

_FAST_RISE_D: Final = 3.5
_FAST_RISE_MAG: Final = 3.0
_STAR_CLASSES: Final = {"SDSSDR10": ("type", 6), "LAMOSTDr4": ("class", "STAR")}
"""By catalogue: the column and its value that mean a star."""


class TNSEval(StateUnit):
    """Say whether the light curve and the catalogues allow a report to TNS, with every cut's value; AMPEL's T2TNSEval.

    Parameters
    ----------
    catalogs
        The catalogues that are searched, as `CatalogMatch` takes them; empty: none is, and nothing is near.
    max_maglim
        Depth from which an upper limit counts [mag].
    nphot_submit
        Points in the report.
    needed_catalogs, require_catalogmatch
        Catalogues that must have a match; whether any must have been searched.
    max_redshift, min_redshift
        Limits of the redshift in NEDz and SDSS_spec.
    start_dist
        A star of SDSSDR10, LAMOSTDr4 or AAVSOVSX within this rejects [arcsec].
    max_gaia_neighbour_gmag
        A source of GAIADR2 brighter than this rejects [mag].
    min_ndet, min_ndet_postul
        Detections in all, and since the latest limit that counts.
    max_age, min_age
        Limits of the time from first to last detection [d].
    min_peak_mag, max_peak_mag
        The brightest detection lies between the second and the first [mag].
    min_n_filters
        Bands with a detection.
    min_gal_lat
        Least distance from the Galactic plane [deg].
    ssdistnr_max
        A known solar-system object within this rejects [arcsec].
    ps1_sgveto_rad
        A Pan-STARRS source within this rejects if it is like a star [arcsec].
    ps1_sgveto_sgth
        It is, with a star score above this, 0 to 1.
    rb_minmed, drb_minmed
        Least medians of ``rb``, and of ``drb`` if any point has it.
    cut_fastrise
        Whether a rise of 3 mag within 3.5 d of the limit rejects (a dwarf nova).
    require_lowerthanlim
        Whether points fainter than their own image's limit are left out.
    lc_filters
        Which detections are looked at.
    nuclear_dist
        A galaxy of SDSSDR10 within this makes the report "nuclear" [arcsec]; negative: never.
    max_gaia_noise
        Excess noise of Gaia above which a remark is made.
    ztf_tns_at
        What every point of the report carries.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2TNSEval.

    AMPEL: a limit behind the last detection makes the number of detections since then 0; here: only limits before the
    last detection count. AMPEL: ``sgscore1`` or ``distpsnr1`` of exactly 0 counts as missing; here: it is a value.
    AMPEL: raises on a point without ``rb`` and, with ``min_ndet_postul = 0``, on a light curve without points since the
    limit; here: a cut that fails, or passes. AMPEL: the mean of ra breaks at 0/360 deg; here: of directions.
    """

    reads: ClassVar[tuple[str, ...]] = READS
    values: ClassVar[tuple[Value, ...]] = (
        Value("tns_candidate", "", "whether all cuts pass", "flag"),
        Value("tns_eval", "", "Good, or which group of cuts fails first: the light curve or the catalogues", "text"),
        Value("atdict", "", "the report in TNS's keys, without the name; if all cuts pass", "table"),
        CUTS,
    )

    catalogs: dict[str, CatalogSearch] = {}  # noqa: RUF012  a parameter's default, never written to
    max_maglim: float = 19.5
    nphot_submit: int = 2
    needed_catalogs: tuple[str, ...] = ()
    require_catalogmatch: bool = False
    max_redshift: float = 1.15
    min_redshift: float = 0.0
    start_dist: float = 1.5
    max_gaia_neighbour_gmag: float = 11.0
    min_ndet: int = 2
    min_ndet_postul: int = 2
    max_age: float = 50.0
    min_age: float = 0.0
    min_peak_mag: float = 19.5
    max_peak_mag: float = 13.0
    min_n_filters: int = 1
    min_gal_lat: float = 14.0
    ssdistnr_max: float = 1.0
    ps1_sgveto_rad: float = 1.0
    ps1_sgveto_sgth: float = 0.8
    rb_minmed: float = 0.3
    drb_minmed: float = 0.95
    cut_fastrise: bool = True
    require_lowerthanlim: bool = True
    lc_filters: PointFilters = (SHARP, PUBLIC, ABOVE_LIMIT)
    nuclear_dist: float = -1.0
    max_gaia_noise: float = 2.0
    ztf_tns_at: dict[str, str] = {  # noqa: RUF012  as above
        "flux_units": "1",
        "instrument_value": "196",
        "exptime": "30",
        "Observer": "Robot",
    }

    def prepare(self) -> None:
        """Refuse filters on unknown fields, and a needed catalogue that is not searched."""
        check_filters("lc_filters", self.lc_filters, self.reads)
        if self.catalogs and (missing := set(self.needed_catalogs) - set(self.catalogs)):
            raise ValueError(f"needed_catalogs: {', '.join(sorted(missing))} is not among the catalogs")

    def dependencies(self) -> tuple[Dependency, ...]:
        """Build upon the catalogue match."""
        return (Dependency("CatalogMatch", {"catalogs": msgspec.to_builtins(self.catalogs)}),)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Make every cut; the verdict is that of the first that fails."""
        matches = (inputs[0] if inputs else None) or {}
        chosen = choose(light_curve, self.lc_filters)
        cuts, catalog_cuts = self._light_curve_cuts(light_curve, chosen), self._catalog_cuts(matches)
        verdict = GOOD if cuts.passed and catalog_cuts.passed else CATALOG if cuts.passed else POOR
        body = {"tns_candidate": verdict == GOOD, "tns_eval": verdict, "cuts": cuts.rows + catalog_cuts.rows}
        return body | ({"atdict": at_report(self, light_curve, chosen, matches)} if verdict == GOOD else {})

    def _light_curve_cuts(self, light_curve: LightCurve, chosen: LightCurve) -> Cuts:
        cuts = Cuts()
        cuts.least("points", len(chosen), 1)
        position = chosen.position()
        # The position is of all chosen points, everything else of those brighter than their limit.
        points = chosen.select(chosen.mag < chosen.limit) if self.require_lowerthanlim else chosen
        some = len(points) > 0
        cuts.least("ndet", len(points), self.min_ndet)
        cuts.least("n_filters", len(set(points.band)), self.min_n_filters)
        cuts.within("peak_mag", float(points.mag.min()) if some else None, self.max_peak_mag, self.min_peak_mag)
        cuts.within("age", float(points.jd[-1] - points.jd[0]) if some else None, self.min_age, self.max_age)
        cuts.least("gal_lat", abs(galactic_latitude(*position)) if position else None, self.min_gal_lat)
        self._limit_cuts(cuts, light_curve, points)
        distance = nearest_known_mover(points)
        cuts.add("ssdistnr", distance, self.ssdistnr_max, passed=distance is None or distance >= self.ssdistnr_max)
        known, score = star_score(light_curve.detections, self.ps1_sgveto_rad)
        cuts.least("ps1_data", known, 1)
        cuts.most("ps1_sgscore", score, self.ps1_sgveto_sgth, missing=True)
        cuts.least("rb", median_of(points, "rb"), self.rb_minmed, missing=self.rb_minmed <= 0)
        cuts.least("drb", median_of(points, "drb"), self.drb_minmed, missing=True)
        return cuts

    def _limit_cuts(self, cuts: Cuts, light_curve: LightCurve, points: LightCurve) -> None:
        limit = latest_limit(light_curve, self.max_maglim, points.jd[-1]) if len(points) else None
        if limit is None:
            cuts.least("ndet_postul", None, self.min_ndet_postul, missing=True)
            if self.cut_fastrise:
                cuts.most("fastrise", None, _FAST_RISE_MAG, missing=True)
            return
        after = points.select(points.jd >= limit.jd[0])
        cuts.least("ndet_postul", len(after), self.min_ndet_postul)
        if self.cut_fastrise:
            # Only a limit right before the very first detection says how fast the rise was.
            first = after.jd[0] == points.jd[0] and after.jd[0] - limit.jd[0] < _FAST_RISE_D
            cuts.most("fastrise", float(limit.limit[0] - after.mag[0]) if first else None, _FAST_RISE_MAG, missing=True)

    def _catalog_cuts(self, matches: Mapping[str, Any]) -> Cuts:
        cuts = Cuts()
        if self.require_catalogmatch:
            cuts.least("catalogs", len(matches.keys() - {UNDEFINED}), 1)
        for name in self.needed_catalogs:
            found = match_in(matches, name)
            cuts.add(f"needed_{name}", number_in(found, "dist2transient"), name, passed=found is not None)
        for name in ("NEDz", "SDSS_spec"):
            redshift = number_in(match_in(matches, name), "z")
            cuts.between(f"redshift_{name}", redshift, self.min_redshift, self.max_redshift, missing=True)
        for name, (column, star) in _STAR_CLASSES.items():
            found = match_in(matches, name)
            self._no_star(cuts, name, found if found and found.get(column) == star else None)
        self._no_star(cuts, "AAVSOVSX", match_in(matches, "AAVSOVSX"))
        gaia = number_in(match_in(matches, "GAIADR2"), "Mag_G")
        bright = gaia is not None and 0 < gaia < self.max_gaia_neighbour_gmag
        cuts.add("gaia_gmag", gaia, self.max_gaia_neighbour_gmag, passed=not bright)
        return cuts

    def _no_star(self, cuts: Cuts, catalog: str, star: Mapping[str, Any] | None) -> None:
        distance = number_in(star, "dist2transient")
        cuts.least(f"star_{catalog}", distance, self.start_dist, missing=True)
