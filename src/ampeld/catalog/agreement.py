"""Several tables that make one catalogue: the same columns of each, in the same units."""

from collections.abc import Sequence

import msgspec

from ampeld.catalog.choice import Choice, Taken, Wanted, choose
from ampeld.catalog.errors import TableError
from ampeld.catalog.table import Table

_NUMBERS = frozenset({"float", "int"})


def choose_alike(tables: Sequence[Table], wanted: Wanted) -> list[Choice]:
    """Return what is taken of each table; whole numbers in one and fractions in another are fractions in all.

    Raises
    ------
    TableError
        With every problem of every table, and where they do not go together.
    """
    choices: list[Choice] = []
    problems: list[str] = []
    for table in tables:
        try:
            choices.append(choose(table, wanted))
        except TableError as error:
            problems += error.problems
    if not problems:
        for table, choice in zip(tables[1:], choices[1:], strict=True):
            problems += _differences(tables[0], choices[0], table, choice)
    if problems:
        raise TableError(problems)
    fractions = {column.name for choice in choices for column in choice.columns if column.kind == "float"}
    return [
        msgspec.structs.replace(
            choice,
            columns=[msgspec.structs.replace(c, kind="float") if c.name in fractions else c for c in choice.columns],
        )
        for choice in choices
    ]


def _differences(table_one: Table, one: Choice, table_other: Table, other: Choice) -> list[str]:
    first, second = ({column.name: column for column in choice.columns} for choice in (one, other))
    lonely = [
        f"{table_other.path}: column {name!r} is only in {table_one.path if name in first else table_other.path}: "
        "take what all have with --columns"
        for name in sorted(first.keys() ^ second.keys())
    ]
    unlike = [
        f"{table_other.path}: column {name!r} is {_said(second[name])}; in {table_one.path} it is {_said(first[name])}"
        for name in sorted(first.keys() & second.keys())
        if not _alike(first[name], second[name])
    ]
    return lonely + unlike


def _alike(one: Taken, other: Taken) -> bool:
    return one.unit == other.unit and (one.kind == other.kind or {one.kind, other.kind} == _NUMBERS)


def _said(column: Taken) -> str:
    return f"{column.kind} [{column.unit}]" if column.unit else column.kind
