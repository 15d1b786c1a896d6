"""PolynomialFit: a polynomial in time through the fluxes of each band."""

import math
from typing import Any, ClassVar, Final

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import EQUAL_TIMES, NOT_FINITE, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value

_HIGHEST: Final = 12
"""Above, a light curve's polynomial is wild between its points, and its sums lose their digits."""


class PolynomialFit(StateUnit):
    """Weighted least squares of a polynomial to the signed fluxes of each band: AMPEL's T2PolynomialFit.

    A band is absent unless it has more than ``order`` + 1 rows, and more than ``order`` different times.
    Fluxes have the zero point 25; the weights are 1/fluxerr².

    Parameters
    ----------
    order
        Of the polynomial, 0 to 12.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2PolynomialFit. Least squares by QR of the columns (t - t_ref)^k, scaled to the
    span of the times; errors are the roots of the covariance's diagonal, from the errors of the fluxes alone.

    AMPEL: the coefficients are those of powers of the Julian date itself, whose p0 keeps nine digits of 10^8 or, at
    order 2, 10^14; here: of powers of the time since ``t_ref``, the band's weighted mean time, with their errors
    ``coef_err``. AMPEL: the coefficients of all bands are averaged as ``p0`` …; here: they are not, since each has its
    own meaning. The mean of ``chi2dof`` over the bands stays.
    """

    version: ClassVar[str] = "1"
    values: ClassVar[tuple[Value, ...]] = (
        Value("order", "", "of the polynomial", "integer"),
        Value("chi2dof", "", "mean over the bands of their chi2dof"),
        Value("{band}", "", "of each band: coef, coef_err, t_ref, dof, chi2dof", "table"),
        Value("{band}.coef", "", "coefficient of (t - t_ref)^k, k = 0 … order [flux / d^k]; flux 1 is mag 25", "list"),
        Value("{band}.coef_err", "", "their errors", "list"),
        Value("{band}.t_ref", "d", "reference time, the weighted mean of the band's times, JD"),
        Value("{band}.dof", "", "rows less order less 1", "integer"),
        Value("{band}.chi2dof", "", "chi² / dof"),
    )

    order: int = 1

    def prepare(self) -> None:
        """Refuse orders that cannot be fitted."""
        if not 0 <= self.order <= _HIGHEST:
            raise ValueError(f"order: {self.order} is not between 0 and {_HIGHEST}")

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the body."""
        body: dict[str, Any] = {}
        reasons: dict[str, Undefined] = {}
        for name, rows in flux_table(light_curve).by_band():
            fitted = self._fit(rows)
            if isinstance(fitted, Undefined):
                reasons[name] = fitted
            else:
                body[name] = fitted
        mean: float | Undefined = Undefined(TOO_FEW_POINTS, f"no band has more than {self.order + 1} rows")
        if body:
            mean = math.fsum(band["chi2dof"] for band in body.values()) / len(body)
        return body | {"order": self.order, "chi2dof": mean} | ({"undefined": reasons} if reasons else {})

    def _fit(self, rows: FluxTable) -> dict[str, Any] | Undefined:
        n = self.order + 1
        if len(rows) <= n:
            return Undefined(TOO_FEW_POINTS, f"{len(rows)} of {n + 1}")
        if np.count_nonzero(np.diff(rows.time)) < self.order:
            return Undefined(EQUAL_TIMES, f"a polynomial of order {self.order} needs {n} different times")
        weight = rows.fluxerr.min() / rows.fluxerr
        since = rows.time - rows.time[0]
        ref = float((weight**2 * since).sum() / (weight**2).sum())
        scale = float(np.abs(since - ref).max()) or 1.0
        columns = ((since - ref) / scale)[:, None] ** np.arange(n)
        q, r = np.linalg.qr(columns * weight[:, None])
        if np.abs(r.diagonal()).min() <= 1e-12 * np.abs(r.diagonal()).max():
            return Undefined(EQUAL_TIMES, "the times are too near to each other for the order")
        inverse = np.linalg.inv(r)
        coef = inverse @ (q.T @ (rows.flux * weight))
        dof = len(rows) - n
        chi2 = float((((rows.flux - columns @ coef) / rows.fluxerr) ** 2).sum())
        unit = scale ** -np.arange(float(n))
        error = np.sqrt((inverse**2).sum(axis=1)) * rows.fluxerr.min() * unit
        if not (np.isfinite(coef * unit).all() and np.isfinite(error).all() and math.isfinite(chi2)):
            return Undefined(NOT_FINITE)
        return {
            "coef": (coef * unit).tolist(),
            "coef_err": error.tolist(),
            "t_ref": float(rows.time[0]) + ref,
            "dof": dof,
            "chi2dof": chi2 / dof,
        }
