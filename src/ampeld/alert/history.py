"""The union of an object's history, and the state it gives: one pure rule, whatever the order of arrival.

The state of an object at an accepted alert is every point that accepted alerts up to that one brought, as of its jd:
a point counts when it was measured no later (``point.jd <= jd``) and brought no later (``point.since <= jd``).
``since`` is the lowest jd of the accepted alerts that carried the point, so it falls when a late alert arrives, and
every state depends on the set of accepted alerts alone: not on batches, daemons, redeliveries or timing.
For alerts in the order of their times this is what AMPEL's muxer and combiner give when they are flushed after every
alert (Ampel-ZTF ``ZiMongoMuxer``, ``ZiT1Combiner``).
"""

from collections.abc import Hashable, Iterable

from ampeld.alert.point import TIMELESS, KnownPoint

PRIVATE_PROGRAM = 2
"""The ``programid`` whose points only channels with the right ``ZTF_PRIV`` may see."""


def is_visible(programid: int, *, private: bool) -> bool:
    """Tell whether a channel with or without ``ZTF_PRIV`` may see points of this programme."""
    return private or programid != PRIVATE_PROGRAM


def state_of(points: Iterable[KnownPoint], *, jd: float, private: bool) -> tuple[int, ...]:
    """Return the ids of the points that make the state of an object at an alert.

    Parameters
    ----------
    points
        Every point known of the object, in any order.
    jd : float
        Time of the alert [JD].
    private
        Whether the channel has the right ``ZTF_PRIV``.

    Returns
    -------
    tuple of int
        Ascending. Of points with equal (jd, rcid) only the one with the largest id: it is the later reduction.
        A point without rcid is measured once: it stands for itself, whatever else has its jd.
        Of the points without a time (an object's record) only the one brought last, else of the largest id.
    """
    newest: dict[Hashable, KnownPoint] = {}
    record: KnownPoint | None = None
    for point in points:
        if point.since > jd or point.jd > jd:
            continue
        if point.jd == TIMELESS:
            if record is None or (record.since, record.id) < (point.since, point.id):
                record = point
            continue
        key = point.id if point.rcid is None else (point.jd, point.rcid)
        rival = newest.get(key)
        if rival is None or rival.id < point.id:
            newest[key] = point
    chosen = newest.values() if record is None else (*newest.values(), record)
    return tuple(sorted(point.id for point in chosen if is_visible(point.programid, private=private)))
