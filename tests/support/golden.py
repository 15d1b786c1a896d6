"""What AMPEL itself made of the two tarballs, and the same read back from a store of ours."""

import json

from support.shared import shared

TARBALLS = ("ztf_public_20180819_mod1000", "ZTF18abxhyqv")
EVERYTHING = ("ZTF_PUB", "ZTF_PRIV")
RUNS = {"db_nofilter_flush_per_alert": None, "db_decent_e2e": "decent_e2e", "db_hu_rapid_nogaia": "hu_rapid_nogaia"}
"""By run of AMPEL: the filter configuration."""

CUTS = {
    "nDet": "ndet",
    "tSpan": "tspan",
    "missing": "complete",
    "isNone": "complete",
    "isdiffpos": "isdiffpos",
    "rb": "rb",
    "drb": "drb",
    "fwhm": "fwhm",
    "elong": "elong",
    "magdiff": "magdiff",
    "archive_tspan": "archive_tspan",
    "ssdistnr": "ssdistnr",
    "galPlane": "gal_lat",
    "distpsnr1": "ps1_star",
    "ps1Confusion": "ps1_confusion",
}
"""By AMPEL's reason: our cut."""


def golden(tarball):
    """Return AMPEL's results for a tarball."""
    return json.loads(shared("data", "golden", f"{tarball}.json").read_text())


def archive(tarball):
    """Return the tarball's path."""
    return shared("data", "ztf", f"{tarball}.tar.gz")


def expected_states(results, run):
    """Return {(stock, link)} of a run of AMPEL."""
    return {(state["stock"], state["link"]) for state in results[run]["states"]}


def expected_points(results, run):
    """Return by id the tags of the points that a run of AMPEL stored, upper limits without limit left out."""
    configuration = RUNS[run]
    return {
        point["id"]: sorted(point["tag"])
        for alert in results["alerts"]
        if configuration is None or alert["filters"][configuration]["accept"]
        for point in alert["shaped"]
    }
