"""What a sky map and fits of kilonova models say for a kilonova, in points."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from ampeld.feature.reasons import NO_FIELD
from ampeld.feature.unit import Input, Value
from ampeld.feature.units.eval_catalogs import number_in
from ampeld.feature.units.eval_cosmology import luminosity_distance
from ampeld.feature.units.eval_cuts import Cuts
from ampeld.feature.units.eval_points import or_undefined

KILONOVA_VALUES: Final = (
    Value("kilonovaness", "", "sum of all points", "integer"),
    Value("kilonovaness_dec", "", "points / (points + number of rejects); 0 below one point"),
    Value("is_gold", "", "present and true if kilonovaness_dec > 0.9", "flag"),
    Value("rejects", "", "what speaks against it, by name", "list"),
    Value("z_kilonovaness", "", "points for redshift and host", "integer"),
    Value("lc_kilonovaness", "", "points for the absolute magnitude", "integer"),
    Value("possis_kilonovaness", "", "points for the fit of a kilonova model", "integer"),
    Value("cat_kilonovaness", "", "points for catalogues: always 0, their matches are rejects", "integer"),
    Value("dist_kilonovaness", "", "points for the distance against the map's", "integer"),
    Value("possis", "", "always empty, as with AMPEL's single fits", "list"),
    Value("pass", "", "how many of the light-curve cuts pass", "integer"),
    Value("ampel_z", "", "redshift"),
    Value("ampel_z_precision", "", "its precision"),
    Value("ampel_dist", "arcsec", "distance to the host's centre"),
    Value("dst_kpc", "kpc", "projected distance to the host's centre"),
    Value("detection_times", "d", "julian dates of the detections", "list"),
    Value("detections", "", "number of detections", "integer"),
    Value("age", "d", "from the first to the last detection"),
    Value("most_recent_detection", "d", "julian date of the last detection"),
    Value("first_detection", "d", "julian date of the first detection"),
    Value("peak_mag", "mag", "brightest magnitude"),
    Value("ra", "deg", "mean right ascension of the detections"),
    Value("dec", "deg", "mean declination of the detections"),
    Value("rb", "", "median of rb"),
    Value("drb", "", "median of drb"),
    Value("absmag", "mag", "absolute magnitude at the brightest"),
    Value("rise_decline", "", "the body of TabulatorRiseDecline", "table"),
    Value("cumprob", "", "credible level of the map at the position"),
    Value("map_dist", "Mpc", "distance of the map"),
    Value("map_dist_unc", "Mpc", "error of that"),
    Value("map_hash", "", "which map it is", "text"),
    Value("ampel_healpix_dist", "Mpc", "luminosity distance of the redshift"),
    Value("distance_sigma_diff", "", "its difference from the map's distance, in sigma"),
    Value("model", "", "model of the judged fit", "text"),
    Value("chisquares", "", "chisq and ndof of every fit by model", "table"),
    Value("red_chisqu", "", "chi2 per degree of freedom of the judged fit"),
    Value("possis_abspeak", "mag", "its absolute peak in B"),
    Value("possis_obspeak", "mag", "its peak in B as observed"),
    Value("possis_chisq", "", "its chi2"),
    Value("possis_ndof", "", "its degrees of freedom", "integer"),
)
"""What bodies of `KilonovaEval` hold."""

_DISTANCE_POINTS: Final = {"reward": (5, 0), "punish": (0, -20), "pass": (1, 0)}
"""By mode: points within and outside."""
_CREDIBLE: Final = (0.68, 0.95)
_LEAST_CHI2: Final = 0.75
_MAP_KEYS: Final = ("cumprob", "map_dist", "map_dist_unc", "map_hash")


class Rules(Protocol):
    """What of the unit's parameters the points depend on."""

    distance_mode: Any
    max_dist_sigma_diff: float
    prob_sigma_rewards: tuple[int, int, int]
    max_red_chisquares: tuple[float, ...]
    chisqu_rewards: tuple[int, ...]
    min_obsmag: float
    max_obsmag: float
    ideal_absmag: float
    absmag_range_rewards: tuple[tuple[float, int], ...]


def judge_map(rules: Rules, body: Input, z: float | None, cuts: Cuts) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what is told of the map (and ``rejects``), and the points for distance and credible level."""
    info: dict[str, Any] = {"rejects": []}
    points = {"distance": 0, "credible": 0}
    if body is None:
        return info, points
    info |= {key: body[key] for key in _MAP_KEYS if body.get(key) is not None}
    far, error = number_in(body, "map_dist"), number_in(body, "map_dist_unc")
    if z is not None and far is not None and error is not None and error > 0:
        distance = luminosity_distance(z)
        sigma = abs(distance - far) / error
        info |= {"ampel_healpix_dist": distance, "distance_sigma_diff": sigma}
        near = cuts.most("distance_sigma_diff", sigma, rules.max_dist_sigma_diff)
        points["distance"] = _DISTANCE_POINTS[rules.distance_mode][0 if near else 1]
        info["rejects"] += [] if near else ["distance_mismatch"]
    level = number_in(body, "cumprob")
    if level is not None:
        points["credible"] = rules.prob_sigma_rewards[sum(level > limit for limit in _CREDIBLE)]
        cuts.most("cumprob", level, _CREDIBLE[-1])
    return info, points


def judge_fits(rules: Rules, fits: Sequence[Input], cuts: Cuts) -> tuple[dict[str, Any], int, list[str]]:
    """Return what is told of the fit whose chi2 per degree is closest to 1, its points and its rejects."""
    if not fits:
        return {}, 0, []
    good = [fit for fit in fits if fit is not None and _chi2_per_degree(fit) is not None]
    if not good:
        return {}, 0, ["no_possis_fits"]
    best = min(good, key=lambda fit: abs((_chi2_per_degree(fit) or 0.0) - 1))
    result, chi2 = best["sncosmo_result"], _chi2_per_degree(best)
    metrics = result.get("fit_metrics") or {}
    absolute, observed = number_in(metrics, "restpeak_model_absmag_B"), number_in(metrics, "obspeak_model_B")
    assert chi2 is not None
    points = 0
    for limit, reward in zip(rules.max_red_chisquares, rules.chisqu_rewards, strict=True):
        if _LEAST_CHI2 <= chi2 <= limit:
            points += reward
            break
    cuts.within("red_chisqu", chi2, _LEAST_CHI2, max(rules.max_red_chisquares, default=_LEAST_CHI2))
    rejects = []
    if cuts.between("possis_obspeak", observed, rules.min_obsmag, rules.max_obsmag):
        points += 1
    else:
        rejects.append("obsmag")
    offset = None if absolute is None else abs(absolute - rules.ideal_absmag)
    rewards = [reward for reach, reward in rules.absmag_range_rewards if offset is not None and offset < reach]
    widest = max((reach for reach, _ in rules.absmag_range_rewards), default=0.0)
    cuts.add(
        "possis_abspeak", absolute, [rules.ideal_absmag - widest, rules.ideal_absmag + widest], passed=bool(rewards)
    )
    if rewards:
        points += rewards[0]
    else:
        rejects.append("absmag")
    info = {
        "model": best.get("model_name"),
        "chisquares": {
            str(fit.get("model_name")): {key: fit["sncosmo_result"][key] for key in ("chisq", "ndof")} for fit in good
        },
        "possis_abspeak": or_undefined(absolute, NO_FIELD, "the fit gives no absolute peak"),
        "possis_obspeak": or_undefined(observed, NO_FIELD, "the model does not cover B at its peak"),
        "possis_chisq": result["chisq"],
        "possis_ndof": result["ndof"],
        "red_chisqu": chi2,
    }
    return info, points, rejects


def _chi2_per_degree(fit: Input) -> float | None:
    result = (fit or {}).get("sncosmo_result") or {}
    chi2, degrees = number_in(result, "chisq"), number_in(result, "ndof")
    return chi2 / degrees if chi2 is not None and degrees is not None and degrees > 0 else None
