"""The rainbow fit: one black body of changing temperature and luminosity behind the fluxes of all bands."""

import math
from itertools import product
from typing import Any, Final

import msgspec
import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NEGATIVE_FLUX, NOT_CONVERGED, OUT_OF_LIMITS, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined

NAMES: Final = ("reference_time", "amplitude", "rise_time", "fall_time", "T", "T_amplitude", "t_color")
FEWEST: Final = 9
"""Rows."""
LIMITS: Final = {
    "rise_time": (-99.0, 300.0),
    "fall_time": (-99.0, 300.0),
    "t_color": (-99.0, 300.0),
    "amplitude": (-99.0, 1e4),
}
"""Between which all must be, or none is kept."""
_FOLLOWED: Final = 4
"""How many of the best starts are followed."""
_ANCHOR: Final = 0.25
"""The width of the prior of T_amplitude about 0."""
_H, _C, _K, _SIGMA = 6.62607015e-34, 299792458.0, 1.380649e-23, 5.670374419e-8
"""Planck, speed of light, Boltzmann, Stefan-Boltzmann [SI]: CODATA 2018."""
_TINY: Final = np.finfo(np.float64).tiny


class RainbowBands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of what the fit is made."""

    band_wave_aa: dict[str, float]
    """By band: its effective wavelength [Angstrom]."""


def fit_rainbow(table: FluxTable, bands: RainbowBands) -> dict[str, Any]:
    """Return the parameters of the fit, all or none.

    Notes
    -----
    Russeil et al. 2023, arXiv:2310.02916, with the parameters that light-curve 0.13.3 has: the bolometric flux is
    amplitude (largest 1) / (exp(-u / rise_time) + exp(u / fall_time)), u = t - reference_time, the temperature is
    T (1 + T_amplitude (1 - 2 / (1 + exp(-u / t_color)))), and T_amplitude keeps near 0 unless the data want otherwise.
    """
    rows = table.select(np.array([band in bands.band_wave_aa for band in table.band.tolist()], dtype=np.bool_))
    found = _fit(rows, bands)
    if isinstance(found, Undefined):
        return {f"rainbow_{name}": found for name in NAMES}
    return {f"rainbow_{name}": value for name, value in found.items()}


def _fit(rows: FluxTable, bands: RainbowBands) -> dict[str, float] | Undefined:
    from scipy.optimize import least_squares  # noqa: PLC0415  half a second, for those who fit

    if len(rows) < FEWEST:
        return Undefined(TOO_FEW_POINTS, f"{len(rows)} of {FEWEST}")
    peak = float(rows.time[np.argmax(rows.flux)])
    spread = max(float(rows.time[-1] - rows.time[0]), 1.0)
    model = _Model(rows, bands, peak)
    low = np.array((-2 * spread, *np.log((0.01, 0.01, 500.0)), -0.98, math.log(0.1)))
    high = np.array((2 * spread, *np.log((300.0, 300.0, 1e5)), 0.98, math.log(300.0)))
    with np.errstate(all="ignore"):
        starts = [np.array(start) for start in product(*_starts(spread))]
        costs = np.array([float(np.sum(model.residuals(start) ** 2)) for start in starts])
        best = None
        for i in np.argsort(costs, kind="stable")[:_FOLLOWED].tolist():
            end = least_squares(
                model.residuals,
                starts[i],
                bounds=(low, high),
                x_scale=(spread / 10, 1.0, 1.0, 1.0, 1.0, 1.0),
                xtol=1e-8,
                ftol=1e-8,
                gtol=1e-8,
                max_nfev=300,
            )
            if end.status > 0 and math.isfinite(end.cost) and (best is None or end.cost < best.cost):
                best = end
        if best is None:
            return Undefined(NOT_CONVERGED)
        amplitude = model.amplitude(best.x)
    return _accepted(best.x, amplitude, peak)


def _accepted(x: Floats, amplitude: float, peak: float) -> dict[str, float] | Undefined:
    if not amplitude > 0:
        return Undefined(NEGATIVE_FLUX, "no positive amplitude fits")
    rise, fall, temperature, color = (math.exp(float(x[i])) for i in (1, 2, 3, 5))
    values = (peak + float(x[0]), amplitude, rise, fall, temperature, float(x[4]), color)
    named = dict(zip(NAMES, values, strict=True))
    for name, (low, high) in LIMITS.items():
        if not low < named[name] < high:
            return Undefined(OUT_OF_LIMITS, f"{name} {named[name]:.6g}")
    return named


def _starts(spread: float) -> tuple[tuple[float, ...], ...]:
    """Return values to begin with of t0, ln rise, ln fall, ln T, T_amplitude and ln t_color."""
    return (
        (-spread / 8, -spread / 30, 0.0, spread / 8),
        tuple(np.log((2.0, 8.0, 40.0))),
        tuple(np.log((5.0, 25.0, 100.0))),
        tuple(np.log((4000.0, 7000.0, 13000.0))),
        (-0.2, 0.2),
        (math.log(8.0),),
    )


class _Model:
    """The fluxes of a black body, with the best amplitude."""

    def __init__(self, rows: FluxTable, bands: RainbowBands, peak: float) -> None:
        wavelength = np.array([bands.band_wave_aa[band] for band in rows.band.tolist()]) * 1e-10
        mean = math.fsum(bands.band_wave_aa.values()) / len(bands.band_wave_aa) * 1e-10
        frequency = _C / wavelength
        self._t = rows.time - peak
        self._data, self._err = rows.flux / rows.fluxerr, rows.fluxerr
        self._x = _H * frequency / _K
        # pi B / (sigma T^4), in units of the mean frequency: what is left depends on the temperature.
        self._height = 2 * math.pi * _H * frequency**3 / _C**2 / _SIGMA * (_C / mean)

    def _shape(self, x: Floats) -> Floats:
        """Return fluxes by their errors for an amplitude of 1."""
        t0, rise, fall, temperature, change, color = x[0], *np.exp(x[1:4]), x[4], math.exp(x[5])
        u = self._t - t0
        top = math.log(fall / rise) / (1 / rise + 1 / fall)
        log_bolometric = np.logaddexp(-top / rise, top / fall) - np.logaddexp(-u / rise, u / fall)
        now = temperature * (1 - change * np.tanh(u / color / 2))
        shape: Floats = np.exp(log_bolometric) * self._height / (now**4 * np.expm1(np.minimum(self._x / now, 700.0)))
        return shape / self._err

    def amplitude(self, x: Floats) -> float:
        """Return the best amplitude."""
        shape = self._shape(x)
        return max(float(shape @ self._data) / max(float(shape @ shape), _TINY), 0.0)

    def residuals(self, x: Floats) -> Floats:
        """Return the residuals by their errors, and the pull of a change of temperature."""
        shape = self._shape(x)
        amplitude = max(float(shape @ self._data) / max(float(shape @ shape), _TINY), 0.0)
        return np.append(self._data - amplitude * shape, x[4] / _ANCHOR)
