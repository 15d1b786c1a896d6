"""What makes a packet a ZTF alert."""

from collections.abc import Mapping
from typing import Any, Final

from ampeld.alert import ztf
from ampeld.alert.identity import stock_of
from ampeld.alert.shape import is_limit, limit_id
from ampeld.alert.validity import Rules
from ampeld.errors import PoisonError


def _jd_of(jd: Any) -> Any:
    return jd


def _check_name(packet: Mapping[str, Any]) -> None:
    name = packet["objectId"]
    if name is None:
        raise PoisonError("objectId: null")
    try:
        stock_of(name)
    except ValueError as error:
        raise PoisonError(f"objectId: {error}") from None


def _check_point(part: str, path: str, record: Mapping[str, Any]) -> None:
    if part == "prv_candidates" and is_limit(record):
        try:
            limit_id(record)
        except PoisonError as error:
            raise PoisonError(f"{path}: {error}") from None


_CANDIDATE: Final = ("jd", "fid", "pid", "candid", "programid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf")

RULES: Final = Rules(
    name="ZTF",
    root=ztf.ROOT,
    records={"candidate": ztf.CANDIDATE},
    histories={"prv_candidates": ztf.PRV_CANDIDATE, "fp_hists": ztf.FP_HIST},
    required={
        "candidate": _CANDIDATE,
        "prv_candidates": ("jd", "fid", "candid", "programid"),
        "fp_hists": ("jd",),
    },
    never_null={
        "candidate": _CANDIDATE,
        "prv_candidates": ("jd", "fid", "programid"),
        "fp_hists": ("jd",),
    },
    candid="candid",
    time="jd",
    jd_of=_jd_of,
    check_name=_check_name,
    check_point=_check_point,
)
"""The rules of `ampeld.alert.validity` for ZTF."""
