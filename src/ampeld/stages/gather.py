"""Gather judged batches for one flush: for many alerts it takes hardly longer than for a few.

That is so where few are accepted. Those that are keep their payloads, and take the flush some milliseconds each: of
them a full batch is enough.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from ampeld.flow.pipe import EndOfPipeError, Receiver
from ampeld.flow.verdict import accepts
from ampeld.stages.values import Judged

MERGED: Final = 4
"""Full batches that one flush writes where there are as many: each wait for the store's journal is for all of them."""
GATHER_S: Final = 0.15
"""How long batches wait for others while alerts come so fast that these fill one."""


class Gatherer:
    """Takes from a pipe as many batches at once as are there; in times of many alerts, as come in a moment.

    Parameters
    ----------
    inbox
        The pipe.
    max_records
        Records in a full batch.
    """

    def __init__(self, inbox: Receiver[Judged], max_records: int) -> None:
        self._inbox = inbox
        self._max_records = max_records
        self._clock = asyncio.get_running_loop().time
        self._held: Judged | None = None
        self._began = self._clock()
        self._gathered = 0

    async def next(self) -> Sequence[Judged]:
        """Return batches that the same channels judged, of about ``MERGED`` full ones together; none at the end."""
        first = self._held or await anext(self._inbox, None)
        self._held = None
        if first is None:
            return []
        batches, room = [first], MERGED * self._max_records - len(first.decoded.batch.records)
        heavy = _accepted(first)
        before, self._began = self._began, self._clock()
        until = self._began + self._patience_s(self._began - before)
        while (
            room > 0
            and heavy < self._max_records
            and (judged := self._inbox.receive_nowait() or await self._come(until)) is not None
        ):
            if judged.channels != first.channels:
                self._held = judged
                break
            batches.append(judged)
            room -= len(judged.decoded.batch.records)
            heavy += _accepted(judged)
        self._gathered = MERGED * self._max_records - room
        return batches

    def _patience_s(self, took_s: float) -> float:
        """Return for how long it is worth to wait, when the last records took so long: as many come again."""
        expected = GATHER_S * self._gathered / max(took_s, GATHER_S)
        return GATHER_S if expected >= self._max_records else 0.0

    async def _come(self, until: float) -> Judged | None:
        """Return the next batch if it comes in time."""
        if until > self._clock():
            with contextlib.suppress(TimeoutError, EndOfPipeError):
                async with asyncio.timeout_at(until):
                    return await self._inbox.receive()
        return None


def _accepted(judged: Judged) -> int:
    return int(accepts(judged.codes).any(axis=0).sum())
