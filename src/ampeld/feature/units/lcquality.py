"""LCQuality: how many of the images after the first detection saw the source, band by band."""

from typing import Any, ClassVar

import numpy as np

from ampeld.feature.light_curve import ZTF_BANDS, Flags, LightCurve
from ampeld.feature.point_filter import POSITIVE, PointFilters, check_filters, passes
from ampeld.feature.reasons import NO_DETECTION, NO_LIMIT
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.risedecline_values import CUTTABLE, MEDIANS


class LCQuality(StateUnit):
    """Detections against upper limits since the first detection, of each band: AMPEL's T2LCQuality.

    ``strength`` is n / (n + limits after the first detection), ``purity`` n / (n + those of them that are strong:
    deeper than the latest detection at or before them, so that it should have been seen).
    A band without detections has 0, 0, 0; one without limits after the first detection has 1, 1, n.
    For LSST the numbers of the filters stand for its bands g, r, i.

    Parameters
    ----------
    filter_ids
        Of ZTF's filters: 1 g, 2 r, 3 i.
    exclude_ulims_after
        Whether limits after the last detection are never strong.
    lc_filter
        What a detection must pass: filters (``attribute``, ``operator``, ``value``), all of them.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2LCQuality.

    AMPEL: ``lc_filter`` is applied to limits, too, which have no ``isdiffpos``: with the default no limit is left, and
    every value is 0 or 1; here: it is for detections. AMPEL: two detections of a band at one time raise if there are
    limits; here: the one with the larger number stays, the later reduction, and counts once.
    """

    version: ClassVar[str] = "1"
    values: ClassVar[tuple[Value, ...]] = (
        Value("{band}", "", "of each band: strength, purity, ndet", "table"),
        Value("{band}.strength", "", "detections among detections and limits since the first detection, 0 to 1"),
        Value("{band}.purity", "", "detections among detections and limits that should have seen the source, 0 to 1"),
        Value("{band}.ndet", "", "detections that pass", "integer"),
    )

    filter_ids: list[int] = [1, 2, 3]  # noqa: RUF012  read once, as the default of a parameter
    exclude_ulims_after: bool = True
    lc_filter: PointFilters = POSITIVE

    def prepare(self) -> None:
        """Refuse filters that ZTF does not have, and filters on what is not read."""
        if unknown := [number for number in self.filter_ids if number not in ZTF_BANDS]:
            raise ValueError(f"filter_ids: {unknown[0]} is no filter of ZTF: 1 is g, 2 r, 3 i")
        check_filters("lc_filter", self.lc_filter, (*MEDIANS, *CUTTABLE))
        wanted = {cut.attribute for cut in self.lc_filter}
        self.reads = tuple(sorted(wanted & {*MEDIANS, *CUTTABLE}))  # type: ignore[misc]  # of this configuration

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the body."""
        chosen = self._passing(light_curve)
        body: dict[str, Any] = {}
        reasons: dict[str, Undefined] = {}
        for number in self.filter_ids:
            name = ZTF_BANDS[number]
            of_band = light_curve.band == name
            body[name], why = self._band(light_curve, of_band & chosen, of_band & light_curve.is_limit)
            if why is not None:
                reasons[name] = why
        return body | ({"undefined": reasons} if reasons else {})

    def _passing(self, light_curve: LightCurve) -> Flags:
        if self.lc_filter == POSITIVE:
            # LSST says it by the sign of its fluxes.
            return light_curve.is_detection & light_curve.positive
        passing = [passes(self.lc_filter, body) for body in light_curve.bodies]
        return light_curve.is_detection & np.array(passing, dtype=np.bool_)

    def _band(self, light_curve: LightCurve, seen: Flags, unseen: Flags) -> tuple[dict[str, Any], Undefined | None]:
        every = light_curve.jd[seen]
        if not len(every):
            return {"strength": 0, "purity": 0, "ndet": 0}, Undefined(NO_DETECTION)
        # Of equal times the largest number stands last.
        latest = np.append(every[1:] != every[:-1], True)
        jd, n = every[latest], int(latest.sum())
        after = light_curve.jd > jd[0]
        when = light_curve.jd[unseen & after]
        if not len(when):
            return {"strength": 1, "purity": 1, "ndet": n}, Undefined(NO_LIMIT, "after the first detection")
        before = light_curve.mag[seen][latest][np.searchsorted(jd, when, side="right") - 1]
        strong = light_curve.limit[unseen & after] > before
        if self.exclude_ulims_after:
            strong &= when < jd[-1]
        return {"strength": n / (n + len(when)), "purity": n / (n + int(strong.sum())), "ndet": n}, None
