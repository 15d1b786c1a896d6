"""The numbers of a channel's cuts within this process: by the order in which they first appear."""

from collections.abc import Iterator

from ampeld.errors import ChannelCodeError
from ampeld.flow.verdict import MAX_CUT


class CutNames:
    """An append-only list of names; ``names[k]`` is the cut of number ``k``."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, number: int) -> str:
        return self.names[number]

    @property
    def names(self) -> list[str]:
        """Return the names by number."""
        return list(self._numbers)

    def number(self, name: str) -> int:
        """Return the number of a name; a new one gets the next.

        Raises
        ------
        ChannelCodeError
            If there are more names than a verdict code can tell apart.
        """
        if name not in self._numbers and len(self._numbers) > MAX_CUT:
            raise ChannelCodeError(f"more than {MAX_CUT + 1} cut names; the next would be {name!r}")
        return self._numbers.setdefault(name, len(self._numbers))
