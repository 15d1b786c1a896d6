"""One value traced back: from the feature document over unit, code, state and points to the alerts' bytes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ampeld.errors import AmpeldError
from ampeld.names import did_you_mean
from ampeld.store.dossier import Document, Dossier
from ampeld.story.sentences import count, date, place, point_in_words, version_of, when
from ampeld.story.telling import Brought, ObjectTold, ToldFeature, ToldPoint

UNDEFINED: Final = "undefined"
_PART: Final = re.compile(r"[^.\[\]]+")


class NoValueError(AmpeldError):
    """There is no such value; the message says what there is."""


class Meaning(msgspec.Struct, frozen=True):
    """What a value is, as its unit's class says."""

    unit: str
    description: str


class TracedInput(msgspec.Struct, frozen=True):
    """What a unit built upon."""

    unit: str
    config: int
    link: str
    """Of what: ``same``, ``first``, ``last`` or ``object``."""
    feature: ToldFeature | None
    """Its document, where there is one."""


class TracedValue(msgspec.Struct, frozen=True):
    """A value with everything that it came from."""

    object: str
    key: str
    value: Any
    reason: str | None
    """Why there is none."""
    meaning: Meaning | None
    feature: ToldFeature
    inputs: list[TracedInput]
    state: Mapping[str, Any] | None
    """``link``, ``jd``, ``alerts`` and ``dps``, for a value of a state."""
    points: list[ToldPoint]
    """What was measured."""
    alerts: list[Brought]
    """Every alert that brought some of them, oldest first: where the bytes lie."""
    story: list[str]


def split(told: ObjectTold, words: str) -> tuple[str, str]:
    """Return unit and key of ``UNIT.KEY``; a unit's own name may hold dots.

    Raises
    ------
    NoValueError
        If the object has no feature of such a unit.
    """
    units = sorted({feature.unit for feature in told.features}, key=len, reverse=True)
    for unit in units:
        if words.startswith(f"{unit}."):
            return unit, words.removeprefix(f"{unit}.")
    if words in units:
        raise NoValueError(f"{words}: which value? {words}.KEY")
    near = did_you_mean(words.partition(".")[0], units)
    there = f"; there are {', '.join(sorted(units))}" if units else "; nothing is measured of it"
    raise NoValueError(f"{told.object} has no feature {words!r}{near or there}")


def trace_back(
    told: ObjectTold, dossier: Dossier, words: str, *, config: int | None, meanings: Mapping[str, Meaning]
) -> TracedValue:
    """Return where a value came from.

    Parameters
    ----------
    told, dossier
        The object.
    words
        ``UNIT.KEY``; a key within a table or list is written ``key.inner`` or ``key[0]``.
    config
        Which configuration of the unit; by default the one of the newest alert.
    meanings
        By key, or pattern with ``{band}``: what the unit's class says of its values.

    Raises
    ------
    NoValueError
        If there is none.
    """
    unit, key = split(told, words)
    feature = _newest(told, unit, config)
    value = _look_up(feature, key)
    state = next((one for one in dossier.t1 if feature.col == "t1" and one["link"] == feature.link), None)
    chosen = {"t0": [feature.link], "t1": state["dps"] if state else []}.get(feature.col, [])
    points = [point for point in told.points if point.id in set(chosen)]
    alerts = sorted({p.brought for p in points if p.brought is not None}, key=lambda one: (one.jd, one.alert))
    traced = TracedValue(
        object=told.object,
        key=words,
        value=value,
        reason=_reason(feature, key),
        meaning=_meaning(meanings, key),
        feature=feature,
        inputs=_inputs(told, dossier, feature),
        state=None if state is None else _state(state),
        points=points,
        alerts=alerts,
        story=[],
    )
    return msgspec.structs.replace(traced, story=_story(told, traced))


def _newest(told: ObjectTold, unit: str, config: int | None) -> ToldFeature:
    found = [f for f in told.features if f.unit == unit and config in (None, f.config)]
    if not found:
        there = ", ".join(sorted({str(f.config) for f in told.features if f.unit == unit}))
        raise NoValueError(f"{unit} has no configuration {config} here; there are {there}")
    jds = {state.link: state.jd for state in told.states} | {point.id: point.jd for point in told.points}
    return max(found, key=lambda one: (one.newest, jds.get(one.link, 0.0), one.ts or 0.0))


def _look_up(feature: ToldFeature, key: str) -> Any:
    if feature.body is None:
        said = f"\n{feature.error}" if feature.error else ""
        raise NoValueError(f"{feature.unit} has no result on {feature.col} {feature.link}: {feature.meaning}{said}")
    if key in feature.body:
        return feature.body[key]
    value: Any = feature.body
    for part in _PART.findall(key):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            if key in (feature.body.get(UNDEFINED) or {}):
                return None
            near = did_you_mean(key, [str(one) for one in feature.body])
            there = ", ".join(str(one) for one in feature.body if one != UNDEFINED)
            raise NoValueError(f"{feature.unit} has no value {key!r}{near}; it has {there or 'none'}") from None
    return value


def _reason(feature: ToldFeature, key: str) -> str | None:
    reasons = (feature.body or {}).get(UNDEFINED) or {}
    found = reasons.get(key, reasons.get("*"))
    return None if found is None else str(found)


def _meaning(meanings: Mapping[str, Meaning], key: str) -> Meaning | None:
    if key in meanings:
        return meanings[key]
    for pattern, meaning in meanings.items():
        parts = re.split(r"\{[^}]*\}", pattern)
        if len(parts) > 1 and re.fullmatch(".+?".join(map(re.escape, parts)), key):
            return meaning
    return None


def _inputs(told: ObjectTold, dossier: Dossier, feature: ToldFeature) -> list[TracedInput]:
    config: Document = next((one for one in dossier.configs if one["_id"] == feature.config), {})
    return [
        TracedInput(below["unit"], below["config"], below["link"], _document_of(told, below, feature))
        for below in config.get("depends", ())
    ]


def _document_of(told: ObjectTold, below: Mapping[str, Any], above: ToldFeature) -> ToldFeature | None:
    found = [f for f in told.features if (f.unit, f.config) == (below["unit"], below["config"])]
    same = [f for f in found if (f.col, f.link) == (above.col, above.link)]
    return next(iter(same or found), None)


def _state(document: Document) -> dict[str, Any]:
    return {
        "link": document["link"],
        "jd": max((entry["jd"] for entry in document["meta"]), default=None),
        "alerts": sorted({entry["alert"] for entry in document["meta"]}),
        "channel": sorted(document["channel"]),
        "dps": list(document["dps"]),
    }


def _story(told: ObjectTold, traced: TracedValue) -> list[str]:
    feature = traced.feature
    missing = f" It is missing: {traced.reason}." if traced.reason else ""
    lines = [f"{traced.key} of {told.object} is {_shown(traced)}.{missing}"]
    if traced.meaning is not None and traced.meaning.description:
        lines.append(f"It means: {traced.meaning.description}.")
    lines += [*_by_whom(feature), *(_upon(one) for one in traced.inputs)]
    if traced.state is not None:
        newest = next((state.newest_of for state in told.states if state.link == feature.link), [])
        whose = f", the newest of {', '.join(newest)}" if newest else ""
        lines.append(
            f"It measured state {feature.link}{whose}: {count(len(traced.state['dps']), 'point')} up to "
            f"{date(traced.state['jd'])}, reached by alert {', '.join(map(str, traced.state['alerts']))}."
        )
    lines += _takers(told, traced)
    for alert in traced.alerts:
        own = [point for point in traced.points if point.brought == alert]
        shown = "; ".join(f"{point_in_words(point)} [{point.id}]" for point in own[:3])
        more = f" and {len(own) - 3} more" if len(own) > 3 else ""
        lines.append(
            f"Alert {alert.alert} at {place(alert)} (schema {alert.schema}), taken by {version_of(alert)} in run "
            f"{alert.run}, brought {count(len(own), 'of these points', 'of these points')}: {shown}{more}."
        )
    return lines


def _shown(traced: TracedValue) -> str:
    unit = f" {traced.meaning.unit}" if traced.meaning is not None and traced.meaning.unit else ""
    return "not defined" if traced.value is None else f"{traced.value}{unit}"


def _by_whom(feature: ToldFeature) -> list[str]:
    took = "" if feature.ms is None else f" in {feature.ms:.2g} ms"
    lines = [f"{feature.unit} measured it on {when(feature.ts)}{took} in run {feature.run}."]
    if feature.trace is not None:
        trace = feature.trace
        libraries = ", ".join(f"{name} {version}" for name, version in trace["libraries"].items())
        lines.append(
            f"The unit was version {trace['version']}, its source {trace['digest']}, on Python {trace['py']}"
            f"{' with ' + libraries if libraries else ''}."
        )
        for name, digest in trace["resources"].items():
            lines.append(f"It used {name}, whose digest is {digest}.")
    params = ", ".join(f"{name} = {value}" for name, value in (feature.params or {}).items())
    lines.append(f"Its configuration {feature.config} is {params or 'without parameters'}.")
    return lines


def _upon(one: TracedInput) -> str:
    has = "which has no result here" if one.feature is None else f"measured in run {one.feature.run}"
    return f"It builds upon {one.unit} (configuration {one.config}), {has}."


def _takers(told: ObjectTold, traced: TracedValue) -> Sequence[str]:
    if traced.state is None:
        return []
    wanted = set(traced.state["alerts"])
    takers = sorted(
        {
            f"{entry['channel']}@{entry['channel_version']}" if "channel_version" in entry else str(entry["channel"])
            for entry in told.journal
            if entry.get("alert") in wanted
        }
    )
    return [f"The state was made because {', '.join(takers)} accepted that alert."] if takers else []
