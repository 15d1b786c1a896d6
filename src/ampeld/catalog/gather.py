"""From tables to rows in order on the sky, in bounded memory, whatever they are written to then."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld import __version__
from ampeld.catalog.agreement import choose_alike
from ampeld.catalog.choice import Choice, Wanted
from ampeld.catalog.digest import Digester
from ampeld.catalog.errors import TableError
from ampeld.catalog.intake import Intake
from ampeld.catalog.meta import FORMAT, NAME, CatalogMeta, ColumnMeta, SourceMeta, digest_of
from ampeld.catalog.runs import RUN_BYTES, SLICE_ROWS, Runs
from ampeld.catalog.table import Table, open_table
from ampeld.catalog.writer import workplace

Progress = Callable[[str, int, int], None]
"""Called with what is being done, rows done and rows in all."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported."""

    name: str
    """What the catalogue will be called."""
    paths: Sequence[Path]
    """The tables: their rows make one catalogue."""
    wanted: Wanted
    epoch: float | None = None
    """Julian year of the positions."""
    description: str = ""
    skip_bad: bool = False
    """Leave rows without a position on the sky out; else one of them refuses the import."""
    replace: bool = False
    """Whether the catalogue may be there already."""
    run_bytes: int = RUN_BYTES
    slice_rows: int = SLICE_ROWS


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows that wait to be written, in order."""

    request: Request
    work: Path
    """Where files can be written meanwhile."""
    columns: list[ColumnMeta]
    sources: list[SourceMeta]
    notes: list[str]
    """What the user should know."""
    runs: Runs
    progress: Progress

    @property
    def rows(self) -> int:
        """Return how many there are."""
        return len(self.runs)

    @property
    def dtypes(self) -> dict[str, np.dtype[Any]]:
        """Return the type of each field."""
        return self.runs.dtypes

    def slices(self, digester: Digester) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield all rows, some at a time, while their digests are taken."""
        done = 0
        for part in self.runs.merged():
            digester.update(part)
            yield part
            done += len(part["ra"])
            self.progress("writing", done, self.rows)

    def describe(self, digester: Digester, moment: datetime) -> CatalogMeta:
        """Return what the catalogue says of itself, when all slices have gone by."""
        columns = digester.finish(self.columns)
        digest = digest_of(columns)
        return CatalogMeta(
            format=FORMAT,
            name=self.request.name,
            rows=self.rows,
            columns=columns,
            data=f"data-{moment:%Y%m%dT%H%M%S%f}-{digest}",
            digest=digest,
            sources=self.sources,
            imported=moment.isoformat(timespec="seconds"),
            ampeld=__version__,
            epoch=self.request.epoch,
            description=self.request.description,
        )


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _open_all(paths: Sequence[Path]) -> list[Table]:
    tables: list[Table] = []
    problems: list[str] = []
    for path in paths:
        try:
            tables.append(open_table(path))
        except TableError as error:
            problems += error.problems
    if problems:
        raise TableError(problems)
    return tables


@contextlib.contextmanager
def gather(directory: Path, request: Request, progress: Progress) -> Iterator[Gathered]:
    """Read tables, check every row and sort them, on the disk that holds the directory.

    Raises
    ------
    TableError
        If a table cannot be imported, with every reason.
    OSError
        If a file cannot be written.
    """
    if not NAME.fullmatch(request.name):
        raise TableError([f"{request.name!r} is no name for a catalogue: 1 to 64 of A-Z a-z 0-9 _ -"])
    tables = _open_all(request.paths)
    choices = choose_alike(tables, request.wanted)
    with workplace(directory) as work:
        _refuse_large(work, tables, choices[0])
        runs = Runs(work, run_bytes=request.run_bytes, slice_rows=request.slice_rows)
        sources = _take_in(tables, choices, runs, request, progress)
        notes = [note for choice in choices for note in choice.notes]
        yield Gathered(request, work, _columns(choices[0]), sources, notes, runs, progress)


def _refuse_large(work: Path, tables: Sequence[Table], choice: Choice) -> None:
    """Refuse early what would not fit on the disk: runs and columns lie there at once."""
    rows = sum(table.rows for table in tables)
    needed = 2 * rows * 8 * (3 + len(choice.columns))
    free = shutil.disk_usage(work).free
    if needed > free:
        raise TableError([f"{work.parent}: {rows} rows need some {needed >> 20} MiB, and {free >> 20} are free"])


def _take_in(
    tables: Sequence[Table], choices: Sequence[Choice], runs: Runs, request: Request, progress: Progress
) -> list[SourceMeta]:
    total = sum(table.rows for table in tables)
    sources: list[SourceMeta] = []
    bad: list[str] = []
    for table, choice in zip(tables, choices, strict=True):
        intake = Intake(table, choice)
        before = sum(done.rows for done in sources)
        for fields in intake:
            runs.add(fields)
            progress("reading", before + intake.rows, total)
        size = table.path.stat().st_size
        sources.append(SourceMeta(path=str(table.path), bytes=size, rows=intake.rows, skipped=intake.bad))
        if intake.bad:
            lost = f"{intake.bad} of {intake.rows} rows have no position on the sky"
            bad.append(f"{table.path}: {lost}; the first, {intake.first_bad}")
    if bad and not request.skip_bad:
        raise TableError([*bad, "--skip-bad leaves such rows out"])
    if not len(runs):
        raise TableError([*bad, "there is no row to import"])
    return sources


def _columns(choice: Choice) -> list[ColumnMeta]:
    return [
        ColumnMeta(name=one.name, kind=one.kind, unit=one.unit, description=one.description, source=one.source)
        for one in (choice.ra, choice.dec, *choice.columns)
    ]
