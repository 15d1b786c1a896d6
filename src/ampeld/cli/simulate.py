"""`ampeld simulate`: a reproducible night of ZTF alerts, to Kafka or to a directory, with its truth."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ampeld.demo.produce import TOPIC, ProduceError, Sent, create_topics, produce, write_directory
from ampeld.demo.simulate import DEFAULT_START, SimulatedNights
from ampeld.demo.truth import Truth, TruthRow

_UNAVAILABLE = 69


def simulate(
    *,
    out: Annotated[Path | None, typer.Option(help="Write files into this directory, with truth.json.")] = None,
    brokers: Annotated[str | None, typer.Option(help="Send to this Kafka: host:port.")] = None,
    topic: Annotated[str, typer.Option(help="Topic to send to; {night:...} is the night.")] = TOPIC,
    alerts: Annotated[int, typer.Option(min=1, help="How many packets in all.")] = 1000,
    nights: Annotated[int, typer.Option(min=1, max=60, help="Over how many nights.")] = 1,
    objects: Annotated[
        int | None, typer.Option(min=1, help="At most so many objects (by default as many as the alerts need).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    start_night: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first night, a UTC day.")
    ] = datetime.combine(DEFAULT_START, datetime.min.time(), UTC),
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Alerts per second (by default as fast as Kafka takes them).")
    ] = None,
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic.")] = 16,
    spread: Annotated[bool, typer.Option("--spread", help="Spread an object's alerts over all partitions.")] = False,
    truth: Annotated[
        Path | None, typer.Option(help="Where the truth goes (by default truth.json in --out, else here).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Simulate nights of ZTF alerts: asteroids, variable stars, active nuclei, bogus, and some supernovae.

    Packets are valid ZTF 4.02 alerts of real size, with histories that agree from alert to alert.
    About one in a hundred comes twice, and one in a hundred late; truth.json tells which, and what each object is.

    Try:

      ampeld simulate --out night --alerts 500

      ampeld simulate --brokers localhost:9092 --alerts 2000 --rate 100

      ampeld simulate --brokers localhost:9092 --topic mine --nights 5 --alerts 10000 --seed 7 --spread
    """
    if (out is None) == (brokers is None):
        raise typer.BadParameter("say where the alerts go: either --out DIRECTORY or --brokers HOST:PORT")
    _check_topic(topic)
    made = SimulatedNights(seed, alerts, objects=objects, nights=nights, start=start_night.date())
    path = truth or (out or Path()) / "truth.json"
    with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating", total=len(made))

        def sent(number: int) -> None:
            progress.update(task, completed=number)

        if out is not None:
            table = write_directory(made, out, sent=sent)
        else:
            assert brokers is not None
            table = _to_kafka(made, brokers, topic, partitions, spread=spread, rate=rate, sent=sent)
    table.write(path)
    _summarize(table.rows(), path, as_json=as_json)


_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _check_topic(topic: str) -> None:
    try:
        topic.format(night=DEFAULT_START)
    except (KeyError, ValueError, IndexError) as error:
        raise typer.BadParameter(f"--topic {topic!r} is no name or template such as {TOPIC!r}: {error!r}") from error


def _to_kafka(
    made: SimulatedNights,
    brokers: str,
    topic: str,
    partitions: int,
    *,
    spread: bool,
    rate: float | None,
    sent: Sent,
) -> Truth:
    survey = made.survey
    topics = list(dict.fromkeys(topic.format(night=survey.day(night)) for night in range(survey.nights)))

    async def send() -> Truth:
        await create_topics(brokers, topics, partitions)
        return await produce(made, brokers, topic=topic, partitions=partitions, spread=spread, rate=rate, sent=sent)

    try:
        return asyncio.run(send())
    except ProduceError as error:
        typer.echo(f"ampeld simulate: {error}", err=True)
        raise typer.Exit(_UNAVAILABLE) from None


def _summarize(rows: list[TruthRow], truth: Path, *, as_json: bool) -> None:
    objects = Counter(row.type for row in rows)
    alerts: Counter[str] = Counter()
    for row in rows:
        alerts[row.type] += row.alerts
    duplicate, late = (sum(len(getattr(row, name)) for row in rows) for name in ("duplicate", "late"))
    if as_json:
        kinds = {kind: {"objects": objects[kind], "alerts": alerts[kind]} for kind in sorted(objects)}
        total = {"alerts": alerts.total(), "objects": len(rows), "duplicate": duplicate, "late": late}
        typer.echo(json.dumps({**total, "types": kinds, "truth": str(truth)}))
        return
    table = Table("type", "objects", "alerts", title=f"{alerts.total()} alerts, {duplicate} twice, {late} late")
    for kind in sorted(objects):
        table.add_row(kind, str(objects[kind]), str(alerts[kind]))
    Console().print(table)
    typer.echo(f"what each object is: {truth}")
    topics = sorted({name for row in rows for name in _names(row)})
    if topics:
        typer.echo(f"to read them: ampeld run --until-end --set 'source.topics={json.dumps(topics)}'")


def _names(row: TruthRow) -> list[str]:
    """Return the topics that hold an object's alerts; none in a directory."""
    return row.topic if isinstance(row.topic, list) else [row.topic] if row.topic else []
