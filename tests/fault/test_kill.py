"""The daemon is killed, at random moments and at every named point, and nothing is lost and nothing is doubled."""

import random
import signal

import pytest
from support.broker import make_topic
from support.daemons import moment, until
from support.promises import check_all, check_commits, check_undisturbed
from support.servers import unique
from support.streams import night, produce

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(180)]

POINTS = (
    "after_fetch", "after_decode", "after_filter", "before_points", "after_points",
    "after_objects", "after_states", "after_block", "before_commit", "after_commit",
)  # fmt: skip
PARTITIONS = 4
CYCLES = 10


def test_killed_again_and_again_at_random_moments_it_loses_and_doubles_nothing(kafka, make_site):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    topic = make_topic(kafka, unique("killed"), partitions=PARTITIONS)
    site = make_site(topic)
    sent = []
    for cycle in range(CYCLES):
        messages = night(seed + cycle, objects=10, visits=8, first=10 * cycle)
        sent += produce(kafka, topic, messages, partitions=PARTITIONS, spread=False)
        before = site.rows()
        daemon = site.start()
        until(lambda before=before: site.rows() > before, 30, "the daemon works")
        moment(chance, 0.3)
        daemon.kill()
        check_commits(site, sent)
    site.drain()
    check_all(site, sent)
    check_undisturbed(site, make_site(topic), states=True)


@pytest.mark.parametrize("spread", [False, True], ids=["keyed", "spread"])
def test_killed_at_every_named_point_it_loses_and_doubles_nothing(kafka, make_site, spread):
    topic = make_topic(kafka, unique("points"), partitions=PARTITIONS)
    sent = produce(kafka, topic, night(1, objects=8, visits=8), partitions=PARTITIONS, spread=spread)
    calm = make_site(topic)
    sites = {}
    for number, point in enumerate(POINTS):
        site = sites[point] = make_site(topic)
        daemon = site.start(failpoint=f"{point}:{1 + (number + spread) % 3}")
        assert daemon.wait(60) == -signal.SIGKILL, f"{point}: {daemon.log_tail()}"
        check_commits(site, sent)
    for point, site in sites.items():
        print(point)
        site.drain()
        check_all(site, sent)
        check_undisturbed(site, calm, states=not spread)
