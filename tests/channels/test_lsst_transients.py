"""The channel for LSST's transients, on LSST packets."""

import pytest
from support.lsst_packets import MJD, OBJECT_ID, SOURCE_ID, dia_object, frame, packet, solar, source

from ampeld.testing import assert_accepts, assert_no_errors, assert_rejects, run_channel

NUMBER = iter(range(1, 1000))


def transient(*history, **own):
    """Return an alert with detections of these ages [d], fluxes [nJy] and bands."""
    number = next(NUMBER)
    stock, candid = OBJECT_ID + number, SOURCE_ID + 1000 * number
    ids = {"diaObjectId": stock, "ra": 150.0, "dec": 2.0}
    past = [
        source(**ids, diaSourceId=candid + 1 + i, visit=i, midpointMjdTai=MJD - age, psfFlux=flux, band=band, snr=20.0)
        for i, (age, flux, band) in enumerate(history)
    ]
    bright = {"psfFlux": 6000.0, "band": "r", "reliability": 0.9, "snr": 60.0}
    return packet(
        diaSourceId=candid,
        diaSource=source(**(ids | {"diaSourceId": candid, "midpointMjdTai": MJD, "visit": 99} | bright | own)),
        prvDiaSources=past,
        prvDiaForcedSources=None,
        diaObject=dia_object(diaObjectId=stock),
    )


TWICE = ((3.0, 5000.0, "r"), (1.0, 5500.0, "r"))


def run(channels, *packets):
    done = run_channel(channels / "lsst_transients.toml", [frame(one) for one in packets])
    assert_no_errors(done)
    return done


def candid(packet):
    return packet["diaSourceId"]


def test_groups_tell_the_colour(channels):
    one_band = transient(*TWICE)
    blue = transient(*TWICE, (1.0, 7000.0, "g"))
    red = transient(*TWICE, (1.0, 5000.0, "g"))
    long_ago = transient(*TWICE, (2.5, 7000.0, "g"))
    done = run(channels, one_band, blue, red, long_ago)
    assert {alert.candid: alert.group for alert in done.accepted} == {
        candid(one_band): 3,
        candid(blue): 1,
        candid(red): 2,
        candid(long_ago): 3,
    }


@pytest.mark.parametrize(
    ("cut", "alert"),
    [
        ("positive", transient(*TWICE, psfFlux=-6000.0)),
        ("reliable", transient(*TWICE, reliability=0.5)),
        ("reliable", transient(*TWICE, reliability=None)),
        ("significant", transient(*TWICE, snr=6.5)),
        ("bright", transient(*TWICE, psfFlux=3000.0)),
        ("no dipole", transient(*TWICE, isDipole=True)),
        ("no edge", transient(*TWICE, pixelFlags_edge=True)),
        ("plane", transient(*TWICE, ra=266.4, dec=-29.0)),
        ("again", transient((3.0, 5000.0, "r"))),
        ("again", transient((3.0, 5000.0, "r"), (1.0, -5500.0, "r"))),
        ("lasting", transient((0.01, 5000.0, "r"), (0.0, 5500.0, "r"))),
        ("lasting", transient((101.0, 5000.0, "r"), (1.0, 5500.0, "r"))),
    ],
)
def test_each_cut_rejects_what_it_names(channels, cut, alert):
    assert_rejects(run(channels, alert), candid(alert), cut=cut)


def test_a_flag_that_is_not_set_or_not_looked_at_is_no_reason(channels):
    alerts = [transient(*TWICE, isDipole=False, pixelFlags_edge=False), transient(*TWICE, isDipole=None)]
    assert_accepts(run(channels, *alerts), [candid(alert) for alert in alerts])


def test_an_object_of_the_solar_system_is_not_accepted(channels):
    assert run(channels, solar()).accepted == []
