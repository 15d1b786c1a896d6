"""What a filter says of alerts made up for a test, in words; and an alert that the decent filters take."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fakes.table import JD, packet, table

from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import judge, learn_cuts
from ampeld.channel.matches import Catalogs
from ampeld.flow.verdict import GROUP, cut_name, is_accepted

GOOD: Mapping[str, Any] = MappingProxyType(
    {
        "fwhm": 2.0,
        "elong": 1.1,
        "magdiff": 0.1,
        "nbad": 3,
        "rb": 0.9,
        "drb": 0.9,
        "ssdistnr": -999.0,
        "distpsnr1": 5.0,
        "sgscore1": 0.1,
        "distpsnr2": 9.0,
        "sgscore2": 0.5,
        "distpsnr3": 9.0,
        "sgscore3": 0.5,
        "jdstarthist": JD - 9,
        "jdendhist": JD,
        "ra": 190.0,
        "dec": 30.0,
    }
)
OLD: Mapping[str, Any] = MappingProxyType({"jd": JD - 9, "candid": 9, "isdiffpos": "t", "magpsf": 20.0})
LOOSE: Mapping[str, Any] = MappingProxyType(
    {
        "min_ndet": 1,
        "min_tspan": 0,
        "max_tspan": 1000,
        "min_archive_tspan": -1,
        "min_rb": 0,
        "max_fwhm": 99,
        "max_elong": 99,
        "max_magdiff": 99,
        "max_nbad": 0,
        "min_sso_dist": 0,
        "min_gal_lat": -1,
        "ps1_sgveto_rad": 0,
        "ps1_sgveto_th": 1,
        "ps1_confusion_rad": 0,
        "ps1_confusion_sg_tol": 0,
        "gaia_rs": 0,
        "gaia_pm_signif": 3,
        "gaia_plx_signif": 3,
        "gaia_veto_gmag_min": 9,
        "gaia_veto_gmag_max": 20,
        "gaia_excessnoise_sig_max": 999,
    }
)
"""Parameters with which DecentFilter takes every complete positive alert."""


def above(x: float) -> float:
    """Return the next number."""
    return math.nextafter(x, math.inf)


def below(x: float) -> float:
    """Return the number before."""
    return math.nextafter(x, -math.inf)


def good(detections: tuple[Mapping[str, Any], ...] = (OLD,), limits: tuple[float, ...] = (), **fields: Any) -> Any:
    """Return an alert that the decent filters take, but for the fields that are named; limits by their age [d]."""
    history = [{"jd": JD - age} for age in limits]
    return packet(detections=[dict(point) for point in detections], limits=history, **(dict(GOOD) | fields))


def said(filter: Filter, *packets: Any, catalogs: Catalogs = MappingProxyType({})) -> list[str]:  # noqa: A002
    """Return for each alert ``accepted``, ``group n`` or the cut that it failed; the filter must not fail."""
    names = CutNames()
    assert learn_cuts(filter, names, catalogs) is None
    judgement = judge(filter, Columns(table(*packets), catalogs), names)
    assert judgement.failures == []
    return [_word(code, names) for code in judgement.codes.tolist()]


def cuts_of(filter: Filter, catalogs: Catalogs = MappingProxyType({})) -> list[str]:  # noqa: A002
    """Return the names of a filter's cuts in their order."""
    names = CutNames()
    assert learn_cuts(filter, names, catalogs) is None
    return names.names


def _word(code: int, names: CutNames) -> str:
    if is_accepted(code):
        return f"group {code - GROUP}" if code >= GROUP else "accepted"
    return cut_name(code, names.names) or "errored"
