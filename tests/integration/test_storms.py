"""A survey that changes its format overnight: the partition is held, not moved into the dead letters."""

import asyncio
import signal

import pytest
from support.broker import make_topic
from support.daemons import until
from support.servers import send, unique
from support.streams import night

pytestmark = [pytest.mark.kafka, pytest.mark.mongodb]

STORM = 5000


def test_a_storm_of_poison_holds_its_partition_and_no_other(kafka, make_site):
    topic = make_topic(kafka, unique("storm"), partitions=2)
    asyncio.run(send(kafka, topic, [(None, b"another format", 0)] * STORM))
    site = make_site(topic, **{"source.max_batch": 64})
    daemon = site.start()
    until(lambda: daemon.said("source.held"), 60, "the partition is held")
    assert daemon.status()["held"] == [f"{topic}/0"]
    alerts = night(5, objects=4, visits=3)
    asyncio.run(send(kafka, topic, [(None, alert.payload, 1) for alert in alerts]))
    until(lambda: sum(place[1] for place in site.stored_places()) == len(alerts), 40, "the other one is read")
    assert 100 <= site.db["dead_letters"].count_documents({}) < STORM / 2
    (told,) = daemon.said("source.held")
    assert (told["topic"], told["partition"], told["newest"]) == (topic, 0, "not an Avro object container")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
