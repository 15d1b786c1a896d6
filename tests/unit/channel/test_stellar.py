import pytest
from fakes.catalog import FakeCatalog
from fakes.table import JD
from support.filters import above, below, cuts_of, good, said

from ampeld.channel.stellar import StellarFilter
from ampeld.params import ParameterError

PARAMS = {
    "min_ndet": 2,
    "max_ndet": 4,
    "min_tspan": 1,
    "max_tspan": 100,
    "min_rb": 0.3,
    "require_ps_star": True,
    "require_gaia_star": False,
}
STAR = {"distpsnr1": 0.5, "sgscore1": 0.9, "magpsf": 18.0}


def point(age, mag, number=9):
    return {"jd": JD - age, "candid": number, "isdiffpos": "t", "magpsf": mag}


def flaring(*detections, **fields):
    return good(detections=detections or (point(20, 19.5),), **(STAR | fields))


def one(alert, **params):
    return said(StellarFilter(**(PARAMS | params)), alert)[0]


def test_a_star_that_has_brightened_is_accepted():
    assert one(flaring()) == "accepted"


def test_the_cuts_stand_in_ampels_order():
    assert cuts_of(StellarFilter(**(PARAMS | {"avoid_ps_confusion": True}))) == [
        *("ndet", "tspan", "isdiffpos", "rb", "drb", "fwhm", "elong", "magdiff", "archive_tspan", "max_mag"),
        *("flare", "ssdistnr", "gal_lat", "ps1_star", "ps1_confusion"),
    ]


@pytest.mark.parametrize(
    ("expected", "alert"),
    [
        ("ndet", flaring(*(point(20 + i, 19.5, i + 20) for i in range(4)))),
        ("accepted", flaring(*(point(20 + i, 19.5, i + 20) for i in range(3)))),
        ("tspan", flaring(point(100.5, 19.5))),
        ("isdiffpos", flaring(isdiffpos="0")),
        ("rb", flaring(rb=below(0.3))),
        ("fwhm", flaring(fwhm=above(5.5))),
        ("elong", flaring(elong=above(1.4))),
        ("magdiff", flaring(magdiff=above(1.0))),
        ("archive_tspan", flaring(jdstarthist=JD)),
        ("accepted", flaring(point(20, 19.0))),
        ("flare", flaring(point(20, below(19.0)))),
        ("flare", flaring(point(10, 19.5))),  # exactly at the limit of age: part of the flare
        ("accepted", flaring(point(10.5, 19.5))),
        ("ssdistnr", flaring(ssdistnr=below(20.0))),
        ("accepted", flaring(ra=266.4, dec=-29.0)),
        ("ps1_star", flaring(distpsnr1=1.0)),
        ("ps1_star", flaring(sgscore1=0.8)),
    ],
)
def test_the_limits_are_ampels(expected, alert):
    assert one(alert) == expected


def test_the_flare_is_a_difference_of_mean_magnitudes():
    before, now = (point(20, 20.0, 8), point(30, 19.0, 9)), point(2, 19.0, 11)
    assert one(flaring(*before, now, magpsf=18.0)) == "accepted"  # 19.5 - 18.5
    assert one(flaring(*before, now, magpsf=18.25)) == "flare"


def test_a_limit_of_zero_days_looks_for_no_flare():
    assert one(flaring(point(20, 17.0)), peak_time_limit=0) == "accepted"


def test_both_sides_of_the_plane_are_limited():
    assert one(flaring(), max_gal_lat=80) == "gal_lat"
    assert one(flaring(ra=266.4, dec=-29.0), min_gal_lat=5) == "gal_lat"


def test_magnitudes_are_limited():
    assert one(flaring(), max_mag=18.0) == "accepted"
    assert one(flaring(), max_mag=below(18.0)) == "max_mag"


def test_confusion_is_a_veto_only_where_it_is_asked_for():
    confused = flaring(**{f"distpsnr{i}": 0.5 for i in (1, 2, 3)}, **{f"sgscore{i}": 0.5 for i in (1, 2, 3)})
    assert one(confused, require_ps_star=False) == "accepted"
    assert one(confused, require_ps_star=False, avoid_ps_confusion=True) == "ps1_confusion"


def test_a_missing_field_is_no_error_and_does_not_pass():
    assert one(flaring(fwhm=None)) == "fwhm"


def gaia(**columns):
    star = {"phot_g_mean_mag": 16.0, "astrometric_excess_noise_sig": 0.0, "pmra": 9.0, "pmra_error": 1.0}
    star |= {"pmdec": 0.0, "pmdec_error": 1.0, "parallax": 0.0, "parallax_error": 1.0} | columns
    return FakeCatalog([190.0], [30.0], **{name: [value] for name, value in star.items()})


def test_a_star_of_gaia_must_be_there_where_it_is_required():
    required = StellarFilter(**(PARAMS | {"require_gaia_star": True}))
    assert list(required.catalogs()) == ["gaia"]
    assert said(required, flaring(), catalogs={"gaia": gaia()}) == ["accepted"]
    assert said(required, flaring(), catalogs={"gaia": gaia(pmra=3.0)}) == ["gaia_star"]
    assert said(required, flaring(ra=191.0), catalogs={"gaia": gaia()}) == ["gaia_star"]


def test_no_catalogue_is_needed_where_no_star_is_required():
    assert StellarFilter(**PARAMS).catalogs() == {}


def test_a_star_that_is_required_must_be_searched_for():
    with pytest.raises(ParameterError, match="gaia_rs"):
        StellarFilter(**(PARAMS | {"require_gaia_star": True, "gaia_rs": 0}))
