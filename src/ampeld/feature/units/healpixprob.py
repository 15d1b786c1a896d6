"""How probable a sky map makes it that an object is its source."""

import math
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, ClassVar, Literal

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_DETECTION, NO_FIELD, NO_INPUT, OUT_OF_LIMITS
from ampeld.feature.skymap import SkyMap
from ampeld.feature.unit import Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.sky_astropy import without_downloads


class HealpixProb(StateUnit):
    """Density, credible level and distance of a sky map at an object's position; AMPEL's T2HealpixProb.

    The position is the mean of the detections. Maps are FITS files, gzipped or not: multi-order (UNIQ, PROBDENSITY)
    or flat, in RING or NESTED order, whole or with a column of cell numbers; DISTMU, DISTSIGMA, DISTNORM are optional.

    A flat map of 512 pixels a side with distances takes some 400 MB while it is read and 200 MB from then on, one of
    1024 four times that; multi-order ones are small.

    Parameters
    ----------
    map
        The file: beside the channel file, or a whole path.
    map_name
        What it is called in the body; the file's name if empty.
    pvalue_limit
        The probability whose area ``map_area`` is, above 0 and up to 1.
    map_hash
        What its hash must be, as ``map_hash`` tells it; None: any.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2HealpixProb.

    AMPEL: cells of equal probability are in any order; here: in that of their numbers.
    AMPEL: the plain mean of ra, wrong across 0; here: the mean on the sphere.
    AMPEL: the area leaves out the cell in which the probability is reached; here: it is counted.
    AMPEL: ``map_dist`` is the mean of the whole sky; here: of the line of sight, by the moments of Singer et al. 2016
    (ApJS 226, 10), where the map has the layers for it; the whole sky's is ``map_dist_sky``.
    AMPEL: the map comes with a datapoint, which tells ``unfiltered_alerts`` and ``queried_alerts``; here: with a file,
    and these keys are absent.
    """

    values: ClassVar[tuple[Value, ...]] = (
        Value("cumprob", "", "credible level of the position: probability of all cells at least as dense"),
        Value("density", "1 / deg2", "probability per area at the position"),
        Value("map_name", "", "the map", "text"),
        Value("map_hash", "", "AMPEL's hash of its cumulative probabilities", "text"),
        Value("map_area", "deg2", "area of the most probable cells that hold pvalue_limit"),
        Value("trigger_time", "d", "when the event happened, DATE-OBS of the map [JD]"),
        Value("map_dist", "Mpc", "mean distance along the line of sight, else of the whole sky"),
        Value("map_dist_unc", "Mpc", "its standard deviation"),
        Value("map_dist_sky", "Mpc", "mean distance of the whole sky, DISTMEAN"),
        Value("map_dist_sky_unc", "Mpc", "its standard deviation, DISTSTD"),
        Value("map_dist_mu", "Mpc", "DISTMU of the cell"),
        Value("map_dist_sigma", "Mpc", "DISTSIGMA of the cell"),
        Value("map_dist_norm", "1 / Mpc2", "DISTNORM of the cell"),
        Value("seed", "", "SEED of the map, else its file's name", "text"),
    )

    map: str
    map_name: str = ""
    pvalue_limit: float = 0.9
    map_hash: str | None = None

    def prepare(self) -> None:
        """Look at the level."""
        if not 0 < self.pvalue_limit <= 1:
            raise ValueError(f"pvalue_limit: {self.pvalue_limit}: above 0 and up to 1")
        self._map: SkyMap | None = None
        self._whole: dict[str, Any] = {}

    def needs(self) -> Iterator[tuple[Literal["catalog", "file", "path"], str]]:
        """Yield the map's file."""
        yield "file", self.map

    def open(self, resources: Resources) -> None:
        """Read the map.

        Raises
        ------
        ValueError
            If it is none, or not the one that is meant.
        """
        from ampeld.feature.skymap_read import read_skymap  # noqa: PLC0415  astropy, for those who have a map

        try:
            read = read_skymap(resources.read(self.map))
        except ValueError as error:
            raise ValueError(f"map: {self.map}: {error}") from error
        if self.map_hash is not None and read.digest != self.map_hash:
            raise ValueError(f"map: {self.map}: its hash is {read.digest}, and {self.map_hash} is expected")
        self._whole = {
            "map_name": self.map_name or PurePath(self.map).name,
            "map_hash": read.digest,
            "trigger_time": _trigger_time(read.header),
            "map_area": read.area_within(self.pvalue_limit),
            "seed": str(read.header.get("SEED", PurePath(self.map).name)),
            "map_dist_sky": _header_number(read.header, "DISTMEAN"),
            "map_dist_sky_unc": _header_number(read.header, "DISTSTD"),
        }
        self._map = read

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return what the map tells of the position."""
        if self._map is None:
            return Undefined(NO_INPUT, "the map has not been opened")
        detections = light_curve.detections
        if len(detections) == 0:
            return Undefined(NO_DETECTION)
        position = detections.position()
        if position is None:
            return Undefined(NO_FIELD, "no detection has a position")
        return self._whole | self._at(self._map, *position)

    def _at(self, read: SkyMap, ra: float, dec: float) -> dict[str, Any]:
        cell = read.at(ra, dec)
        sky = {"map_dist": self._whole["map_dist_sky"], "map_dist_unc": self._whole["map_dist_sky_unc"]}
        if cell is None:
            # what a map in part leaves out has no probability
            return {"cumprob": 1.0, "density": 0.0, **sky}
        found: dict[str, Any] = {"cumprob": read.level(cell), "density": read.density(cell)}
        along = read.distance(cell)
        if along is None:
            return found | sky
        mean, spread = along.moments()
        far = Undefined(OUT_OF_LIMITS, "the distance along the line of sight has no finite mean")
        return found | {
            "map_dist": mean if math.isfinite(mean) else far,
            "map_dist_unc": spread if math.isfinite(spread) else far,
            "map_dist_mu": along.mu,
            "map_dist_sigma": along.sigma,
            "map_dist_norm": along.norm,
        }


def _trigger_time(header: Any) -> float | Undefined:
    from astropy.time import Time  # noqa: PLC0415  as above

    try:
        if "DATE-OBS" in header:
            with without_downloads():
                return float(Time(str(header["DATE-OBS"]).removesuffix("Z"), scale="utc").jd)
        if "MJD-OBS" in header:
            return float(header["MJD-OBS"]) + 2400000.5
    except ValueError:
        return Undefined(NO_FIELD, f"DATE-OBS of the map is no time: {header['DATE-OBS']!r:.40}")
    return Undefined(NO_FIELD, "the map does not tell DATE-OBS")


def _header_number(header: Any, key: str) -> float | Undefined:
    value = header.get(key)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return Undefined(NO_FIELD, f"the map does not tell {key}")
