"""The features of the store in memory: documents of ``t2`` on dictionaries, by what makes each unique."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ampeld.flow.codes import RUNNING, WAITING
from ampeld.store.documents import FeatureChange, FeatureKey, StoredBody, StoredFeature

META_KEPT = 20
OF_TICKETS = ("lease", "retry_after", "trials", "waits")


class MemoryFeatures:
    """What `fakes.store.MemoryStore` knows of features.

    Attributes
    ----------
    features
        The documents, in the shape that the database holds.
    before_features
        Called before features are written: the place for a test to play the other daemon.
    """

    points: dict[int, dict[str, Any]]
    calls: Counter[str]
    _enter: Callable[[str], None]
    _leave: Callable[[str], None]

    def __init__(self) -> None:
        self.features: dict[FeatureKey, dict[str, Any]] = {}

    async def find_bodies(self, points: Sequence[int], fields: Sequence[str] | None) -> Mapping[int, StoredBody]:
        self._enter("find_bodies")
        return {number: _body(self.points[number], fields) for number in points if number in self.points}

    async def find_features(self, keys: Sequence[FeatureKey]) -> Mapping[FeatureKey, StoredFeature]:
        self._enter("find_features")
        return {key: _stored(key, self.features[key]) for key in keys if key in self.features}

    async def write_features(self, changes: Sequence[FeatureChange]) -> None:
        self._enter("write_features")
        for change in changes:
            document = self.features.get(change.key)
            if document is not None:
                merge_feature(document, change)
            elif change.code is not None:
                self.features[change.key] = _fresh(change)
        self._leave("write_features")


def merge_feature(document: dict[str, Any], change: FeatureChange) -> None:
    """Apply a change to a document, as the real store's update does by itself."""
    for name, values in (("channel", change.channel), ("tag", change.tag)):
        document[name] = list(dict.fromkeys([*document[name], *values]))
    if change.code is None:
        return
    if change.code in WAITING:
        _ask(document, change)
    elif change.full > document.get("full", -1):
        _put(document, change)


def _ask(document: dict[str, Any], change: FeatureChange) -> None:
    code = document["code"]
    idle = code != RUNNING and code not in WAITING
    if (idle and change.full > document.get("full", -1)) or (code == RUNNING and change.full > document.get("due", -1)):
        if idle and code < 0:
            document.pop("full", None)
        for name in OF_TICKETS:
            document.pop(name, None)
        document["code"] = change.code
        _note(document, change)
    elif idle:
        return
    document["due"] = max(document.get("due", -1), change.full)
    document["jd"] = max(document["jd"], change.jd)


def _put(document: dict[str, Any], change: FeatureChange) -> None:
    code = document["code"]
    waits = code == RUNNING or code in WAITING
    if change.body is not None:
        if "full" in document and not (code < 0 and not waits) and document["body"]:
            document["body"].pop()
        document["body"].append(dict(change.body))
    document["full"] = change.full
    _note(document, change)
    if not (waits and document.get("due", -1) > change.full):
        document["code"] = change.code
        for name in OF_TICKETS:
            document.pop(name, None)


def _note(document: dict[str, Any], change: FeatureChange) -> None:
    if change.meta is not None:
        document["meta"] = [*document["meta"], dict(change.meta)][-META_KEPT:]


def _fresh(change: FeatureChange) -> dict[str, Any]:
    return {
        "channel": list(change.channel),
        "tag": list(change.tag),
        "code": change.code,
        "body": [] if change.body is None else [dict(change.body)],
        "meta": [] if change.meta is None else [dict(change.meta)],
        "jd": change.jd,
        ("due" if change.code in WAITING else "full"): change.full,
    }


def _stored(key: FeatureKey, document: Mapping[str, Any]) -> StoredFeature:
    return StoredFeature(
        key=key,
        channel=frozenset(document["channel"]),
        tag=frozenset(document["tag"]),
        jd=document["jd"],
        code=document["code"],
        full=document.get("full"),
        due=document.get("due"),
        body=document["body"][-1] if document["body"] else None,
    )


def _body(point: Mapping[str, Any], fields: Sequence[str] | None) -> StoredBody:
    body = {name: value for name, value in point["body"].items() if fields is None or name in fields}
    return StoredBody(tuple(point["tag"]), body, point["first"] is not None)
