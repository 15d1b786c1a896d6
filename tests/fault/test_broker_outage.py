"""The broker dies, comes back, or is gone when we are told to stop: waited out, and nothing is lost."""

import signal

import pytest
from support.broker import ends, make_topic
from support.daemons import until
from support.promises import check_all, check_commits, check_same
from support.servers import unique
from support.streams import night, produce

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(150)]


def test_a_broker_that_dies_twice_is_waited_out(own_broker, make_site):
    kafka = own_broker.address
    topic = make_topic(kafka, unique("broker"), partitions=3)
    site = make_site(topic, kafka=kafka)
    sent = []
    daemon = site.start()
    for round_ in (2, 4):
        before = site.rows()
        messages = night(round_, objects=40, visits=8, first=100 * round_)
        sent += produce(kafka, topic, messages, partitions=3, spread=False)
        until(lambda before=before: site.rows() > before, 40, "the daemon works")
        own_broker.kill()
        until(lambda: daemon.quiet_s() > 2, 40, "it waits")
        own_broker.start()
        messages = night(round_ + 1, objects=10, visits=8, first=100 * (round_ + 1))
        sent += produce(kafka, topic, messages, partitions=3, spread=False)
        number = len(sent)
        until(lambda number=number: len(site.stored_places()) == number, 60, "everything has a verdict")
        check_commits(site, sent)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    assert len(daemon.said("daemon.starting")) == 1
    seconds = [line["timestamp"][:19] for line in daemon.events()]
    assert max(map(seconds.count, set(seconds))) <= 20
    check_all(site, sent)
    calm = make_site(topic, kafka=kafka)
    calm.drain()
    check_same(site, calm, states=True)


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_told_to_stop_while_the_broker_is_gone_it_ends_in_time_and_loses_nothing(own_broker, make_site, fault):
    kafka = own_broker.address
    topic = make_topic(kafka, unique("gone"), partitions=3)
    site = make_site(topic, kafka=kafka)
    sent = produce(kafka, topic, night(2, objects=40, visits=8), partitions=3, spread=False)
    daemon = site.start()
    until(site.rows, 40, "the daemon works")
    getattr(own_broker, fault)()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(40) in (0, 75)
    own_broker.kill()
    own_broker.start()
    assert ends(kafka, [topic]).keys() == {(topic, number) for number in range(3)}
    site.drain()
    check_all(site, sent)
