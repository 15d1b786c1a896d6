"""A filter's verdicts on a batch: cuts on all alerts at once, per-alert code on the survivors."""

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.table import AlertTable
from ampeld.channel.alert import Alert
from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.errors import ChannelCodeError
from ampeld.flow.verdict import (
    ACCEPT_CUT,
    ACCEPTED,
    CUT,
    ERRORED,
    GROUP,
    MAX_CUT,
    MAX_GROUP,
    MAX_REJECTION,
    REJECTION,
    UNASKED,
)

MAX_TRACEBACK = 8192
"""Bytes of a traceback that are kept: its end, where the mistake is."""
MAX_ERROR = 1024
MAX_NAME = 64

Codes = NDArray[np.uint16]


class RowFailure(msgspec.Struct, frozen=True):
    """An alert on which the filter's own code failed."""

    row: int
    error: str
    traceback: str


class Judgement(msgspec.Struct, frozen=True, eq=False):
    """What a filter says of a batch."""

    codes: Codes
    """A verdict code for each row of the table; `UNASKED` for those that were not to be judged."""
    cuts: list[str]
    """The cut names behind the codes, by number."""
    failures: list[RowFailure]


def judge(filter: Filter, table: AlertTable, names: CutNames, *, rows: NDArray[np.int64] | None = None) -> Judgement:  # noqa: A002  the word of the architecture
    """Return the verdicts of a filter.

    A filter that fails on the batch is asked alert by alert, so that only the alerts that it fails on are errors, and
    verdicts do not depend on which alerts come together.

    Parameters
    ----------
    filter
        The channel's filter.
    table
        The alerts of a batch.
    names
        The channel's cut names; new ones are added.
    rows : shape (m,), optional
        Which alerts to judge, by default all; the filter does not see the others.
    """
    codes: Codes = np.full(len(table), UNASKED, dtype=np.uint16)
    asked = np.arange(len(table)) if rows is None else np.asarray(rows, dtype=np.int64)
    if not asked.size:
        return Judgement(codes, names.names, [])
    visible = table if len(asked) == len(table) else table.select(asked.tolist())
    if visible is table:
        asked = np.arange(len(table))
    judged, failures = _judge(filter, visible, names)
    codes[asked] = judged
    moved = [RowFailure(int(asked[failure.row]), failure.error, failure.traceback) for failure in failures]
    return Judgement(codes, names.names, moved)


def _judge(filter: Filter, table: AlertTable, names: CutNames) -> tuple[Codes, list[RowFailure]]:  # noqa: A002
    codes = _run(partial(_cut, filter, table, names))
    failures: list[RowFailure] = []
    if isinstance(codes, RowFailure):
        codes, failures = _cut_each(filter, table, names)
    accept = getattr(filter, "accept", None)
    if accept is not None:
        for row in np.flatnonzero(codes == ACCEPTED).tolist():
            code = _run(partial(_accept, accept, Alert(table, row), names))
            if isinstance(code, RowFailure):
                failures.append(msgspec.structs.replace(code, row=row))
                code = ERRORED
            codes[row] = code
    return codes, sorted(failures, key=lambda failure: failure.row)


def _cut_each(filter: Filter, table: AlertTable, names: CutNames) -> tuple[Codes, list[RowFailure]]:  # noqa: A002
    """Evaluate the cuts on each alert for itself."""
    codes: Codes = np.full(len(table), ERRORED, dtype=np.uint16)
    failures: list[RowFailure] = []
    for row in range(len(table)):
        single = _run(partial(_cut, filter, table.select([row]), names))
        if isinstance(single, RowFailure):
            failures.append(msgspec.structs.replace(single, row=row))
        else:
            codes[row] = single[0]
    return codes, failures


def _cut(filter: Filter, table: AlertTable, names: CutNames) -> Codes:  # noqa: A002
    """Return for each alert the code of the first cut that it fails, or that it is accepted."""
    cuts: dict[str, Condition] = {}
    for cut in filter.cuts(Columns(table)):
        name, condition = _checked(cut, len(table))
        if name in cuts:
            raise ChannelCodeError(f"two cuts are named {name!r}")
        if len(cuts) > MAX_CUT:
            raise ChannelCodeError(f"more than {MAX_CUT + 1} cuts")
        cuts[name] = condition
    codes: Codes = np.full(len(table), ACCEPTED, dtype=np.uint16)
    alive = np.ones(len(table), dtype=np.bool_)
    for name, condition in cuts.items():
        codes[alive & ~condition.true] = CUT + names.number(name)
        alive &= condition.true
    if hasattr(filter, "accept"):
        names.number(ACCEPT_CUT)
    return codes


def _checked(cut: object, length: int) -> tuple[str, Condition]:
    match cut:
        case (str(name), condition) if 0 < len(name) <= MAX_NAME and name.isprintable() and name.strip() == name:
            pass
        case (str(name), _):
            raise ChannelCodeError(f"{name[:MAX_NAME]!r} is no name for a cut: 1 to {MAX_NAME} printable characters")
        case _:
            raise ChannelCodeError(f"cuts() yielded {type(cut).__name__} where (name, condition) is expected")
    if name == ACCEPT_CUT:
        raise ChannelCodeError(f"no cut can be named {ACCEPT_CUT!r}: the rejections of accept() are counted under it")
    if not isinstance(condition, Condition):
        raise ChannelCodeError(
            f"cut {name!r} is {type(condition).__name__} where a Condition is expected "
            "(a comparison of columns, or Condition.of(mask))"
        )
    if len(condition) != length:
        raise ChannelCodeError(f"cut {name!r} has {len(condition)} elements for {length} alerts")
    return name, condition


def _accept(accept: Callable[[Alert], object], alert: Alert, names: CutNames) -> int:
    """Return the code of what the filter's per-alert code says."""
    match accept(alert):
        case None | False:
            return CUT + names.number(ACCEPT_CUT)
        case bool() | np.bool_() as said:
            return ACCEPTED if said else CUT + names.number(ACCEPT_CUT)
        case int() | np.integer() as number if 0 < number <= MAX_GROUP:
            return GROUP + int(number)
        case int() | np.integer() as number if -MAX_REJECTION <= number < 0:
            return REJECTION - int(number)
        case int() | np.integer() as number:
            raise ChannelCodeError(
                f"accept() returned {number}: a group is 1 to {MAX_GROUP}, a rejection code -1 to -{MAX_REJECTION}"
            )
        case other:
            raise ChannelCodeError(f"accept() returned {type(other).__name__} where None, bool or int is expected")


def _run(science: Callable[[], Any]) -> Any:
    """Run an author's code; return what it returns, or its failure."""
    try:
        with np.errstate(all="ignore"):
            return science()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  the one place that calls science code, which may raise anything
        return RowFailure(-1, _text(traceback.format_exception_only(error), MAX_ERROR), _tail(error))


def _text(lines: Sequence[str], limit: int) -> str:
    text = "".join(lines).strip().removeprefix("ampeld.errors.ChannelCodeError: ")
    return text.encode(errors="replace")[:limit].decode(errors="ignore")


def _tail(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error)).encode(errors="replace")
    return text[-MAX_TRACEBACK:].decode(errors="ignore")


def learn_cuts(filter: Filter, names: CutNames) -> str | None:  # noqa: A002
    """Add the cut names that a filter yields on an empty batch, so that they are known before the first alert.

    Returns
    -------
    str or None
        Why the filter failed, if it did. No alert ever makes an empty batch, so that proves nothing: such a filter
        teaches its names with its first verdicts, or fails on every alert.
    """
    result = _run(partial(_cut, filter, AlertTable([], []), names))
    return result.error if isinstance(result, RowFailure) else None
