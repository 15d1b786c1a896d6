"""The points of an alert, as AMPEL shapes them."""

import math

import pytest
from support.ztf import TARBALLS, golden, tarball
from support.ztf_packets import CANDID, JD, candidate, detection, forced, limit, packet

from ampeld.alert.decode import Decoder
from ampeld.alert.shape import finite, shape
from ampeld.errors import PoisonError


@pytest.mark.golden
@pytest.mark.parametrize("name", TARBALLS)
def test_points_and_tags_are_those_of_ampel(name):
    alerts = golden(name)["alerts"]
    payloads = tarball(name)
    table = Decoder(10_000_000).decode([payloads[alert["alert"]] for alert in alerts]).table
    for row, alert in enumerate(alerts):
        assert [{"id": point.id, "tag": list(point.tag)} for point in table.heads(row)] == alert["shaped"]
        assert table.stock[row] == alert["stock"]
        assert max(point.jd for point in table.heads(row)) == alert["latest_jd"]


@pytest.mark.golden
def test_the_points_of_a_night_are_as_many_as_in_ampel():
    table = Decoder(10_000_000).decode(list(tarball(TARBALLS[1]).values())).table
    assert len({point.id for row in range(len(table)) for point in table.heads(row)}) == 771


def test_the_candidate_alone_is_full_and_comes_first():
    points = shape(packet())
    assert [(point.id > 0, point.full) for point in points] == [(True, True), (False, False), (True, False)]
    assert points[0].id == CANDID


def test_the_body_of_a_detection_lacks_candid_and_investigator_only():
    record = candidate(programpi="somebody", rb=0.5)
    body = shape(packet(candidate=record))[0].body
    assert body == {name: value for name, value in record.items() if name not in ("candid", "programpi")}


def test_the_body_of_a_limit_holds_five_values():
    point = shape(packet())[1]
    assert point.body == {"jd": JD - 5, "diffmaglim": 20.25, "rcid": 0, "fid": 1, "programid": 1}


def test_the_quadrant_comes_from_pid_where_it_is_not_stated():
    point = shape(packet(prv_candidates=[limit(rcid=None, pid=1241123455715)]))[1]
    assert (point.rcid, point.body["rcid"]) == (57, 57)


@pytest.mark.parametrize("value", [-0.5, -1006.94, None, math.nan, math.inf])
def test_a_limit_without_a_usable_magnitude_is_dropped(value):
    assert len(shape(packet(prv_candidates=[limit(diffmaglim=value)]))) == 1


@pytest.mark.parametrize(
    ("programid", "fid", "tags"),
    [
        (1, 1, ("ZTF", "ZTF_G", "ZTF_PUB")),
        (2, 2, ("ZTF", "ZTF_PRIV", "ZTF_R")),
        (3, 3, ("ZTF", "ZTF_I", "ZTF_PRIV", "ZTF_PUB")),
        (0, 9, ("ZTF", "ZTF_PRIV", "ZTF_PUB")),
    ],
)
def test_tags_say_survey_rights_and_band_in_order(programid, fid, tags):
    assert shape(packet(candidate=candidate(programid=programid, fid=fid)))[0].tag == tags


def test_a_number_that_comes_twice_gives_one_point_of_the_candidate_or_else_the_first():
    history = [detection(candid=CANDID, magpsf=1.0), detection(candid=7, magpsf=2.0), detection(candid=7, magpsf=3.0)]
    points = shape(packet(prv_candidates=history))
    assert [(point.id, point.body["magpsf"], point.full) for point in points] == [(CANDID, 18.5, True), (7, 2.0, False)]


def test_forced_photometry_gives_no_points():
    assert len(shape(packet(prv_candidates=None, fp_hists=[forced()]))) == 1


def test_what_is_not_finite_is_missing_in_a_body():
    body = shape(packet(candidate=candidate(rb=math.nan, fwhm=-math.inf, extra={"a": [math.nan, 1.0]})))[0].body
    assert (body["rb"], body["fwhm"], body["extra"]) == (None, None, {"a": [None, 1.0]})
    assert finite([math.inf, {"x": 1.0}, "text"]) == [None, {"x": 1.0}, "text"]


@pytest.mark.parametrize(
    "history",
    [
        [detection(candid=0)],
        [detection(candid=2**63)],
        [limit(jd=2400000.5)],
        [limit(diffmaglim=1e30)],
        [limit(rcid=None, pid=None)],
    ],
)
def test_a_point_that_cannot_be_numbered_is_poison(history):
    with pytest.raises(PoisonError):
        shape(packet(prv_candidates=history))
