"""The statistics of a band's points, under the names of the `light-curve` package, and several of them at once."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from ampeld.feature import (
    statistics_errors,
    statistics_moments,
    statistics_order,
    statistics_periodogram,
    statistics_time,
)
from ampeld.feature.light_curve import Floats
from ampeld.feature.statistics_base import Result, Sample, Statistic
from ampeld.feature.unit import Value
from ampeld.names import did_you_mean

FEATURES: Final[Mapping[str, type[Statistic]]] = {
    name: found
    for module in (
        statistics_moments,
        statistics_order,
        statistics_errors,
        statistics_time,
        statistics_periodogram,
    )
    for name, found in vars(module).items()
    if inspect.isclass(found) and issubclass(found, Statistic) and found is not Statistic
}
"""By the name of light-curve's class: ours. Its fields are the arguments of theirs."""

Arguments = Mapping[str, Any]
Asked = Mapping[str, Arguments | Sequence[Arguments] | None]
"""By name of the class: its arguments; None for none, several for the same with other arguments."""


class Extractor:
    """Several statistics of the same points.

    Parameters
    ----------
    asked
        Which, and with which arguments.

    Raises
    ------
    ValueError
        If a name or an argument is unknown or wrong, or two have the same name.
    """

    def __init__(self, asked: Asked) -> None:
        self.statistics: list[Statistic] = [
            _build(name, arguments) for name, given in asked.items() for arguments in _each(given)
        ]
        named = [(statistic, statistic.names) for statistic in self.statistics]
        self.names: list[str] = [name for _, names in named for name in names]
        """What the values are called, in the order in which they were asked for."""
        if len(set(self.names)) < len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(f"asked for twice: {', '.join(twice)}")
        self._named = named

    def measure(self, t: Floats, m: Floats, sigma: Floats) -> dict[str, Result]:
        """Return each value by its name, or why there is none: each has its own minimum of points.

        Parameters
        ----------
        t : shape (n,), n >= 0
            Times [d], ascending.
        m : shape (n,)
            Magnitudes or fluxes, finite.
        sigma : shape (n,)
            Their errors, in the same unit.
        """
        values: dict[str, Result] = {}
        with np.errstate(all="ignore"):
            sample = Sample(t, m, sigma)
            for statistic, names in self._named:
                values.update(zip(names, statistic.of(sample), strict=True))
        return values


def described(unit: str, suffix: str) -> Iterator[Value]:
    """Yield what every value of every statistic is.

    Parameters
    ----------
    unit
        Of what is measured: ``mag``.
    suffix
        Behind every name: ``_{band}``.
    """
    for name, statistic in FEATURES.items():
        for one in statistic.described:
            yield Value(one.key + suffix, one.unit.replace("{m}", unit), f"{one.description} ({name})")


def _each(given: Arguments | Sequence[Arguments] | None) -> Sequence[Arguments]:
    if given is None:
        return ({},)
    return (given,) if isinstance(given, Mapping) else given


def _build(name: str, arguments: Arguments) -> Statistic:
    found = FEATURES.get(name)
    if found is None:
        raise ValueError(f"there is no {name!r}{did_you_mean(name, FEATURES)}; there are {', '.join(sorted(FEATURES))}")
    unknown = [one for one in arguments if one not in found.__struct_fields__]
    if unknown:
        known = ", ".join(found.__struct_fields__) or "none"
        near = did_you_mean(unknown[0], found.__struct_fields__)
        raise ValueError(f"{name} has no argument {unknown[0]!r}{near}; it has {known}")
    try:
        return msgspec.convert(dict(arguments), found)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
