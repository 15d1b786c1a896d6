import statistics

import numpy as np
import pytest
from fakes.table import JD
from hypothesis import given
from hypothesis import strategies as st
from support.filters import LOOSE, above, below, cuts_of, good, said

from ampeld.channel.ragged import RaggedColumn
from ampeld.channel.timedistribution import TimeDistributionFilter, clipped_duration

NIGHT = int(JD) + 0.25
CLEAR = {"magfromlim": 0.5, "isdiffpos": "t"}


def one(*ages, last=None, **params):
    """Return the verdict on an alert with detections of these ages [d], whole nights apart."""
    points = tuple({"jd": NIGHT - age, "candid": 20 + i, **CLEAR} for i, age in enumerate(ages))
    alert = good(detections=points, jd=NIGHT, **(CLEAR | (last or {})))
    return said(TimeDistributionFilter(**(LOOSE | params)), alert)[0]


@pytest.mark.parametrize(
    ("expected", "ages"),
    [
        ("duration", ()),
        ("duration", (2, 4)),
        ("accepted", (2, 5)),
        ("accepted", (1.2, 4.8)),  # five nights, whatever the hour
        ("accepted", (100, 200, 300, 360)),
        ("duration", (100, 200, 300, 361)),
        ("accepted", (2, 4, 6, 900)),  # a single detection long ago is left out
        ("duration", (1, 2, 3, 90)),
    ],
)
def test_the_nights_that_are_left_last_neither_too_short_nor_too_long(expected, ages):
    assert one(*ages) == expected


@pytest.mark.parametrize(
    ("expected", "last"),
    [
        ("accepted", {}),
        ("accepted", {"magfromlim": 0.1}),
        ("duration", {"magfromlim": below(0.1)}),
        ("duration", {"magfromlim": None}),
        ("isdiffpos", {"isdiffpos": "f"}),
    ],
)
def test_a_detection_must_be_significant(expected, last):
    assert one(2, 5, last=last) == expected


def test_the_parameters_are_looked_at():
    assert one(2, 5, min_masked_duration=above(5.0)) == "duration"
    assert one(2, 5, max_masked_duration=below(5.0)) == "duration"
    assert one(2, 5, min_magfromlim=0.6) == "duration"
    assert one(2, 4, 6, 900, jd_rej_sigma=1000.0) == "duration"


def test_what_decent_rejects_stays_rejected():
    assert one(2, 5, min_ndet=9) == "ndet"
    assert cuts_of(TimeDistributionFilter(**LOOSE))[-1] == "duration"


def clipped(dates, sigma):
    """Return the duration of one list, night by night."""
    nights = sorted({int(date) for date in dates})
    kept = list(nights)
    while kept:
        middle = statistics.median(kept)
        deviation = statistics.median(abs(night - middle) for night in kept)
        near = [night for night in nights if abs(night - middle) < deviation * (1.48 * sigma)]
        if len(near) >= len(kept):
            break
        kept = near
    return max(kept) - min(kept) if kept else 0


@given(
    st.lists(st.lists(st.integers(0, 400).map(lambda half: half / 2), max_size=9), max_size=6),
    st.sampled_from([1.0, 2.0, 5.0]),
)
def test_many_lists_are_clipped_as_each_alone(lists, sigma):
    offsets = np.cumsum([0, *map(len, lists)])
    dates = np.array([date for one in lists for date in sorted(one)], dtype=np.float64)
    jd = RaggedColumn(dates, np.zeros(len(dates), bool), offsets)
    assert clipped_duration(jd, sigma).values.tolist() == [clipped(one, sigma) for one in lists]
