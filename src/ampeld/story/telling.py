"""What is known of an object, as data: its points, states, features, channels and journal, each with its origin."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ampeld.flow.codes import NAMES
from ampeld.store.dossier import Document, Dossier
from ampeld.store.reader import AlertAccount
from ampeld.story.curve import light_curve_of


class Brought(msgspec.Struct, frozen=True):
    """An alert that brought something, where it lies, and who took it."""

    alert: int
    jd: float
    topic: str
    partition: int
    offset: int
    schema: str
    channel: str
    channel_version: str | None
    run: str
    ts: float
    """When, seconds since the epoch."""


class ToldPoint(msgspec.Struct, frozen=True):
    """One point."""

    id: int
    jd: float
    band: str
    kind: str
    """``detection``, ``forced`` or ``limit``."""
    mag: float | None
    mag_err: float | None
    flux_nJy: float | None  # noqa: N815  the unit's name
    flux_err_nJy: float | None  # noqa: N815
    positive: bool
    limit: float | None
    full: bool
    """Whether its body is that of its own alert, not of a history."""
    brought: Brought | None


class ToldState(msgspec.Struct, frozen=True):
    """One state."""

    link: int
    jd: float
    alerts: list[int]
    points: int
    channel: list[str]
    newest_of: list[str]
    """The channels whose newest state it is."""


class ToldFeature(msgspec.Struct, frozen=True):
    """One feature document."""

    unit: str
    config: int
    col: str
    link: int
    code: int
    meaning: str
    channel: list[str]
    body: Mapping[str, Any] | None
    error: str | None
    run: str | None
    ts: float | None
    ms: float | None
    trace: Mapping[str, Any] | None
    params: Mapping[str, Any] | None
    newest: bool
    """Whether it belongs to a channel's newest state, or to no state."""


class ToldChannel(msgspec.Struct, frozen=True):
    """What one channel has of the object."""

    channel: str
    link: int
    alert: int
    jd: float
    known: float | None
    """The lowest jd at which its own filter accepted the object."""
    updated: float | None
    versions: list[str]


class ObjectTold(msgspec.Struct, frozen=True):
    """Everything."""

    object: str
    names: list[str]
    stock: int
    survey: str
    tag: list[str]
    rev: int
    channels: list[ToldChannel]
    points: list[ToldPoint]
    states: list[ToldState]
    features: list[ToldFeature]
    verdicts: list[AlertAccount]
    """On its newest alerts, newest first."""
    journal: list[Mapping[str, Any]]


def tell(dossier: Dossier, survey: str, verdicts: Sequence[AlertAccount] = ()) -> ObjectTold:
    """Return what is known of an object.

    Parameters
    ----------
    dossier
        What is kept of it.
    survey
        ``ztf`` or ``lsst``.
    verdicts
        What channels said of some of its alerts.
    """
    stock = dossier.stock
    newest = {name: state["link"] for name, state in stock["state"].items()}
    states = [_state(document, newest) for document in dossier.t1]
    return ObjectTold(
        object=dossier.name,
        names=list(stock["name"]),
        stock=stock["_id"],
        survey=survey,
        tag=list(stock["tag"]),
        rev=stock["rev"],
        channels=[_channel(name, dossier) for name in stock["channel"] if name in stock["state"]],
        points=_points(dossier, survey),
        states=sorted(states, key=lambda state: (state.jd, state.link)),
        features=[_feature(document, dossier, set(newest.values())) for document in dossier.t2],
        verdicts=list(verdicts),
        journal=list(stock["journal"]),
    )


def own_alerts(dossier: Dossier, most: int) -> list[int]:
    """Return the candids of the newest alerts that brought the object's own points, newest first."""
    found = sorted(
        {(entry["jd"], entry["alert"]) for point in dossier.t0 if "first" in point for entry in point["meta"]},
        reverse=True,
    )
    return [alert for _, alert in found[:most]]


def brought_by(entry: Mapping[str, Any]) -> Brought:
    """Return an entry of provenance as an alert that brought something."""
    return Brought(
        alert=entry["alert"],
        jd=entry["jd"],
        topic=entry["topic"],
        partition=entry["partition"],
        offset=entry["offset"],
        schema=entry["schema"],
        channel=entry["channel"],
        channel_version=entry.get("channel_version"),
        run=entry["run"],
        ts=entry["ts"],
    )


def bringer_of(point: Document) -> Brought | None:
    """Return who brought a point: the alert whose own it is where that is kept, else the first that carried it."""
    first, entries = point.get("first"), [entry for entry in point["meta"] if "topic" in entry]
    if not entries:
        return None
    places = [{key: entry[key] for key in ("topic", "partition", "offset")} for entry in entries]
    chosen = places.index(dict(first)) if first is not None and dict(first) in places else 0
    return brought_by(entries[chosen])


def _points(dossier: Dossier, survey: str) -> list[ToldPoint]:
    by_id = {point["_id"]: point for point in dossier.t0}
    curve = light_curve_of(survey, dossier.t0)
    kinds = ("detection", "forced", "limit")
    return [
        ToldPoint(
            id=number,
            jd=float(curve.jd[i]),
            band=str(curve.band[i]),
            kind=kinds[0] if curve.is_detection[i] else kinds[1] if curve.forced[i] else kinds[2],
            mag=_finite(curve.mag[i]),
            mag_err=_finite(curve.mag_err[i]),
            flux_nJy=_finite(curve.flux[i]),
            flux_err_nJy=_finite(curve.flux_err[i]),
            positive=bool(curve.positive[i]),
            limit=_finite(curve.limit[i]),
            full="first" in by_id[number],
            brought=bringer_of(by_id[number]),
        )
        for i, number in enumerate(curve.id.tolist())
    ]


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _state(document: Document, newest: Mapping[str, int]) -> ToldState:
    return ToldState(
        link=document["link"],
        jd=max((entry["jd"] for entry in document["meta"]), default=0.0),
        alerts=sorted({entry["alert"] for entry in document["meta"]}),
        points=len(document["dps"]),
        channel=sorted(document["channel"]),
        newest_of=sorted(name for name, link in newest.items() if link == document["link"]),
    )


def _channel(name: str, dossier: Dossier) -> ToldChannel:
    stock = dossier.stock
    state = stock["state"][name]
    entries = [entry for entry in stock["journal"] if entry.get("channel") == name]
    return ToldChannel(
        channel=name,
        link=state["link"],
        alert=state["alert"],
        jd=state["jd"],
        known=stock["known"].get(name),
        updated=stock["ts"].get(name, {}).get("upd"),
        versions=list(dict.fromkeys(entry["channel_version"] for entry in entries if "channel_version" in entry)),
    )


def measured(document: Document) -> Mapping[str, Any]:
    """Return the entry of the newest measurement of a feature; nothing where there was none."""
    entries: Iterable[Mapping[str, Any]] = document.get("meta", ())
    return next((entry for entry in reversed(list(entries)) if "ms" in entry), {})


def _feature(document: Document, dossier: Dossier, newest: set[int]) -> ToldFeature:
    entry = measured(document)
    traces = {trace["_id"]: trace for trace in dossier.traces}
    configs = {config["_id"]: config for config in dossier.configs}
    bodies = document.get("body") or [None]
    last = (document.get("meta") or [{}])[-1]
    return ToldFeature(
        unit=document["unit"],
        config=document["config"],
        col=document["col"],
        link=document["link"],
        code=document["code"],
        meaning=NAMES.get(document["code"], "a unit's own"),
        channel=sorted(document["channel"]),
        body=bodies[-1],
        error=last.get("error"),
        run=entry.get("run"),
        ts=entry.get("ts"),
        ms=entry.get("ms"),
        trace=traces.get(entry.get("trace")),
        params=configs.get(document["config"], {}).get("params"),
        newest=document["col"] != "t1" or document["link"] in newest,
    )
