import os

import pytest

from ampeld.daemon.isolation.marker import NOWHERE, Marker, Whereabouts


@pytest.fixture
def marker():
    fd = Marker.create()
    yield Marker(fd)
    os.close(fd)


def test_what_one_end_writes_the_other_reads():
    fd = Marker.create()
    ours, theirs = Marker(fd), Marker(fd)
    os.close(fd)
    theirs.begin(7)
    theirs.enter(3, 5, 99)
    assert ours.read() == Whereabouts(7, 3, 5, 99)


def test_a_channel_that_is_asked_about_all_alerts_is_at_none(marker):
    marker.begin(1)
    marker.enter(0, NOWHERE, 9)
    assert marker.read() == Whereabouts(1, 0, None, 9)


def test_after_the_last_channel_it_is_nowhere_and_was_somewhere(marker):
    marker.begin(1)
    marker.enter(0, NOWHERE, 9)
    marker.leave()
    assert marker.read() == Whereabouts(1, None, None, 9)


def test_a_new_batch_has_been_nowhere_yet(marker):
    marker.begin(1)
    marker.enter(2, 4, 9)
    marker.begin(2)
    assert marker.read() == Whereabouts(2, None, None, 0)
