"""A parameter that is the text of a file beside the channel's: ``objects = { file = "watch.txt" }``."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_KEY = "file"


class TextFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file and its text; whoever loads the channel reads the file, so that the text belongs to its version."""

    file: str
    text: str

    def __repr__(self) -> str:
        return f"<TextFile {self.file!r} of {len(self.text)} characters>"

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the text of each line that is not empty; what follows a ``#`` is a comment."""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if kept := line.partition("#")[0].strip():
                yield number, kept


def file_parameters(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that are written as ``{ file = "name" }``, with the name of the file."""
    return {
        key: value[_KEY]
        for key, value in params.items()
        if isinstance(value, Mapping) and value.keys() == {_KEY} and isinstance(value[_KEY], str)
    }


def fill_in(params: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters with the text of each file in its place.

    Parameters
    ----------
    params
        As in the channel file.
    texts
        The text of each file that `file_parameters` names; a file that is not there is left as it is.
    """
    files = {key: name for key, name in file_parameters(params).items() if name in texts}
    return {**params, **{key: TextFile(name, texts[name]) for key, name in files.items()}}
