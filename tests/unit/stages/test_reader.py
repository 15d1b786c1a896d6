"""Frames wait for their schemas: a registry that is away costs no alert, one that says no makes poison for a while."""

import asyncio

import pytest
from support.lsst_packets import frame, lsst_schema, packet

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import LSST, ZTF
from ampeld.errors import PoisonError, RetryableError
from ampeld.flow.pipe import open_pipe
from ampeld.flow.record import Batch, Record
from ampeld.source.schemas import packaged
from ampeld.stages.decode import decode
from ampeld.stages.reader import REFUSED_S, Reader


class Registry:
    """Answers what the test has put there, by number, in turn; the last answer stays."""

    def __init__(self, **answers):
        self.answers = {int(name.removeprefix("n")): list(given) for name, given in answers.items()}
        self.asked = []

    async def find(self, number):
        self.asked.append(number)
        given = self.answers[number]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def reader(registry, survey=LSST):
    made = Reader(Decoder(10_000_000, survey), registry)
    made.told = []
    made.on_trouble = made.told.append
    return made


async def test_every_schema_is_asked_for_once():
    registry = Registry(n900=[packaged(900)], n1101=[packaged(1101)])
    made = reader(registry)
    values = [frame(packet()), frame(packet(), 900), frame(packet())]
    await made.prepare(values)
    await made.prepare(values)
    assert sorted(registry.asked) == [900, 1101]
    assert made.decoder.decode(values).rows == [0, 1, 2]
    assert made.told == []


@pytest.mark.looptime
async def test_a_registry_that_is_away_is_waited_for_and_nothing_is_refused():
    registry = Registry(n1101=[*[RetryableError("nobody there")] * 40, packaged(1101)])
    made = reader(registry)
    await made.prepare([frame(packet())])
    assert len(registry.asked) == 41
    assert made.decoder.decode([frame(packet())]).poison == []
    assert made.told == ["nobody there"] * 40 + [None]


async def test_a_number_without_a_schema_makes_poison_and_the_others_go_on():
    registry = Registry(n7=[PoisonError("schema 7 is not known to the registry")], n1101=[packaged(1101)])
    made = reader(registry)
    values = [frame(packet(), 7, lsst_schema()), frame(packet())]
    await made.prepare(values)
    found = made.decoder.decode(values)
    assert found.rows == [1]
    assert [poison.reason for poison in found.poison] == ["schema 7 is not known to the registry"]


@pytest.mark.looptime
async def test_a_refusal_holds_for_a_minute_because_the_schema_may_come_later():
    registry = Registry(n1101=[PoisonError("not yet"), packaged(1101)])
    made = reader(registry)
    value = frame(packet())
    await made.prepare([value])
    await asyncio.sleep(REFUSED_S / 2)
    await made.prepare([value])
    assert len(registry.asked) == 1
    assert made.decoder.decode([value]).poison[0].reason == "not yet"
    await asyncio.sleep(REFUSED_S)
    await made.prepare([value])
    assert made.decoder.decode([value]).poison == []


async def test_containers_and_ztf_need_nobody():
    registry = Registry()
    await reader(registry, ZTF).prepare([frame(packet())])
    await Reader(Decoder(1000, LSST)).prepare([frame(packet())])
    assert registry.asked == []


@pytest.mark.looptime
async def test_the_stage_passes_batches_on_in_their_order_though_a_registry_was_away():
    registry = Registry(n900=[RetryableError("away"), packaged(900)], n1101=[packaged(1101)])
    made = reader(registry)
    seen = []
    to_decode, inbox = open_pipe("fetched", 4)
    outbox, decoded = open_pipe("decoded", 4)
    batches = [batch(frame(packet(), 900)), batch(frame(packet()), b"junk")]
    async with asyncio.TaskGroup() as tasks:
        stage = decode(
            inbox,
            outbox,
            reader=made,
            executor=None,
            on_schema=lambda *told: seen.append(told),
            on_decoded=lambda _: None,
        )
        tasks.create_task(stage, name="decode")
        with to_decode:
            for one in batches:
                await to_decode.send(one)
    results = [result async for result in decoded]
    assert [result.batch for result in results] == batches
    assert [len(result.table) for result in results] == [1, 1]
    assert [len(result.dead_letters) for result in results] == [0, 1]
    assert [(version, additions) for _, version, additions in seen] == [
        ("lsst.v9_0.alert", ()),
        ("lsst.v11_1.alert", ()),
    ]


def batch(*values):
    records = [
        Record(topic="lsst", partition=0, offset=offset, value=value, after=offset, through=offset)
        for offset, value in enumerate(values)
    ]
    return Batch(records, [], 0.0)
