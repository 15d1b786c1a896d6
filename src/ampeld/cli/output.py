"""How commands answer: tables for people, one JSON document for programs, on standard output."""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table
from rich.text import Text

T = TypeVar("T")

_PIPE_WIDTH = 200  # where nobody's window limits the lines


def console() -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    typer.echo(msgspec.json.encode(document, enc_hook=_plain).decode())


def warn(message: str) -> None:
    """Print a line on standard error."""
    typer.echo(f"ampeld: {message}", err=True)


def make_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; columns whose name begins with ``#`` hold numbers and stand to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        number = column.startswith("#")
        table.add_column(column.removeprefix("#"), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _plain(value: object) -> object:
    """Return a value of a type that JSON does not know as one that it does: MongoDB's long integers are numbers."""
    return int(value) if isinstance(value, int) else str(value)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:,}".replace(",", " ") if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)
