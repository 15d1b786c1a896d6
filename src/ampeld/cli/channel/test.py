"""`ampeld channel test`: a channel on real or simulated alerts, what it takes and why it drops the rest."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from ampeld.channel.channel import Channel
from ampeld.cli.bench import bench_document, show_bench
from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import print_json, run_async, warn
from ampeld.cli.progress import reading
from ampeld.daemon.channels import load_channel
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.files import ChannelFiles, read_channel
from ampeld.daemon.reload_gates import stored_files
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.store.versions import ChannelVersions
from ampeld.testing.bench import BenchRun
from ampeld.testing.curves import Curves
from ampeld.testing.judging import Judged, Read
from ampeld.testing.kit import for_survey
from ampeld.testing.result import Bench
from ampeld.testing.words import HELP, open_sources

_VERSION: Final = re.compile(r"[0-9a-f]{16}")
_ENDINGS: Final = (".html", ".png")


def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help=HELP)],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    diff: Annotated[
        str | None,
        typer.Option(metavar="OTHER|VERSION", help="Compare with another channel, a channel file, or a kept version."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write funnel and light curves as one page: .html or .png."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Read at most so many alerts.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a channel on alerts and show what it accepts, what each cut rejects, and what it costs.

    *Rejected here*: alerts that passed all cuts before; *would reject alone*: if it were the only cut.
    Nothing is stored. Each alert is judged alone: `on_known` does not count here.

    Try:

      ampeld channel test rapid sim:1:500 --plot rapid.html

      ampeld channel test rapid ztf_public_20250801.tar.gz --diff decent

      ampeld channel test rapid kafka:ztf_20250801_programid1@2025-08-01T04:00..2025-08-01T06:00 --json

    Exit codes: 0 done, 1 the filter failed on some alerts, 65 a file is damaged, 69 a server does not answer,
    78 configuration.
    """
    if plot is not None and plot.suffix not in _ENDINGS:
        raise typer.BadParameter(f"--plot {plot}: expected a name that ends in .html or .png")
    settings = settings_for(config, sets)
    channel = load_channel(find_channel(settings, name))
    settings = for_survey(settings, channel.survey)
    other = None if diff is None else _other(settings, channel, diff)
    curves = Curves()
    found = _run(channel, other, sources, settings, limit=limit, curves=curves)
    if plot is not None:
        _plot(plot, found, curves, ", ".join(sources))
    if as_json:
        print_json(bench_document(found))
    else:
        show_bench(found)
    if found.damage is not None:
        raise typer.Exit(ExitCode.DATA)
    raise typer.Exit(ExitCode.FAILED if found.result.errored else ExitCode.OK)


def _run(
    channel: Channel,
    other: Channel | None,
    words: Sequence[str],
    settings: Settings,
    *,
    limit: int | None,
    curves: Curves,
) -> Bench:
    sources = open_sources(words, settings)
    with reading(channel.name, sources) as told:
        alerts = 0

        def noted(read: Read, judged: Judged) -> None:
            nonlocal alerts
            alerts += len(read.table)
            curves.note(read, judged)
            told(alerts)

        return run_async(BenchRun(channel, settings, other=other, on_batch=noted).read(sources, limit=limit))


def _other(settings: Settings, channel: Channel, word: str) -> Channel:
    """Return the channel that a word means: one of the directory, a file, or a version that the store keeps."""
    if word.endswith(".toml"):
        return _same_survey(channel, read_channel(Path(word)))
    path = settings.channels.directory / f"{word}.toml"
    if _VERSION.fullmatch(word) and not path.is_file():
        return _same_survey(channel, run_async(_stored(settings, channel.name, word)))
    return _same_survey(channel, find_channel(settings, word))


def _same_survey(channel: Channel, files: ChannelFiles) -> Channel:
    other = load_channel(files)
    if other.survey != channel.survey:
        raise ConfigError(
            [f"{other.path}: judges alerts of {other.survey}, and {channel.name} those of {channel.survey}"]
        )
    return other


async def _stored(settings: Settings, name: str, version: str) -> ChannelFiles:
    async with connected(settings.store, "test") as connection:
        await connection.ping()
        versions = ChannelVersions(connection)
        found = await stored_files(versions, name, version)
        if found is not None:
            return found
        known = ", ".join(one for one, _ in await versions.named(name)) or "none"
    raise ConfigError([f"--diff {version}: the store keeps no such version of {name} (there: {known})"])


def _plot(path: Path, bench: Bench, curves: Curves, source: str) -> None:
    try:
        from ampeld.testing.page import write_page  # noqa: PLC0415  matplotlib takes a second that others need not wait
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ConfigError(["--plot needs matplotlib: pip install 'ampeld[demo]'"]) from error
    write_page(path, bench, curves, source=source)
    warn(f"wrote {path}")
