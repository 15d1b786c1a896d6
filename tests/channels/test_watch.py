"""The channel that watches known objects."""

import pytest
from support.ztf_packets import CANDID, candidate, encode, packet

from ampeld.testing import assert_accepts, assert_rejects, run_channel

T_CRB = 239.875667, 25.920172
MRK_421 = 166.113808, 38.208833


def at(number, place, north_arcsec=0.0):
    ra, dec = place
    own = candidate(candid=CANDID + number, ra=ra, dec=dec + north_arcsec / 3600)
    return encode(packet(objectId=f"ZTF20aaaaaa{'abcdefgh'[number]}", candid=CANDID + number, candidate=own))


@pytest.fixture(scope="module")
def run(channels):
    places = [(T_CRB, 0.0), (T_CRB, 2.4), (T_CRB, 2.6), (MRK_421, -1.9), (MRK_421, -2.1)]
    return run_channel(channels / "watch.toml", [at(number, *place) for number, place in enumerate(places)])


def test_what_lies_in_a_circle_is_accepted(run):
    assert_accepts(run, [CANDID, CANDID + 1, CANDID + 3])
    assert len(run.accepted) == 3


def test_what_lies_beside_it_is_not(run):
    assert_rejects(run, [CANDID + 2, CANDID + 4], cut="watched")
