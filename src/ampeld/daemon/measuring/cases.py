"""The case of one object's tickets: each behind those that it builds upon, what is known already handed in."""

from collections.abc import Mapping, Sequence

import msgspec

from ampeld.feature.views import ObjectView
from ampeld.feature.work import Case, CasePoint, Job
from ampeld.flow.codes import PENDING_DEPENDENCY, RUNNING, WAITING
from ampeld.store.documents import FeatureKey, StoredFeature
from ampeld.store.tickets import Ticket


class Refusal(msgspec.Struct, frozen=True):
    """Why a ticket cannot be measured, now or at all."""

    code: int
    error: str
    is_absent: bool = False
    """Whether what it builds upon has no document, not even one that waits."""


class Thing(msgspec.Struct, frozen=True):
    """What a ticket measures."""

    points: tuple[int, ...]
    """The ids of its points."""
    full: int
    """How many of them have their full body."""
    below: tuple[FeatureKey | None, ...]
    """The features that the unit builds upon; None where there is nothing to link to."""


class Posed(msgspec.Struct, frozen=True):
    """A ticket that is a job of a case."""

    ticket: Ticket
    position: int
    full: int
    """How many of its points have their full body."""


class CaseBuilder:
    """Gathers the jobs of one object.

    Parameters
    ----------
    survey
        ``ztf`` or ``lsst``.
    known
        What other features are there, at least those that the tickets build upon.
    waiting
        The tickets that are claimed with these.
    """

    def __init__(
        self, survey: str, known: Mapping[FeatureKey, StoredFeature], waiting: Mapping[FeatureKey, Ticket]
    ) -> None:
        self.posed: list[Posed] = []
        self._survey = survey
        self._known = known
        self._waiting = waiting
        self._jobs: list[Job] = []
        self._positions: dict[FeatureKey, int] = {}
        self._points: set[int] = set()

    def add(self, ticket: Ticket, thing: Thing) -> Refusal | None:
        """Add a ticket, behind those that it builds upon; return why it cannot be, if it cannot."""
        for key in thing.below:
            if key is not None and key not in self._positions:
                refusal = self._add_known(key)
                if refusal is not None:
                    return refusal
        inputs = tuple(-1 if key is None else self._positions[key] for key in thing.below)
        key = ticket.key
        self._add(key, Job(key.unit, key.config, key.col, key.link, inputs, points=thing.points or None))
        self._points.update(thing.points)
        self.posed.append(Posed(ticket, self._positions[key], thing.full))
        return None

    def case(self, points: Mapping[int, CasePoint], view: ObjectView | None) -> Case:
        """Return the case.

        Parameters
        ----------
        points
            By id, at least those that its jobs measure.
        view
            The object, where a job measures it.
        """
        stock = self.posed[0].ticket.key.stock
        return Case(self._survey, stock, [points[number] for number in sorted(self._points)], self._jobs, view)

    def _add_known(self, key: FeatureKey) -> Refusal | None:
        held = self._known.get(key)
        if key in self._waiting or (held is not None and held.code in {*WAITING, RUNNING}):
            return Refusal(PENDING_DEPENDENCY, f"{key.unit} has no result yet")
        if held is None:
            return Refusal(PENDING_DEPENDENCY, f"nobody has asked for {key.unit}", is_absent=True)
        body = held.body if held.code >= 0 else None
        self._add(key, Job(key.unit, key.config, key.col, key.link, known=body, failed=body is None))
        return None

    def _add(self, key: FeatureKey, job: Job) -> None:
        self._positions[key] = len(self._jobs)
        self._jobs.append(job)


def in_order(tickets: Sequence[Ticket], recipes: Mapping[tuple[str, int], object]) -> list[Ticket]:
    """Return tickets, each behind those that it may build upon: recipes come in that order."""
    ranks = {key: rank for rank, key in enumerate(recipes)}
    return sorted(tickets, key=lambda ticket: ranks[ticket.key.unit, ticket.key.config])
