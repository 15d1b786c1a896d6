"""Give the channels' units what they need, once, where they will measure; note what their values will come from."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ampeld.catalog.directory import Found
from ampeld.channel.channel import Channel
from ampeld.daemon.feature_resources import LocalResources, ResourceError
from ampeld.daemon.features import MadeUnit
from ampeld.daemon.features_trace import trace_of
from ampeld.daemon.measuring.offline import keep_offline
from ampeld.feature.unit import Measured, ObjectUnit, PointUnit, StateUnit, Unit
from ampeld.feature.work import MOST_TRACEBACK
from ampeld.flow.trace import Trace
from ampeld.flow.wanted import closure

Key = tuple[str, int]
"""Of a unit: its name and configuration."""


class UnopenedError(Exception):
    """What a unit's ``open`` raised."""


class Opening(msgspec.Struct, frozen=True, eq=False):
    """Units that are ready to measure."""

    units: Mapping[Key, Unit]
    """One that could not be opened has a stand-in here, whose measurements fail with the reason."""
    traces: Mapping[Key, Trace]
    failed: Mapping[Key, str]
    """Why the others could not be opened: a line that names parameter or file, or a traceback."""


def open_units(made: Mapping[Key, MadeUnit], found: Found) -> Opening:
    """Open every unit, whatever its author's code does.

    Parameters
    ----------
    made
        The units.
    found
        The catalogues at hand.
    """
    units: dict[Key, Unit] = {}
    traces: dict[Key, Trace] = {}
    failed: dict[Key, str] = {}
    for key, one in made.items():
        resources = LocalResources(found, Path(one.files.path).parent, one.files.modules)
        units[key] = one.unit
        try:
            one.unit.open(resources)
        except (Exception, SystemExit) as error:  # noqa: BLE001  science code: its open() is the author's
            failed[key] = _complaint(one, error) or f"\n{traceback.format_exc()[-MOST_TRACEBACK:]}"
            units[key] = _STAND_INS[one.recipe.kind](failed[key])
        traces[key] = trace_of(one, resources.digests)
    keep_offline()
    return Opening(units, traces, failed)


def refusals(failed: Mapping[Key, str], channels: Sequence[Channel]) -> dict[str, list[str]]:
    """Return, for each channel that wants what could not be opened, or what builds upon it, why it is refused.

    Parameters
    ----------
    failed
        Why units could not be opened.
    channels
        Who wants them.
    """
    problems = {}
    for channel in channels:
        bad = [recipe.key for recipe in closure(one.recipe for one in channel.features) if recipe.key in failed]
        if bad:
            lines = [f"{channel.path}: the unit {key[0]} cannot be opened: {failed[key]}" for key in bad]
            problems[channel.name] = lines
    return problems


def _complaint(one: MadeUnit, error: BaseException) -> str | None:
    """Return what a unit or its files say of themselves, in one line; None for a mistake in its code."""
    text = " ".join(str(error).split())
    if isinstance(error, ResourceError | OSError):
        return text
    name, colon, _ = text.partition(":")
    if not (isinstance(error, ValueError) and colon and name in one.recipe.params):
        return None
    value = one.recipe.params[name]
    return f"{text} ({name} is {value!r})" if isinstance(value, str) and value not in text else text


class _UnopenedState(StateUnit):
    def __init__(self, error: str) -> None:
        self._error = error

    def measure(self, *_: Any) -> Measured:
        raise UnopenedError(f"the unit could not be opened: {self._error}")


class _UnopenedPoint(PointUnit):
    def __init__(self, error: str) -> None:
        self._error = error

    def measure(self, *_: Any) -> Measured:
        raise UnopenedError(f"the unit could not be opened: {self._error}")


class _UnopenedObject(ObjectUnit):
    def __init__(self, error: str) -> None:
        self._error = error

    def measure(self, *_: Any) -> Measured:
        raise UnopenedError(f"the unit could not be opened: {self._error}")


_STAND_INS: Final = {"state": _UnopenedState, "point": _UnopenedPoint, "object": _UnopenedObject}
