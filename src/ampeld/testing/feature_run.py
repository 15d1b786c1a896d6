"""Measures one unit on states, with all that it builds upon, as the daemon would."""

import contextlib
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ampeld.catalog.directory import Found
from ampeld.daemon.authors import AuthorCodeError, ModuleLoader
from ampeld.daemon.feature_resources import LocalResources
from ampeld.daemon.features import MadeUnit, UnitFinder, make_recipe
from ampeld.daemon.files import ChannelFiles, read_module
from ampeld.daemon.measuring.opening import open_units
from ampeld.errors import ConfigError
from ampeld.feature.body import UNDEFINED, settle
from ampeld.feature.links import Link, detections, linked, select
from ampeld.feature.reasons import NO_DETECTION
from ampeld.feature.registry import DependencyError, Registry
from ampeld.feature.unit import Undefined, Unit
from ampeld.feature.views import ObjectView
from ampeld.feature.work import COL_OBJECT, COL_POINT, COLS, Case, Job, Measurement, measure_case
from ampeld.flow.codes import FAILED_DEPENDENCY, OK
from ampeld.flow.trace import Trace
from ampeld.flow.wanted import Recipe, Selection, closure
from ampeld.params import ParameterError
from ampeld.testing.feature_states import ObjectState

_GOES_ON: Final = (OK, FAILED_DEPENDENCY)
"""Codes of measurements that are not what made another one fail."""
Bodies = Mapping[str, Mapping[str, Any]]
"""By name of a unit: a body that is given instead of measured."""


class UnitRun:
    """One unit, ready to measure.

    Parameters
    ----------
    name
        As in a channel file, ``decay.py:Decay`` with the path of the module as one would type it.
    params
        The parameters that are not left to their defaults.
    directory
        Where a module lies that is not found from here: the channels' directory.
    found
        The catalogues at hand.
    given
        Names of units whose bodies will be handed in: what they need is not asked for.

    Raises
    ------
    ConfigError
        With everything that is wrong with the unit, its parameters, or what it needs.
    """

    def __init__(
        self, name: str, params: Mapping[str, Any], directory: Path, found: Found, given: Collection[str] = ()
    ) -> None:
        files, name = unit_files(name, directory)
        registry = Registry(UnitFinder(ModuleLoader(), files))
        with finding(name):
            self.recipe = make_recipe(registry, name, dict(params))
        below = {recipe.unit for recipe in closure([self.recipe])} - {self.recipe.unit}
        if unknown := sorted(set(given) - below):
            there = ", ".join(sorted(below)) or "none"
            raise ConfigError([f"{name} builds upon no {one} with these parameters (upon: {there})" for one in unknown])
        self._given = frozenset(given)
        made = {one.key: MadeUnit(one, registry.units[one.key], files) for one in self._to_measure(self.recipe)}
        lacking = [
            f"{one.recipe.unit}: {problem}"
            for one in made.values()
            for problem in LocalResources(found, Path(files.path).parent, files.modules).problems(one.unit.needs())
        ]
        if lacking:
            raise ConfigError(lacking)
        opening = open_units(made, found)
        if opening.failed:
            raise ConfigError([f"{unit}: cannot be opened: {why}" for (unit, _), why in opening.failed.items()])
        self._units: Mapping[tuple[str, int], Unit] = opening.units
        self._traces = opening.traces

    @property
    def unit(self) -> Unit:
        """Return the unit itself."""
        return self._units[self.recipe.key]

    @property
    def trace(self) -> Trace:
        """Return what its values come from beside the data."""
        return self._traces[self.recipe.key]

    def measure(self, state: ObjectState, given: Bodies, points: Selection = "first") -> Measurement:
        """Return what the unit makes of a state.

        Parameters
        ----------
        state
            The object's newest.
        given
            Bodies of units that it builds upon: these are not measured.
        points
            For a unit of points: which detection, the first or the last one.
        """
        detected = detections(state.survey, [(number, jd, body) for number, jd, _, body in state.points])
        at = _place(self.recipe, state, select(detected, points))
        if at is None:
            return Measurement(OK, settle(Undefined(NO_DETECTION)), None, 0.0)
        jobs = _Jobs(state.stock, detected, given, self._given)
        own = jobs.add(self.recipe, at)
        case = Case(state.survey, state.stock, state.points, jobs.jobs, _view(state))
        with contextlib.redirect_stdout(sys.stderr):  # what a unit prints is not our answer
            done = dict(measure_case(case, self._units, time.perf_counter))
        if done[own].code != FAILED_DEPENDENCY:
            return done[own]
        below = [f"{jobs.jobs[i].unit}: {one.error}" for i, one in done.items() if one.code not in _GOES_ON]
        return msgspec.structs.replace(done[own], error="\n".join([done[own].error or "", *below]))

    def _to_measure(self, recipe: Recipe) -> Iterator[Recipe]:
        yield recipe
        for below, _ in recipe.depends:
            if below.unit not in self._given:
                yield from self._to_measure(below)


class _Jobs:
    """What has to be measured for one unit, each job behind those whose bodies it takes."""

    def __init__(self, stock: int, detected: Sequence[int], given: Bodies, handed: Collection[str]) -> None:
        self.jobs: list[Job] = []
        self._stock = stock
        self._detected = detected
        self._given = given
        self._handed = handed
        self._places: dict[tuple[str, int, Link], int] = {}

    def add(self, recipe: Recipe, at: Link) -> int:
        """Return the position of the job that measures a unit on this."""
        key = (*recipe.key, at)
        if key not in self._places:
            known = self._given.get(recipe.unit)
            inputs = () if known is not None else tuple(self._input(below, at, link) for below, link in recipe.depends)
            self._places[key] = len(self.jobs)
            self.jobs.append(Job(*recipe.key, *at, inputs, known))
        return self._places[key]

    def _input(self, recipe: Recipe, at: Link, link: Any) -> int:
        below = linked(at, recipe.kind, link, self._stock, self._detected)
        lacking = below is None or (recipe.unit in self._handed and recipe.unit not in self._given)
        return -1 if below is None or lacking else self.add(recipe, below)


def unit_files(name: str, directory: Path) -> tuple[ChannelFiles, str]:
    """Return the texts that a unit's name means, and the name as a channel file beside them would have it.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    place, colon, cls = name.rpartition(":")
    if not colon or not place.endswith(".py"):
        return ChannelFiles("", str(Path.cwd() / "-.toml"), ""), name
    path = Path(place) if Path(place).is_file() else directory / place
    return read_module(path.absolute()), f"{path.name}:{cls}"


def undescribed(unit: Unit, body: Mapping[str, Any]) -> list[str]:
    """Return the keys of a body that the unit's ``values`` do not describe; ``{band}`` stands for what varies."""
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(value.key.partition(".")[0])) for value in unit.values]
    return [key for key in body if key != UNDEFINED and not any(re.fullmatch(one, key) for one in patterns)]


@contextlib.contextmanager
def finding(name: str) -> Iterator[None]:
    """Raise what is wrong with a unit as a mistake of the configuration."""
    try:
        yield
    except ParameterError as error:
        raise ConfigError([f"{name}: {problem}" for problem in error.problems]) from error
    except AuthorCodeError as error:
        raise ConfigError([f"{error.source}: {error}" if error.source else str(error)]) from error
    except DependencyError as error:
        raise ConfigError([f"{name}: {error}"]) from error


def _place(recipe: Recipe, state: ObjectState, chosen: Sequence[int]) -> Link | None:
    match COLS[recipe.kind]:
        case "t0":
            return (COL_POINT, chosen[0]) if chosen else None
        case "stock":
            return COL_OBJECT, state.stock
        case col:
            return col, 0


def _view(state: ObjectState) -> ObjectView:
    return ObjectView(state.survey, state.stock, (state.name,), (state.survey.upper(),), (), {}, {})
