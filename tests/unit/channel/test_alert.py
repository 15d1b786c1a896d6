import numpy as np
import pytest
from fakes.table import JD, packet, table

from ampeld.channel.alert import Alert


@pytest.fixture
def alert():
    history = {
        "detections": [
            {"jd": JD - 2, "candid": 9, "magpsf": 18.5, "fid": 2},
            {"jd": JD - 4, "candid": 8, "magpsf": None, "fid": None},
        ],
        "limits": [{"jd": JD - 1, "diffmaglim": 20.5}, {"jd": JD - 5, "diffmaglim": 19.5}, {"jd": JD - 9}],
    }
    return Alert(table(packet(candid=7), packet(rb=float("nan"), **history)), 1)


def test_an_alert_has_its_names(alert):
    assert (alert.object, alert.candid) == ("ZTF21abcdefg", 10)
    assert type(alert.candid) is int


def test_the_candidate_is_a_read_only_mapping(alert):
    assert alert.candidate["magpsf"] == alert.candidate.magpsf == 19.0
    assert alert.candidate.isdiffpos == "t"
    assert "magpsf" in alert.candidate
    assert dict(alert.candidate)["fid"] == 1
    with pytest.raises(TypeError):
        alert.candidate["magpsf"] = 1
    with pytest.raises(AttributeError):
        alert.candidate.magpsf = 1


def test_a_field_that_is_not_there_reads_as_none(alert):
    assert alert.candidate.drb is None
    assert alert.candidate.get("drb") is None
    with pytest.raises(KeyError):
        alert.candidate["drb"]


def test_a_number_that_is_not_finite_reads_as_none(alert):
    assert alert.candidate.rb is None
    assert alert.candidate["rb"] is None


def test_an_unknown_field_is_told_with_the_nearest_one(alert):
    with pytest.raises(AttributeError, match="did you mean 'magpsf'"):
        alert.candidate.magpfs  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'magpsf'"):
        alert.detections.magpfs  # noqa: B018


def test_detections_are_by_ascending_jd_with_the_candidate(alert):
    assert [d.candid for d in alert.detections] == [8, 9, 10]
    assert alert.detections[-1].magpsf == 19.0
    assert [d.age_days for d in alert.detections[:2]] == [4, 2]
    assert len(alert.detections) == 3


def test_a_field_of_all_points_is_an_array(alert):
    assert alert.detections.jd.tolist() == [JD - 4, JD - 2, JD]
    assert alert.detections.candid.dtype == np.int64
    assert np.array_equal(alert.detections.magpsf, [np.nan, 18.5, 19.0], equal_nan=True)
    assert np.array_equal(alert.detections.fid, [np.nan, 2, 1], equal_nan=True)
    assert alert.detections.isdiffpos.tolist() == [None, None, "t"]
    with pytest.raises(ValueError):
        alert.detections.jd[0] = 0


def test_limits_are_by_ascending_jd(alert):
    assert [limit.diffmaglim for limit in alert.limits] == [20.0, 19.5, 20.5]
    assert alert.limits.jd.tolist() == [JD - 9, JD - 5, JD - 1]


def test_the_history_tells_ages(alert):
    assert alert.history.last_limit.age_days == 1
    assert alert.history.last_limit_before.age_days == 5
    assert alert.history.first_detection.candid == 8
    assert alert.history.age_days == 4
    assert [point.age_days for point in alert.history.points] == [9, 5, 4, 2, 1, 0]


def test_an_alert_without_history_has_a_first_detection_and_no_limit():
    alert = Alert(table(packet()), 0)
    assert alert.history.last_limit is None
    assert alert.history.last_limit_before is None
    assert alert.history.age_days == 0
    assert len(alert.limits) == 0
    assert alert.limits.diffmaglim.tolist() == []
