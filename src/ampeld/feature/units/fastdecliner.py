"""FastDecliner: whether a source fades fast, from the last two detections of each band."""

import math
from typing import Any, ClassVar, Final

import numpy as np

from ampeld.feature.light_curve import ZTF_BANDS, LightCurve
from ampeld.feature.reasons import TOO_FEW_POINTS
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value

_BANDS: Final = {str(fid): band for fid, band in ZTF_BANDS.items()} | {band: band for band in "ugrizy"}


class FastDecliner(StateUnit):
    """The slope in magnitudes between the last two detections of each band: AMPEL's T2FastDecliner.

    A band with fewer than two is absent. ``fast_decliner`` is true if any band declines faster than ``min_declinerate``
    between two detections that are ``min_trange`` to ``max_trange`` apart.

    Parameters
    ----------
    min_declinerate
        [mag/d]; fading is positive.
    min_trange, max_trange
        How far apart the two detections must be [d], both ends excluded.
    filter_keys
        By ZTF's number of the filter (``"1"`` g, ``"2"`` r, ``"3"`` i), or by band: the name in the body.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2FastDecliner.

    AMPEL: detections of both signs are mixed; here: of the sign of the band's last one. AMPEL: two detections at one
    time raise; here: of equal times the one with the largest number stays, the later reduction. AMPEL: g and R (sic) by
    default; here: g, r and i. The error of the rate, which AMPEL does not have, is ``decline_rate_err``.
    """

    version: ClassVar[str] = "1"
    values: ClassVar[tuple[Value, ...]] = (
        Value(
            "fast_decliner", "", "whether any band fades fast between detections that are near enough in time", "flag"
        ),
        Value("{band}", "", "of each band with two detections: delta_t, decline_rate, decline_rate_err", "table"),
        Value("{band}.delta_t", "d", "time between the last two detections of one sign"),
        Value("{band}.decline_rate", "mag / d", "change of the magnitude; fading is positive"),
        Value("{band}.decline_rate_err", "mag / d", "its error, from those of the magnitudes"),
    )

    min_declinerate: float = 0.1
    min_trange: float = 0.1
    max_trange: float = 2.0
    filter_keys: dict[str, str] = {"1": "g", "2": "r", "3": "i"}  # noqa: RUF012  read once, as a default

    def prepare(self) -> None:
        """Refuse filters that do not exist, and names that are taken."""
        for key, name in self.filter_keys.items():
            if key not in _BANDS:
                raise ValueError(f"filter_keys: {key!r} is no filter: {', '.join(_BANDS)}")
            if name in ("fast_decliner", "undefined"):
                raise ValueError(f"filter_keys: {name!r} is a key of its own")

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the body."""
        usable = light_curve.is_detection & np.isfinite(light_curve.mag) & (light_curve.mag_err >= 0)
        body: dict[str, Any] = {"fast_decliner": False}
        reasons: dict[str, Undefined] = {}
        for key, name in self.filter_keys.items():
            rows = np.flatnonzero(usable & (light_curve.band == _BANDS[key]))
            pair = _last_two(light_curve, rows.tolist())
            if pair is None:
                reasons[name] = Undefined(TOO_FEW_POINTS, "detections of one sign at two times")
                continue
            earlier, later = pair
            delta_t = float(light_curve.jd[later] - light_curve.jd[earlier])
            rate = float(light_curve.mag[later] - light_curve.mag[earlier]) / delta_t
            error = math.hypot(light_curve.mag_err[later], light_curve.mag_err[earlier]) / delta_t
            body[name] = {"delta_t": delta_t, "decline_rate": rate, "decline_rate_err": error}
            fast = self.min_trange < delta_t < self.max_trange and rate > self.min_declinerate
            body["fast_decliner"] = body["fast_decliner"] or fast
        return body | ({"undefined": reasons} if reasons else {})


def _last_two(light_curve: LightCurve, rows: list[int]) -> tuple[int, int] | None:
    if not rows:
        return None
    # Of equal times the largest number stands last.
    jd, positive, later = light_curve.jd, light_curve.positive, rows[-1]
    earlier = (row for row in reversed(rows) if jd[row] < jd[later] and positive[row] == positive[later])
    return next(((row, later) for row in earlier), None)
