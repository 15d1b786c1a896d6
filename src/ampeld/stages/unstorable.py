"""Take alerts whose documents no server can hold out of a batch: they are dead letters, the others go on."""

from collections.abc import Sequence

import numpy as np

from ampeld.stages.values import Decoded, Judged
from ampeld.store.documents import DeadLetter


def without(batches: Sequence[Judged], point: object, reason: str) -> list[Judged]:
    """Return the batches without the alerts that carry a point; each becomes a dead letter of stage ``store``."""
    return [_without(judged, point, reason) for judged in batches]


def _without(judged: Judged, point: object, reason: str) -> Judged:
    decoded, table = judged.decoded, judged.decoded.table
    carries = np.array([any(head.id == point for head in table.heads(row)) for row in range(len(table))], dtype=bool)
    if not carries.any():
        return judged
    kept = np.flatnonzero(~carries)
    letters = [
        DeadLetter(decoded.batch.records[decoded.rows[row]], "store", reason, table.schema[row])
        for row in np.flatnonzero(carries).tolist()
    ]
    rest = Decoded(
        decoded.batch,
        table.select(kept),
        [decoded.rows[row] for row in kept.tolist()],
        [*decoded.dead_letters, *letters],
    )
    failures = [[of_channel[row] for row in kept.tolist()] if of_channel else [] for of_channel in judged.failures]
    return Judged(rest, judged.channels, judged.codes[:, kept], failures)
