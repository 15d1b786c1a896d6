"""A bar on standard error while alerts are read: bytes of files, or alerts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ampeld.testing.sources import AlertSource


@contextmanager
def reading(what: str, sources: Sequence[AlertSource]) -> Iterator[Callable[[int], None]]:
    """Show how far the sources are read, each an equal part; what is yielded is told the number of alerts so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[alerts]} alerts"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=float(len(sources)), alerts=0)

        def told(alerts: int) -> None:
            done = sum(source.progress.done / source.progress.total for source in sources if source.progress.total)
            bar.update(task, completed=done, alerts=alerts)

        yield told
