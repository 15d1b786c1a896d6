"""Every field that a ZTF alert is known to carry, with its type and unit: schemas 3.0 to 4.02."""

from typing import Final

from ampeld.alert.fields import Field, optional, required


def _ps1(rank: int) -> tuple[Field, ...]:
    """Return the brightness and the likeness of one of the nearest PS1 sources, within 30 arcsec."""
    where = f"of PS1 source {rank}"
    return (
        *(optional("float", f"s{band}mag{rank}", f"PSF magnitude in {band} {where} [mag]") for band in "griz"),
        optional("float", f"sgscore{rank}", f"star-galaxy score {where}, 1: a star"),
        optional("float", f"distpsnr{rank}", f"distance {where} [arcsec]"),
    )


CANDIDATE: Final[tuple[Field, ...]] = (
    required("double", "jd", "start of the exposure, Julian date [d]"),
    required("int", "fid", "filter: 1 g, 2 r, 3 i"),
    required("long", "pid", "processing number of the science image; its digits hold rcid"),
    optional("float", "diffmaglim", "5 sigma limit of the difference image [mag]"),
    optional("string", "pdiffimfilename", "file of the difference image"),
    optional("string", "programpi", "investigator of the programme"),
    required("int", "programid", "programme: 1 public, 2 partnership, 3 Caltech, 0 engineering"),
    required("long", "candid", "number of the detection"),
    required("string", "isdiffpos", "t or 1: brighter than the reference; f or 0: fainter"),
    optional("long", "tblid", "number of the extraction in the pipeline"),
    optional("int", "nid", "number of the night"),
    optional("int", "rcid", "readout quadrant, 0 to 63"),
    optional("int", "field", "number of the ZTF field"),
    optional("float", "xpos", "position in the image, x [pixel]"),
    optional("float", "ypos", "position in the image, y [pixel]"),
    required("double", "ra", "right ascension, J2000 [deg]"),
    required("double", "dec", "declination, J2000 [deg]"),
    required("float", "magpsf", "magnitude from the fit of the point spread function [mag]"),
    required("float", "sigmapsf", "standard error of magpsf [mag]"),
    optional("float", "chipsf", "reduced chi-square of that fit"),
    optional("float", "magap", "magnitude in an aperture of 14 pixels [mag]"),
    optional("float", "sigmagap", "standard error of magap [mag]"),
    optional("float", "distnr", "distance of the nearest reference source [pixel]"),
    optional("float", "magnr", "magnitude of the nearest reference source [mag]"),
    optional("float", "sigmagnr", "standard error of magnr [mag]"),
    optional("float", "chinr", "DAOPhot chi of the nearest reference source"),
    optional("float", "sharpnr", "DAOPhot sharpness of the nearest reference source"),
    optional("float", "sky", "local background [DN]"),
    optional("float", "magdiff", "magap - magpsf [mag]"),
    optional("float", "fwhm", "full width at half maximum of a Gaussian core [pixel]"),
    optional("float", "classtar", "SExtractor's star score, 1: a star"),
    optional("float", "mindtoedge", "distance to the nearest edge of the image [pixel]"),
    optional("float", "magfromlim", "diffmaglim - magap [mag]"),
    optional("float", "seeratio", "width in the difference image over fwhm"),
    optional("float", "aimage", "windowed spread along the major axis [pixel]"),
    optional("float", "bimage", "windowed spread along the minor axis [pixel]"),
    optional("float", "aimagerat", "aimage / fwhm"),
    optional("float", "bimagerat", "bimage / fwhm"),
    optional("float", "elong", "aimage / bimage"),
    optional("int", "nneg", "negative pixels in 5 x 5"),
    optional("int", "nbad", "bad pixels in 5 x 5"),
    optional("float", "rb", "real-bogus score of the random forest, 0 to 1"),
    optional("float", "ssdistnr", "distance of the nearest known solar-system object [arcsec]"),
    optional("float", "ssmagnr", "magnitude of that object [mag]"),
    optional("string", "ssnamenr", "name of that object"),
    optional("float", "sumrat", "sum of pixels over sum of their absolute values in 5 x 5"),
    optional("float", "magapbig", "magnitude in an aperture of 18 pixels [mag]"),
    optional("float", "sigmagapbig", "standard error of magapbig [mag]"),
    required("double", "ranr", "right ascension of the nearest reference source, J2000 [deg]"),
    required("double", "decnr", "declination of the nearest reference source, J2000 [deg]"),
    *_ps1(1),
    required("int", "ndethist", "detections within 1.5 arcsec since the survey began"),
    required("int", "ncovhist", "times the position was observed since the survey began"),
    optional("double", "jdstarthist", "first detection counted in ndethist, Julian date [d]"),
    optional("double", "jdendhist", "last detection counted in ndethist, Julian date [d]"),
    optional("double", "scorr", "signal-to-noise ratio of the peak pixel"),
    optional("int", "tooflag", "1: exposure for a target of opportunity"),
    optional("long", "objectidps1", "number of PS1 source 1"),
    optional("long", "objectidps2", "number of PS1 source 2"),
    *_ps1(2),
    optional("long", "objectidps3", "number of PS1 source 3"),
    *_ps1(3),
    required("int", "nmtchps", "PS1 sources within 30 arcsec"),
    required("long", "rfid", "processing number of the reference image"),
    required("double", "jdstartref", "earliest exposure of the reference image, Julian date [d]"),
    required("double", "jdendref", "latest exposure of the reference image, Julian date [d]"),
    required("int", "nframesref", "exposures in the reference image"),
    required("string", "rbversion", "version of the classifier behind rb"),
    optional("float", "dsnrms", "difference image over its standard deviation, at the position"),
    optional("float", "ssnrms", "convolved difference image over its standard deviation, at the position"),
    optional("float", "dsdiff", "dsnrms - ssnrms"),
    optional("float", "magzpsci", "zero point of the science image [mag]"),
    optional("float", "magzpsciunc", "standard error of magzpsci [mag]"),
    optional("float", "magzpscirms", "scatter of the calibrators around magzpsci [mag]"),
    required("int", "nmatches", "PS1 calibrators of the science image"),
    optional("float", "clrcoeff", "colour coefficient of the calibration"),
    optional("float", "clrcounc", "standard error of clrcoeff"),
    optional("float", "zpclrcov", "covariance of magzpsci and clrcoeff [mag^2]"),
    optional("float", "zpmed", "zero point from the median of the calibrators [mag]"),
    optional("float", "clrmed", "median colour of the calibrators [mag]"),
    optional("float", "clrrms", "scatter of the colour of the calibrators [mag]"),
    optional("float", "neargaia", "distance of the nearest Gaia source [arcsec]"),
    optional("float", "neargaiabright", "distance of the nearest Gaia source brighter than 14 [arcsec]"),
    optional("float", "maggaia", "G magnitude of the nearest Gaia source [mag]"),
    optional("float", "maggaiabright", "G magnitude of the nearest Gaia source brighter than 14 [mag]"),
    optional("float", "exptime", "exposure time [s]"),
    optional("float", "drb", "real-bogus score of the neural network, 0 to 1"),
    required("string", "drbversion", "version of the classifier behind drb"),
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
    optional("float", "sciinpseeing", "seeing of the science image [pixel]"),
    optional("float", "scibckgnd", "background of the science image [DN]"),
    optional("float", "scisigpix", "robust noise of a pixel of the science image [DN]"),
    *_previous(*_CALIBRATION, "exptime"),
    optional("float", "adpctdif1", "astrometric scatter against Gaia in right ascension [arcsec]"),
    optional("float", "adpctdif2", "astrometric scatter against Gaia in declination [arcsec]"),
    *_previous("diffmaglim", "programid", "jd"),
    optional("float", "forcediffimflux", "forced flux in the difference image [DN]"),
    optional("float", "forcediffimfluxunc", "standard error of forcediffimflux [DN]"),
    optional("string", "procstatus", "status of the forced photometry, 0: no warning"),
    optional("float", "distnr", "distance of the nearest reference source [arcsec]"),
    required("double", "ranr", "right ascension of the nearest reference source, J2000 [deg]"),
    required("double", "decnr", "declination of the nearest reference source, J2000 [deg]"),
    *_previous("magnr", "sigmagnr", "chinr", "sharpnr"),
)
"""A measurement of forced photometry at the position of the object."""

ROOT: Final[tuple[Field, ...]] = (
    required("string", "objectId", "name of the object"),
    required("long", "candid", "number of the detection that triggered the alert"),
)
"""What stands in the packet beside its records."""
