"""Verdict blocks: the account of one flush as columns, compressed to some tens of bytes per alert."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import cramjam
import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.errors import InvariantError
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.store.documents import Account, ChannelVersion
from ampeld.store.rows import NO_ID, NO_NIGHT, Part, Rows

FORMAT = 2
"""Columns packed with zstd. Those of format 1, packed with zlib and without `point`, are read as long as they are kept.
"""

MAX_COLUMNS = 15 << 20
"""Columns of a block that are larger are split: a MongoDB document holds 16 MiB."""

_LEVEL = 3  # of zstd: a tenth of zlib's time for as few bytes

_ROW_COLUMNS: tuple[tuple[str, str], ...] = (
    ("offset", "<i8"),
    ("after", "<i8"),
    ("through", "<i8"),
    ("candid", "<i8"),
    ("stock", "<i8"),
    ("night", "<i4"),
    ("outcome", "<u1"),
)
_LINK_COLUMNS: tuple[tuple[str, str], ...] = (
    ("link_row", "<u4"),
    ("link_channel", "<u2"),
    ("link", "<i4"),
    ("point", "<i8"),
)
_OLD_LINK_COLUMNS = _LINK_COLUMNS[:-1]


class Block(Rows, frozen=True, eq=False, kw_only=True):
    """The rows of a verdict block, and what it says of itself."""

    id: str
    run: str
    group: str
    maker: tuple[str, str]
    """The version of ampeld and the hash of the configuration that the records were read with."""
    channels: tuple[ChannelVersion, ...]
    written: datetime


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
    point: int | None = None
    """The id of the own point of an accepted alert."""


def encode_account(account: Account) -> list[dict[str, Any]]:
    """Return the documents of an account's verdict block: one, or more where one would be too large.

    Raises
    ------
    InvariantError
        If the rows do not have one code per channel.
    """
    if account.rows.codes.shape != (len(account.channels), len(account.rows)):
        raise InvariantError(
            f"codes of shape {account.rows.codes.shape} for {len(account.rows)} records of "
            f"{len(account.channels)} channels"
        )
    return _encode(account, account.rows) if len(account.rows) else []


def _encode(account: Account, rows: Rows) -> list[dict[str, Any]]:
    columns = bytes(cramjam.zstd.compress(_pack(rows), _LEVEL))
    if len(columns) > MAX_COLUMNS and len(rows) > 1:
        return [document for half in rows.halves() for document in _encode(account, half)]
    candids = rows.candid[rows.candid != NO_ID]
    document = {
        "format": FORMAT,
        "run": account.run,
        "instance": account.instance,
        "version": account.version,
        "config": account.config,
        "group": account.group,
        "channels": [{"name": channel.name, "version": channel.version} for channel in account.channels],
        "parts": [msgspec.to_builtins(part) for part in rows.parts],
        "n": len(rows),
        "nights": np.unique(rows.night[rows.night != NO_NIGHT]).tolist(),
        "candids": {"min": int(candids.min()), "max": int(candids.max())} if len(candids) else None,
        "columns": columns,
    }
    return [{"_id": _identity(document)} | document]


def _identity(document: Mapping[str, Any]) -> str:
    head = msgspec.json.encode({key: value for key, value in document.items() if key != "columns"})
    return hashlib.blake2b(head + document["columns"], digest_size=16).hexdigest()


def _pack(rows: Rows) -> bytes:
    # Differences are mostly 0 or 1, and equal bytes side by side compress best.
    columns = [
        np.diff(rows.offset, prepend=0),
        rows.offset - rows.after,
        rows.through - rows.offset,
        *(getattr(rows, name) for name, _ in _ROW_COLUMNS[3:]),
        rows.codes.reshape(-1),
        np.array([len(rows.link)]),
        *(getattr(rows, name) for name, _ in _LINK_COLUMNS),
    ]
    kinds = (*(kind for _, kind in _ROW_COLUMNS), "<u2", "<u4", *(kind for _, kind in _LINK_COLUMNS))
    return b"".join(_planes(column.astype(kind)) for column, kind in zip(columns, kinds, strict=True))


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


def _unpacked(document: Mapping[str, Any]) -> bytes:
    packed: bytes = document["columns"]
    return zlib.decompress(packed) if document["format"] == 1 else bytes(cramjam.zstd.decompress(packed))


def decode_block(document: Mapping[str, Any]) -> Block:
    """Return the block of a document of ``verdict_blocks``."""
    unpacker = _Unpacker(_unpacked(document))
    n: int = document["n"]
    channels = tuple(ChannelVersion(channel["name"], channel["version"]) for channel in document["channels"])
    columns = {name: unpacker.take(kind, n) for name, kind in _ROW_COLUMNS}
    codes = unpacker.take("<u2", n * len(channels)).reshape(len(channels), n)
    n_links = int(unpacker.take("<u4", 1)[0])
    old = document["format"] == 1
    columns |= {name: unpacker.take(kind, n_links) for name, kind in (_OLD_LINK_COLUMNS if old else _LINK_COLUMNS)}
    if old:
        columns["point"] = columns["candid"][columns["link_row"]]
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
    points = dict(zip(block.link_row.tolist(), block.point.tolist(), strict=True))
    place = [part for part in block.parts for _ in range(part.n)]
    return [_row(block, i, place[i], links.get(i, {}), points.get(i)) for i in numbers]


def _row(block: Block, i: int, part: Part, links: Mapping[str, int], point: int | None) -> BlockRow:
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
        point=point,
    )
