"""`ampeld ledger`: what became of every alert, from the verdict blocks of all daemons."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from ampeld.cli.account import show_alert, show_report
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for, topic_or_file
from ampeld.cli.output import run_async, warn
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.errors import AmpeldError
from ampeld.source.offsets import committed_offsets
from ampeld.store.connection import Connection
from ampeld.store.reader import AccountReader, AlertAccount
from ampeld.store.report import LedgerReport

_EPOCH = date(1970, 1, 1)


def _parse_night(text: str | None) -> int | None:
    if text is None:
        return None
    for form in ("%Y%m%d", "%Y-%m-%d"):
        try:
            return (datetime.strptime(text, form).replace(tzinfo=UTC).date() - _EPOCH).days
        except ValueError:
            continue
    raise typer.BadParameter(f"{text!r} is not a night like 20250801 or 2025-08-01")


def ledger(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    night: Annotated[
        str | None,
        typer.Option(metavar="YYYYMMDD", help="Only this night: the day of the topic's name, else of the jd."),
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="Only this topic, or file; repeatable.")
    ] = None,
    alert: Annotated[
        int | None, typer.Option(metavar="CANDID", help="Tell how one alert ended, and what each channel said of it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove what became of every alert: per topic and partition, and per channel and cut.

    It balances when every offset from the first to the committed one is accounted for, every stored alert's documents
    exist, and every sum adds up. What does not is named by partition and offsets.

    Try:

      ampeld ledger

      ampeld ledger --night 20250801 --json

      ampeld ledger --alert 2436123451315015003

    Exit codes: 0 it balances, 1 it does not (or there is no such alert), 69 the store does not answer.
    """
    day = _parse_night(night)
    settings = settings_for(config, sets)
    if alert is not None:
        _tell_alert(settings, alert, as_json=as_json)
        return
    topics = None if topic is None else {topic_or_file(name) for name in topic}
    report = run_async(_report(settings, day, topics))
    if topics is not None and not report.partitions:
        warn(f"no verdict block tells of {', '.join(sorted(topics))}")
    if not show_report(report, as_json=as_json):
        raise typer.Exit(ExitCode.FAILED)


def _tell_alert(settings: Settings, candid: int, *, as_json: bool) -> None:
    accounts = run_async(_accounts(settings, candid))
    if not accounts:
        warn(f"no verdict block tells of {candid}; blocks are kept for {settings.ledger.keep_days} days")
        raise typer.Exit(ExitCode.FAILED)
    show_alert(accounts, as_json=as_json)


async def _report(settings: Settings, night: int | None, topics: Collection[str] | None) -> LedgerReport:
    async with connected(settings.store, "ledger") as connection:
        committed = await _committed(settings, connection)
        return await AccountReader(connection).report(
            night=night, topics=topics, committed=committed, committed_by=settings.source.group
        )


async def _accounts(settings: Settings, candid: int) -> list[AlertAccount]:
    async with connected(settings.store, "ledger") as connection:
        return await AccountReader(connection).find_alert(candid)


async def _committed(settings: Settings, connection: Connection) -> Mapping[tuple[str, int], int] | None:
    """Return what the group has committed; without its brokers, coverage can be told up to the last block only."""
    await connection.ping()
    if await connection["verdict_blocks"].find_one({"group": settings.source.group}, {"_id": 1}) is None:
        return None  # nothing of this group came through Kafka: no reason to ask there
    try:
        return await committed_offsets(kafka_settings(settings, instance="ledger"))
    except AmpeldError as error:
        warn(f"the committed offsets are not known, so only what lies between blocks is checked: {error}")
        return None
