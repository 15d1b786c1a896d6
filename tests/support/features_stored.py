"""Features as tests write them to stores, with as little said as a test needs, and read back."""

from random import Random
from typing import Any

from fakes.store import MemoryStore

from ampeld.flow.codes import ERROR, EXCEPTION, NEW, OK, PENDING_DEPENDENCY
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.features import unique_fields

KEY = FeatureKey(stock=7, col="t1", unit="Slope", config=-11, link=-5)


def result(full: int = 1, key: FeatureKey = KEY, **changes: Any) -> FeatureChange:
    """Return a result; its body says from how many full bodies it was measured."""
    code = changes.get("code", OK)
    fields: dict[str, Any] = {
        "channel": ("bright",),
        "tag": ("ZTF",),
        "jd": 2459000.5,
        "code": OK,
        "body": {"slope": 0.5, "of": full} if code >= 0 else None,
        "meta": {"run": "r1", "code": code, "full": full},
    }
    return FeatureChange(key=key, full=full, **(fields | changes))


def ticket(full: int = 1, key: FeatureKey = KEY, **changes: Any) -> FeatureChange:
    """Return a ticket."""
    return result(full, key, **({"code": NEW, "body": None} | changes))


def addition(*channels: str, key: FeatureKey = KEY) -> FeatureChange:
    """Return that more channels ask for what is there."""
    return FeatureChange(key=key, channel=channels, tag=("ZTF",), jd=2459000.5, full=1)


async def document_of(store: Any, key: FeatureKey = KEY) -> dict[str, Any] | None:
    """Return a document of ``t2`` without what finds it."""
    if isinstance(store, MemoryStore):
        return store.features.get(key)
    found = await store.connection["t2"].find_one(unique_fields(key))
    return None if found is None else {name: v for name, v in found.items() if name not in {"_id", *unique_fields(key)}}


async def alter(store: Any, *unset: str, key: FeatureKey = KEY, **fields: Any) -> None:
    """Change a document as another part of ampeld does: a claim, a reset."""
    if isinstance(store, MemoryStore):
        store.features[key].update(fields)
        for name in unset:
            store.features[key].pop(name, None)
        return
    update: dict[str, Any] = {"$set": fields} if fields else {}
    await store.connection["t2"].update_one(
        unique_fields(key), update | ({"$unset": dict.fromkeys(unset, 1)} if unset else {})
    )


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without times, its channels in order."""
    meta = [{name: v for name, v in e.items() if name not in {"ts", "ms", "error"}} for e in document["meta"]]
    return document | {"meta": meta, "channel": sorted(document["channel"])}


def any_change(chance: Random, key: FeatureKey, step: int) -> FeatureChange:
    """Return a result, a failure, a ticket or an addition, at random."""
    full, jd = chance.randrange(4), chance.choice([10.0, 20.0, 30.0])
    channel = (chance.choice(["a", "b"]),)
    return chance.choice(
        [
            addition(*channel, key=key),
            ticket(full, key, jd=jd, channel=channel, code=chance.choice([NEW, PENDING_DEPENDENCY])),
            result(full, key, channel=channel, body={"step": step, "of": full}),
            result(full, key, channel=channel, code=chance.choice([EXCEPTION, ERROR])),
        ]
    )
