"""When an object can be observed, beside AMPEL's visibility of fixed days and a series of the sun's motion."""

import math
import subprocess
import sys
from datetime import datetime, timedelta

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import EarthLocation
from astropy.time import Time
from hypothesis import given, settings
from support.curves import AWKWARD, light_curves, shuffled, ztf, ztf_detection, ztf_limit
from support.features import assert_described, measured, section

from ampeld.feature.units.observability import Observability
from ampeld.feature.units.sky_astropy import offline
from ampeld.feature.units.sky_night import Constraints, airmass, sun_altitude, visible_steps
from ampeld.params import ParameterError

PALOMAR = {"pos": {"lat": 33.3483717, "long": -116.85972959, "alt": 1680.0}}
ANDROMEDA = {"ra": 23.4621, "dec": 30.6599417}
NIGHT = 2458380.8
"""2018-09-19 07:12 UTC, before midnight at Palomar."""


def unit(**params):
    made = Observability(**{"observatories": {"P48": PALOMAR}, **params})
    made.open(None)
    return made


def curve(jd=NIGHT, **position):
    return ztf(ztf_detection(1, jd, **{**ANDROMEDA, **position}))


P48 = unit()
QUICK = {"nights": 1, "dt_min": 30.0}
FAST = unit(**QUICK)
ONE_NIGHT = unit(nights=1, dt_min=60.0)


@pytest.mark.golden
@pytest.mark.parametrize("number", range(3))
def test_the_visible_steps_of_a_day_are_those_of_ampel(number):
    golden = section("synthetic_observability")
    one = golden["compute_visibility"][number]
    site = EarthLocation.from_geodetic(golden["site"]["long"], golden["site"]["lat"], golden["site"]["alt"])
    times = Time(one["range"][0], scale="utc") + np.arange(288) * 5 * u.min
    with offline():
        steps = visible_steps((one["ra"], one["dec"]), site, times, sun=sun_altitude(site, times), limits=Constraints())
    seen = times[steps.visible]
    assert steps.dark.sum() == one["n_dark"]
    assert len(seen) == one["n_steps"]
    if one["n_steps"]:
        assert [seen[0].iso, seen[-1].iso] == [one["first"], one["last"]]


@pytest.mark.golden
def test_the_airmass_is_ampels():
    golden = section("synthetic_observability")
    for one in golden["airmass"]:
        found = airmass(np.radians(one["zenith_deg"]), golden["site"]["alt"])
        assert found == pytest.approx(one["airmass"], rel=1e-12)


@pytest.mark.golden
def test_the_unit_gives_nights_where_ampel_raises():
    assert section("synthetic_observability")["T2Observability"].startswith("ValueError")
    body = measured(P48, curve())
    assert_described(P48, body)
    night = body["P48"]["night1"]
    assert (night["start"], night["end"]) == ("2018-09-19 04:35:00.000", "2018-09-19 12:35:00.000")
    assert night["hours"] == pytest.approx(97 * 5 / 60)
    assert list(body["P48"]) == ["night1", "night2", "night3"]


def seconds_between(one, other):
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds())


def sun_times(year_day, lat, long):
    """Return sunset and sunrise [h UTC] by the series of the sun's declination and of the equation of time.

    Spencer 1971, Search 2, 172; good to a minute.
    """
    turn = 2 * math.pi * (year_day - 1) / 365
    dec = 0.006918 - 0.399912 * math.cos(turn) + 0.070257 * math.sin(turn)
    dec += -0.006758 * math.cos(2 * turn) + 0.000907 * math.sin(2 * turn)
    minutes = 229.18 * (0.000075 + 0.001868 * math.cos(turn) - 0.032077 * math.sin(turn))
    minutes += 229.18 * (-0.014615 * math.cos(2 * turn) - 0.040849 * math.sin(2 * turn))
    up = math.sin(math.radians(-0.8333)) - math.sin(math.radians(lat)) * math.sin(dec)
    half = math.degrees(math.acos(up / (math.cos(math.radians(lat)) * math.cos(dec)))) / 15
    noon = 12 - minutes / 60 - long / 15
    return noon + half, noon - half


@pytest.mark.parametrize(("date", "day", "next_day"), [("2018-03-20", 79, 80), ("2018-09-19", 261, 262)])
def test_the_sun_sets_and_rises_as_by_series_of_its_motion(date, day, next_day):
    lat, long = PALOMAR["pos"]["lat"], PALOMAR["pos"]["long"]
    night = measured(unit(nights=1, dt_min=15.0, date=f"{date}T07:00:00"), curve())["P48"]["night1"]
    for key, hours in (("sunset", sun_times(day, lat, long)[0] - 24), ("sunrise", sun_times(next_day, lat, long)[1])):
        expected = datetime.fromisoformat(date) + timedelta(hours=hours)
        assert seconds_between(night[key], str(expected)) < 150


def test_the_first_night_is_the_one_that_is_not_over():
    for jd, day in ((NIGHT, "19"), (NIGHT - 0.4, "19"), (NIGHT + 0.25, "19"), (NIGHT + 0.3, "20")):
        assert measured(FAST, curve(jd))["P48"]["night1"]["sunrise"][8:10] == day


def test_a_site_in_the_east_has_its_night_in_one_piece():
    siding = {"pos": {"lat": -31.27, "long": 149.07, "alt": 1165.0}}
    night = measured(unit(observatories={"SSO": siding}, **QUICK), curve(ra=350.0, dec=-40.0))["SSO"]["night1"]
    assert night["sunset"][:13] == "2018-09-19 07"
    assert night["sunrise"][:13] == "2018-09-19 19"
    assert night["sunset"] < night["start"] < night["end"] < night["sunrise"]


@pytest.mark.parametrize("date", [NIGHT + 100, "2018-12-28T07:12:00", "2018-12-27T23:12:00-08:00"])
def test_a_date_goes_before_the_time_of_the_points(date):
    body = measured(unit(date=date, **QUICK), curve())
    assert body == measured(FAST, curve(NIGHT + 100))
    assert body["P48"]["night1"]["sunrise"][:10] == "2018-12-28"


def test_narrower_constraints_give_a_shorter_time_within_the_wider_one():
    wide = measured(FAST, curve())["P48"]["night1"]
    for limits in ({"airmass_th": 1.2}, {"sun_alt_th": -18.0}, {"min_moon_dist": 100.0}):
        narrow = measured(unit(observatories={"P48": {**PALOMAR, "constraints": limits}}, **QUICK), curve())["P48"][
            "night1"
        ]
        assert narrow["hours"] < wide["hours"]
        assert narrow["start"] is None or wide["start"] <= narrow["start"] <= narrow["end"] <= wide["end"]


@pytest.mark.parametrize(
    ("given_", "position", "why"),
    [
        ({}, {"ra": 200.0, "dec": -80.0}, "airmass"),
        ({"constraints": {"min_moon_dist": 170.0}}, {}, "moon"),
        ({"constraints": {"sun_alt_th": -80.0}}, {}, "sun"),
    ],
)
def test_what_is_never_visible_has_the_reason(given_, position, why):
    body = measured(unit(observatories={"P48": {**PALOMAR, **given_}}, **QUICK), curve(**position))
    assert body["P48"]["night1"]["start"] is None
    assert body["P48"]["night1"]["hours"] == 0.0
    assert why in body["undefined"]["P48.night1.start"]


@pytest.mark.parametrize(("date", "hours"), [("2018-06-21", 0.0), ("2018-12-21", 24.0)])
def test_where_the_sun_does_not_set_or_rise_the_night_has_no_ends(date, hours):
    pole = {"pos": {"lat": 89.0, "long": 0.0}, "constraints": {"min_moon_dist": 0.0}}
    body = measured(unit(observatories={"pole": pole}, date=date, **QUICK), curve(ra=100.0, dec=80.0))
    night = body["pole"]["night1"]
    assert (night["sunset"], night["hours"]) == (None, hours)
    assert "horizon" in body["undefined"]["pole.night1.sunset"]


def test_a_far_future_needs_no_table_and_no_network():
    night = measured(unit(date="2049-09-19T07:12:00", **QUICK), curve())["P48"]["night1"]
    now = measured(FAST, curve())["P48"]["night1"]
    assert seconds_between("2018" + night["start"][4:], now["start"]) < 1800


OFFLINE = """
import socket, urllib.request
asked = []
def refuse(*whom, **_):  # what is raised here astropy would pass over
    asked.append(whom)
    raise OSError
socket.socket.connect = socket.create_connection = socket.getaddrinfo = urllib.request.urlopen = refuse
from ampeld.feature import LightCurve
from ampeld.feature.units.observability import Observability
unit = Observability(observatories={"P48": {"pos": {"lat": 33.3, "long": -116.9}}}, date="2031-01-10", nights=1, dt_min=30.0)
unit.open(None)
body = {"magpsf": 19.0, "sigmapsf": 0.1, "ra": 23.0, "dec": 30.0, "isdiffpos": "t"}
print(unit.measure(LightCurve("ztf", [(1, 2458380.8, body)]))["P48"]["night1"]["start"], asked)
"""


def test_a_fresh_process_measures_without_the_network(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", OFFLINE],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2031-01-10 0")
    assert done.stdout.endswith(" []\n")


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_curve_gives_values_or_reasons(name):
    made = ONE_NIGHT
    assert_described(made, measured(made, AWKWARD[name]))


@given(light_curves(max_size=4))
@settings(max_examples=15)
def test_no_curve_raises_and_the_order_of_points_is_nothing(curve):
    body = measured(ONE_NIGHT, curve)
    assert measured(ONE_NIGHT, shuffled(curve, 1)) == body


def test_without_detection_or_in_no_time_of_ours_there_is_a_reason():
    assert measured(FAST, ztf(ztf_limit(1, NIGHT)))["undefined"]["*"] == "no_detection"
    assert measured(FAST, curve(jd=1e7))["undefined"]["*"].startswith("out_of_limits")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"observatories": {}}, "observatories: none"),
        ({"observatories": {"x": {"pos": {"lat": 91.0, "long": 0.0}}}}, "lat -90 to 90"),
        ({"observatories": {"x": {"pos": {"lat": 1.0, "lon": 0.0}}}}, "lon"),
        ({"nights": 0}, "nights"),
        ({"dt_min": 0.1}, "dt_min"),
        ({"date": "tonight"}, "neither a JD nor a text"),
    ],
)
def test_a_wrong_parameter_is_named(params, message):
    with pytest.raises(ParameterError, match=message):
        Observability(**{"observatories": {"P48": PALOMAR}, **params})
