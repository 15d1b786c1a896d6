"""A schema compiled to a function that passes over one record's bytes and accepts exactly what the schema allows.

fastavro gives the values but forgets checks; this gives the checks and no values, in a tenth of the time.
"""

from collections.abc import Callable
from typing import Any, Final

from ampeld.alert import wire
from ampeld.alert.schema import AvroType

Walk = Callable[[bytes], bool]
"""Tell whether the bytes are one record of the schema, to the last byte."""

_Step = Callable[[bytes, int, list[int]], int]

_SKIPS: Final = {"boolean": "skip_boolean", "bytes": "skip_bytes", "string": "skip_string"}
_SHORT: Final = {"int": "skip_int", "long": "skip_long"}
_PLAIN: Final = ("null", "float", "double")
_CALLED: Final = ("record", "array", "map")


def compile_walk(avro_type: AvroType) -> Walk:
    """Compile a schema that `ampeld.alert.schema.parse` has checked."""
    writer = _Writer()
    start = writer.function(avro_type)
    namespace: dict[str, Any] = {name: getattr(wire, name) for name in _HELPERS}
    # The source is made of numbers and of names chosen here; nothing of the schema's text enters it.
    exec(compile("\n".join(writer.lines), "<schema>", "exec"), namespace)  # noqa: S102
    step: _Step = namespace[start]

    def walk(data: bytes) -> bool:
        try:
            return step(data, 0, [wire.MAX_DECODED]) == len(data)
        except (wire.FaultError, IndexError):
            return False

    return walk


_HELPERS: Final = (
    *_SKIPS.values(),
    *_SHORT.values(),
    "skip_fixed",
    "skip_enum",
    "skip_key",
    "union_index",
    "block",
    "FaultError",
)


class _Writer:
    """Writes one function for each record, array and map; what lies between them is written in line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[int, str] = {}

    def function(self, avro_type: AvroType) -> str:
        """Write the function of a type and return its name: ``(d, p, b) -> p``, data, position, budget."""
        known = self._names.get(id(avro_type))
        if known is not None:
            return known
        body = self._loop(avro_type) if avro_type.kind in ("array", "map") else self._fields(avro_type)
        name = f"f{len(self._names)}"
        self._names[id(avro_type)] = name
        self.lines += [f"def {name}(d, p, b):", *(f" {line}" for line in body)]
        return name

    def _fields(self, avro_type: AvroType) -> list[str]:
        parts = avro_type.parts if avro_type.kind == "record" else (avro_type,)
        return [*(line for part in parts for line in self._inline(part)), "return p"]

    def _loop(self, avro_type: AvroType) -> list[str]:
        item = avro_type.parts[0]
        keyed = avro_type.kind == "map"
        inside = [*(["p = skip_key(d, p)"] if keyed else []), *self._inline(item)]
        return [
            "while True:",
            f" n, p, e = block(d, p, {item.width + keyed}, {item.weight}, b)",
            " if not n: return p",
            " for _ in range(n):",
            *(f"  {line}" for line in inside),
            " if e >= 0 and p != e: raise FaultError('', p)",
        ]

    def _inline(self, avro_type: AvroType) -> list[str]:
        kind = avro_type.kind
        if kind in _CALLED:
            lines = [f"p = {self.function(avro_type)}(d, p, b)"]
        elif kind == "union":
            lines = self._union(avro_type)
        elif kind in _SHORT:
            lines = ["if d[p] < 128: p += 1", f"else: p = {_SHORT[kind]}(d, p)"]
        elif kind == "fixed":
            lines = [f"p = skip_fixed(d, p, {avro_type.size})"]
        elif kind == "enum":
            lines = [f"p = skip_enum(d, p, {len(avro_type.labels)})"]
        elif kind in _SKIPS:
            lines = [f"p = {_SKIPS[kind]}(d, p)"]
        else:  # null, float, double: the next read, or the last check, notices the end
            lines = [f"p += {avro_type.width}"]
        return lines

    def _union(self, avro_type: AvroType) -> list[str]:
        """Write the branches twice: for the index in its usual byte, and for any other encoding of it."""
        inlined = [self._inline(part) for part in avro_type.parts]
        lines = ["u = d[p]"]
        for index, (part, inner) in enumerate(zip(avro_type.parts, inlined, strict=True)):
            plain = [f"p += {1 + part.width}"] if part.kind in _PLAIN else ["p += 1", *inner]
            lines += [f"{'elif' if index else 'if'} u == {2 * index}:", *(f" {line}" for line in plain)]
        lines += ["else:", f" u, p = union_index(d, p, {len(inlined)})"]
        for index, inner in enumerate(inlined):
            lines += [f" {'elif' if index else 'if'} u == {index}:", *(f"  {line}" for line in inner)]
        return lines
