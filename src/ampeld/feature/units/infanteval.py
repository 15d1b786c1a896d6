"""Whether an object may be an infant transient in a nearby galaxy."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.point_filter import PointFilters, check_filters
from ampeld.feature.reasons import NO_ERROR, NO_FIELD, NO_LIMIT
from ampeld.feature.unit import Dependency, Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.catalogmatch import CatalogSearch
from ampeld.feature.units.eval_catalogs import is_known_agn, match_in, number_in
from ampeld.feature.units.eval_cosmology import MOST_REDSHIFT, distance_modulus, load_cosmology, projected_distance
from ampeld.feature.units.eval_cuts import CUTS, Cuts
from ampeld.feature.units.eval_points import (
    ABOVE_LIMIT,
    READS,
    SHARP,
    choose,
    galactic_latitude,
    latest_limit,
    median_of,
    nearest_known_mover,
    or_undefined,
    star_score,
)

POOR: Final = "LC fail selection."
NO_RESULT: Final = "No catalog match result"
NO_REDSHIFT_IN_RANGE: Final = "No cat match in z-range."
ABSMAG: Final = "Absmag"
GOOD: Final = "Pass"


class InfantEval(StateUnit):
    """Say whether a young light curve lies near a galaxy of known redshift, and why; AMPEL's T2InfantCatalogEval.

    Parameters
    ----------
    catalogs
        The catalogues that are searched, as `CatalogMatch` takes them; empty: none is, and nothing passes.
    redshift_catalogs
        Those whose ``z`` is a host's.
    max_redshift, min_redshift
        Limits of that redshift.
    max_absmag, min_absmag
        Limits of the absolute magnitude at the brightest [mag].
    min_dist, max_dist
        Limits of the distance to the host's centre [arcsec].
    max_kpc_dist
        Most projected distance to it [kpc]; 0 or less: any.
    min_ndet, min_ndet_postul
        Detections in all, and since the latest limit that counts.
    max_age, min_age
        Limits of the time from first to last detection [d].
    min_peak_mag, max_peak_mag
        The brightest detection lies between the second and the first [mag].
    min_n_filters, det_filterids
        Bands with a detection; one must be among these (1 g, 2 r, 3 i).
    min_gal_lat
        Least distance from the Galactic plane [deg].
    ssdistnr_max
        A known solar-system object within this rejects [arcsec].
    ps1_sgveto_rad
        A Pan-STARRS source within this rejects if it is like a star [arcsec].
    ps1_sgveto_sgth
        It is, with a star score above this, 0 to 1.
    rb_minmed, drb_minmed
        Least medians of ``rb`` and ``drb``.
    min_magpull
        Least sum over the detections of (limit - magnitude) / error.
    maglim_min
        An upper limit must exist that is at least so deep [mag].
    maglim_maxago
        How long before the last detection it may lie at most [d].
    lc_filters
        Which detections are looked at.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2InfantCatalogEval.

    AMPEL: the latest limit may lie behind the last detection, ``last_UL`` is negative then; here: only limits before
    it count. AMPEL: raises where two points share the last time; here: the brighter is ``latest_mag``. AMPEL: ``drb``
    is NaN where no point has it; here: it is missing. AMPEL: takes redshifts from closest matches only; here: of all
    matches, the nearest's. Distances are of Planck15.
    """

    reads: ClassVar[tuple[str, ...]] = READS
    values: ClassVar[tuple[Value, ...]] = (
        Value("action", "", "whether all cuts pass", "flag"),
        Value("eval", "", "Pass, or which group of cuts fails first", "text"),
        Value("{catalog}_z", "", "redshift of the host in a catalogue"),
        Value("{catalog}_dist2transient", "arcsec", "distance to the host's centre"),
        Value("{catalog}_kpcdist", "kpc", "projected distance to the host's centre"),
        Value("zs", "", "the redshifts, each in a list of its own as AMPEL has them", "list"),
        Value("milliAGN", "", "present and true if Milliquas holds it with a redshift", "flag"),
        Value("sdssAGN", "", "present and true if SDSS calls the host's lines active", "flag"),
        Value("ra", "deg", "mean right ascension of the detections"),
        Value("dec", "deg", "mean declination of the detections"),
        Value("detections", "", "how many detections pass the filters", "integer"),
        Value("t_max", "d", "julian date of the last detection"),
        Value("t_min", "d", "julian date of the first detection"),
        Value("age", "d", "from the first to the last detection"),
        Value("mag_pull", "", "sum over the detections of (limit - magnitude) / error"),
        Value("last_UL", "d", "from the latest limit that counts to the last detection"),
        Value("peak_mag", "mag", "brightest magnitude"),
        Value("latest_mag", "mag", "magnitude at the last detection's time"),
        Value("rb", "", "median of rb"),
        Value("drb", "", "median of drb"),
        Value("absmag", "mag", "absolute magnitude at the brightest, of the mean redshift"),
        CUTS,
    )

    catalogs: dict[str, CatalogSearch] = {}  # noqa: RUF012  a parameter's default, never written to
    redshift_catalogs: tuple[str, ...] = ("SDSS_spec", "NEDz", "GLADEv23", "NEDz_extcats", "NEDLVS")
    max_redshift: float = 0.05
    min_redshift: float = 0.001
    max_absmag: float = -12.0
    min_absmag: float = -20.0
    min_dist: float = 1.5
    max_dist: float = 50.0
    max_kpc_dist: float = 20.0
    min_ndet: int = 1
    min_ndet_postul: int = 0
    max_age: float = 3.0
    min_age: float = 0.0
    min_peak_mag: float = 20.0
    max_peak_mag: float = 14.0
    min_n_filters: int = 1
    det_filterids: tuple[int, ...] = (1, 2, 3)
    min_gal_lat: float = 14.0
    ssdistnr_max: float = 1.0
    ps1_sgveto_rad: float = 1.0
    ps1_sgveto_sgth: float = 0.8
    rb_minmed: float = 0.3
    drb_minmed: float = 0.995
    min_magpull: float = 0.0
    maglim_min: float = 19.5
    maglim_maxago: float = 2.5
    lc_filters: PointFilters = (SHARP, ABOVE_LIMIT)

    def prepare(self) -> None:
        """Refuse filters on unknown fields."""
        check_filters("lc_filters", self.lc_filters, self.reads)

    def dependencies(self) -> tuple[Dependency, ...]:
        """Build upon the catalogue match."""
        return (Dependency("CatalogMatch", {"catalogs": msgspec.to_builtins(self.catalogs)}),)

    def open(self, resources: Resources) -> None:  # noqa: ARG002  it needs none
        """Load the cosmology."""
        load_cosmology()

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Make every cut; the verdict is that of the first that fails."""
        matches = inputs[0] if inputs else None
        points = choose(light_curve, self.lc_filters)
        limit = latest_limit(light_curve, self.maglim_min, points.jd[-1]) if len(points) else None
        found = self._describe(light_curve, points, limit)
        hosts, host_cuts = self._hosts(matches)
        cuts = self._light_curve_cuts(light_curve, points, found)
        after = None if limit is None else int((points.jd >= limit.jd[0]).sum())
        cuts.least("ndet_postul", after, self.min_ndet_postul)
        absmag_cuts = Cuts()
        absmag = None
        if hosts and found and (redshift := float(np.mean([z for (z,) in hosts["zs"]]))) > 0:
            absmag = found["peak_mag"] - distance_modulus(redshift)
            hosts["absmag"] = absmag
        absmag_cuts.between("absmag", absmag, self.min_absmag, self.max_absmag)
        rows = {"cuts": cuts.rows + host_cuts.rows + absmag_cuts.rows}
        if not cuts.passed:
            return {"action": False, "eval": POOR} | rows
        verdict = GOOD if absmag_cuts.passed else ABSMAG
        if not hosts:
            verdict = NO_REDSHIFT_IN_RANGE if matches else NO_RESULT
        return {"action": verdict == GOOD, "eval": verdict} | found | hosts | rows

    @staticmethod
    def _describe(light_curve: LightCurve, points: LightCurve, limit: LightCurve | None) -> dict[str, Any]:
        """Return what is told of the light curve; empty without points."""
        if not len(points):
            return {}
        position = points.position()
        last = light_curve.detections.select(light_curve.detections.jd == points.jd[-1])
        return {
            "ra": position[0] if position else Undefined(NO_FIELD, "no point has ra and dec"),
            "dec": position[1] if position else Undefined(NO_FIELD, "no point has ra and dec"),
            "detections": len(points),
            "t_max": float(points.jd[-1]),
            "t_min": float(points.jd[0]),
            "age": float(points.jd[-1] - points.jd[0]),
            "mag_pull": or_undefined(_pull(points), NO_ERROR),
            "last_UL": or_undefined(None if limit is None else float(points.jd[-1] - limit.jd[0]), NO_LIMIT),
            "peak_mag": float(points.mag.min()),
            "latest_mag": float(np.nanmin(last.mag)),
            "rb": or_undefined(median_of(points, "rb"), NO_FIELD, "no point has rb"),
            "drb": or_undefined(median_of(points, "drb"), NO_FIELD, "no point has drb"),
        }

    def _light_curve_cuts(self, light_curve: LightCurve, points: LightCurve, found: Mapping[str, Any]) -> Cuts:
        told = {name: None if isinstance(value, Undefined) else value for name, value in found.items()}
        cuts = Cuts()
        cuts.add("position", None, "ra and dec", passed=told.get("ra") is not None)
        cuts.least("ndet", len(points), self.min_ndet)
        cuts.within("age", told.get("age"), self.min_age, self.max_age)
        cuts.least("mag_pull", told.get("mag_pull"), self.min_magpull)
        cuts.most("last_UL", told.get("last_UL"), self.maglim_maxago)
        cuts.least("n_filters", len(set(points.band)), self.min_n_filters)
        bands = sorted({int(number) for number in points.column("fid") if np.isfinite(number)})
        wanted = not set(bands).isdisjoint(self.det_filterids)
        cuts.add("det_filterids", bands, list(self.det_filterids), passed=wanted)
        cuts.within("peak_mag", told.get("peak_mag"), self.max_peak_mag, self.min_peak_mag)
        ra, dec = told.get("ra"), told.get("dec")
        latitude = None if ra is None or dec is None else abs(galactic_latitude(ra, dec))
        cuts.least("gal_lat", latitude, self.min_gal_lat)
        distance = nearest_known_mover(points)
        cuts.add("ssdistnr", distance, self.ssdistnr_max, passed=distance is None or distance >= self.ssdistnr_max)
        _, score = star_score(light_curve.detections, self.ps1_sgveto_rad)
        cuts.most("ps1_sgscore", score, self.ps1_sgveto_sgth, missing=True)
        cuts.least("rb", told.get("rb"), self.rb_minmed, missing=self.rb_minmed <= 0)
        cuts.least("drb", told.get("drb"), self.drb_minmed, missing=self.drb_minmed <= 0)
        return cuts

    def _hosts(self, matches: Input) -> tuple[dict[str, Any], Cuts]:
        """Return what is told of the hosts, empty without any, and the cuts that each had to pass."""
        cuts = Cuts()
        told: dict[str, Any] = {}
        redshifts: list[list[float]] = []
        for name in self.redshift_catalogs:
            found = match_in(matches, name)
            z, distance = number_in(found, "z"), number_in(found, "dist2transient")
            if z is None or distance is None:
                continue
            apart = projected_distance(z, distance) if 0 <= z <= MOST_REDSHIFT else None
            near = [
                cuts.between(f"{name}_z", z, self.min_redshift, self.max_redshift),
                cuts.between(f"{name}_dist2transient", distance, self.min_dist, self.max_dist),
                self.max_kpc_dist <= 0 or cuts.most(f"{name}_kpcdist", apart, self.max_kpc_dist),
            ]
            if all(near) and apart is not None:
                redshifts.append([z])
                told |= {f"{name}_z": z, f"{name}_dist2transient": distance, f"{name}_kpcdist": apart}
        cuts.least("hosts", len(redshifts), 1)
        if not redshifts:
            return {}, cuts
        milliquas, sdss = is_known_agn(matches)
        agn = ({"milliAGN": True} if milliquas else {}) | ({"sdssAGN": True} if sdss else {})
        return told | {"zs": redshifts} | agn, cuts


def _pull(points: LightCurve) -> float | None:
    """Return how far the detections lie above their limits in all, in sigma; None if no point tells."""
    told = np.isfinite(points.limit) & np.isfinite(points.mag_err) & (points.mag_err > 0)
    if not told.any():
        return None
    part = points.select(told)
    with np.errstate(over="ignore"):
        pull = float(((part.limit - part.mag) / part.mag_err).sum())
    return pull if np.isfinite(pull) else None
