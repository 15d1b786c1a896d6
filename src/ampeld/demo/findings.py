"""What became of the injected transients: found by which channel, or dropped by which cut."""

from collections.abc import Mapping, Sequence

import msgspec

from ampeld.demo.truth import TruthRow
from ampeld.flow.verdict import describe, is_accepted
from ampeld.store.blocks import decode_block
from ampeld.store.connection import Connection


class Finding(msgspec.Struct, frozen=True):
    """One injected transient and what each channel said of its alerts."""

    object: str
    type: str
    alerts: int
    """Distinct alerts of it that were sent."""
    unaccounted: list[int]
    """Candids that no verdict block knows: there must be none."""
    found_by: list[str]
    dropped_by: dict[str, str]
    """By channel that did not find it: what it said of the last alert."""


async def find_transients(connection: Connection, truth: Sequence[TruthRow]) -> list[Finding]:
    """Return what the verdict blocks say of the injected objects of a night.

    Parameters
    ----------
    connection
        The database of the run.
    truth
        What was simulated.
    """
    injected = [row for row in truth if row.injected]
    verdicts = await _verdicts(connection, {candid for row in injected for candid in row.candids})
    return [_finding(row, verdicts) for row in injected]


async def _verdicts(connection: Connection, candids: set[int]) -> dict[int, dict[str, tuple[bool, str]]]:
    """Return by candid and channel whether it was accepted, and the verdict in words."""
    cuts = {v["_id"]: v["cuts"] for v in await connection["channel_versions"].find({}).to_list(None)}
    found: dict[int, dict[str, tuple[bool, str]]] = {}
    async for document in connection["verdict_blocks"].find({}):
        block = decode_block(document)
        for index, candid in enumerate(block.candid.tolist()):
            if candid in candids:
                found[candid] = {
                    channel.name: (is_accepted(code), describe(code, cuts[channel.version]))
                    for channel, code in zip(block.channels, block.codes[:, index].tolist(), strict=True)
                }
    return found


def _finding(row: TruthRow, verdicts: Mapping[int, Mapping[str, tuple[bool, str]]]) -> Finding:
    known = [verdicts[candid] for candid in row.candids if candid in verdicts]
    found_by = {name for verdict in known for name, (accepted, _) in verdict.items() if accepted}
    last = known[-1] if known else {}
    return Finding(
        object=row.object,
        type=row.type,
        alerts=len(row.candids),
        unaccounted=[candid for candid in row.candids if candid not in verdicts],
        found_by=sorted(found_by),
        dropped_by={name: words for name, (_, words) in last.items() if name not in found_by},
    )
