"""`ampeld deadletter`: what could not be read, with its payload and the reason."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_and_files, settings_for, topic_or_file
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.retry import retry as retry_letters
from ampeld.daemon.settings import Settings
from ampeld.flow.record import Record
from ampeld.store.dead_letters import DeadLetterBox, LetterSummary

T = TypeVar("T")

_SHOWN_BYTES = 256
_ROW = 16

deadletter = typer.Typer(
    name="deadletter",
    help="List, show, export and retry what could not be read. A letter's ID is TOPIC/PARTITION/OFFSET.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


def _parse_topic(name: str | None) -> str | None:
    return None if name is None else topic_or_file(name)


TopicOption = Annotated[
    str | None, typer.Option(metavar="TOPIC", help="Only of this topic, or file.", callback=_parse_topic)
]
StageOption = Annotated[
    str | None, typer.Option(metavar="STAGE", help="Only from this stage: source, decode, validate or store.")
]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows them.")]


@deadletter.command("list")
def list_letters(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    topic: TopicOption = None,
    stage: StageOption = None,
    unresolved: Annotated[bool, typer.Option("--unresolved", help="Only those not resolved yet.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List dead letters by topic, partition and offset."""
    settings = settings_for(config, sets)
    found = _ask(settings, lambda box: box.list(topic=topic, stage=stage, unresolved=unresolved, limit=limit))
    if as_json:
        print_json(found)
        return
    rows = [(letter.id, letter.stage, letter.size, letter.reason, letter.resolved or "no") for letter in found]
    console().print(make_table("Dead letters", ("id", "stage", "#bytes", "reason", "resolved"), rows))


@deadletter.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter, and the first bytes of its payload."""
    settings = settings_for(config, sets)

    async def both(box: DeadLetterBox) -> tuple[LetterSummary, Record]:
        return await box.get(letter), await box.record(letter)

    summary, record = _ask(settings, both)
    if as_json:
        print_json(summary)
        return
    rows = [(name, getattr(summary, name)) for name in summary.__struct_fields__]
    console().print(make_table("Dead letter", ("", ""), rows))
    typer.echo("\n" + "\n".join(hex_dump(record.value[:_SHOWN_BYTES])))


@deadletter.command()
def export(
    letters: IdsArgument,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the files go, one per letter; - writes one to standard output.")
    ] = Path(),
) -> None:
    """Write the payloads of dead letters to files, byte for byte as they came."""
    settings = settings_for(config, sets)

    async def records(box: DeadLetterBox) -> list[Record]:
        return [await box.record(letter) for letter in letters]

    found = _ask(settings, records)
    if str(out) == "-":
        if len(found) > 1:
            raise typer.BadParameter("standard output takes one letter")
        sys.stdout.buffer.write(found[0].value)
        return
    out.mkdir(parents=True, exist_ok=True)
    for record in found:
        path = out / f"{record.topic.strip('/').replace('/', '_')}-{record.partition}-{record.offset}.bin"
        path.write_bytes(record.value)
        typer.echo(str(path))


@deadletter.command()
def retry(
    letters: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` shows them.")] = None,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are not resolved yet.")] = False,
    topic: TopicOption = None,
    stage: StageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read dead letters again with the code and channels of today, and store what passes.

    What can be read now is marked resolved. Its outcome in the ledger stands: it was dead-lettered.
    """
    if bool(letters) == everything:
        raise typer.BadParameter("name the letters, or say --all")
    settings, files = settings_and_files(config, sets)
    ids = letters or [
        letter.id for letter in _ask(settings, lambda box: box.list(topic=topic, stage=stage, unresolved=True))
    ]
    results = run_async(retry_letters(settings, files, ids, instance="retry"))
    if as_json:
        print_json(results)
    else:
        rows = [(result.id, "yes" if result.resolved else "no", result.result) for result in results]
        console().print(make_table("Retried", ("id", "resolved", "result"), rows))
    if not all(result.resolved for result in results):
        left = sum(not result.resolved for result in results)
        warn(f"{left} letter{'s' if left > 1 else ''} still cannot be read")
        raise typer.Exit(ExitCode.FAILED)


def hex_dump(data: bytes) -> Sequence[str]:
    """Return lines of 16 bytes: offset, hexadecimal, and text where it is printable."""
    lines = []
    for start in range(0, len(data), _ROW):
        row = data[start : start + _ROW]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<{3 * _ROW - 1}}  {text}")
    return lines


def _ask(settings: Settings, question: Callable[[DeadLetterBox], Awaitable[T]]) -> T:
    async def work() -> T:
        async with connected(settings.store, "deadletter") as connection:
            return await question(DeadLetterBox(connection))

    return run_async(work())
