"""A writer's schema, checked before anything is decoded with it: bounded, not recursive, nothing without width."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
import orjson

from ampeld.errors import PoisonError

MAX_TEXT: Final = 256 * 1024
MAX_DEPTH: Final = 64
MAX_NODES: Final = 5000
MAX_BRANCHES: Final = 64

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_WIDTHS: Final[Mapping[str, int]] = {
    "null": 0,
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 4,
    "double": 8,
    "bytes": 1,
    "string": 1,
}
_OBJECT: Final = 64  # memory of a Python value in its container [byte], generous
_CONTAINERS: Final = ("array", "map")
_DEFINED: Final = (*_CONTAINERS, "record", "enum", "fixed")
_UNKNOWN: Final = "schema with a type that Avro does not have, or that is not defined before its use"


class AvroType(msgspec.Struct, frozen=True, eq=False):
    """One type of a schema; a name that is used twice gives the same object twice.

    ``kind`` is a primitive's name or ``record``, ``enum``, ``fixed``, ``array``, ``map``, ``union``.
    ``parts`` are the types of fields, items, values or branches; ``labels`` the names of fields or symbols.
    ``nodes``, ``depth``, ``width`` and ``weight`` count the type with everything in it, references expanded:
    types, levels, fewest encoded bytes and estimated memory when decoded [byte].
    """

    kind: str
    name: str = ""
    labels: tuple[str, ...] = ()
    parts: tuple["AvroType", ...] = ()
    size: int = 0
    nodes: int = 1
    depth: int = 1
    width: int = 0
    weight: int = _OBJECT

    def field(self, name: str) -> "AvroType | None":
        """Return the type of a record's field, None where there is none."""
        return self.parts[self.labels.index(name)] if name in self.labels else None


def parse(text: bytes) -> tuple[AvroType, str]:
    """Read a schema from its JSON text.

    Returns
    -------
    tuple of AvroType and str
        The top-level type, and its name with the version it states, if any.

    Raises
    ------
    PoisonError
        If it is no schema, or one that it would not be safe to decode with.
    """
    if len(text) > MAX_TEXT:
        raise PoisonError(f"schema of {len(text)} bytes, above {MAX_TEXT}")
    try:
        described = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise PoisonError("schema that is not JSON") from None
    found = _Parser().parse(described, "", 1)
    version = described.get("version") if isinstance(described, dict) else None
    stated = f" {version}"[:40] if isinstance(version, str | int | float) else ""
    return found, f"{found.name or found.kind}{stated}"


def without(avro_type: AvroType, names: Collection[str]) -> AvroType:
    """Return a record's type without some of its fields."""
    kept = [(label, part) for label, part in zip(avro_type.labels, avro_type.parts, strict=True) if label not in names]
    labels, parts = tuple(label for label, _ in kept), tuple(part for _, part in kept)
    return msgspec.structs.replace(avro_type, labels=labels, parts=parts)


def to_fastavro(avro_type: AvroType) -> Any:
    """Return the schema as fastavro takes it, so that plain values come out.

    Defaults, aliases and logical types are left out, and definitions are numbered instead of named.
    """
    return _describe(avro_type, {})


def _describe(avro_type: AvroType, defined: dict[str, str]) -> Any:
    kind, parts = avro_type.kind, avro_type.parts
    if kind == "union":
        return [_describe(part, defined) for part in parts]
    if kind in _CONTAINERS:
        return {"type": kind, "items" if kind == "array" else "values": _describe(parts[0], defined)}
    if kind in _WIDTHS or avro_type.name in defined:
        return defined.get(avro_type.name, kind)
    name = defined[avro_type.name] = f"T{len(defined)}"
    described: dict[str, Any] = {"type": kind, "name": name}
    if kind == "enum":
        described["symbols"] = list(avro_type.labels)
    elif kind == "fixed":
        described["size"] = avro_type.size
    else:
        fields = zip(avro_type.labels, parts, strict=True)
        described["fields"] = [{"name": label, "type": _describe(part, defined)} for label, part in fields]
    return described


class _Parser:
    """One pass over a schema's JSON, with the names that it has defined so far."""

    def __init__(self) -> None:
        self._named: dict[str, AvroType | None] = {}  # None while a record is still being read

    def parse(self, described: Any, space: str, level: int) -> AvroType:
        if level > MAX_DEPTH:
            raise PoisonError(f"schema deeper than {MAX_DEPTH} levels")
        match described:
            case str(name) | {"type": str(name)} if name not in _DEFINED:
                found = self._refer(name, space)
            case list(branches) | {"type": list(branches)}:
                found = self._union(branches, space, level)
            case {"type": dict(inner)}:
                found = self.parse(inner, space, level + 1)
            case {"type": "array" as kind, "items": item} | {"type": "map" as kind, "values": item}:
                found = _container(kind, self.parse(item, space, level + 1))
            case {"type": "record" | "enum" | "fixed" as kind}:
                found = self._define(kind, described, space, level)
            case _:
                raise PoisonError(_UNKNOWN)
        return found

    def _refer(self, name: str, space: str) -> AvroType:
        if name in _WIDTHS:
            return _primitive(name)
        for full in (name,) if "." in name or not space else (f"{space}.{name}", name):
            if full in self._named:
                found = self._named[full]
                if found is None:
                    raise PoisonError(f"recursive schema: {full[:100]} holds itself")
                return found
        raise PoisonError(_UNKNOWN)

    def _union(self, branches: list[Any], space: str, level: int) -> AvroType:
        if not branches or any(isinstance(branch, list) for branch in branches):
            raise PoisonError("schema with a union of none, or in a union")
        if len(branches) > MAX_BRANCHES:
            raise PoisonError(f"schema with a union of more than {MAX_BRANCHES} types")
        parts = tuple(self.parse(branch, space, level + 1) for branch in branches)
        return _bounded(
            AvroType(
                "union",
                parts=parts,
                nodes=1 + sum(part.nodes for part in parts),
                depth=1 + max(part.depth for part in parts),
                width=1 + min(part.width for part in parts),
                weight=max(part.weight for part in parts),
            )
        )

    def _define(self, kind: str, described: dict[str, Any], space: str, level: int) -> AvroType:
        full, inner_space = _full_name(described, space)
        if full in self._named or full in _WIDTHS:
            raise PoisonError(f"schema that defines {full[:100]} twice")
        self._named[full] = None
        if kind == "record":
            made = self._record(full, described.get("fields"), inner_space, level)
        elif kind == "enum":
            symbols = _labels(described.get("symbols"), "symbols")
            made = AvroType(kind, full, symbols, width=1)
        else:
            made = _fixed(full, described.get("size"))
        self._named[full] = _bounded(made)
        return made

    def _record(self, name: str, fields: Any, space: str, level: int) -> AvroType:
        if not isinstance(fields, list) or not all(isinstance(field, dict) and "type" in field for field in fields):
            raise PoisonError(f"schema whose record {name[:100]} has no fields")
        labels = _labels([field.get("name") for field in fields], "fields")
        parts = []
        nodes = 1
        for field in fields:
            parts.append(self.parse(field["type"], space, level + 1))
            nodes += parts[-1].nodes
            _check_nodes(nodes)
        return AvroType(
            "record",
            name,
            labels,
            tuple(parts),
            nodes=nodes,
            depth=1 + max((part.depth for part in parts), default=0),
            width=sum(part.width for part in parts),
            weight=_OBJECT + sum(_OBJECT + part.weight for part in parts),
        )


def _primitive(kind: str) -> AvroType:
    return AvroType(kind, width=_WIDTHS[kind])


def _fixed(name: str, size: Any) -> AvroType:
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 31:
        raise PoisonError(f"schema whose fixed {name[:100]} has no size")
    return AvroType("fixed", name, size=size, width=size, weight=_OBJECT + size)


def _container(kind: str, item: AvroType) -> AvroType:
    if not item.width:
        raise PoisonError(f"schema whose {kind} has items without width")
    return _bounded(AvroType(kind, parts=(item,), nodes=1 + item.nodes, depth=1 + item.depth, width=1))


def _bounded(avro_type: AvroType) -> AvroType:
    _check_nodes(avro_type.nodes)
    if avro_type.depth > MAX_DEPTH:
        raise PoisonError(f"schema deeper than {MAX_DEPTH} levels")
    return avro_type


def _check_nodes(nodes: int) -> None:
    if nodes > MAX_NODES:
        raise PoisonError(f"schema of more than {MAX_NODES} types")


def _full_name(described: dict[str, Any], space: str) -> tuple[str, str]:
    """Return the full name of a definition and the namespace inside it."""
    name, own_space = described.get("name"), described.get("namespace")
    own_space = space if own_space is None else own_space
    if not isinstance(name, str) or not isinstance(own_space, str):
        raise PoisonError("schema with a definition that has no name")
    full = name if "." in name or not own_space else f"{own_space}.{name}"
    if not all(_NAME.fullmatch(part) for part in full.split(".")):
        raise PoisonError("schema with a name that is not valid in Avro")
    return full, full.rpartition(".")[0]


def _labels(names: Any, what: str) -> tuple[str, ...]:
    """Return the names of fields or symbols, valid and each once."""
    if not isinstance(names, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise PoisonError(f"schema with {what} whose names are not valid in Avro")
    if len(set(names)) != len(names):
        raise PoisonError(f"schema with {what} that have the same name")
    return tuple(names)
