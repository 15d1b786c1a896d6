"""Write what passed, once: a flush is a sequence of idempotent steps, repeated until every one is durable.

Points, then objects by compare-and-swap, then states, then the verdict block; offsets are committed behind it.
A crash between two steps is repaired by redelivery, because the plan follows from what is stored
(`ampeld.stages.plan`), and an object lost to another daemon's swap is read and planned again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import stamina

from ampeld.channel.channel import Channel
from ampeld.errors import InvariantError, RetryableError
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver, Sender
from ampeld.flow.record import Coordinates
from ampeld.flow.verdict import BYPASSED, OVERRULED, is_accepted
from ampeld.stages.account import Bookkeeper
from ampeld.stages.known import follow_known, stocks_to_ask
from ampeld.stages.plan import make_plan
from ampeld.stages.ports import Provenance, Store
from ampeld.stages.unstorable import without
from ampeld.stages.values import Accepted, Flushed, Judged
from ampeld.store.documents import Account
from ampeld.store.errors import UnstorableError

MAX_WAIT_S = 5.0

Links = Mapping[tuple[int, int, str], int]


class Flusher:
    """Makes the outcomes of judged batches durable.

    Parameters
    ----------
    store
        Where everything is written.
    provenance
        What every document says of this run.
    group
        The consumer group that verdict blocks are kept under.
    """

    def __init__(self, store: Store, provenance: Provenance, group: str) -> None:
        self._store = store
        self._provenance = provenance
        self._bookkeeper = Bookkeeper(store, provenance, group)

    async def flush(self, batches: Sequence[Judged]) -> Account:
        """Write everything that these batches say, once through; what was written before changes nothing.

        The batches were judged by the same channels.
        """
        followed, links, first = await self._store_what_can_be(batches)
        account = await self._bookkeeper.account(followed, links, first)
        await self._store.write_account(account)
        reach("after_block")
        return account

    async def _store_what_can_be(
        self, batches: Sequence[Judged]
    ) -> tuple[list[Judged], Links, Mapping[int, Coordinates]]:
        """Write the documents; what no server can hold becomes a dead letter instead."""
        while True:
            try:
                return await self.store(batches)
            except UnstorableError as error:
                fewer = without(batches, error.document, str(error))
                if all(len(a.decoded.rows) == len(b.decoded.rows) for a, b in zip(fewer, batches, strict=True)):
                    raise InvariantError(f"no alert of the flush carries what cannot be stored: {error}") from error
                batches = fewer

    async def store(self, batches: Sequence[Judged]) -> tuple[list[Judged], Links, Mapping[int, Coordinates]]:
        """Write the documents of what was accepted, without an account of it.

        Returns
        -------
        tuple
            The batches with known objects followed; the links of the states by (stock, candid, channel);
            the coordinates that first brought each accepted candid.
        """
        stocks = stocks_to_ask(batches)
        known = await self._store.find_objects(sorted(stocks)) if stocks else {}
        followed = follow_known(batches, known)
        # Shaping and planning take milliseconds an alert: in a thread, so that heartbeats go on meanwhile.
        accepted = await asyncio.to_thread(self._accepted, followed)
        private = {channel.name: "ZTF_PRIV" in channel.access for channel in batches[0].channels}
        links: Links = await self._write(accepted, private) if accepted else {}
        candids = sorted({alert.candid for alert in accepted})
        first = await self._store.find_first(candids) if candids else {}
        if missing := set(candids) - first.keys():
            raise InvariantError(f"points without the coordinates that brought them: {sorted(missing)[:5]}")
        return followed, links, first

    async def _write(self, accepted: Sequence[Accepted], private: Mapping[str, bool]) -> Links:
        """Write points, objects and states of the accepted alerts; return the links."""
        pending: dict[int, list[Accepted]] = {}
        for alert in accepted:
            pending.setdefault(alert.stock, []).append(alert)
        links: dict[tuple[int, int, str], int] = {}
        while pending:
            objects = await self._store.find_objects(
                list(pending)
            )  # STRICTLY BEFORE the points: see the swap's promise
            points = await self._store.find_points(list(pending))
            now = datetime.now(UTC).timestamp()
            plan = await asyncio.to_thread(make_plan, pending, objects, points, private, self._provenance, now)
            reach("before_points")
            if plan.new or plan.changed:
                await self._store.write_points(plan.new, plan.changed)
            reach("after_points")
            lost = await self._store.swap_objects(plan.objects) if plan.objects else set()
            reach("after_objects")
            states = [state for state in plan.states if state.stock not in lost]
            if states:
                await self._store.write_states(states)
            reach("after_states")
            links.update(plan.links)
            pending = {stock: alerts for stock, alerts in pending.items() if stock in lost}
        return links

    def _accepted(self, batches: Sequence[Judged]) -> list[Accepted]:
        """Return the alerts that a channel accepted, in their order."""
        return [
            accept(judged, row, takers)
            for judged in batches
            for row in range(len(judged.decoded.table))
            if (takers := _takers(judged.channels, judged.codes[:, row].tolist()))
        ]


def _takers(channels: Sequence[Channel], codes: Sequence[int]) -> dict[str, bool]:
    """Return the channels that accepted, and of each whether its own filter did."""
    return {c.name: is_own(code) for c, code in zip(channels, codes, strict=True) if is_accepted(code)}


def accept(judged: Judged, row: int, takers: Mapping[str, bool]) -> Accepted:
    """Return one alert of a batch as the store is told of it."""
    decoded, table = judged.decoded, judged.decoded.table
    return Accepted(
        coordinates=decoded.batch.records[decoded.rows[row]].coordinates,
        candid=int(table.candid[row]),
        stock=int(table.stock[row]),
        name=table.object[row],
        jd=float(table.jd[row]),
        schema=table.schema[row],
        points=table.points(row),
        channels=takers,
    )


def is_own(code: int) -> bool:
    """Tell whether the channel's own filter accepted, and no rule for known objects."""
    return is_accepted(code) and code not in {BYPASSED, OVERRULED}


async def deduplicate(
    inbox: Receiver[Judged],
    outbox: Sender[Flushed],
    *,
    flusher: Flusher,
    max_records: int,
    on_flushed: Callable[[Account, Sequence[Judged]], None],
    on_trouble: Callable[[RetryableError], None],
    on_written: Callable[[float], None],
) -> None:
    """Flush batches as they come, as many at once as wait and the same channels judged, until the store has them.

    ``on_flushed`` is told of every account after it has become durable, ``on_written`` of the seconds that it took,
    ``on_trouble`` of every try that failed.
    """
    clock = asyncio.get_running_loop().time
    with inbox, outbox:
        held: Judged | None = None
        while (judged := held or await anext(aiter(inbox), None)) is not None:
            batches, held = _waiting(inbox, judged, max_records)
            began = clock()
            account = await _persist(flusher, batches, on_trouble)
            on_written(clock() - began)
            on_flushed(account, batches)
            for flushed in batches:
                await outbox.send(Flushed(flushed.decoded.batch))


async def _persist(
    flusher: Flusher, batches: Sequence[Judged], on_trouble: Callable[[RetryableError], None]
) -> Account:
    """Flush, again and again until it is done: the store's trouble is waited out, it never costs an alert."""
    async for attempt in stamina.retry_context(
        on=RetryableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=MAX_WAIT_S
    ):
        with attempt:
            try:
                return await flusher.flush(batches)
            except RetryableError as error:
                on_trouble(error)
                raise
    raise InvariantError("a retry without end has ended")


def _waiting(inbox: Receiver[Judged], first: Judged, max_records: int) -> tuple[list[Judged], Judged | None]:
    """Take what waits in the pipe and the same channels judged, up to about ``max_records``.

    Returns
    -------
    tuple
        The first batch and those taken; a batch that other channels judged, which begins the next flush.
    """
    batches, room = [first], max_records - len(first.decoded.batch.records)
    while room > 0 and (judged := inbox.receive_nowait()) is not None:
        if judged.channels != first.channels:
            return batches, judged
        batches.append(judged)
        room -= len(judged.decoded.batch.records)
    return batches, None
