"""Several daemons of one group that come, leave and die under load, an object's alerts spread over all of them."""

import signal

import pytest
from support.broker import make_topic
from support.daemons import until
from support.load import Load
from support.promises import check_all, check_commits, check_same
from support.servers import need_apache, unique

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(150)]


def works(site, daemon):
    """Tell whether a daemon has written a verdict block in its present life."""
    runs = [line["run"] for line in daemon.said("daemon.starting")]
    return runs and site.db["verdict_blocks"].find_one({"run": runs[-1]})


def test_three_daemons_that_join_leave_and_die_under_load_lose_and_double_nothing(kafka, make_site):
    topic = make_topic(kafka, unique("group"), partitions=6)
    site = make_site(topic)
    with Load(kafka, topic, partitions=6) as load:
        first, second, third = (site.start(name) for name in ("first", "second", "third"))
        for daemon in (first, second, third):
            until(lambda daemon=daemon: works(site, daemon), 40, f"{daemon.name} has its share")
        check_commits(site, list(load.sent))
        first.signal(signal.SIGTERM)
        assert first.wait(20) == 0
        second.kill()
        check_commits(site, list(load.sent))
        second.launch()
        first.launch()
        until(lambda: works(site, second) and works(site, first), 40, "those that came back have their share")
        third.kill()
        check_commits(site, list(load.sent))
    for daemon in (first, second):
        daemon.signal(signal.SIGTERM)
    assert [daemon.wait(30) for daemon in (first, second)] == [0, 0]
    site.drain()
    check_all(site, load.sent)
    calm = make_site(topic)
    calm.drain()
    check_same(site, calm, states=False)


def test_a_daemon_that_sleeps_through_its_session_wakes_up_to_partitions_that_are_not_its_own(kafka, make_site):
    need_apache()  # Tansu may never again let anybody into a group with a member that slept
    topic = make_topic(kafka, unique("asleep"), partitions=4)
    site = make_site(topic)
    with Load(kafka, topic, partitions=4) as load:
        sleeper, other = site.start("sleeper"), site.start("other")
        until(lambda: works(site, sleeper) and works(site, other), 40, "both have their share")
        sleeper.freeze()
        assignments = len(other.said("source.assigned"))
        until(lambda: len(other.said("source.assigned")) > assignments, 20, "the other one takes over")
        number = len(load.sent)
        until(lambda: len(site.stored_places()) >= number, 20, "the other one has caught up")
        sleeper.thaw()
        assignments = len(sleeper.said("source.assigned"))
        until(lambda: len(sleeper.said("source.assigned")) > assignments, 30, "it is a member again")
        check_commits(site, list(load.sent))
    for daemon in (sleeper, other):
        daemon.signal(signal.SIGTERM)
    assert [daemon.wait(30) for daemon in (sleeper, other)] == [0, 0]
    site.drain()
    check_all(site, load.sent)
