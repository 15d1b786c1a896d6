"""Whose turn it is: units and channels get the same time each, and of each of them the newest alert's ticket is first.

A group is a unit with its configuration and a channel that asks for it. Of the groups that have tickets, the one that
has had least time in this batch gives the next ticket, until the batch is full or as long as it may be; of equals the
one that comes next in a circle. So who has few tickets waits for few, however many or slow another one's are.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from ampeld.daemon.measuring.opening import Key
from ampeld.store.tickets import Group

AT_ONCE: Final = 16
"""Groups that one query looks at."""
AHEAD: Final = 4
"""Batches that one query looks for: the newest tickets stand behind those that were just measured, and to pass over
what the index still has of these takes the server longer than to find the tickets."""
_WEIGHT: Final = 0.05
_SLOW_MS: Final = 200.0
_UNKNOWN_MS: Final = 5.0


class Waiting(Protocol):
    """Who knows which tickets wait."""

    async def waiting(self, groups: Sequence[Group], most: int) -> list[list[str]]:
        """Return, for each group, the ids of its tickets that are due, newest alerts first."""


class Costs:
    """How long units take, as far as is known."""

    def __init__(self) -> None:
        self.by_unit: dict[Key, float] = {}
        """Running means [ms]."""

    def expect(self, slow: Iterable[Key]) -> None:
        """Take which units say of themselves that they are slow: that holds until they are measured."""
        for key in slow:
            self.by_unit.setdefault(key, _SLOW_MS)

    def note(self, key: Key, ms: float) -> None:
        """Take how long one measurement took [ms]."""
        known = self.by_unit.get(key, ms)
        self.by_unit[key] = known + _WEIGHT * (ms - known)

    def of(self, group: Group) -> float:
        """Return how long a ticket of a group is likely to take [ms]."""
        return self.by_unit.get((group.unit, group.config), _UNKNOWN_MS)


class Rota:
    """The groups, in a circle.

    Parameters
    ----------
    tickets
        Who knows which tickets wait.
    cost
        Returns how long a ticket of a group is likely to take [ms].
    """

    def __init__(self, tickets: Waiting, cost: Callable[[Group], float]) -> None:
        self._tickets = tickets
        self._cost = cost
        self._next = 0
        self._empty = 0
        self._ahead: list[str] = []
        self._groups: Sequence[Group] = ()
        self.is_through = False
        """Whether the last look ended a circle in which no ticket was found."""

    async def look(self, groups: Sequence[Group], *, most: int, most_ms: float) -> list[str]:
        """Return the ids of tickets whose turn it is; by one query: there may be none here, and some further on.

        Quick ones are found for some batches at once: the next looks return what is left of them.

        Parameters
        ----------
        groups
            All, always in the same order.
        most
            Tickets that are wanted.
        most_ms
            How long they may take together [ms]; one may take longer.
        """
        if not groups:
            self.is_through = True
            return []
        if self._ahead and groups == self._groups:
            chosen, self._ahead = self._ahead[:most], self._ahead[most:]
            return chosen
        self._groups = groups
        begin = self._next % len(groups)
        window = [groups[(begin + i) % len(groups)] for i in range(min(AT_ONCE, len(groups)))]
        found = await self._tickets.waiting(window, AHEAD * most)
        costs = [self._cost(group) for group in window]
        chosen, last = take_in_turns(found, costs, most=AHEAD * most, most_ms=most_ms)
        self._next = begin + (len(window) if last is None else last + 1)
        self._empty = 0 if chosen else self._empty + len(window)
        self.is_through = self._empty >= len(groups)
        if self.is_through:
            self._empty = 0
        self._ahead = chosen[most:]
        return chosen[:most]

    def look_anew(self) -> None:
        """Ask the store at the next look: others have taken what was found."""
        self._ahead = []


def take_in_turns(
    queues: Sequence[Sequence[str]], costs: Sequence[float], *, most: int, most_ms: float
) -> tuple[list[str], int | None]:
    """Return the items whose turn it is, and the number of the queue where the batch was full; None: it was not."""
    turns = [(0.0, number, iter(queue)) for number, queue in enumerate(queues) if queue]
    chosen: dict[str, None] = {}
    total_ms = 0.0
    while turns:
        spent, number, queue = turns[0]
        item = next(queue, None)
        if item is None:
            heapq.heappop(turns)
            continue
        heapq.heapreplace(turns, (spent + costs[number], number, queue))
        if item in chosen:  # another channel asks for it too, and had its turn
            continue
        chosen[item] = None
        total_ms += costs[number]
        if len(chosen) >= most or total_ms >= most_ms:
            return list(chosen), number
    return list(chosen), None


def groups_of(recipes: Iterable[Key], asking: Mapping[str, Iterable[Key]]) -> list[Group]:
    """Return the groups of these units, by channel what each asks for; in an order that is always the same."""
    mine = set(recipes)
    found = {Group(*key, channel) for channel, keys in asking.items() for key in keys if key in mine}
    return sorted(found, key=lambda group: (group.unit, group.config, group.channel))
