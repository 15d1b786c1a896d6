"""Every field of an LSST alert that is a column, with its type and unit: schemas 9.0 to 11.1.

Fluxes are differences from the template, in nJy, negative where the object was brighter in the template;
times are Modified Julian Dates in International Atomic Time (TAI).
"""

from typing import Final

from ampeld.alert.fields import AvroType, Field, optional, required


def _measured(avro_type: AvroType, name: str, doc: str, unit: str) -> tuple[Field, Field]:
    """Return a measurement and its standard error."""
    return (
        optional(avro_type, name, f"{doc} [{unit}]"),
        optional("float", f"{name}Err", f"standard error of {name} [{unit}]"),
    )


def _flags(prefix: str, *docs: tuple[str, str]) -> tuple[Field, ...]:
    """Return boolean fields whose names share a beginning."""
    return tuple(optional("boolean", f"{prefix}{name}", doc) for name, doc in docs)


_POSITION: Final = (
    required("double", "ra", "right ascension, ICRS [deg]"),
    optional("float", "raErr", "standard error of ra, times cos(dec) [deg]"),
    required("double", "dec", "declination, ICRS [deg]"),
    optional("float", "decErr", "standard error of dec [deg]"),
    optional("float", "ra_dec_Cov", "covariance of ra times cos(dec) and dec [deg^2]"),
)
_PROCESSED: Final = (
    required("double", "timeProcessedMjdTai", "when the image was processed, MJD [d, TAI]"),
    optional("double", "timeWithdrawnMjdTai", "when the record was withdrawn, MJD [d, TAI]"),
)
_MIDPOINT: Final = required("double", "midpointMjdTai", "middle of the visit, MJD [d, TAI]")
_VISIT: Final = (
    required("long", "visit", "number of the visit"),
    required("int", "detector", "number of the detector, 0 to 188"),
)
_BAND: Final = optional("string", "band", "filter: u, g, r, i, z or y")
_DIFFERENCE: Final = _measured("float", "psfFlux", "flux of a point source in the difference image", "nJy")
_SCIENCE: Final = _measured("float", "scienceFlux", "flux of a point source in the visit image", "nJy")
# "Center" is the 3 x 3 pixels around the centroid, else any pixel of the footprint.
_PIXELS: Final = (
    ("bad", "bad pixel"),
    ("cr", "cosmic ray"),
    ("edge", "edge of the usable image"),
    ("nodata", "pixel without data"),
    ("interpolated", "interpolated pixel"),
    ("offimage", "the centre lies off the image"),
    ("saturated", "saturated pixel"),
    ("suspect", "suspect pixel"),
    ("streak", "streak"),
    ("injected", "injected source in the visit image"),
    ("injected_template", "injected source in the template"),
)
_WITHOUT_CENTER: Final = ("bad", "edge", "offimage")


def _pixel_flags() -> tuple[Field, ...]:
    flags = [("", "the flags of the pixels could not be set")]
    for name, doc in _PIXELS:
        flags.append((f"_{name}", f"{doc}: footprint"))
        if name not in _WITHOUT_CENTER:
            flags.append((f"_{name}Center", f"{doc}: 3 x 3 pixels around the centroid"))
    return _flags("pixelFlags", *flags)


DIA_SOURCE: Final[tuple[Field, ...]] = (
    required("long", "diaSourceId", "number of the detection"),
    *_VISIT,
    optional("long", "diaObjectId", "number of the object; null for one of the solar system"),
    optional("long", "ssObjectId", "number of the solar-system object"),
    optional("long", "parentDiaSourceId", "detection that this one was deblended from"),
    _MIDPOINT,
    optional("float", "exposureTime", "effective exposure time [s]"),
    *_POSITION,
    required("float", "x", "position in the image, x [pixel]"),
    optional("float", "xErr", "standard error of x [pixel]"),
    required("float", "y", "position in the image, y [pixel]"),
    optional("float", "yErr", "standard error of y [pixel]"),
    *_flags("centroid_", ("flag", "the centroid failed")),
    *_measured("float", "apFlux", "flux in an aperture of 12 pixels radius", "nJy"),
    *_flags("apFlux_", ("flag", "apFlux failed"), ("flag_apertureTruncated", "the aperture left the image")),
    optional("boolean", "isNegative", "detected as significantly negative"),
    optional("float", "snr", "signal-to-noise ratio of the detection"),
    *_DIFFERENCE,
    optional("float", "psfLnL", "log likelihood of the point source"),
    optional("float", "psfChi2", "chi-square of the point source"),
    optional("int", "psfNdata", "pixels in that fit"),
    *_flags("psfFlux_", ("flag", "psfFlux failed"), ("flag_edge", "too close to the edge for psfFlux")),
    *_flags("psfFlux_", ("flag_noGoodPixels", "too few good pixels for psfFlux")),
    *_measured("float", "trailFlux", "flux of a trailed source in the difference image", "nJy"),
    *_measured("double", "trailRa", "right ascension of the trail's centre", "deg"),
    *_measured("double", "trailDec", "declination of the trail's centre", "deg"),
    *_measured("float", "trailLength", "length of the trail", "arcsec"),
    *_measured("float", "trailAngle", "bearing of the trail from north", "deg"),
    optional("float", "trailChi2", "chi-square of the trail"),
    optional("int", "trailNdata", "pixels in that fit"),
    optional("int", "trailAlgorithm", "fit of the trail: 1 SDSSShape, 2 HSMShape"),
    *_flags("trail_", ("flag_edge", "the trail reaches the edge"), ("flag", "the trail failed")),
    *_measured("float", "dipoleMeanFlux", "mean absolute flux of the two lobes of a dipole", "nJy"),
    *_measured("float", "dipoleFluxDiff", "difference of their absolute fluxes", "nJy"),
    optional("float", "dipoleLength", "distance of the lobes [arcsec]"),
    optional("float", "dipoleAngle", "bearing from the negative to the positive lobe [deg]"),
    optional("float", "dipoleChi2", "chi-square of the dipole"),
    optional("int", "dipoleNdata", "pixels in that fit"),
    *_SCIENCE,
    *_flags("forced_PsfFlux_", ("flag", "scienceFlux failed"), ("flag_edge", "too close to the edge for scienceFlux")),
    *_flags("forced_PsfFlux_", ("flag_noGoodPixels", "too few good pixels for scienceFlux")),
    *_measured("float", "templateFlux", "flux of a point source in the template", "nJy"),
    *(optional("float", f"i{axes}", f"second moment {axes} of the source [arcsec^2]") for axes in ("xx", "yy", "xy")),
    *(optional("float", f"i{axes}PSF", f"second moment {axes} of the PSF [arcsec^2]") for axes in ("xx", "yy", "xy")),
    *_flags("shape_", ("flag", "the shape failed"), ("flag_no_pixels", "no pixels for the shape")),
    *_flags("shape_", ("flag_not_contained", "the centre lies outside the footprint")),
    *_flags("shape_", ("flag_parent_source", "not deblended: the parent of other sources")),
    optional("float", "extendedness", "0: like a star, 1: extended"),
    optional("float", "reliability", "score of the real-bogus classifier, 0 to 1: probably astrophysical"),
    optional("string", "reliabilityVersion", "version of the classifier behind reliability"),
    _BAND,
    *_flags("", ("isDipole", "well fitted by a dipole"), ("dipoleFitAttempted", "a dipole was fitted")),
    *_PROCESSED,
    optional("int", "bboxSize", "side of the square around the footprint [pixel]"),
    *_pixel_flags(),
    *_flags("", ("glint_trail", "part of a trail of glints")),
)
"""A detection in a difference image."""

DIA_FORCED_SOURCE: Final[tuple[Field, ...]] = (
    required("long", "diaForcedSourceId", "number of the measurement"),
    required("long", "diaObjectId", "number of the object"),
    required("double", "ra", "right ascension of the object, ICRS [deg]"),
    required("double", "dec", "declination of the object, ICRS [deg]"),
    *_VISIT,
    *_DIFFERENCE,
    _MIDPOINT,
    *_SCIENCE,
    _BAND,
    *_PROCESSED,
)
"""Forced photometry at the position of the object."""

DIA_NONDETECTION_LIMIT: Final[tuple[Field, ...]] = (
    required("long", "ccdVisitId", "number of the visit and detector"),
    _MIDPOINT,
    required("string", "band", _BAND.unit_doc),
    required("float", "diaNoise", "noise of the difference image [nJy], 1 sigma"),
)
"""A visit that did not detect the object, as schemas up to 7.4 have it; newer ones carry none so far."""


def _object_fields(band: str) -> tuple[Field, ...]:
    """Return what is known of an object's light curve in one band."""
    mean = f"weighted mean of {{}} in {band}"
    return (
        *_measured("float", f"{band}_psfFluxMean", mean.format("psfFlux"), "nJy"),
        optional("float", f"{band}_psfFluxSigma", f"standard deviation of psfFlux in {band} [nJy]"),
        optional("int", f"{band}_psfFluxNdata", f"detections in {band}"),
        *_measured("float", f"{band}_fpFluxMean", mean.format("forced fluxes"), "nJy"),
        *_measured("float", f"{band}_scienceFluxMean", mean.format("scienceFlux"), "nJy"),
        optional("float", f"{band}_psfFluxMin", f"lowest psfFlux in {band} [nJy]"),
        optional("float", f"{band}_psfFluxMax", f"highest psfFlux in {band} [nJy]"),
        optional("float", f"{band}_psfFluxMaxSlope", f"steepest rise of psfFlux in {band} [nJy/d]"),
        optional("float", f"{band}_psfFluxErrMean", f"mean of psfFluxErr in {band} [nJy]"),
    )


DIA_OBJECT: Final[tuple[Field, ...]] = (
    required("long", "diaObjectId", "number of the object"),
    required("double", "validityStartMjdTai", "from when on this record holds, MJD [d, TAI]"),
    *_POSITION,
    *(field for band in "ugrizy" for field in _object_fields(band)),
    optional("double", "firstDiaSourceMjdTai", "first detection, MJD [d, TAI]"),
    optional("double", "lastDiaSourceMjdTai", "last detection, MJD [d, TAI]"),
    required("int", "nDiaSources", "detections of the object since the survey began"),
)
"""What is known of the object, this alert's detection included."""

SS_SOURCE: Final[tuple[Field, ...]] = (
    optional("long", "ssObjectId", "number of the solar-system object"),
    optional("string", "designation", "its provisional designation"),
    optional("float", "elongation", "angle from the Sun [deg]"),
    optional("float", "phaseAngle", "angle between the Sun and us, seen from the object [deg]"),
    optional("float", "topoRange", "distance from us [au]"),
    optional("float", "helioRange", "distance from the Sun [au]"),
    optional("double", "ephRa", "predicted right ascension, ICRS [deg]"),
    optional("double", "ephDec", "predicted declination, ICRS [deg]"),
    optional("float", "ephVmag", "predicted V magnitude [mag]"),
    optional("float", "ephOffset", "distance from the prediction [arcsec]"),
)
"""The solar-system object that the detection belongs to, where there is one: schemas from 10.0 on."""

ROOT: Final[tuple[Field, ...]] = (
    required("long", "diaSourceId", "number of the detection that triggered the alert"),
    optional("string", "observation_reason", "why the scheduler took the image"),
    optional("string", "target_name", "what the scheduler aimed at"),
)
"""What stands in the packet beside its records."""
