"""A reproducible stretch of nights: the population, and its alerts in the order in which a survey sends them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import msgspec
import numpy as np

from ampeld.demo.bodies import Bodies
from ampeld.demo.objects import SimulatedObject, make_object
from ampeld.demo.packets import packet
from ampeld.demo.shapes import SUPERNOVAE, Kind
from ampeld.demo.stamps import stamps_of
from ampeld.demo.survey import Survey

DEFAULT_START = date(2025, 10, 12)
_LATE = 0.01
_DUPLICATE = 0.01
_COMMON: tuple[Kind, ...] = ("asteroid", "variable", "agn", "bogus")
_SHARES = (0.36, 0.34, 0.12, 0.18)


class SimulatedAlert(msgspec.Struct, frozen=True):
    """One packet as it is sent."""

    object: str
    kind: Kind
    candid: int
    jd: float
    night: date
    packet: bytes
    late: bool
    """Sent after later alerts of the same object."""
    duplicate: bool
    """The same packet was sent before."""


@dataclass(frozen=True)
class _Slot:
    """One alert to be sent: the visit of an object, and how."""

    subject: int
    visit: int
    late: bool = False
    duplicate: bool = False


class SimulatedNights:
    """The population of some nights and its alerts; the same arguments give the same bytes.

    Parameters
    ----------
    seed
        Decides everything.
    alerts
        How many packets, duplicates included; fewer only where ``objects`` do not yield them.
    objects
        At most so many objects; by default as many as the alerts need.
    nights
        Over how many nights.
    start
        The first night, a UTC day.
    """

    def __init__(
        self, seed: int, alerts: int, *, objects: int | None = None, nights: int = 1, start: date = DEFAULT_START
    ) -> None:
        self.survey = Survey(seed, start, nights)
        self._random = np.random.default_rng([seed, 6])
        duplicates = round(alerts * _DUPLICATE)
        self.objects, visits = _populate(self.survey, alerts - duplicates, objects)
        self._candids = _number(self.objects)
        self._order = self._arrange(visits, duplicates)
        # An object's records are kept while its alerts follow one another within a night.
        self._bodies = lru_cache(maxsize=1000)(self._make_bodies)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[SimulatedAlert]:
        for slot in self._order:
            yield self._alert(slot)

    def _make_bodies(self, subject: int) -> Bodies:
        return Bodies(self.objects[subject], self._candids[subject])

    def _alert(self, slot: _Slot) -> SimulatedAlert:
        it = self.objects[slot.subject]
        bodies = self._bodies(slot.subject)
        candid = bodies.candids[slot.visit]
        images = stamps_of(it.kind, positive=bool(it.flux[slot.visit] > 0), variant=it.number)
        pid = it.pid[slot.visit]
        names = (f"candid{candid}_pid{pid}_targ_sci.fits.gz", f"candid{candid}_ref.fits.gz")
        stamps = list(zip((*names, f"candid{candid}_pid{pid}_targ_scimref.fits.gz"), images, strict=True))
        records = bodies.candidate(slot.visit), bodies.history(slot.visit), bodies.forced(slot.visit)
        return SimulatedAlert(
            object=it.name,
            kind=it.kind,
            candid=candid,
            jd=float(it.visits.jd[slot.visit]),
            night=self.survey.day(int(it.visits.night[slot.visit])),
            packet=packet(it.name, candid, *records, stamps),
            late=slot.late,
            duplicate=slot.duplicate,
        )

    def _arrange(self, visits: Sequence[list[int]], duplicates: int) -> list[_Slot]:
        """Put the alerts in the order of time, but for some late ones, and let some come twice."""
        nights: dict[int, list[_Slot]] = defaultdict(list)
        for subject, its_visits in enumerate(visits):
            for visit in its_visits:
                nights[int(self.objects[subject].visits.night[visit])].append(_Slot(subject, visit))
        for slots in nights.values():
            slots.sort(key=lambda slot: (self.objects[slot.subject].visits.jd[slot.visit], slot.subject))
        total = sum(map(len, nights.values()))
        order: list[_Slot] = []
        for night in sorted(nights):
            late = self._delay(nights[night], round(len(nights[night]) * _LATE))
            order += late
        return self._repeat(order, duplicates) if total else []

    def _delay(self, slots: list[_Slot], count: int) -> list[_Slot]:
        """Send the first alert of some objects after their second one of the same night."""
        places: dict[int, list[int]] = defaultdict(list)
        for place, slot in enumerate(slots):
            places[slot.subject].append(place)
        pairs = [its_places for its_places in places.values() if len(its_places) > 1]
        chosen = self._random.permutation(len(pairs))[:count]
        behind = {pairs[index][1]: pairs[index][0] for index in chosen}
        moved = set(behind.values())
        order = []
        for place, slot in enumerate(slots):
            if place not in moved:
                order.append(slot)
            if place in behind:
                first = slots[behind[place]]
                order.append(_Slot(first.subject, first.visit, late=True))
        return order

    def _repeat(self, order: list[_Slot], count: int) -> list[_Slot]:
        """Send some alerts a second time, up to 300 alerts after the first."""
        again: dict[int, list[_Slot]] = defaultdict(list)
        for place in self._random.permutation(len(order))[:count]:
            slot = order[place]
            later = min(len(order) - 1, int(place) + int(self._random.integers(300)))
            again[later].append(_Slot(slot.subject, slot.visit, late=slot.late, duplicate=True))
        return [each for place, slot in enumerate(order) for each in (slot, *again[place])]


def simulate_night(
    seed: int, alerts: int, objects: int | None = None, nights: int = 1, start: date = DEFAULT_START
) -> Iterator[SimulatedAlert]:
    """Yield the alerts of `SimulatedNights` one after the other."""
    yield from SimulatedNights(seed, alerts, objects=objects, nights=nights, start=start)


def _populate(survey: Survey, wanted: int, most: int | None) -> tuple[list[SimulatedObject], list[list[int]]]:
    """Return objects, supernovae first, until their alerts suffice; with the visits at which each alerts."""
    random = np.random.default_rng([survey.seed, 7])
    supernovae = min(max(10, round(wanted * 0.012)), max(1, wanted // 5), most or wanted)
    objects: list[SimulatedObject] = []
    visits: list[list[int]] = []
    left, number = wanted, 0
    while left > 0 and (most is None or len(objects) < most):
        rare = number < supernovae
        kind = SUPERNOVAE[number % 5 % 3] if rare else _COMMON[int(random.choice(len(_COMMON), p=_SHARES))]
        made = make_object(survey, number, kind)
        number += 1
        if made is None:
            continue
        objects.append(made)
        visits.append(made.alerts()[:left])
        left -= len(visits[-1])
    return objects, visits


def _number(objects: Sequence[SimulatedObject]) -> list[dict[int, int]]:
    """Return the candid of every detection of every object: image, sign, and a running number in the image."""
    taken: dict[int, int] = defaultdict(int)
    numbered = []
    for it in objects:
        candids = {}
        for visit in map(int, np.flatnonzero(it.detected)):
            image = it.field.number, it.pid[visit]
            base = image[1] * 1_000_000 + (15_000 if it.flux[visit] > 0 else 10_000)
            candids[visit] = base + taken[base]
            taken[base] += 1
        numbered.append(candids)
    return numbered
