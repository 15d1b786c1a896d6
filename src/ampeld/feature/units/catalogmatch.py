"""What catalogues have near a point."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from ampeld.feature.reasons import NO_FIELD, NO_INPUT, NO_MATCH
from ampeld.feature.unit import Input, Measured, PointUnit, Resources, Source, Undefined, Value
from ampeld.feature.units.catalogmatch_query import Query, check_query, fits
from ampeld.feature.views import PointView

_DISTANCE = "dist_arcsec"
_MOST_ARCSEC = 36_000.0


class CatalogSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one catalogue is searched."""

    rs_arcsec: float
    """Radius [arcsec], up to 36000; it belongs to the cone."""
    keys_to_append: tuple[str, ...] | None = None
    """Columns that are taken; None: all of them."""
    all: bool = False
    """Whether all sources within the radius are given, nearest first, instead of the nearest alone."""
    pre_filter: Query | None = None
    """Which sources count, by column: a value, or ``{"$lt": 0.1}`` with $lt $lte $gt $gte $eq $ne $in $nin $exists."""
    post_filter: Query | None = None
    """The same; both must hold."""
    use: Literal["extcats", "catsHTM"] | None = None
    """AMPEL's kind of catalogue: accepted, so that its configurations run as they are; here all are of one kind."""


class CatalogMatch(PointUnit):
    """The nearest source of each catalogue within a radius, or all of them; AMPEL's T2CatalogMatch.

    Measures the first detection of a state unless a channel asks for others. The catalogues are local ones, as
    ``ampeld catalog import`` makes them, under the names of AMPEL or any other.

    Parameters
    ----------
    catalogs
        By name: ``rs_arcsec``, the radius, up to 36000; ``keys_to_append``, the columns (none: all of them); ``all``,
        true for all sources instead of the nearest; ``pre_filter`` and ``post_filter``, conditions by column:
        ``{ z = { "$lt" = 0.1 }, type = "G" }``.

    Notes
    -----
    AMPEL: ``pre_filter`` and ``post_filter`` are MongoDB queries; here: their comparisons, no logical operators.
    A source that lacks a column fails every comparison of it but ``$ne``, ``$nin`` and ``{"$exists": false}``.
    """

    values: ClassVar[tuple[Value, ...]] = (
        Value("{catalog}", "", "nearest source with its columns; with all = true a list of them; None: none", "table"),
        Value("{catalog}.dist2transient", "arcsec", "its distance from the point"),
    )

    catalogs: dict[str, CatalogSearch]

    def prepare(self) -> None:
        """Look at radii and conditions."""
        for name, search in self.catalogs.items():
            if not 0 < search.rs_arcsec <= _MOST_ARCSEC:
                raise ValueError(f"catalogs: {name}: a radius of {search.rs_arcsec} arcsec: above 0 and up to 36000")
            for key, query in (("pre_filter", search.pre_filter), ("post_filter", search.post_filter)):
                if (problem := check_query(query or {})) is not None:
                    raise ValueError(f"catalogs: {name}: {key}: {problem}")
        self._sources: dict[str, Source] = {}

    def needs(self) -> Iterator[tuple[Literal["catalog", "column", "file", "path"], str]]:
        """Yield the catalogues, and the columns that are asked for."""
        for name, search in self.catalogs.items():
            yield "catalog", name
            asked = {*(search.keys_to_append or ()), *(search.pre_filter or ()), *(search.post_filter or ())}
            for column in sorted(asked):
                yield "column", f"{name}.{column}"

    def open(self, resources: Resources) -> None:
        """Take the catalogues."""
        self._sources = {name: resources.catalog(name) for name in self.catalogs}

    def measure(self, point: PointView, *_: Input) -> Measured:
        """Return by catalogue what is near the point."""
        ra, dec = point.body.get("ra"), point.body.get("dec")
        if ra is None or dec is None:
            return Undefined(NO_FIELD, "the point has no position")
        ra, dec = float(ra), float(dec)
        if not (abs(ra) <= 720 and abs(dec) <= 90):
            return Undefined(NO_FIELD, f"ra {ra}, dec {dec} is no position")
        return {name: self._near(name, search, ra, dec) for name, search in self.catalogs.items()}

    def _near(self, name: str, search: CatalogSearch, ra: float, dec: float) -> Any:
        source = self._sources.get(name)
        if source is None:
            return Undefined(NO_INPUT, "the catalogue has not been opened")
        found = []
        for row in source.cone(ra, dec, search.rs_arcsec):
            if fits(row, search.pre_filter or {}) and fits(row, search.post_filter or {}):
                found.append(_given(row, search))
                if not search.all:
                    return found[0]
        return found or Undefined(NO_MATCH, f"within {search.rs_arcsec:g} arcsec")


def _given(row: Mapping[str, Any], search: CatalogSearch) -> dict[str, Any]:
    keys = [key for key in row if key != _DISTANCE] if search.keys_to_append is None else search.keys_to_append
    return {"dist2transient": row[_DISTANCE], **{key: row.get(key) for key in keys}}
