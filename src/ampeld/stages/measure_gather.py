"""What a flush has to know before it measures: whose states, from which bodies, and what is wanted of them; pure."""

from collections.abc import Mapping, Sequence

from ampeld.flow.wanted import closure
from ampeld.stages.measure_bodies import Measured, choose_bodies, fields_read, ids_to_read, remembered, to_remember
from ampeld.stages.measure_wishes import State, Task, Tasks, Wishes, states_wanted
from ampeld.stages.measure_work import Work
from ampeld.stages.values import Accepted, Plan
from ampeld.stages.views import NO_BODIES, Bodies
from ampeld.store.documents import FeatureKey, StateChange, StoredBody, StoredFeature


class Gathering:
    """Everything that is wanted of the states of one plan.

    Parameters
    ----------
    alerts
        By stock: the accepted alerts that the plan is for.
    plan
        What is being written of points, objects and states.
    wishes
        What the channels want.
    """

    def __init__(self, alerts: Mapping[int, Sequence[Accepted]], plan: Plan, wishes: Wishes) -> None:
        self._plan = plan
        self._wishes = wishes
        self._states = _states(alerts, plan, wishes)
        self._surveys = {stock: alerts[stock][0].survey for stock in self._states}
        self._points = {
            stock: {number for state in states for number in state.change.dps} for stock, states in self._states.items()
        }
        self._old: dict[int, dict[int, StoredBody]] = {}
        self._chosen: dict[int, dict[int, Measured]] = {}
        self._tasks: dict[int, Mapping[FeatureKey, Task]] = {}
        recipes = closure(wanted.recipe for of_channel in wishes.values() for wanted in of_channel)
        self.fields = fields_read(sorted(set(self._surveys.values())), recipes)

    def bodies_wanted(self) -> list[int]:
        """Return the ids of the points whose bodies have to be read from the store."""
        wanted = []
        for stock, points in self._points.items():
            stored = ids_to_read(self._plan.pieces[stock], points)
            old = self._old[stock] = remembered(self._plan.bodies.get(stock, NO_BODIES), stored, self.fields)
            wanted += [number for number in stored if number not in old]
        return wanted

    def features_wanted(self, found: Mapping[int, StoredBody]) -> list[FeatureKey]:
        """Return the features that there may be already, given the bodies that were read.

        An object that is new has none: they are written behind it.
        """
        for stock, points in self._points.items():
            bodies = {**found, **self._old[stock]} if self._old[stock] else found
            chosen = choose_bodies(self._plan.pieces[stock], points, bodies, self.fields)
            tasks = Tasks(self._surveys[stock], chosen)
            for state in self._states[stock]:
                tasks.add(state, self._wishes)
            self._chosen[stock] = chosen
            self._tasks[stock] = tasks.by_key
        new = {document.id for rev, document in self._plan.objects if rev == 0}
        return [key for stock, tasks in self._tasks.items() if stock not in new for key in tasks]

    def works(self, known: Mapping[FeatureKey, StoredFeature]) -> list[Work]:
        """Return what there is to do for each object, given the features that are there."""
        return [
            Work(self._plan.after[stock], self._surveys[stock], tasks=tasks, points=self._chosen[stock], known=known)
            for stock, tasks in self._tasks.items()
        ]

    def bodies(self) -> dict[int, Bodies]:
        """Return, by stock, the bodies as they will be."""
        before = self._plan.bodies
        return {
            stock: Bodies(self.fields, to_remember(chosen, self._old[stock], before.get(stock, NO_BODIES)))
            for stock, chosen in self._chosen.items()
        }


def _states(alerts: Mapping[int, Sequence[Accepted]], plan: Plan, wishes: Wishes) -> dict[int, list[State]]:
    """Return the states of which something is wanted, by stock."""
    by_stock: dict[int, list[StateChange]] = {}
    for state in plan.states:
        by_stock.setdefault(state.stock, []).append(state)
    found = {
        stock: states_wanted(states, alerts[stock], plan.after[stock], wishes) for stock, states in by_stock.items()
    }
    return {stock: states for stock, states in found.items() if states}
