"""The report of an object to the Transient Name Server, in its own keys."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.units.eval_catalogs import is_known_agn, match_in, number_in
from ampeld.feature.units.eval_points import latest_limit

TNS_FILTERS: Final = {"g": "110", "r": "111", "i": "112"}
"""By band of ZTF: TNS's number of the filter."""
_POSITION_ERROR: Final = 1.0  # arcsec
_NO_LIMIT: Final = {"archiveid": "0", "archival_remarks": "ZTF non-detection limits not available"}
_GALAXY: Final = 3  # type of SDSS DR10
_AGN, _NUCLEAR = 3, 4  # at_type of TNS


class Rules(Protocol):
    """What of the unit's parameters the report depends on."""

    max_maglim: float
    nphot_submit: int
    nuclear_dist: float
    max_gaia_noise: float
    ztf_tns_at: dict[str, str]


def at_report(rules: Rules, light_curve: LightCurve, chosen: LightCurve, matches: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of an object.

    Parameters
    ----------
    rules
        The evaluation's parameters.
    light_curve
        The whole.
    chosen
        Its detections that are looked at: at least one, and one that has a position.
    matches
        The body of the catalogue match.
    """
    position = chosen.position()
    assert position is not None
    report: dict[str, Any] = {
        axis: {"value": value, "error": _POSITION_ERROR, "units": "arcsec"}
        for axis, value in zip(("ra", "dec"), position, strict=True)
    }
    limit = latest_limit(light_curve, rules.max_maglim, chosen.jd[-1])
    report["non_detection"] = _non_detection(limit) | rules.ztf_tns_at
    after = chosen if limit is None else chosen.select(chosen.jd >= limit.jd[0])
    first = after.select(np.arange(min(rules.nphot_submit, len(after))))
    points = {str(i): _photometry(first, i) | rules.ztf_tns_at for i in range(len(first))}
    report["photometry"] = {"photometry_group": points}
    if points:
        report["discovery_datetime"] = float(first.jd[0])
    return report | _remarks(rules, chosen, matches)


def _non_detection(limit: LightCurve | None) -> dict[str, Any]:
    if limit is None:
        return dict(_NO_LIMIT)
    return {
        "obsdate": float(limit.jd[0]),
        "limiting_flux": float(limit.limit[0]),
        "filter_value": TNS_FILTERS.get(limit.band[0]),
    }


def _photometry(points: LightCurve, i: int) -> dict[str, Any]:
    values = {"flux": points.mag, "flux_error": points.mag_err, "limiting_flux": points.limit}
    rounded = {name: round(float(of[i]), 2) if np.isfinite(of[i]) else None for name, of in values.items()}
    return {"obsdate": float(points.jd[i])} | rounded | {"filter_value": TNS_FILTERS.get(points.band[i])}


def _remarks(rules: Rules, chosen: LightCurve, matches: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``remarks`` and ``at_type``, as far as there is anything to remark."""
    remarks, at_type = "", None
    nedz, sdss_spec = (number_in(match_in(matches, name), "z") for name in ("NEDz", "SDSS_spec"))
    if sdss_spec is not None:
        remarks += f"SDSS spec-z {sdss_spec:.3f}. "
    elif nedz is not None:
        remarks += f"NED z {nedz:.3f}. "
    if any(is_known_agn(matches)):
        remarks, at_type = remarks + "Known SDSS and/or MILLIQUAS QSO/AGN. ", _AGN
    core = _galaxy_within(matches, rules.nuclear_dist)
    if core:
        remarks, at_type = remarks + "Close to core of SDSS DR10 galaxy. ", _NUCLEAR
    if _is_noisy_in_gaia(rules, chosen, matches):
        remarks += "Significant noise in Gaia DR2 - variable star cannot be excluded. "
    return ({"remarks": remarks} if remarks else {}) | ({"at_type": at_type} if at_type else {})


def _galaxy_within(matches: Mapping[str, Any], radius_arcsec: float) -> bool:
    galaxy = match_in(matches, "SDSSDR10")
    distance = number_in(galaxy, "dist2transient")
    return galaxy is not None and galaxy.get("type") == _GALAXY and distance is not None and distance < radius_arcsec


def _is_noisy_in_gaia(rules: Rules, chosen: LightCurve, matches: Mapping[str, Any]) -> bool:
    """Say whether Gaia's nearest source is noisy and no galaxy explains that; unknown without NEDz and SDSSDR10."""
    gaia, ned = match_in(matches, "GAIADR2"), match_in(matches, "NEDz")
    noise, distance = number_in(gaia, "ExcessNoise"), number_in(gaia, "dist2transient")
    if noise is None or distance is None or ned is None or match_in(matches, "SDSSDR10") is None:
        return False
    z, apart = number_in(ned, "z"), number_in(ned, "dist2transient")
    extragalactic = z is not None and apart is not None and z > 0.01 and apart < 1
    separation, score = chosen.column("distpsnr1"), chosen.column("sgscore1")
    galaxy = extragalactic or _galaxy_within(matches, 3.0) or bool(((separation < 1.5) & (score < 0.5)).any())
    return noise > rules.max_gaia_noise and distance < 1 and not galaxy
