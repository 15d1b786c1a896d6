"""The rules for an alert's values on all alerts of a batch at once: who is above suspicion needs no second look.

A suspect is decoded in full and judged by `ampeld.alert.validity`, which has the last word and names the reason.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.columns import History, Ints, Sheet
from ampeld.alert.identity import EPOCH_JD
from ampeld.alert.program import LENGTH_BITS, THERE, scalar_slots
from ampeld.alert.survey import ROOT, Survey, Values
from ampeld.alert.validity import FIRST_JD, LAST_JD

Mask = NDArray[np.bool_]
Column = Callable[[str], Values]

_ZTF_KEPT: Final = ("diffmaglim", "rcid", "pid")
_NAME: Final = b"ZTF00aaaaaaa"
_YEARS: Final = (17, 32)
_SANE: Final = 1_000_000  # larger quadrants and limits could overflow the arithmetic of an upper limit's number


@lru_cache
def kept_fields(survey: Survey) -> Mapping[str, tuple[str, ...]]:
    """Return, by history, the fields that the rules and the points' numbers rest on: they are always decoded."""
    rules = survey.rules
    kept = {}
    for history, fields in survey.histories.items():
        wanted = {*rules.never_null.get(history, ()), rules.candid, rules.time, "ra", "dec"}
        if history == "prv_candidates":
            wanted |= {*_ZTF_KEPT}
        kept[history] = tuple(field.name for field in fields if field.name in wanted)
    return kept


def suspects(sheet: Sheet) -> Mask:
    """Return the alerts whose values may be wrong, bool, shape (n,)."""
    survey = sheet.survey
    found = _wrong_points(survey, survey.own, scalars(sheet, survey.own), len(sheet)) | _off_sky(sheet)
    for name, history in sheet.histories.items():
        if len(history.at):
            column = elements(sheet, name)
            wrong = _wrong_points(survey, name, column, len(history.at))
            wrong |= _OWN_POINTS[survey.name](name, column) | _infinite(history)
            if wrong.any():
                found[np.repeat(np.arange(len(sheet)), np.diff(history.offsets))[wrong]] = True
    found |= _WRONG_NAMES[survey.name](sheet)
    return found


def scalars(sheet: Sheet, record: str) -> Column:
    """Return the columns of a record by name."""
    slots = scalar_slots(sheet.survey).by_name
    return lambda name: sheet.scalar(slots[record, name])


def elements(sheet: Sheet, history: str) -> Column:
    """Return the columns of the elements of a history by name, as far as they were decoded at once."""
    return lambda name: sheet.element(history, name)


def stocks(sheet: Sheet) -> Ints:
    """Return the number of each alert's object, int64, shape (n,)."""
    return _STOCKS[sheet.survey.name](sheet)


class Numbers(msgspec.Struct, frozen=True, eq=False):
    """What tells the elements of ZTF's history apart, shape (elements,).

    ``id`` is the candid of a detection or the number of an upper limit; of other elements it means nothing.
    ``quadrant`` is the readout quadrant but where ``unplaced``; ``odd`` marks limits whose number may be wrong.
    """

    id: Ints
    quadrant: Ints
    unplaced: Mask
    is_limit: Mask
    odd: Mask


def numbers_of(column: Column) -> Numbers:
    """Return the numbers of the elements of ZTF's history."""
    (candid, no_candid), (limit, no_limit) = column("candid"), column("diffmaglim")
    (rcid, no_rcid), (pid, no_pid), (jd, _) = column("rcid"), column("pid"), column("jd")
    is_limit = no_candid & ~no_limit & (limit >= 0)
    quadrant = np.where(no_rcid, pid % 10000 // 100, rcid) if no_rcid.any() else rcid  # dividing is slow
    unplaced = no_rcid & no_pid
    sane = is_limit & ~unplaced & (limit < _SANE) & (quadrant < _SANE) & (quadrant > -_SANE)
    sane &= (jd >= FIRST_JD) & (jd <= LAST_JD)
    # as ampeld.alert.identity.upper_limit_id, which truncates the day and rounds the limit half to even
    day = ((EPOCH_JD - np.where(sane, jd, FIRST_JD)) * 1_000_000).astype(np.int64) * 10_000_000
    number = day - quadrant * 100_000 - np.rint(np.where(sane, limit, 0.0) * 1000).astype(np.int64)
    return Numbers(np.where(no_candid, number, candid), quadrant, unplaced, is_limit, is_limit & ~(sane & (number < 0)))


def _wrong_points(survey: Survey, part: str, column: Column, number: int) -> Mask:
    """Return which points break a rule that every survey has."""
    rules = survey.rules
    known = {field.name for field in (rules.records.get(part) or rules.histories[part])}
    wrong: Mask = np.zeros(number, dtype=np.bool_)
    for name in rules.never_null.get(part, ()):
        wrong |= _gone(column, name)
    if rules.candid in known:
        candid, missing = column(rules.candid)
        wrong |= ~missing & (candid <= 0)
    times, _ = column(rules.time)
    jd = rules.jd_of(times)
    wrong |= ~((jd >= FIRST_JD) & (jd <= LAST_JD))
    return wrong


def _off_sky(sheet: Sheet) -> Mask:
    """Return which alerts have a position that is none."""
    column = scalars(sheet, sheet.survey.own)
    ra, dec = column("ra")[0], column("dec")[0]
    return ~((ra >= 0) & (ra <= 360) & (dec >= -90) & (dec <= 90))


def _infinite(history: History) -> Mask:
    """Return which elements have a coordinate that is there and is no number."""
    found: Mask = np.zeros(len(history.at), dtype=np.bool_)
    for name in ("ra", "dec"):
        if name in history.names:
            place = history.names.index(name)
            found |= np.isnan(history.cells[:, place].view(np.float64)) & (history.missing[:, place] == 0)
    return found


def _gone(column: Column, name: str) -> Mask:
    return column(name)[1]


def _ztf_points(history: str, column: Column) -> Mask:
    if history != "prv_candidates":
        return np.zeros(len(column("jd")[0]), dtype=np.bool_)
    return numbers_of(column).odd


def _lsst_points(history: str, column: Column) -> Mask:  # noqa: ARG001  the shape of a rule
    return np.zeros(len(column("midpointMjdTai")[0]), dtype=np.bool_)


def _ztf_names(sheet: Sheet) -> tuple[Ints, Mask]:
    """Return the numbers behind names like ZTF18abxhyqv, and which names are none."""
    slot = scalar_slots(sheet.survey).by_name[ROOT, "objectId"].number
    packed = sheet.cells[slot]
    sound = (packed & (1 << LENGTH_BITS) - 1) == len(_NAME)
    at = np.where(sound, packed >> LENGTH_BITS, 0)[:, None] + np.arange(len(_NAME))
    if len(sheet.arena) < len(_NAME):
        return np.zeros(len(sheet), dtype=np.int64), ~sound
    text = sheet.arena[np.minimum(at, len(sheet.arena) - 1)].astype(np.int64)
    digits, letters = text[:, 3:5] - ord("0"), text[:, 5:] - ord("a")
    year = digits @ np.array([10, 1]) - _YEARS[0]
    sound &= (text[:, :3] == np.frombuffer(_NAME[:3], dtype=np.uint8)).all(axis=1)
    sound &= ((digits >= 0) & (digits <= 9)).all(axis=1) & ((letters >= 0) & (letters < 26)).all(axis=1)
    sound &= (year >= 0) & (year <= _YEARS[1] - _YEARS[0])
    return letters @ (26 ** np.arange(letters.shape[1])[::-1]) * 16 + year, ~sound


def _ztf_stocks(sheet: Sheet) -> Ints:
    return _ztf_names(sheet)[0]


def _wrong_ztf_names(sheet: Sheet) -> Mask:
    return _ztf_names(sheet)[1]


def _lsst_stocks(sheet: Sheet) -> Ints:
    return scalars(sheet, "diaObject")("diaObjectId")[0]


def _wrong_lsst_names(sheet: Sheet) -> Mask:
    column = scalars(sheet, "diaObject")
    return ~column(THERE)[1] & (column("diaObjectId")[0] <= 0)


_OWN_POINTS: Final = {"ztf": _ztf_points, "lsst": _lsst_points}
_STOCKS: Final = {"ztf": _ztf_stocks, "lsst": _lsst_stocks}
_WRONG_NAMES: Final = {"ztf": _wrong_ztf_names, "lsst": _wrong_lsst_names}
