"""The names that mean the same in every survey (``mag``, ``flux``, ``band``), derived from the survey's own."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.survey import Survey, SurveyName
from ampeld.channel.elementwise import Cells, cells_of

AB_ZERO: Final = 31.4
"""AB magnitude of 1 nJy."""
MAG_PER_LOG: Final = 2.5 / np.log(10)
"""Magnitudes in one e-folding of the flux."""

Get = Callable[[str], Cells]
"""Return one of the survey's own fields, of every record or point."""

_NEGATIVE: Final = ("f", "0")
_ZTF_BANDS: Final = np.array([None, "g", "r", "i"], dtype=object)


class Common(NamedTuple):
    """What a common name stands for: its unit and meaning, and how it follows from the survey's own fields."""

    doc: str
    derive: Callable[[Get], Cells]


def positive(cells: Cells) -> Cells:
    """Return ZTF's ``isdiffpos``, text in the packets, as truth values."""
    values = cells.values
    mask = (values != _NEGATIVE[0]) & (values != _NEGATIVE[1])
    return Cells(mask.astype(np.bool_), cells.missing)


def mag_of(flux: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the AB magnitude of a flux [nJy]; NaN where it is not positive."""
    return AB_ZERO - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


def flux_of(mag: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the flux [nJy] of an AB magnitude."""
    return 10 ** (0.4 * (AB_ZERO - mag))


def _same(name: str) -> Callable[[Get], Cells]:
    return lambda get: get(name)


def _ratio(above: Cells, below: Cells) -> Cells:
    return cells_of(above.values / below.values, above.missing | below.missing)


def _mag_of(flux: Callable[[Get], Cells]) -> Callable[[Get], Cells]:
    def derive(get: Get) -> Cells:
        values, missing = flux(get)
        return cells_of(mag_of(values), missing)

    return derive


def _mag_err_of(flux: Callable[[Get], Cells], flux_err: Callable[[Get], Cells]) -> Callable[[Get], Cells]:
    def derive(get: Get) -> Cells:
        values, missing = _ratio(flux_err(get), flux(get))
        return cells_of(np.where(values > 0, MAG_PER_LOG * values, np.nan), missing)

    return derive


def _jd(survey: Survey, get: Get) -> Cells:
    time = get(survey.time)
    return cells_of(np.asarray(survey.jd_of(time.values)), time.missing)


def _ztf_flux(get: Get) -> Cells:
    mag, sign = get("magpsf"), positive(get("isdiffpos"))
    return cells_of(np.where(sign.values, 1.0, -1.0) * flux_of(mag.values), mag.missing | sign.missing)


def _ztf_flux_err(get: Get) -> Cells:
    mag, error = get("magpsf"), get("sigmapsf")
    return cells_of(flux_of(mag.values) * error.values / MAG_PER_LOG, mag.missing | error.missing)


def _ztf_snr(get: Get) -> Cells:
    error = get("sigmapsf")
    return cells_of(MAG_PER_LOG / error.values, error.missing)


def _ztf_band(get: Get) -> Cells:
    number, missing = get("fid")
    known = ~missing & (number >= 1) & (number < len(_ZTF_BANDS))
    return Cells(_ZTF_BANDS[np.where(known, number, 0)], ~known)


def _ztf_forced(name: str, get: Get) -> Cells:
    """Return a forced flux or its error [nJy], from counts by the image's zero point; none without an error."""
    counts, error, zero = get(name), get("forcediffimfluxunc"), get("magzpsci")
    usable = ~error.missing & (error.values > 0)
    return cells_of(counts.values * flux_of(zero.values), counts.missing | zero.missing | ~usable)


def _lsst_limit(get: Get) -> Cells:
    noise = get("diaNoise")
    return cells_of(mag_of(5 * noise.values), noise.missing)


_MAG: Final = "brightness of the difference from the template [mag AB]"
_MAG_ERR: Final = "standard error of mag [mag]"
_FLUX: Final = "difference flux [nJy], negative where fainter than the template"
_FLUX_ERR: Final = "standard error of flux [nJy]"
_SNR: Final = "signal-to-noise ratio of the detection"
_FORCED_SNR: Final = "flux / flux_err, with the sign of flux"
_BAND: Final = "filter: u, g, r, i, z or y"
_ZTF_BAND: Final = "filter: g, r or i"
_LIMIT: Final = "5 sigma limit of the difference image [mag AB]"


def _measured(flux: Callable[[Get], Cells], flux_err: Callable[[Get], Cells]) -> dict[str, Common]:
    """Return what follows from a flux in nJy and its error."""
    return {
        "mag": Common(f"{_MAG}; missing where flux is not positive", _mag_of(flux)),
        "mag_err": Common(_MAG_ERR, _mag_err_of(flux, flux_err)),
        "flux": Common(_FLUX, flux),
        "flux_err": Common(_FLUX_ERR, flux_err),
    }


_POSITION: Final = {
    "ra": Common("right ascension, ICRS [deg]", _same("ra")),
    "dec": Common("declination, ICRS [deg]", _same("dec")),
}

_ZTF_DETECTION: Final = {
    **_POSITION,
    "mag": Common(f"{_MAG}, whatever its sign", _same("magpsf")),
    "mag_err": Common(_MAG_ERR, _same("sigmapsf")),
    "flux": Common(_FLUX, _ztf_flux),
    "flux_err": Common(_FLUX_ERR, _ztf_flux_err),
    "snr": Common(_SNR, _ztf_snr),
    "band": Common(_ZTF_BAND, _ztf_band),
    "candid": Common("number of the detection", _same("candid")),
}
_ZTF_FORCED_FLUX: Final = partial(_ztf_forced, "forcediffimflux")
_ZTF_FORCED_ERR: Final = partial(_ztf_forced, "forcediffimfluxunc")

_LSST_FLUX: Final = _same("psfFlux")
_LSST_FLUX_ERR: Final = _same("psfFluxErr")
_LSST_DETECTION: Final = {
    **_POSITION,
    **_measured(_LSST_FLUX, _LSST_FLUX_ERR),
    "snr": Common(_SNR, _same("snr")),
    "band": Common(_BAND, _same("band")),
    "candid": Common("number of the detection", _same("diaSourceId")),
}

_TABLES: Final[Mapping[tuple[SurveyName, str], Mapping[str, Common]]] = {
    ("ztf", "candidate"): _ZTF_DETECTION,
    ("ztf", "detections"): _ZTF_DETECTION,
    ("ztf", "limits"): {"mag": Common(_LIMIT, _same("diffmaglim")), "band": Common(_ZTF_BAND, _ztf_band)},
    ("ztf", "fp_hists"): {
        **_measured(_ZTF_FORCED_FLUX, _ZTF_FORCED_ERR),
        "snr": Common(_FORCED_SNR, lambda get: _ratio(_ZTF_FORCED_FLUX(get), _ZTF_FORCED_ERR(get))),
        "band": Common(_ZTF_BAND, _ztf_band),
    },
    ("lsst", "diaSource"): _LSST_DETECTION,
    ("lsst", "detections"): _LSST_DETECTION,
    ("lsst", "limits"): {"mag": Common(_LIMIT, _lsst_limit), "band": Common(_BAND, _same("band"))},
    ("lsst", "forced"): {
        **_POSITION,
        **_measured(_LSST_FLUX, _LSST_FLUX_ERR),
        "snr": Common(_FORCED_SNR, lambda get: _ratio(_LSST_FLUX(get), _LSST_FLUX_ERR(get))),
        "band": Common(_BAND, _same("band")),
    },
}

FORCED: Final[Mapping[SurveyName, str]] = {"ztf": "fp_hists", "lsst": "forced"}
"""The kind of points behind ``a.forced``."""


@cache
def common_names(survey: Survey, part: str) -> Mapping[str, Common]:
    """Return the common names of the alert's own point, by its record, or of one kind of points; none of others."""
    table = _TABLES.get((survey.name, part))
    if table is None:
        return {}
    when = "start of the exposure" if survey.name == "ztf" else "middle of the visit"
    return {"jd": Common(f"{when}, Julian date [d, UTC]", partial(_jd, survey)), **table}


def derive(common: Common, get: Get) -> Cells:
    """Return the values of a common name."""
    with np.errstate(all="ignore"):
        return common.derive(get)


def of_record(record: Mapping[str, Any], kinds: Mapping[str, str]) -> Get:
    """Return the getter of one decoded record, whose fields have the given kinds: arrays of one element."""

    def get(name: str) -> Cells:
        value = record.get(name)
        kind = kinds[name]
        missing = np.array([value is None])
        if kind == "float":
            return cells_of(np.array([value], dtype=np.float64), missing)
        if kind == "string":
            text = np.empty(1, dtype=object)
            text[0] = value
            return Cells(text, missing)
        return Cells(np.array([value or 0], dtype=np.bool_ if kind == "bool" else np.int64), missing)

    return get
