"""The newest state of every object in a source, from its packets or from the store, ready to be measured."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from ampeld.alert.history import state_of
from ampeld.alert.point import Head, KnownPoint
from ampeld.alert.survey import NO_OBJECT, SurveyName, survey_of
from ampeld.daemon.settings import Settings
from ampeld.flow.record import Record
from ampeld.source.archive import DamagedFileError
from ampeld.store.dossier import Dossier
from ampeld.store.encode import jd_of
from ampeld.testing.judging import Read, Reader, Refused
from ampeld.testing.kit import for_survey
from ampeld.testing.sources import AlertSource, read_alerts

Body = Mapping[str, Any]
Points = list[tuple[int, float, tuple[str, ...], Body]]

_LOOKED_AT: Final = 200_000
"""Bytes of a packet: its schema, where it brings one, is a third of that."""
_KEPT_REFUSALS: Final = 20


class ObjectState(msgspec.Struct, frozen=True):
    """A state of an object."""

    survey: str
    stock: int
    name: str
    candid: int
    """Of its newest alert."""
    jd: float
    points: Points
    """(id, jd, tag, body) of each, by id."""


class States(msgspec.Struct, frozen=True):
    """What was found in a source."""

    states: list[ObjectState]
    """By the object's name."""
    alerts: int
    refused: int
    refusals: list[Refused]
    damage: str | None
    """What could not be read of a file."""


class StateReader:
    """Gathers the states of objects from packets, whatever the survey.

    A state is that of the object's newest alert, from that packet alone: of points of equal (jd, rcid) the one with the
    largest id, limits that mean nothing left out, the data of the partnership among them.

    Parameters
    ----------
    settings
        The configuration, for its limits and its schemas; the survey is told by the packets.
    object
        Only this one; all when None.
    history
        Whether the points of the object's earlier alerts belong to its state too.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        object: str | None = None,  # noqa: A002  as it is called in the field
        history: bool = False,
    ) -> None:
        self._settings = settings
        self._wanted = object
        self._history = history
        self._readers: dict[str, Reader] = {}
        self._objects: dict[tuple[str, str], _Gathered] = {}
        self._alerts = 0
        self._refused: list[Refused] = []
        self._refusals = 0

    async def read(self, sources: Sequence[AlertSource], *, told: Callable[[int], None] = lambda _: None) -> States:
        """Read sources to their ends.

        Raises
        ------
        AccessDeniedError, RetryableError, ConfigError
            If the brokers do not let us in, do not answer, or have no such topic.
        """
        damage: str | None = None
        try:
            async for records in read_alerts(sources):
                await self._take(records)
                told(self._alerts)
        except DamagedFileError as error:
            damage = str(error)
        found = [one.state() for one in self._objects.values()]
        states = sorted(found, key=lambda state: (state.name, state.survey))
        return States(states, self._alerts, self._refusals, self._refused, damage)

    async def _take(self, records: Sequence[Record]) -> None:
        by_survey: dict[str, list[Record]] = {}
        for record in records:
            by_survey.setdefault(self._survey_of(record), []).append(record)
        for survey, some in by_survey.items():
            if survey not in self._readers:
                self._readers[survey] = Reader(for_survey(self._settings, survey), [])
            await self._readers[survey].prepare(some)
            read = self._readers[survey].read(some)
            self._alerts += len(read.table)
            self._refusals += len(read.refused)
            self._refused += read.refused[: _KEPT_REFUSALS - len(self._refused)]
            for row in range(len(read.table)):
                self._note(survey, read, row)

    def _survey_of(self, record: Record) -> str:
        """Return whose packet this is: LSST's are frames, or name its records in their schema."""
        head = record.value[:_LOOKED_AT]
        if head[:1] == b"\x00" or b"diaSource" in head:
            return "lsst"
        return "ztf" if b"prv_candidates" in head else self._settings.source.survey

    def _note(self, survey: str, read: Read, row: int) -> None:
        table = read.table
        name = table.object[row]
        if name == NO_OBJECT or self._wanted not in (None, name):
            return
        gathered = self._objects.setdefault((survey, name), _Gathered(survey, name))
        alert = float(table.jd[row]), int(table.candid[row])
        newer = alert > gathered.newest
        if not newer and not self._history:
            return
        if not self._history:
            gathered.points.clear()
        if newer:
            gathered.newest = alert
        for head in table.heads(row):
            gathered.add(head, table.body(row, head.index), alert[0])


class _Gathered:
    """What packets have brought of an object."""

    def __init__(self, survey: str, name: str) -> None:
        self.newest = float("-inf"), 0
        self.points: dict[int, tuple[Head, Body, float]] = {}
        self._survey = survey
        self._name = name

    def add(self, head: Head, body: Body, jd: float) -> None:
        """Take a point; of two bodies the one of the alert's own point counts, else the earlier alert's."""
        there = self.points.get(head.id)
        since = jd if there is None else min(there[2], jd)
        if there is not None and (there[0].full, -there[2]) >= (head.full, -jd):
            head, body = there[0], there[1]
        self.points[head.id] = head, body, since

    def state(self) -> ObjectState:
        """Return the state at the newest alert."""
        known = [
            KnownPoint(head.id, head.jd, head.rcid, head.programid, since) for head, _, since in self.points.values()
        ]
        chosen = state_of(known, jd=float("inf"), private=True)
        points = [(number, head.jd, head.tag, body) for number in chosen for head, body, _ in [self.points[number]]]
        stock = survey_of(cast("SurveyName", self._survey)).stock_of(self._name)
        return ObjectState(self._survey, stock, self._name, self.newest[1], self.newest[0], points)


def stored_state(dossier: Dossier) -> ObjectState | None:
    """Return the newest state that the store has of an object, of whichever channel; None where it has none."""
    stock = dossier.stock
    newest = max(stock["state"].values(), key=lambda state: (state["jd"], state["alert"]), default=None)
    found = None if newest is None else next((one for one in dossier.t1 if one["link"] == newest["link"]), None)
    if newest is None or found is None:
        return None
    bodies = {point["_id"]: point for point in dossier.t0}
    points = [
        (number, jd_of(bodies[number]["body"]), tuple(bodies[number]["tag"]), bodies[number]["body"])
        for number in found["dps"]
        if number in bodies
    ]
    survey = "lsst" if "LSST" in stock["tag"] else "ztf"
    return ObjectState(survey, stock["_id"], dossier.name, newest["alert"], newest["jd"], points)
