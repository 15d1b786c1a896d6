"""Measure what channels want of new states, side by side with the writes of the points and objects that make them.

Which features there have to be follows from the plan and from what is stored, so a flush that is repeated measures what
is still lacking, and adds channels to the rest. What is slow, and what the time does not suffice for, becomes a ticket.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from ampeld.channel.channel import Channel
from ampeld.errors import InvariantError
from ampeld.feature.work import Case, Measurement
from ampeld.flow.apart import apart
from ampeld.flow.codes import ERROR, FAILED_DEPENDENCY, WAITING
from ampeld.stages.measure_gather import Gathering
from ampeld.stages.measure_wishes import Wishes
from ampeld.stages.measure_work import Entries, Work
from ampeld.stages.ports import Measurer, Provenance, Store
from ampeld.stages.values import Accepted, Plan
from ampeld.stages.views import Bodies
from ampeld.store.documents import FeatureChange, FeatureKey, StoredFeature
from ampeld.store.errors import UnstorableError
from ampeld.store.features import feature_id


class Harvest(msgspec.Struct, frozen=True):
    """What came of measuring."""

    changes: Mapping[int, Sequence[FeatureChange]]
    """By stock: what is to be written of its features."""
    bodies: Mapping[int, Bodies]
    """By stock: the points' bodies as they will be, to be remembered."""


class FeatureFailure(msgspec.Struct, frozen=True):
    """A unit that raised or returned nonsense in the flow."""

    key: FeatureKey
    channels: tuple[str, ...]
    """Who asked."""
    code: int
    error: str


def _nobody(_: FeatureFailure) -> None:
    """Hear nothing."""


def _no_one() -> None:
    """Hear nothing."""


class Postponing:
    """The measurer of those who run no units: everything becomes a ticket."""

    def __init__(self) -> None:
        self.traces: Mapping[tuple[str, int], int] = {}

    async def measure(self, cases: Sequence[Case], *, budget_s: float) -> list[list[Measurement | None]]:  # noqa: ARG002  has none
        """Return that nothing was measured."""
        return [[None] * len(case.jobs) for case in cases]


class Measuring:
    """The part of a flush that has to do with features.

    Parameters
    ----------
    store
        Where bodies and features lie.
    measurer
        Who runs units; by default nobody does, and everything becomes a ticket.
    budget_s
        How long the units of one flush may take.
    on_failure
        Told of each measurement that failed, once it is durable.
    on_tickets
        Told that there are new tickets, once they are durable.
    """

    def __init__(
        self,
        store: Store,
        measurer: Measurer | None = None,
        *,
        budget_s: float = 1.0,
        on_failure: Callable[[FeatureFailure], None] = _nobody,
        on_tickets: Callable[[], None] = _no_one,
    ) -> None:
        self._store = store
        self._measurer = measurer or Postponing()
        self._budget_s = budget_s
        self._on_failure = on_failure
        self._on_tickets = on_tickets

    async def measure(
        self,
        alerts: Mapping[int, Sequence[Accepted]],
        plan: Plan,
        *,
        channels: Sequence[Channel],
        origin: Provenance,
        now: float,
    ) -> Harvest:
        """Return what there is to be written of features behind the states of a plan.

        Parameters
        ----------
        alerts
            By stock: the accepted alerts that the plan is for.
        plan
            What is being written of points, objects and states.
        channels
            Those in force.
        origin
            What every document says of this run.
        now
            Seconds since the epoch.
        """
        wishes: Wishes = {channel.name: channel.features for channel in channels if channel.features}
        gathering, size = Gathering(alerts, plan, wishes), len(alerts)
        wanted = await apart(size, gathering.bodies_wanted)
        found = await self._store.find_bodies(wanted, gathering.fields) if wanted else {}
        keys = await apart(size, gathering.features_wanted, found)
        known = await self._store.find_features(keys) if keys else {}
        works, cases = await apart(size, _cases, gathering, known)
        some = [case for case in cases if case is not None]
        # Those of now: a reload while this is measured puts others in force.
        traces = self._measurer.traces
        came = iter(await self._measurer.measure(some, budget_s=self._budget_s) if some else [])
        measured = [[] if case is None else next(came) for case in cases]
        entries = Entries(origin, traces, now)
        return await apart(size, _harvest, gathering, works, measured, entries)

    async def write(self, harvest: Harvest, *, lost: Collection[int]) -> None:
        """Write what was measured, but of objects whose swap was lost: those are planned again."""
        written = [change for stock, of_one in harvest.changes.items() if stock not in lost for change in of_one]
        if not written:
            return
        written = list(await self._write(written))
        if any(change.code in WAITING for change in written):
            self._on_tickets()
        for change in written:
            if change.code is not None and change.code < 0 and change.code not in (*WAITING, FAILED_DEPENDENCY):
                error = str((change.meta or {}).get("error", ""))
                self._on_failure(FeatureFailure(change.key, change.channel, change.code, error))

    async def _write(self, changes: Sequence[FeatureChange]) -> Sequence[FeatureChange]:
        """Write changes, and return them; a body that no server can hold becomes the unit's error."""
        while True:
            try:
                await self._store.write_features(changes)
            except UnstorableError as error:
                fewer = [refused(c, str(error)) if feature_id(c.key) == error.document else c for c in changes]
                if fewer == changes:
                    raise InvariantError(f"no feature of the flush is what cannot be stored: {error}") from error
                changes = fewer
            else:
                return changes


def refused(change: FeatureChange, reason: str) -> FeatureChange:
    """Return the result that says that a body cannot be stored."""
    meta = {**(change.meta or {}), "code": ERROR, "error": reason}
    return msgspec.structs.replace(change, code=ERROR, body=None, meta=meta)


def _cases(gathering: Gathering, known: Mapping[FeatureKey, StoredFeature]) -> tuple[list[Work], list[Case | None]]:
    works = gathering.works(known)
    return works, [work.case() for work in works]


def _harvest(
    gathering: Gathering, works: Sequence[Work], measured: Sequence[Sequence[Measurement | None]], entries: Entries
) -> Harvest:
    changes = {work.after.id: work.changes(came, entries) for work, came in zip(works, measured, strict=True)}
    return Harvest(changes, gathering.bodies())
