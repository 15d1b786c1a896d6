"""Work for whoever measures, as plain values that travel to another process, and how it is done there."""

import copy
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from ampeld.feature.body import NonsenseError, settle
from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import TOO_FEW_POINTS
from ampeld.feature.unit import Measured, ObjectUnit, PointUnit, StateUnit, Undefined, Unit
from ampeld.feature.views import ObjectView, PointView
from ampeld.flow import codes

COL_POINT: Final = "t0"
COL_STATE: Final = "t1"
COL_OBJECT: Final = "stock"
COLS: Final = {"point": COL_POINT, "state": COL_STATE, "object": COL_OBJECT}
"""By kind of unit: the collection of what it measures, as ``t2`` documents name it."""
MOST_TRACEBACK: Final = 10_000
"""Characters of a traceback that are kept."""
_OUR_UNITS: Final = "ampeld.feature.units."


class Job(msgspec.Struct, frozen=True):
    """One measurement."""

    unit: str
    config: int
    col: str
    link: int
    """The number of the point, the link of the state, or the number of the object."""
    inputs: tuple[int, ...] = ()
    """By dependency: the position in the case of the job whose body it is; -1 where there is nothing to link to."""
    known: Mapping[str, Any] | None = None
    """Its body, where that is known already: then it is an input to others and not measured."""
    failed: bool = False
    """Whether it is known to have failed: what builds upon it is not measured either."""
    points: tuple[int, ...] | None = None
    """The ids of the points of its state; None: all that the case has."""


Body = Mapping[str, Any]
"""Of a point: the survey's own fields."""
CasePoint = tuple[int, float, Sequence[str], Body | bytes]
"""A point: id, jd, tag, body; this as MessagePack where it came so."""


class Case(msgspec.Struct, frozen=True):
    """Everything that is to be measured of one object, most often at one state: what is shared is sent once."""

    survey: str
    stock: int
    points: Sequence[CasePoint]
    """Of the states."""
    jobs: Sequence[Job]
    """Each behind those whose bodies it takes."""
    object: ObjectView | None = None


class Measurement(msgspec.Struct, frozen=True):
    """What came of a job."""

    code: int
    """As in `ampeld.flow.codes`: OK, ERROR, EXCEPTION or FAILED_DEPENDENCY."""
    body: dict[str, Any] | None
    error: str | None
    """The traceback, or what is wrong with the body."""
    ms: float
    """How long it took [ms]."""


Units = Mapping[tuple[str, int], Unit]
"""By name and configuration: the unit, opened."""
Clock = Callable[[], float]
"""Returns seconds since whenever."""

_decoder = msgspec.msgpack.Decoder(dict[str, Any])


class _Handed(msgspec.Struct, frozen=True):
    """What is handed to units: of a case, with nothing packed."""

    survey: str
    points: Sequence[tuple[int, float, Sequence[str], Body]]
    object: ObjectView | None


def is_ours(unit: Unit) -> bool:
    """Tell whether a unit is one of those that come with ampeld."""
    return type(unit).__module__.startswith(_OUR_UNITS)


def unpacked(body: Body | bytes) -> Body:
    """Return a body that may be packed."""
    return _decoder.decode(body) if isinstance(body, bytes) else body


def measure_case(case: Case, units: Units, clock: Clock) -> Iterator[tuple[int, Measurement]]:
    """Yield the position of each job that is measured with what came of it, in their order.

    Nothing that a unit does in Python leaves this: it is science code, and becomes a measurement's error.

    Parameters
    ----------
    case
        What is to be measured.
    units
        At least those that its jobs name.
    clock
        Tells how long each takes.
    """
    whole = _Handed(
        case.survey, [(number, jd, tag, unpacked(body)) for number, jd, tag, body in case.points], case.object
    )
    curves: dict[tuple[int, ...] | None, LightCurve] = {}
    bodies: dict[int, Mapping[str, Any] | None] = {}
    for position, job in enumerate(case.jobs):
        if job.known is not None or job.failed:
            bodies[position] = job.known
            continue
        unit = units[job.unit, job.config]
        if any(bodies[i] is None for i in job.inputs if i >= 0):
            bodies[position] = None
            yield position, Measurement(codes.FAILED_DEPENDENCY, None, "a unit that it builds upon has failed", 0.0)
            continue
        inputs = [bodies[i] if i >= 0 else None for i in job.inputs]
        # Our own units change nothing of what they are given; what an author's one changes must be its own.
        shared = is_ours(unit)
        given, lent = (whole, inputs) if shared else (_copied(whole), copy.deepcopy(inputs) if inputs else [])
        curve = curves.get(job.points) if shared else None
        if curve is None and isinstance(unit, StateUnit):
            curve = _curve(given, job.points)
            if shared:
                curves[job.points] = curve
        began = clock()
        code, body, error = _measure(partial(_ask, unit, given, job, curve, lent))
        bodies[position] = body
        yield position, Measurement(code, body, error, (clock() - began) * 1e3)


def _copied(given: _Handed) -> _Handed:
    points = [(number, jd, tag, dict(body)) for number, jd, tag, body in given.points]
    return _Handed(given.survey, points, copy.deepcopy(given.object) if given.object else None)


def _curve(given: _Handed, chosen: tuple[int, ...] | None) -> LightCurve:
    ids = None if chosen is None else frozenset(chosen)
    return LightCurve(given.survey, [(id_, jd, body) for id_, jd, _, body in given.points if ids is None or id_ in ids])


def _measure(ask: Callable[[], Measured]) -> tuple[int, dict[str, Any] | None, str | None]:
    try:
        return codes.OK, settle(ask()), None
    except NonsenseError as nonsense:
        return codes.ERROR, None, _holdable(str(nonsense))[:MOST_TRACEBACK]
    except (Exception, SystemExit):  # noqa: BLE001  science code: whatever it raises is its own result
        return codes.EXCEPTION, None, _holdable(traceback.format_exc())[-MOST_TRACEBACK:]


def _holdable(text: str) -> str:
    """Return a text as messages and documents can hold it: an author's may be no Unicode."""
    return text.encode(errors="backslashreplace").decode()


def _ask(unit: Unit, given: _Handed, job: Job, curve: LightCurve | None, inputs: Sequence[Any]) -> Measured:
    if isinstance(unit, StateUnit):
        assert curve is not None
        if len(curve) < unit.min_points:
            return Undefined(TOO_FEW_POINTS, f"{len(curve)} of {unit.min_points}")
        return unit.measure(curve, *inputs)
    if isinstance(unit, PointUnit):
        number, jd, tag, body = next(point for point in given.points if point[0] == job.link)
        return unit.measure(PointView(given.survey, number, jd, tuple(tag), body), *inputs)
    assert isinstance(unit, ObjectUnit)
    assert given.object is not None
    return unit.measure(given.object, *inputs)
