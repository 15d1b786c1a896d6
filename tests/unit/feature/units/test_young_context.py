"""What YoungTransient knows of a transient's surroundings: asteroids, hosts, dust and distance."""

import math

import pytest
from support.curves import NIGHT, lsst, lsst_source, ztf, ztf_detection
from support.features import measured

from ampeld.feature.units.youngtransient import YoungTransient

UNIT = YoungTransient()


def body_of(*points, survey=ztf, **params):
    return measured(YoungTransient(**params), survey(*points))


def night(n, mag, **given):
    return ztf_detection(n, NIGHT + n, mag, **given)


def reasons(body):
    return {key: why.partition(":")[0] for key, why in body.get("undefined", {}).items()}


def test_two_detections_half_an_hour_apart_are_no_asteroid():
    twice = ztf_detection(1, NIGHT, 19.0), ztf_detection(2, NIGHT + 0.03125, 19.0)
    assert body_of(*twice)["stationary"] is True
    assert body_of(*twice, stationary_dt=0.05)["stationary"] is False
    assert body_of(twice[0])["stationary"] is False


def test_a_known_asteroid_is_seen():
    points = night(1, 19.0, ssdistnr=-999.0), night(2, 19.0, ssdistnr=2.0), night(3, 19.0, ssdistnr=7.0)
    body = body_of(*points)
    assert (body["sso"], body["n_ssmatch"]) == (True, 1)
    assert body_of(points[0])["sso"] is False
    assert reasons(body_of(night(1, 19.0)))["sso"] == "no_field"
    numbers = lsst_source(1, 60900, ssObjectId=17), lsst_source(2, 60901, ssObjectId=0)
    assert body_of(*numbers, survey=lsst)["n_ssmatch"] == 1


@pytest.mark.parametrize("value", [None, "near", [1.0], math.nan])
def test_what_is_no_number_is_no_match(value):
    fields = dict.fromkeys(("ssdistnr", "distpsnr1", "sgscore1", "ra", "dec"), value)
    body = body_of(night(1, 19.0, **fields))
    assert body["sso"] is False
    assert {reasons(body)[key] for key in ("host_sep", "sgscore")} == {"no_match"}
    assert reasons(body)["gal_b"] == "no_field"


def test_the_host_is_the_nearest_source_like_a_galaxy():
    near = {"distpsnr1": 0.4, "sgscore1": 0.9, "distpsnr2": 3.0, "sgscore2": 0.1, "distpsnr3": 2.0, "sgscore3": 0.2}
    body = body_of(night(1, 19.0, **near), night(2, 19.0))
    assert (body["host_sep"], body["sgscore"]) == (2.0, 0.9)
    none = dict.fromkeys(near, -999.0)
    assert reasons(body_of(night(1, 19.0, **none)))["host_sep"] == "no_match"
    assert reasons(body_of(night(1, 19.0)))["host_sep"] == "no_field"


def test_extinction_is_corrected_for_only_if_it_is_given():
    pair = night(1, 19.0), ztf_detection(2, NIGHT + 1, 18.5, fid=2)
    plain, corrected = body_of(*pair), body_of(*pair, extinction={"g": 0.3, "r": 0.2})
    assert plain["color_g_r_first"] == pytest.approx(0.5)
    assert corrected["color_g_r_first"] == pytest.approx(0.4)
    assert corrected["mag_first_g"] == pytest.approx(18.7)
    assert corrected["mag_first_err"] == pytest.approx(plain["mag_first_err"])


def test_the_redshift_is_that_of_another_unit_if_it_is_asked_for():
    unit = YoungTransient(redshifts={"max_redshift_category": 2})
    (dependency,) = unit.dependencies()
    assert (dependency.unit, dependency.params) == ("DigestRedshifts", {"max_redshift_category": 2})
    curve = ztf(night(1, 19.0))
    assert measured(unit, curve, {"ampel_z": 0.03})["abs_mag_peak"] == pytest.approx(-16.66, abs=0.01)
    assert reasons(measured(unit, curve, {"undefined": {"ampel_z": "no_match"}}))["abs_mag_peak"] == "no_redshift"
    assert reasons(measured(UNIT, curve))["redshift"] == "no_redshift"
    assert UNIT.dependencies() == ()
