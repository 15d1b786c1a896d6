"""`ampeld channel list`: the channels of the directory, those with mistakes too."""

from typing import Any

import msgspec

from ampeld.channel.channel import Channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, warn
from ampeld.daemon.channels import load_each
from ampeld.daemon.files import ChannelFiles, read_each


class ListedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in the list; ``problems`` is empty for one that can run."""

    channel: str
    survey: str
    filter: str
    contact: str
    access: list[str]
    on_known: str
    version: str
    problems: list[str]


def list_(*, config: ConfigOption = None, sets: SetOption = None, as_json: JsonOption = False) -> None:
    """List the channels of `channels.directory`.

    A daemon runs those of its own survey (`source.survey`); one with a mistake is listed as such, and
    `ampeld channel check` tells what is wrong.

    Try:

      ampeld channel list --json

    Exit codes: 0 listed, 78 the directory cannot be read.
    """
    settings = settings_for(config, sets)
    files, unread = read_each(settings.channels.directory)
    channels, refused = load_each(files)
    made = {channel.name: channel for channel in channels}
    rows = [_row(one, made.get(one.name), refused.get(one.name, [])) for one in files]
    rows += [_unread(name, problems) for name, problems in unread.items()]
    rows.sort(key=lambda row: row.channel)
    if as_json:
        print_json(rows)
        return
    columns = ("channel", "survey", "filter", "contact", "on known", "version")
    table = [
        (row.channel, row.survey, row.filter, row.contact, row.on_known, row.version if not row.problems else "refused")
        for row in rows
    ]
    console().print(make_table("Channels", columns, table))
    if broken := [row.channel for row in rows if row.problems]:
        warn(f"{', '.join(broken)}: with mistakes; see `ampeld channel check`")
    if not rows:
        warn(f"{settings.channels.directory} has no channel; `ampeld channel new NAME` makes one")


def _row(files: ChannelFiles, channel: Channel | None, problems: list[str]) -> ListedChannel:
    table = files.table
    return ListedChannel(
        channel=files.name,
        survey=files.survey,
        filter=_text(table.get("filter")),
        contact=channel.contact if channel else _text(table.get("contact")),
        access=sorted(channel.access) if channel else [],
        on_known=channel.on_known if channel else _text(table.get("on_known", "off")),
        version=files.version,
        problems=problems,
    )


def _unread(name: str, problems: list[str]) -> ListedChannel:
    return ListedChannel(
        channel=name, survey="", filter="", contact="", access=[], on_known="", version="", problems=problems
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
