"""TabulatorRiseDecline: rise, decline, colours, splines and statistics of a light curve's fluxes, band by band."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NOT_PEAKED
from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.tabulated_band import BandSettings, BandSlopes, measure_band
from ampeld.feature.units.tabulated_detections import BITS, at_most, colours, in_bands, significant, summarise
from ampeld.feature.units.tabulated_library import LIMITS, averages, build_features, check_limits, library_values
from ampeld.feature.units.tabulated_rainbow import RainbowBands, fit_rainbow
from ampeld.feature.units.tabulated_spline import Peaks, measure_spline, ratios
from ampeld.feature.units.tabulated_values import TABULATED

DEEP_BANDS: Final = {"ztf": ("ztfg", "ztfr", "ztfi"), "lsst": ("lsstg", "lsstr", "lssti", "lsstz")}
"""By survey: the bands that are deep enough for detections, unless the parameters say which."""
_NULLABLE: Final = frozenset(
    ("t_predetect", "mag_det", "mag_last", "mag_min", "bool_hasgaps", "bool_fastrise", "bool_fastfall")
)
"""Keys that are there, and null, where there is no value; others are absent."""

Pair = tuple[str, str]


class TabulatorRiseDecline(StateUnit):
    """Rise and decline in flux (1 is 25 mag), band by band: AMPEL's T2TabulatorRiseDecline.

    Detections are the points of significant bands that differ from zero by more than ``sigma_det`` errors. Values of
    bands (``rise_slope_ztfg`` ...) are of all points from ``t_cadence`` before the first detection to ``t_cadence``
    after the last. Statistics (``skew_ztfg_flux`` ...) are of all points. Of equal times in a band the point with the
    smallest number counts.

    Parameters
    ----------
    t_cadence
        What counts as one time; the step of the spline's grid [d].
    significant_bands
        Bands for detections (``ztfg``, ``lsstr``); by default ZTF's three, of LSST g, r, i and z.
    sigma_det
        How many errors a detection is away from zero.
    sigma_slope
        How many errors the slopes of all bands together are away from zero where there is a rise or a fall.
    dt_fluxevo
        How long after the peak the flux is compared with it [d].
    color_list
        Pairs of bands, the bluer first.
    max_tgap
        How far apart neighbouring points may be [d].
    min_expfit_det
        More points than this are fitted a flare; more than half of it an exponential.
    max_ndet
        The light curve ends with this detection.
    lightcurve_features_flux
        Statistics of the fluxes: name in the ``light-curve`` package and arguments.
    feature_limits
        By a statistic's value: between which it is kept; replaces AMPEL's.
    rainbow_fit
        ``band_wave_aa``: by band the wavelength [Angstrom]; a fit of all bands at once if given.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2TabulatorRiseDecline. Keys and what is absent when are AMPEL's.

    AMPEL: negative subtractions are taken as positive; here: fluxes have their sign, so that ``frac_pos`` means
    something, and a negative flux has no magnitude. AMPEL: ``jd_min``, ``band_det_id`` and ``band_last_id`` take their
    row from the wrong table; here: of the detections. AMPEL: slopes outside of -100 to 1000 flux/d are dropped, which
    loses every bright outburst; here: those steeper than 100 peak fluxes a day. AMPEL: the flare is fitted from one
    start and stops anywhere; here: from the best of a grid, and only what converged is kept. AMPEL: two equal times
    raise; here: the first counts. AMPEL: the bands are LSST's whatever the survey. AMPEL: one detection more than
    ``max_ndet``. AMPEL: limits of values that do not exist; here: an error. AMPEL: ends at a negative first or last
    detection, which none of its own can be; here: goes on.
    """

    version: ClassVar[str] = "1"
    slow: ClassVar[bool] = True
    values: ClassVar[tuple[Value, ...]] = TABULATED

    t_cadence: float = 5.0
    significant_bands: tuple[str, ...] | None = None
    sigma_det: float = 5.0
    sigma_slope: float = 3.0
    dt_fluxevo: float = 20.0
    color_list: tuple[Pair, ...] = (
        ("lsstu", "lsstg"),
        ("lsstg", "lsstr"),
        ("lsstr", "lssti"),
        ("lssti", "lsstz"),
        ("lsstz", "lssty"),
        ("ztfg", "ztfr"),
        ("ztfr", "ztfi"),
    )
    max_tgap: float = 30.0
    min_expfit_det: int = 4
    max_ndet: int = 200_000
    lightcurve_features_flux: dict[str, dict[str, Any] | list[dict[str, Any]] | None] = {  # noqa: RUF012  read once, as a default
        "Eta": None,
        "MaximumSlope": None,
        "Periodogram": {"peaks": 1},
        "Skew": None,
        "StandardDeviation": None,
        "ExcessVariance": None,
        "LinearFit": None,
        "AndersonDarlingNormal": None,
        "Kurtosis": None,
        "StetsonK": None,
    }
    feature_limits: dict[str, tuple[float, float]] = dict(LIMITS)  # noqa: RUF012  read once, as a default
    rainbow_fit: RainbowBands | None = None

    def prepare(self) -> None:
        """Make the statistics, and see that bands and limits exist."""
        # Only here who fits; processes that measure are forks, and share it.
        import scipy.interpolate  # noqa: PLC0415
        import scipy.optimize  # noqa: PLC0415
        import scipy.signal  # noqa: F401, PLC0415

        for name in ("t_cadence", "dt_fluxevo"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name)} is not a number of days above zero")
        named = [("significant_bands", band) for band in self.significant_bands or ()]
        named += [("color_list", band) for pair in self.color_list for band in pair]
        named += [("rainbow_fit", band) for band in (self.rainbow_fit.band_wave_aa if self.rainbow_fit else ())]
        for parameter, band in named:
            if band not in BITS:
                raise ValueError(f"{parameter}: there is no band {band!r}; known are {', '.join(BITS)}")
        self._features = build_features(self.lightcurve_features_flux)
        check_limits(self.feature_limits, self._features.names)
        self._settings = BandSettings(self.t_cadence, self.dt_fluxevo, self.min_expfit_det)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:  # noqa: ARG002  it builds upon nothing
        """Return what the fluxes tell."""
        table = flux_table(light_curve).deduplicated()
        bands = self.significant_bands or DEEP_BANDS.get(light_curve.survey, ())
        if not len(table):
            return {"success": False, "cause": "Cannot create det table."}
        deep = in_bands(table, bands)
        table = at_most(table, deep & significant(table, self.sigma_det), self.max_ndet)
        deep = deep[: len(table)]
        found = dict(self._detected(table, deep))
        found |= library_values(table, self._features, self.feature_limits)
        if self.rainbow_fit:
            found |= fit_rainbow(table, self.rainbow_fit)
        absent = {key: why for key, why in found.items() if isinstance(why, Undefined) and key not in _NULLABLE}
        values = {key: value for key, value in found.items() if key not in absent}
        return values | averages(values, bands) | {"undefined": absent}

    def _detected(self, table: FluxTable, deep: Any) -> Iterator[tuple[str, Any]]:
        detected = deep & significant(table, self.sigma_det)
        if not detected.any():
            yield "ndet", 0
            yield "success", False
            yield "cause", "No data survive significance criteria."
            yield "alldet", len(table)
            yield "nnegdet", int((deep & (-table.flux > self.sigma_det * table.fluxerr)).sum())
            return
        times = table.time[detected]
        start, end = float(times[0]), float(times[-1])
        yield from summarise(table, deep, detected, self.max_tgap)
        slopes, values = self._bands(table, start, end)
        yield from values
        jd_peak, verdict = self._verdict(slopes, start, end)
        yield from verdict
        moments = {"det": start, "last": end} | ({} if jd_peak is None else {"peak": jd_peak})
        for suffix, jd in moments.items():
            yield from colours(table, jd, self.t_cadence, self.color_list, suffix)
        yield "success", True

    def _bands(
        self, table: FluxTable, start: float, end: float
    ) -> tuple[Sequence[BandSlopes], Iterable[tuple[str, Any]]]:
        within = (table.time > start - self.t_cadence) & (table.time < end + self.t_cadence)
        rows = table.select(within)
        highest = float(rows.flux.max())
        slopes: list[BandSlopes] = []
        values: dict[str, Any] = {}
        peaks: dict[str, Peaks] = {}
        for band, own in rows.by_band():
            slope, measured = measure_band(band, own, self._settings)
            slopes.append(slope)
            peak, spline = measure_spline(band, own, highest, self.t_cadence, self.dt_fluxevo)
            values |= measured | spline
            if peak is not None:
                peaks[band] = peak
        values |= ratios(peaks, self.color_list, self.dt_fluxevo)
        return slopes, values.items()

    def _verdict(
        self, slopes: Sequence[BandSlopes], start: float, end: float
    ) -> tuple[float | None, Iterable[tuple[str, Any]]]:
        rise = math.fsum(band.rise_pull or 0.0 for band in slopes) > self.sigma_slope
        fall = math.fsum(band.fall_pull or 0.0 for band in slopes) < -self.sigma_slope
        both = [band.jd_peak for band in slopes if band.rise_pull is not None and band.fall_pull is not None]
        peaked = rise and fall and bool(both)
        values: dict[str, Any] = {"bool_rise": rise, "bool_fall": fall, "bool_peaked": peaked}
        if not peaked:
            missing = Undefined(NOT_PEAKED)
            return None, (values | {"bool_fastrise": missing, "bool_fastfall": missing}).items()
        jd_peak = float(np.median(both))
        return jd_peak, (
            values
            | {
                "jd_peak": jd_peak,
                "bool_fastrise": abs(jd_peak - start) < self.t_cadence,
                "bool_fastfall": abs(end - jd_peak) < self.t_cadence,
                "t_rise": jd_peak - start,
                "t_fall": end - jd_peak,
            }
        ).items()
