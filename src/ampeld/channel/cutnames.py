"""The numbers of a channel's cuts within this process: by the order in which they first appear."""

import re
from collections.abc import Iterator

from ampeld.errors import ChannelCodeError
from ampeld.flow.verdict import CUT, MAX_CUT, MAX_REJECTION, REJECTION

_CODED = re.compile(r" \(-(\d{1,5})\)$")


class CutNames:
    """An append-only list of names; ``names[k]`` is the cut of number ``k``."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, number: int) -> str:
        return self.names[number]

    @property
    def names(self) -> list[str]:
        """Return the names by number."""
        return list(self._numbers)

    def code(self, name: str) -> int:
        """Return the verdict code of a rejection by this cut; a new name gets the next number.

        A name that ends in a number in parentheses, as ``bright (-3)``, rejects with that code.

        Raises
        ------
        ChannelCodeError
            If there are more names than a verdict code can tell apart.
        """
        code = self._codes.get(name)
        if code is None:
            number = self.number(name)
            coded = _CODED.search(name)
            if coded is not None and 0 < int(coded[1]) <= MAX_REJECTION:
                code = REJECTION + int(coded[1])
            else:
                code = CUT + number
            self._codes[name] = code
        return code

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
