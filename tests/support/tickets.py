"""Objects with states in a real database, and tickets for what is to be measured of them."""

from collections.abc import Sequence

from ampeld.flow.codes import NEW
from ampeld.flow.wanted import Recipe
from ampeld.stages.ports import Provenance
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.mongodb import MongoStore

PROVENANCE = Provenance(run="run-1", version="1", config="c", instance="here")
COLS = {"point": "t0", "state": "t1", "object": "stock"}


def link_of(stock: int) -> int:
    """Return the link of an object's state."""
    return 10_000 + stock


async def insert_states(store: MongoStore, points_of: Sequence[int]) -> None:
    """Insert objects 0, 1, … each with a state of so many points, the first of which has its full body."""
    points, states, stocks = [], [], []
    for stock, n in enumerate(points_of):
        ids = [1000 * stock + i for i in range(n)]
        for i, number in enumerate(ids):
            body = {"jd": 2460000.5 + i, "magpsf": 18.5, "sigmapsf": 0.1, "fid": 1, "isdiffpos": "t", "rcid": 1}
            first = {"first": {"topic": "t", "partition": 0, "offset": number}} if i == 0 else {}
            points.append(
                {"_id": number, "stock": [stock], "channel": ["a"], "tag": ["ZTF"], "body": body, "since": {}} | first
            )
        states.append({"stock": stock, "link": link_of(stock), "dps": ids, "channel": ["a"], "tag": ["ZTF"]})
        stocks.append(
            {"_id": stock, "name": [f"o{stock}"], "tag": ["ZTF"], "channel": ["a"], "state": {}, "known": {}}
            | {"ts": {}, "journal": [], "rev": 1}
        )
    for name, documents in (("t0", points), ("t1", states), ("stock", stocks)):
        if documents:
            await store.connection[name].insert_many(documents)


def key_of(recipe: Recipe, stock: int) -> FeatureKey:
    """Return what makes a recipe's document of an object's state unique."""
    link = {"point": 1000 * stock, "state": link_of(stock), "object": stock}[recipe.kind]
    return FeatureKey(stock, COLS[recipe.kind], recipe.unit, recipe.config, link)


def ticket(recipe: Recipe, stock: int, *, jd: float = 0.0, channel: str = "a", code: int = NEW, full: int = 1):
    """Return the change that asks for a measurement."""
    meta = {"ts": 1.0, "code": code, "channel": [channel]}
    return FeatureChange(key_of(recipe, stock), (channel,), ("ZTF",), jd, full, code, meta=meta)


async def documents(store: MongoStore) -> dict[tuple[str, int], dict]:
    """Return the documents of t2 by unit (without its file) and object."""
    found = await store.connection["t2"].find({}).to_list(None)
    return {(one["unit"].rpartition(":")[2], one["stock"]): one for one in found}
