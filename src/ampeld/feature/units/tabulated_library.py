"""The library's statistics of each band's fluxes, within limits, and the means of values over bands."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from ampeld.feature.reasons import OUT_OF_LIMITS, TOO_FEW_POINTS
from ampeld.feature.statistics import Extractor
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined
from ampeld.names import did_you_mean

FEWEST: Final = 4
"""Rows of a band that has statistics."""
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "linear_fit_slope": (-100.0, 100.0),
    "linear_fit_slope_sigma": (-100.0, 10.0),
    "standard_deviation": (-99.0, 1000.0),
    "maximum_slope": (-99.0, 10_000.0),
    "excess_variance": (-99.0, 100.0),
    "kurtosis": (-99.0, 100.0),
    "eta_e": (-99.0, 1e6),
}
"""By value: between which it is kept, in flux and days."""

Limits = Mapping[str, tuple[float, float]]
Wanted = Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]] | None]


def build_features(wanted: Wanted) -> Extractor:
    """Return the statistics by the library's names and arguments.

    Raises
    ------
    ValueError
        If there is no such statistic, or it takes no such argument.
    """
    try:
        return Extractor(wanted)
    except ValueError as error:
        raise ValueError(f"lightcurve_features_flux: {error}") from error


def check_limits(limits: Limits, known: Collection[str]) -> None:
    """See that every limit is that of a value.

    Raises
    ------
    ValueError
        If one names no value: it would limit nothing.
    """
    for name in limits:
        if name not in known and name not in LIMITS:
            near = did_you_mean(name, sorted({*known, *LIMITS}))
            raise ValueError(f"feature_limits: no value is called {name!r}{near}")


def library_values(table: FluxTable, features: Extractor, limits: Limits) -> Iterator[tuple[str, Any]]:
    """Yield the statistics of every band that has rows enough."""
    for band, rows in table.by_band():
        if len(rows) < FEWEST:
            few = Undefined(TOO_FEW_POINTS, f"{len(rows)} of {FEWEST}")
            yield from ((f"{name}_{band}_flux", few) for name in features.names)
            continue
        for name, value in features.measure(rows.time, rows.flux, rows.fluxerr).items():
            yield f"{name}_{band}_flux", value if isinstance(value, Undefined) else within(name, value, limits)


def within(name: str, value: float, limits: Limits) -> float | Undefined:
    """Return a value, or why it is not kept."""
    low, high = limits.get(name, (-math.inf, math.inf))
    return value if low < value < high else Undefined(OUT_OF_LIMITS, f"{value:.6g}")


def averages(values: Mapping[str, Any], bands: Collection[str]) -> dict[str, float]:
    """Return by name without its band: the mean over the bands that have it."""
    found: dict[str, list[float]] = {}
    for key, value in values.items():
        for band in bands:
            if f"_{band}_" in key and isinstance(value, int | float):
                found.setdefault(key.replace(f"_{band}_", "_"), []).append(value)
    return {key: math.fsum(each) / len(each) for key, each in found.items()}
