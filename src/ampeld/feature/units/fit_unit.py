"""What the units that fit a shape to each band have in common: which points, and how a fit becomes a body."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ampeld.feature.light_curve import ZERO_POINT_NJY, LightCurve
from ampeld.feature.reasons import NO_BAND
from ampeld.feature.tables import SPECTRUM, FluxTable, flux_table
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.fit_shape import Shape
from ampeld.feature.units.fit_solve import TIME_SCALES, solve
from ampeld.names import did_you_mean

_BANDS: Final = frozenset(name for survey in SPECTRUM for name in survey)
_MEANING: Final = {
    "amplitude": ("nJy", "amplitude"),
    "baseline": ("nJy", "flux far from the transient"),
    "reference_time": ("d", "reference time as a julian date, not that of the peak"),
    "rise_time": ("d", "time scale of the rise"),
    "fall_time": ("d", "time scale of the fall"),
    "plateau_rel_amplitude": ("", "relative fall over the plateau, 0 to 1"),
    "plateau_duration": ("d", "duration of the plateau"),
}


def fit_values(prefix: str, shape: Shape) -> tuple[Value, ...]:
    """Return what the bodies of a shape's unit hold."""
    values = []
    for name in shape.names:
        unit, meaning = _MEANING[name]
        values += [
            Value(f"{prefix}_{name}_{{band}}", unit, meaning),
            Value(f"{prefix}_{name}_err_{{band}}", unit, f"1 sigma error of the {name}, from the errors of the fluxes"),
        ]
    return (
        *values,
        Value(f"{prefix}_chi2_{{band}}", "", "chi2 of the fit"),
        Value(f"{prefix}_dof_{{band}}", "", "points less parameters", "integer"),
        Value(f"{prefix}_reduced_chi2_{{band}}", "", "chi2 / dof"),
        Value(f"{prefix}_success_{{band}}", "", "whether the fit converged", "flag"),
        Value(f"{prefix}_message_{{band}}", "", "how the fit ended, and which parameters stand at a bound", "text"),
    )


class ShapeFit(StateUnit):
    """Fits a shape to each band's signed fluxes; `BazinFit` and `VillarFit` say which.

    Parameters
    ----------
    bands
        Which bands, as ``ztfg`` or ``lsstr``; none: all that have points.
    min_time
        Least rise, fall and plateau time [d].
    max_rise_time, max_fall_time
        Most rise and fall time [d].
    """

    slow: ClassVar[bool] = True
    prefix: ClassVar[str]
    shape: ClassVar[Shape]

    bands: tuple[str, ...] = ()
    min_time: float = 0.01
    max_rise_time: float = 100.0
    max_fall_time: float = 500.0

    def prepare(self) -> None:
        """Refuse unknown bands and bounds without a range."""
        import scipy.optimize  # noqa: F401, PLC0415  only here who fits; processes that measure are forks and share it

        for band in self.bands:
            if band not in _BANDS:
                raise ValueError(f"bands: there is no band {band!r}{did_you_mean(band, _BANDS)}")
        for name, (low, high) in self.limits().items():
            if not (low < high < math.inf and (low > 0 or name not in TIME_SCALES)):
                raise ValueError(
                    f"min_time: the bounds of {name} are {low:g} and {high:g}: finite ones above 0 are wanted"
                )

    def limits(self) -> dict[str, tuple[float, float]]:
        """Return the bounds of the parameters behind the reference time."""
        return {"rise_time": (self.min_time, self.max_rise_time), "fall_time": (self.min_time, self.max_fall_time)}

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Fit each band."""
        table = flux_table(light_curve, zp=ZERO_POINT_NJY)
        wanted = self.bands or table.bands
        if not wanted:
            return Undefined(NO_BAND, "no point has a band, a flux and its error")
        body: dict[str, Any] = {}
        for band in wanted:
            body |= self._fit(band, table.in_band(band))
        return body

    def _fit(self, band: str, rows: FluxTable) -> Mapping[str, Any]:
        data = (rows.time, rows.flux, rows.fluxerr)
        found = solve(self.shape, data, self.limits()) if len(rows) else Undefined(NO_BAND)
        told: dict[str, Any] = {}
        for i, name in enumerate(self.shape.names):
            told[name] = found if isinstance(found, Undefined) else float(found.parameters[i])
            told[f"{name}_err"] = found if isinstance(found, Undefined) else found.errors[i]
        if isinstance(found, Undefined):
            told |= {"chi2": found, "dof": found, "reduced_chi2": found, "success": False}
            told["message"] = f"{found.reason}: {found.detail}" if found.detail else found.reason
        else:
            told |= {"chi2": found.chi2, "dof": found.dof, "reduced_chi2": found.chi2 / found.dof, "success": True}
            told["message"] = found.message
        return {f"{self.prefix}_{name}_{band}": value for name, value in told.items()}
