"""Channels that use one built-in filter with other numbers are judged together: a hundred cost little more than one."""

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import Codes, Judgement
from ampeld.channel.limits import Limits
from ampeld.flow.verdict import ACCEPTED


class Family:
    """Several filters that differ in numbers only.

    Their cuts are evaluated once, with all the numbers of a parameter in its place: a comparison of a column with it
    answers for every filter.

    Parameters
    ----------
    filter
        What stands for all of them.
    names
        The cut names of each.
    """

    def __init__(self, filter: Filter, names: Sequence[CutNames]) -> None:  # noqa: A002  the word of the architecture
        self._filter = filter
        self._names = names
        self._codes: dict[str, NDArray[np.uint16]] = {}
        self._works = True

    def judge(self, columns: Columns) -> list[Judgement] | None:
        """Return the verdicts of each filter; None where they cannot be had together.

        Parameters
        ----------
        columns
            The alerts of a batch.
        """
        if not self._works:
            return None
        try:
            with np.errstate(all="ignore"):
                codes = self._cut(columns)
        except Exception:  # noqa: BLE001  asked one by one, the filters fail, if they do, each for itself
            self._works = False
            return None
        return [Judgement(one, names.names, []) for one, names in zip(codes, self._names, strict=True)]

    def _cut(self, columns: Columns) -> Codes:
        """Return for each filter and alert the code of the first cut that it fails, or that it is accepted."""
        shape = len(self._names), len(columns)
        codes: Codes = np.full(shape, ACCEPTED, dtype=np.uint16)
        alive = np.ones(shape, dtype=np.bool_)
        left = alive.size
        for name, condition in self._filter.cuts(columns):
            code = self._codes_of(name)
            true = condition._true  # noqa: SLF001  no author sees it
            passed = alive & true
            still = int(np.count_nonzero(passed))
            if still < left:
                np.copyto(codes, code, where=np.greater(alive, true))  # alive and not true
                if not still:
                    break
                alive, left = passed, still
        return codes

    def _codes_of(self, name: str) -> NDArray[np.uint16]:
        """Return the code of each filter for a rejection by the cut, shape (k, 1)."""
        if name not in self._codes:
            self._codes[name] = np.array([[names.code(name)] for names in self._names], dtype=np.uint16)
        return self._codes[name]


class Families:
    """The families among the filters of some channels.

    Only filters belong to one whose own class says so: they look at their numbers by comparing columns with them, and
    have no code for single alerts.

    Parameters
    ----------
    members
        Filters, and the names of their cuts.
    """

    def __init__(self, members: Sequence[tuple[Filter, CutNames]]) -> None:
        alike: dict[tuple[object, ...], list[tuple[Filter, CutNames]]] = defaultdict(list)
        for one, names in members:
            if vars(type(one)).get("in_families", False):
                alike[_kin(one)].append((one, names))
        self._of: dict[int, tuple[Family, int]] = {}
        for found in alike.values():
            if len(found) > 1:
                family = Family(_stacked([one for one, _ in found]), [names for _, names in found])
                self._of |= {id(names): (family, place) for place, (_, names) in enumerate(found)}

    def find(self, names: CutNames) -> tuple["Family", int] | None:
        """Return the family of the filter with these cut names, and its place there; None where it has none."""
        return self._of.get(id(names))


NO_FAMILIES = Families([])
"""For those who ask one channel."""


def _kin(one: Filter) -> tuple[object, ...]:
    """Return what filters of one family have in common: the class, and all that is no number."""
    own = sorted(vars(one).items())
    return type(one), *((name, type(value) if type(value) in (int, float) else repr(value)) for name, value in own)


def _stacked(members: Sequence[Filter]) -> Filter:
    """Return a filter with all the numbers of a parameter in its place, where they differ."""
    stacked = copy.copy(members[0])
    for name, value in vars(members[0]).items():
        values: list[Any] = [getattr(one, name) for one in members]
        if any(other != value for other in values):
            setattr(stacked, name, Limits(np.array(values)[:, np.newaxis]))
    return stacked
