"""Pick out of judged batches what was accepted, as the store is told of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ampeld.alert.table import AlertTable
from ampeld.channel.channel import Channel
from ampeld.flow.verdict import BYPASSED, GROUP, OVERRULED, REJECTION, accepts, is_accepted
from ampeld.stages.values import Accepted, Judged
from ampeld.store.assemble import raw_body


def accepted(batches: Sequence[Judged]) -> list[Accepted]:
    """Return the alerts that a channel accepted, in their order."""
    return [
        _accept(judged, row, _takers(judged.channels, judged.codes[:, row].tolist()))
        for judged in batches
        for row in np.flatnonzero(accepts(judged.codes).any(axis=0)).tolist()
    ]


def is_own(code: int) -> bool:
    """Tell whether the channel's own filter accepted, and no rule for known objects."""
    return is_accepted(code) and code not in {BYPASSED, OVERRULED}


def _takers(channels: Sequence[Channel], codes: Sequence[int]) -> dict[str, int]:
    """Return the channels that accepted, each with its code."""
    return {c.name: code for c, code in zip(channels, codes, strict=True) if is_accepted(code)}


def _accept(judged: Judged, row: int, takers: Mapping[str, int]) -> Accepted:
    decoded, table = judged.decoded, judged.decoded.table
    return Accepted(
        coordinates=decoded.batch.records[decoded.rows[row]].coordinates,
        candid=int(table.candid[row]),
        stock=int(table.stock[row]),
        name=table.object[row],
        jd=float(table.jd[row]),
        schema=table.schema[row],
        survey=table.survey.name,
        heads=table.heads(row),
        body=partial(_body, table, row),
        fields=partial(table.fields, row),
        channels={name: is_own(code) for name, code in takers.items()},
        groups={name: code - GROUP for name, code in takers.items() if GROUP <= code < REJECTION},
    )


def _body(table: AlertTable, row: int, index: int) -> Mapping[str, Any]:
    packed = table.packed_body(row, index)
    return table.body(row, index) if packed is None else raw_body(packed)
