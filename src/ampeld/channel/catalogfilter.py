"""Alerts that lie near sources of some catalogues, or far from those of others."""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.filter import Cuts, Filter


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source of a catalogue within a radius, of certain properties: ``{ catalog = "ned", radius = 3.0 }``."""

    catalog: str
    """Its name, as `ampeld catalog list` shows it."""
    radius: float
    """[arcsec], up to 36000."""
    limits: dict[str, tuple[float, float]] = {}
    """By column: lowest and highest value, both inclusive, as in ``{ z = [0.002, 0.03], mag = [-inf, 19.0] }``."""


class CatalogFilter(Filter):
    """Accepts alerts near sources of catalogues, or far from them; AMPEL's CatalogMatchFilter.

    A source that lacks a value for which there are limits is not within them.
    """

    min_ndet: int = 1  # detections, the alert's own among them
    positive: bool = True  # brighter than the reference image only, as in AMPEL
    match: tuple[Search, ...] = ()  # searches of which any or all must find something; none accepts all alerts
    match_if: Literal["any", "all"] = "any"  # whether one of them is enough
    veto: tuple[Search, ...] = ()  # searches of which none, or not all, may find something
    veto_if: Literal["any", "all"] = "any"  # whether one of them is enough

    def prepare(self) -> None:
        """Look at the searches.

        Raises
        ------
        ValueError
            If there is none, or one makes no sense.
        """
        if not self.match and not self.veto:
            raise ValueError("neither match nor veto names a catalogue to search in")
        for key, searches in (("match", self.match), ("veto", self.veto)):
            for search in searches:
                if not 0 < search.radius <= 36_000:
                    raise ValueError(f"{key}: a radius of {search.radius} arcsec: above 0 and up to 36000")
                for column, (low, high) in search.limits.items():
                    if not low <= high:
                        raise ValueError(f"{key}: the limits of {column} exclude every value: {low} to {high}")

    def catalogs(self) -> Mapping[str, Collection[str]]:
        """Return the catalogues of all searches."""
        needed: dict[str, set[str]] = {}
        for search in (*self.match, *self.veto):
            needed.setdefault(search.catalog, set()).update(search.limits)
        return needed

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cheap cuts first."""
        yield "ndet", a.detections.count() >= self.min_ndet
        if self.positive:
            yield "isdiffpos", a.isdiffpos
        if self.veto:
            yield "veto", ~_combined(a, self.veto, self.veto_if)
        if self.match:
            yield "match", _combined(a, self.match, self.match_if)


def _combined(a: Columns, searches: tuple[Search, ...], how: Literal["any", "all"]) -> Condition:
    first, *others = (_found(a, search) for search in searches)
    for other in others:
        first = first | other if how == "any" else first & other
    return first


def _found(a: Columns, search: Search) -> Condition:
    near = a.near(search.catalog, search.radius)
    for column, (low, high) in search.limits.items():
        near = near[getattr(near, column).between(low, high)]
    return near.count() > 0
