"""The points that Bayesian blocks are made of: of one filter, in the order of time, without wild outliers."""

from typing import Final, Literal, NamedTuple

import numpy as np

from ampeld.feature.light_curve import FLUX_LIMITS, Flags, Floats, LightCurve

DataType = Literal["wise", "ztf_alert", "ztf_fp", "ztf_fp_noisy", "lsst"]
PREFIX: Final = {"ztf_alert": "ZTF_", "ztf_fp": "ZTF_", "ztf_fp_noisy": "ZTF_", "lsst": "LSST_"}
"""By type of data: what stands before the band in a filter's name; WISE's are as the points have them."""

WINDOW: Final = 10
"""Points of the running median."""
WINDOW_SIGMA: Final = 3.0
_FALSE: Final = ("False", "false", "0", 0)


class BlockPoints(NamedTuple):
    """Points of one filter, shape (n,) each."""

    jd: Floats
    """[JD], ascending; equal times in the order of the points' numbers."""
    value: Floats
    """[mag], or flux."""
    error: Floats
    """Of the same unit, above 0."""
    number: Floats
    """How many exposures each was made of; NaN if unknown."""

    def chosen(self, mask: Flags) -> "BlockPoints":
        """Return some of the points."""
        return BlockPoints(*(column[mask] for column in self))


def points_of(light_curve: LightCurve, name: str, data_type: DataType, *, flux: bool) -> tuple[BlockPoints, int]:
    """Return the points of a filter, and how many are left out.

    Those are the ones without a value, without an error above 0, or with either beyond `FLUX_LIMITS`.

    Parameters
    ----------
    light_curve
        In the order of time.
    name
        ``ZTF_g``, ``LSST_r``, or what the points have as ``filter`` (``Wise_W1``).
    data_type
        Whose points they are.
    flux
        Whether fluxes are read instead of magnitudes.
    """
    if data_type == "wise":
        mine = _mine_of_wise(light_curve, name, flux=flux)
    else:
        mine = (light_curve.band == name.removeprefix(PREFIX[data_type])) & ~light_curve.is_limit
    curve = light_curve.select(mine)
    value, error = _columns(curve, data_type, flux=flux)
    number = curve.column("flux_density_Npoints" if flux else "mag_Npoints")
    points = BlockPoints(curve.jd, value, error, number)
    least, most = FLUX_LIMITS
    usable = (np.abs(value) < most) & (error > least) & (error < most)
    return points.chosen(usable), int(np.count_nonzero(~usable))


def _mine_of_wise(light_curve: LightCurve, name: str, *, flux: bool) -> Flags:
    limit = "flux_ul" if flux else "mag_ul"
    return np.array(
        [body.get("filter") == name and body.get(limit) in _FALSE for body in light_curve.bodies], dtype=np.bool_
    )


def _columns(curve: LightCurve, data_type: DataType, *, flux: bool) -> tuple[Floats, Floats]:
    if data_type == "wise":
        names = ("mean_flux", "flux_rms") if flux else ("magpsf", "sigmapsf")
        return curve.column(names[0]), curve.column(names[1])
    if not flux:
        return curve.mag, curve.mag_err
    measured = curve.column("flux_Jy")
    if np.isfinite(measured).any():
        return measured, curve.column("flux_err_Jy")
    return curve.flux, curve.flux_err


def without_outliers(points: BlockPoints) -> BlockPoints:
    """Return the points within 3 standard deviations of a running median of 10 points.

    The window is centred and shrinks at both ends, so that no point is without one.
    """
    n = len(points.jd)
    kept = np.ones(n, dtype=np.bool_)
    for i in range(n):
        window = points.value[max(0, i - WINDOW // 2) : i + WINDOW // 2]
        if len(window) > 1:
            kept[i] = abs(points.value[i] - np.median(window)) <= WINDOW_SIGMA * np.std(window, ddof=1)
    return points.chosen(kept)
