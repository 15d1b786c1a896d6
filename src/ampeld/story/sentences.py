"""The story of an object in sentences: which alert brought what, who took it, and what was measured by whom."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from ampeld.feature.work import COLS
from ampeld.flow.codes import OK
from ampeld.story.telling import Brought, ObjectTold, ToldFeature, ToldPoint

_JD_OF_1970: Final = 2440587.5
_FEW: Final = 3
_KINDS: Final = {col: kind for kind, col in COLS.items()}


def sentences(told: ObjectTold) -> list[str]:
    """Return the story, in the order in which it happened."""
    return [*_accepted(told), *_points(told), *_states(told), *_features(told)]


def when(ts: float | None) -> str:
    """Return a time stamp as people read it [s since the epoch, UTC]."""
    return "at an unknown time" if ts is None else f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%d %H:%M:%S} UTC"


def date(jd: float) -> str:
    """Return a Julian date as people read it."""
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - _JD_OF_1970):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"JD {jd}"


def place(brought: Brought) -> str:
    """Return where an alert lies."""
    return f"{brought.topic}/{brought.partition}/{brought.offset}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def version_of(brought: Brought) -> str:
    """Return the channel that took an alert, with its version."""
    return brought.channel if brought.channel_version is None else f"{brought.channel}@{brought.channel_version}"


def point_in_words(point: ToldPoint) -> str:
    """Return a point as one reads it aloud."""
    if point.kind == "limit":
        depth = "" if point.limit is None else f" of {point.limit:.2f} mag"
        return f"the upper limit{depth} in {point.band or '?'}"
    if point.mag is not None:
        err = "" if point.mag_err is None else f" ± {point.mag_err:.2f}"
        return f"the {point.kind} {point.mag:.2f}{err} mag in {point.band or '?'}"
    flux = "" if point.flux_nJy is None else f" of {point.flux_nJy:.0f} nJy"
    return f"the {point.kind}{flux} in {point.band or '?'}"


def _accepted(told: ObjectTold) -> Iterator[str]:
    journal = sorted((e for e in told.journal if "alert" in e), key=lambda e: (e["jd"], e["alert"], e["channel"]))
    by_alert: dict[int, list[Mapping[str, object]]] = {}
    for entry in journal:
        by_alert.setdefault(int(entry["alert"]), []).append(entry)
    for alert, entries in by_alert.items():
        first = entries[0]
        takers = ", ".join(_taker(entry) for entry in entries)
        yield (
            f"Alert {alert} of {date(float(str(first['jd'])))} "
            f"({first.get('topic')}/{first.get('partition')}/{first.get('offset')}) was accepted by {takers}, "
            f"in run {first.get('run')} on {when(float(str(first['ts'])))}; "
            f"it made the state {first.get('link')}."
        )


def _taker(entry: Mapping[str, object]) -> str:
    version = entry.get("channel_version")
    return f"{entry['channel']}" if version is None else f"{entry['channel']}@{version}"


def _points(told: ObjectTold) -> Iterator[str]:
    by_alert: dict[Brought, list[ToldPoint]] = {}
    for point in told.points:
        if point.brought is not None:
            by_alert.setdefault(point.brought, []).append(point)
    for brought, points in sorted(by_alert.items(), key=lambda item: (item[0].jd, item[0].alert)):
        own = [point for point in points if point.full]
        rest = [point for point in points if not point.full]
        parts = [point_in_words(own[0]) + ", its own" if own else ""]
        if rest:
            kinds = Counter(point.kind for point in rest)
            parts.append(" and ".join(count(number, kind) for kind, number in kinds.items()) + " of its history")
        what = ", and ".join(part for part in parts if part)
        yield f"Alert {brought.alert} ({place(brought)}, schema {brought.schema}) brought {what}."


def _states(told: ObjectTold) -> Iterator[str]:
    for state in told.states:
        newest = f"; it is the newest of {', '.join(state.newest_of)}" if state.newest_of else ""
        yield (
            f"State {state.link} of {date(state.jd)} has {count(state.points, 'point')} "
            f"and was reached by {_some(map(str, state.alerts), 'alert')}{newest}."
        )


def _features(told: ObjectTold) -> Iterator[str]:
    for feature in told.features:
        if feature.newest:
            yield feature_in_words(feature)


def feature_in_words(feature: ToldFeature) -> str:
    """Return who measured what, or why there is no result."""
    of = _KINDS.get(feature.col, feature.col)
    name = f"{feature.unit} (configuration {feature.config})"
    asked = f" for {', '.join(feature.channel)}" if feature.channel else ""
    if feature.run is None:
        return f"{name} has yet to measure {of} {feature.link}{asked} ({feature.meaning})."
    took = "" if feature.ms is None else f" in {feature.ms:.2g} ms"
    by = f" in run {feature.run} on {when(feature.ts)}{_trace(feature.trace)}"
    if feature.code < OK:
        return f"{name} failed on {of} {feature.link}{by}: {feature.meaning}."
    values = len([key for key in feature.body or {} if key != "undefined"])
    return f"{name} measured {count(values, 'value')} of {of} {feature.link}{took}{asked}{by}."


def _trace(trace: Mapping[str, object] | None) -> str:
    if trace is None:
        return ""
    return f" (version {trace['version']}, source {trace['digest']}, Python {trace['py']})"


def _some(names: Iterable[str], noun: str) -> str:
    every = list(names)
    shown = ", ".join(every[:_FEW])
    rest = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return f"{noun if len(every) == 1 else noun + 's'} {shown}{rest}" if every else f"no {noun} that is kept"
