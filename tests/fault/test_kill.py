"""The daemon is killed, at random moments and at every named point, and nothing is lost and nothing is doubled.

On Apache Kafka only: on Tansu the last run to the end can exit 0 with partitions left uncommitted.
"""

import random

import pytest
from support.broker import make_topic
from support.cycles import POINTS, killed_at_points, killed_at_random
from support.servers import need_apache, unique

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(180)]

PARTITIONS = 4


def test_killed_ten_times_at_random_moments_it_loses_and_doubles_nothing(kafka, make_site):
    need_apache()
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201  shown where the test fails
    topic = make_topic(kafka, unique("killed"), partitions=PARTITIONS)
    killed_at_random(make_site(topic), make_site(topic), topic, cycles=10, partitions=PARTITIONS, seed=seed)


def test_killed_at_every_named_point_it_loses_and_doubles_nothing(kafka, make_site):
    need_apache()
    topic = make_topic(kafka, unique("points"), partitions=PARTITIONS)
    killed_at_points(make_site(topic), make_site(topic), topic, POINTS, partitions=PARTITIONS)
