"""What cannot be read becomes exactly one dead letter with its payload and a reason, and the next good alert is stored."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from support.broker import committed, ends, make_topic
from support.poison import kinds
from support.promises import check_outcomes, ledger
from support.servers import send, unique
from support.streams import Message, Sent, night

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb]

MIB = 2**20
LARGE = [("a large message", b"\x00" * (3 * MIB), "2097152"), ("a very large message", b"\x01" * (16 * MIB), "2097152")]


def goods(count):
    """Return alerts that somebody accepts."""
    return [m for m in night(3, objects=count, visits=6) if m.takers][:count]


async def send_bomb(kafka, topic):
    size = 100 * MIB
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, compression_type="zstd", max_batch_size=2 * size, max_request_size=2 * size
    )
    await producer.start()
    bomb = producer.create_batch()
    for value in (b"small", bytes(64 * MIB), b"small too"):
        assert bomb.append(key=None, value=value, timestamp=None)
    bomb.close()
    await (await producer.send_batch(bomb, topic, partition=0))
    await producer.stop()


def test_each_kind_of_poison_is_one_dead_letter_and_the_next_alert_is_stored(kafka, make_site):
    topic = make_topic(kafka, unique("poison"), partitions=1)
    poison = [*kinds(), *LARGE]
    alerts = goods(len(poison) + 1)
    parcels = [
        (b"key", payload, 0) for pair in zip(poison, alerts, strict=False) for payload in (pair[0][1], pair[1].payload)
    ]
    offsets = asyncio.run(send(kafka, topic, parcels))
    site = make_site(topic)
    daemon = site.drain()
    sent = [
        Sent(
            topic,
            0,
            offset,
            alerts[number // 2] if number % 2 else Message("", 0, poison[number // 2][1], frozenset(), poison=True),
        )
        for number, offset in enumerate(offsets)
    ]
    check_outcomes(site.db, sent)
    letters = {letter["offset"]: letter for letter in site.db["dead_letters"].find()}
    assert letters.keys() == {one.offset for one in sent if one.message.poison}
    for (kind, payload, words), offset in zip(poison, offsets[::2], strict=True):
        letter = letters[offset]
        found = letter["payload"] if letter["file"] is None else Path(letter["file"]).read_bytes()
        assert found == payload, kind
        assert words in letter["reason"], f"{kind}: {letter['reason']}"
        assert len(letter["reason"]) < 1000, kind
        assert (letter["file"] is not None) == (len(payload) > 15 * MIB)
    assert ledger(site, committed(kafka, site.group, [topic])).balanced
    assert not daemon.said("daemon.failed")


def test_a_bomb_of_a_batch_is_one_dead_letter_for_all_its_offsets(kafka, make_site):
    topic = make_topic(kafka, unique("bomb"), partitions=1)
    alerts = goods(2)
    asyncio.run(send(kafka, topic, [(None, alerts[0].payload, 0)]))
    asyncio.run(send_bomb(kafka, topic))
    asyncio.run(send(kafka, topic, [(None, alerts[1].payload, 0), (b"key", None, 0), (None, alerts[0].payload, 0)]))
    site = make_site(topic)
    site.drain()
    stored = {point["_id"] for point in site.db["t0"].find({"first": {"$exists": True}})}
    assert stored == {alert.candid for alert in alerts}
    bomb, tombstone = site.db["dead_letters"].find().sort("offset")
    assert (bomb["offset"], bomb["through"]) == (1, 3)
    assert "inflates" in bomb["reason"]
    assert len(bomb["payload"]) < 20_000
    assert (tombstone["offset"], tombstone["reason"]) == (5, "empty payload")
    offsets = committed(kafka, site.group, [topic])
    assert offsets == ends(kafka, [topic]) == {(topic, 0): 7}
    report = ledger(site, offsets)
    assert report.balanced, report.problems
    assert (report.received, report.dead_lettered, report.duplicate) == (5, 2, 1)


def test_a_filter_that_raises_costs_no_alert_and_no_other_channel(kafka, make_site):
    topic = make_topic(kafka, unique("raising"), partitions=1)
    alerts = goods(30)
    offsets = asyncio.run(send(kafka, topic, [(None, alert.payload, 0) for alert in alerts]))
    site = make_site(topic)
    code = "from ampeld.channel import Filter\n\n\nclass Broken(Filter):\n    def accept(self, alert):\n        return 1 // 0\n"
    (site.directory / "channels" / "broken.py").write_text(code)
    (site.directory / "channels" / "broken.toml").write_text('filter = "broken.py:Broken"\ncontact = "a@example.org"\n')
    site.drain()
    check_outcomes(site.db, [Sent(topic, 0, offset, alert) for offset, alert in zip(offsets, alerts, strict=True)])
    assert site.db["dead_letters"].count_documents({}) == 0
    failures = list(site.db["channel_errors"].find())
    assert failures
    assert all("ZeroDivisionError" in failure["traceback"] for failure in failures)
    report = ledger(site, committed(kafka, site.group, [topic]))
    assert report.balanced, report.problems
    assert report.channels["broken"].errored == len(failures)
    assert report.channels["broken"].skipped == len(alerts) - len(failures)
