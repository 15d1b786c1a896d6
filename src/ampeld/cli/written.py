"""What commands say that have written files for their user: what each is, and how to go on."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console


def short(path: Path) -> Path:
    """Return a path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def show_written(
    out: Console, files: Iterable[tuple[Path, str]], commands: Sequence[tuple[str, str]], *, width: int
) -> None:
    """Print each file with what it is, and the commands that come next, each with what it is for.

    Parameters
    ----------
    out
        Where to.
    files, commands
        In their order.
    width
        Of the column of commands.
    """
    for path, what in files:
        out.print(f"{path}  [dim]{what}[/dim]", soft_wrap=True)
    out.print("\nHow to go on", style="bold")
    for command, what in commands:
        out.print(f"  {command:{width}} {what}", soft_wrap=True, markup=False)
