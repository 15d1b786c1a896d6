"""The loop of ``kill -9``: work comes in, the daemon dies, what is committed is looked at, and it starts anew."""

import random
import signal
from collections.abc import Callable, Sequence

from support.daemons import Site, moment, until
from support.promises import check_all, check_commits, check_same
from support.streams import night, produce

POINTS = (
    "after_fetch", "after_decode", "after_filter", "before_points", "after_points",
    "after_objects", "after_states", "after_features", "after_block", "before_commit", "after_commit",
)  # fmt: skip

LONGEST_S = 0.3
"""How long a daemon lives, at most, after its first verdict block: about the time that it has work for."""

Told = Callable[[int], None]


def killed_at_random(
    site: Site, calm: Site, topic: str, *, cycles: int, partitions: int, seed: int, told: Told = lambda _: None
) -> None:
    """Kill a daemon at random moments, an object's alerts spread over partitions; compare with an undisturbed one."""
    chance = random.Random(seed)
    sent = []
    for cycle in range(cycles):
        messages = night(seed + cycle, objects=10, visits=8, first=10 * cycle)
        sent += produce(site.kafka, topic, messages, partitions=partitions, spread=True)
        before = site.rows()
        daemon = site.start()
        until(lambda before=before: site.rows() > before, 40, "the daemon works")
        moment(chance, LONGEST_S)
        daemon.kill()
        check_commits(site, sent)
        told(cycle + 1)
    site.drain()
    check_all(site, sent)
    calm.drain()
    check_same(site, calm, states=False)


def killed_at_points(
    site: Site, calm: Site, topic: str, points: Sequence[str], *, partitions: int, told: Told = lambda _: None
) -> None:
    """Kill a daemon at each of these points in turn, the first, second or third time that it is reached.

    Each object stays in its partition, so that all states are those of the undisturbed run.
    """
    sent = []
    for number, point in enumerate(points):
        messages = night(number, objects=5, visits=8, first=5 * number)
        sent += produce(site.kafka, topic, messages, partitions=partitions, spread=False)
        daemon = site.start(failpoint=f"{point}:{1 + number % 3}")
        assert daemon.wait(60) == -signal.SIGKILL, f"{point}: {daemon.log_tail()}"
        check_commits(site, sent)
        told(number + 1)
    site.drain()
    check_all(site, sent)
    calm.drain()
    check_same(site, calm, states=True)
