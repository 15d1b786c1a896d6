"""AMPEL's own features of the real and the made-up light curves, and the same curves rebuilt from the alerts."""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

from support.shared import shared
from support.ztf import tarball

from ampeld.alert.decode import Decoder
from ampeld.alert.history import state_of
from ampeld.alert.point import KnownPoint
from ampeld.feature import LightCurve, StateUnit, Undefined
from ampeld.feature.body import UNDEFINED, settle
from ampeld.feature.reasons import TOO_FEW_POINTS, WORDS
from ampeld.feature.unit import Unit

Point = tuple[int, float, Mapping[str, Any]]
"""(id, jd, body), as light curves are made of."""

ABSENT = "absent"
"""Stands in a `Difference` for a key that is not there."""


class GoldenCase(NamedTuple):
    """What a unit of AMPEL made of one state; ``error`` says that it raised."""

    name: str
    """``object/candid/state``."""
    light_curve: LightCurve
    config: dict[str, Any]
    """What differs from AMPEL's defaults."""
    body: dict[str, Any] | None
    error: str | None
    dependencies: list[dict[str, Any]]
    """``unit`` and ``body`` of each."""
    object: str
    points: list[Point]


class Difference(NamedTuple):
    """A value of ours that is not AMPEL's; ``path`` as in ``g.strength`` or ``coef.0``."""

    path: str
    ours: Any
    ampel: Any


@cache
def section(name: str) -> Any:
    """Return a part of the file: a data file's records, ``synthetic``, ``synthetic_healpix`` …."""
    return _file()[name]


@cache
def _file() -> dict[str, Any]:
    return json.loads(shared("data", "golden", "features.json").read_bytes())


def records() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (section, record) of every state that units have measured."""
    for name, found in _file().items():
        if isinstance(found, list):
            yield from ((name, record) for record in found if "units" in record)


def golden(unit: str, variant: str = "") -> list[GoldenCase]:
    """Return every state that a unit of AMPEL has measured in a variant, errors included.

    Parameters
    ----------
    unit
        Without its ``T2``: ``LCQuality``.
    variant
        As in the file behind the slash: ``all``.
    """
    key = f"T2{unit}/{variant}" if variant else f"T2{unit}"
    found = []
    for name, record in records():
        if (made := record["units"].get(key)) is not None:
            points = points_of(name, record)
            case = GoldenCase(
                f"{record['object']}/{record['candid']}/{record['state']}",
                LightCurve("wise" if name == "synthetic_wise" else "ztf", points),
                made["config"],
                made["body"],
                made.get("error"),
                made.get("dependencies", []),
                record["object"],
                points,
            )
            found.append(case)
    assert found, f"no such unit or variant in the golden file: {key}"
    return found


def unsigned(case: GoldenCase) -> LightCurve:
    """Return a case's light curve as AMPEL's flux table sees it: every subtraction is positive."""
    return LightCurve(
        case.light_curve.survey,
        [(n, jd, {**body, "isdiffpos": "t"} if "isdiffpos" in body else body) for n, jd, body in case.points],
    )


def points_of(name: str, record: Mapping[str, Any]) -> list[Point]:
    """Return the points of a record's state: its own, or those that its newest alert alone gives."""
    if "points" in record:
        return [(point["id"], point["jd"], point) for point in record["points"]]
    return _points(name, record["candid"], muxed=record["state"] == "muxed")


def light_curve_of(name: str, record: Mapping[str, Any]) -> LightCurve:
    """Return the light curve of a record's state."""
    return LightCurve("ztf", points_of(name, record))


@cache
def _points(name: str, candid: int, *, muxed: bool) -> list[Point]:
    archive = name.endswith(".tar.gz")
    value = tarball(name.removesuffix(".tar.gz"))[candid] if archive else shared("data", "ztf", name).read_bytes()
    return alert_points(value, muxed=muxed)


def alert_points(value: bytes, *, muxed: bool = True) -> list[Point]:
    """Return the points of the state that a ZTF alert gives on its own; ``muxed``: one by (jd, rcid)."""
    table = _decoder().decode([value]).table
    heads = table.heads(0)
    known = [KnownPoint(head.id, head.jd, head.rcid, head.programid, 0.0) for head in heads]
    chosen = set(state_of(known, jd=math.inf, private=True)) if muxed else {head.id for head in heads}
    return [(head.id, head.jd, table.body(0, head.index)) for head in heads if head.id in chosen]


@cache
def _decoder() -> Decoder:
    """Return the one decoder: it parses a schema once, not once for every alert."""
    return Decoder(50_000_000)


def measured(unit: Unit, light_curve: LightCurve, *inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the body as it is stored, and see that its reasons are words that are known."""
    assert isinstance(unit, StateUnit)
    if len(light_curve) < unit.min_points:
        return settle(Undefined(TOO_FEW_POINTS))
    body = settle(unit.measure(light_curve, *inputs))
    for path, why in body.get(UNDEFINED, {}).items():
        assert why.partition(":")[0] in WORDS, (path, why)
    return body


def compare(
    ours: Mapping[str, Any],
    ampel: Mapping[str, Any],
    *,
    rel: float | Mapping[str, float] = 1e-14,
    skip: Collection[str] = (),
    extra: Collection[str] = (),
) -> list[Difference]:
    """Return every value of ours that is not AMPEL's, a missing or additional key too.

    Parameters
    ----------
    ours, ampel
        The bodies; our reasons are not compared.
    rel
        Allowed relative difference of numbers; or by pattern of path, the first that fits (else 1e-14).
    skip
        Patterns of paths that are not compared: ``t_risedec.*``.
    extra
        Patterns of paths that only ours has.
    """
    flat, expected = dict(_leaves(ours)), dict(_leaves(ampel))
    differences = []
    for path in sorted(flat.keys() | expected.keys()):
        one, other = flat.get(path, ABSENT), expected.get(path, ABSENT)
        if _fits(path, skip) or (other is ABSENT and _fits(path, (UNDEFINED, f"{UNDEFINED}.*", *extra))):
            continue
        if not _equal(one, other, _tolerance(path, rel)):
            differences.append(Difference(path, one, other))
    return differences


def _fits(path: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _tolerance(path: str, rel: float | Mapping[str, float]) -> float:
    if not isinstance(rel, Mapping):
        return rel
    return next((allowed for pattern, allowed in rel.items() if fnmatchcase(path, pattern)), 1e-14)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping | list) and value:
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in items:
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, value


def _equal(one: Any, other: Any, rel: float) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if numbers and not (isinstance(one, bool) or isinstance(other, bool)):
        return one == other or abs(one - other) <= rel * abs(other)
    return type(one) is type(other) and one == other


def assert_described(unit: Unit, body: Mapping[str, Any]) -> None:
    """See that every key of a body is in ``unit.values``: ``{band}`` and the like stand for what varies."""
    patterns = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(value.key))) for value in unit.values]
    # A described key describes what lies below it, too.
    unknown = [
        path
        for path, _ in _leaves(body)
        if path.partition(".")[0] != UNDEFINED
        and not any(pattern.fullmatch(part) for part in _above(path) for pattern in patterns)
    ]
    assert not unknown, f"{type(unit).__name__}.values lacks {unknown}"


def _above(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts) + 1))
