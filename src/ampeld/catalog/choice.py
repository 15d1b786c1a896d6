"""Which columns of a table a catalogue takes, what they are called there, and in which unit."""

import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Final

import msgspec

from ampeld.catalog import units
from ampeld.catalog.errors import TableError
from ampeld.catalog.meta import INDEX, Kind
from ampeld.catalog.presets import Preset, PresetColumn
from ampeld.catalog.table import Table, TableColumn
from ampeld.names import did_you_mean

RESERVED: Final = frozenset({"count", "distance", "within", "ra", "dec", INDEX})
"""What no further column can be called: authors find the search's own answers under these names."""

_RA: Final = ("ra", "raj2000", "ra_icrs", "_raj2000", "radeg", "ra_deg", "ra_j2000", "alpha_j2000", "ramean", "raav")
_DEC: Final = (
    *("dec", "dej2000", "decj2000", "de_icrs", "dec_icrs", "_dej2000", "dedeg", "decdeg", "dec_deg", "dec_j2000"),
    *("delta_j2000", "decmean", "decav", "de"),
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says."""

    ra: str | None = None
    dec: str | None = None
    columns: Sequence[tuple[str, str]] | None = None
    """(Name in the catalogue, name in the table); None for all that a catalogue can hold."""
    units: Mapping[str, str] = {}
    """By the name in the table: overrules what the table says."""
    preset: Preset | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A column that is taken."""

    name: str
    source: str
    kind: Kind
    unit: str = ""
    factor: float = 1.0
    """By what values are multiplied to be in that unit."""
    description: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of one table."""

    ra: Taken
    dec: Taken
    columns: list[Taken]
    notes: list[str]
    """What the user should know."""


def choose(table: Table, wanted: Wanted) -> Choice:
    """Return what is taken of a table.

    Raises
    ------
    TableError
        With every column that is missing or of no use, and every unit that is wrong.
    """
    return _Chooser(table, wanted).choose()


class _Chooser:
    """One table's columns, chosen while problems gather."""

    def __init__(self, table: Table, wanted: Wanted) -> None:
        self._table = table
        self._wanted = wanted
        self._problems: list[str] = []
        self._notes: list[str] = []

    def choose(self) -> Choice:
        for source, unit in self._wanted.units.items():
            self._find(source, "--unit")
            self._check_unit(source, unit)
        preset = self._wanted.preset
        ra = self._position("ra", self._wanted.ra, preset.ra if preset else _RA)
        dec = self._position("dec", self._wanted.dec, preset.dec if preset else _DEC)
        positions = {taken.source for taken in (ra, dec) if taken is not None}
        if self._wanted.columns is not None:
            further = [pair for pair in self._wanted.columns if pair[1] not in positions]
            columns = [self._named(name, source) for name, source in further]
        elif preset is not None:
            columns = [self._preset(column, needed=True) for column in preset.columns]
            columns += [self._preset(column, needed=False) for column in preset.optional]
        else:
            columns = self._all(positions)
        found = [taken for taken in columns if taken is not None]
        names = [taken.name for taken in found]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._complain(f"two columns would be called {name!r}: name one otherwise, as in --columns other={name}")
        if self._problems or ra is None or dec is None:
            raise TableError(self._problems)
        return Choice(ra=ra, dec=dec, columns=found, notes=self._notes)

    def _position(self, axis: str, given: str | None, known: Sequence[str]) -> Taken | None:
        column = self._find(given, f"--{axis}") if given is not None else self._guess(axis, known)
        if column is None:
            return None
        if column.kind not in ("float", "int"):
            more = ": sexagesimal positions must be converted to degrees first" if column.kind == "text" else ""
            self._complain(f"column {column.name!r} ({axis}) holds {column.type}{more}")
            return None
        said = self._wanted.units.get(column.name, column.unit)
        try:
            factor = units.degrees(said) if said else 1.0
        except ValueError as error:
            self._complain(f"column {column.name!r} ({axis}): {error}; name the right one with --unit")
            return None
        self._notes.append(
            f"{self._table.path.name}: {axis} is column {column.name!r} [{said or 'no unit named: deg assumed'}]"
        )
        return Taken(
            name=axis, source=column.name, kind="float", unit="deg", factor=factor, description=column.description
        )

    def _guess(self, axis: str, known: Sequence[str]) -> TableColumn | None:
        lower = {name.lower(): column for name, column in self._table.columns.items()}
        found = next((lower[name.lower()] for name in known if name.lower() in lower), None)
        if found is None:
            self._complain(f"which column is {axis}? Name it with --{axis}; there are {self._there()}")
        return found

    def _named(self, name: str, source: str) -> Taken | None:
        if not name.isidentifier() or iskeyword(name) or name.startswith("_") or name in RESERVED:
            more = "is taken by the search itself" if name in RESERVED else "cannot stand after a dot in Python"
            self._complain(f"a column cannot be called {name!r}, which {more}: write --columns other={source}")
            return None
        column = self._find(source, "--columns")
        if column is None:
            return None
        if column.kind is None:
            self._complain(f"column {source!r} holds {column.type}, which a catalogue cannot")
            return None
        return self._plain(name, column, column.kind)

    def _preset(self, wanted: PresetColumn, *, needed: bool) -> Taken | None:
        sources = (wanted.name, *wanted.sources)
        column = next((self._table.columns[source] for source in sources if source in self._table.columns), None)
        if column is None:
            if needed:
                self._complain(f"has no column {' or '.join(map(repr, sources))}, which the preset needs")
            return None
        said = self._wanted.units.get(column.name, column.unit)
        if column.kind not in ("float", "int"):
            self._complain(f"column {column.name!r} holds {column.type} where the preset needs numbers")
            return None
        try:
            factor = units.factor(said, wanted.unit) if said and wanted.unit else 1.0
        except ValueError as error:
            self._complain(f"column {column.name!r}: {error}; name the right one with --unit")
            return None
        kind: Kind = column.kind if factor == 1.0 else "float"
        return Taken(
            name=wanted.name,
            source=column.name,
            kind=kind,
            unit=wanted.unit,
            factor=factor,
            description=column.description,
        )

    def _all(self, positions: set[str]) -> list[Taken | None]:
        found: list[Taken | None] = []
        for column in self._table.columns.values():
            if column.name in positions:
                continue
            if column.kind is None:
                self._notes.append(
                    f"{self._table.path.name}: column {column.name!r} is left out: it holds {column.type}"
                )
                continue
            name = re.sub(r"\W", "_", column.name, flags=re.ASCII).lstrip("_") or "column"
            name = f"c{name}" if name[0].isdigit() else name
            name = f"{name}_" if name in RESERVED or iskeyword(name) else name
            if name != column.name:
                self._notes.append(f"{self._table.path.name}: column {column.name!r} is called {name!r}")
            found.append(self._plain(name, column, column.kind))
        return found

    def _plain(self, name: str, column: TableColumn, kind: Kind) -> Taken | None:
        given = self._wanted.units.get(column.name)
        unit = column.unit if given is None else given
        if unit and given is None and not units.known(unit):
            self._notes.append(
                f"{self._table.path.name}: column {column.name!r} is in {unit!r}, which is no known unit"
            )
        return Taken(name=name, source=column.name, kind=kind, unit=unit, description=column.description)

    def _check_unit(self, source: str, unit: str) -> None:
        try:
            units.parse(unit)
        except units.UnknownUnitError as error:
            self._complain(f"--unit {source}: {error}")

    def _find(self, source: str, option: str) -> TableColumn | None:
        column = self._table.columns.get(source)
        if column is None:
            near = did_you_mean(source, self._table.columns)
            self._complain(
                f"has no column {source!r} ({option}){near}" + ("" if near else f"; there are {self._there()}")
            )
        return column

    def _there(self) -> str:
        names = list(self._table.columns)
        more = f" and {len(names) - 30} more" if len(names) > 30 else ""
        return ", ".join(names[:30]) + more

    def _complain(self, message: str) -> None:
        self._problems.append(f"{self._table.path}: {message}")
