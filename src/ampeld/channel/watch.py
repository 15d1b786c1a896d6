"""Every alert of known objects, by name or by place."""

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.cones import Cones, read_cones
from ampeld.channel.filter import Cuts, Filter
from ampeld.channel.textfile import TextFile


class WatchFilter(Filter):
    """Accepts every alert of the objects that are listed, and every alert in the circles that are.

    Files lie beside the channel file; what they hold belongs to the channel's version.
    """

    objects: tuple[str, ...] | TextFile = ()  # names: a list, or { file = "watch.txt" } with one on each line
    cones: TextFile | None = None  # { file = "cones.csv" } with the columns ra,dec [deg] and radius [arcsec]
    radius: float = 1.5  # of the circles for which the file has none [arcsec]

    def prepare(self) -> None:
        """Read the lists.

        Raises
        ------
        ValueError
            If both are empty, or a line of a file is wrong.
        """
        listed = self.objects
        names = [line for _, line in listed.lines()] if isinstance(listed, TextFile) else listed
        for name in names:
            if " " in name or not name.isprintable():
                raise ValueError(f"objects: {name!r} is no name of an object")
        self._names = frozenset(names)
        self._cones: Cones | None = None
        if self.cones is not None:
            try:
                self._cones = read_cones(self.cones, self.radius)
            except ValueError as error:
                raise ValueError(f"cones: {error}") from error
        if not self._names and self._cones is None:
            raise ValueError("objects: there is nothing to watch: neither objects nor cones")

    def cuts(self, a: Columns) -> Cuts:
        """Yield whether the alert is watched."""
        if self._cones is None:
            yield "watched", a.object.isin(self._names)
            return
        inside = Condition.of(self._cones.contain(a.ra.values, a.dec.values), None, "in cones")
        yield "watched", a.object.isin(self._names) | inside if self._names else inside
