"""Verdict blocks: the account of one flush as columns, compressed to some tens of bytes per alert."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.errors import InvariantError
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.store.documents import Account, ChannelVersion, JudgedRow

FORMAT = 1
MAX_COLUMNS = 15 << 20
"""Columns of a block that are larger are split: a MongoDB document holds 16 MiB."""

NO_ID = np.iinfo(np.int64).min
"""Stands for a missing candid or stock: 0 is an object's number."""
NO_NIGHT = np.iinfo(np.int32).min

_ROW_COLUMNS: tuple[tuple[str, str], ...] = (
    ("offset", "<i8"),
    ("after", "<i8"),
    ("through", "<i8"),
    ("candid", "<i8"),
    ("stock", "<i8"),
    ("night", "<i4"),
    ("outcome", "<u1"),
)
_LINK_COLUMNS: tuple[tuple[str, str], ...] = (("link_row", "<u4"), ("link_channel", "<u2"), ("link", "<i4"))

Ints = NDArray[np.int64]


class Part(msgspec.Struct, frozen=True):
    """The rows of one partition: ``n`` of them, that stand for the offsets ``[base, end)``."""

    topic: str
    partition: int
    base: int
    end: int
    n: int


class Block(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A verdict block with its columns; row ``i`` belongs to the part that its position falls into.

    ``codes`` has one row per channel and one column per record; the links are sparse: of row ``link_row`` for
    channel number ``link_channel``.
    """

    id: str
    run: str
    group: str
    maker: tuple[str, str]
    """The version of ampeld and the hash of the configuration that the records were read with."""
    channels: tuple[ChannelVersion, ...]
    parts: tuple[Part, ...]
    written: datetime
    offset: Ints
    after: Ints
    through: Ints
    candid: Ints
    stock: Ints
    night: NDArray[np.int32]
    outcome: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    link_row: NDArray[np.uint32]
    link_channel: NDArray[np.uint16]
    link: NDArray[np.int32]

    def slices(self) -> Iterator[tuple[Part, slice]]:
        """Yield each part with the slice of its rows."""
        start = 0
        for part in self.parts:
            yield part, slice(start, start + part.n)
            start += part.n


class BlockRow(msgspec.Struct, frozen=True):
    """One row of a block, as a value."""

    coordinates: Coordinates
    after: int
    through: int
    outcome: Outcome
    candid: int | None
    stock: int | None
    night: int | None
    codes: tuple[int, ...]
    links: Mapping[str, int]


def encode_account(account: Account) -> list[dict[str, Any]]:
    """Return the documents of an account's verdict block: one, or more where one would be too large.

    Raises
    ------
    InvariantError
        If a row does not have one code per channel.
    """
    if not account.rows:
        return []
    rows = sorted(account.rows, key=lambda row: row.record.coordinates)
    for row in rows:
        if len(row.codes) != (0 if row.outcome is Outcome.DEAD_LETTERED else len(account.channels)):
            raise InvariantError(
                f"{row.record.coordinates}: {len(row.codes)} codes of {len(account.channels)} channels"
            )
    return _encode(account, rows)


def _encode(account: Account, rows: list[JudgedRow]) -> list[dict[str, Any]]:
    columns = zlib.compress(_pack(account, rows), 6)
    if len(columns) > MAX_COLUMNS and len(rows) > 1:
        middle = len(rows) // 2
        return _encode(account, rows[:middle]) + _encode(account, rows[middle:])
    candids = [row.candid for row in rows if row.candid is not None]
    document = {
        "format": FORMAT,
        "run": account.run,
        "instance": account.instance,
        "version": account.version,
        "config": account.config,
        "group": account.group,
        "channels": [{"name": channel.name, "version": channel.version} for channel in account.channels],
        "parts": [msgspec.to_builtins(part) for part in _parts(rows)],
        "n": len(rows),
        "nights": sorted({row.night for row in rows if row.night is not None}),
        "candids": {"min": min(candids), "max": max(candids)} if candids else None,
        "columns": columns,
    }
    return [{"_id": _identity(document)} | document]


def _identity(document: Mapping[str, Any]) -> str:
    head = msgspec.json.encode({key: value for key, value in document.items() if key != "columns"})
    return hashlib.blake2b(head + document["columns"], digest_size=16).hexdigest()


def _parts(rows: Sequence[JudgedRow]) -> list[Part]:
    parts: dict[tuple[str, int], list[JudgedRow]] = {}
    for row in rows:
        parts.setdefault((row.record.topic, row.record.partition), []).append(row)
    return [
        Part(topic, partition, held[0].record.after, max(row.record.through for row in held) + 1, len(held))
        for (topic, partition), held in parts.items()
    ]


def _pack(account: Account, rows: Sequence[JudgedRow]) -> bytes:
    offset = np.array([row.record.offset for row in rows], "<i8")
    unasked = (0,) * len(account.channels)
    codes = np.array([row.codes or unasked for row in rows], "<u2").reshape(len(rows), len(account.channels))
    number = {channel.name: index for index, channel in enumerate(account.channels)}
    links = [(i, number[name], link) for i, row in enumerate(rows) for name, link in sorted(row.links.items())]
    # Differences are mostly 0 or 1, and equal bytes side by side compress best.
    columns = [
        np.diff(offset, prepend=0),
        offset - np.array([row.record.after for row in rows], "<i8"),
        np.array([row.record.through for row in rows], "<i8") - offset,
        np.array([NO_ID if row.candid is None else row.candid for row in rows], "<i8"),
        np.array([NO_ID if row.stock is None else row.stock for row in rows], "<i8"),
        np.array([NO_NIGHT if row.night is None else row.night for row in rows], "<i4"),
        np.array([row.outcome for row in rows], "<u1"),
        np.ascontiguousarray(codes.T),
        np.array([len(links)], "<u4"),
        *(np.array([link[i] for link in links], kind) for i, (_, kind) in enumerate(_LINK_COLUMNS)),
    ]
    return b"".join(_planes(column) for column in columns)


def _planes(column: NDArray[Any]) -> bytes:
    return column.view("u1").reshape(-1, column.itemsize).T.tobytes() if column.size else b""


class _Unpacker:
    def __init__(self, data: bytes) -> None:
        self._data = np.frombuffer(data, "u1")
        self._at = 0

    def take(self, kind: str, n: int) -> NDArray[Any]:
        dtype = np.dtype(kind)
        planes = self._data[self._at : self._at + n * dtype.itemsize].reshape(dtype.itemsize, n)
        self._at += planes.size
        return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)


def decode_block(document: Mapping[str, Any]) -> Block:
    """Return the block of a document of ``verdict_blocks``."""
    unpacker = _Unpacker(zlib.decompress(document["columns"]))
    n: int = document["n"]
    channels = tuple(ChannelVersion(channel["name"], channel["version"]) for channel in document["channels"])
    columns = {name: unpacker.take(kind, n) for name, kind in _ROW_COLUMNS}
    codes = unpacker.take("<u2", n * len(channels)).reshape(len(channels), n)
    n_links = int(unpacker.take("<u4", 1)[0])
    columns |= {name: unpacker.take(kind, n_links) for name, kind in _LINK_COLUMNS}
    columns["offset"] = np.cumsum(columns["offset"])
    columns["after"] = columns["offset"] - columns["after"]
    columns["through"] = columns["offset"] + columns["through"]
    return Block(
        id=document["_id"],
        run=document["run"],
        group=document["group"],
        maker=(document["version"], document["config"]),
        channels=channels,
        parts=tuple(msgspec.convert(part, Part) for part in document["parts"]),
        written=document.get("written", datetime.min.replace(tzinfo=UTC)),
        codes=codes,
        **columns,
    )


def rows_of(block: Block, wanted: Sequence[int] | None = None) -> list[BlockRow]:
    """Return rows of a block as values, by default all."""
    names = [channel.name for channel in block.channels]
    numbers = range(len(block.offset)) if wanted is None else wanted
    links: dict[int, dict[str, int]] = {}
    for row, channel, link in zip(block.link_row, block.link_channel, block.link, strict=True):
        links.setdefault(int(row), {})[names[channel]] = int(link)
    place = [part for part in block.parts for _ in range(part.n)]
    return [_row(block, i, place[i], links.get(i, {})) for i in numbers]


def _row(block: Block, i: int, part: Part, links: Mapping[str, int]) -> BlockRow:
    outcome = Outcome(int(block.outcome[i]))
    codes = () if outcome is Outcome.DEAD_LETTERED else tuple(int(code) for code in block.codes[:, i])
    candid, stock, night = int(block.candid[i]), int(block.stock[i]), int(block.night[i])
    return BlockRow(
        coordinates=Coordinates(part.topic, part.partition, int(block.offset[i])),
        after=int(block.after[i]),
        through=int(block.through[i]),
        outcome=outcome,
        candid=None if candid == NO_ID else candid,
        stock=None if stock == NO_ID else stock,
        night=None if night == NO_NIGHT else night,
        codes=codes,
        links=links,
    )
