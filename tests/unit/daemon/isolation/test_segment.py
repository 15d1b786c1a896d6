import ctypes
import faulthandler
import mmap
import os
import pickle

import numpy as np
import pytest

from ampeld.daemon.isolation.segment import Attached, Segment


@pytest.fixture
def segment():
    made = Segment()
    yield made
    made.close()


def value(n, seed=0):
    chance = np.random.default_rng(seed)
    return {"floats": chance.random(n), "bytes": chance.integers(0, 255, n + 1, dtype=np.uint8), "text": "x" * n}


def same(one, two):
    return all(np.array_equal(one[key], two[key]) for key in one)


def test_what_is_put_is_taken(segment):
    attached = Attached(segment.shared)
    for n in (0, 1, 1000, 500_000, 10):  # it grows, and is not made smaller
        put = value(n, n)
        assert same(attached.take(segment.put(put)), put)


def test_arrays_are_not_copied_and_lie_aligned(segment):
    taken = Attached(segment.shared).take(segment.put(value(1000)))
    assert not taken["floats"].flags.owndata
    assert taken["floats"].ctypes.data % 64 == 0


def test_what_is_taken_cannot_be_written(segment):
    taken = Attached(segment.shared).take(segment.put(value(10)))
    with pytest.raises(ValueError, match="read-only"):
        taken["floats"][0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        taken["floats"].setflags(write=True)


def test_the_descriptor_that_is_given_away_cannot_be_written_through(segment):
    segment.put(value(10))
    with pytest.raises(PermissionError):
        mmap.mmap(segment.shared, 10)
    with pytest.raises(OSError):
        os.write(segment.shared, b"x")


def test_writing_past_the_array_guard_is_a_crash_and_changes_nothing(segment):
    put = value(10)
    taken = Attached(segment.shared).take(segment.put(put))
    pid = os.fork()
    if not pid:
        faulthandler.disable()  # it is meant
        ctypes.memset(taken["floats"].ctypes.data, 0, 8)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == 11
    assert same(taken, put)


def test_a_value_takes_no_more_than_its_pickle_and_its_arrays(segment):
    put = value(1000)
    sizes = segment.put(put)
    assert sizes[1:] == [put["floats"].nbytes, put["bytes"].nbytes]
    assert sizes[0] < len(pickle.dumps(put["text"])) + 500
