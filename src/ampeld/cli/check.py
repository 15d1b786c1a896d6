"""`ampeld check`: every mistake of the configuration and the channels at once, and the servers if asked."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from ampeld.alert.decode import WITHOUT_KERNEL
from ampeld.catalog.directory import open_catalogs
from ampeld.channel.channel import Channel
from ampeld.channel.matches import Catalogs
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, everything
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.isolation.loading import learn
from ampeld.daemon.logging import configure_logging
from ampeld.daemon.reload_gates import channel_findings
from ampeld.daemon.schemas import make_registry, registry_trouble
from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.errors import AccessDeniedError, AmpeldError, ConfigError
from ampeld.source.offsets import Reach, describe
from ampeld.store.check import Finding, check_server

_KAFKA = "kafka"


def check(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="Ask the servers too: versions, topics, write concern, indexes, clock.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration and every channel without starting; name every mistake with its file, line and key.

    Try:

      ampeld check

      ampeld check -c /etc/ampeld/ampeld.toml --connect

    Exit codes: 0 all is well, 69 a server is not as it should be, 77 a server does not let us in, 78 configuration.
    """
    settings, channels, problems = everything(config, sets)
    findings: list[Finding] = []
    code = ExitCode.CONFIG if problems else ExitCode.OK
    if connect and not problems:
        configure_logging(settings.log.format, "error", settings.secrets())
        findings, code = run_async(_ask_servers(settings, channels))
    warnings = _warnings(channels, open_catalogs(settings.catalogs.directory).catalogs)
    if as_json:
        print_json(_document(channels, problems, findings) | {"warnings": warnings})
    else:
        _print(channels, problems, findings, settings.source.survey)
        for warning in warnings:
            warn(warning)
    raise typer.Exit(code)


def _warnings(channels: list[Channel], catalogs: Catalogs) -> list[str]:
    """Return what is suspicious: channels that can be loaded and fail, a kernel that was not built."""
    failures = [(channel, learn(channel, catalogs)) for channel in channels]
    found = [f"{channel.path}: cuts() fails on an empty batch: {error}" for channel, error in failures if error]
    return [*found, WITHOUT_KERNEL] if WITHOUT_KERNEL else found


async def _ask_servers(settings: Settings, channels: list[Channel]) -> tuple[list[Finding], ExitCode]:
    store = settings.store
    async with asyncio.TaskGroup() as tasks:
        kafka = tasks.create_task(_ask_kafka(settings), name="kafka")
        mongodb = tasks.create_task(check_server(store.uri.reveal(), store.database, store.timeout_s), name="mongodb")
    findings, code = kafka.result()
    if code is ExitCode.OK:
        code = _code_of(mongodb.result())
    findings += [msgspec.structs.replace(found, what=f"mongodb {found.what}") for found in mongodb.result()]
    if not any(found.level == "error" for found in mongodb.result()):
        findings += await channel_findings(settings, [c for c in channels if c.survey == settings.source.survey])
    registry = make_registry(settings)
    if settings.source.survey == "lsst" and registry is not None:
        trouble = await registry_trouble(registry)
        if trouble is None:
            findings.append(Finding("schema registry", "ok", f"{settings.source.schema_registry} answers"))
        else:
            findings.append(Finding("schema registry", "error", trouble))
            code = code if code is not ExitCode.OK else ExitCode.UNAVAILABLE
    return findings, code


def _code_of(findings: Sequence[Finding]) -> ExitCode:
    errors = [found for found in findings if found.level == "error"]
    if any(found.refused for found in errors):
        return ExitCode.PERMISSION
    return ExitCode.UNAVAILABLE if errors else ExitCode.OK


async def _ask_kafka(settings: Settings) -> tuple[list[Finding], ExitCode]:
    try:
        reach = await describe(kafka_settings(settings, instance="check"))
    except ConfigError as error:
        return [Finding(_KAFKA, "error", problem) for problem in error.problems], ExitCode.CONFIG
    except AccessDeniedError as error:
        return [Finding(_KAFKA, "error", str(error))], ExitCode.PERMISSION
    except AmpeldError as error:
        return [Finding(_KAFKA, "error", str(error))], ExitCode.UNAVAILABLE
    return _kafka_findings(reach, settings), ExitCode.OK


def _kafka_findings(reach: Reach, settings: Settings) -> list[Finding]:
    group = f"group {settings.source.group}: {reach.group_state}, {reach.members} members"
    versions = ", ".join(f"{name} {version}" for name, version in reach.versions.items())
    topics = ", ".join(f"{topic} ({partitions})" for topic, partitions in reach.topics.items())
    findings = [
        Finding("kafka brokers", "ok", f"{', '.join(reach.brokers)}; requests up to {versions}"),
        Finding("kafka topics", "ok", topics)
        if topics
        else Finding("kafka topics", "warning", f"none is there yet that {', '.join(settings.source.topics)} means"),
        Finding("kafka group", "ok", group),
    ]
    if reach.missing:
        findings.append(Finding("kafka topics", "warning", f"not there yet: {', '.join(reach.missing)}"))
    return findings


def _document(channels: list[Channel], problems: list[str], findings: list[Finding]) -> dict[str, Any]:
    return {
        "ok": not problems and all(found.level != "error" for found in findings),
        "problems": problems,
        "channels": [
            {
                "name": channel.name,
                "version": channel.version,
                "contact": channel.contact,
                "survey": channel.survey,
                "access": sorted(channel.access),
                "on_known": channel.on_known,
            }
            for channel in channels
        ],
        "servers": findings,
    }


def _print(channels: list[Channel], problems: list[str], findings: list[Finding], survey: str) -> None:
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        typer.echo(f"ampeld: {len(problems)} problem{'s' if len(problems) > 1 else ''}; nothing would start", err=True)
        return
    out = console()
    rows = [(c.name, c.survey, ", ".join(sorted(c.access)), c.on_known, c.contact, c.version) for c in channels]
    out.print(make_table("Channels", ("channel", "survey", "access", "on known", "contact", "version"), rows))
    if away := [channel.name for channel in channels if channel.survey != survey]:
        out.print(f"This daemon reads {survey.upper()}'s alerts and leaves out: {', '.join(away)}.")
    if findings:
        out.print()
        out.print(make_table("Servers", ("what", "", ""), [(f.what, f.level, f.message) for f in findings]))
    elif not problems:
        out.print("\nThe configuration is in order.")
