"""LSST's points: numbers and tags as AMPEL gives them, times in UTC, and the object's record beside them."""

import math
from datetime import UTC, datetime

import astropy.time
import pytest
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st
from support.lsst_packets import MJD, OBJECT_ID, SOURCE_ID, dia_object, forced, limit, packet, solar, source
from support.shared import shared

from ampeld.alert.decode import Decoder
from ampeld.alert.identity import body_id
from ampeld.alert.lsst_shape import TAI_UTC_S, jd_of, object_of, shape, stock_of
from ampeld.alert.point import TIMELESS
from ampeld.alert.survey import LSST
from ampeld.source.schemas import packaged


def test_an_alert_gives_its_source_the_earlier_ones_forced_photometry_and_the_object():
    points = shape(packet(prvDiaNondetectionLimits=[limit()]))
    assert [point.tag for point in points] == [
        ("LSST", "LSST_DP", "LSST_R"),
        ("LSST", "LSST_DP", "LSST_R"),
        ("LSST", "LSST_FP", "LSST_I"),
        ("LSST", "LSST_G", "LSST_ND"),
        ("LSST", "LSST_OBJ"),
    ]
    assert [point.full for point in points] == [True, False, False, False, False]
    assert {point.programid for point in points} == {1}
    assert {point.rcid for point in points} == {None}


def test_bodies_hold_what_ampel_keeps_and_how_surely_a_detection_is_real():
    own, _, flux, nothing, record = shape(packet(prvDiaNondetectionLimits=[limit()]))
    assert own.body == {
        "band": "r",
        "dec": 2.0,
        "diaSourceId": SOURCE_ID,
        "isNegative": False,
        "midpointMjdTai": MJD,
        "psfFlux": 1000.0,
        "psfFluxErr": 50.0,
        "ra": 150.0,
        "reliability": 0.75,
        "snr": 20.0,
        "visit": 11,
    }
    assert set(flux.body) == {
        "band",
        "dec",
        "diaForcedSourceId",
        "midpointMjdTai",
        "psfFlux",
        "psfFluxErr",
        "ra",
        "visit",
    }
    assert nothing.body == limit()
    assert set(record.body) == {"dec", "decErr", "diaObjectId", "nDiaSources", "ra", "raErr", "ra_dec_Cov"}


def numbered(point):
    return {name: value for name, value in point.body.items() if name != "reliability"}


def test_numbers_are_hashes_of_what_ampel_keeps():
    for point in shape(packet(prvDiaNondetectionLimits=[limit()])):
        assert point.id == body_id(numbered(point))


def test_what_is_not_kept_does_not_change_a_number_and_what_is_kept_does():
    number = shape(packet())[0].id
    assert shape(packet(diaSource=source(reliability=0.1, apFlux=3.0)))[0].id == number
    assert shape(packet(diaSource=source(psfFlux=1000.5)))[0].id != number


def test_a_source_has_the_same_number_as_the_alert_s_own_and_in_a_later_history():
    later = packet(diaSource=source(diaSourceId=SOURCE_ID + 1, midpointMjdTai=MJD + 1), prvDiaSources=[source()])
    assert shape(packet())[0].id == shape(later)[1].id


def test_a_forced_source_that_is_a_source_is_left_out():
    history = [forced(diaForcedSourceId=SOURCE_ID), forced(diaForcedSourceId=SOURCE_ID - 1), forced()]
    points = shape(packet(prvDiaForcedSources=history))
    assert [p.body["diaForcedSourceId"] for p in points if "LSST_FP" in p.tag] == [9001]


def test_a_record_that_comes_twice_gives_one_point():
    assert len(shape(packet(prvDiaSources=[source(), source()], prvDiaForcedSources=None))) == 2


def test_an_alert_without_an_object_has_no_points():
    assert shape(solar()) == []


def test_the_object_s_record_has_no_time():
    assert shape(packet())[-1].jd == TIMELESS


def test_what_is_not_finite_is_missing_in_a_body_but_keeps_its_number():
    point = shape(packet(diaSource=source(psfFlux=math.nan)))[0]
    assert point.body["psfFlux"] is None
    assert point.id != body_id(numbered(point))
    assert point.id == shape(packet(diaSource=source(psfFlux=math.nan)))[0].id


def test_a_source_without_a_band_has_no_tag_of_one():
    assert shape(packet(diaSource=source(band=None)))[0].tag == ("LSST", "LSST_DP")


@given(st.permutations(["diaSource", "diaObject", "prvDiaSources", "prvDiaForcedSources"]), st.randoms())
def test_numbers_do_not_depend_on_the_order_of_fields(order, random):
    whole = packet()
    fields = list(whole["diaSource"].items())
    random.shuffle(fields)
    shuffled = {name: whole[name] for name in order} | {"diaSource": dict(fields)}
    assert [point.id for point in shape(shuffled)] == [point.id for point in shape(whole)]


def test_times_are_utc_to_a_tenth_of_a_millisecond():
    for day in (60_800.0, MJD, 61_400.123456):
        utc = astropy.time.Time(day, format="mjd", scale="tai").utc
        assert abs(jd_of(day) - utc.jd) * 86_400 < 1e-4


def test_no_leap_second_has_been_announced_that_we_do_not_know():
    table = iers.LeapSeconds.from_iers_leap_seconds(iers.IERS_LEAP_SECOND_FILE)
    assert table["tai_utc"][-1] == TAI_UTC_S
    assert datetime(int(table["year"][-1]), 1, 1, tzinfo=UTC) == datetime(2017, 1, 1, tzinfo=UTC)


@given(st.integers(1, 2**63 - 1))
def test_the_name_of_an_object_is_its_number(number):
    assert stock_of(object_of(number)) == number


def test_no_object_has_no_name_and_the_number_0():
    assert (object_of(None), stock_of("")) == ("", 0)


@pytest.mark.parametrize("name", ["0", "007", "-5", " 5", "5 ", "1e3", "ZTF18abcdefg", str(2**63), "\u0665", "1_000"])
def test_what_is_no_name_has_no_number(name):
    with pytest.raises(ValueError, match="diaObjectId"):
        stock_of(name)


def test_the_samples_of_rubin_have_these_points():
    decoder = Decoder(10_000_000, LSST)
    decoder.frames.learn(900, packaged(900))
    files = [shared("data", "lsst", name) for name in ("7912941781254298.avro", "fakeAlert_v10_0.avro")]
    table = decoder.decode([file.read_bytes() for file in files]).table
    assert table.candid.tolist() == [7912941781254298, 281323062375219200]
    assert table.object == ["7912941781254298", str(OBJECT_ID)]
    assert [head.id for head in table.heads(0)] == [8893837655575639310, -526325523174778786]
    assert [head.id for head in table.heads(1)] == [
        3242847948796308583,
        291021287011189834,
        -6457716104219995930,
        -8763950374038245587,
    ]
    assert table.heads(0)[0].tag == ("LSST", "LSST_DP", "LSST_R")
    assert table.body(0, table.heads(0)[0].index)["psfFlux"] == -1230.2757568359375


def test_an_object_seen_again_is_another_record_of_it():
    once, again = shape(packet())[-1], shape(packet(diaObject=dia_object(nDiaSources=3)))[-1]
    assert once.id != again.id
    assert once.body["diaObjectId"] == again.body["diaObjectId"] == OBJECT_ID
