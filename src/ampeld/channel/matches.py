"""What a catalogue has near each alert of a batch: ``a.near("gaia", 20).parallax``."""

from collections.abc import Collection, Mapping
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from ampeld.channel import segments
from ampeld.channel.column import Column
from ampeld.channel.condition import Mask
from ampeld.channel.memo import NO_MEMO, Memo
from ampeld.channel.ragged import RaggedColumn, RaggedCondition, same_lists
from ampeld.channel.segments import Offsets
from ampeld.errors import ChannelCodeError
from ampeld.names import did_you_mean

Degrees = NDArray[np.float64]
Rows = NDArray[np.int64]


class Catalog(Protocol):
    """A list of sources with positions and further columns."""

    @property
    def columns(self) -> Collection[str]:
        """Return the names of the columns, ``ra`` and ``dec`` among them."""

    def cone(self, ra: Degrees, dec: Degrees, radius_arcsec: float) -> tuple[Offsets, Rows, Degrees]:
        """Return for each position the sources within the radius, nearest first.

        Parameters
        ----------
        ra, dec : shape (n,)
            Right ascension and declination [deg, ICRS], finite.
        radius_arcsec
            The radius [arcsec], which belongs to the cone.

        Returns
        -------
        tuple of offsets, rows, distances
            Position ``i`` has the sources ``rows[offsets[i]:offsets[i + 1]]`` at these distances [arcsec].

        Raises
        ------
        ValueError
            If the radius is not one that can be searched.
        """

    def take(self, column: str, rows: Rows) -> tuple[NDArray[Any], Mask]:
        """Return a column's values for some rows (float64, int64, or object for text), and where they are missing.

        Raises
        ------
        KeyError
            If there is no such column.
        """


Catalogs = Mapping[str, Catalog]
"""The catalogues at hand, by name."""


class Matches:
    """The sources of a catalogue near each alert: one list per alert, nearest first; read-only.

    A column of the catalogue is an attribute and gives a `RaggedColumn`; ``distance`` is the distance from the alert
    [arcsec]. ``near[near.distance < 2]`` keeps the sources for which the condition is true.
    """

    __slots__ = ("_catalog", "_distance", "_label", "_made", "_memo", "_name", "_offsets", "_rows")

    _catalog: Catalog
    _distance: Degrees
    _label: str
    _made: dict[str, RaggedColumn]
    _memo: Memo
    _name: str
    _offsets: Offsets
    _rows: Rows

    def __init__(
        self,
        name: str,
        catalog: Catalog,
        *,
        found: tuple[Offsets, Rows, Degrees],
        label: str,
        memo: Memo = NO_MEMO,
    ) -> None:
        set_own = object.__setattr__
        set_own(self, "_name", name)
        set_own(self, "_catalog", catalog)
        for slot, array in zip(("_offsets", "_rows", "_distance"), found, strict=True):
            array.setflags(write=False)
            set_own(self, slot, array)
        set_own(self, "_made", {})
        set_own(self, "_memo", memo)
        set_own(self, "_label", label)  # what the sources are called in explanations

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __repr__(self) -> str:
        return f"<Matches of {len(self)} alerts in {self._name!r}, {len(self._rows)} sources>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("the matches of a batch are read-only")

    def __dir__(self) -> list[str]:
        return sorted({*self._catalog.columns, "count", "distance", "within"})

    def count(self) -> Column:
        """Return how many sources there are near each alert."""
        number = np.diff(self._offsets)
        return Column(number, np.zeros(len(number), dtype=np.bool_), f"{self._label}.count()").remembered(self._memo)

    @property
    def distance(self) -> RaggedColumn:
        """Return how far each source is from the alert [arcsec]."""
        made = self._made.get("distance")
        if made is None:
            made = self._keep_column("distance", self._distance, np.zeros(len(self._distance), dtype=np.bool_))
        return made

    def __getattr__(self, name: str) -> RaggedColumn:
        if name.startswith("__"):  # protocols that look for a method
            raise AttributeError(name)
        made = self._made.get(name)
        if made is None:
            try:
                values, missing = self._catalog.take(name, self._rows)
            except KeyError:
                near = did_you_mean(name, [*self._catalog.columns, "distance"])
                raise AttributeError(f"catalogue {self._name!r} has no column {name!r}{near}") from None
            made = self._keep_column(name, values, missing)
        return made

    def __getitem__(self, condition: RaggedCondition) -> "Matches":
        if not isinstance(condition, RaggedCondition):
            raise TypeError("sources are selected by a condition on them, as in near[near.distance < 2]")
        same_lists(self._offsets, condition.offsets)
        return self._keep(condition.true, f"{self._label}[...]")

    def within(self, radius_arcsec: float) -> "Matches":
        """Return the sources no further than this from the alert [arcsec]."""
        return self._keep(self._distance <= radius_arcsec, _label(self._name, radius_arcsec))

    def _keep(self, mask: Mask, label: str) -> "Matches":
        found = segments.keep(self._offsets, mask), self._rows[mask], self._distance[mask]
        return Matches(self._name, self._catalog, found=found, label=label, memo=self._memo)

    def _keep_column(self, name: str, values: NDArray[Any], missing: Mask) -> RaggedColumn:
        column = RaggedColumn(values, missing, self._offsets, f"{self._name}.{name}").remembered(self._memo)
        self._made[name] = column
        return column


class Searches:
    """The searches of a batch, each done once: a search in a larger radius serves a smaller one.

    Parameters
    ----------
    catalogs
        Those at hand.
    memo
        Where what is computed of the sources is remembered.
    """

    def __init__(self, catalogs: Catalogs, memo: Memo) -> None:
        self._catalogs = catalogs
        self._memo = memo
        self._done: dict[str, dict[float, Matches]] = {}

    def near(self, name: str, radius_arcsec: float, ra: Column, dec: Column) -> Matches:
        """Return the sources of a catalogue near each alert.

        Parameters
        ----------
        name
            The catalogue's.
        radius_arcsec
            The radius [arcsec].
        ra, dec
            Where the alerts are [deg]; always the same ones.

        Raises
        ------
        ChannelCodeError
            If there is no such catalogue: never to be taken for "nothing is near".
        ValueError
            If the radius cannot be searched.
        """
        catalog = self._catalogs.get(name)
        if catalog is None:
            there = ", ".join(sorted(self._catalogs)) or "none"
            raise ChannelCodeError(
                f"there is no catalogue {name!r}{did_you_mean(name, self._catalogs)} (there: {there}); "
                "import it with `ampeld catalog import`"
            )
        if not radius_arcsec > 0:
            raise ValueError(f"a radius of {radius_arcsec} arcsec has nothing within it")
        done = self._done.setdefault(name, {})
        found = done.get(radius_arcsec)
        if found is None:
            larger = min((radius for radius in done if radius > radius_arcsec), default=None)
            if larger is None:
                for position in (ra, dec):
                    if position.missing.true.any():
                        raise ChannelCodeError(f"an alert has no {position.name}: what is near it cannot be said")
                sources = catalog.cone(ra.values, dec.values, radius_arcsec)
                found = Matches(name, catalog, found=sources, label=_label(name, radius_arcsec), memo=self._memo)
            else:
                found = done[larger].within(radius_arcsec)
            done[radius_arcsec] = found
        return found


def _label(name: str, radius_arcsec: float) -> str:
    return f"near({name!r}, {radius_arcsec:g})"
