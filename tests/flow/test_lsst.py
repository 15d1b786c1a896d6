"""LSST's alerts through the whole pipeline in memory: frames in, points, states and objects out."""

import random

import pytest
from fakes.source import MemorySource
from fakes.store import MemoryStore
from support.lsst_packets import MJD, OBJECT_ID, SOURCE_ID, alert, dia_object, forced, frame, packet, solar, source
from support.pipelines import channel, run
from support.shared import shared
from support.ztf_packets import encode as ztf_container
from support.ztf_packets import packet as ztf_packet

from ampeld.alert.decode import Decoder
from ampeld.alert.identity import link_of
from ampeld.alert.lsst_shape import jd_of
from ampeld.alert.survey import LSST
from ampeld.channel import Filter
from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import OBJECT_CUT, cut_name, is_accepted
from ampeld.source.schemas import Schemas
from ampeld.stages.reader import Reader

TOPIC = "lsst-alerts"


class Bright(Filter):
    """Accepts by names that both surveys have, and one of LSST's own."""

    def cuts(self, a):
        yield "bright", a.mag < 24.0
        yield "real", a.reliability >= 0.5
        yield "positive", a.flux > 0


async def flow(*values, channels, store=None, max_records=256):
    """Run frames through a pipeline; return the store."""
    store = store or MemoryStore()
    reader = Reader(Decoder(2 * 2**20, LSST), Schemas())
    await run(MemorySource({(TOPIC, 0): list(values)}), store, channels, reader=reader, max_records=max_records)
    return store


async def test_an_accepted_alert_becomes_points_an_object_and_a_state():
    store = await flow(frame(packet()), channels=[channel("bright", Bright())])
    assert sorted(tag for point in store.points.values() for tag in point["tag"] if tag.startswith("LSST_")) == [
        "LSST_DP",
        "LSST_DP",
        "LSST_FP",
        "LSST_I",
        "LSST_OBJ",
        "LSST_R",
        "LSST_R",
    ]
    document = store.objects[OBJECT_ID]
    assert (document.name, document.tag, document.channel) == ((str(OBJECT_ID),), ("LSST",), ("bright",))
    state = store.states[OBJECT_ID, document.state["bright"].link]
    assert state["dps"] == sorted(store.points)
    assert state["tag"] == ["LSST"]
    assert document.state["bright"].jd == jd_of(MJD)
    (own,) = [point for point in store.points.values() if point["body"].get("diaSourceId") == SOURCE_ID]
    assert own["first"] == {"topic": TOPIC, "partition": 0, "offset": 0}


async def test_every_record_ends_once_and_says_why():
    values = [
        frame(packet()),
        frame(alert(5, 50, psfFlux=100.0)),
        frame(solar()),
        b"\x00\x00\x00\x00\x07junk",
        ztf_container(ztf_packet()),
        b"no frame",
    ]
    store = await flow(*values, channels=[channel("bright", Bright())])
    rows = {coordinates.offset: row for coordinates, row in store.rows.items()}
    assert [rows[offset].outcome for offset in range(6)] == [
        Outcome.STORED,
        Outcome.FILTERED,
        Outcome.FILTERED,
        *[Outcome.DEAD_LETTERED] * 3,
    ]
    reasons = {letter.record.offset: letter.reason for letter in store.dead_letters.values()}
    assert reasons[3].startswith("schema 7 is none of those packaged")
    assert reasons[4].endswith("another survey's packet?")
    assert reasons[5].startswith("neither a Confluent frame")


@pytest.mark.parametrize("on_known", ["off", "bypass", "overrule"])
async def test_an_alert_without_an_object_is_filtered_by_every_channel_and_leaves_nothing(on_known):
    channels = [channel("all", on_known=on_known), channel("bright", Bright())]
    store = await flow(frame(solar()), frame(packet()), frame(solar()), channels=channels)
    rows = {coordinates.offset: row for coordinates, row in store.rows.items()}
    for offset in (0, 2):
        assert rows[offset].outcome is Outcome.FILTERED
        names = [cut_name(code, one.cut_names.names) for one, code in zip(channels, rows[offset].codes, strict=True)]
        assert names == [OBJECT_CUT, OBJECT_CUT]
    assert all(is_accepted(code) for code in rows[1].codes)
    assert set(store.objects) == {OBJECT_ID}
    assert not store.failures
    assert not store.dead_letters


async def test_a_batch_of_nothing_but_solar_system_objects_is_filtered():
    store = await flow(frame(solar()), frame(solar()), channels=[channel(), channel("bright", Bright())])
    assert {row.outcome for row in store.rows.values()} == {Outcome.FILTERED}
    assert not store.points


async def test_a_source_and_a_forced_one_of_one_time_both_make_the_state():
    both = packet(prvDiaSources=None, prvDiaForcedSources=[forced(midpointMjdTai=MJD, visit=11)])
    store = await flow(frame(both), channels=[channel()])
    (state,) = store.states.values()
    assert len(state["dps"]) == 3


async def test_later_alerts_find_their_history_again():
    first = packet(prvDiaSources=None, prvDiaForcedSources=None)
    second = packet(
        diaSourceId=SOURCE_ID + 1,
        diaSource=source(diaSourceId=SOURCE_ID + 1, midpointMjdTai=MJD + 2),
        prvDiaSources=[source()],
        prvDiaForcedSources=[forced(midpointMjdTai=MJD)],
        diaObject=dia_object(nDiaSources=3),
    )
    store = await flow(frame(first), frame(second), frame(second), channels=[channel()], max_records=1)
    assert [row.outcome for _, row in sorted(store.rows.items())] == [
        Outcome.STORED,
        Outcome.STORED,
        Outcome.DUPLICATE,
    ]
    kinds = sorted(tag for point in store.points.values() for tag in point["tag"] if tag[5:] in ("DP", "FP", "OBJ"))
    assert kinds == ["LSST_DP", "LSST_DP", "LSST_FP", "LSST_OBJ", "LSST_OBJ"]
    newest = store.states[OBJECT_ID, store.objects[OBJECT_ID].state["all"].link]
    assert len(newest["dps"]) == 4  # the object's record as the newest alert has it, and no older one
    assert newest["link"] == link_of(newest["dps"])


@pytest.mark.parametrize("seed", range(4))
async def test_states_depend_on_the_alerts_and_not_on_order_or_batches(seed):
    values = [
        frame(
            packet(
                diaSourceId=SOURCE_ID + i,
                diaSource=source(diaSourceId=SOURCE_ID + i, midpointMjdTai=MJD + i, psfFlux=1000.0 + i),
                prvDiaSources=[
                    source(diaSourceId=SOURCE_ID + j, midpointMjdTai=MJD + j, psfFlux=1000.0 + j) for j in range(i)
                ],
                prvDiaForcedSources=[forced(diaForcedSourceId=9000 + i, midpointMjdTai=MJD + i - 0.5)],
                diaObject=dia_object(nDiaSources=i + 1),
            )
        )
        for i in range(5)
    ]
    expected = await flow(*values, channels=[channel()])
    shuffled = values * 2
    random.Random(seed).shuffle(shuffled)
    found = await flow(*shuffled, channels=[channel()], max_records=1 + seed)
    assert found.points.keys() == expected.points.keys()
    for store in (expected, found):
        links = {store.objects[OBJECT_ID].state["all"].link}
        assert links <= {link for _, link in store.states}
    assert found.objects[OBJECT_ID].state == expected.objects[OBJECT_ID].state
    # A late alert may leave an earlier, poorer state behind; none of the right ones is missing.
    assert {link for _, link in expected.states} <= {link for _, link in found.states}


async def test_the_samples_of_rubin_are_stored():
    files = [shared("data", "lsst", name) for name in ("7912941781254298.avro", "fakeAlert_v10_0.avro")]
    store = await flow(*(file.read_bytes() for file in files), channels=[channel()])
    assert set(store.objects) == {7912941781254298, OBJECT_ID}
    assert {row.outcome for row in store.rows.values()} == {Outcome.STORED}


async def test_a_filter_for_ztf_is_told_so_on_its_first_batch():
    class Old(Filter):
        def cuts(self, a):
            yield "real", a.rb >= 0.5

    store = await flow(frame(packet()), channels=[channel("old", Old()), channel()])
    (failure,) = store.failures.values()
    assert "alerts have no field 'rb': that is ZTF's, and these are alerts of LSST" in failure.error
    assert set(store.objects) == {OBJECT_ID}
