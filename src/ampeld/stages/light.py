"""Let go of payloads that nobody will ask for again: nine tenths of the memory of what waits for the store."""

from typing import Final

import msgspec
import numpy as np

from ampeld.flow.record import Record
from ampeld.flow.verdict import accepts
from ampeld.stages.values import Judged

_NOTHING: Final = b""


def lighten(judged: Judged) -> None:
    """Drop the payloads of alerts that no channel accepted, and all cutouts.

    An accepted alert keeps its payload, because it may turn out that no server can hold its documents; a dead letter
    has its record itself. A batch stays as it is where a channel follows known objects: its rejections may be changed.
    """
    decoded = judged.decoded
    if any(channel.on_known != "off" for channel in judged.channels):
        return
    decoded.table.forget_cutouts()
    records = decoded.batch.records
    rejected = np.asarray(decoded.rows, np.int64)[~accepts(judged.codes).any(axis=0)]
    for row in rejected.tolist():
        records[row] = _without_payload(records[row])


def _without_payload(record: Record) -> Record:
    return msgspec.structs.replace(record, value=_NOTHING, key=None, headers=())
