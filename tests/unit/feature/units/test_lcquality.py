"""LCQuality against AMPEL's own values, a count by hand, and by what must hold of any light curve."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    dimmed,
    light_curves,
    points_of,
    rebanded,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
    ztf_limit,
)
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.lcquality import LCQuality
from ampeld.params import ParameterError

BANDS = {"g": 1, "r": 2, "i": 3}


def by_hand(points, *, exclude_ulims_after, signs):
    """Return the body by loops over the points: one detection by band and time, the one of the largest number."""
    body = {}
    for name, fid in BANDS.items():
        seen = {}
        for _, jd, point in sorted(p for p in points if p[0] > 0 and p[2]["fid"] == fid):
            if point["isdiffpos"] in signs:
                seen[jd] = point["magpsf"]
        after = [(jd, p["diffmaglim"]) for n, jd, p in points if n < 0 and p["fid"] == fid and seen and jd > min(seen)]
        if not seen or not after:
            n = len(seen)
            body[name] = {"strength": min(n, 1), "purity": min(n, 1), "ndet": n}
            continue
        last = max(seen)
        strong = 0
        for jd, limit in after:
            before = max(t for t in seen if t <= jd)
            strong += limit > seen[before] and (jd < last or not exclude_ulims_after)
        n = len(seen)
        body[name] = {"strength": n / (n + len(after)), "purity": n / (n + strong), "ndet": n}
    return body


@pytest.mark.golden
def test_without_a_filter_every_value_is_ampels():
    """The variant that shows the intended numbers; in one state AMPEL counts a detection of equal time twice."""
    cases = golden("LCQuality", "all")
    assert len(cases) == 56
    twice = {}
    for case in cases:
        unit = LCQuality(**case.config)
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        if case.error is None and (differences := compare(body, case.body)):
            twice[case.name] = differences
    assert [(d.path, d.ours, d.ampel) for found in twice.values() for d in found] == [("r.ndet", 2, 3)]
    assert list(twice) == ["ZTF18abginyq/595250712515015007/all_points"]


@pytest.mark.golden
def test_equal_times_that_make_ampel_raise_give_the_values_of_the_later_reduction():
    raised = [case for case in golden("LCQuality", "all") if case.error]
    assert len(raised) == 3
    assert all("duplicates" in case.error for case in raised)
    muxed = {case.object: case for case in golden("LCQuality", "all") if case.name.endswith("muxed")}
    for case in raised:
        body = measured(LCQuality(**case.config), case.light_curve)
        # The state in which AMPEL has dropped them beforehand.
        assert not compare(body, muxed[case.object].body), case.name


@pytest.mark.golden
def test_by_default_limits_count_where_ampels_filter_of_detections_drops_them():
    cases = golden("LCQuality")
    corrected = 0
    for case in cases:
        body = measured(LCQuality(**case.config), case.light_curve)
        assert not compare(body, case.body, skip=["*.strength", "*.purity", *_twice(case)]), case.name
        assert all(case.body[band][key] in (0, 1) for band in BANDS for key in ("strength", "purity")), case.name
        expected = by_hand(case.points, exclude_ulims_after=True, signs=("t", "1"))
        assert not compare(body, expected), case.name
        corrected += bool(compare(body, case.body, skip=_twice(case)))
    assert corrected == 26


def _twice(case):
    return ["*.ndet"] if case.name.endswith("all_points") else []


def test_a_strong_limit_is_deeper_than_the_detection_before_it():
    curve = ztf(
        ztf_limit(1, NIGHT - 1, 22.0),
        ztf_detection(2, NIGHT, 19.0),
        ztf_limit(3, NIGHT + 1, 18.9),
        ztf_limit(4, NIGHT + 2, 19.1),
        ztf_detection(5, NIGHT + 3, 20.0),
        ztf_limit(6, NIGHT + 4, 20.1),
        ztf_limit(7, NIGHT + 1, 22.0, fid=2),
    )
    assert measured(LCQuality(), curve)["g"] == {"strength": 2 / 5, "purity": 2 / 3, "ndet": 2}
    later = measured(LCQuality(exclude_ulims_after=False), curve)
    assert later["g"] == {"strength": 2 / 5, "purity": 2 / 4, "ndet": 2}
    assert later["r"] == {"strength": 0, "purity": 0, "ndet": 0}
    assert later["undefined"]["r"] == "no_detection"


def test_a_filter_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="filter_ids: 4 is no filter"):
        LCQuality(filter_ids=[1, 4])


def test_a_cut_on_a_field_that_is_not_read_is_refused():
    with pytest.raises(ParameterError, match=r"lc_filter: .*'rbb'.*'rb'"):
        LCQuality(lc_filter=[{"attribute": "rbb", "operator": ">", "value": 0.5}])


def test_a_cut_on_another_field_is_read_and_applies_to_detections_alone():
    sharp = LCQuality(lc_filter=[{"attribute": "sharpnr", "operator": ">=", "value": 0.0}])
    assert (sharp.reads, LCQuality().reads) == (("sharpnr",), ())
    rows = [ztf_detection(n, NIGHT + n, sharpnr=sharpnr) for n, sharpnr in ((1, 0.5), (2, -1.0), (3, None), (4, 0.0))]
    body = measured(sharp, ztf(*rows, ztf_limit(9, NIGHT + 2, 20.0)))
    assert body["g"] == {"strength": 2 / 3, "purity": 2 / 3, "ndet": 2}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_give_values_or_reasons(name):
    for unit in (LCQuality(), LCQuality(lc_filter=[], exclude_ulims_after=False)):
        body = measured(unit, AWKWARD[name])
        assert_described(unit, body)
        assert all(0 <= body[band][key] <= 1 for band in BANDS for key in ("strength", "purity"))


@settings(max_examples=25)
@given(light_curves("ztf", awkward=False), st.booleans())
def test_any_light_curve_has_the_values_that_a_count_by_hand_gives(curve, exclude):
    body = measured(LCQuality(exclude_ulims_after=exclude), curve)
    assert not compare(body, by_hand(points_of(curve), exclude_ulims_after=exclude, signs=("t", "1")))


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 5))
def test_order_and_time_do_not_matter(curve, seed):
    body = measured(LCQuality(), curve)
    assert measured(LCQuality(), shuffled(curve, seed)) == body
    assert measured(LCQuality(), shifted(curve, 2**9)) == body


@settings(max_examples=25)
@given(light_curves("ztf"), st.sampled_from([-2.5, 2.5]))
def test_one_factor_for_all_fluxes_changes_nothing(curve, magnitudes):
    # Magnitudes of four decimals, half of a limit's last digit apart, so that rounding decides nothing.
    apart = ztf(
        *((n, jd, {**b, "diffmaglim": b["diffmaglim"] + 5e-5} if n < 0 else b) for n, jd, b in points_of(curve))
    )
    assert measured(LCQuality(), dimmed(apart, magnitudes)) == measured(LCQuality(), apart)


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_renamed_bands_change_places(curve):
    body, other = measured(LCQuality(), curve), measured(LCQuality(), rebanded(curve, {1: 2, 2: 3, 3: 1}))
    assert (body["g"], body["r"], body["i"]) == (other["r"], other["i"], other["g"])
