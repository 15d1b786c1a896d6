"""The rise, plateau and fall of each band as Villar's function."""

from typing import ClassVar

from ampeld.feature.unit import Value
from ampeld.feature.units.fit_shape import Shape, Villar
from ampeld.feature.units.fit_unit import ShapeFit, fit_values


class VillarFit(ShapeFit):
    """Fit a rise, a plateau that falls linearly and an exponential fall to each band with 8 points or more.

    Parameters
    ----------
    bands
        Which bands, as ``ztfg`` or ``lsstr``; none: all that have points.
    min_time
        Least rise, fall and plateau time [d].
    max_rise_time, max_fall_time, max_plateau
        Most rise time, fall time and plateau duration [d].

    Notes
    -----
    Source: Villar et al. 2019, ApJ 884, 83, equation 1, as the ``light-curve`` package writes it. Bounded least squares
    in signed nJy from several starts, the amplitude positive; the names are those of that package, whose fit ours is
    checked against.
    """

    values: ClassVar[tuple[Value, ...]] = fit_values("villar_fit", Villar())
    prefix: ClassVar[str] = "villar_fit"
    shape: ClassVar[Shape] = Villar()

    max_plateau: float = 300.0

    def limits(self) -> dict[str, tuple[float, float]]:
        """Return the bounds of the parameters behind the reference time."""
        plateau = {"plateau_rel_amplitude": (0.0, 1.0), "plateau_duration": (self.min_time, self.max_plateau)}
        return super().limits() | plateau
