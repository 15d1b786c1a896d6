"""Blocks, baselines and excess regions beside AMPEL's own, with each correction told by both numbers."""

import math

import numpy as np
import pytest
from support.features import assert_described, compare, golden, measured

from ampeld.feature import LightCurve
from ampeld.feature.body import settle
from ampeld.feature.units import blocks_points
from ampeld.feature.units.bayesianblocks import BayesianBlocks

SIGNED = ("sigma_from_baseline", "sigma_from_baseline_excess", "strength_peak")
"""In magnitudes, of the other sign than AMPEL's."""
BY_BRIGHTNESS = (
    "max_sigma_excess_region",
    "significance_of_fluctuation",
    "significance_of_variability_excess",
    "significance_after_peak",
    "strength_after_peak",
)
"""In magnitudes, AMPEL takes the least bright block for the peak."""


def flipped(body, filters):
    """Return AMPEL's body with our sign of magnitudes."""
    result = dict(body)
    for name in filters:
        mine = result[name] = dict(body[name])
        for key in SIGNED:
            value = mine[key]
            mine[key] = [-one for one in value] if isinstance(value, list) else None if value is None else -value
    return result


def skipped(filters, *more):
    return [f"{name}.{key}{end}" for name in filters for key in (*BY_BRIGHTNESS, *more) for end in ("", ".*")]


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["wise_flux", "wise_flux_Npoints"])
def test_fluxes_of_wise_give_the_values_of_ampel(variant):
    for case in golden("BayesianBlocks", variant):
        unit = BayesianBlocks(**case.config)
        body = measured(unit, case.light_curve)
        assert compare(body, case.body, rel=1e-12, extra=["*.significance_of_fluctuation_before"]) == []
        assert_described(unit, body)


@pytest.mark.golden
@pytest.mark.parametrize("factor", [1e-6, 7.0, 1e9])
def test_brighter_fluxes_change_levels_and_no_significance(factor):
    (case,) = golden("BayesianBlocks", "wise_flux")
    scaled = [
        (n, jd, {**body, "mean_flux": body["mean_flux"] * factor, "flux_rms": body["flux_rms"] * factor})
        for n, jd, body in case.points
    ]
    unit = BayesianBlocks(**case.config)
    one, other = (measured(unit, curve) for curve in (case.light_curve, LightCurve("wise", scaled)))
    for name in case.config["filters"]:
        assert other[name]["baseline"] == pytest.approx(one[name]["baseline"] * factor)
        assert other[name]["sigma_from_baseline"] == pytest.approx(one[name]["sigma_from_baseline"], rel=1e-9, abs=1e-9)
        assert other[name]["jd_excess_regions"] == one[name]["jd_excess_regions"]
    swapped = [
        (n, jd, {**body, "filter": {"Wise_W1": "Wise_W2", "Wise_W2": "Wise_W1"}[body["filter"]]})
        for n, jd, body in case.points
    ]
    crossed = measured(unit, LightCurve("wise", swapped))
    assert (crossed["Wise_W1"], crossed["Wise_W2"]) == (one["Wise_W2"], one["Wise_W1"])


@pytest.mark.golden
def test_magnitudes_of_wise_give_those_of_ampel_but_for_the_sign():
    (case,) = golden("BayesianBlocks", "wise_mag")
    body = measured(BayesianBlocks(**case.config), case.light_curve)
    skip = skipped(case.config["filters"])
    extra = ["*.significance_of_fluctuation*"]
    assert compare(body, flipped(case.body, case.config["filters"]), rel=1e-12, skip=skip, extra=extra) == []
    assert case.body["Wise_W1"]["max_sigma_excess_region"] == [pytest.approx(-5.227311022956064)]
    assert body["Wise_W1"]["max_sigma_excess_region"] == [pytest.approx(45.83282320709195)]
    assert case.body["Wise_W1"]["significance_of_variability_excess"] == [[], []]
    before, after = body["Wise_W1"]["significance_of_variability_excess"]
    assert before == []
    assert len(after) == 5


@pytest.mark.golden
def test_forced_photometry_gives_the_values_of_ampel_behind_its_own_window():
    compared = 0
    for case in golden("BayesianBlocks", "ztf_fp_mag"):
        unit = BayesianBlocks(**case.config)
        ours = {}
        for name in case.config["filters"]:
            points, _ = blocks_points.points_of(case.light_curve, name, "ztf_fp", flux=False)
            points = ampel_window(points)
            if len(points.jd) < 2:
                assert case.body[name]["baseline"] is None
                continue
            ours[name] = settle(unit._of_points(points, 10 * math.log10(len(points.jd))))
            compared += 1
        expected = {name: flipped(case.body, ours)[name] for name in ours}
        extra = ["*.significance_of_fluctuation*", "*.undefined.*"]
        # AMPEL's time scale goes through a text of six digits
        rel = {"*.max_baye_block_timescale": 1e-6, "*": 1e-12}
        assert compare(ours, expected, rel=rel, skip=skipped(ours), extra=extra) == []
    assert compared >= 10


def ampel_window(points):
    """Keep what AMPEL keeps: the first nine points have no trailing window and are lost."""
    kept = np.zeros(len(points.jd), dtype=bool)
    for i in range(9, len(points.jd)):
        window = points.value[i - 9 : i + 1]
        kept[i] = abs(points.value[i] - np.median(window)) <= 3 * np.std(window, ddof=1)
    return points.chosen(kept)


@pytest.mark.golden
def test_no_point_is_lost_for_want_of_a_window_as_it_is_in_ampel():
    (case,) = (one for one in golden("BayesianBlocks", "ztf_fp_mag") if one.object == "SYNTH_OUTBURST")
    assert case.body["ZTF_g"]["baseline"] is None
    body = measured(BayesianBlocks(**case.config), case.light_curve)
    assert body["ZTF_g"]["baseline"] > 14


@pytest.mark.golden
def test_alerts_give_a_value_where_ampel_raises():
    raised = [case for case in golden("BayesianBlocks", "ztf_alert") if case.error]
    assert len(raised) == 15
    for case in raised:
        assert "ncp_prior" in case.error
        unit = BayesianBlocks(**case.config)
        body = measured(unit, case.light_curve)
        assert any(body[name]["baseline"] is not None for name in case.config["filters"])
        assert_described(unit, body)
