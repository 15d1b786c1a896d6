"""Every field that a ZTF alert is known to carry, with its type and unit: schemas 3.0 to 4.02."""

from typing import Final, Literal

import msgspec

AvroType = Literal["double", "float", "int", "long", "string"]
FieldKind = Literal["float", "int", "string"]
"""How a field stands in a column: float64, int64 or text."""

_KINDS: Final[dict[AvroType, FieldKind]] = {
    "double": "float",
    "float": "float",
    "int": "int",
    "long": "int",
    "string": "string",
}


class Field(msgspec.Struct, frozen=True):
    """A field of a record, as schema 4.01 has it."""

    name: str
    avro_type: AvroType
    nullable: bool
    unit_doc: str

    @property
    def kind(self) -> FieldKind:
        """Return how the field stands in a column."""
        return _KINDS[self.avro_type]


def _required(avro_type: AvroType, name: str, doc: str) -> Field:
    return Field(name, avro_type, False, doc)


def _optional(avro_type: AvroType, name: str, doc: str) -> Field:
    return Field(name, avro_type, True, doc)


def _ps1(rank: int) -> tuple[Field, ...]:
    """Return the brightness and the likeness of one of the nearest PS1 sources, within 30 arcsec."""
    where = f"of PS1 source {rank}"
    return (
        *(_optional("float", f"s{band}mag{rank}", f"PSF magnitude in {band} {where} [mag]") for band in "griz"),
        _optional("float", f"sgscore{rank}", f"star-galaxy score {where}, 1: a star"),
        _optional("float", f"distpsnr{rank}", f"distance {where} [arcsec]"),
    )


CANDIDATE: Final[tuple[Field, ...]] = (
    _required("double", "jd", "start of the exposure, Julian date [d]"),
    _required("int", "fid", "filter: 1 g, 2 r, 3 i"),
    _required("long", "pid", "processing number of the science image; its digits hold rcid"),
    _optional("float", "diffmaglim", "5 sigma limit of the difference image [mag]"),
    _optional("string", "pdiffimfilename", "file of the difference image"),
    _optional("string", "programpi", "investigator of the programme"),
    _required("int", "programid", "programme: 1 public, 2 partnership, 3 Caltech, 0 engineering"),
    _required("long", "candid", "number of the detection"),
    _required("string", "isdiffpos", "t or 1: brighter than the reference; f or 0: fainter"),
    _optional("long", "tblid", "number of the extraction in the pipeline"),
    _optional("int", "nid", "number of the night"),
    _optional("int", "rcid", "readout quadrant, 0 to 63"),
    _optional("int", "field", "number of the ZTF field"),
    _optional("float", "xpos", "position in the image, x [pixel]"),
    _optional("float", "ypos", "position in the image, y [pixel]"),
    _required("double", "ra", "right ascension, J2000 [deg]"),
    _required("double", "dec", "declination, J2000 [deg]"),
    _required("float", "magpsf", "magnitude from the fit of the point spread function [mag]"),
    _required("float", "sigmapsf", "standard error of magpsf [mag]"),
    _optional("float", "chipsf", "reduced chi-square of that fit"),
    _optional("float", "magap", "magnitude in an aperture of 14 pixels [mag]"),
    _optional("float", "sigmagap", "standard error of magap [mag]"),
    _optional("float", "distnr", "distance of the nearest reference source [pixel]"),
    _optional("float", "magnr", "magnitude of the nearest reference source [mag]"),
    _optional("float", "sigmagnr", "standard error of magnr [mag]"),
    _optional("float", "chinr", "DAOPhot chi of the nearest reference source"),
    _optional("float", "sharpnr", "DAOPhot sharpness of the nearest reference source"),
    _optional("float", "sky", "local background [DN]"),
    _optional("float", "magdiff", "magap - magpsf [mag]"),
    _optional("float", "fwhm", "full width at half maximum of a Gaussian core [pixel]"),
    _optional("float", "classtar", "SExtractor's star score, 1: a star"),
    _optional("float", "mindtoedge", "distance to the nearest edge of the image [pixel]"),
    _optional("float", "magfromlim", "diffmaglim - magap [mag]"),
    _optional("float", "seeratio", "width in the difference image over fwhm"),
    _optional("float", "aimage", "windowed spread along the major axis [pixel]"),
    _optional("float", "bimage", "windowed spread along the minor axis [pixel]"),
    _optional("float", "aimagerat", "aimage / fwhm"),
    _optional("float", "bimagerat", "bimage / fwhm"),
    _optional("float", "elong", "aimage / bimage"),
    _optional("int", "nneg", "negative pixels in 5 x 5"),
    _optional("int", "nbad", "bad pixels in 5 x 5"),
    _optional("float", "rb", "real-bogus score of the random forest, 0 to 1"),
    _optional("float", "ssdistnr", "distance of the nearest known solar-system object [arcsec]"),
    _optional("float", "ssmagnr", "magnitude of that object [mag]"),
    _optional("string", "ssnamenr", "name of that object"),
    _optional("float", "sumrat", "sum of pixels over sum of their absolute values in 5 x 5"),
    _optional("float", "magapbig", "magnitude in an aperture of 18 pixels [mag]"),
    _optional("float", "sigmagapbig", "standard error of magapbig [mag]"),
    _required("double", "ranr", "right ascension of the nearest reference source, J2000 [deg]"),
    _required("double", "decnr", "declination of the nearest reference source, J2000 [deg]"),
    *_ps1(1),
    _required("int", "ndethist", "detections within 1.5 arcsec since the survey began"),
    _required("int", "ncovhist", "times the position was observed since the survey began"),
    _optional("double", "jdstarthist", "first detection counted in ndethist, Julian date [d]"),
    _optional("double", "jdendhist", "last detection counted in ndethist, Julian date [d]"),
    _optional("double", "scorr", "signal-to-noise ratio of the peak pixel"),
    _optional("int", "tooflag", "1: exposure for a target of opportunity"),
    _optional("long", "objectidps1", "number of PS1 source 1"),
    _optional("long", "objectidps2", "number of PS1 source 2"),
    *_ps1(2),
    _optional("long", "objectidps3", "number of PS1 source 3"),
    *_ps1(3),
    _required("int", "nmtchps", "PS1 sources within 30 arcsec"),
    _required("long", "rfid", "processing number of the reference image"),
    _required("double", "jdstartref", "earliest exposure of the reference image, Julian date [d]"),
    _required("double", "jdendref", "latest exposure of the reference image, Julian date [d]"),
    _required("int", "nframesref", "exposures in the reference image"),
    _required("string", "rbversion", "version of the classifier behind rb"),
    _optional("float", "dsnrms", "difference image over its standard deviation, at the position"),
    _optional("float", "ssnrms", "convolved difference image over its standard deviation, at the position"),
    _optional("float", "dsdiff", "dsnrms - ssnrms"),
    _optional("float", "magzpsci", "zero point of the science image [mag]"),
    _optional("float", "magzpsciunc", "standard error of magzpsci [mag]"),
    _optional("float", "magzpscirms", "scatter of the calibrators around magzpsci [mag]"),
    _required("int", "nmatches", "PS1 calibrators of the science image"),
    _optional("float", "clrcoeff", "colour coefficient of the calibration"),
    _optional("float", "clrcounc", "standard error of clrcoeff"),
    _optional("float", "zpclrcov", "covariance of magzpsci and clrcoeff [mag^2]"),
    _optional("float", "zpmed", "zero point from the median of the calibrators [mag]"),
    _optional("float", "clrmed", "median colour of the calibrators [mag]"),
    _optional("float", "clrrms", "scatter of the colour of the calibrators [mag]"),
    _optional("float", "neargaia", "distance of the nearest Gaia source [arcsec]"),
    _optional("float", "neargaiabright", "distance of the nearest Gaia source brighter than 14 [arcsec]"),
    _optional("float", "maggaia", "G magnitude of the nearest Gaia source [mag]"),
    _optional("float", "maggaiabright", "G magnitude of the nearest Gaia source brighter than 14 [mag]"),
    _optional("float", "exptime", "exposure time [s]"),
    _optional("float", "drb", "real-bogus score of the neural network, 0 to 1"),
    _required("string", "drbversion", "version of the classifier behind drb"),
)
"""The detection that triggered the alert."""

_BY_NAME: Final = {field.name: field for field in CANDIDATE}
_ABSENT_FROM_LIMITS: Final = {"candid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf", "ranr", "decnr"}


def _previous(*names: str) -> tuple[Field, ...]:
    """Return fields of the candidate as the history has them: what an upper limit lacks is nullable there."""
    fields = (_BY_NAME[name] for name in names)
    return tuple(
        Field(field.name, field.avro_type, field.nullable or field.name in _ABSENT_FROM_LIMITS, field.unit_doc)
        for field in fields
    )


_UP_TO_DECNR: Final = tuple(field.name for field in CANDIDATE[: tuple(_BY_NAME).index("decnr") + 1])
_CALIBRATION: Final = ("magzpsci", "magzpsciunc", "magzpscirms", "clrcoeff", "clrcounc")

PRV_CANDIDATE: Final[tuple[Field, ...]] = _previous(*_UP_TO_DECNR, "scorr", *_CALIBRATION, "rbversion")
"""A detection or an upper limit of the last 30 days."""

FP_HIST: Final[tuple[Field, ...]] = (
    *_previous("field", "rcid", "fid", "pid", "rfid"),
    _optional("float", "sciinpseeing", "seeing of the science image [pixel]"),
    _optional("float", "scibckgnd", "background of the science image [DN]"),
    _optional("float", "scisigpix", "robust noise of a pixel of the science image [DN]"),
    *_previous(*_CALIBRATION, "exptime"),
    _optional("float", "adpctdif1", "astrometric scatter against Gaia in right ascension [arcsec]"),
    _optional("float", "adpctdif2", "astrometric scatter against Gaia in declination [arcsec]"),
    *_previous("diffmaglim", "programid", "jd"),
    _optional("float", "forcediffimflux", "forced flux in the difference image [DN]"),
    _optional("float", "forcediffimfluxunc", "standard error of forcediffimflux [DN]"),
    _optional("string", "procstatus", "status of the forced photometry, 0: no warning"),
    _optional("float", "distnr", "distance of the nearest reference source [arcsec]"),
    _required("double", "ranr", "right ascension of the nearest reference source, J2000 [deg]"),
    _required("double", "decnr", "declination of the nearest reference source, J2000 [deg]"),
    *_previous("magnr", "sigmagnr", "chinr", "sharpnr"),
)
"""A measurement of forced photometry at the position of the object."""
