"""AMPEL's filters of points: what passes, and which are refused."""

import pytest

from ampeld.feature.point_filter import PointFilter, check_filters, passes


@pytest.mark.parametrize(
    ("operator", "value", "passing"),
    [
        (">", 1, [2.0]),
        ("<", 1, [0.0]),
        (">=", 1, [1.0, 2.0]),
        ("<=", 1, [0.0, 1.0]),
        ("==", 1, [1.0]),
        ("!=", 1, [0.0, 2.0]),
        ("is", 1, [1.0]),
        ("is not", 1, [0.0, 2.0]),
        ("<", "x", []),
        ("is not", None, [0.0, 1.0, 2.0]),
    ],
)
def test_a_filter_compares_numbers_and_what_is_missing_never_passes(operator, value, passing):
    found = [0.0, 1.0, 2.0, None, float("nan")]
    assert [one for one in found if passes((PointFilter("rb", operator, value),), {"rb": one})] == passing
    assert not passes((PointFilter("rb", operator, value),), {})


def test_all_filters_must_hold_and_none_lets_every_point_pass():
    both = PointFilter("rb", ">", 0.3), PointFilter("isdiffpos", "!=", "f")
    assert passes(both, {"rb": 0.5, "isdiffpos": "t"})
    assert not passes(both, {"rb": 0.5, "isdiffpos": "f"})
    assert not passes(both, {"rb": 0.1, "isdiffpos": "t"})
    assert passes((), {})


def test_a_filter_on_what_is_not_read_is_refused_with_what_was_meant():
    check_filters("lc_filters", [PointFilter("psfFlux", ">", 0), PointFilter("nbad", "==", 0)], ["nbad"])
    with pytest.raises(ValueError, match=r"^lc_filters: .*'nbadd'; did you mean 'nbad'"):
        check_filters("lc_filters", [PointFilter("nbadd", "==", 0)], ["nbad"])
    with pytest.raises(ValueError, match=r"'xyzzy' \(with: .*magpsf"):
        check_filters("lc_filter", [PointFilter("xyzzy", "==", 0)], [])
