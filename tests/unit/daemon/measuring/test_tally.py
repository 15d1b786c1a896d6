"""The log names whose unit failed, and how often, without a line for each."""

import msgspec
import pytest
from structlog.testing import capture_logs
from support.pipelines import channel

from ampeld.daemon.measuring.tally import AGAIN_S, Tally
from ampeld.feature.work import Measurement
from ampeld.flow.codes import EXCEPTION, NEW, TOO_MANY_TRIALS
from ampeld.store.documents import FeatureKey

KEY = FeatureKey(1, "t1", "decay.py:Decay", 5, 11)


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def tally(now):
    made = Tally("ztf", lambda: now[0])
    made.channels = [channel("a"), channel("b")]
    return made


def test_a_failure_is_told_with_unit_object_channels_and_whom_to_ask(tally):
    with capture_logs() as lines:
        tally.tell(KEY, ["a"], code=EXCEPTION, error="Traceback\nValueError: no")
    (line,) = lines
    assert line["event"] == "feature.failed"
    assert (line["unit"], line["object"], line["channels"]) == ("decay.py:Decay", "ZTF18aaaaaaa", ["a"])
    assert line["contact"] == [tally.channels[0].contact]
    assert line["error"].endswith("ValueError: no")


def test_a_unit_that_fails_again_and_again_is_told_twice_a_minute(tally, now):
    with capture_logs() as lines:
        for _ in range(100):
            tally.tell(KEY, ["a"], code=EXCEPTION, error="no")
        tally.tell(msgspec.structs.replace(KEY, unit="Other"), ["a"], code=EXCEPTION, error="no")
        now[0] = AGAIN_S
        tally.tell(KEY, ["a"], code=EXCEPTION, error="no")
    assert [(line["unit"], line["failed_meanwhile"]) for line in lines] == [
        ("decay.py:Decay", 0),
        ("Other", 0),
        ("decay.py:Decay", 99),
    ]


def test_what_is_tried_again_is_told_as_that_and_hides_no_failure_for_good(tally):
    with capture_logs() as lines:
        tally.tell(KEY, ["a"], code=NEW, error="took longer than 60 s", trial=(1, 5))
        tally.tell(KEY, ["a"], code=TOO_MANY_TRIALS, error="took longer than 60 s")
    again, ended = lines
    assert (again["trial"], again["of"], "code" in again) == (1, 5, False)
    assert "tried again" in again["meaning"]
    assert (ended["code"], ended["meaning"]) == (TOO_MANY_TRIALS, "too_many_trials")


def test_an_object_whose_number_is_no_name_is_told_by_its_number(tally):
    with capture_logs() as (lines):
        tally.tell(msgspec.structs.replace(KEY, stock=-5), [], code=EXCEPTION, error="no")
    assert lines[0]["object"] == "-5"


def test_measurements_are_counted_by_unit_and_place(tally):
    tally.measured("A", Measurement(0, {}, None, 2.0), in_flow=True)
    tally.measured("A", Measurement(EXCEPTION, None, "no", 4.0), in_flow=False)
    tally.waiting({"A": (3, 12.0), "B": (1, None)})
    assert tally.status() == {
        "A": {
            "in_flow": 1,
            "from_tickets": 1,
            "failed": 1,
            "retried": 0,
            "ms": 6.0,
            "waiting": 3,
            "since": 12.0,
            "mean_ms": 3.0,
        },
        "B": {
            "in_flow": 0,
            "from_tickets": 0,
            "failed": 0,
            "retried": 0,
            "ms": 0.0,
            "waiting": 1,
            "since": None,
            "mean_ms": None,
        },
    }
    tally.waiting({})
    assert tally.of("A").waiting == 0
