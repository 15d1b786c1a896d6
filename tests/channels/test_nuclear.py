"""The channel for flares in nuclei, on nuclei made up at its limits."""

import pytest
from support.filters import above, below, good, said

from ampeld.testing import run_channel

JD = 2459000.5
G, R = 1, 2


def flare(colour=-0.25, days=(4, 3, 2, 1), **own):
    """Return a flare seen in g and r, last in g; ``colour`` is g - r [mag]."""
    points = tuple(
        {"jd": JD - age, "fid": fid, "candid": 100 + 10 * age + fid, "magpsf": 19.0 + (colour if fid == G else 0.0)}
        | {"isdiffpos": "t", "distnr": 0.125}
        for age in days
        for fid in (G, R)
    )
    nucleus = {"distpsnr1": 0.25, "sgscore1": 0.125, "magnr": 18.0, "srmag1": 18.0, "distnr": 0.125}
    return good(detections=points, fid=G, magpsf=19.0 + colour, **(nucleus | own))


@pytest.fixture(scope="module")
def nuclear(channels):
    return run_channel(channels / "nuclear.toml", []).channel.filter


def test_accepted_alerts_come_in_groups_by_colour(nuclear):
    alerts = [flare(-0.25), flare(0.0), flare(0.25), flare(days=())]
    assert said(nuclear, *alerts) == ["group 1", "group 1", "group 2", "often"]
    apart = good(
        detections=tuple({"jd": JD - age, "fid": G, "candid": age, "isdiffpos": "t", "distnr": 0.0} for age in (1, 2)),
        fid=G,
        distpsnr1=0.25,
        sgscore1=0.125,
        magnr=18.0,
        srmag1=18.0,
        distnr=0.0,
    )
    assert said(nuclear, apart) == ["often"]  # without magnitudes they do not count
    for point in apart["prv_candidates"]:
        point["magpsf"] = 19.0
    assert said(nuclear, apart) == ["group 3"]


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("positive", {"isdiffpos": "f"}),
        ("real", {"rb": below(0.3)}),
        ("real", {"drb": below(0.5)}),
        ("plane", {"ra": 266.4, "dec": -29.0}),
        ("asteroid", {"ssdistnr": below(12.0)}),
        ("group 1", {"distpsnr1": 1.0, "sgscore1": 0.3}),
        ("galaxy", {"distpsnr1": above(1.0)}),
        ("galaxy", {"distpsnr1": -999.0}),
        ("galaxy", {"sgscore1": above(0.3)}),
        ("faint", {"magnr": 12.0}),
        ("faint", {"srmag1": 12.0}),
        ("group 1", {"srmag1": -999.0}),
        ("young", {"jdstarthist": JD - 200.5}),
        ("contrast", {"magnr": below(18.75 - 2.5)}),
        ("group 1", {"magnr": 18.75 - 2.5}),
    ],
)
def test_each_cut_is_as_strict_as_it_says(nuclear, expected, fields):
    assert said(nuclear, flare(**fields)) == [expected]


def test_the_flare_lies_on_the_nucleus_in_the_median(nuclear):
    far = flare()
    for point in far["prv_candidates"]:
        point["distnr"] = 0.5
    assert said(nuclear, far) == ["offset"]
    far["prv_candidates"][0]["distnr"] = 9.0  # one bad position does no harm
    for point in far["prv_candidates"][1:]:
        point["distnr"] = 0.25
    assert said(nuclear, far) == ["group 1"]


def test_a_nucleus_that_fades_below_the_reference_varies(nuclear):
    varying = flare()
    varying["prv_candidates"][0]["isdiffpos"] = "f"
    assert said(nuclear, varying) == ["constant"]
