"""The unit LightCurveFeatures: the library's statistics of each band's magnitudes."""

from collections.abc import Mapping, Sequence
from typing import Any

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NEGATIVE_FLUX, NO_DETECTION
from ampeld.feature.statistics import Extractor, described
from ampeld.feature.tables import flux_table
from ampeld.feature.unit import Measured, StateUnit, Undefined


class LightCurveFeatures(StateUnit):
    """Statistics of the magnitudes of each band, under the names of the ``light-curve`` package.

    Detections alone count, of either survey; of equal times in one band the first by number.

    Parameters
    ----------
    features
        By the name of a class of ``light-curve``: its arguments, or nothing, or a list of several.
        The classes are those of `ampeld.feature.statistics.FEATURES`.

    Notes
    -----
    AMPEL's ``T2LightCurveFeatures`` (Ampel-HU-astro 1b41bce); formulas of ``light-curve`` 0.13.3 (SNAD).

    - AMPEL: a band with fewer points than the most demanding feature, or with two equal times, has no key at all; here
      each feature has its own minimum, and what is missing its reason.
    - AMPEL: negative subtractions count with the magnitude of their size; here a negative flux has no magnitude: such
      points are left out.
    - Release 0.10.2 of AMPEL names the bands g, r, i; here they are ztfg, ztfr, ztfi, as since 0.10.3.
    """

    features: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]] | None] = {
        "InterPercentileRange": {"quantile": 0.25},
        "LinearFit": None,
        "StetsonK": None,
    }

    values = tuple(described("mag", "_{band}"))

    def prepare(self) -> None:
        """Build the statistics."""
        try:
            self._extractor = Extractor(self.features)
        except ValueError as error:
            raise ValueError(f"features: {error}") from error

    def measure(self, light_curve: LightCurve, *inputs: Any) -> Measured:
        """Return the statistics of each band that has a detection."""
        del inputs
        table = flux_table(light_curve, forced=False).deduplicated()
        if not len(table):
            return Undefined(NO_DETECTION)
        body: dict[str, Any] = {}
        for band, rows in table.by_band():
            bright = rows.select(rows.flux > 0)
            if len(bright):
                made = self._extractor.measure(bright.time, bright.mag, bright.mag_err)
            else:
                made = dict.fromkeys(self._extractor.names, Undefined(NEGATIVE_FLUX))
            body.update((f"{name}_{band}", value) for name, value in made.items())
        return body
