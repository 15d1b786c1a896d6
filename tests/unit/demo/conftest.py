"""One simulated stretch of nights for all tests of the simulator."""

import io
from collections.abc import Mapping
from typing import Any

import fastavro
import pytest

from ampeld.demo.simulate import SimulatedAlert, SimulatedNights

Pair = tuple[SimulatedAlert, Mapping[str, Any]]


@pytest.fixture(scope="session")
def nights() -> SimulatedNights:
    return SimulatedNights(11, 400, nights=4)


@pytest.fixture(scope="session")
def sent(nights: SimulatedNights) -> list[Pair]:
    """Every alert of four nights as it is sent, with its packet as fastavro reads it."""
    return [(alert, next(fastavro.reader(io.BytesIO(alert.packet)))) for alert in nights]
