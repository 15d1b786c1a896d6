"""What makes a packet an LSST alert."""

from collections.abc import Mapping
from typing import Any, Final

from ampeld.alert import lsst
from ampeld.alert.lsst_shape import jd_of
from ampeld.alert.validity import LARGEST_NUMBER, Rules
from ampeld.errors import PoisonError

# psfFlux, its error and band may be null: the measurement failed, and cuts see them as missing.
_SOURCE: Final = ("diaSourceId", "visit", "midpointMjdTai", "ra", "dec", "psfFlux", "psfFluxErr", "band")
_NUMBERS: Final = {"prvDiaForcedSources": "diaForcedSourceId", "diaObject": "diaObjectId"}


def _check_name(packet: Mapping[str, Any]) -> None:
    found = packet["diaObject"]
    if found is not None and not 0 < (found["diaObjectId"] or 0) <= LARGEST_NUMBER:
        raise PoisonError("diaObject.diaObjectId: not between 1 and 2^63 - 1")


def _check_point(part: str, path: str, record: Mapping[str, Any]) -> None:
    """Pass: every rule for a point of a history is one for all surveys."""


RULES: Final = Rules(
    name="LSST",
    root=lsst.ROOT[:1],
    records={"diaSource": lsst.DIA_SOURCE, "diaObject": lsst.DIA_OBJECT, "ssSource": lsst.SS_SOURCE},
    histories={
        "prvDiaSources": lsst.DIA_SOURCE,
        "prvDiaForcedSources": lsst.DIA_FORCED_SOURCE,
        "prvDiaNondetectionLimits": lsst.DIA_NONDETECTION_LIMIT,
    },
    required={
        "diaSource": _SOURCE,
        "diaObject": ("diaObjectId", "ra", "dec"),
        "prvDiaSources": _SOURCE,
        "prvDiaForcedSources": ("diaForcedSourceId", "visit", "midpointMjdTai", "psfFlux", "psfFluxErr", "band"),
        "prvDiaNondetectionLimits": ("midpointMjdTai", "band", "diaNoise"),
    },
    never_null={
        "diaSource": ("diaSourceId", "midpointMjdTai", "ra", "dec"),
        "prvDiaSources": ("diaSourceId", "midpointMjdTai"),
        "prvDiaForcedSources": ("diaForcedSourceId", "midpointMjdTai"),
        "prvDiaNondetectionLimits": ("midpointMjdTai",),
    },
    candid="diaSourceId",
    time="midpointMjdTai",
    jd_of=jd_of,
    check_name=_check_name,
    check_point=_check_point,
)
"""The rules of `ampeld.alert.validity` for LSST."""
