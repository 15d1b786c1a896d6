"""Small made-up objects with consistent histories, as accepted alerts: food for the properties of de-duplication."""

from typing import Any

from hypothesis import strategies as st

from ampeld.alert.point import Head, Point
from ampeld.flow.record import Coordinates
from ampeld.stages.values import Accepted

WINDOW_D = 3.0
CHANNELS = ("public", "partner")
PRIVATE = {"public": False, "partner": True}


def accepted(points: list[Point], **fields: Any) -> Accepted:
    """Return an accepted alert that brings these points."""
    heads = [Head(p.id, p.jd, p.rcid, p.programid, p.tag, p.full, index) for index, p in enumerate(points)]
    return Accepted(survey="ztf", heads=heads, body=lambda index: points[index].body, **fields)


def _point(number: int, *, full: bool, programid: int, superseded: bool = False) -> Point:
    jd = float(abs(number) % 10_000 // 10)
    body = {"jd": jd, "rcid": 1, "programid": programid, "full": full, "superseded": superseded}
    if number > 0:
        body["magpsf"] = 18.0
    return Point(number, jd, 1, programid, ("ZTF",), body, full)


@st.composite
def alerts_of_one_object(draw, stock: int = 1) -> list[Accepted]:
    """Draw the accepted alerts of one object in the order of their times.

    Each visit gives a detection or a limit, some are reprocessed under a larger id, and an alert's history is what its
    window holds less what is dropped at random, as in real packets.
    """
    visits = draw(st.lists(st.sampled_from(["alert", "detection", "limit"]), min_size=1, max_size=7))
    if "alert" not in visits:
        visits.append("alert")
    numbers, alerts = [], []
    for day, kind in enumerate(visits, start=1):
        programid = 1 + day % 2 if kind == "limit" else draw(st.sampled_from([1, 1, 2]))  # one exposure, one programme
        number = (-10 * day - 5) if kind == "limit" else 10_000 * stock + 10 * day + draw(st.integers(0, 1))
        if kind == "alert":
            near = [n for n in numbers if day - abs(n[0]) % 10_000 // 10 <= WINDOW_D and draw(st.booleans())]
            history = [_point(n, full=False, programid=p) for n, p in near]
            takers = draw(
                st.sampled_from([("partner",), CHANNELS] if programid == 2 else [*((c,) for c in CHANNELS), CHANNELS])
            )
            takers = tuple(c for c in takers if programid != 2 or PRIVATE[c]) or ("partner",)
            alert = accepted(
                [_point(number, full=True, programid=programid), *history],
                coordinates=Coordinates("topic", 0, 100 * stock + day),
                candid=number,
                stock=stock,
                name=f"object {stock}",
                jd=float(day),
                schema="s",
                channels=dict.fromkeys(takers, True),
            )
            alerts.append(alert)
        numbers.append((number, programid))
        if kind != "limit" and draw(st.booleans()):
            numbers.append((number + 2, programid))  # the later reduction of the same exposure
    return alerts
