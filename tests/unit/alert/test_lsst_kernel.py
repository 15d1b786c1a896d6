"""LSST's alerts by the kernel and by its oracle: the same verdicts and values, on frames made up and damaged."""

from hypothesis import given, settings
from hypothesis import strategies as st
from support.lsst_packets import MJD, container, dia_object, forced, frame, limit, packet, schema_with_limits, source
from support.tables import LIMIT, assert_same_batch, assert_same_table

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import LSST
from ampeld.source.schemas import PACKAGED, packaged

FLUX = st.none() | st.floats(width=32)
TIMES = st.sampled_from([MJD, MJD - 1, 51_544.5]) | st.floats()
NUMBERS = st.integers(-1, 5) | st.integers(-(2**63), 2**63 - 1)
POINT = {
    "midpointMjdTai": TIMES,
    "ra": st.floats(-1, 361) | st.floats(),
    "dec": st.floats(-91, 91) | st.floats(),
    "psfFlux": FLUX,
    "psfFluxErr": FLUX,
    "band": st.none() | st.sampled_from(["u", "y", "G", "", "zé"]),
    "visit": NUMBERS,
}
SOURCE = POINT | {
    "diaSourceId": NUMBERS,
    "snr": FLUX,
    "isNegative": st.none() | st.booleans(),
    "glint_trail": st.none() | st.booleans(),
    "ssObjectId": st.none() | NUMBERS,
}


def some(fields):
    """Return records with some of these fields given."""
    return st.fixed_dictionaries({}, optional=fields)


def few(make, fields):
    """Return histories: none, empty, or of a few records."""
    return st.none() | st.lists(some(fields).map(lambda given: make(**given)), max_size=3)


PACKETS = st.builds(
    lambda own, sources, points, thing: packet(
        diaSource=source(**own), prvDiaSources=sources, prvDiaForcedSources=points, diaObject=thing
    ),
    own=some(SOURCE),
    sources=few(source, SOURCE),
    points=few(forced, POINT | {"diaForcedSourceId": NUMBERS}),
    thing=st.none()
    | some({"diaObjectId": NUMBERS, "nDiaSources": st.integers(0, 99), "raErr": FLUX}).map(lambda g: dia_object(**g)),
)


def decoder(*, kernel):
    made = Decoder(LIMIT, LSST, kernel=kernel)
    for number in PACKAGED:
        made.frames.learn(number, packaged(number))
    return made


KERNEL, ORACLE = decoder(kernel=True), decoder(kernel=False)


@settings(max_examples=60)
@given(packets=st.lists(PACKETS, max_size=4), number=st.sampled_from(PACKAGED))
def test_any_values_are_the_same_columns_points_and_poison(packets, number):
    values = [frame(one, number) for one in packets]
    assert_same_batch(KERNEL.decode(values), ORACLE.decode(values))
    assert KERNEL.disagreements == 0


@settings(max_examples=60)
@given(at=st.integers(0, 2**16), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 2**16))
def test_damaged_frames_have_the_same_reason(at, byte, cut):
    value = bytearray(frame(packet()))
    value[at % len(value)] = byte
    values = [bytes(value[: None if cut is None else cut % len(value)]), frame(packet())]
    assert_same_batch(KERNEL.decode(values), ORACLE.decode(values))
    assert KERNEL.disagreements == 0


def test_limits_of_a_schema_that_has_them():
    alert = packet(prvDiaNondetectionLimits=[limit(), limit(midpointMjdTai=MJD - 40, diaNoise=3.0)])
    values = [container(alert, schema_with_limits(), codec) for codec in ("null", "deflate")]
    found = KERNEL.decode(values)
    assert_same_batch(found, ORACLE.decode(values))
    assert found.table.ragged("limits", "diaNoise").values.tolist() == [3.0, 20.0] * 2


def test_rows_of_several_schemas_may_be_selected():
    values = [frame(packet(), number) for number in PACKAGED]
    found, expected = KERNEL.decode(values).table, ORACLE.decode(values).table
    assert_same_table(found.select([3, 0]), expected.select([3, 0]))
    assert found.scalar("exposureTime").missing.tolist() == [True] * 4
    assert len(set(found.schema)) == 4
