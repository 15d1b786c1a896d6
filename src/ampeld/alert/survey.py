"""What the decoder and the table need to know of a survey: its packets' parts, and the rules that tell them apart."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert import lsst, lsst_rules, lsst_shape, shape, validity, ztf, ztf_rules
from ampeld.alert.fields import Field
from ampeld.alert.identity import name_of, stock_of
from ampeld.alert.point import Point
from ampeld.alert.schema import AvroType

SurveyName = Literal["ztf", "lsst"]
Packet = Mapping[str, Any]
Fields = tuple[Field, ...]
Values = tuple[NDArray[Any], NDArray[np.bool_]]
"""A column: values, and where they are missing."""

ROOT: Final = ""
"""The name under which a survey's ``records`` describe what stands in the packet beside its records."""
PUBLIC: Final = 1
"""The ``programid`` of every alert of a survey that has no programmes."""
NO_OBJECT: Final = ""
"""The name of an alert's object where it has none; its stock is 0."""


class Part(msgspec.Struct, frozen=True):
    """One ragged kind of points as authors see it: records of one history array, by ascending time.

    ``array`` is the history's name in the packet, ``fields`` what its points may have,
    ``own`` whether the alert's own point is one of them (the first of equal times).
    ``keeps`` tells for a decoded record of the history whether it belongs; ``keeps_rows`` says the same of columns:
    it is given a function that returns a field of all records of the array, and returns a mask, or None for all.
    """

    array: str
    fields: Fields
    own: bool
    keeps: Callable[[Packet], bool]
    keeps_rows: Callable[[Callable[[str], Values]], NDArray[np.bool_] | None]


class Survey(msgspec.Struct, frozen=True, eq=False):
    """A survey's packets.

    ``rules`` say which records and histories there are, with their fields, and what a packet must hold.
    ``root`` are the scalars that stand in the packet beside its records.
    ``kinds`` are the ragged parts that authors see.
    ``framed`` says that payloads may be Confluent frames, whose schemas come from elsewhere.
    ``programid`` names the field of the alert's own point that says its programme; None: all alerts are public.
    ``object`` is the record (`ROOT` for none) and field that name the object.
    ``cutouts`` are root fields that are never science, ``others`` those that nobody looks at.
    """

    name: SurveyName
    rules: validity.Rules
    root: Fields
    kinds: Mapping[str, Part]
    framed: bool
    programid: str | None
    object: tuple[str, str]
    cutouts: tuple[str, ...]
    others: tuple[str, ...]
    object_of: Callable[[Any], str]
    """From the value of the field ``object`` to the object's name; `NO_OBJECT` for None."""
    stock_of: Callable[[str], int]
    """From the object's name to its number, 0 for `NO_OBJECT`."""
    name_of: Callable[[int], str]
    """From an object's number to its name."""
    shape: Callable[[Packet], list[Point]]
    """Return the points of a packet that are stored, the alert's own first, each number once."""

    def __reduce__(self) -> tuple[Callable[[SurveyName], "Survey"], tuple[SurveyName]]:
        """Travel between processes by name."""
        return survey_of, (self.name,)

    @property
    def title(self) -> str:
        """Return the name as people write it."""
        return self.rules.name

    @property
    def own(self) -> str:
        """Return the name of the record that is the alert's own point."""
        return self.rules.own

    @property
    def records(self) -> Mapping[str, Fields]:
        """Return the fields of each single record, the alert's own point first; under `ROOT` the root's scalars."""
        return _records(self)

    @property
    def histories(self) -> Mapping[str, Fields]:
        """Return the fields of the records of each array of the root."""
        return self.rules.histories

    @property
    def candid(self) -> str:
        """Return the field of the alert's own point that numbers the alert."""
        return self.rules.candid

    @property
    def time(self) -> str:
        """Return the field of every point that says when it was measured."""
        return self.rules.time

    def jd_of(self, time: Any) -> Any:
        """Return the Julian date [d, UTC] of values of the field `time`, of a number or an array."""
        return self.rules.jd_of(time)

    def check_schema(self, avro_type: AvroType) -> None:
        """Raise PoisonError for a schema whose records cannot be alerts of this survey."""
        validity.check_schema(self.rules, avro_type)

    def additions(self, avro_type: AvroType) -> tuple[str, ...]:
        """Return the paths of the fields of a checked schema that the tables do not know yet."""
        known = (*(field.name for field in self.root), *self.cutouts, *self.others)
        return validity.additions(self.rules, avro_type, known)

    def check_packet(self, packet: Packet) -> None:
        """Raise PoisonError for a decoded packet whose values cannot be those of an alert."""
        validity.check_packet(self.rules, packet)


@cache
def _records(survey: Survey) -> Mapping[str, Fields]:
    return {**survey.rules.records, ROOT: survey.root}


def _every(record: Packet) -> bool:  # noqa: ARG001  the shape of a rule
    return True


def _every_row(column: Callable[[str], Values]) -> None:  # noqa: ARG001  the shape of a rule
    return None


def _is_detection(record: Packet) -> bool:
    return record.get("candid") is not None


def _are_detections(column: Callable[[str], Values]) -> NDArray[np.bool_]:
    return ~column("candid")[1]


def _are_limits(column: Callable[[str], Values]) -> NDArray[np.bool_]:
    limit, missing = column("diffmaglim")
    return column("candid")[1] & ~missing & (limit >= 0) & (limit < math.inf)


def _itself(value: Any) -> Any:
    return value


ZTF: Final = Survey(
    name="ztf",
    rules=ztf_rules.RULES,
    root=ztf.ROOT,
    kinds={
        "detections": Part("prv_candidates", ztf.CANDIDATE, True, _is_detection, _are_detections),
        "limits": Part("prv_candidates", ztf.PRV_CANDIDATE, False, shape.is_limit, _are_limits),
        "fp_hists": Part("fp_hists", ztf.FP_HIST, False, _every, _every_row),
    },
    framed=False,
    programid="programid",
    object=(ROOT, "objectId"),
    cutouts=("cutoutScience", "cutoutTemplate", "cutoutDifference"),
    others=("schemavsn", "publisher"),
    object_of=_itself,
    stock_of=stock_of,
    name_of=name_of,
    shape=shape.shape,
)
"""The Zwicky Transient Facility: object containers, schemas 3.0 to 4.02."""

LSST: Final = Survey(
    name="lsst",
    rules=lsst_rules.RULES,
    root=lsst.ROOT,
    kinds={
        "detections": Part("prvDiaSources", lsst.DIA_SOURCE, True, _every, _every_row),
        "limits": Part("prvDiaNondetectionLimits", lsst.DIA_NONDETECTION_LIMIT, False, _every, _every_row),
        "forced": Part("prvDiaForcedSources", lsst.DIA_FORCED_SOURCE, False, _every, _every_row),
    },
    framed=True,
    programid=None,
    object=("diaObject", "diaObjectId"),
    cutouts=("cutoutScience", "cutoutTemplate", "cutoutDifference"),
    others=("MPCORB", "mpc_orbits", "ssObject"),
    object_of=lsst_shape.object_of,
    stock_of=lsst_shape.stock_of,
    name_of=lsst_shape.name_of,
    shape=lsst_shape.shape,
)
"""The Legacy Survey of Space and Time of the Vera C. Rubin Observatory: schemas from 9.0 on."""


def survey_of(name: SurveyName) -> Survey:
    """Return the survey with this name."""
    return ZTF if name == "ztf" else LSST
