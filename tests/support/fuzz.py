"""Alerts of both surveys, damaged at random, through the kernel: nothing may crash, and the oracle must agree."""

import io
import pickle
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import bson
import fastavro
import msgspec
import numpy as np
from support.tables import LIMIT, assert_same_batch

from ampeld.alert import bodies, decode_columns, packing
from ampeld.alert.columns import type_of
from ampeld.alert.decode import Decoder
from ampeld.alert.decoded import DecodedAlerts
from ampeld.alert.schema import AvroType, parse, to_fastavro, without
from ampeld.alert.survey import LSST, ZTF, Survey
from ampeld.alert.table import AlertTable, names
from ampeld.alert.walker import compile_walk
from ampeld.demo.simulate import SimulatedNights
from ampeld.store import repacking

SYNC: Final = b"ampeld-fuzz-sync"
FRAME: Final = 900
BATCH: Final = 64
_EXTREMES: Final = (
    b"\xff" * 9 + b"\x01",
    b"\xfe" + b"\xff" * 8 + b"\x01",
    b"\x80\x80\x80\x80\x10",
    b"\x01",
    b"\xff\xff\x03",
    b"\x80",
)
_PLAUSIBLE: Final[dict[str, Callable[[random.Random], Any]]] = {
    "midpointMjdTai": lambda rng: rng.uniform(60000, 62000),
    "ra": lambda rng: rng.uniform(0, 360),
    "dec": lambda rng: rng.uniform(-90, 90),
    "diaSourceId": lambda rng: rng.randrange(1, 1 << 62),
    "diaObjectId": lambda rng: rng.randrange(1, 1 << 62),
    "band": lambda rng: rng.choice("ugrizy"),
}
_RECENT: Final = 64
_OFTEN: Final = 5


class Writer(msgspec.Struct, frozen=True, eq=False):
    """How records of one schema are wrapped: what stands before them, and whether a container goes around them."""

    start: bytes
    contained: bool
    records: list[bytes]

    def wrap(self, record: bytes) -> bytes:
        """Return a payload with a record, whatever that is."""
        if not self.contained:
            return self.start + record
        return self.start + SYNC + _varint(1) + _varint(len(record)) + record + SYNC


class Fuzz(msgspec.Struct, frozen=True):
    """What came of it."""

    packets: int
    valid: int
    compared: int
    seconds: float


def fuzz(number: int, seed: int, *, compare: float = 1.0, tell: Callable[[int], None] = lambda _: None) -> Fuzz:
    """Put damaged alerts through the kernel.

    Parameters
    ----------
    number
        How many.
    seed
        The same gives the same.
    compare
        Which part of the batches goes through the oracle too, which must say the same; of the others the walker only
        confirms what is refused.
    tell
        Is told now and then how many it were so far.
    """
    rng = random.Random(seed)
    benches = [_Bench(ZTF, ztf_writer(seed)), _Bench(LSST, lsst_writer(rng))]
    began, valid, compared, done = time.monotonic(), 0, 0, 0
    while done < number:
        bench = rng.choices(benches, (3, 1))[0]
        values = [bench.damaged(rng) for _ in range(min(BATCH, number - done))]
        if compared < compare * (done + len(values)):
            found = bench.kernel.decode([_exact(value) for value in values])
            assert_same_batch(found, bench.oracle.decode(values))
            compared += len(values)
        else:
            with verdicts_by_walker():
                found = bench.kernel.decode([_exact(value) for value in values])
        assert bench.kernel.disagreements == 0
        touch(found, rng)
        done += len(values)
        valid += len(found.rows)
        tell(done)
    return Fuzz(done, valid, compared, time.monotonic() - began)


@contextmanager
def verdicts_by_walker() -> Iterator[None]:
    """Let the walker, which gives no reasons but is fast, have the second look at what the kernel refuses."""
    slow = decode_columns.explain

    def look(avro_type: AvroType, data: bytes, base: int) -> str | None:
        _met[id(avro_type)] = _met.pop(id(avro_type), 0) + 1
        if len(_met) > _RECENT:
            del _met[next(iter(_met))]
        if _met[id(avro_type)] < _OFTEN:  # a schema that was damaged itself: compiling it takes longer
            return slow(avro_type, data, base)
        return None if _walk_of(avro_type)(data) else "refused"

    decode_columns.explain = look
    try:
        yield
    finally:
        decode_columns.explain = slow


_met: dict[int, int] = {}  # how often the types of late were met
_walk_of = lru_cache(maxsize=4)(compile_walk)


class _Bench:
    """Both decoders of a survey."""

    def __init__(self, survey: Survey, writer: Writer) -> None:
        self.writer = writer
        self.kernel, self.oracle = Decoder(LIMIT, survey), Decoder(LIMIT, survey, kernel=False)
        for decoder in (self.kernel, self.oracle):
            if decoder.frames is not None:
                decoder.frames.learn(FRAME, lsst_text())

    def damaged(self, rng: random.Random) -> bytes:
        record = bytearray(rng.choice(self.writer.records))
        if rng.random() < 0.01:  # anywhere, the schema included: that is slow
            value = bytearray(self.writer.wrap(bytes(record)))
            damage(value, rng)
            return bytes(value)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
            damage(record, rng)
        return self.writer.wrap(bytes(record))


def damage(data: bytearray, rng: random.Random) -> None:
    """Change something, in place."""
    at = rng.randrange(len(data)) if data else 0
    behind = min(len(data), at + rng.choice((1, 1, 2, 8, 50)))
    match rng.randrange(7):
        case 0 | 1 if data:
            data[at] ^= 1 << rng.randrange(8)
        case 2 if data:
            data[at] = rng.randrange(256)
        case 3:
            data[at:behind] = b""
        case 4:
            data[at:at] = data[at:behind]
        case 5:
            extreme = rng.choice(_EXTREMES)
            data[at : at + rng.choice((0, 1, len(extreme)))] = extreme
        case _:
            del data[at:]


def touch(found: DecodedAlerts, rng: random.Random) -> None:
    """Read what can be read of a table, here and after a journey, and bodies from where none is."""
    table = found.table
    if not len(table):
        return
    there: AlertTable = pickle.loads(pickle.dumps(table, protocol=5))
    for kind in table.survey.kinds:
        name = rng.choice(names(kind, table.survey))
        assert len(there.ragged(kind, name).values) == table.offsets(kind)[-1]
    row = rng.randrange(len(table))
    for head in there.heads(row):
        body, packed = there.body(row, head.index), there.packed_body(row, head.index)
        assert packed is None or packed == bson.encode(body)
        stored = bytearray(bson.encode({"_id": row, "first": {"offset": row}, "body": body}))
        damage(stored, rng)
        with suppress(ValueError):
            repacking.repack(_exact(bytes(stored)))
    there.packet(row)
    there.select([row, row]).heads(1)
    sheet = table._sheet
    reader = bodies.reader(without(type_of(sheet.texts[sheet.which[row]]), table.survey.cutouts))
    with suppress(ValueError):
        bodies.decode(reader, sheet.arena, rng.randrange(-1, len(sheet.arena) + 2))
    own = type_of(sheet.texts[sheet.which[row]]).field(table.survey.own)
    with suppress(ValueError, TypeError):
        packing.pack(packing.packer(own), sheet.arena, rng.randrange(-1, len(sheet.arena) + 2))


def _exact(value: bytes) -> memoryview:
    """Return a view of memory that ends where the value does, as bytes do not: a sanitizer sees a byte too many."""
    return np.frombuffer(value, dtype=np.uint8).copy().data


def ztf_writer(seed: int) -> Writer:
    """Return simulated alerts without cutouts."""
    alerts = [alert.packet for alert in SimulatedNights(seed=seed, alerts=40)]
    text = dict(fastavro.reader(io.BytesIO(alerts[0])).metadata)["avro.schema"].encode()
    schema = fastavro.parse_schema(to_fastavro(without(parse(text)[0], ZTF.cutouts)))
    records = []
    for alert in alerts:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, next(fastavro.reader(io.BytesIO(alert))))
        records.append(out.getvalue())
    whole = io.BytesIO()
    fastavro.writer(whole, schema, [], sync_marker=SYNC)
    return Writer(whole.getvalue().removesuffix(SYNC), True, records)


def lsst_text() -> bytes:
    """Return the schema of the frames."""
    return (files("ampeld.source") / "schemata" / f"{FRAME}.avsc").read_bytes()


def lsst_writer(rng: random.Random) -> Writer:
    """Return alerts made up from the schema, in frames."""
    avro_type = parse(lsst_text())[0]
    schema = fastavro.parse_schema(to_fastavro(avro_type))
    records = []
    for _ in range(20):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, made_up(avro_type, rng))
        records.append(out.getvalue())
    return Writer(b"\x00" + FRAME.to_bytes(4, "big"), False, records)


def made_up(avro_type: AvroType, rng: random.Random, name: str = "") -> Any:
    """Return a value of a type, likely one of an alert."""
    kind, parts = avro_type.kind, avro_type.parts
    if kind == "union":
        return made_up(rng.choice([part for part in parts if part.kind != "null" or name not in _PLAUSIBLE]), rng, name)
    if name in _PLAUSIBLE:
        return _PLAUSIBLE[name](rng)
    match kind:
        case "record":
            return dict(_fields(avro_type, rng))
        case "array":
            return [made_up(parts[0], rng) for _ in range(rng.randrange(6))]
        case "int" | "long":
            return rng.randrange(-5, 1 << 31)
        case "float" | "double":
            return rng.choice((rng.gauss(0, 1000), rng.gauss(0, 1), float("nan"), float("inf")))
        case "boolean":
            return rng.random() < 0.5
        case "string":
            return rng.choice(("", "a", "2026 AB12", "é" * 9))
        case "bytes":
            return rng.randbytes(20)
    return None


def _fields(avro_type: AvroType, rng: random.Random) -> Iterator[tuple[str, Any]]:
    for label, part in zip(avro_type.labels, avro_type.parts, strict=True):
        yield label, made_up(part, rng, label)


def _varint(number: int) -> bytes:
    raw, out = number << 1, bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    return bytes([*out, raw])
