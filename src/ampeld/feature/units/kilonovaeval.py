"""How much an object looks like a kilonova: points for what speaks for it, and what speaks against it by name."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import msgspec

from ampeld.feature.body import UNDEFINED
from ampeld.feature.light_curve import LightCurve
from ampeld.feature.point_filter import PointFilters, check_filters
from ampeld.feature.reasons import NO_FIELD
from ampeld.feature.unit import Dependency, Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.catalogmatch import CatalogSearch
from ampeld.feature.units.eval_catalogs import number_in
from ampeld.feature.units.eval_cosmology import MOST_REDSHIFT, distance_modulus, load_cosmology, projected_distance
from ampeld.feature.units.eval_cuts import CUTS, Cuts
from ampeld.feature.units.eval_kilonova import KILONOVA_VALUES, judge_fits, judge_map
from ampeld.feature.units.eval_points import (
    READS,
    choose,
    galactic_latitude,
    median_of,
    or_undefined,
)

_GOLD: Final = 0.9
_UNITS: Final = {
    "catalogs": "CatalogMatch",
    "redshift": "DigestRedshifts",
    "sky_map": "HealpixProb",
    "rise_decline": "TabulatorRiseDecline",
}
"""By parameter: the unit whose parameters it holds."""


class KilonovaEval(StateUnit):
    """Give points for redshift, sky map, light curve and fits that suit a kilonova; AMPEL's T2KilonovaEval.

    Parameters
    ----------
    redshift, sky_map, rise_decline
        Parameters of `DigestRedshifts` (its ``catalogs`` are what is searched), `HealpixProb` and
        `TabulatorRiseDecline`, whose bodies are judged; none: that is not asked.
    catalogs
        Catalogues in which nothing should be, as `CatalogMatch` takes them: each match is a reject.
    fits
        Parameters of `SNCosmoFit` for each kilonova model; the fit whose chi2 per degree is closest to 1 is judged.
    max_redshift, min_redshift
        Limits of the redshift; 1 point.
    min_dist, max_dist
        Limits of the distance to the host's centre [arcsec]; 1 point.
    max_kpc_dist
        Most projected distance to it [kpc]; 1 point.
    distance_mode, max_dist_sigma_diff
        Whether a distance within so many sigma of the map's gives 5 points (``reward``), one outside takes 20
        (``punish``), or it gives 1 (``pass``).
    prob_sigma_rewards
        Points within 68 %, within 95 % and outside of the map's credible regions.
    min_absmag, max_absmag
        Limits of the absolute magnitude at the brightest [mag]; 1 point.
    min_ndet, rb_minmed, drb_minmed
        Least number of detections and least medians of their scores. These cuts of the light curve, and the next three
        parameters', only add rejects.
    min_age, max_age
        Limits of the time from first to last detection [d].
    min_peak_mag, max_peak_mag
        The brightest detection lies between the second and the first [mag].
    min_gal_lat
        Least distance from the Galactic plane [deg].
    max_red_chisquares, chisqu_rewards
        Largest chi2 per degree of a fit, at least 0.75, and the points for each.
    min_obsmag, max_obsmag
        Limits of the fit's peak in B as observed [mag]; 1 point.
    ideal_absmag
        Absolute peak of a kilonova [mag].
    absmag_range_rewards
        Pairs of a distance from it [mag] and the points within.
    lc_filters
        Which detections are looked at.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2KilonovaEval.

    AMPEL: by the precedence of operators the magnitude is the truth value 1, so that ``absmag`` is -34.66 at z = 0.03
    for every object and always a reject; here: peak magnitude - distance modulus. AMPEL: ``drb`` of no point is NaN;
    here: missing. AMPEL: with several fits it compares with a variable that does not exist; here: the best is judged.
    Kept: ``pass`` is the number of light-curve cuts that pass, and counts for nothing. Distances are of Planck15.
    """

    reads: ClassVar[tuple[str, ...]] = READS
    values: ClassVar[tuple[Value, ...]] = (*KILONOVA_VALUES, CUTS)

    redshift: dict[str, Any] | None = {}  # noqa: RUF012  a parameter's default, never written to
    sky_map: dict[str, Any] | None = None
    rise_decline: dict[str, Any] | None = None
    catalogs: dict[str, CatalogSearch] = {}  # noqa: RUF012  as above
    fits: tuple[dict[str, Any], ...] = ()
    max_redshift: float = 0.05
    min_redshift: float = 0.001
    min_dist: float = 1.5
    max_dist: float = 50.0
    max_kpc_dist: float = 999.0
    distance_mode: Literal["reward", "punish", "pass"] = "reward"
    max_dist_sigma_diff: float = 3.0
    prob_sigma_rewards: tuple[int, int, int] = (3, 1, 0)
    min_absmag: float = -20.0
    max_absmag: float = -12.0
    min_ndet: int = 1
    min_age: float = 0.01
    max_age: float = 10.0
    min_peak_mag: float = 22.0
    max_peak_mag: float = 16.0
    min_gal_lat: float = 14.0
    rb_minmed: float = 0.3
    drb_minmed: float = 0.995
    max_red_chisquares: tuple[float, ...] = (7.5, 22.0, 40.0)
    chisqu_rewards: tuple[int, ...] = (3, 2, 1)
    min_obsmag: float = 19.0
    max_obsmag: float = 21.0
    ideal_absmag: float = -15.5
    absmag_range_rewards: tuple[tuple[float, int], ...] = ((0.5, 5), (2.0, 2), (4.0, 1))
    lc_filters: PointFilters = ()

    def prepare(self) -> None:
        """Refuse filters on unknown fields, and rewards that do not pair with limits."""
        check_filters("lc_filters", self.lc_filters, self.reads)
        if len(self.chisqu_rewards) != len(self.max_red_chisquares):
            raise ValueError("chisqu_rewards: as many as max_red_chisquares are wanted")

    def dependencies(self) -> tuple[Dependency, ...]:
        """Build upon what parameters are given for, in the order of `measure`."""
        below = [("CatalogMatch", {"catalogs": msgspec.to_builtins(self.catalogs)})] if self.catalogs else []
        below += [(_UNITS[name], getattr(self, name)) for name in self._asked() if name != "catalogs"]
        return tuple(Dependency(unit, params) for unit, params in [*below, *(("SNCosmoFit", one) for one in self.fits)])

    def _asked(self) -> list[str]:
        """Return the parameters of the units that are asked, in the order of their bodies."""
        return [name for name in _UNITS if (self.catalogs if name == "catalogs" else getattr(self, name) is not None)]

    def open(self, resources: Resources) -> None:  # noqa: ARG002  it needs none
        """Load the cosmology."""
        load_cosmology()

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Add up the points and collect the rejects."""
        asked = dict(zip(self._asked(), inputs, strict=False))
        fits = inputs[len(asked) :]
        cuts = Cuts()
        z_info, z_points, rejects = self._redshift(asked.get("redshift"), cuts)
        matched = sorted(name for name, found in (asked.get("catalogs") or {}).items() if found and name != UNDEFINED)
        map_info, map_points = judge_map(self, asked.get("sky_map"), z_info.get("ampel_z"), cuts)
        fit_info, fit_points, fit_rejects = judge_fits(self, fits, cuts)
        slopes = asked.get("rise_decline") or {}
        lc_info, lc_rejects = self._light_curve(choose(light_curve, self.lc_filters), cuts)
        absmag, lc_points, absmag_rejects = self._absolute(z_info.get("ampel_z"), lc_info.get("peak_mag"), cuts)
        rejects += [*matched, *map_info.pop("rejects"), *fit_rejects, *lc_rejects, *absmag_rejects]
        total = z_points + sum(map_points.values()) + fit_points + lc_points
        total += sum(slopes.get(key) is True for key in ("bool_fall", "bool_peaked"))
        share = total / (total + len(rejects)) if total >= 1 else 0.0
        return {
            "possis": [],
            **fit_info,
            **z_info,
            **map_info,
            **lc_info,
            **({"rise_decline": _plain(slopes)} if slopes else {}),
            **absmag,
            **({"is_gold": True} if share > _GOLD else {}),
            "kilonovaness": total,
            "kilonovaness_dec": share,
            "z_kilonovaness": z_points,
            "lc_kilonovaness": lc_points,
            "possis_kilonovaness": fit_points,
            "cat_kilonovaness": 0,
            "dist_kilonovaness": map_points["distance"],
            "rejects": rejects,
            "cuts": cuts.rows,
        }

    def _redshift(self, body: Input, cuts: Cuts) -> tuple[dict[str, Any], int, list[str]]:
        z, distance = number_in(body, "ampel_z"), number_in(body, "ampel_dist")
        if body is None or z is None or not 0 < z <= MOST_REDSHIFT:
            return {}, 0, ["no_ampelz_match"]
        missing = Undefined(NO_FIELD, "the redshift's source has no distance")
        apart = None if distance is None else projected_distance(z, distance)
        passed = {
            "redshift": cuts.between("redshift", z, self.min_redshift, self.max_redshift),
            "ampel_dist": cuts.between("ampel_dist", distance, self.min_dist, self.max_dist),
            "dst_kpc_zmatch": cuts.add(
                "dst_kpc", apart, self.max_kpc_dist, passed=apart is not None and apart < self.max_kpc_dist
            ),
        }
        info = {
            "ampel_z": z,
            "ampel_z_precision": body.get("group_z_precision"),
            "ampel_dist": missing if distance is None else distance,
            "dst_kpc": missing if apart is None else apart,
        }
        return info, sum(passed.values()), [name for name, good in passed.items() if not good]

    def _light_curve(self, points: LightCurve, cuts: Cuts) -> tuple[dict[str, Any], list[str]]:
        rejects: dict[str, bool] = {}
        count = cuts.least("ndet", len(points), self.min_ndet)
        if not len(points):
            return {"pass": 0, "detection_times": []}, ["no_pps"]
        rejects["too_few_pps"] = not count
        age, peak = float(points.jd[-1] - points.jd[0]), float(points.mag.min())
        rejects["age"] = not cuts.within("age", age, self.min_age, self.max_age)
        rejects["peak_mag"] = not cuts.within("peak_mag", peak, self.max_peak_mag, self.min_peak_mag)
        position = points.position()
        latitude = None if position is None else abs(galactic_latitude(*position))
        rejects["min_gal_lat"] = not cuts.least("gal_lat", latitude, self.min_gal_lat)
        scores = {"rb": self.rb_minmed, "drb": self.drb_minmed}
        medians = {name: median_of(points, name) for name in scores}
        for name, limit in scores.items():
            reject = f"no_{name}_info" if medians[name] is None else f"{name}_minmed"
            rejects[reject] = not cuts.least(name, medians[name], limit, missing=limit <= 0)
        nowhere = Undefined(NO_FIELD, "no point has ra and dec")
        info = {
            "pass": sum(not failed for failed in rejects.values()),
            "detection_times": points.jd.tolist(),
            "detections": len(points),
            "age": age,
            "most_recent_detection": float(points.jd[-1]),
            "first_detection": float(points.jd[0]),
            "peak_mag": peak,
            "ra": nowhere if position is None else position[0],
            "dec": nowhere if position is None else position[1],
            **{name: or_undefined(medians[name], NO_FIELD, f"no point has {name}") for name in scores},
        }
        return info, [name for name, failed in rejects.items() if failed]

    def _absolute(self, z: float | None, peak_mag: float | None, cuts: Cuts) -> tuple[dict[str, float], int, list[str]]:
        if z is None or peak_mag is None:
            return {}, 0, ["no_absmag_calculated"]
        absmag = peak_mag - distance_modulus(z)
        good = cuts.between("absmag", absmag, self.min_absmag, self.max_absmag)
        return {"absmag": absmag}, int(good), [] if good else ["absmag_from_lc"]


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without its reasons, which stand in its own document."""
    return {key: value for key, value in body.items() if key != UNDEFINED}
