"""What a channel is, for people: its parameters with their values, units and comments, its cuts as expressions."""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Mapping
from typing import Any

import msgspec

from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.explain import expressions
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.settings import Settings
from ampeld.flow.wanted import Eligible
from ampeld.params import REQUIRED, parameters
from ampeld.testing.judging import Reader

UNIT = re.compile(r"(?<!\w)\[([^\[\]]+)\]")
"""A physical unit in a comment: what stands in brackets."""


class ParameterText(msgspec.Struct, frozen=True):
    """A parameter of a filter."""

    name: str
    value: Any
    default: Any
    """None where it has none: the channel file must set it."""
    type: str
    unit: str | None
    """What stands in brackets in its comment."""
    doc: str
    is_set: bool = msgspec.field(name="set")
    """Whether the channel file sets it."""


class FeatureText(msgspec.Struct, frozen=True):
    """What a channel wants measured."""

    unit: str
    params: Mapping[str, Any]
    config: int
    group: int | None
    eligible: Eligible
    slow: bool


class ChannelText(msgspec.Struct, frozen=True, kw_only=True):
    """A channel."""

    channel: str
    version: str
    survey: str
    contact: str
    access: list[str]
    on_known: str
    filter: str
    doc: str
    parameters: list[ParameterText]
    cuts: dict[str, str]
    """By name: the condition, as near as can be told."""
    accept: bool
    """Whether the filter has code for the survivors."""
    catalogs: dict[str, list[str]]
    features: list[FeatureText]
    gate: dict[str, float]
    path: str
    source: str
    """The file that the filter comes from."""


def describe_channel(channel: Channel, files: ChannelFiles, settings: Settings) -> ChannelText:
    """Return what a channel is.

    Parameters
    ----------
    channel
        The channel.
    files
        What it was made of.
    settings
        The configuration, for its survey and its catalogues.
    """
    kind = type(channel.filter)
    read = Reader(settings, [channel]).read([])
    gate = {"max_pass_fraction": channel.limits.max_pass_fraction, "max_us_per_alert": channel.limits.max_us_per_alert}
    return ChannelText(
        channel=channel.name,
        version=channel.version,
        survey=channel.survey,
        contact=channel.contact,
        access=sorted(channel.access),
        on_known=channel.on_known,
        filter=str(files.table.get("filter", "")),
        doc=inspect.cleandoc(kind.__doc__ or ""),
        parameters=describe_parameters(channel, files),
        cuts=expressions(channel.filter, Columns(read.table, read.catalogs)),
        accept=hasattr(channel.filter, "accept"),
        catalogs={name: sorted(columns) for name, columns in channel.filter.catalogs().items()},
        features=[
            FeatureText(one.recipe.unit, one.recipe.params, one.recipe.config, one.group, one.eligible, one.recipe.slow)
            for one in channel.features
        ],
        gate={name: limit for name, limit in gate.items() if limit is not None},
        path=files.path,
        source=_file_of(kind),
    )


def describe_parameters(channel: Channel, files: ChannelFiles) -> list[ParameterText]:
    """Return the parameters of a channel's filter, in the order of their declaration."""
    kind = type(channel.filter)
    given = files.table.get("params", {})
    comments = comments_of(kind)
    found = []
    for name, parameter in parameters(kind).items():
        doc = comments.get(name, "")
        unit = UNIT.search(doc)
        found.append(
            ParameterText(
                name=name,
                value=getattr(channel.filter, name),
                default=None if parameter.default is REQUIRED else parameter.default,
                type=type_name(parameter.type),
                unit=unit[1] if unit else None,
                doc=doc,
                is_set=name in given,
            )
        )
    return found


def comments_of(kind: type) -> dict[str, str]:
    """Return the comment behind each annotated attribute of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        try:
            source = inspect.cleandoc("\n" + inspect.getsource(base))
            body = ast.parse(source).body[0]
        except (OSError, TypeError, SyntaxError, IndexError):
            continue
        if not isinstance(body, ast.ClassDef):
            continue
        by_line = _comment_lines(source)
        for node in body.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = by_line.get(node.end_lineno or node.lineno, "")
    return found


def _comment_lines(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def type_name(annotation: Any) -> str:
    """Return a parameter's type as its author wrote it, as near as can be told."""
    if isinstance(annotation, type):
        return annotation.__name__
    return re.sub(r"\bampeld(\.\w+)*\.(?=[A-Z])", "", str(annotation).replace("typing.", ""))


def _file_of(kind: type) -> str:
    try:
        return inspect.getfile(kind)
    except (OSError, TypeError):
        return ""
