"""From what is wanted and what is known to what is measured in the flow, and from there to what is written."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ampeld.feature.views import ObjectView
from ampeld.feature.work import COL_STATE, Case, Job, Measurement
from ampeld.flow.codes import NEW, PENDING_DEPENDENCY, RUNNING, WAITING
from ampeld.stages.measure_bodies import Measured
from ampeld.stages.measure_wishes import Task
from ampeld.stages.ports import Provenance
from ampeld.store.documents import FeatureChange, FeatureKey, ObjectDocument, StoredFeature

Fate = Literal["known", "failed", "waiting", "measured", "ticket"]
"""What becomes of a task: its body is known; it is known to have failed; it waits as a ticket; it is measured now; it
is to become a ticket."""

Traces = Mapping[tuple[str, int], int]


class Work:
    """The tasks of one object, with what the store knows of them.

    Parameters
    ----------
    after
        The object's document as it will be.
    survey
        ``ztf`` or ``lsst``.
    tasks
        Every one behind those that it builds upon.
    points
        The object's points by id, at least those that the tasks measure.
    known
        The features that are there.
    """

    def __init__(
        self,
        after: ObjectDocument,
        survey: str,
        *,
        tasks: Mapping[FeatureKey, Task],
        points: Mapping[int, Measured],
        known: Mapping[FeatureKey, StoredFeature],
    ) -> None:
        self.after = after
        self._survey = survey
        self._tasks = tasks
        self._points = points
        self._known = known
        self._fates: dict[FeatureKey, Fate] = {}
        for key, task in tasks.items():
            self._fates[key] = self._fate(task)
        self._places = self._to_send()

    def _fate(self, task: Task) -> Fate:
        held = self._known.get(task.key)
        if held is not None and not is_behind(task, held):
            if held.code in WAITING or held.code == RUNNING:
                return "waiting"
            return "known" if held.code >= 0 and held.body is not None else "failed"
        below = [self._fates[key] for key in task.below if key is not None]
        late = any(fate in {"waiting", "ticket"} for fate in below)
        return "ticket" if late or (task.recipe.slow and "failed" not in below) else "measured"

    def _to_send(self) -> dict[FeatureKey, int]:
        """Return the places in the case of what is measured, and of what that builds upon."""
        sent = {key for key, fate in self._fates.items() if fate == "measured"}
        sent |= {below for key in sent for below in self._tasks[key].below if below is not None}
        return {key: place for place, key in enumerate(key for key in self._tasks if key in sent)}

    def case(self) -> Case | None:
        """Return what is to be measured now, None where that is nothing."""
        measured = [self._tasks[key] for key in self._places if self._fates[key] == "measured"]
        if not measured:
            return None
        ids = sorted({number for task in measured for number in task.points})
        points = [self._points[number] for number in ids]
        return Case(
            survey=self._survey,
            stock=self.after.id,
            points=[(point.id, point.jd, point.tag, point.body) for point in points],
            jobs=[self._job(self._tasks[key], len(ids)) for key in self._places],
            object=view_of(self.after, self._survey),
        )

    def _job(self, task: Task, n_points: int) -> Job:
        key, fate = task.key, self._fates[task.key]
        held = self._known.get(key)
        whole = key.col != COL_STATE or len(task.points) == n_points
        return Job(
            unit=key.unit,
            config=key.config,
            col=key.col,
            link=key.link,
            # What is known has no input: those of its own are not asked for any more.
            inputs=tuple(-1 if below is None else self._places[below] for below in task.below)
            if fate == "measured"
            else (),
            known=held.body if fate == "known" and held is not None else None,
            failed=fate == "failed",
            points=None if whole else task.points,
        )

    def changes(self, measurements: Sequence[Measurement | None], entries: "Entries") -> list[FeatureChange]:
        """Return what is to be written, given what came of the jobs of the case.

        Parameters
        ----------
        measurements
            By job; empty where there was no case.
        entries
            Makes the provenance of what is written.
        """
        changes = []
        for key, task in self._tasks.items():
            result = measurements[self._places[key]] if self._fates[key] == "measured" else None
            late = any(below is not None and self._fates[below] in {"waiting", "ticket"} for below in task.below)
            if self._fates[key] == "measured" and (result is None or late):
                self._fates[key] = "ticket"
            if self._fates[key] == "ticket":
                changes.append(_ticket(task, PENDING_DEPENDENCY if late else NEW, entries))
            elif result is not None:
                changes.append(_result(task, result, entries))
            elif (change := _addition(task, self._known[key])) is not None:
                changes.append(change)
        return changes


class Entries:
    """Entries of provenance of one flush.

    Parameters
    ----------
    provenance
        What every document says of this run.
    traces
        By unit and configuration: the number of its trace.
    now
        Seconds since the epoch.
    """

    def __init__(self, provenance: Provenance, traces: Traces, now: float) -> None:
        self._origin = {"run": provenance.run, "instance": provenance.instance, "version": provenance.version}
        self._traces = traces
        self._now = now

    def of(self, task: Task, code: int) -> dict[str, Any]:
        """Return the entry of a task that got a code."""
        return {"ts": self._now, **self._origin, "code": code, "channel": sorted(task.first_channels)}

    def of_result(self, task: Task, result: Measurement) -> dict[str, Any]:
        """Return the entry of a result."""
        entry = {**self.of(task, result.code), "ms": round(result.ms, 3), "full": task.full}
        trace = self._traces.get(task.recipe.key)
        if trace is not None:
            entry["trace"] = trace
        if result.error is not None:
            entry["error"] = result.error
        return entry


def is_behind(task: Task, held: StoredFeature) -> bool:
    """Tell whether what is there of a newest state's feature was measured, or asked for, from fewer full bodies."""
    if not task.newest:
        return False
    if held.code in WAITING or held.code == RUNNING:
        return held.due is None or task.full > held.due  # None: it was reset, and may be measured from any bodies
    return held.full is not None and task.full > held.full


def view_of(document: ObjectDocument, survey: str) -> ObjectView:
    """Return an object as units see it."""
    return ObjectView(
        survey=survey,
        stock=document.id,
        name=document.name,
        tag=document.tag,
        channel=document.channel,
        state={
            channel: {"link": state.link, "alert": state.alert, "jd": state.jd}
            for channel, state in document.state.items()
        },
        known=document.known,
    )


def _result(task: Task, result: Measurement, entries: Entries) -> FeatureChange:
    return FeatureChange(
        key=task.key,
        channel=tuple(sorted(task.channels)),
        tag=task.tag,
        jd=task.first_jd,
        full=task.full,
        code=result.code,
        body=result.body,
        meta=entries.of_result(task, result),
    )


def _ticket(task: Task, code: int, entries: Entries) -> FeatureChange:
    return FeatureChange(
        key=task.key,
        channel=tuple(sorted(task.channels)),
        tag=task.tag,
        jd=task.last_jd,
        full=task.full,
        code=code,
        meta=entries.of(task, code),
    )


def _addition(task: Task, held: StoredFeature) -> FeatureChange | None:
    """Return what a task adds to a feature that is there, None where that is nothing."""
    waits = held.code in WAITING and task.last_jd > held.jd
    if task.channels <= held.channel and not waits:
        return None
    return FeatureChange(
        key=task.key,
        channel=tuple(sorted(task.channels)),
        tag=task.tag,
        jd=task.last_jd,
        full=task.full,
        code=NEW if waits else None,
    )
