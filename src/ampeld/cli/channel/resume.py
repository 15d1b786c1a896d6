"""`ampeld channel resume`: let a suspended channel go on."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.replay import Lost, Replayed
from ampeld.daemon.replay_resume import Progress, Resumed
from ampeld.daemon.replay_resume import resume as resume_channel


def resume(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Judge what it was skipped for, as far as Kafka still has it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a suspended channel judge again, on every daemon of the group within seconds.

    A channel is suspended when its code fails too often; its alerts are *skipped* from then on.
    With `--replay` they are fetched back by their coordinates, judged by the channel as it is now, and stored as usual;
    so are the alerts on which it failed. What retention has taken is named. It may be broken off and repeated.

    Try:

      ampeld channel resume rapid --replay

    Exit codes: 0 done, 1 something could not be judged, 69 a server does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    files = find_channel(settings, name) if replay else None
    by = f"{os.environ.get('USER', os.getuid())}@{socket.gethostname()}"
    with _bar() as progress:
        done = run_async(resume_channel(settings, name, files=files, by=by, progress=progress))
    if as_json:
        print_json(done)
    else:
        _show(done, wanted=replay)
    left = done.replay is not None and (done.replay.errored or done.replay.lost)
    raise typer.Exit(ExitCode.FAILED if left else ExitCode.OK)


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("resuming", total=None)
        yield lambda step, number, total: bar.update(task, description=step, completed=number, total=total)


def _show(done: Resumed, *, wanted: bool) -> None:
    suspension = done.suspension
    if suspension is None:
        warn(f"{done.channel} never was suspended")
        return
    if done.resumed:
        since = f"{suspension.since:%Y-%m-%d %H:%M:%S} UTC"
        console().print(f"{done.channel} goes on; it was suspended since {since}: {suspension.reason}", markup=False)
    else:
        warn(f"{done.channel} is not suspended")
    if done.replay is not None:
        _show_replay(done, done.replay)
    elif suspension.owed is not None and not wanted:
        warn(f"what it was skipped for stays skipped until `ampeld channel resume {done.channel} --replay`")
    elif wanted:
        console().print("Nothing is owed to it.")


def _show_replay(done: Resumed, replay: Replayed) -> None:
    rows = [
        ("version", done.version),
        ("owed", replay.owed),
        ("accepted", replay.accepted),
        ("rejected", replay.rejected),
        ("failed again", replay.errored),
        ("not for it to see", replay.hidden),
        ("not to be had", sum(lost.number for lost in replay.lost)),
    ]
    console().print(make_table(f"Replay for {done.channel}", ("", "#"), rows))
    for lost in replay.lost:
        warn(_lost(lost))


def _lost(lost: Lost) -> str:
    oldest = ""
    if lost.oldest_ms is not None:
        oldest = (
            f" (the oldest alert there is of {datetime.fromtimestamp(lost.oldest_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC)"
        )
    return f"{lost.number} alerts from {lost.first} to {lost.last}: {lost.reason}{oldest}"
