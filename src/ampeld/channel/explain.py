"""Every cut with its value and limit: the same cuts as the daemon's, with what they were made of kept."""

import copy
from typing import Any

import msgspec
import numpy as np

from ampeld.channel.columns import Columns, alone
from ampeld.channel.condition import Condition
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import RowFailure, judge
from ampeld.channel.named import named
from ampeld.channel.reason import Reason, reason
from ampeld.channel.spell import spell
from ampeld.flow.verdict import (
    ACCEPT_CUT,
    ACCEPTED,
    CUT,
    GROUP,
    OBJECT_CUT,
    REJECTION,
    cut_name,
    describe,
    is_accepted,
    is_rejected,
)
from ampeld.params import parameters


class CutReason(msgspec.Struct, frozen=True, kw_only=True):
    """One cut of one alert: what was asked, what was found, and whether the alert passed."""

    name: str
    passed: bool
    value: Any
    """Of the part that decided, where conditions were combined; None where it is missing."""
    operator: str
    limit: Any
    text: str
    """In words: *rb = 0.21 < 0.3*."""
    parts: tuple[Reason, ...] = ()
    """The conditions that were combined, if any."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a filter takes one alert or does not."""

    object: str
    candid: int
    jd: float
    code: int
    verdict: str
    cuts: tuple[CutReason, ...]
    """All cuts in their order, those behind the first failed one too; last ``accept``, where it was asked."""
    failure: RowFailure | None = None

    @property
    def accepted(self) -> bool:
        """Tell whether the filter takes the alert."""
        return is_accepted(self.code)

    @property
    def failed(self) -> CutReason | None:
        """Return the cut under which the alert was rejected, None where it was not."""
        return next((cut for cut in self.cuts if not cut.passed), None) if is_rejected(self.code) else None


def explain(filter: Filter, columns: Columns, row: int, names: CutNames) -> Explanation:  # noqa: A002  the architecture's word
    """Return why a filter takes one alert of a batch or does not.

    The verdict is `ampeld.channel.judge.judge`'s; the alert is judged alone, which changes nothing.

    Parameters
    ----------
    filter
        The channel's filter.
    columns
        The alerts of a batch.
    row
        Which of them.
    names
        The channel's cut names.
    """
    judgement = judge(filter, alone(columns, row), names)
    code = int(judgement.codes[0])
    kept, _ = _keep(_marked(filter), alone(columns, row))
    cuts = [_cut(name, reason(condition, 0)) for name, condition in kept.items()]
    if hasattr(filter, ACCEPT_CUT) and (asked := _accept(code, names)) is not None:
        cuts.append(asked)
    failure = next(iter(judgement.failures), None)
    return Explanation(
        object=str(columns.object.values[row]),
        candid=int(columns.candid.values[row]),
        jd=float(columns.jd.values[row]),
        code=code,
        verdict=describe(code, names.names) + (f": {failure.error}" if failure else ""),
        cuts=tuple(cuts),
        failure=failure,
    )


def explain_nameless(columns: Columns, row: int, names: CutNames) -> Explanation:
    """Return why every channel rejects an alert that belongs to no object."""
    code = CUT + names.number(OBJECT_CUT)
    text = "the survey gives it to no object, as it does with what belongs to the solar system"
    cut = CutReason(name=OBJECT_CUT, passed=False, value=None, operator="present", limit=None, text=text)
    return Explanation(
        object="",
        candid=int(columns.candid.values[row]),
        jd=float(columns.jd.values[row]),
        code=code,
        verdict=describe(code, names.names),
        cuts=(cut,),
    )


def count_alone(filter: Filter, columns: Columns) -> dict[str, int]:  # noqa: A002  the architecture's word
    """Return by cut how many alerts of a batch it rejects when it is the only one, in the order of the cuts.

    An alert on which the filter fails counts for the cuts that came before the failure.
    """
    kept, whole = _keep(filter, columns)
    if whole or len(columns) <= 1:
        return {name: int(np.count_nonzero(~condition.true)) for name, condition in kept.items()}
    counts: dict[str, int] = {}
    for row in range(len(columns)):
        for name, number in count_alone(filter, alone(columns, row)).items():
            counts[name] = counts.get(name, 0) + number
    return counts


def expressions(filter: Filter, columns: Columns) -> dict[str, str]:  # noqa: A002  as above
    """Return by cut what it asks, as near to what its author wrote as can be told: ``abs(gal_lat) >= min_gal_lat``.

    Parameters
    ----------
    filter
        The channel's filter.
    columns
        Any batch: one without alerts will do.
    """
    kept, _ = _keep(_marked(filter), columns)
    return {name: spell(condition) for name, condition in kept.items()}


def _keep(filter: Filter, columns: Columns) -> tuple[dict[str, Condition], bool]:  # noqa: A002  as above
    """Return the cuts up to where the filter's code fails, and whether it did not."""
    kept: dict[str, Condition] = {}
    try:
        with np.errstate(all="ignore"):
            for name, condition in filter.cuts(columns):
                if not isinstance(condition, Condition) or len(condition) != len(columns):
                    return kept, False
                kept.setdefault(name, condition)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  science code may raise anything; `judge` has told of it
        return kept, False
    return kept, True


def _marked(filter: Filter) -> Filter:  # noqa: A002  as above
    """Return the same filter with parameters that know their names, so that a limit can say whose it is."""
    marked = copy.copy(filter)
    for name in parameters(type(filter)):
        setattr(marked, name, named(getattr(filter, name), name))
    return marked


def _cut(name: str, why: Reason) -> CutReason:
    return CutReason(
        name=name,
        passed=why.passed is True,
        value=why.value,
        operator=why.operator,
        limit=why.limit,
        text=why.text,
        parts=why.parts,
    )


def _accept(code: int, names: CutNames) -> CutReason | None:
    """Return the step of the filter's own code; None where it was not asked or has failed."""
    said: bool | int
    if code >= REJECTION:
        if cut_name(code, names.names) != ACCEPT_CUT:
            return None  # a cut rejects with that code
        said = REJECTION - code
    elif code >= GROUP:
        said = code - GROUP
    elif code == ACCEPTED:
        said = True
    elif code >= CUT and names[code - CUT] == ACCEPT_CUT:
        said = False
    else:
        return None
    passed = said > 0
    text = f"accept() returned {said!r}" + (f": group {said}" if passed and said is not True else "")
    return CutReason(name=ACCEPT_CUT, passed=passed, value=said, operator="returned", limit=None, text=text)
