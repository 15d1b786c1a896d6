"""What the channels want measured of an object's new states: one task for each feature, however many ask for it."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from ampeld.feature.links import Link, detections, linked, select
from ampeld.feature.work import COL_OBJECT, COL_POINT, COL_STATE
from ampeld.flow.wanted import Eligible, Recipe, Wanted
from ampeld.stages.measure_bodies import Measured
from ampeld.stages.values import Accepted
from ampeld.store.documents import FeatureKey, ObjectDocument, StateChange

Wishes = Mapping[str, Sequence[Wanted]]
"""By channel: what it wants; none at all of those that want nothing."""


class Asker(msgspec.Struct, frozen=True):
    """A channel for which a state is made, by one alert."""

    channel: str
    jd: float
    """Of the alert."""
    group: int | None
    """In which the channel accepted it."""
    newest: bool
    """Whether it is the channel's newest state of the object."""


class Task(msgspec.Struct):
    """One feature to be there behind this flush."""

    key: FeatureKey
    recipe: Recipe
    below: tuple[FeatureKey | None, ...]
    """The features that it builds upon; None where there is nothing to link to."""
    points: tuple[int, ...]
    """What is measured: the points of the state, one point, or none."""
    full: int
    """How many of them have their full body."""
    tag: tuple[str, ...]
    first_jd: float = math.inf
    last_jd: float = -math.inf
    """Of the alerts that ask for it."""
    channels: set[str] = msgspec.field(default_factory=set)
    first_channels: set[str] = msgspec.field(default_factory=set)
    """Who asks by the first alert: what is told of the others must not depend on the size of batches."""
    newest: bool = False
    """Whether it belongs to a newest state of the object."""

    def ask(self, askers: Collection[Asker]) -> None:
        """Note some more that ask; at least one."""
        first_jd = min([asker.jd for asker in askers])
        if first_jd < self.first_jd:
            self.first_jd = first_jd
            self.first_channels.clear()
        self.first_channels.update([asker.channel for asker in askers if asker.jd == self.first_jd])
        self.last_jd = max(self.last_jd, *[asker.jd for asker in askers])
        self.channels.update([asker.channel for asker in askers])
        self.newest |= any(asker.newest for asker in askers)


class State(msgspec.Struct, frozen=True):
    """A state with those for whom it is made."""

    change: StateChange
    askers: Sequence[Asker]


def states_wanted(
    states: Sequence[StateChange], alerts: Sequence[Accepted], after: ObjectDocument, wishes: Wishes
) -> list[State]:
    """Return the states of one object of which a channel wants something.

    Parameters
    ----------
    states
        As planned.
    alerts
        Its accepted alerts.
    after
        Its document as it will be.
    wishes
        What the channels want.
    """
    wanted = []
    for state in states:
        askers = [
            Asker(
                channel=entry["channel"],
                jd=entry["jd"],
                group=_group(alerts, after, entry["channel"], entry["alert"]),
                newest=after.state[entry["channel"]].link == state.link,
            )
            for entry in state.meta
            if entry["channel"] in wishes
        ]
        if askers:
            wanted.append(State(state, askers))
    return wanted


def _group(alerts: Sequence[Accepted], after: ObjectDocument, channel: str, candid: int) -> int | None:
    for alert in alerts:
        if alert.candid == candid and channel in alert.groups:
            return alert.groups[channel]
    held = after.state[channel]
    return held.group if held.alert == candid else None


class Tasks:
    """The tasks of one object by what makes each unique, every one behind those that it builds upon.

    Parameters
    ----------
    survey
        ``ztf`` or ``lsst``.
    points
        The object's points by id, at least those of its states.
    """

    def __init__(self, survey: str, points: Mapping[int, Measured]) -> None:
        self.by_key: dict[FeatureKey, Task] = {}
        self._survey = survey
        self._points = points

    def add(self, state: State, wishes: Wishes) -> None:
        """Add what is wanted of a state."""
        change = state.change
        points = [self._points[number] for number in change.dps]
        detected = detections(self._survey, [(point.id, point.jd, point.body) for point in points])
        n_points = sum(math.isfinite(point.jd) for point in points)
        # Many channels want the same: what that comes to is looked for once.
        asked: dict[tuple[str, int, Eligible], tuple[Wanted, list[Asker]]] = {}
        for asker in state.askers:
            for wanted in wishes[asker.channel]:
                if wanted.group is None or wanted.group == asker.group:
                    asked.setdefault((*wanted.recipe.key, wanted.eligible), (wanted, []))[1].append(asker)
        for wanted, askers in asked.values():
            eligible = wanted.eligible
            if n_points >= eligible.min_points and len(detected) >= eligible.min_detections:
                for task in self._find(wanted, change, detected):
                    task.ask(askers)

    def _find(self, wanted: Wanted, state: StateChange, detected: Sequence[int]) -> Collection[Task]:
        """Return the tasks of a wish, with those that they build upon."""
        tasks: dict[FeatureKey, Task] = {}
        for at in _measured_by(wanted, state, detected):
            self._collect(wanted.recipe, at, state, detected, tasks)
        return tasks.values()

    def _collect(
        self, recipe: Recipe, at: Link, state: StateChange, detected: Sequence[int], tasks: dict[FeatureKey, Task]
    ) -> FeatureKey:
        below = []
        for other, link in recipe.depends:
            where = linked(at, other.kind, link, state.stock, detected)
            below.append(None if where is None else self._collect(other, where, state, detected, tasks))
        col, number = at
        key = FeatureKey(state.stock, col, recipe.unit, recipe.config, number)
        task = self.by_key.get(key)
        if task is None:
            points = state.dps if col == COL_STATE else (number,) if col == COL_POINT else ()
            full = sum(self._points[point].full for point in points)
            task = self.by_key[key] = Task(key, recipe, tuple(below), points, full, state.tag)
        tasks[key] = task
        return key


def _measured_by(wanted: Wanted, state: StateChange, detected: Sequence[int]) -> Iterator[Link]:
    match wanted.recipe.kind:
        case "state":
            yield COL_STATE, state.link
        case "point":
            for number in select(detected, wanted.eligible.points):
                yield COL_POINT, number
        case "object":
            yield COL_OBJECT, state.stock
