"""One layer for each place where settings come from, and the reader that takes every key from the uppermost one."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ampeld.daemon.convert import Origin, convert, plain
from ampeld.daemon.toml import Key, TomlFile, dotted, read_toml

_PREFIX = "AMPELD_"
_INDEX = re.compile(r" - at `\$\[(\d+)\]`$")


class Layer(msgspec.Struct, frozen=True):
    """Some settings, and where they were found."""

    table: Mapping[str, Any]
    base: Path
    """What relative paths are relative to."""
    file: TomlFile | None = None
    name: str = ""
    text: str | None = None
    """The value as it was typed, where the layer is one option or variable."""

    def problem(self, message: str, *keys: Key) -> str:
        """Return one line that says what is wrong where."""
        return self.file.problem(message, *keys) if self.file else f"{self.name}: {message}"


def file_layer(path: Path) -> Layer:
    """Return the layer of a file; raises ConfigError if it cannot be read."""
    file = read_toml(path)
    return Layer(file.data, path.absolute().parent, file)


def option_layers(sets: Sequence[str], problems: list[str]) -> list[Layer]:
    """Return the layers of ``--set KEY=VALUE`` options, the last one uppermost."""
    layers = []
    for option in reversed(sets):
        key, equals, text = option.partition("=")
        if equals and all(key.split(".")):
            layers.append(_single(f"--set {key}", key.split("."), text))
        else:
            problems.append(f"--set {key}: expected KEY=VALUE, as in source.group=mine")
    return layers


def environment_layers(environ: Mapping[str, str]) -> list[Layer]:
    """Return the layers of variables like ``AMPELD_SOURCE__GROUP``."""
    return [
        _single(name, name.removeprefix(_PREFIX).lower().split("__"), text)
        for name, text in sorted(environ.items())
        if name.startswith(_PREFIX) and "__" in name
    ]


def state_layers(environ: Mapping[str, str]) -> list[Layer]:
    """Return the layer of systemd's ``StateDirectory=``: where a service may write, unless it is told otherwise."""
    directory = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    table = {
        "source": {"schema_directory": f"{directory}/schemas"},
        "store": {"dead_letter_directory": f"{directory}/dead-letters"},
        "catalogs": {"directory": f"{directory}/catalogs"},
    }
    return [Layer(table, Path("/"), None, "STATE_DIRECTORY")] if directory else []


def _single(name: str, keys: list[str], text: str) -> Layer:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = text
    for key in reversed(keys):
        value = {key: value}
    return Layer(value, Path.cwd(), None, name, text)


class Reader:
    """Takes every setting from the uppermost layer that has it, and notes every problem on the way.

    Parameters
    ----------
    layers
        Uppermost first.
    base
        What the relative paths among the defaults are relative to.
    environ
        Where secrets may lie.
    problems
        Added to.
    """

    def __init__(self, layers: Sequence[Layer], base: Path, environ: Mapping[str, str], problems: list[str]) -> None:
        self._layers = layers
        self._base = base
        self._environ = environ
        self._problems = problems
        self._wrong: set[tuple[Key, ...]] = set()
        self._names: list[str] = []

    def read(self, struct: type[msgspec.Struct]) -> Any:
        """Return the settings; a wrong one has its default."""
        self._names = [dotted(*keys) for keys in setting_keys(struct)]
        return self._table(struct, [(layer, layer.table) for layer in self._layers], ())

    def complain(self, message: str, *keys: Key) -> None:
        """Note a problem of a value, unless there is one already."""
        if any(keys[:n] in self._wrong for n in range(1, len(keys) + 1)):
            return
        names = [key for key in keys if isinstance(key, str)]
        layer = next((layer for layer in self._layers if _has(layer.table, names)), None)
        layer = layer or next((layer for layer in self._layers if layer.file), None)
        self._problems.append(layer.problem(message, *keys) if layer else f"{dotted(*keys)}: {message}")

    def _table(
        self, struct: type[msgspec.Struct], tables: list[tuple[Layer, Mapping[str, Any]]], above: tuple[str, ...]
    ) -> Any:
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        for layer, table in tables:
            self._refuse_unknown(layer, table, list(fields), above)
        values = {}
        for name, field in fields.items():
            keys = (*above, name)
            having = [(layer, table[name]) for layer, table in tables if name in table]
            if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
                values[name] = self._table(field.type, list(self._only_tables(having, keys)), keys)
            else:
                values[name] = self._value(field, having, keys)
        return struct(**values)

    def _only_tables(
        self, having: list[tuple[Layer, Any]], keys: tuple[str, ...]
    ) -> Iterator[tuple[Layer, Mapping[str, Any]]]:
        for layer, value in having:
            if isinstance(value, dict):
                yield layer, value
            else:
                self._note(layer, "is a section, not a value", keys)

    def _value(self, field: Any, having: list[tuple[Layer, Any]], keys: tuple[str, ...]) -> Any:
        if having:
            layer, value = having[0]
            try:
                return convert(value, field.type, Origin(layer.base, self._environ, layer.text))
            except (ValueError, msgspec.ValidationError) as error:
                at = _INDEX.search(str(error))
                self._note(layer, plain(_INDEX.sub("", str(error))), (*keys, int(at[1])) if at else keys)
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        return self._base / default if isinstance(default, Path) else default

    def _refuse_unknown(self, layer: Layer, table: Mapping[str, Any], known: list[str], above: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._note(layer, f"is not a setting; {self._hint(key, known, above)}", (*above, key))

    def _hint(self, key: str, known: list[str], above: tuple[str, ...]) -> str:
        elsewhere = [name for name in self._names if name.endswith(f".{key}")]
        close = [dotted(*above, name) for name in difflib.get_close_matches(key, known, n=1, cutoff=0.5)]
        for meant in (*elsewhere, *close):
            return f"did you mean {meant}?"
        return f"known here are {', '.join(known)}"

    def _note(self, layer: Layer, message: str, keys: tuple[Key, ...]) -> None:
        self._wrong.add(keys)
        self._problems.append(layer.problem(message, *keys))


def setting_keys(struct: type[msgspec.Struct], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to every setting of a struct of sections."""
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from setting_keys(field.type, (*above, field.name))
        else:
            yield (*above, field.name)


def _has(table: Mapping[str, Any], names: Sequence[str]) -> bool:
    value: Any = table
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
