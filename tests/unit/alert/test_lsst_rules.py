"""What makes a packet an LSST alert: the values that identities and times rest on."""

import math

import pytest
from support.lsst_packets import container, dia_object, forced, frame, limit, packet, schema_with_limits, solar, source

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import LSST
from ampeld.errors import PoisonError
from ampeld.source.schemas import packaged


def reason(value):
    decoder = Decoder(10_000_000, LSST)
    decoder.frames.learn(1101, packaged(1101))
    decoded = decoder.decode([value])
    assert len(decoded.table) + len(decoded.poison) == 1
    return decoded.poison[0].reason if decoded.poison else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"diaSource": source(diaSourceId=0)}, "diaSource.diaSourceId: not between 1 and 2^63 - 1"),
        ({"diaSource": source(midpointMjdTai=math.nan)}, "diaSource.midpointMjdTai: not finite"),
        (
            {"diaSource": source(midpointMjdTai=2_460_000.5)},
            "diaSource.midpointMjdTai: no Julian date between 1721425.5 and 3380000.0",
        ),
        ({"diaSource": source(ra=361.0)}, "diaSource.ra: not between 0 and 360 degrees"),
        ({"diaSource": source(dec=-91.0)}, "diaSource.dec: not between -90 and 90 degrees"),
        ({"diaSource": source(ra=math.inf)}, "diaSource.ra: not finite"),
        ({"diaObject": dia_object(diaObjectId=0)}, "diaObject.diaObjectId: not between 1 and 2^63 - 1"),
        ({"diaObject": dia_object(diaObjectId=-4)}, "diaObject.diaObjectId: not between 1 and 2^63 - 1"),
        ({"prvDiaSources": [source(diaSourceId=-1)]}, "prvDiaSources[0].diaSourceId: not between 1 and 2^63 - 1"),
        (
            {"prvDiaForcedSources": [forced(), forced(midpointMjdTai=math.inf)]},
            "prvDiaForcedSources[1].midpointMjdTai: not finite",
        ),
    ],
)
def test_a_value_that_an_identity_or_a_time_rests_on_must_be_right(change, expected):
    assert reason(frame(packet(**change))) == expected


@pytest.mark.parametrize(
    "value",
    [
        frame(packet()),
        frame(solar()),
        frame(packet(prvDiaSources=None, prvDiaForcedSources=None)),
        frame(packet(prvDiaSources=[], prvDiaForcedSources=[])),
        frame(packet(diaSource=source(psfFlux=None, band=None, snr=None))),
        frame(packet(diaSource=source(psfFlux=math.nan, psfFluxErr=math.inf))),
        frame(packet(diaSource=source(midpointMjdTai=51_544.5))),
        container(packet(prvDiaNondetectionLimits=[limit(), limit(diaNoise=-1.0)]), schema_with_limits()),
    ],
)
def test_what_may_be_missing_makes_no_poison(value):
    assert reason(value) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"diaSource": None}, "diaSource: null"),
        ({"diaSource": source(midpointMjdTai=None)}, "diaSource.midpointMjdTai: null"),
        ({"diaObject": dia_object(diaObjectId=None)}, "diaObject.diaObjectId: not between 1 and 2^63 - 1"),
        ({"prvDiaSources": [None]}, "prvDiaSources[0]: null"),
        ({"prvDiaForcedSources": [forced(midpointMjdTai=None)]}, "prvDiaForcedSources[0].midpointMjdTai: null"),
        (
            {"prvDiaNondetectionLimits": [limit(midpointMjdTai=None)]},
            "prvDiaNondetectionLimits[0].midpointMjdTai: null",
        ),
    ],
)
def test_a_null_where_a_schema_allows_it_but_an_alert_does_not_is_named(change, expected):
    with pytest.raises(PoisonError) as caught:
        LSST.check_packet(packet(**change))
    assert str(caught.value) == expected
