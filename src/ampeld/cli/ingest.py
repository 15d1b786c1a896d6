"""`ampeld ingest`: the pipeline, fed from files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ampeld.cli.account import show_report
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_and_files
from ampeld.cli.output import warn
from ampeld.cli.run import InstanceOption
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.ingest import Ingestion
from ampeld.source.files import FileProgress


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help=".avro files, directories, tar archives.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    instance: InstanceOption = "ingest",
    as_json: JsonOption = False,
) -> None:
    """Process alerts from files: the same stages, channels and store as the daemon's, and the same account.

    Directories are read by name, archives (.tar, .tar.gz) in the order of their members.
    Broken off and begun again, or simply repeated, it changes nothing and reports the same outcomes.

    Try:

      ampeld ingest night/

      ampeld ingest ztf_public_20250801.tar.gz --json

    Exit codes: 0 processed and balanced, 1 the account does not balance, 65 an archive is damaged, 78 configuration.
    """
    settings, files = settings_and_files(config, sets)
    with _progress() as told:
        ingestion = Ingestion(settings, files, paths, instance=instance, progress=told)
        code = ingestion.run()
    if ingestion.report is None:
        raise typer.Exit(code)
    balanced = show_report(ingestion.report, as_json=as_json)
    if ingestion.damage is not None:
        warn(ingestion.damage)
        raise typer.Exit(ExitCode.DATA)
    raise typer.Exit(code or (ExitCode.OK if balanced else ExitCode.FAILED))


@contextmanager
def _progress() -> Iterator[Callable[[FileProgress], None]]:
    columns = (
        TextColumn("{task.fields[records]} alerts"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("ingest", records=0)
        yield lambda now: bar.update(task, completed=now.read_bytes, total=now.total_bytes, records=now.records)
