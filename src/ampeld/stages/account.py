"""Keep the account of a flush: how every record ended, and what each channel said of it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ampeld.channel.channel import Channel
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates, Record
from ampeld.flow.verdict import CUT, MAX_CUT, is_accepted
from ampeld.stages.ports import Provenance, Store
from ampeld.stages.values import Judged
from ampeld.store.documents import Account, ChannelFailure, ChannelVersion, DeadLetter, JudgedRow

UNIX_EPOCH_JD = 2440587.5
DAY_MS = 86_400_000


class Bookkeeper:
    """Turns judged batches into the account of one flush.

    Cut numbers of this process are replaced by those that the store keeps for the channel's version, so that the
    blocks of all daemons speak alike.
    """

    def __init__(self, store: Store, provenance: Provenance, group: str) -> None:
        self._store = store
        self._provenance = provenance
        self._group = group
        self._numbers: dict[tuple[str, str], list[int]] = {}

    async def account(
        self,
        batches: Sequence[Judged],
        links: Mapping[tuple[int, int, str], int],
        first: Mapping[int, Coordinates],
    ) -> Account:
        """Return the account of these batches.

        Parameters
        ----------
        batches
            Every record of a flush, all judged by the same channels.
        links
            By (stock, candid, channel): the link of the state that the acceptance led to.
        first
            By candid: the coordinates that first brought it.
        """
        channels = batches[0].channels
        await self._learn_numbers(channels)
        rows: list[JudgedRow] = []
        dead_letters: list[DeadLetter] = []
        failures: list[ChannelFailure] = []
        for judged in batches:
            rows += self._rows(judged, links, first)
            dead_letters += judged.decoded.dead_letters
            failures += [f for of_channel in judged.failures for f in of_channel if f is not None]
        return Account(
            run=self._provenance.run,
            instance=self._provenance.instance,
            version=self._provenance.version,
            config=self._provenance.config,
            group=self._group,
            channels=tuple(ChannelVersion(c.name, c.version) for c in channels),
            rows=rows,
            dead_letters=dead_letters,
            failures=failures,
        )

    async def _learn_numbers(self, channels: Sequence[Channel]) -> None:
        for channel in channels:
            names = list(channel.cut_names)
            if len(names) != len(self._numbers.get((channel.name, channel.version), ())):
                numbers = await self._store.cut_numbers(channel.version, names)
                self._numbers[channel.name, channel.version] = [numbers[name] for name in names]

    def _stored_codes(self, judged: Judged) -> list[list[int]]:
        """Return the codes by alert, with the cut numbers of the store."""
        codes = judged.codes.copy()
        for index, channel in enumerate(judged.channels):
            numbers = np.array(self._numbers.get((channel.name, channel.version), ()), dtype=np.uint16)
            cut = (codes[index] >= CUT) & (codes[index] <= CUT + MAX_CUT)
            if cut.any():
                codes[index, cut] = CUT + numbers[codes[index, cut] - CUT]
        return codes.T.tolist()  # type: ignore[no-any-return]

    def _rows(
        self, judged: Judged, links: Mapping[tuple[int, int, str], int], first: Mapping[int, Coordinates]
    ) -> list[JudgedRow]:
        decoded, table = judged.decoded, judged.decoded.table
        rows = [
            JudgedRow(letter.record, Outcome.DEAD_LETTERED, None, None, night_of(letter.record), (), {})
            for letter in decoded.dead_letters
        ]
        for row, codes in enumerate(self._stored_codes(judged)):
            record = decoded.batch.records[decoded.rows[row]]
            candid, stock = int(table.candid[row]), int(table.stock[row])
            takers = [c.name for c, code in zip(judged.channels, codes, strict=True) if is_accepted(code)]
            if not takers:
                outcome = Outcome.FILTERED
            else:
                outcome = Outcome.STORED if first[candid] == record.coordinates else Outcome.DUPLICATE
            rows.append(
                JudgedRow(
                    record=record,
                    outcome=outcome,
                    candid=candid,
                    stock=stock,
                    night=math.floor(float(table.jd[row]) - UNIX_EPOCH_JD),
                    codes=tuple(codes),
                    links={name: links[stock, candid, name] for name in takers},
                )
            )
        rows.sort(key=lambda r: (r.record.topic, r.record.partition, r.record.offset))
        return rows


def night_of(record: Record) -> int | None:
    """Return the UTC day of a record's time stamp, in days since 1970-01-01, None where it has none."""
    return None if record.timestamp_ms is None or record.timestamp_ms < 0 else record.timestamp_ms // DAY_MS
