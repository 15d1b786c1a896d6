"""An object as the store keeps it, with two points, two states and some features."""

from typing import Any

from ampeld.store.dossier import Dossier

JD = 2458000.0


def entry(alert: int, offset: int, jd: float, channel: str = "rapid") -> dict[str, Any]:
    return {
        "run": "r1",
        "ts": 1_500_000_000.0,
        "alert": alert,
        "jd": jd,
        "topic": "night",
        "partition": 3,
        "offset": offset,
        "schema": "5c4e3a",
        "channel": channel,
        "channel_version": f"{channel}-v1",
    }


def point(number: int, jd: float, *, own: int | None, meta: dict[str, Any], **body: Any) -> dict[str, Any]:
    document = {"_id": number, "stock": [7], "channel": ["rapid"], "tag": ["ZTF"], "since": {"7": jd}, "meta": [meta]}
    document["body"] = {"jd": jd, "fid": 1, "diffmaglim": 20.5} | body
    if own is not None:
        document["first"] = {"topic": "night", "partition": 3, "offset": own}
    return document


def feature(unit: str, link: int, body: dict[str, Any] | None, *, code: int = 0, **more: Any) -> dict[str, Any]:
    meta = {"run": "r2", "ts": 1_500_000_001.0, "code": code, "ms": 0.25, "trace": 11}
    document = {"unit": unit, "config": 99, "col": "t1", "link": link, "stock": 7, "channel": ["rapid"], "tag": ["ZTF"]}
    return document | {"code": code, "body": [] if body is None else [body], "meta": [meta], "jd": JD} | more


def a_dossier(*features: dict[str, Any]) -> Dossier:
    first, second = entry(100, 5, JD), entry(101, 9, JD + 2)
    detection = {"magpsf": 18.5, "sigmapsf": 0.1, "isdiffpos": "t"}
    return Dossier(
        stock={
            "_id": 7,
            "name": ["ZTF20aaaaaaa"],
            "tag": ["ZTF"],
            "channel": ["rapid"],
            "state": {"rapid": {"link": -6, "alert": 101, "jd": JD + 2}},
            "known": {"rapid": JD},
            "ts": {"any": {"tied": 1.0, "upd": 2.0}, "rapid": {"tied": 1.0, "upd": 2.0}},
            "journal": [{**first, "tier": 0, "link": -5}, {**second, "tier": 0, "link": -6}],
            "rev": 2,
        },
        t0=[
            point(-3, JD - 1, own=None, meta=first),
            point(100, JD, own=5, meta=first, **detection),
            point(101, JD + 2, own=9, meta=second, **detection | {"magpsf": 18.0, "fid": 2}),
        ],
        t1=[
            {"stock": 7, "link": -5, "dps": [-3, 100], "channel": ["rapid"], "tag": [], "meta": [first]},
            {"stock": 7, "link": -6, "dps": [-3, 100, 101], "channel": ["rapid"], "tag": [], "meta": [second]},
        ],
        t2=list(features),
        traces=[
            {"_id": 11, "unit": "RiseDecline", "version": "1", "digest": "d1g35t", "params": {}, "config": 99}
            | {"py": "3.11.7", "libraries": {"numpy": "2.4.6"}, "resources": {"gaia": "f00d"}}
        ],
        configs=[
            {"_id": 99, "unit": ["RiseDecline"], "params": {"max_tsep": 2.0}}
            | {"depends": [{"unit": "CatalogMatch", "config": 77, "link": "first"}]}
        ],
        versions=[],
    )
