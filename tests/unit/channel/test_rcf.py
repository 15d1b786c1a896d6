import pytest
from fakes.table import JD, packet, table
from support.filters import GOOD, above, below, cuts_of, said

from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import judge
from ampeld.channel.rcf import RcfFilter
from ampeld.flow.verdict import ACCEPTED, REJECTION

PARAMS = {"min_dist_to_sso": 20.0, "min_gal_lat": 7.0, "min_age": 1.0, "max_ipac_age": 400.0, "max_magpsf": 19.0}
NOTHING = -999.0
BANDS = {f"s{band}mag{number}": NOTHING for band in "griz" for number in (1, 2, 3)}
CLEAN = GOOD | BANDS | {"magpsf": 18.0, "neargaia": NOTHING, "maggaia": NOTHING, "neargaiabright": NOTHING}
CLEAN |= {"maggaiabright": NOTHING, "magnr": NOTHING, "distnr": NOTHING, "jdstarthist": JD - 9}
OLD = {"jdstarthist": JD - 90.5}


def code(detections=(), params=None, **fields):
    """Return 1 where the alert is accepted, else the rejection code."""
    alert = packet(detections=[dict(point) for point in detections], **(CLEAN | fields))
    judgement = judge(RcfFilter(**(PARAMS | (params or {}))), table(alert), CutNames())
    assert judgement.failures == []
    found = int(judgement.codes[0])
    return 1 if found == ACCEPTED else REJECTION - found


def seen(age, mag, number, isdiffpos="t"):
    return {"jd": JD - age, "candid": number, "magpsf": mag, "isdiffpos": isdiffpos}


def test_a_clean_alert_is_accepted():
    assert code() == 1


def test_every_cut_says_its_code():
    assert cuts_of(RcfFilter(**PARAMS)) == [
        *("min_ndet (-1)", "has_keys (-2)", "isdiffpos (-3)", "max_magpsf (-4)", "min_gal_lat (-5)"),
        *("min_ssdistnr (-6)", "min_age (-7)", "max_ipac_age (-8)", "star_under (-9)", "is_not_real (-10)"),
        *("is_bright_star (-11)", "is_variable_star (-12)"),
    ]
    assert said(RcfFilter(**PARAMS), packet(**(CLEAN | {"magpsf": 20.0}))) == ["max_magpsf (-4)"]


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (-1, {"params": {"min_ndet": 2}}),
        (1, {"params": {"min_ndet": 2}, "detections": [seen(1, 18.0, 9)]}),
        (-2, {"drb": None}),
        (-2, {"jdstarthist": None}),
        (-3, {"isdiffpos": "f"}),
        (1, {"magpsf": 19.0}),
        (-4, {"magpsf": above(19.0)}),
        (-5, {"ra": 266.4, "dec": -29.0}),
        (-6, {"ssdistnr": below(20.0)}),
        (-6, {"ssdistnr": 0.0}),
        (1, {"ssdistnr": 20.0}),
        (1, {"jdstarthist": JD - 1}),
        (-7, {"jdstarthist": JD - 0.75}),
        (1, {"jdstarthist": JD - 400}),
        (-8, {"jdstarthist": JD - 400.5}),
        (1, {"jdstarthist": JD - 400.5, "params": {"max_ipac_age": 0}}),
        (1, {"jdendhist": None}),
    ],
)
def test_the_first_cuts_are_ampels(expected, fields):
    assert code(**fields) == expected


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (-9, {"sgscore1": above(0.76), "distpsnr1": below(2.0)}),
        (1, {"sgscore1": 0.76, "distpsnr1": below(2.0)}),
        (1, {"sgscore1": above(0.76), "distpsnr1": 2.0}),
        (1, {"sgscore1": 0.9, "distpsnr1": 0.0}),
        (-9, {"sgscore1": 0.25, "distpsnr1": 0.5, "srmag1": 21.0, "szmag1": 17.5}),
        (1, {"sgscore1": 0.25, "distpsnr1": 0.5, "srmag1": 21.0, "szmag1": 18.0}),
        (-9, {"sgscore1": 0.25, "distpsnr1": 0.5, "srmag1": 21.0, "simag1": 17.5}),
        (1, {"sgscore1": 0.2, "distpsnr1": 0.5, "srmag1": 21.0, "simag1": 17.5}),
        (1, {"sgscore1": 0.25, "distpsnr1": 1.0, "srmag1": 21.0, "simag1": 17.5}),
        (1, {"sgscore1": 0.25, "distpsnr1": 0.5, "srmag1": NOTHING, "simag1": 17.5}),
        (1, {"sgscore1": 0.25, "distpsnr1": 0.5, "srmag1": None, "simag1": 17.5}),
    ],
)
def test_a_star_underneath_is_code_9(expected, fields):
    assert code(**fields) == expected


GAIA = {"neargaia": 0.5, "maggaia": 16.5}
GALAXY = {"sgscore1": 0.5, "distpsnr1": 0.5}


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (-10, {"rb": below(0.2)}),
        (1, {"rb": 0.2}),
        (-10, {"rb": below(0.35)} | GAIA),
        (1, {"rb": 0.35} | GAIA),
        (1, {"rb": 0.3} | GAIA | {"maggaia": 17.0}),
        (1, {"rb": 0.3} | GAIA | {"neargaia": 1.0}),
        (1, {"rb": 0.3} | GAIA | {"neargaia": None}),
        (-10, {"rb": below(0.45), "neargaia": 1.25, "maggaia": 15.25}),
        (1, {"rb": 0.4, "neargaia": 1.25, "maggaia": 15.5}),
        (-10, {"rb": 0.3, "szmag1": 16.25} | GALAXY),
        (1, {"rb": 0.3, "szmag1": 16.5} | GALAXY),
        (-10, {"rb": 0.3, "simag1": 16.75} | GALAXY),
        (1, {"rb": 0.3, "simag1": 16.75} | GALAXY | {"sgscore1": 0.49}),
        (-10, {"rb": 0.4, "srmag1": 15.25} | GALAXY | {"distpsnr1": 1.25}),
        (1, {"rb": 0.4, "srmag1": 15.25} | GALAXY | {"distpsnr1": 1.5}),
        (-10, {"drb": 0.4, "distpsnr1": 2.5, "srmag1": 15.9, "sgscore1": 0.2} | OLD),
        (1, {"drb": 0.4, "distpsnr1": 2.5, "srmag1": 15.9, "sgscore1": 0.2, "jdstarthist": JD - 90}),
        (-10, {"drb": 0.4, "distpsnr1": 1.0, "srmag1": 31.0, "simag1": 17.9} | OLD),
        (-10, {"drb": 0.7, "distpsnr1": 1.25, "srmag1": NOTHING, "szmag1": 15.25, "sgscore1": 0.2} | OLD),
        (-10, {"drb": 0.7, "distpsnr1": 0.75, "srmag1": 17.25} | OLD),
        (1, {"drb": 0.8, "distpsnr1": 0.75, "srmag1": 17.25} | OLD),
        (-10, {"params": {"min_rb": 0.95}}),
        (-10, {"params": {"min_drb": 0.95}}),
        (1, {"params": {"min_rb": 0.9, "min_drb": 0.9}}),
    ],
)
def test_an_artefact_is_code_10(expected, fields):
    assert code(**fields) == expected


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (-11, {"neargaiabright": 19.5, "maggaiabright": 11.5}),
        (1, {"neargaiabright": 20.0, "maggaiabright": 11.5}),
        (1, {"neargaiabright": 19.5, "maggaiabright": 12.0}),
        (-11, {"distpsnr3": 19.5, "sgscore3": above(0.9), "szmag3": 13.5}),
        (1, {"distpsnr3": 19.5, "sgscore3": 0.9, "szmag3": 13.5}),
        (1, {"distpsnr3": 19.5, "sgscore3": 0.95, "szmag3": 14.0}),
        (1, {"distpsnr3": 20.0, "sgscore3": 0.95, "szmag3": 13.5}),
        (1, {"distpsnr3": 19.5, "sgscore3": 0.95, "sgmag3": 13.5}),
    ],
)
def test_a_bright_star_nearby_is_code_11(expected, fields):
    assert code(**fields) == expected


BRIGHT = [seen(2, 18.9, 8), seen(3, 18.9, 9)]
REFERENCE = {"magnr": 19.25, "distnr": 0.3, "magpsf": 18.75}


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (-12, {"detections": BRIGHT} | REFERENCE | OLD),
        (1, {"detections": BRIGHT} | REFERENCE | {"jdstarthist": JD - 90}),
        (1, {"detections": BRIGHT[:1]} | REFERENCE | OLD),
        (-12, {"detections": BRIGHT[:1], "params": {"max_ipac_age": 999}} | REFERENCE | {"jdstarthist": JD - 365.5}),
        (1, {"detections": [BRIGHT[0], seen(3, 19.5, 9)]} | REFERENCE | OLD),  # not bright
        (1, {"detections": [BRIGHT[0], seen(3, 18.9, 9, "f")]} | REFERENCE | OLD),  # not positive
        (1, {"detections": BRIGHT} | REFERENCE | OLD | {"distnr": 0.4}),
        (-12, {"detections": BRIGHT} | REFERENCE | OLD | {"magnr": 17.25, "distnr": 0.75}),
        (-12, {"detections": BRIGHT} | REFERENCE | OLD | {"magnr": 15.25, "distnr": 1.125}),
        (1, {"detections": BRIGHT} | REFERENCE | OLD | {"magpsf": 18.25}),  # brighter than ever, and than 18.5
        (-12, {"neargaia": 0.3, "maggaia": 16.5, "jdstarthist": JD - 30.5}),
        (1, {"neargaia": 0.3, "maggaia": 16.5, "jdstarthist": JD - 30}),
        (1, {"neargaia": 0.35, "maggaia": 16.5, "jdstarthist": JD - 30.5}),
        (-12, {"neargaia": 0.3, "maggaia": 18.5, "magpsf": 18.75, "jdstarthist": JD - 300.5}),
        (1, {"neargaia": 0.3, "maggaia": 18.5, "magpsf": 18.5, "jdstarthist": JD - 300.5}),
        (-12, {"neargaia": 0.15, "maggaia": 17.5} | OLD),
        (1, {"neargaia": 0.2, "maggaia": 17.5} | OLD),
        (-12, {"sgscore1": 0.3, "distpsnr1": 2.5, "srmag1": 17.0, "szmag1": 15.5} | OLD),
        (1, {"sgscore1": 0.3, "distpsnr1": 2.5, "srmag1": NOTHING, "szmag1": 15.5} | OLD),
        (-12, {"sgscore1": 0.5, "distpsnr1": 0.25, "srmag1": 16.75} | OLD),
        (1, {"sgscore1": 0.5, "distpsnr1": 0.5, "srmag1": 16.75} | OLD),
        (-12, {"detections": [seen(2, 17.0, 9)], "magnr": 16.75, "distnr": 0.45} | OLD),
        (1, {"detections": [seen(2, 17.0, 9)], "magnr": 17.0, "distnr": 0.45} | OLD),
        (1, {"magnr": 16.75, "distnr": 0.45} | OLD),  # at its brightest
    ],
)
def test_a_variable_is_code_12(expected, fields):
    assert code(**fields) == expected


def test_upper_limits_are_no_detections():
    alert = packet(limits=[{"jd": JD - 2}, {"jd": JD - 3}], **CLEAN)
    assert said(RcfFilter(**(PARAMS | {"min_ndet": 2})), alert) == ["min_ndet (-1)"]


def test_what_is_missing_speaks_for_no_rule():
    assert (
        code(**dict.fromkeys([*BANDS, "neargaia", "maggaia", "neargaiabright", "maggaiabright", "magnr", "distnr"]))
        == 1
    )
