"""A filter's verdicts on a batch: cuts on all alerts at once, per-alert code on the survivors."""

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeGuard

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.survey import ZTF, Survey
from ampeld.alert.table import AlertTable
from ampeld.alert.table_packets import PacketTable
from ampeld.channel.alert import Alert
from ampeld.channel.columns import Columns, alert_of, alone, memo_of
from ampeld.channel.condition import Condition
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.matches import Catalogs
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
    OBJECT_CUT,
    REJECTION,
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
    """A verdict code for each alert."""
    cuts: list[str]
    """The cut names behind the codes, by number."""
    failures: list[RowFailure]


def judge(filter: Filter, alerts: Columns | AlertTable, names: CutNames) -> Judgement:  # noqa: A002  the word of the architecture
    """Return the verdicts of a filter.

    A cut is evaluated on all alerts at once, and only as long as some alert has passed all cuts before it. Where the
    filter fails, it is asked again alert by alert for those that were left. An alert's verdict thus follows from the
    cuts up to the first one that it fails, whichever alerts it comes with.

    Parameters
    ----------
    filter
        The channel's filter.
    alerts
        The alerts of a batch; filters that are given the same columns share what they compute.
    names
        The channel's cut names; new ones are added.
    """
    columns = alerts if isinstance(alerts, Columns) else Columns(alerts)
    memo_of(columns).open()
    codes: Codes = np.full(len(columns), ACCEPTED, dtype=np.uint16)
    failures: list[RowFailure] = []
    if _run(partial(_cut, filter, columns, names, codes)) is not None:
        for row in np.flatnonzero(codes == ACCEPTED).tolist():
            failure = _run(partial(_cut, filter, alone(columns, row), names, codes[row : row + 1]))
            if failure is not None:
                _blame(row, failure, codes, failures)
    accept = getattr(filter, "accept", None)
    if accept is not None and len(columns):
        for row in np.flatnonzero(codes == ACCEPTED).tolist():
            code = _run(partial(_accept, accept, alert_of(columns, row), names))
            if isinstance(code, RowFailure):
                _blame(row, code, codes, failures)
            else:
                codes[row] = code
    return Judgement(codes, names.names, sorted(failures, key=lambda failure: failure.row))


def _blame(row: int, failure: RowFailure, codes: Codes, failures: list[RowFailure]) -> None:
    codes[row] = ERRORED
    failures.append(msgspec.structs.replace(failure, row=row))


def _cut(filter: Filter, columns: Columns, names: CutNames, codes: Codes) -> None:  # noqa: A002
    """Write for each alert the code of the first cut that it fails; those that are left when the filter fails stay."""
    alive = np.ones(len(codes), dtype=np.bool_)
    left = len(codes)
    seen: set[str] = set()
    for cut in filter.cuts(columns):
        name, condition = cut if _plain(cut, names, len(codes)) else _checked(cut, len(codes))
        if name in seen:
            raise ChannelCodeError(f"two cuts are named {name!r}")
        if len(seen) > MAX_CUT:
            raise ChannelCodeError(f"more than {MAX_CUT + 1} cuts")
        seen.add(name)
        code = names.code(name)
        true = condition._true  # noqa: SLF001  no author sees it
        passed = alive & true
        still = int(np.count_nonzero(passed))
        if still < left:
            np.putmask(codes, np.greater(alive, true), code)  # alive and not true, in one step
            if not still:
                break
            alive, left = passed, still
    if hasattr(filter, "accept"):
        names.number(ACCEPT_CUT)


def _plain(cut: object, names: CutNames, length: int) -> TypeGuard[tuple[str, Condition]]:
    """Tell whether the cut is what most are: a name that has been looked at before, a condition of the right length."""
    return (
        type(cut) is tuple
        and len(cut) == 2
        and type(cut[0]) is str
        and cut[0] in names
        and cut[0] != ACCEPT_CUT
        and type(cut[1]) is Condition
        and len(cut[1]._true) == length  # noqa: SLF001  no author sees it
    )


def _checked(cut: object, length: int) -> tuple[str, Condition]:
    match cut:
        case (str(name), condition) if name.isprintable() and 0 < len(name) <= MAX_NAME and name.strip() == name:
            pass
        case (str(name), _):
            raise ChannelCodeError(f"{name[:MAX_NAME]!r} is no name for a cut: 1 to {MAX_NAME} printable characters")
        case _:
            raise ChannelCodeError(f"cuts() yielded {type(cut).__name__} where (name, condition) is expected")
    if name == ACCEPT_CUT:
        raise ChannelCodeError(f"no cut can be named {ACCEPT_CUT!r}: the rejections of accept() are counted under it")
    if name == OBJECT_CUT:
        raise ChannelCodeError(f"no cut can be named {OBJECT_CUT!r}: alerts without an object are counted under it")
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


def learn_cuts(
    filter: Filter,  # noqa: A002
    names: CutNames,
    catalogs: Catalogs = MappingProxyType({}),
    survey: Survey = ZTF,
) -> str | None:
    """Add the cut names that a filter yields on an empty batch, so that they are known before the first alert.

    Parameters
    ----------
    filter
        The channel's filter.
    names
        The channel's cut names.
    catalogs
        By name, for ``a.near``.
    survey
        Whose fields there are.

    Returns
    -------
    str or None
        Why the filter failed, if it did. No alert ever makes an empty batch, so that proves nothing: such a filter
        teaches its names with its first verdicts, or fails on every alert.
    """
    nothing: Codes = np.empty(0, dtype=np.uint16)
    failure = _run(partial(_cut, filter, Columns(PacketTable([], [], survey), catalogs), names, nothing))
    return None if failure is None else str(failure.error)
