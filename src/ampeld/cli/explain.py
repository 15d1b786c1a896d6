"""`ampeld explain`: why a channel took an alert or dropped it, cut by cut with value and limit."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ampeld.channel.channel import Channel
from ampeld.channel.explain import CutReason
from ampeld.cli.bench import date_of
from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.cli.progress import reading
from ampeld.daemon.channels import load_channel
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.settings import Settings
from ampeld.testing.answer import Answer, answer_document, answer_from, answer_recalled
from ampeld.testing.find import wanted_of
from ampeld.testing.kit import for_survey
from ampeld.testing.words import HELP, open_sources

_SHOWN: Final = 30


def explain(
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel, as it is now.")],
    wanted: Annotated[
        str, typer.Argument(metavar="OBJECT|CANDID", help="An object by its name: its newest alert; or one alert.")
    ],
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help=f"{HELP} Without one: what the daemons kept.")
    ] = None,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why a channel accepted an alert or rejected it: every cut in order, with value, limit, pass or fail.

    With a SOURCE the alert is looked for there, and judged by the channel as it is now.

    Without one, the verdict comes from the verdict blocks, kept for `ledger.keep_days`, and the alert is fetched back
    from Kafka by its coordinates, or from its file. When it is not there any more, the cut that rejected it is all
    that can be told. A candid is found by an index; for an object the nights are looked through, the newest first.

    Try:

      ampeld explain decent ZTF25vblecnc sim:1:500

      ampeld explain rapid 3206325172415015000

    Exit codes: 0 told, 1 there is no such alert, 69 a server does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    channel = load_channel(find_channel(settings, name))
    settings = for_survey(settings, channel.survey)
    answers = _from_sources(channel, wanted, sources, settings) if sources else _recalled(channel, wanted, settings)
    if not answers:
        place = ", ".join(sources) if sources else f"no verdict block of {settings.ledger.keep_days} days"
        warn(f"{wanted}: not in {place}" if sources else f"{wanted}: {place} tells of it for {name}")
        raise typer.Exit(ExitCode.FAILED)
    if as_json:
        print_json(answer_document(answers))
    else:
        _show(answers)


def _from_sources(channel: Channel, wanted: str, words: Sequence[str], settings: Settings) -> list[Answer]:
    opened = open_sources(words, settings)
    with reading(f"looking for {wanted}", opened) as told:
        count = 0

        def noted(records: int) -> None:
            nonlocal count
            count += records
            told(count)

        return run_async(answer_from(channel, opened, wanted_of(wanted), settings, told=noted))


def _recalled(channel: Channel, wanted: str, settings: Settings) -> list[Answer]:
    with Console(stderr=True).status(f"looking for {wanted}") as status:

        def told(night: date) -> None:
            status.update(f"looking for {wanted}: night of {night}")

        return run_async(answer_recalled(channel, wanted_of(wanted), settings, told=told))


def _show(answers: Sequence[Answer]) -> None:
    out, newest = console(), answers[-1]
    if len(answers) > 1:
        rows = [
            (str(one.candid), None if one.jd is None else date_of(one.jd), one.verdict) for one in answers[-_SHOWN:]
        ]
        more = f" (the last {_SHOWN})" if len(answers) > _SHOWN else ""
        title = f"{len(answers)} alerts of {newest.object}{more}; the newest one in full below"
        out.print(make_table(title, ("alert", "date (UTC)", newest.channel), rows))
        out.print()
    _show_one(out, newest)


def _show_one(out: Console, answer: Answer) -> None:
    when = "" if answer.jd is None else f", {date_of(answer.jd)} UTC"
    out.print(f"{answer.candid} of {answer.object}{when}, at {answer.coordinates}", soft_wrap=True, markup=False)
    accepted = "accepted" in answer.verdict or answer.verdict in {"bypassed", "overruled"}
    out.print(f"{answer.channel}: {answer.verdict}", style="bold green" if accepted else "bold red", markup=False)
    if answer.cuts:
        out.print()
        out.print(_cuts(answer.cuts))
    if answer.error:
        out.print(Text("\n" + answer.error.rstrip()), soft_wrap=True)
    _show_origin(out, answer)


def _cuts(cuts: Sequence[CutReason]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("cut")
    table.add_column("what was found", overflow="fold")
    for cut in cuts:
        mark = Text("✓", style="green") if cut.passed else Text("✗", style="bold red")
        table.add_row(mark, Text(cut.name), Text(cut.text, style="" if cut.passed else "bold"))
    return table


def _show_origin(out: Console, answer: Answer) -> None:
    lines = []
    if answer.then is not None:
        lines.append(
            f"judged {answer.then.written} by version {answer.then.version}; its record ended as {answer.then.outcome}"
        )
        if answer.then.differs and answer.gone is None:
            lines.append(f"the cuts above are those of version {answer.version}, as the channel is now")
    if answer.gone is not None:
        lines.append(f"the alert cannot be had: {answer.gone}")
    if lines:
        out.print(Text("\n" + "\n".join(lines), style="dim"), soft_wrap=True)
