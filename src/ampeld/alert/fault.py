"""Says what is wrong with a record's bytes, and in which field: the slow second look at what the walker refused."""

from collections.abc import Callable, Mapping
from typing import Final

from ampeld.alert import wire
from ampeld.alert.schema import AvroType

_SKIPS: Final[Mapping[str, Callable[[bytes, int], int]]] = {
    "int": wire.skip_int,
    "long": wire.skip_long,
    "boolean": wire.skip_boolean,
    "bytes": wire.skip_bytes,
    "string": wire.skip_string,
}


def explain(avro_type: AvroType, data: bytes, base: int = 0) -> str | None:
    """Return what is wrong, with byte and field path; None when the bytes are one record of the schema.

    Parameters
    ----------
    avro_type
        The record's type.
    data
        Its bytes.
    base
        The byte of the message at which ``data`` begins.
    """
    walker = _Walker(data)
    try:
        end = walker.walk(avro_type, 0)
    except wire.FaultError as fault:
        return f"{fault.what} at byte {base + fault.at}{walker.where}"
    except IndexError:
        return f"the data end at byte {base + len(data)}, inside the record{walker.where}"
    return None if end == len(data) else f"{len(data) - end} bytes left over behind the record at byte {base + end}"


class _Walker:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._path: list[str] = []
        self._budget = [wire.MAX_DECODED]

    @property
    def where(self) -> str:
        """Return the path of the field that is being read, in parentheses."""
        path = "".join(self._path).removeprefix(".")
        return f" ({path[:300]})" if path else ""

    def walk(self, avro_type: AvroType, at: int) -> int:
        data = self._data
        match avro_type.kind:
            case "record":
                for label, part in zip(avro_type.labels, avro_type.parts, strict=True):
                    at = self._inside(f".{label}", part, at)
                behind = at
            case "array" | "map":
                behind = self._items(avro_type, at)
            case "union":
                index, at = wire.union_index(data, at, len(avro_type.parts))
                behind = self.walk(avro_type.parts[index], at)
            case "enum":
                behind = wire.skip_enum(data, at, len(avro_type.labels))
            case kind if kind in _SKIPS:
                behind = _SKIPS[kind](data, at)
            case _:  # null, float, double, fixed: as many bytes as their width
                behind = wire.skip_fixed(data, at, avro_type.width)
        return behind

    def _inside(self, step: str, part: AvroType, at: int) -> int:
        self._path.append(step)
        at = self.walk(part, at)
        self._path.pop()
        return at

    def _items(self, avro_type: AvroType, at: int) -> int:
        item, keyed, index = avro_type.parts[0], avro_type.kind == "map", 0
        while True:
            count, at, end = wire.block(self._data, at, item.width + keyed, item.weight, self._budget)
            if not count:
                return at
            for _ in range(count):
                if keyed:
                    at = wire.skip_key(self._data, at)
                at = self._inside(f"[{index}]", item, at)
                index += 1
            if end not in (-1, at):
                raise wire.FaultError("block that does not end where it says", at)
