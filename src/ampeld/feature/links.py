"""What a unit of one kind is linked to where another kind asks for it: one rule for the flow and for tickets."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ampeld.feature.work import COL_OBJECT, COL_POINT, COL_STATE, COLS
from ampeld.flow.wanted import Selection, UnitKind, UnitLink

Link = tuple[str, int]
"""Collection and number of what is measured, as ``t2`` documents name it: ``col`` and ``link``."""


def detections(survey: str, points: Iterable[tuple[int, float, Mapping[str, Any]]]) -> list[int]:
    """Return the ids of a state's detections in the order of time, as `LightCurve.is_detection` tells them.

    Parameters
    ----------
    survey
        ``ztf`` or ``lsst``.
    points
        (id, jd, body) of each point of the state, in any order.
    """
    found = [(jd, number) for number, jd, body in points if math.isfinite(jd) and _is_detection(survey, body)]
    return [number for _, number in sorted(found)]


def _is_detection(survey: str, body: Mapping[str, Any]) -> bool:
    if survey == "lsst":
        return "psfFlux" in body and "diaForcedSourceId" not in body
    return body.get("magpsf") is not None


def select(detected: Sequence[int], which: Selection) -> Sequence[int]:
    """Return those of a state's detections, in the order of time, that a unit for points is to measure."""
    match which:
        case "first":
            return detected[:1]
        case "last":
            return detected[-1:]
        case "all":
            return detected


def linked(at: Link, kind: UnitKind, link: UnitLink, stock: int, detected: Sequence[int]) -> Link | None:
    """Return what a dependency measures, None where there is nothing to link to.

    Parameters
    ----------
    at
        What is measured by the unit that builds upon it.
    kind
        The kind of the dependency.
    link
        As the dependency says.
    stock
        The object's number.
    detected
        The ids of the state's detections in the order of time; empty where there is no state.
    """
    if kind == "object":
        return COL_OBJECT, stock
    if COLS[kind] == at[0]:
        return at
    if at[0] == COL_STATE and kind == "point" and detected:
        return COL_POINT, detected[-1 if link == "last" else 0]
    return None
