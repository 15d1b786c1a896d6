"""`ampeld channel gate`: try a channel on the reference night before it is trusted."""

import os
import socket
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ampeld.channel.channel import Channel
from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async
from ampeld.daemon.channels import load_channel
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.gate import Difference, GateRun, Measured, compare, result_of
from ampeld.daemon.reload_gates import stored_files
from ampeld.daemon.runs import new_run
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.store.connection import Connection
from ampeld.store.gates import GateResult, Gates, now
from ampeld.store.versions import ChannelVersions
from ampeld.testing.judging import Reader, judge_alerts
from ampeld.testing.sources import Progress as Told
from ampeld.testing.sources import read_alerts
from ampeld.testing.words import HELP, open_sources

_MOST_SHOWN = 20


class GateAnswer(msgspec.Struct, frozen=True):
    """What the command tells."""

    result: GateResult
    former: str | None
    """The version that it is compared with."""
    difference: Difference | None


def gate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    night: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help=f"In place of gate.night; repeatable. {HELP}"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let the version in though it does not keep within its limits.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept with the result.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a channel over the reference night, and record for every daemon whether it keeps within its limits.

    The limits stand in the channel file: `[gate]` with `max_pass_fraction` and `max_us_per_alert`.
    The result belongs to the channel's version, and tells which objects it gains and loses against the former one.
    With `channels.gate = "required"` a version runs once it has passed, or was forced.

    Try:

      ampeld channel gate rapid

      ampeld channel gate rapid --night kafka:ztf_20250801_programid1

      ampeld channel gate rapid --force --reason "the new nova is worth the flood"

    Exit codes: 0 it passed or was forced, 1 it did not pass, 69 the store does not answer, 78 configuration.
    """
    if force != bool(reason and reason.strip()):
        raise typer.BadParameter("--force needs a --reason TEXT, and the other way round")
    settings = settings_for(config, sets)
    channel = load_channel(find_channel(settings, name))
    words = night or settings.gate.night
    answer = run_async(_gate(settings, channel, words, reason))
    if as_json:
        print_json(answer)
    else:
        _show(answer)
    raise typer.Exit(ExitCode.OK if answer.result.opens else ExitCode.FAILED)


async def _gate(settings: Settings, channel: Channel, words: Sequence[str], reason: str | None) -> GateAnswer:
    measured = await _measure(settings, channel, words)
    origin = {
        "when": now(),
        "run": new_run(),
        "host": f"{os.environ.get('USER', os.getuid())}@{socket.gethostname()}",
    }
    result = result_of(channel, measured, source=", ".join(words), reason=reason, **origin)
    async with connected(settings.store, "gate") as connection:
        await connection.prepare()
        former = await _former(settings, connection, channel, result, words)
        await Gates(connection).record(result)
    if former is None:
        return GateAnswer(result, None, None)
    return GateAnswer(result, former[0], compare(measured.objects, former[1]))


async def _former(
    settings: Settings, connection: Connection, channel: Channel, result: GateResult, words: Sequence[str]
) -> tuple[str, list[str]] | None:
    """Return the former version and what it accepts of the same night: as recorded, else by running it again."""
    gates, versions = Gates(connection), ChannelVersions(connection)
    recorded = await gates.former(channel.name, but=channel.version, night=result.night)
    if recorded is not None:
        return recorded.version, recorded.objects
    opened = await gates.opened(channel.name, but=channel.version)
    ran = [version for version, _ in await versions.named(channel.name) if version != channel.version]
    for version in (*opened, *ran):
        files = await stored_files(versions, channel.name, version)
        if files is None:
            continue
        try:
            former = load_channel(files)
        except ConfigError:
            continue
        return version, (await _measure(settings, former, words)).objects
    return None


async def _measure(settings: Settings, channel: Channel, words: Sequence[str]) -> Measured:
    sources = open_sources(words, settings)
    reader = Reader(settings, [channel])
    run = GateRun()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{channel.name}@{channel.version}", total=None)
        async for records in read_alerts(sources):
            await reader.prepare(records)
            read = reader.read(records)
            judged = judge_alerts(channel, read)
            run.feed(
                [record.value for record in records],
                read.table.object,
                judged.codes,
                seconds=judged.seconds,
                error=judged.failures[0].error if judged.failures else None,
            )
            told = _sum([source.progress for source in sources])
            bar.update(task, completed=told.done, total=told.total or None)
    return run.measured()


def _sum(parts: Sequence[Told]) -> Told:
    return Told(sum(part.done for part in parts), sum(part.total for part in parts))


def _show(answer: GateAnswer) -> None:
    out, result = console(), answer.result
    limits = {name: value for name, value in result.limits.items() if value is not None}
    verdict = "passed" if result.passed else f"forced: {result.reason}" if result.forced else "did not pass"
    rows = [
        ("version", result.version),
        ("night", f"{result.source} ({result.night})"),
        ("judged", f"{result.seen} alerts"),
        ("accepted", f"{result.accepted} alerts of {result.n_objects} objects: {result.pass_fraction:.4g} of all"),
        ("time", f"{result.us_per_alert:g} µs per alert"),
        ("limits", ", ".join(f"{name} = {value:g}" for name, value in limits.items()) or "none are set"),
        ("against", None if answer.difference is None else f"{answer.former}: {answer.difference}"),
        ("gate", verdict),
    ]
    out.print(make_table(f"Gate of {result.channel}", ("", ""), rows))
    difference = answer.difference or Difference([], [])
    for sign, objects in (("+", difference.gained), ("−", difference.lost)):  # noqa: RUF001  a minus
        for name in objects[:_MOST_SHOWN]:
            out.print(f"  {sign} {name}", markup=False)
        if len(objects) > _MOST_SHOWN:
            out.print(f"  {sign} {len(objects) - _MOST_SHOWN} more (--json tells all)", markup=False)
    for why in result.why:
        typer.echo(f"ampeld: {result.channel}: {why}", err=True)
