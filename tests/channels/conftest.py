"""A simulated night that the tests of the shipped channels share."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from ampeld.demo.simulate import simulate_night

CHANNELS = Path(__file__).resolve().parents[2] / "channels"


class Night:
    """Alerts, and which objects are of which kind."""

    def __init__(self, seed: int, number: int) -> None:
        self.packets: list[bytes] = []
        found: dict[str, set[str]] = defaultdict(set)
        for alert in simulate_night(seed=seed, alerts=number):
            self.packets.append(alert.packet)
            found[alert.kind].add(alert.object)
        self.objects: Mapping[str, set[str]] = found

    def of(self, *kinds: str) -> set[str]:
        """Return the names of the objects of these kinds."""
        return set().union(*(self.objects[kind] for kind in kinds))


@pytest.fixture(scope="session")
def night() -> Night:
    return Night(seed=1, number=500)


@pytest.fixture(scope="session")
def channels() -> Path:
    return CHANNELS
