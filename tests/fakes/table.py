"""Alerts made up for one test: only the fields that it names."""

from typing import Any

from ampeld.alert.table import AlertTable
from ampeld.alert.table_packets import PacketTable

JD = 2459000.5


def packet(
    *,
    name: str = "ZTF21abcdefg",
    detections: list[dict[str, Any]] | None = None,
    limits: list[dict[str, Any]] | None = None,
    fp_hists: list[dict[str, Any]] | None = None,
    **candidate: Any,
) -> dict[str, Any]:
    """Return an alert; the keywords beside its history are fields of the candidate."""
    own = {"jd": JD, "fid": 1, "pid": 1, "candid": 10, "programid": 1, "isdiffpos": "t", "ra": 10.0, "dec": 20.0}
    own |= {"magpsf": 19.0, "sigmapsf": 0.1} | candidate
    history = [*(detections or []), *({"candid": None, "diffmaglim": 20.0, **limit} for limit in limits or [])]
    return {
        "objectId": name,
        "candid": own["candid"],
        "candidate": own,
        "prv_candidates": history or None,
        "fp_hists": fp_hists,
    }


def table(*packets: dict[str, Any]) -> AlertTable:
    """Return alerts as a batch."""
    return PacketTable(packets, ["schema"] * len(packets))


def candidates(field: str, *values: Any) -> AlertTable:
    """Return a batch whose alerts differ in one field; None is missing."""
    return table(
        *(
            packet(**{field: value}, **({} if field == "candid" else {"candid": 10 + i}))
            for i, value in enumerate(values)
        )
    )
