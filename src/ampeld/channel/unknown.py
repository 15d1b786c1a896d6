"""What to tell an author who asks for a field that there is not: the nearest one, or another survey's counterpart."""

from collections.abc import Iterable, Mapping
from typing import Final

from ampeld.alert.survey import LSST, ZTF, Survey, SurveyName
from ampeld.names import did_you_mean

_COUNTERPARTS: Final[Mapping[SurveyName, Mapping[str, str]]] = {
    "lsst": {
        "diffmaglim": "a.limits.mag",
        "drb": "a.reliability",
        "fid": "a.band",
        "fp_hists": "a.forced",
        "isdiffpos": "a.flux > 0",
        "magpsf": "a.mag",
        "ndethist": "a.diaObject.nDiaSources",
        "rb": "a.reliability",
        "sigmapsf": "a.mag_err",
    },
    "ztf": {
        "diaSourceId": "a.candid",
        "isNegative": "a.isdiffpos",
        "midpointMjdTai": "a.jd",
        "psfFlux": "a.flux",
        "psfFluxErr": "a.flux_err",
        "reliability": "a.rb or a.drb",
    },
}


def no_field(what: str, name: str, known: Iterable[str], survey: Survey) -> AttributeError:
    """Return the error for a field that something of a survey's alerts does not have.

    Parameters
    ----------
    what
        Who does not have it: ``alerts``, ``detections``.
    name
        The field.
    known
        Those that there are.
    survey
        Whose alerts they are.
    """
    said = f"{what} have no field {name!r}"
    other = ZTF if survey is LSST else LSST
    if name not in _names(other) or name in _names(survey):
        return AttributeError(f"{said}{did_you_mean(name, known)}")
    counterpart = _COUNTERPARTS[survey.name].get(name)
    near = f"; what comes nearest is {counterpart}" if counterpart else did_you_mean(name, known)
    return AttributeError(f"{said}: that is {other.title}'s, and these are alerts of {survey.title}{near}")


def _names(survey: Survey) -> set[str]:
    """Return every name that alerts of a survey have."""
    fields = {field.name for table in (*survey.records.values(), *survey.histories.values()) for field in table}
    return fields | survey.records.keys() | survey.kinds.keys()
