"""The colours of a young transient: at its first, brightest and last detection, and how they change."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from ampeld.feature.light_curve import MAG_OF_FLUX_ERR
from ampeld.feature.line import slope_of
from ampeld.feature.reasons import NO_BAND, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined
from ampeld.feature.units.young_points import Points, sorted_bands

Colour = tuple[float, float]
"""Blue less red [mag], and its error."""


def colours(positive: Mapping[str, Points], moments: Mapping[str, float], within: float) -> dict[str, Any]:
    """Return the colours of neighbouring bands at some moments.

    Parameters
    ----------
    positive
        By band: detections brighter than the reference image.
    moments
        By name: time [JD].
    within
        How far from the moment detections may lie [d]; their weighted mean flux is taken.
    """
    values: dict[str, Any] = {}
    weighed = {band: positive[band].weighed() for band in sorted_bands(positive)}
    bands = list(weighed)
    for name, jd in moments.items():
        means = {band: _mean(points, jd, within) for band, points in weighed.items()}
        for blue, red in pairwise(bands):
            key, key_err = _keys(blue, red, name)
            one, other = means[blue], means[red]
            if one is None or other is None:
                missing = blue if one is None else red
                values[key] = values[key_err] = Undefined(NO_BAND, f"{missing} within {within:g} d")
            else:
                values[key], values[key_err] = _colour(one, other)
    return values


def slopes(positive: Mapping[str, Points], apart: float) -> dict[str, Any]:
    """Return how fast the colours of neighbouring bands change, and of those with the most pairs.

    Parameters
    ----------
    positive
        By band: detections brighter than the reference image.
    apart
        How far apart a pair's two detections may lie [d]; each is of one pair at most.
    """
    values: dict[str, Any] = {}
    few = Undefined(TOO_FEW_POINTS, "0 of 2 pairs")
    most: tuple[int, str, Any, Any] = (0, "", few, few)
    weighed = {band: positive[band].weighed() for band in sorted_bands(positive)}
    bands = list(weighed)
    for blue, red in pairwise(bands):
        times, made = _pairs(weighed[blue], weighed[red], apart)
        fitted = slope_of(times, [value for value, _ in made], [error for _, error in made]) if made else few
        if isinstance(fitted, Undefined):
            slope: Any = Undefined(TOO_FEW_POINTS, f"{len(made)} of 2 pairs")
            error: Any = slope
        else:
            slope, error = fitted
        values[f"colour_slope_{blue}_{red}"], values[f"colour_slope_{blue}_{red}_err"] = slope, error
        if len(made) > most[0]:
            most = len(made), f"{blue}_{red}", slope, error
    _, name, slope, error = most
    return values | {
        "colour_slope": slope,
        "colour_slope_err": error,
        "colour_slope_bands": name or few,
    }


@cache
def _keys(blue: str, red: str, name: str) -> tuple[str, str]:
    key = f"color_{blue}_{red}_{name}"
    return key, f"{key}_err"


def _pairs(blue: Points, red: Points, apart: float) -> tuple[list[float], list[Colour]]:
    times: list[float] = []
    made: list[Colour] = []
    i = j = 0
    while i < len(blue.jd) and j < len(red.jd):
        days = blue.jd[i] - red.jd[j]
        if abs(days) <= apart:
            times.append(blue.jd[i] - days / 2)
            made.append(_colour((blue.flux[i], blue.err[i]), (red.flux[j], red.err[j])))
            i += 1
            j += 1
        elif days < 0:
            i += 1
        else:
            j += 1
    return times, made


def _mean(points: Points, jd: float, within: float) -> Colour | None:
    total = weighted = 0.0
    near = slice(bisect_left(points.jd, jd - within), bisect_right(points.jd, jd + within))
    for flux, err in zip(points.flux[near], points.err[near], strict=True):
        weight = 1.0 / (err * err)
        total += weight
        weighted += weight * flux
    return (weighted / total, total**-0.5) if total else None


def _colour(blue: tuple[float, float], red: tuple[float, float]) -> Colour:
    error = MAG_OF_FLUX_ERR * math.hypot(blue[1] / blue[0], red[1] / red[0])
    return -2.5 * math.log10(blue[0] / red[0]), error
