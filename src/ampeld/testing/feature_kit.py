"""The author's kit for pytest: run a unit on objects, and say what it must measure."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ampeld.catalog.directory import open_catalogs
from ampeld.daemon.settings import load_settings
from ampeld.flow.codes import OK
from ampeld.testing.feature_run import UnitRun, undescribed
from ampeld.testing.feature_states import ObjectState, StateReader
from ampeld.testing.run import run_here
from ampeld.testing.words import Word, open_sources


class Measured(msgspec.Struct, frozen=True):
    """What a unit made of the newest state of one object."""

    state: ObjectState
    code: int
    body: dict[str, Any] | None
    error: str | None
    """The traceback, where the unit failed."""


class UnitResults(Mapping[str, Measured]):
    """By name of the object: what a unit made of it.

    Parameters
    ----------
    measuring
        The unit.
    results
        In order of the objects' names.
    """

    def __init__(self, measuring: UnitRun, results: Mapping[str, Measured]) -> None:
        self.recipe = measuring.recipe
        self._unit = measuring.unit
        self._results = results

    def __getitem__(self, name: str) -> Measured:
        return self._results[name]

    def __iter__(self) -> Any:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def bodies(self) -> dict[str, dict[str, Any]]:
        """Return by name of the object the bodies of those that could be measured."""
        return {name: one.body for name, one in self.items() if one.body is not None}

    def assert_no_errors(self) -> None:
        """Assert that the unit raised nothing and returned no nonsense."""
        failed = [(name, one.error) for name, one in self.items() if one.code != OK]
        if failed:
            name, error = failed[0]
            raise AssertionError(f"{self.recipe.unit} fails on {len(failed)} of {len(self)}, first {name}:\n{error}")

    def assert_described(self) -> None:
        """Assert that the unit's ``values`` say of every key what it is."""
        if odd := sorted({key for body in self.bodies().values() for key in undescribed(self._unit, body)}):
            raise AssertionError(f"{self.recipe.unit}.values does not say what these are: {', '.join(odd)}")


def run_unit(
    unit: str,
    source: Word,
    params: Mapping[str, Any] | None = None,
    *,
    history: bool = False,
    config: Path | None = None,
) -> UnitResults:
    """Measure the newest state of every object of a source with one unit, and with all that it builds upon.

    Parameters
    ----------
    unit
        A built-in one, or ``decay.py:Decay`` with the path of the module, or its name in ``channels.directory``.
    source
        An .avro file, a directory, a tar archive, ``"sim:SEED[:ALERTS]"`` or ``"kafka:TOPIC[@START[..END]]"``.
    params
        The parameters that are not left to their defaults.
    history
        Whether the object's earlier alerts of the source are joined to its newest one.
    config
        The configuration; by default ``./ampeld.toml``, else ``/etc/ampeld/ampeld.toml``, else the defaults.

    Raises
    ------
    ConfigError
        If there is no such unit, a parameter is wrong, or the source cannot be.

    Examples
    --------
    >>> results = run_unit("RiseDecline", "sim:1:100")
    >>> results.assert_no_errors()
    """
    settings = load_settings(config, (), os.environ)
    found = open_catalogs(settings.catalogs.directory)
    measuring = UnitRun(unit, params or {}, settings.channels.directory, found)
    states = run_here(StateReader(settings, history=history).read(open_sources([source], settings))).states
    results = {}
    for state in states:
        done = measuring.measure(state, {})
        results[state.name] = Measured(state, done.code, done.body, done.error)
    return UnitResults(measuring, results)
