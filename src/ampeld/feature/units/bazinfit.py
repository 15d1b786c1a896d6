"""The rise and fall of each band as Bazin's function."""

from typing import ClassVar

from ampeld.feature.unit import Value
from ampeld.feature.units.fit_shape import Bazin, Shape
from ampeld.feature.units.fit_unit import ShapeFit, fit_values


class BazinFit(ShapeFit):
    """Fit B + A exp(-(t - t0)/tau_fall) / (1 + exp(-(t - t0)/tau_rise)) to each band with 6 points or more.

    Parameters
    ----------
    bands
        Which bands, as ``ztfg`` or ``lsstr``; none: all that have points.
    min_time
        Least rise and fall time [d].
    max_rise_time, max_fall_time
        Most rise and fall time [d].

    Notes
    -----
    Source: Bazin et al. 2009, A&A 499, 653, equation 1. Bounded least squares in signed nJy from several starts, the
    amplitude positive; the names are those of the ``light-curve`` package, whose fit ours is checked against.
    """

    values: ClassVar[tuple[Value, ...]] = fit_values("bazin_fit", Bazin())
    prefix: ClassVar[str] = "bazin_fit"
    shape: ClassVar[Shape] = Bazin()
