"""What was simulated, object by object: the table against which channels and ledger are judged."""

from pathlib import Path
from typing import TypeVar

import msgspec
import orjson

from ampeld.demo.shapes import SUPERNOVAE, Kind
from ampeld.demo.simulate import SimulatedAlert

T = TypeVar("T", str, int)


class TruthRow(msgspec.Struct):
    """One object; ``topic`` and ``partition`` are lists where its alerts lie in several, None in a directory."""

    object: str
    type: Kind
    injected: bool
    """Whether it is a supernova, which a channel should find."""
    candids: list[int]
    """Distinct, in the order sent."""
    topic: str | list[str] | None
    partition: int | list[int] | None
    duplicate: list[int]
    """Candids sent twice."""
    late: list[int]
    """Candids sent after later ones of the object."""
    alerts: int
    """Packets sent, duplicates included."""
    jd: list[float]
    """Of each of ``candids``."""


class Truth:
    """Collects the truth while alerts are sent."""

    def __init__(self) -> None:
        self._alerts: dict[str, list[SimulatedAlert]] = {}
        self._places: dict[str, tuple[set[str], set[int]]] = {}

    def add(self, alert: SimulatedAlert, topic: str | None = None, partition: int | None = None) -> None:
        """Note an alert and where it was sent."""
        without_packet = msgspec.structs.replace(alert, packet=b"")
        self._alerts.setdefault(alert.object, []).append(without_packet)
        topics, partitions = self._places.setdefault(alert.object, (set(), set()))
        if topic is not None and partition is not None:
            topics.add(topic)
            partitions.add(partition)

    def rows(self) -> list[TruthRow]:
        """Return one row per object, in the order of their first alerts."""
        return [self._row(name) for name in self._alerts]

    def write(self, path: Path) -> None:
        """Write the rows as a JSON list."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(msgspec.to_builtins(self.rows()), option=orjson.OPT_INDENT_2) + b"\n")

    def _row(self, name: str) -> TruthRow:
        alerts = self._alerts[name]
        first_sent = [alert for alert in alerts if not alert.duplicate]
        topics, partitions = self._places[name]
        return TruthRow(
            object=name,
            type=alerts[0].kind,
            injected=alerts[0].kind in SUPERNOVAE,
            candids=[alert.candid for alert in first_sent],
            topic=_one_or_all(topics),
            partition=_one_or_all(partitions),
            duplicate=[alert.candid for alert in alerts if alert.duplicate],
            late=[alert.candid for alert in first_sent if alert.late],
            alerts=len(alerts),
            jd=[alert.jd for alert in first_sent],
        )


def read_truth(path: Path) -> list[TruthRow]:
    """Return the rows of a truth table."""
    return msgspec.json.decode(path.read_bytes(), type=list[TruthRow])


def _one_or_all(values: set[T]) -> T | list[T] | None:
    ordered = sorted(values)
    return ordered[0] if len(ordered) == 1 else ordered or None
