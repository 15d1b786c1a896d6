"""A replay makes few trips to Kafka and to the store, however small the blocks are that the daemon wrote."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from ampeld.daemon.replay import AT_ONCE, _together
from ampeld.store.skipped import OwedRows


def owed(rows: list[Any], *channels: str) -> OwedRows:
    """Return rows of a block of these channels."""
    block: Any = SimpleNamespace(channels=channels)
    return OwedRows(block, rows, 0)


async def joined(*blocks: OwedRows) -> list[tuple[tuple[Any, ...], list[Any]]]:
    async def read() -> AsyncIterator[OwedRows]:
        for block in blocks:
            yield block

    return [(held.block.channels, held.rows) async for held in _together(read())]


async def test_blocks_of_one_alert_each_are_replayed_together() -> None:
    trips = await joined(*(owed([number], "a") for number in range(AT_ONCE + 3)))

    assert [rows for _, rows in trips] == [list(range(AT_ONCE)), [AT_ONCE, AT_ONCE + 1, AT_ONCE + 2]]


async def test_blocks_of_other_channels_are_replayed_apart() -> None:
    assert await joined(owed([1], "a"), owed([2], "a", "b"), owed([3], "a")) == [
        (("a",), [1]),
        (("a", "b"), [2]),
        (("a",), [3]),
    ]


async def test_a_large_block_is_replayed_in_parts() -> None:
    rows = list(range(2 * AT_ONCE + 1))

    assert [len(part) for _, part in await joined(owed(rows, "a"))] == [AT_ONCE, AT_ONCE, 1]
