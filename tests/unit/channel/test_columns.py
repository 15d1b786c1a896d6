import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from fakes.table import JD, candidates, packet, table
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel.columns import Columns
from ampeld.channel.galactic import galactic


def truths(c):
    return [True if t else False if f else None for t, f in zip(c.true, c.false, strict=True)]


def plain(column):
    return [None if m else v for v, m in zip(column.values.tolist(), ~column.present.true, strict=True)]


def detection(days_before, candid, **fields):
    return {"jd": JD - days_before, "candid": candid, "fid": 1, "magpsf": 20.0, "isdiffpos": "t"} | fields


@pytest.fixture
def a():
    first = packet(
        detections=[detection(1, 9, fid=2, magpsf=18.5), detection(3, 8, isdiffpos="f")],
        limits=[{"jd": JD - 5, "diffmaglim": 20.5}, {"jd": JD - 9, "diffmaglim": 19.5}],
        fp_hists=[{"jd": JD - 2, "forcediffimflux": 7.0}],
    )
    return Columns(table(first, packet(candid=11)))


def test_a_field_of_the_candidate_is_a_column():
    assert plain(Columns(candidates("rb", 0.5, None, float("nan"))).rb) == [0.5, None, None]


def test_a_field_that_the_packets_lack_is_missing():
    assert plain(Columns(table(packet())).drb) == [None]


def test_identifiers_are_exact():
    assert plain(Columns(candidates("candid", 2475433850015010009)).candid) == [2475433850015010009]


@pytest.mark.parametrize(("text", "truth"), [("t", True), ("1", True), ("f", False), ("0", False), (None, None)])
def test_isdiffpos_is_a_condition(text, truth):
    assert truths(Columns(candidates("isdiffpos", text)).isdiffpos) == [truth]


def test_the_object_is_text():
    assert truths(Columns(table(packet(), packet(name="ZTF21bbbbbbb"))).object == "ZTF21bbbbbbb") == [False, True]


def test_length_is_the_number_of_alerts(a):
    assert len(a) == len(a.rb) == len(a.detections) == len(a.detections.jd) == 2


def test_detections_include_the_candidate_by_ascending_jd(a):
    assert plain(a.detections.count()) == [3, 1]
    assert plain(a.detections.candid.last()) == [10, 11]
    assert plain(a.detections.jd.span()) == [3, 0]
    assert plain(a.detections.candid.first()) == [8, 11]


def test_limits_and_forced_photometry_may_be_absent(a):
    assert plain(a.limits.count()) == [2, 0]
    assert plain(a.limits.diffmaglim.last()) == [20.5, None]
    assert plain(a.fp_hists.forcediffimflux.max()) == [7, None]


def test_points_are_selected_by_a_condition(a):
    green = a.detections[a.detections.fid == 1]
    assert plain(green.count()) == [2, 1]
    assert plain(green.magpsf.max()) == [20, 19]
    assert plain(green[green.magpsf < 20].candid.last()) == [10, 11]
    assert plain(green[green.magpsf < 20].count()) == [1, 1]
    assert plain(green[green.isdiffpos].count()) == [1, 1]
    assert plain(a.detections[a.detections.jd > a.jd - 2].count()) == [2, 1]


def test_points_are_positive_or_not(a):
    assert plain(a.detections.isdiffpos.count()) == [2, 1]
    assert truths(a.detections.isdiffpos.all()) == [False, True]


def test_selecting_points_by_something_else_is_explained(a):
    with pytest.raises(TypeError, match="selected by a condition"):
        a.detections[0]


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda a: a.magpfs, "no field 'magpfs'; did you mean 'magpsf'?"),
        (lambda a: a.detection, "did you mean 'detections'"),
        (lambda a: a.detections.magpfs, "detections have no field 'magpfs'; did you mean 'magpsf'?"),
        (lambda a: a.fp_hists.forcedifimflux, "did you mean 'forcediffimflux'"),
        (lambda a: a.quite_something_else, "no field 'quite_something_else'$"),
    ],
)
def test_an_unknown_field_is_told_with_the_nearest_one(a, look, message):
    with pytest.raises(AttributeError, match=message.replace("?", r"\?")):
        look(a)


def test_columns_are_read_only(a):
    with pytest.raises(AttributeError, match="read-only"):
        a.rb = 1
    with pytest.raises(AttributeError, match="read-only"):
        del a.rb
    with pytest.raises(AttributeError, match="read-only"):
        a.detections.jd = 1
    for array in (a.rb.values, a.jd.values, a.detections.jd.values, a.candid.values):
        with pytest.raises(ValueError):
            array[0] = 0
        with pytest.raises(ValueError):
            array.setflags(write=True)


def test_the_fields_are_listed(a):
    assert {"rb", "isdiffpos", "gal_lat", "detections"} <= set(dir(a))


def test_a_missing_position_has_no_latitude():
    assert plain(Columns(candidates("ra", None)).gal_lat) == [None]


@given(st.lists(st.tuples(st.floats(0, 360), st.floats(-90, 90)), min_size=1))
def test_galactic_coordinates_are_astropys(positions):
    ra, dec = np.array(positions).T
    expected = SkyCoord(ra * u.deg, dec * u.deg).galactic
    l_deg, b_deg = galactic(ra, dec)
    assert b_deg == pytest.approx(expected.b.deg, abs=1e-9)
    apart = (l_deg - expected.l.deg + 180) % 360 - 180
    assert apart * np.cos(np.radians(b_deg)) == pytest.approx(0, abs=1e-9)


def test_galactic_coordinates_reach_columns():
    a = Columns(table(packet(ra=266.405, dec=-28.936)))
    assert plain(a.gal_lat) == pytest.approx([0], abs=0.01)
    assert abs(plain(a.gal_lon)[0] % 360 - 360) < 0.01 or plain(a.gal_lon)[0] < 0.01
