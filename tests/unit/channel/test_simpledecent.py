import pytest
from fakes.table import JD
from support.filters import OLD, above, below, cuts_of, good, said

from ampeld.channel.simpledecent import SimpleDecentFilter

CONFUSED = {f"distpsnr{i}": 0.5 for i in (1, 2, 3)} | {f"sgscore{i}": 0.5 for i in (1, 2, 3)}


def test_without_any_parameter_a_good_alert_is_accepted():
    assert said(SimpleDecentFilter(), good()) == ["accepted"]


def test_the_cuts_are_those_of_decent_but_for_gaia():
    assert cuts_of(SimpleDecentFilter()) == [
        *("ndet", "tspan", "complete", "isdiffpos", "rb", "drb", "fwhm", "elong", "magdiff"),
        *("archive_tspan", "ssdistnr", "gal_lat", "ps1_star", "ps1_confusion"),
    ]


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("ndet", {"detections": ()}),
        ("accepted", {"detections": ({"jd": JD - 0.03125, "candid": 9},)}),
        ("tspan", {"detections": ({"jd": JD - 0.015625, "candid": 9},)}),
        ("accepted", {"detections": ({"jd": JD - 25, "candid": 9},)}),
        ("tspan", {"detections": ({"jd": JD - 25.25, "candid": 9},)}),
        ("complete", {"ssdistnr": None}),
        ("isdiffpos", {"isdiffpos": "f"}),
        ("accepted", {"rb": 0.3}),
        ("rb", {"rb": below(0.3)}),
        ("accepted", {"drb": -1.0}),
        ("accepted", {"fwhm": 5.0}),
        ("fwhm", {"fwhm": above(5.0)}),
        ("accepted", {"elong": 1.4}),
        ("elong", {"elong": above(1.4)}),
        ("accepted", {"magdiff": -0.4}),
        ("magdiff", {"magdiff": below(-0.4)}),
        ("archive_tspan", {"jdstarthist": JD}),
        ("archive_tspan", {"jdstarthist": JD - 1e5}),
        ("accepted", {"ssdistnr": 20.0}),
        ("ssdistnr", {"ssdistnr": below(20.0)}),
        ("accepted", {"ra": 266.4, "dec": -29.0}),
        ("accepted", {"distpsnr1": 2.0, "sgscore1": 0.9}),
        ("accepted", {"distpsnr1": 1.0, "sgscore1": 0.8}),
        ("ps1_star", {"distpsnr1": below(2.0), "sgscore1": above(0.8)}),
        ("ps1_confusion", CONFUSED),
        ("accepted", CONFUSED | {"distpsnr2": 1.0}),
        ("accepted", CONFUSED | {"sgscore3": 1.0}),
    ],
)
def test_the_limits_are_ampels(expected, fields):
    assert said(SimpleDecentFilter(), good(**fields)) == [expected]


def test_a_deep_score_of_zero_is_below_a_threshold():
    assert said(SimpleDecentFilter(min_drb=0.5), good(drb=0.0), good(drb=0.5), good(drb=None)) == [
        *("drb", "accepted", "accepted")
    ]


def test_the_detection_before_counts():
    assert said(SimpleDecentFilter(min_ndet=3), good(), good(detections=(OLD, OLD | {"jd": JD - 8}))) == [
        *("ndet", "accepted")
    ]
