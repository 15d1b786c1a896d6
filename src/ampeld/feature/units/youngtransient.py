"""The unit YoungTransient: what the channels that look for young transients cut on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_DETECTION, NO_LIMIT, NO_REDSHIFT
from ampeld.feature.unit import Dependency, Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.eval_cosmology import distance_modulus
from ampeld.feature.units.redshift import number
from ampeld.feature.units.young_band import SHAPE, brightness, brightness_keys, course, gaps, shape, shape_keys
from ampeld.feature.units.young_colour import colours, slopes
from ampeld.feature.units.young_context import READS, surroundings
from ampeld.feature.units.young_points import Choice, Chosen, Points, choose, sorted_bands
from ampeld.feature.units.young_rates import first_rate, jump, last_rate
from ampeld.feature.units.young_values import OVERALL, YOUNG

_NOTHING: Final = dict.fromkeys((value.key for value in OVERALL), Undefined(NO_DETECTION))
_NOON: Final = {"ztf": 0.3246, "lsst": 0.1965}  # [d] after noon in Greenwich: 116.86 and 70.75 deg west


class YoungTransient(StateUnit):
    """Age, rise, colours and surroundings of a young transient: fluxes in nJy, magnitudes beside them.

    The same for ZTF and LSST.
    A detection is one of the survey's own pipeline; of one band and time there is one.
    Brightness, rates, colours and variability are of detections brighter than the reference image; ``jump_sigma``
    is of everything measured, forced photometry too.
    Keys of a band, or of two, are there when it has such detections; all others always, with a reason where there is
    no value.
    Rates are slopes of weighted lines, errors follow from those of the points.

    Parameters
    ----------
    min_reliability
        Least ``rb`` (ZTF) or ``reliability`` (LSST) of a detection, 0 to 1; 0: any, unknown ones too.
    min_limit
        The least limit that is good, 5 sigma [mag AB].
    forced_sigma
        Forced photometry below this many errors is a limit, of five errors.
    sigmas
        By how many errors two fluxes must differ for a rise or a fall.
    max_gap
        How far apart two neighbouring detections may be [d].
    min_dt
        Least time between the two detections of ``rate_last`` [d].
    color_dt
        How far from a moment the detections of its colour may lie [d].
    pair_dt
        How far apart the two detections of a pair may lie whose colours make ``colour_slope`` [d].
    stationary_dt
        How far apart two detections are that no asteroid makes [d].
    sso_radius
        How near a known solar-system object must be [arcsec].
    extinction
        By band: extinction [mag] that fluxes, magnitudes and limits are corrected for; none unless given.
    redshifts
        Parameters of DigestRedshifts, on which ``abs_mag_peak`` then builds.
    fixed_z
        A redshift to take instead.

    Notes
    -----
    What brokers' users cut on (AMPEL, ALeRCE, Fink, Lasair, BOOM), each with its own definition there; here:

    - ``bool_rising``, ``bool_peaked``, ``bool_fading``, ``t_rise``, ``t_fall``, rates and variability without a band's
      name are those of ``lead_band``. AMPEL compares peak and last detection across bands, where a colour looks like
      a change.
    - ``bool_pure`` asks for limits between first and last detection, in bands with detections. AMPEL's also counts
      limits after the last one, and of any band.
    - Statistics are defined as in the ``light-curve`` package, of fluxes; ``amplitude`` and ``standard_deviation`` of
      magnitudes.
    """

    min_points: ClassVar[int] = 0
    reads: ClassVar[tuple[str, ...]] = READS
    values: ClassVar[tuple[Value, ...]] = YOUNG

    min_reliability: float = 0.0
    min_limit: float = 20.0
    forced_sigma: float = 3.0
    sigmas: float = 3.0
    max_gap: float = 30.0
    min_dt: float = 0.01
    color_dt: float = 2.0
    pair_dt: float = 0.5
    stationary_dt: float = 0.02
    sso_radius: float = 5.0
    extinction: Mapping[str, float] = {}
    redshifts: Mapping[str, Any] | None = None
    fixed_z: float | None = None

    def prepare(self) -> None:
        """Look at the parameters."""
        for name in ("forced_sigma", "sigmas", "max_gap", "min_dt", "color_dt", "pair_dt", "stationary_dt"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name):g}: a number > 0")
        if self.fixed_z is not None and not 0 < self.fixed_z < 20:
            raise ValueError(f"fixed_z: {self.fixed_z:g}: a redshift is > 0 and < 20")
        if self.fixed_z is not None and self.redshifts is not None:
            raise ValueError("fixed_z: either this or redshifts")
        for band, mag in self.extinction.items():
            if not 0 <= mag < 20:
                raise ValueError(f"extinction: {mag:g} in {band}: magnitudes are 0 to 20")
        self._choice = Choice(self.min_reliability, self.min_limit, self.forced_sigma, self.extinction)

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return DigestRedshifts, if it was asked for."""
        return () if self.redshifts is None else (Dependency("DigestRedshifts", self.redshifts),)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Return what can be told of the light curve."""
        curve = light_curve.deduplicated()
        chosen = choose(curve, self._choice)
        body: dict[str, Any] = dict(_NOTHING)
        n_pos = sum([len(points.jd) for points in chosen.positive.values()])
        body["ndet"], body["n_pos"] = len(chosen.jd), n_pos
        body["n_nights"] = len({math.floor(jd - _NOON.get(curve.survey, 0.0)) for jd in chosen.jd})
        body["stationary"] = len(chosen.jd) > 1 and chosen.jd[-1] - chosen.jd[0] >= self.stationary_dt
        for band in sorted_bands(chosen.counts):
            body[f"ndet_{band}"] = chosen.counts[band]
        body |= surroundings([curve.bodies[row] for row in chosen.rows], self.sso_radius)
        if chosen.jd:
            body["frac_pos"] = n_pos / len(chosen.jd)
            body["bool_hasgaps"] = gaps(chosen.jd, self.max_gap)
            body["jump_sigma"] = jump(chosen.measured, curve.jd.item(-1))
        if n_pos:
            self._positive(body, chosen)
            body["redshift"], body["abs_mag_peak"] = self._absolute(body["mag_peak"], inputs)
        return body

    def _positive(self, body: dict[str, Any], chosen: Chosen) -> None:
        """Add what is measured of detections brighter than the reference image; there is one."""
        positive = chosen.positive
        bands = sorted_bands(positive)
        lead = max(bands, key=lambda band: len(positive[band].jd))
        first = min(bands, key=lambda band: positive[band].jd[0])
        last = max(bands, key=lambda band: positive[band].jd[-1])
        top = max(bands, key=lambda band: max(positive[band].flux))
        # What is of the lead band alone stands under the plain names, too.
        overall = {"first": (first, 0), "last": (last, -1), "peak": (top, positive[top].peak)}
        for where, (band, row) in overall.items():
            body.update(zip(brightness_keys(where), brightness(positive[band], row), strict=True))
            body[f"band_{where}"] = band
        body["t_first"], body["t_last"] = positive[first].jd[0], positive[last].jd[-1]
        body["age"] = body["t_last"] - body["t_first"]
        body["t_peak"] = positive[top].jd[positive[top].peak]
        body["lead_band"] = lead
        for band in bands:
            _add_band(body, band, positive[band], lead=band == lead)
        body |= course(positive[lead], self.sigmas)
        body |= _purity(chosen, body["t_first"], body["t_last"])
        body |= first_rate(positive[first], first, chosen.limits)
        body |= last_rate(positive, self.min_dt)
        moments = {"first": body["t_first"], "peak": body["t_peak"], "last": body["t_last"]}
        body |= colours(positive, moments, self.color_dt)
        body |= slopes(positive, self.pair_dt)

    def _absolute(self, mag: float, inputs: Sequence[Input]) -> tuple[float | Undefined, float | Undefined]:
        z = self.fixed_z
        if z is None and inputs and inputs[0] is not None:
            z = number(inputs[0].get("ampel_z"))
        if z is None or z <= 0:
            return Undefined(NO_REDSHIFT), Undefined(NO_REDSHIFT)
        return z, mag - distance_modulus(z)


def _add_band(body: dict[str, Any], band: str, points: Points, *, lead: bool) -> None:
    peak, measured = points.peak, shape(points)
    body.update(zip(shape_keys(band), measured, strict=True))
    if lead:
        body.update(zip(SHAPE, measured, strict=True))
    for where, row in (("first", 0), ("last", -1), ("peak", peak)):
        body.update(zip(brightness_keys(where, band), brightness(points, row), strict=True))
    body[f"t_peak_{band}"] = points.jd[peak]


def _purity(chosen: Chosen, first: float, last: float) -> dict[str, Any]:
    before = [limit.jd for limit in chosen.limits if limit.jd < first]
    between = any(first < limit.jd < last and limit.band in chosen.positive for limit in chosen.limits)
    return {
        "t_predetect": first - before[-1] if before else Undefined(NO_LIMIT),
        "bool_pure": not between,
    }
