"""Bayesian blocks: levels of a light curve between change points, and which of them rise above its baseline."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_ERROR, TOO_FEW_POINTS
from ampeld.feature.unit import Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.blocks_body import Levels, body_of, empty_body
from ampeld.feature.units.blocks_levels import Rules, settle_levels
from ampeld.feature.units.blocks_points import PREFIX, BlockPoints, DataType, points_of, without_outliers
from ampeld.feature.units.blocks_segments import blocks_of, edges_of, prior_of
from ampeld.feature.units.blocks_values import VALUES
from ampeld.names import did_you_mean


class BayesianBlocks(StateUnit):
    """Regions of a light curve that stand out from its baseline, by Bayesian blocks; AMPEL's T2BayesianBlocks.

    The points of each filter are cut into blocks of constant level (Scargle et al. 2013, ApJ 764, 167, fitness of
    point measurements, by astropy). The faintest blocks are the baseline; runs of others are excess regions.

    Parameters
    ----------
    data_type
        Whose points: ``wise`` (fields ``filter``, ``mean_flux``, ``flux_rms``, ``flux_ul``, ``magpsf``, ``sigmapsf``,
        ``mag_ul``), ``ztf_alert``, ``ztf_fp``, ``ztf_fp_noisy``, or ``lsst``.
    filters
        ``ZTF_g``, ``ZTF_r``, ``ZTF_i``; ``LSST_u`` to ``LSST_y``; or the points' own, as in ``Wise_W1``.
    flux
        Whether fluxes are taken (WISE's ``mean_flux``; ``flux_Jy`` where forced photometry has it; else in nJy, with
        their sign) instead of magnitudes.
    Npoints
        Whether a lone excess of one point that was made of one exposure, above 5 sigma, is an outlier (WISE).
    min_det_per_block
        Blocks with fewer points are dropped.
    rej_sigma
        How far from the baseline a block still belongs to it [sigma].
    plot
        AMPEL's; without effect.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2BayesianBlocks.

    AMPEL: the running median of ZTF's outlier rejection trails, and the first 9 points are always lost; here: it is
    centred and shrinks at the ends.
    AMPEL: ``ztf_alert`` raises for want of a prior; here: that of Scargle et al. 2013.
    AMPEL: filters are read by their position in the list; here: by name.
    AMPEL: in magnitudes, brightening is negative and the least bright block is taken for the peak; here: sigma,
    strength and significance are positive for what is brighter, in magnitudes too.
    AMPEL: the time scale goes through a text of six digits; here: it does not.
    AMPEL: ``significance_of_fluctuation`` forgets the fluctuations before the peak; these are
    ``significance_of_fluctuation_before``.
    Negative subtractions of ZTF count as magnitudes, as in AMPEL.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "filter",
        "mean_flux",
        "flux_rms",
        "flux_ul",
        "flux_density_Npoints",
        "mag_ul",
        "mag_Npoints",
        "flux_Jy",
        "flux_err_Jy",
    )
    slow: ClassVar[bool] = True
    values: ClassVar[tuple[Value, ...]] = VALUES

    filters: tuple[str, ...]
    data_type: DataType = "wise"
    flux: bool = False
    Npoints: bool = False
    min_det_per_block: int = 1
    rej_sigma: float = 3.0
    plot: bool = True

    def prepare(self) -> None:
        """Look at the filters."""
        if not self.filters:
            raise ValueError("filters: none is named")
        if len(set(self.filters)) < len(self.filters):
            raise ValueError("filters: one is named twice")
        bands = "ugrizy" if self.data_type == "lsst" else "gri"
        known = [PREFIX[self.data_type] + band for band in bands] if self.data_type in PREFIX else self.filters
        for name in self.filters:
            if name not in known:
                raise ValueError(f"filters: {self.data_type} has no {name!r}{did_you_mean(name, known)}")
        if not self.rej_sigma > 0:
            raise ValueError(f"rej_sigma: {self.rej_sigma}: above 0")

    def open(self, resources: Resources) -> None:  # noqa: ARG002  it needs none but astropy
        """Import astropy's part before the first measurement."""
        import astropy.stats  # noqa: F401, PLC0415  it takes a second

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the blocks' values by filter, and how the filters agree."""
        body: dict[str, Any] = {name: self._of_filter(light_curve, name) for name in self.filters}
        return body | _agreement([(name, body[name]) for name in self.filters], up=1.0 if self.flux else -1.0)

    def _of_filter(self, light_curve: LightCurve, name: str) -> dict[str, Any]:
        points, unusable = points_of(light_curve, name, self.data_type, flux=self.flux)
        if self.data_type in ("ztf_alert", "ztf_fp", "ztf_fp_noisy"):
            points = without_outliers(points)
        if len(points.jd) < 2:
            without = f"{unusable} without value or error" if unusable else ""
            return empty_body(Undefined(NO_ERROR if unusable else TOO_FEW_POINTS, without))
        return self._of_points(points, prior_of(self.data_type, len(points.jd)))

    def _of_points(self, points: BlockPoints, prior: float) -> dict[str, Any]:
        wise = self.data_type == "wise"
        blocks = [
            block
            for block in blocks_of(points, edges_of(points, prior), scatter=not wise)
            if block.size >= self.min_det_per_block
        ]
        if not blocks:
            return empty_body(Undefined(TOO_FEW_POINTS, f"no block has {self.min_det_per_block} points"))
        baseline, excess = settle_levels(points, blocks, Rules(self.rej_sigma, self.flux, wise))
        levels = Levels(points, blocks, baseline, excess, 1.0 if self.flux else -1.0)
        return body_of(levels, numbers=self.Npoints and wise)


def _agreement(bodies: Sequence[tuple[str, Mapping[str, Any]]], *, up: float) -> dict[str, Any]:
    """Return whether the peak regions of two filters overlap, and the most significant region of the last one."""
    with_excess = [body for _, body in bodies if body["jd_excess_regions"]]
    peaks = [_peak_region(body, up) for name, body in bodies if body["jd_excess_regions"] and name != "ZTF_i"]
    meet = any(_overlap(one, other) >= 0 for i, one in enumerate(peaks) for other in peaks[i + 1 :])
    start, size = None, 0.0
    if with_excess:
        sigma = with_excess[-1]["max_sigma_excess_region"]
        region = with_excess[-1]["jd_excess_regions"][max(range(len(sigma)), key=sigma.__getitem__)]
        start, size = region[0], region[1] - region[0]
    return {
        "coincide_peak_block": 1 if meet else -1,
        "overlapping_regions_count": _overlaps([body["jd_excess_regions"] for _, body in bodies[:2]]),
        "start_excess": start,
        "size_excess": size,
    }


def _peak_region(body: Mapping[str, Any], up: float) -> Sequence[float]:
    brightest = [up * value for value in body["max_mag_excess_region"]]
    region: Sequence[float] = body["jd_excess_regions"][max(range(len(brightest)), key=brightest.__getitem__)]
    return region


def _overlaps(pair: Sequence[Sequence[Sequence[float]]]) -> int:
    """Return how many regions of the second filter overlap one of the first; each counts once."""
    if len(pair) < 2:
        return 0
    return sum(any(_overlap(one, other) > 0 for one in pair[0]) for other in pair[1])


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])
