"""A unit: a small class that measures one kind of thing, and says what its values mean."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.views import ObjectView, PointView
from ampeld.params import Parametrised

Kind = Literal["point", "state", "object"]
Link = Literal["same", "first", "last", "object"]


class Undefined(msgspec.Struct, frozen=True):
    """Why there is no value: a reason in one word that programs can rely on, and what a person should know."""

    reason: str
    """As in `ampeld.feature.reasons`: ``too_few_points``, ``no_error`` …"""
    detail: str = ""


class Value(msgspec.Struct, frozen=True):
    """What one value of a unit's body is."""

    key: str
    """As in the body; ``{band}`` and the like stand for what varies."""
    unit: str
    """As astropy reads it (``mag / d``); empty for a number without one, a flag or a text."""
    description: str
    type: Literal["number", "integer", "flag", "text", "list", "table"] = "number"


class Dependency(msgspec.Struct, frozen=True):
    """Another unit whose body is handed to ``measure``, in the order of the dependencies."""

    unit: str
    params: Mapping[str, Any] = {}
    link: Link = "same"
    """Of what: the same point, state or object; for a point unit behind a state the state's first or last detection
    (``first``, ``last``; ``same`` means ``first``); for an object unit the object."""


class Source(Protocol):
    """One catalogue."""

    def cone(self, ra: float, dec: float, radius_arcsec: float) -> Sequence[Mapping[str, Any]]:
        """Return the sources within a radius, nearest first: their columns, and ``dist_arcsec``."""
        ...


class Resources(Protocol):
    """What a unit may ask for before its first measurement. Everything that was asked for is named in the trace."""

    def catalog(self, name: str) -> Source:
        """Return a local catalogue."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes: a model, a sky map; a relative name is meant beside the channel file."""
        ...

    def path(self, name: str) -> str:
        """Return where a file or directory lies that another library reads by itself."""
        ...


class Unit(Parametrised):
    """What the three kinds have in common. Derive from `StateUnit`, `PointUnit` or `ObjectUnit`.

    Parameters
    ----------
    **given
        The parameters: annotated attributes of the class and its bases; those with a value are optional.

    Raises
    ------
    ParameterError
        If any is unknown, missing or wrong.
    """

    kind: ClassVar[Kind]
    version: ClassVar[str] = "1"
    """Of what the unit means; the digest of its source is kept beside it."""
    min_points: ClassVar[int] = 0
    """A light curve with fewer points is Undefined without asking the unit."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Fields of the points' bodies beyond `ampeld.feature.light_curve.FIELDS`; ``"*"`` is all of them."""
    slow: ClassVar[bool] = False
    """Whether it is measured behind the flow, from a ticket, and never in it."""
    values: ClassVar[tuple[Value, ...]] = ()
    """What its bodies hold."""

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return the units whose bodies ``measure`` is handed; they may follow from the parameters."""
        return ()

    def needs(self) -> Iterator[tuple[Literal["catalog", "column", "file", "path"], str]]:
        """Yield the catalogues and files that ``open`` asks for; the unit does not start without them.

        A ``column`` is that of a catalogue: ``NEDz.z``.
        """
        yield from ()

    def open(self, resources: Resources) -> None:
        """Take what is needed, once, before the first measurement and in the process that measures."""


Measured = Mapping[str, Any] | Undefined
"""What ``measure`` returns: a body, in which an Undefined stands for a value that is missing (it becomes None, and its
reason stands under ``undefined``); the body itself may bring reasons for keys that it leaves out, under ``undefined``.
Numbers are finite."""

Input = Mapping[str, Any] | None
"""The body of a dependency; None where that has none (its measurement failed, or there is nothing to link to)."""


class StateUnit(Unit):
    """Measures the light curve of a state."""

    kind: ClassVar[Kind] = "state"

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Return the body for a light curve: pure, the same for the same light curve and inputs."""
        raise NotImplementedError


class PointUnit(Unit):
    """Measures single points."""

    kind: ClassVar[Kind] = "point"

    def measure(self, point: PointView, *inputs: Input) -> Measured:
        """Return the body for a point: pure, the same for the same point and inputs."""
        raise NotImplementedError


class ObjectUnit(Unit):
    """Measures an object."""

    kind: ClassVar[Kind] = "object"

    def measure(self, object: ObjectView, *inputs: Input) -> Measured:  # noqa: A002  as it is called in the field
        """Return the body for an object: pure, the same for the same object and inputs."""
        raise NotImplementedError
